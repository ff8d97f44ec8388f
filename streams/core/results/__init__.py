"""What detectors publish, and the market stage's inputs: one module a signal.

Every row is an upsert by `id`; the highest `revision` is current. Times are int64 µs UTC of
event time, dollars int64 micro-dollars. A number that cannot be known is None and
`null_reasons` names the field and why.
"""

from streams.core.results.alerts import Alert
from streams.core.results.cascades import (
    Baseline,
    Branching,
    CascadeWindow,
    Gate,
    GateState,
    Identifiability,
    Lead,
    Phase,
    Severity,
    Statistic,
    WindowClass,
    WindowSide,
)
from streams.core.results.dominance import Dominance
from streams.core.results.health import Health
from streams.core.results.imbalance import Imbalance
from streams.core.results.liquidity import Conditions, Liquidity
from streams.core.results.market_inputs import Contribution
from streams.core.results.positioning import Funding, Positioning, VenueFunding
from streams.core.results.prints import Milestone, MilestoneBasis, Print, PrintKind
from streams.core.results.regimes import Driver, Regime, RegimeResolution, RegimeTransition
from streams.core.results.signals import SignalRow
from streams.core.results.volatility import Volatility
from streams.core.results.zones import Zone, ZoneMap

MARKET = "ALL"
"""Scope of the market-wide stage."""

Signal = (
    Regime
    | RegimeTransition
    | RegimeResolution
    | Imbalance
    | Liquidity
    | Conditions
    | ZoneMap
    | Positioning
    | Funding
    | Dominance
    | Volatility
    | Health
    | Alert
)
Result = CascadeWindow | Print | Milestone | Signal
Output = Result | Contribution

__all__ = [
    "MARKET",
    "Alert",
    "Baseline",
    "Branching",
    "CascadeWindow",
    "Conditions",
    "Contribution",
    "Dominance",
    "Driver",
    "Funding",
    "Gate",
    "GateState",
    "Health",
    "Identifiability",
    "Imbalance",
    "Lead",
    "Liquidity",
    "Milestone",
    "MilestoneBasis",
    "Output",
    "Phase",
    "Positioning",
    "Print",
    "PrintKind",
    "Regime",
    "RegimeResolution",
    "RegimeTransition",
    "Result",
    "Severity",
    "Signal",
    "SignalRow",
    "Statistic",
    "VenueFunding",
    "Volatility",
    "WindowClass",
    "WindowSide",
    "Zone",
    "ZoneMap",
]
