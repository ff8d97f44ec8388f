"""The last two hours of one scope, second by second, for the branching estimate.

Part of the cascade detector's state. Promises packed bytes whose size is bounded by the seconds
kept, whatever the number of orders; that only seconds with content change it, so that skipped and
empty seconds are equal; and that orders and spot prices of any second since the start are kept
for `KEPT_S`.
"""

from math import log
from struct import Struct

import msgspec

from streams.core.detectors.cascade import branching
from streams.core.detectors.cascade.baseline import Uptime
from streams.core.detectors.cascade.branching import BranchingParams, Drive, Orders
from streams.core.results import Branching, WindowSide

KEPT_S = 8400
"""The fitted stretch, and what may pass between its end and the close of its window."""

_ORDER = Struct("<IHHHH")
"""Second, then per side the count and the mass in hundredths."""
_MOVE = Struct("<h")
_MOST = 65_535
_LEVELS = 100_000
"""Steps of a log price in one unit: a tenth of a basis point each."""


class Bracket(msgspec.Struct, frozen=True):
    """Branching of a window: the fit with the drive and the one without; `why` names the nulls."""

    low: float | None
    high: float | None
    ks_p: float | None
    label: Branching | None
    why: dict[str, str]


class Recent(msgspec.Struct):
    """`began`: first second (s) of the scope; `orders`: packed occupied seconds.

    Spot: `first_bin` and `moves` are the moves of the log price in each bin, in tenths of a basis
    point; `spot_from` the second since which prices came without a gap of `stale_s`, `spot_at` the
    last of them, `level` its log price in the same steps and `settled` that of the last full bin.
    """

    began: int | None = None
    orders: bytearray = msgspec.field(default_factory=bytearray)
    first_bin: int = 0
    moves: bytearray = msgspec.field(default_factory=bytearray)
    spot_from: int | None = None
    spot_at: int = 0
    level: int = 0
    settled: int = 0

    def add_orders(
        self, second: int, long: tuple[float, float], short: tuple[float, float]
    ) -> None:
        """Take the (count, mass) of each side in a second; seconds must ascend."""
        counts = [min(_MOST, round(count)) for count, _ in (long, short)]
        masses = [min(_MOST, max(1, round(mass * 100))) for _, mass in (long, short)]
        self.orders += _ORDER.pack(second, counts[0], masses[0], counts[1], masses[1])
        gone = 0
        while _ORDER.unpack_from(self.orders, gone)[0] <= second - KEPT_S:
            gone += _ORDER.size
        del self.orders[:gone]

    def add_spot(self, second: int, price: float, params: BranchingParams) -> None:
        """Take a spot price; after a gap longer than `stale_s` the series begins anew."""
        at, level = second // params.bin_s, round(log(price) * _LEVELS)
        if self.spot_from is None or second - self.spot_at > params.stale_s:
            self.spot_from, self.first_bin, self.settled = second, at, level
            self.moves.clear()
        while self.first_bin + len(self.moves) // _MOVE.size < at:
            # The bin of the last price is over; those after it saw no price.
            move = max(-32_768, min(32_767, self.level - self.settled))
            self.moves += _MOVE.pack(move)
            self.settled = self.level
        self.spot_at, self.level = second, level
        spare = len(self.moves) // _MOVE.size - (KEPT_S + params.drive_s) // params.bin_s
        if spare > 0:
            del self.moves[: spare * _MOVE.size]
            self.first_bin += spare

    def stretch(self, end: int, side: WindowSide, params: BranchingParams) -> tuple[int, Orders]:
        """First second and orders of a side in the stretch that ends with second `end`.

        It begins with a bin of the drive.
        """
        began = max(end - params.stretch_s + 1, end if self.began is None else self.began)
        began = -(-began // params.bin_s) * params.bin_s
        seconds: list[int] = []
        counts: list[int] = []
        masses: list[float] = []
        for second, longs, long_mass, shorts, short_mass in _ORDER.iter_unpack(self.orders):
            if not began <= second <= end:
                continue
            count = mass = 0
            if side != "short":
                count, mass = longs, long_mass if longs else 0
            if side != "long" and shorts:
                count, mass = count + shorts, mass + short_mass
            if count:
                seconds.append(second - began)
                counts.append(count)
                masses.append(float(mass))
        return began, Orders(end - began + 1, seconds, counts, masses)

    def drive(self, began: int, end: int, params: BranchingParams) -> Drive | None:
        """x(t) of [began, end]: the absolute spot return over the last `drive_s` seconds, per bin.

        None unless spot prices cover the stretch, `drive_s` and `stale_s` apart.
        """
        least = began + params.stale_s
        if self.spot_from is None or self.spot_from > least or self.spot_at < end - params.stale_s:
            return None
        moves = [move for (move,) in _MOVE.iter_unpack(self.moves)] + [self.level - self.settled]
        levels = [0]
        for move in moves:
            levels.append(levels[-1] + move)
        span, last = params.drive_s // params.bin_s, len(levels) - 1

        def value(index: int) -> float:
            """Of the bin `index` (after `first_bin`), whose end is levels[index + 1]."""
            here, there = min(last, max(0, index + 1)), min(last, max(0, index + 1 - span))
            return float(abs(levels[here] - levels[there]))

        first, stop = began // params.bin_s, end // params.bin_s
        values = [value(at - self.first_bin) for at in range(first, stop + 1)]
        return Drive(params.bin_s, values)

    def bracket(
        self,
        end: int,
        side: WindowSide,
        uptime: Uptime,
        sampled_only: bool,
        params: BranchingParams,
    ) -> Bracket:
        """Branching of a side over the stretch that ends with second `end`, rounded to 1e-4."""
        began, orders = self.stretch(end, side, params)
        if uptime.observed(began, end + 1) < params.least_observed * orders.span:
            return unknown("feed_gap")
        if sum(orders.counts) < params.least_orders:
            return unknown("too_few_orders")
        plain = branching.fit(orders, None, params)
        high = round(plain.ratio, 4)
        drive = self.drive(began, end, params)
        if drive is None:
            label = branching.label(None, plain, sampled_only, params)
            return Bracket(None, high, round(plain.ks_p, 4), label, {"branching_low": "no_spot"})
        driven = branching.fit(orders, drive, params)
        low = min(round(driven.ratio, 4), high)
        label = branching.label(driven, plain, sampled_only, params)
        return Bracket(low, high, round(driven.ks_p, 4), label, {})


def unknown(why: str) -> Bracket:
    """A bracket with nothing known, all for one reason."""
    names = ("branching_low", "branching_high", "branching_ks_p", "branching_label")
    return Bracket(None, None, None, None, dict.fromkeys(names, why))
