"""The market stage: contributions of all assets and ticks of all partitions, as one scope.

Promises that a market second is applied once, in order, and only when every partition has
ticked it and all frames it counted have contributed; it waits for a slow partition rather than
guess. `coverage` counts venues, never partitions. Runs the asset detectors on the sum.
"""

from math import exp, log
from operator import attrgetter

import msgspec

from streams.core import market_interest
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.moment import Moment, share_of
from streams.core.detectors.venue_sums import (
    BOOK_STANDS_S,
    Bands,
    Depth,
    add_depths,
    add_trades,
)
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Tick
from streams.core.market_interest import MarketInterest
from streams.core.results import MARKET, Contribution


class PartitionProgress(msgspec.Struct):
    """`waiting`: ticked seconds (s) with their frame counts, whose contributions have not all
    come; `ready`: complete seconds not applied yet; `reached`: the last complete second.
    """

    waiting: list[tuple[int, int]] = []
    ready: list[int] = []
    reached: int | None = None
    got: dict[int, dict[str, Contribution]] = {}


class MarketInputs(msgspec.Struct):
    """What the market stage holds between seconds; times in s.

    `onsets`: (asset, side) -> onset, while recent; `prices`, `spots`: last known values by asset;
    `interest` in dollars of the assets that speak; `holdings`: open interest and funding by venue,
    and at constant prices; `depths`: of books, by asset.
    """

    partitions: dict[int, PartitionProgress] = {}
    expected: int = 0
    sealed: int | None = None
    assets: set[str] = set()
    prices: dict[str, float] = {}
    spots: dict[str, float] = {}
    interest: dict[str, int] = {}
    health: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    onsets: dict[tuple[str, PositionSide], int] = {}
    holdings: MarketInterest = msgspec.field(default_factory=MarketInterest)
    depths: dict[str, Depth] = {}


def receive(inputs: MarketInputs, item: Tick | Contribution) -> list[int]:
    """Take one input; returns the seconds (s, ascending) that are now complete.

    The caller merges every returned second, in order, before the next input.
    """
    second = item.second // MICROS
    if inputs.sealed is not None and second <= inputs.sealed:
        return []
    progress = inputs.partitions.setdefault(item.partition, PartitionProgress())
    if isinstance(item, Contribution):
        progress.got.setdefault(second, {})[item.asset] = item
    else:
        inputs.expected = max(inputs.expected, item.partitions)
        last = progress.waiting[-1][0] if progress.waiting else progress.reached
        if last is None or second > last:
            progress.waiting.append((second, item.n_frames))
    moved = _settle(progress)
    return _complete(inputs) if moved else []


def applied_alone(inputs: MarketInputs) -> MarketInputs:
    """A copy without what came for seconds after the last applied one: it is to come again."""
    # Every partition has reached that second; what it completed beyond waits for another.
    empty = {number: PartitionProgress(reached=inputs.sealed) for number in inputs.partitions}
    return msgspec.structs.replace(inputs, partitions=empty)


def waits_s(inputs: MarketInputs) -> int:
    """Seconds between the newest tick and the last applied second; before one is, the oldest."""
    known: list[int] = []
    for progress in inputs.partitions.values():
        if progress.reached is not None:
            known.append(progress.reached)
        known.extend(second for second, _ in progress.waiting[:1] + progress.waiting[-1:])
    if not known:
        return 0
    return max(known) - (min(known) if inputs.sealed is None else inputs.sealed)


def _settle(progress: PartitionProgress) -> bool:
    """Move ticked seconds whose contributions are all there from waiting to ready."""
    settled = 0
    for second, count in progress.waiting:
        if len(progress.got.get(second, {})) < count:
            break
        progress.ready.append(second)
        progress.reached = second
        settled += 1
    if settled:
        del progress.waiting[:settled]
    return settled > 0


def _complete(inputs: MarketInputs) -> list[int]:
    if inputs.expected == 0 or len(inputs.partitions) < inputs.expected:
        return []
    reached = [progress.reached for progress in inputs.partitions.values()]
    through = min((second for second in reached if second is not None), default=None)
    if through is None or None in reached:
        return []
    seconds: set[int] = set()
    for progress in inputs.partitions.values():
        due = [second for second in progress.ready if second <= through]
        seconds.update(due)
        del progress.ready[: len(due)]
    return sorted(seconds)


