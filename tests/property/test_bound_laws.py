"""Laws of the upper bound: simulated truth, thinned as the venues thin it, never lies above it."""

import math
from collections.abc import Iterator
from statistics import NormalDist

import msgspec
import pytest

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.row import next_row
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.moment import Trace
from streams.core.detectors.prints.detector import PrintParams, advance, new_state, step
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import Gate, Milestone, Print, WindowSide
from streams.core.rowmeta import RowMeta
from streams.core.slots import Slots, estimate_slots, tally_slots
from streams.core.throttle import Feed, ThrottleParams, feed

BEGIN = 1_788_220_800
"""2026-09-01 00:00 UTC: Gate is full, Binance USD-M carries the largest, COIN-M the latest."""
DAY = 86_400
SECONDS = 180
SIDES: tuple[PositionSide, PositionSide] = ("long", "short")
META = RowMeta("0123456789ab", "inprocess", 0)
THROTTLE = ThrottleParams()
SAMPLED = ("binance-usdm", "binance-coinm", "bitget", "gate")


class Chance:
    """A linear congruential generator, so that the simulations below never change."""

    def __init__(self, seed: int) -> None:
        self.state = seed * 7919 + 1

    def uniform(self) -> float:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2**53 or 2**-53

    def poisson(self, rate: float) -> int:
        count, product, floor = 0, self.uniform(), math.exp(-rate)
        while product > floor:
            count, product = count + 1, product * self.uniform()
        return count

    def size(self) -> int:
        return round(math.exp(8 + 1.9 * NormalDist().inv_cdf(self.uniform())) * MICROS)


class Order(msgspec.Struct, frozen=True):
    """A forced order: its place inside the second, the closed side, micro-dollars."""

    place: float
    side: PositionSide
    usd: int


class Second(msgspec.Struct, frozen=True):
    """What was forced in a second, by closed side, and what the feeds made of it."""

    at: int
    true: dict[str, int]
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]


def published(chance: Chance, rule: Feed, orders: list[Order]) -> list[Order]:
    """The orders of one symbol's second that a feed shows."""
    if rule.feed_class == "full":
        return orders
    if rule.feed_class == "partial":
        return [order for order in orders if chance.uniform() < 0.5]
    slots = [orders]
    if rule.slot == "symbol_side":
        slots = [[order for order in orders if order.side == side] for side in SIDES]
    if rule.feed_class == "largest_1s":
        return [max(slot, key=lambda order: order.usd) for slot in slots if slot]
    return [slot[-1] for slot in slots if slot]


def market(
    seed: int,
    venues: tuple[str, ...],
    rates: tuple[float, float],
    *,
    unknown: float = 0.0,
    late: float = 0.0,
    noise: float = 1.0,
) -> Iterator[Second]:
    """Seconds of a market of two symbols a venue.

    `rates` are orders per second of longs and shorts; in a share `unknown` of the symbol-seconds
    no trade is known and a share `late` of published orders comes late. Other takers trade
    `noise` dollars per forced dollar of an order, on a side of their own choice.
    """
    chance = Chance(seed)
    for at in range(BEGIN, BEGIN + SECONDS):
        true = {"long": 0, "short": 0}
        cells: list[Cell] = []
        overdue: list[LateCell] = []
        for venue in venues:
            for symbol in ("A", "B"):
                orders = sorted(
                    (
                        Order(chance.uniform(), side, chance.size())
                        for side, rate in zip(SIDES, rates, strict=True)
                        for _ in range(chance.poisson(rate))
                    ),
                    key=lambda order: order.place,
                )
                taker = {"long": 0, "short": 0}
                for order in orders:
                    true[order.side] += order.usd
                    taker[order.side] += order.usd
                    taker[SIDES[chance.uniform() < 0.5]] += round(order.usd * noise)
                known = chance.uniform() >= unknown
                shown = published(chance, feed(venue, at * MICROS), orders)
                for side in SIDES:
                    own = [order.usd for order in shown if order.side == side]
                    other = taker["short" if side == "long" else "long"]
                    if own and chance.uniform() < late:
                        overdue.append(
                            LateCell(
                                at * MICROS, venue, symbol, side, "liquidation", len(own), sum(own)
                            )
                        )
                    elif own:
                        cells.append(
                            Cell(
                                venue,
                                symbol,
                                side,
                                "liquidation",
                                "sampled",
                                len(own),
                                sum(own),
                                max(own),
                                taker[side] if known else None,
                                other if known else None,
                            )
                        )
        yield Second(at, true, tuple(cells), tuple(overdue))


def true_usd(seconds: list[Second], side: WindowSide) -> int:
    sides = SIDES if side == "mixed" else (side,)
    return sum(second.true[one] for second in seconds for one in sides)


MARKETS = [
    (venues, rates, noise)
    for venues in (*((venue,) for venue in SAMPLED), SAMPLED, ("okx",), ("bybit", "okx"))
    for rates in ((0.05, 0.02), (0.6, 0.6), (3.0, 0.3), (0.0, 1.0))
    for noise in (0.0, 1.0)
]


