"""Liquidity regime and market conditions as they are published; definition `liquidity` (1.4).

`schemas/liquidity.py` documents the same fields.
"""

from typing import Literal

from streams.core.results.signals import SignalRow

LiquidityState = Literal["abundant", "normal", "tight", "vacuum"]
ConditionsState = Literal["expanding", "neutral", "tightening"]


class Liquidity(SignalRow, frozen=True, kw_only=True, tag="liquidity"):
    """Depth, spread and price impact of an asset at one venue, or over all (`venue` None).

    Tuples follow DEPTH_BANDS_BP (10, 25, 50, 100 bp); depth is micro-dollars, `depth_ratio` its
    share of the hour's ordinary depth. Slippage is in bp, `kyle_lambda` and `amihud` in bp per
    million USD. Depth tuples are empty without a usable book. `z` is the mean of `z_inputs`, by
    measure, in units of ordinary scatter; what is not known is absent from them.
    """

    venue: str | None
    state: LiquidityState | None
    since: int | None
    z: float | None
    z_inputs: dict[str, float]
    spread_bp: float | None
    spread_ratio: float | None
    bid_usd: tuple[int | None, ...]
    ask_usd: tuple[int | None, ...]
    depth_ratio: tuple[float | None, ...]
    buy_slip_100k_bp: float | None
    buy_slip_1m_bp: float | None
    sell_slip_100k_bp: float | None
    sell_slip_1m_bp: float | None
    kyle_lambda: float | None
    amihud: float | None
    book_imbalance: float | None
    refill_half_life_s: float | None
    frozen: bool
    history_days: float


class Conditions(SignalRow, frozen=True, kw_only=True, tag="conditions"):
    """The slow index of liquidity: are conditions expanding or tightening; hourly.

    `inputs` are standardised; `missing` says why an input is absent from them.
    """

    state: ConditionsState | None
    probability: float | None
    index: float | None
    inputs: dict[str, float]
    missing: dict[str, str]
    history_days: float
