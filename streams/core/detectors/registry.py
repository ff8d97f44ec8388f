"""Every detector of signals, in the order in which they run.

The only list of them: the pipeline makes them from it, the conformance suite runs each through the
same laws. A detector may read in `Readings` what those before it have said of the same minute.
"""

from collections.abc import Callable
from typing import Final

from streams.core.detectors.alerts.detector import Alerts
from streams.core.detectors.dominance.detector import DominanceDetector
from streams.core.detectors.health.detector import HealthIndex
from streams.core.detectors.imbalance.detector import ImbalanceDetector
from streams.core.detectors.liquidity.detector import LiquidityDetector
from streams.core.detectors.positioning.detector import PositioningDetector
from streams.core.detectors.regime.detector import RegimeDetector
from streams.core.detectors.signal import Detector
from streams.core.detectors.volatility.detector import Volatility
from streams.core.detectors.zones.detector import Zones
from streams.core.params import Params
from streams.core.rowmeta import RowMeta

Make = Callable[[str, Params, RowMeta], Detector]
"""Makes a detector of a scope (asset or `ALL`)."""

REGISTRY: Final[tuple[Make, ...]] = (
    lambda scope, params, meta: ImbalanceDetector(
        scope, params.imbalance, meta, params.throttle.doubted
    ),
    lambda scope, params, meta: LiquidityDetector(scope, params.liquidity, meta),
    lambda scope, params, meta: PositioningDetector(scope, params.positioning, meta),
    lambda scope, params, meta: DominanceDetector(scope, params.dominance, meta),
    lambda scope, params, meta: Zones(scope, params.zones, meta, params.throttle.doubted),
    lambda scope, params, meta: Volatility(scope, params.volatility, meta),
    lambda scope, params, meta: RegimeDetector(scope, params.regime, meta),
    lambda scope, params, meta: HealthIndex(scope, params.health, meta, params.throttle.doubted),
    lambda scope, params, meta: Alerts(scope, params.alerts, meta),
)
