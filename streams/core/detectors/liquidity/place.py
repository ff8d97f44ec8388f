"""A venue's main book and what is ordinary there; and all venues of an asset taken together.

Used by the liquidity detector. Promises that a comparison with the ordinary is made only between
like and like: a venue's main book with its own history, the whole by the venues that are known
both now and in history. A book that is old, frozen or does not reach is not known.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

import msgspec

from streams.core.detectors.liquidity.flow import Impact, Refill, change_bp
from streams.core.detectors.liquidity.level import Level
from streams.core.detectors.liquidity.ordinary import HourSum, Norm, Ordinary, norm
from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP, BookState, Market, VenueTrades

DEPTHS: Final = tuple(f"depth_{band}" for band in DEPTH_BANDS_BP)
STATE_BANDS: Final = (2, 1, 0, 3)
"""Indices of DEPTH_BANDS_BP by preference for the state: 50, 25, 10, then 100 bp."""

Slips = tuple[float | None, float | None, float | None, float | None]
"""Buying 100k, buying 1M, selling 100k, selling 1M; bp."""

_UNKNOWN: Final[Slips] = (None, None, None, None)
Norms = Mapping[str, Norm]


class Place(msgspec.Struct, array_like=True):
    """A venue's main book of one (symbol, market), last heard in second `heard`; 0: never.

    `same`: equal snapshots in a row. `mid` > 0 with a book; `closed`, `closed_at`: price at the
    end of the last minute. `amihud`: of the last minute, bp per million USD. The whole (all
    venues) uses `impact`, `refill`, `level`, `closed` and `amihud` only, `same` being the venues
    whose depth the refill saw.
    """

    symbol: str = ""
    market: Market = "derivative"
    heard: int = 0
    bids: tuple[int | None, ...] = ()
    asks: tuple[int | None, ...] = ()
    spread: float = 0.0
    slips: Slips = _UNKNOWN
    mid: float = 0.0
    same: int = 0
    closed: float = 0.0
    closed_at: int = 0
    amihud: float | None = None
    impact: Impact = msgspec.field(default_factory=Impact)
    refill: Refill = msgspec.field(default_factory=Refill)
    level: Level = msgspec.field(default_factory=Level)

    def take(self, second: int, book: BookState, params: LiquidityParams) -> None:
        """The main book, as of the end of a second; the level is settled up to it first."""
        self.pass_to(second, params)
        buys, sells = book.buy_slip_bp or (None, None), book.sell_slip_bp or (None, None)
        slips: Slips = buys[0], buys[1], sells[0], sells[1]
        mid = (book.bid + book.ask) / 2
        spread = (book.ask - book.bid) / mid * 1e4
        equal = self.mid == mid and self.spread == spread and self.slips == slips
        if equal and self.bids == book.bid_usd and self.asks == book.ask_usd:
            self.same += 1
        else:
            self.bids, self.asks = book.bid_usd, book.ask_usd
            self.spread, self.slips, self.mid, self.same = spread, slips, mid, 1
        self.heard = second

    def pass_to(self, now: int, params: LiquidityParams) -> None:
        """Settle the level by `now`; without a book that stands so long it is forgotten."""
        until = self.heard + params.book_stands_s
        self.level.settle(min(now, until), params)
        if now > until:
            self.level.forget()

    def why_unknown(self, now: int, params: LiquidityParams) -> str | None:
        """Why the book is not known at a second; None when it is."""
        if not self.heard:
            return "no_book"
        if now > self.heard + params.book_stands_s:
            return "book_stale"
        return "book_frozen" if self.same >= params.frozen_snapshots else None

    def told_in_minute(self, end: int, params: LiquidityParams) -> bool:
        """Whether a book that is not frozen came in the minute before `end`."""
        heard = bool(self.symbol) and self.heard >= end - 60
        return heard and self.same < params.frozen_snapshots

    def band(self, index: int) -> int | None:
        """Depth of both sides in a band, micro-dollars; None beyond the book's reach."""
        bid, ask = self.bids[index], self.asks[index]
        return None if bid is None or ask is None else bid + ask

    def near(self) -> tuple[int, int] | None:
        """Depth of bids and asks in the nearest band that both reach."""
        for bid, ask in zip(self.bids, self.asks, strict=True):
            if bid is not None and ask is not None:
                return bid, ask
        return None


class Learned(msgspec.Struct, array_like=True):
    """What is ordinary at a place, by measure; `minutes`: those that it was learned from."""

    minutes: int = 0
    measures: dict[str, Ordinary] = {}

    def learn(self, hour: int, sums: Mapping[str, HourSum], params: LiquidityParams) -> None:
        """Take an hour's minutes."""
        self.minutes += max((one.n for one in sums.values()), default=0)
        for name in sorted(sums):
            self.measures.setdefault(name, Ordinary()).learn(hour, sums[name], params)

    def norms(self, hour: int, params: LiquidityParams) -> dict[str, Norm]:
        """The norms of an hour, by measure; empty before there is enough history."""
        if self.minutes < params.least_history_h * 60:
            return {}
        every = self.measures.get("spread")
        found = {name: norm(one, hour, every or one, params) for name, one in self.measures.items()}
        return {name: one for name, one in found.items() if one is not None}