@pytest.mark.parametrize(("venues", "rates", "noise"), MARKETS)
def test_slots_bound_the_true_dollars_of_each_side(
    venues: tuple[str, ...], rates: tuple[float, float], noise: float
) -> None:
    for seed in range(4):
        slots: Slots = {}
        seconds = list(market(seed, venues, rates, noise=noise))[:60]
        for second in seconds:
            tally_slots(slots, second.cells, second.at)
        total = estimate_slots(slots, 60, BEGIN, THROTTLE)
        assert (total.upper is None) == ("okx" in venues and bool(slots))
        if total.long_upper is not None and total.short_upper is not None:
            assert true_usd(seconds, "long") <= total.long_upper
            assert true_usd(seconds, "short") <= total.short_upper
            assert total.long_usd is not None
            assert total.short_usd is not None
            assert total.long_usd <= total.long_upper
            assert total.short_usd <= total.short_upper


def test_without_the_hidden_side_the_bound_would_not_hold() -> None:
    """The simulation is able to break the law: the bound of published sides alone fails."""
    broken = 0
    for seed in range(8):
        seconds = list(market(seed, ("binance-usdm",), (0.6, 0.6), noise=0.0))
        own = sum(cell.taker_usd or 0 for second in seconds for cell in second.cells)
        broken += own < true_usd(seconds, "mixed")
    assert broken == 8


def rows_of(seconds: list[Second], state_end: int) -> list[Print]:
    state, rows = new_state("ALL"), list[Print | Milestone]()
    params = PrintParams()
    overdue: list[LateCell] = []
    for second in seconds:
        rows += step(
            state,
            second.at,
            second.cells,
            overdue,
            None,
            1.0,
            params,
            META,
            throttle=THROTTLE,
        )
        overdue = list(second.late)
    rows += advance(state, state_end, params, META)
    return [row for row in rows if isinstance(row, Print)]


@pytest.mark.parametrize("venues", [*((venue,) for venue in SAMPLED), SAMPLED, ("bybit", "okx")])
@pytest.mark.parametrize(("unknown", "late"), [(0.0, 0.0), (0.01, 0.0), (0.0, 0.03)])
def test_prints_bound_the_true_dollars_at_every_second_also_while_they_expire(
    venues: tuple[str, ...], unknown: float, late: float
) -> None:
    seconds = list(market(5, venues, (0.4, 0.3), unknown=unknown, late=late, noise=0.0))
    known = 0
    for row in rows_of(seconds, BEGIN + DAY + SECONDS):
        if row.venue is None and row.usd_upper is not None:
            now = row.as_of // MICROS
            first = now - DAY + 1 if row.kind == "rolling_24h" else BEGIN
            # A late order is unknown until it is handed over, a second after its own.
            true = [s for s in seconds if first <= s.at <= now and not (s.late and s.at == now)]
            # What a partial feed hides is bounded nowhere: until it publishes it takes no part.
            assert "okx" in venues or true_usd(true, "mixed") <= row.usd_upper
            assert not any(cell.venue == "okx" for s in true for cell in s.cells)
            assert row.usd_estimated is not None
            assert row.usd_observed <= row.usd_estimated <= row.usd_upper
            known += len(true)
    assert known or "okx" in venues


@pytest.mark.parametrize("venues", [*((venue,) for venue in SAMPLED), SAMPLED, ("bybit", "okx")])
@pytest.mark.parametrize("side", ["long", "short", "mixed"])
@pytest.mark.parametrize(("unknown", "late"), [(0.0, 0.0), (0.01, 0.0), (0.0, 0.03)])
def test_windows_bound_the_true_dollars_of_their_sides(
    venues: tuple[str, ...], side: WindowSide, unknown: float, late: float
) -> None:
    seconds = list(market(9, venues, (0.5, 0.4), unknown=unknown, late=late, noise=0.0))
    machine: PositionSide = "short" if side == "short" else "long"
    window = OpenWindow(
        id="w",
        scope="ALL",
        machine=machine,
        side=side,
        onset=BEGIN,
        detected_at=BEGIN,
        statistic="count",
        baseline="prior",
        frozen=0.1,
        frozen_units=0.1,
        prior_mean=0.1,
        hour_seen=True,
        parent_id=None,
    )
    window.gates = {"concentration": Gate("pass", None, None)}
    for number, second in enumerate(seconds, 1):
        if second.cells:
            trace = Trace(second.at, 1.0, second.cells, (), (), None, None, None, None, None)
            window.absorb(trace, CascadeParams())
        window.absorb_late(
            cell for before in seconds[:number] for cell in before.late if before.at == second.at
        )
        row = next_row(window, second.at + 1, CascadeParams(), THROTTLE, META)
        if row.usd_upper is None:
            partial = row.identifiability == "unknown"
            assert partial == any(cell.venue == "okx" for s in seconds[:number] for cell in s.cells)
            assert row.null_reasons["usd_upper"] == ("partial_feed" if partial else "no_trades")
        else:
            inside = [s for s in seconds[:number] if s.at <= window.last_forced]
            assert true_usd(inside, side) <= row.usd_upper or "okx" in venues
        assert row.usd_estimated is not None
        assert row.usd_observed <= row.usd_estimated
    if (unknown, late) == (0.0, 0.0) and "okx" not in venues:
        assert row.usd_upper is not None
