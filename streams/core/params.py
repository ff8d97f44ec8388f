"""The one frozen parameter set of all detectors; its hash stands in every result row."""

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.dominance.params import DominanceParams
from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.detectors.positioning.params import PositioningParams
from streams.core.detectors.prints.detector import PrintParams
from streams.core.detectors.regime.params import RegimeParams
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.zones.params import ZoneParams
from streams.core.events import stable_id
from streams.core.throttle import ThrottleParams


class Params(msgspec.Struct, frozen=True):
    """Parameters by definition; see each struct for units and sources."""

    alerts: AlertParams = AlertParams()
    cascade: CascadeParams = CascadeParams()
    dominance: DominanceParams = DominanceParams()
    health: HealthParams = HealthParams()
    imbalance: ImbalanceParams = ImbalanceParams()
    liquidity: LiquidityParams = LiquidityParams()
    positioning: PositioningParams = PositioningParams()
    prints: PrintParams = PrintParams()
    regime: RegimeParams = RegimeParams()
    throttle: ThrottleParams = ThrottleParams()
    volatility: VolatilityParams = VolatilityParams()
    zones: ZoneParams = ZoneParams()

    def hash(self) -> str:
        """Twelve hex digits that change with any parameter."""
        return stable_id(msgspec.json.encode(self, order="deterministic").decode())[:12]
