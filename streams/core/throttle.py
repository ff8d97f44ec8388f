"""What a venue's liquidation feed leaves out, and how much of it can be put back.

Beside the data path: detectors ask it for the feed in force at an event time and for dollars
corrected by throttle slot. Promises integer, order-free results: never below what was published,
never above the taker volume that bounds it. Does not correct a feed whose rule is unknown, and
claims no more than a floor once a slot is saturated. Definition: docs/definitions/throttle.md.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import MICROS, Completeness
from streams.core.results import Identifiability
from streams.core.thinning import NOTHING, Thinned

FeedClass = Literal["full", "largest_1s", "latest_1s", "partial"]
SlotKind = Literal["symbol", "symbol_side", "none"]
Pick = Literal["largest", "latest"]
Doubted = tuple[str, ...] | UnsetType
"""Venues whose complete feeds are taken for partial; UNSET, so that a hash without them stays."""

DAY_US: Final = 86_400 * MICROS

_APR_2021: Final = 1_617_235_200 * MICROS
_SEP_2021: Final = 1_630_454_400 * MICROS
_25_FEB_2025: Final = 1_740_441_600 * MICROS
_14_APR_2026: Final = 1_776_124_800 * MICROS
_20_AUG_2026: Final = 1_787_184_000 * MICROS


class Feed(msgspec.Struct, frozen=True):
    """What a venue's public liquidation feed carried from `valid_from_us` up to `valid_to_us`.

    `full`: every order. `largest_1s`, `latest_1s`: one order per second and slot, where the slot
    is the symbol (both sides compete for it) or the symbol's side. `partial`: orders are missing
    by a rule nobody states. Bounds are UTC midnights; `valid_to_us` is exclusive, None = open.
    """

    venue: str
    feed_class: FeedClass
    slot: SlotKind
    valid_from_us: int
    valid_to_us: int | None
    source: str


FEED_SEMANTICS: Final[tuple[Feed, ...]] = (
    Feed("binance-usdm", "full", "none", 0, _APR_2021, "forceOrder before the 1000 ms rule"),
    Feed(
        "binance-usdm",
        "latest_1s",
        "symbol",
        _APR_2021,
        _14_APR_2026,
        "forceOrder page: latest order within 1000 ms; the day in April 2021 is not established",
    ),
    Feed(
        "binance-usdm",
        "largest_1s",
        "symbol",
        _14_APR_2026,
        None,
        "forceOrder page since 2026-04-14: largest order within 1000 ms; perhaps only the wording",
    ),
    Feed("binance-coinm", "full", "none", 0, _APR_2021, "forceOrder before the 1000 ms rule"),
    Feed(
        "binance-coinm",
        "latest_1s",
        "symbol",
        _APR_2021,
        None,
        "COIN-M forceOrder page: latest order within 1000 ms, still so worded in 2026",
    ),
    Feed("bybit", "full", "none", 0, _SEP_2021, "liquidation topic before it was throttled"),
    Feed(
        "bybit",
        "latest_1s",
        "symbol",
        _SEP_2021,
        _25_FEB_2025,
        "liquidation topic: one order per symbol and second",
    ),
    Feed("bybit", "full", "none", _25_FEB_2025, None, "allLiquidation topic: every order"),
    Feed("okx", "partial", "none", 0, None, "liquidation-orders page: not the total"),
    Feed(
        "gate",
        "latest_1s",
        "symbol",
        0,
        _20_AUG_2026,
        "futures.public_liquidates: at most one order per contract and second",
    ),
    Feed("gate", "full", "none", _20_AUG_2026, None, "public_liquidates: batches of all orders"),
    Feed(
        "bitget",
        "largest_1s",
        "symbol_side",
        0,
        None,
        "v3 liquidation topic: largest long and largest short per pair and second",
    ),
    Feed("bitmex", "full", "none", 0, None, "liquidation table: every order, no fills"),
    Feed("deribit", "full", "none", 0, None, "trades carry a liquidation flag: every fill"),
    Feed("kraken", "full", "none", 0, None, "trade feed, type liquidation: every fill"),
    Feed("htx", "full", "none", 0, None, "liquidation_orders: all orders by its own account"),
    Feed("dydx", "full", "none", 0, None, "v4_trades, type LIQUIDATED: every fill"),
)
"""Every known feed, by venue and time. Hyperliquid and KuCoin publish no market-wide feed."""


class ThrottleParams(msgspec.Struct, frozen=True):
    """Parameters of the throttle correction, definition `throttle` version 2.

    `sigma`: standard deviation of log order size (prior 1.9). `saturation_percent`: occupied
    share of a slot, in percent, beyond which its rate cannot be read. `partial`: what a partial
    feed adds to an estimate: its `published` dollars as a floor, or nothing is estimated
    (`unknown`) wherever it takes part. `ratio_error`: standard error of a venue's forced dollars
    for its open interest, against other venues'; `thinning_error`: of the thinning factor per unit
    above one; `interval_errors`: half width of the 80 % interval in standard errors.
    `alone_percent`: occupied share beyond which a slot without a complete feed beside it is called
    `saturated`. `doubted`: venues that are assumed to leave orders out, though the table has their
    feeds as complete.
    """

    sigma: float = 1.9
    saturation_percent: int = 95
    partial: Literal["published", "unknown"] = "published"
    ratio_error: float = 0.15
    thinning_error: float = 0.2
    interval_errors: float = 1.5
    alone_percent: int = 20
    doubted: Doubted = UNSET


class SlotTally(msgspec.Struct):
    """One throttle slot over some seconds; dollars are int64 micro-dollars.

    `occupied` counts distinct seconds with an order, both sides pooled when the slot is the
    symbol. `long_upper`, `short_upper` sum the bounds of those seconds; None once one is unknown.
    `all_orders`: whether every order came with the completeness `all`. `thinned`: longs and shorts
    of a complete slot as other feeds would have shown them.
    """

    occupied: int = 0
    long_usd: int = 0
    short_usd: int = 0
    long_upper: int | None = 0
    short_upper: int | None = 0
    all_orders: bool = True
    thinned: tuple[Thinned, Thinned] | None = None

    def occupy(
        self,
        long_usd: int,
        short_usd: int,
        long_upper: int | None,
        short_upper: int | None,
        all_orders: bool,
        thinned: tuple[Thinned, Thinned] | None = None,
    ) -> None:
        """Add a second in which the slot published something."""
        self.occupied += 1
        self.long_usd += long_usd
        self.short_usd += short_usd
        self.long_upper = _plus(self.long_upper, long_upper)
        self.short_upper = _plus(self.short_upper, short_upper)
        self.all_orders = self.all_orders and all_orders
        if thinned is not None:
            longs, shorts = self.thinned or (NOTHING, NOTHING)
            self.thinned = longs.plus(thinned[0]), shorts.plus(thinned[1])


class SideEstimate(msgspec.Struct, frozen=True, gc=False):
    """Estimated dollars and upper bounds by liquidated side, int64 micro-dollars or None."""

    long_usd: int | None
    short_usd: int | None
    long_upper: int | None
    short_upper: int | None
    identifiability: Identifiability

    @property
    def usd(self) -> int | None:
        """Both sides; None when either is unknown."""
        return _plus(self.long_usd, self.short_usd)

    @property
    def upper(self) -> int | None:
        """Bound on both sides; None when either is unbounded."""
        return _plus(self.long_upper, self.short_upper)


def feed(
    venue: str,
    event_time_us: int,
    completeness: Completeness | None = None,
    doubted: Doubted = UNSET,
) -> Feed:
    """The feed in force at an event time.

    A venue id resolves by itself, then by what stands before its first hyphen. A venue outside
    the table is `partial`, unless its events say that they are `all`: then it is `full`.

    >>> feed("binance-usdm", 1_790_000_000_000_000).feed_class
    'largest_1s'
    >>> feed("bybit-inverse", 1_700_000_000_000_000).feed_class
    'latest_1s'
    """
    return _feed_of_day(venue, event_time_us // DAY_US, completeness == "all", doubted)


def completeness_at(venue: str, event_time_us: int) -> Completeness:
    """What an order of the feed in force at its time says of the others."""
    return "all" if feed(venue, event_time_us).feed_class == "full" else "sampled"


@lru_cache(maxsize=4096)
def _feed_of_day(venue: str, day: int, all_orders: bool, doubted: Doubted) -> Feed:
    for name in (venue, venue.split("-", 1)[0]):
        for row in FEED_SEMANTICS:
            until = row.valid_to_us
            begun = row.valid_from_us <= day * DAY_US
            if row.venue == name and begun and (until is None or day * DAY_US < until):
                return taken(row, doubted)
    return Feed(venue, "full" if all_orders else "partial", "none", 0, None, "not in the table")


def taken(row: Feed, doubted: Doubted) -> Feed:
    """The row of the table, as partial where its venue is doubted to show every order."""
    if isinstance(doubted, UnsetType) or row.feed_class != "full" or row.venue not in doubted:
        return row
    return msgspec.structs.replace(row, feed_class="partial", source="assumed to leave orders out")


def basket(venues: Iterable[str], event_time_us: int, doubted: Doubted = UNSET) -> str:
    """Name of a set of venues and of what their feeds carry: `venue:class` joined by `+`.

    Totals may be compared only under one name: it changes with every venue that joins or leaves
    and with every break in a feed's meaning.

    >>> basket(["okx", "bybit"], 1_790_000_000_000_000)
    'bybit:full+okx:partial'
    """
    feeds = [(venue, feed(venue, event_time_us, None, doubted)) for venue in sorted(set(venues))]
    return "+".join(f"{venue}:{one.feed_class}" for venue, one in feeds)


def inflation(rate: float, pick: Pick, sigma: float = 1.9) -> float:
    """True over published dollars of a slot that publishes one order per occupied second.

    Args:
        rate: orders per second, Poisson, above zero.
        pick: `largest` or `latest` order of the second is the one published.
        sigma: standard deviation of log order size (lognormal); no effect on `latest`.

    Returns:
        For `latest` rate / (1 - exp(-rate)); for `largest` rate * E[X] / E[largest], where the
        largest of a second has expectation integral of 1 - exp(-rate * (1 - F(x))) dx.

    >>> [round(1 / inflation(rate, "largest"), 2) for rate in (0.2, 1, 3, 5, 10)]
    [0.98, 0.92, 0.82, 0.74, 0.63]
    """
    if pick == "latest":
        return rate / -math.expm1(-rate)
    # Trapezoid over x = exp(sigma * z): the integrand is smooth and vanishes at both ends.
    step, steps = 0.05, 640
    area = 0.0
    for index in range(steps + 1):
        z = index * step - 16.0
        above = 0.5 * math.erfc(z / math.sqrt(2.0))
        area -= math.exp(sigma * z) * math.expm1(-rate * above)
    return rate * math.exp(sigma * sigma / 2.0) / (area * step * sigma)


_PPM: Final = 1_000_000
_NODES: Final = 60

# inflation(-ln(1 - k / 60), "largest", 1.9) in parts per million for k = 0..57; checked in so
# that no platform's exp or erfc can move a micro-dollar.
_LARGEST_PRIOR: Final = (
    1000000, 1001504, 1003029, 1004578, 1006151, 1007748, 1009371, 1011020, 1012697, 1014402,
    1016136, 1017901, 1019697, 1021527, 1023390, 1025290, 1027226, 1029201, 1031217, 1033276,
    1035378, 1037527, 1039725, 1041974, 1044277, 1046636, 1049055, 1051537, 1054087, 1056707,
    1059402, 1062177, 1065038, 1067989, 1071039, 1074193, 1077460, 1080850, 1084372, 1088038,
    1091861, 1095857, 1100043, 1104440, 1109073, 1113969, 1119164, 1124699, 1130626, 1137010,
    1143934, 1151505, 1159870, 1169228, 1179872, 1192250, 1207099, 1225780,
)  # fmt: skip


@lru_cache(maxsize=64)
def table(pick: Pick, sigma: float) -> Sequence[int]:
    """Inflation in parts per million at the occupied shares k/60, k = 0..57."""
    if pick == "largest" and sigma == 1.9:
        return _LARGEST_PRIOR
    rates = (-math.log1p(-k / _NODES) for k in range(1, 58))
    return (_PPM, *(round(inflation(rate, pick, sigma) * _PPM) for rate in rates))


def estimate(feed: Feed, tally: SlotTally, seconds: int, params: ThrottleParams) -> SideEstimate:
    """Dollars behind one slot's published dollars.

    The slot's occupied share is inverted once and both sides are scaled by the same factor: that
    is the split by winning dollars. Inverting sides that share a slot one by one would miss the
    orders each lost to the other.

    Args:
        feed: the feed in force; its class chooses the rule.
        tally: the slot's content, of one (venue, symbol) or one (venue, symbol, side).
        seconds: length of the interval that `tally` covers, s.
        params: saturation limit and size prior.

    Returns:
        `ok` for a full feed (all three figures equal) and below saturation; `saturated` beyond
        it, where the estimate stops at the factor of the limit; `unknown` for a partial feed,
        of which nothing but the published dollars is known: they are its estimate (a floor)
        unless `params.partial` leaves it None, and nothing bounds it.
    """
    longs, shorts = tally.long_usd, tally.short_usd
    if feed.feed_class == "full":
        return SideEstimate(longs, shorts, longs, shorts, "ok")
    if feed.feed_class == "partial":
        if params.partial == "unknown":
            return SideEstimate(None, None, None, None, "unknown")
        return SideEstimate(longs, shorts, None, None, "unknown")
    saturated = tally.occupied * 100 > params.saturation_percent * seconds
    nodes = table("largest" if feed.feed_class == "largest_1s" else "latest", params.sigma)
    # The occupied share in sixtieths: an exact table row for a minute, between two rows else.
    above = tally.occupied * _NODES
    if saturated:
        above, seconds = params.saturation_percent * _NODES, 100
    row, rest = divmod(above, seconds)
    last = len(nodes) - 1
    factor = nodes[last] if row >= last else nodes[row]
    if row < last:
        factor += (nodes[row + 1] - factor) * rest // seconds
    long_upper = None if tally.long_upper is None else max(tally.long_upper, longs)
    short_upper = None if tally.short_upper is None else max(tally.short_upper, shorts)
    return SideEstimate(
        _scaled(longs, factor, long_upper),
        _scaled(shorts, factor, short_upper),
        long_upper,
        short_upper,
        "saturated" if saturated else "ok",
    )


def combine(estimates: Sequence[SideEstimate]) -> SideEstimate:
    """The sum over slots: any unknown figure makes its sum unknown, the worst label stands.

    >>> total = combine([SideEstimate(2, 0, 3, 0, "ok"), SideEstimate(1, 1, None, 1, "saturated")])
    >>> total.usd, total.upper, total.identifiability
    (4, None, 'saturated')
    """
    total = SideEstimate(0, 0, 0, 0, "ok")
    for one in estimates:
        total = SideEstimate(
            _plus(total.long_usd, one.long_usd),
            _plus(total.short_usd, one.short_usd),
            _plus(total.long_upper, one.long_upper),
            _plus(total.short_upper, one.short_upper),
            max(total.identifiability, one.identifiability, key=SEVERITY.__getitem__),
        )
    return total


NO_ESTIMATE: Final = "partial_feed"
"""Why `usd_estimated` is null."""
NO_MEASURE: Final = "no_complete_feed"
"""Why the high end of an interval is null: no complete feed tells how much may be hidden."""


def no_bound(partial: bool) -> str:
    """Why `usd_upper` is null, by whether a partial feed took part in the sum."""
    return "partial_feed" if partial else "no_trades"


SEVERITY: Final[dict[Identifiability, int]] = {
    "ok": 0,
    "extrapolated": 1,
    "saturated": 2,
    "unknown": 3,
}
"""Labels of a sum by how little they promise: the worst of its parts stands."""


def _plus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


def _scaled(usd: int, factor: int, upper: int | None) -> int:
    scaled = max(usd, usd * factor // _PPM)
    return scaled if upper is None else min(scaled, upper)
