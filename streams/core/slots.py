"""Throttle slots: what one second of frames says of each, and the dollars behind many seconds.

Between the frames and the correction (`streams.core.throttle`); both detectors read slots here.
Promises that the order of cells does not matter and that every bound counts what the slot may
have hidden: in a slot that both sides share, an order of one side may hide one of the other.
Orders closed by auto-deleveraging are left out. Definition: docs/definitions/throttle.md.
"""

from functools import lru_cache
from typing import Literal

import msgspec

from streams.core.events import MICROS, Completeness
from streams.core.frames import Cell, LateCell
from streams.core.thinning import Thinned, thin
from streams.core.throttle import (
    Feed,
    SideEstimate,
    SlotTally,
    ThrottleParams,
    combine,
    estimate,
    feed,
)

SlotKey = tuple[str, str, Literal["", "long", "short"]]
"""(venue, symbol, side); the side is empty unless the slot is one side's alone."""

Slots = dict[SlotKey, SlotTally]


class SlotSecond(msgspec.Struct, frozen=True, gc=False):
    """What one slot published in one second, and the bounds on its true dollars by side.

    Dollars are int64 micro-dollars. A bound is None when the second's trades are unknown or the
    feed is partial; on a full feed it is the published dollars. `thinned`: longs and shorts of a
    full feed as other feeds would have shown them.
    """

    feed: Feed
    all_orders: bool
    long_usd: int
    short_usd: int
    long_upper: int | None
    short_upper: int | None
    thinned: tuple[Thinned, Thinned] | None = None

    @property
    def slack(self) -> int | None:
        """How far the bounds of both sides lie above the published dollars."""
        if self.long_upper is None or self.short_upper is None:
            return None
        return self.long_upper + self.short_upper - self.long_usd - self.short_usd


@lru_cache(maxsize=4096)
def slot_seconds(cells: tuple[Cell, ...], second: int) -> tuple[tuple[SlotKey, SlotSecond], ...]:
    """The slots that published something in `second` (s since 1970), sorted by key.

    Remembered, since a window reads each of its last 60 seconds again in every second.
    """
    slots: dict[SlotKey, list[Cell]] = {}
    for cell in cells:
        if cell.kind != "adl":
            slots.setdefault(_key(cell, second), []).append(cell)
    return tuple((key, _slot_second(key, slots[key], second)) for key in sorted(slots))


def _key(cell: Cell | LateCell, second: int) -> SlotKey:
    alone = feed(cell.venue, second * MICROS).slot == "symbol_side"
    return cell.venue, cell.symbol, cell.side if alone else ""


def _slot_second(key: SlotKey, cells: list[Cell], second: int) -> SlotSecond:
    venue, _, side = key
    all_orders = all(cell.completeness == "all" for cell in cells)
    rule = feed(venue, second * MICROS, "all" if all_orders else "unknown")
    longs = sum(cell.usd for cell in cells if cell.side == "long")
    shorts = sum(cell.usd for cell in cells if cell.side == "short")
    long_upper: int | None = longs
    short_upper: int | None = shorts
    if rule.feed_class == "partial":
        long_upper = short_upper = None
    elif rule.feed_class != "full":
        # Cells of one symbol state the same volumes: they bound the sum of the cells once.
        sold = [c.taker_usd if c.side == "long" else c.opposite_taker_usd for c in cells]
        bought = [c.opposite_taker_usd if c.side == "long" else c.taker_usd for c in cells]
        long_upper = _bound(longs, sold) if side != "short" else 0
        short_upper = _bound(shorts, bought) if side != "long" else 0
    thinned = thin(cells) if rule.feed_class == "full" else None
    return SlotSecond(rule, all_orders, longs, shorts, long_upper, short_upper, thinned)


def _bound(usd: int, taker: list[int | None]) -> int | None:
    known = [volume for volume in taker if volume is not None]
    return max(usd, *known) if len(known) == len(taker) else None


def tally_slots(slots: Slots, cells: tuple[Cell, ...], second: int) -> None:
    """Add the cells of `second` (s) to the tallies of their slots."""
    for key, one in slot_seconds(tuple(cells), second):
        tally = slots.get(key)
        if tally is None:
            tally = slots[key] = SlotTally()
        tally.occupy(
            one.long_usd,
            one.short_usd,
            one.long_upper,
            one.short_upper,
            one.all_orders,
            one.thinned,
        )


def tally_late(slots: Slots, cell: LateCell) -> None:
    """Add a late cell: its dollars as they are, and a second that no trade volume bounds.

    The tallies must hold late cells only, so that `estimate_slots` scales none of them. A late
    cell does not state its completeness: a venue outside the table counts as partial.
    """
    key = _key(cell, cell.second // MICROS)
    tally = slots.setdefault(key, SlotTally(all_orders=False))
    if cell.side == "long":
        tally.long_usd += cell.usd
    else:
        tally.short_usd += cell.usd
    tally.long_upper = None if key[2] != "short" else 0
    tally.short_upper = None if key[2] != "long" else 0


def estimate_slots(slots: Slots, seconds: int, at: int, params: ThrottleParams) -> SideEstimate:
    """Dollars by side over all slots of `seconds` seconds, under the feeds in force at `at` (s)."""
    parts: list[SideEstimate] = []
    for key, tally in sorted(slots.items()):
        whole: Completeness = "all" if tally.all_orders else "unknown"
        rule = feed(key[0], at * MICROS, whole, params.doubted)
        parts.append(estimate(rule, tally, seconds, params))
    return combine(parts)
