"""Derivatives against spot as they are published; definition `dominance` (1.6).

`schemas/dominance.py` documents the same fields.
"""

from typing import Literal

from streams.core.results.signals import SignalRow

DominanceState = Literal["spot_led", "mixed", "derivatives_led"]


class Dominance(SignalRow, frozen=True, kw_only=True, tag="dominance"):
    """Volume of a fixed basket of venues over `window_s` (3600, 86400 or 604800) seconds.

    Dollars are int64 micro-dollars. `share` is derivatives over both, `ratio` derivatives over
    spot; `lead_share` above 0.5 means that derivatives move first. `basket` names the venues that
    are counted, `basket_coverage` the share of them that were healthy.
    """

    window_s: int
    derivatives_usd: int | None
    spot_usd: int | None
    share: float | None
    ratio: float | None
    oi_spot_adv: float | None
    lead_share: float | None
    state: DominanceState | None
    basket: str
    basket_coverage: float
    trend_90d: float | None
    trend_365d: float | None
    oi_market_cap: float | None
    oi_market_cap_90d: float | None
    history_days: float
