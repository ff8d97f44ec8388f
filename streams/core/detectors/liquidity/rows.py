"""Rows of the liquidity detector: what is told of a venue, of an asset, and of the market.

Promises a reason for every number that is not known.
"""

from collections.abc import Sequence
from statistics import median

from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.detectors.liquidity.place import Measure, Norms, Place, Slips
from streams.core.detectors.signal import RowHead
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP
from streams.core.results import Liquidity

Bands = tuple[int | None, ...]
Ratios = tuple[float | None, ...]

_MOST = 2**63 - 1
_SLIPS = ("buy_slip_100k_bp", "buy_slip_1m_bp", "sell_slip_100k_bp", "sell_slip_1m_bp")


def venue_row(
    head: RowHead,
    venue: str,
    place: Place,
    now: int,
    norms: Norms,
    measure: Measure,
    minutes: int,
    params: LiquidityParams,
) -> Liquidity:
    """The row of a venue; `minutes` of history, `measure` NOTHING when its book is not known."""
    missing = place.why_unknown(now, params)
    bids, asks, slips, spread, imbalance = place.bids, place.asks, place.slips, place.spread, None
    if missing is not None:
        bids, asks, slips = (), (), (None, None, None, None)
    else:
        imbalance = _imbalance(bids, asks)
    ratios: Ratios = tuple(
        known / usual.value
        if (usual := norms.get(f"depth_{band}")) and (known := place.band(index)) is not None
        else None
        for index, band in enumerate(DEPTH_BANDS_BP)
    )
    return _row(
        head,
        venue,
        place,
        now,
        measure,
        minutes,
        params,
        missing=missing,
        spread=None if missing else spread,
        bids=bids,
        asks=asks,
        ratios=() if missing else ratios,
        slips=slips,
        imbalance=imbalance,
        frozen=missing == "book_frozen",
    )


def whole_row(
    head: RowHead,
    whole: Place,
    venues: Sequence[tuple[Place, Norms]],
    now: int,
    measure: Measure,
    minutes: int,
    params: LiquidityParams,
    market: tuple[Bands, Bands, Ratios] | None = None,
) -> Liquidity:
    """The row over all venues.

    Args:
        head: of the row.
        whole: the asset's, or the market's.
        venues: those heard within the last hour, with their norms.
        now: second of the row.
        measure: of the whole.
        minutes: of history.
        params: of the definition.
        market: bids, asks and ratios of the market, whose books are not kept; None for an asset.
    """
    missing: str | None = "no_book"
    if market is not None:
        missing = "not_defined_for_the_market"
    reasons = [place.why_unknown(now, params) for place, _ in venues]
    known = [each for each, reason in zip(venues, reasons, strict=True) if reason is None]
    if venues:
        missing = None if known else reasons[0]
    bids, asks, ratios = market or _sums(known, complete=len(known) == len(venues))
    slips: Slips = (None, None, None, None)
    spread: float | None = None
    if known:
        places = [place for place, _ in known]
        spread = median(place.spread for place in places)
        slips = _least(places, 0), _least(places, 1), _least(places, 2), _least(places, 3)
    return _row(
        head,
        None,
        whole,
        now,
        measure,
        minutes,
        params,
        missing=missing,
        spread=spread,
        bids=bids,
        asks=asks,
        ratios=ratios,
        slips=slips,
        imbalance=_imbalance(bids, asks),
        frozen=bool(reasons) and all(reason == "book_frozen" for reason in reasons),
    )


def _sums(known: Sequence[tuple[Place, Norms]], *, complete: bool) -> tuple[Bands, Bands, Ratios]:
    """Depth by band, None where a venue is missing in it; ratios over those that are known."""
    if not known:
        return (), (), ()
    bids: list[int | None] = []
    asks: list[int | None] = []
    ratios: list[float | None] = []
    for index, band in enumerate(DEPTH_BANDS_BP):
        for side, out in (("bids", bids), ("asks", asks)):
            each = [getattr(place, side)[index] for place, _ in known]
            total = None if not complete or None in each else sum(each)
            out.append(None if total is None else min(total, _MOST))
        usual = [
            (depth, norms[f"depth_{band}"].value)
            for place, norms in known
            if f"depth_{band}" in norms and (depth := place.band(index)) is not None
        ]
        ratios.append(sum(d for d, _ in usual) / sum(u for _, u in usual) if usual else None)
    return tuple(bids), tuple(asks), tuple(ratios)


def _least(places: Sequence[Place], which: int) -> float | None:
    """The lowest slippage of a single venue."""
    known = [slip for place in places if (slip := place.slips[which]) is not None]
    return min(known) if known else None


def _imbalance(bids: Bands, asks: Bands) -> float | None:
    """(bids - asks) / (bids + asks) in the nearest band that is known."""
    for bid, ask in zip(bids, asks, strict=True):
        if bid is not None and ask is not None and bid + ask > 0:
            return (bid - ask) / (bid + ask)
    return None


def _row(
    head: RowHead,
    venue: str | None,
    place: Place,
    now: int,
    measure: Measure,
    minutes: int,
    params: LiquidityParams,
    *,
    missing: str | None,
    spread: float | None,
    bids: Bands,
    asks: Bands,
    ratios: Ratios,
    slips: Slips,
    imbalance: float | None,
    frozen: bool,
) -> Liquidity:
    reasons: dict[str, str] = {}
    state = place.level.state
    young = minutes < params.least_history_h * 60
    why = missing or ("history_below_1_day" if young else "no_ordinary_value")
    if state is None:
        reasons["state"] = reasons["since"] = why
    if measure.z is None:
        reasons["z"] = "history_below_1_day" if young else "too_few_parts"
    if spread is None:
        reasons["spread_bp"] = missing or "no_book"
    if measure.spread is None:
        reasons["spread_ratio"] = why
    for name, slip in zip(_SLIPS, slips, strict=True):
        if slip is None:
            reasons[name] = missing or "beyond_reach"
    kyle = place.impact.value_at(now, params)
    if kyle is None:
        reasons["kyle_lambda"] = "too_few_taker_seconds"
    if place.amihud is None:
        reasons["amihud"] = "no_trades_or_price"
    if imbalance is None:
        reasons["book_imbalance"] = missing or "beyond_reach"
    refill, unmeasured = place.refill.told(now, params)
    if refill is None:
        reasons["refill_half_life_s"] = unmeasured if place.refill.seen else missing or unmeasured
    return Liquidity(
        **head,
        venue=venue,
        state=state,
        since=None if state is None else place.level.since * MICROS,
        z=measure.z,
        z_inputs=dict(sorted(measure.parts.items())),
        spread_bp=spread,
        spread_ratio=measure.spread,
        bid_usd=bids,
        ask_usd=asks,
        depth_ratio=ratios,
        buy_slip_100k_bp=slips[0],
        buy_slip_1m_bp=slips[1],
        sell_slip_100k_bp=slips[2],
        sell_slip_1m_bp=slips[3],
        kyle_lambda=kyle,
        amihud=place.amihud,
        book_imbalance=imbalance,
        refill_half_life_s=refill,
        frozen=frozen,
        history_days=minutes / 1440,
        null_reasons=reasons,
    )