class Measure(NamedTuple):
    """A moment at a place against the ordinary: ratios, parts of z, and the depth behind them.

    `dollars` and `ordinary`: depth in the band of the state and its ordinary value, micro-dollars.
    """

    depth: float | None
    spread: float | None
    z: float | None
    parts: dict[str, float]
    dollars: float = 0.0
    ordinary: float = 0.0


NOTHING: Final = Measure(None, None, None, {})


def sampled(place: Place, now: int, params: LiquidityParams) -> dict[str, float | None]:
    """The place's measures at the end of a minute, by name."""
    found: dict[str, float | None] = {}
    if place.told_in_minute(now, params):
        found = {name: place.band(index) for index, name in enumerate(DEPTHS)}
        found["spread"] = place.spread
        found["slip_100k"], found["slip_1m"] = _mean(place.slips, 0), _mean(place.slips, 1)
    found["kyle"], found["amihud"] = place.impact.value_at(now, params), place.amihud
    return found


def _mean(slips: Slips, size: int) -> float | None:
    buy, sell = slips[size], slips[2 + size]
    return None if buy is None or sell is None else (buy + sell) / 2


def measured(place: Place, now: int, norms: Norms, params: LiquidityParams) -> Measure:
    """A venue's main book against its norms."""
    parts = impact_parts(place, now, norms, params)
    depth: float | None = None
    dollars = ordinary = 0.0
    for index in STATE_BANDS:
        usual = norms.get(DEPTHS[index])
        if usual is not None:
            known = place.band(index)
            ordinary = usual.value
            if known is not None:
                dollars, depth = float(known), known / usual.value
                parts["depth"] = usual.z(known) if known else -params.z_clip
            break
    usual = norms.get("spread")
    spread = None if usual is None else place.spread / usual.value
    if usual is not None and place.spread > 0:
        parts["spread"] = -usual.z(place.spread)
    for size, name in ((1, "slip_1m"), (0, "slip_100k")):
        usual, slip = norms.get(name), _mean(place.slips, size)
        if usual is not None:
            if slip:
                parts["slippage"] = -usual.z(slip)
            break
    return Measure(depth, spread, z_of(parts, params), parts, dollars, ordinary)


def impact_parts(place: Place, now: int, norms: Norms, params: LiquidityParams) -> dict[str, float]:
    """Parts of z that need no book: lambda and Amihud's ratio."""
    parts: dict[str, float] = {}
    kyle, usual = norms.get("kyle"), norms.get("amihud")
    if kyle is not None:
        value = place.impact.value_at(now, params)
        if value is not None and value > 0:
            parts["kyle"] = -kyle.z(value)
    if usual is not None and place.amihud is not None and place.amihud > 0:
        parts["amihud"] = -usual.z(place.amihud)
    return parts


def z_of(parts: dict[str, float], params: LiquidityParams) -> float | None:
    """Mean of the parts, each clipped in place; None when they are too few."""
    clip = params.z_clip
    for name, part in parts.items():
        if part > clip or part < -clip:
            parts[name] = clip if part > 0 else -clip
    return sum(parts.values()) / len(parts) if len(parts) >= params.least_parts else None


def together(
    known: Sequence[Measure], hidden: float, own: dict[str, float], params: LiquidityParams
) -> Measure:
    """All venues of an asset.

    Args:
        known: of the venues whose books are known now.
        hidden: ordinary depth (micro-dollars) of those that are not.
        own: impact parts of the whole.
        params: of the definition.

    Returns:
        Depth is the sum over its ordinary sum, None when too little of that is known; the spread's
        ratio is the median venue's; the parts are means over venues.
    """
    deep = [one for one in known if one.depth is not None]
    ordinary = sum(one.ordinary for one in deep)
    usual = sum(one.ordinary for one in known) + hidden
    depth: float | None = None
    if deep and ordinary >= params.least_known * usual:
        depth = sum(one.dollars for one in deep) / ordinary
    spreads = [one.spread for one in known if one.spread is not None]
    parts = dict(own)
    for name in ("depth", "spread", "slippage"):
        each = [one.parts[name] for one in known if name in one.parts]
        if each and (name != "depth" or depth is not None):
            parts[name] = sum(each) / len(each)
    spread = median(spreads) if spreads else None
    return Measure(depth, spread, z_of(parts, params), parts)


def amihud(
    place: Place, price: float | None, end: int, trades: Sequence[VenueTrades]
) -> float | None:
    """Absolute change of a minute over its volume, bp per million USD; keeps its close.

    None without a price at both ends or without trades.
    """
    usd = sum(one.usd for one in trades)
    before = place.closed if place.closed_at == end - 60 else 0.0
    if price is None:
        return None
    place.closed, place.closed_at = price, end
    if before <= 0 or usd <= 0:
        return None
    return abs(change_bp(before, price)) / (usd / MICROS / MICROS)


def cost(book: BookState) -> tuple[bool, float]:
    """What it costs to trade on a book, for comparing books of one venue: less is better."""
    if book.buy_slip_bp and book.sell_slip_bp:
        buy, sell = book.buy_slip_bp[0], book.sell_slip_bp[0]
        if buy is not None and sell is not None:
            return False, (buy + sell) / 2
    return True, (book.ask - book.bid) / (book.ask + book.bid)