def merge(inputs: MarketInputs, second: int, params: CascadeParams) -> Moment | None:
    """The market's moment of a complete second; None while no asset is known.

    Forgets the second. Cells keep their venue and symbol, so throttle slots stay apart.
    """
    parts: list[Contribution] = []
    for progress in inputs.partitions.values():
        parts.extend(progress.got.pop(second, {}).values())
    inputs.sealed = second
    if not parts and not inputs.assets:
        return None
    parts.sort(key=lambda part: part.asset)
    # A second without contributions changes nothing: it may as well not have been ticked.
    silent = market_interest.leave_out(inputs.holdings, second) if parts else []
    for asset in silent:
        inputs.interest.pop(asset, None)
    for part in parts:
        inputs.assets.add(part.asset)
        if part.price is not None and part.asset in params.basket:
            inputs.prices[part.asset] = part.price
        if part.spot is not None and part.asset in params.basket:
            inputs.spots[part.asset] = part.spot
        if part.oi_usd is None:
            inputs.interest.pop(part.asset, None)
        else:
            inputs.interest[part.asset] = part.oi_usd
        inputs.health[part.asset] = (part.venues_up, part.venues_all)
        for side, onset in part.onsets:
            inputs.onsets[part.asset, side] = onset // MICROS
    market_interest.take(inputs.holdings, parts, second)
    renewed = bool(silent) or any(part.interest is not None for part in parts)
    interest = market_interest.by_venue(inputs.holdings, second) if renewed else None
    bids, asks = _depth(inputs, parts, second)
    recent = second - params.breadth_within_s
    inputs.onsets = {key: onset for key, onset in inputs.onsets.items() if onset >= recent}
    up = tuple(sorted({venue for ups, _ in inputs.health.values() for venue in ups}))
    known = tuple(sorted({venue for _, every in inputs.health.values() for venue in every}))
    return Moment(
        MARKET,
        second,
        len(up) / len(known) if known else 0.0,
        up,
        known,
        tuple(cell for part in parts for cell in part.cells),
        tuple(cell for part in parts for cell in part.late),
        tuple(share for part in parts for share in share_of(part.asset, part.cells)),
        _basket(inputs.prices, any(_weighs(part.price, part, params) for part in parts), params),
        sum(inputs.interest.values()) if inputs.interest else None,
        inputs.holdings.volume(),
        onsets=tuple((asset, side, at) for (asset, side), at in sorted(inputs.onsets.items())),
        assets_known=len(inputs.assets),
        trades=add_trades([trades for part in parts for trades in part.trades]),
        bids=bids,
        asks=asks,
        funding_8h=inputs.holdings.rate_8h,
        interest=interest,
        macro=tuple(sorted({value for part in parts for value in part.macro}, key=_by_series)),
        quiet=not parts,
        spot=_basket(inputs.spots, any(_weighs(part.spot, part, params) for part in parts), params),
        oi_by_venue=market_interest.dollars_by_venue(inputs.holdings),
    )


_by_series = attrgetter("series", "at_us", "value")


def _depth(inputs: MarketInputs, parts: list[Contribution], second: int) -> tuple[Bands, Bands]:
    """Depth over all assets with books that stand; empty in a second that renewed none."""
    fresh = {part.asset: Depth(second, part.bids, part.asks) for part in parts if part.bids}
    if not fresh:
        return (), ()
    inputs.depths.update(fresh)
    oldest = second - BOOK_STANDS_S
    inputs.depths = {name: one for name, one in inputs.depths.items() if one.second >= oldest}
    return add_depths(list(inputs.depths.values()))


def _weighs(price: float | None, part: Contribution, params: CascadeParams) -> bool:
    """Whether a contribution's price is part of the basket."""
    return price is not None and part.asset in params.basket


def _basket(prices: dict[str, float], fresh: bool, params: CascadeParams) -> float | None:
    """Weighted geometric mean of the basket's prices; None until all are known, and in a
    second that brought none of them.
    """
    if not fresh or len(prices) < len(params.basket):
        return None
    return exp(sum(params.basket[a] * log(p) for a, p in sorted(prices.items())))
