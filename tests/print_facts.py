"""Drawn seconds of forced orders, and the facts that a print must tell of them."""

from collections.abc import Iterable

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from streams.core.detectors.prints.detector import (
    PrintParams,
    PrintState,
    new_state,
    step,
)
from streams.core.events import MICROS, LiquidationKind, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import Milestone, Print
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams

DAY = 86_400
BEGIN = 1_787_184_000 - 7_000
META = RowMeta("0123456789ab", "inprocess", 0)
PARAMS = PrintParams(milestones_usd=tuple(MICROS * usd for usd in (300, 600, 1_200, 5_000)))
THROTTLE = ThrottleParams()
VENUES = ("binance-usdm", "bitget", "bybit", "gate", "okx")


Rows = list[Print | Milestone]


class Second(msgspec.Struct, frozen=True):
    """Input of one second: what the framer would hand to a detector."""

    at: int
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]
    oi_usd: int | None
    coverage: float


gaps = st.one_of(
    st.integers(1, 4),
    st.integers(30, 130),
    st.integers(1_000, 30_000),
    st.sampled_from([DAY - 1, DAY, DAY + 1, 3 * DAY + 17]),
)


sides: st.SearchStrategy[PositionSide] = st.sampled_from(["long", "short"])


kinds: st.SearchStrategy[LiquidationKind] = st.sampled_from(["liquidation", "backstop", "adl"])


@st.composite
def cells(draw: st.DrawFn) -> tuple[Cell, ...]:
    """Cells of a second, one per (venue, symbol, side, kind), in any order."""
    names = draw(
        st.lists(
            st.tuples(st.sampled_from(VENUES), st.sampled_from(["A", "B"]), sides, kinds),
            max_size=3,
            unique=True,
        )
    )
    result = []
    for venue, symbol, side, kind in names:
        orders = draw(st.lists(st.integers(0, 400), min_size=1, max_size=3))
        usd, most = sum(orders) * MICROS + 1, max(orders) * MICROS + 1
        volume = st.integers(0, 2_000 * MICROS)
        taker, other = draw(st.just((None, None)) | st.tuples(volume, volume))
        n = len(orders)
        result.append(Cell(venue, symbol, side, kind, "sampled", n, usd, most, taker, other))
    return tuple(result)


@st.composite
def inputs(draw: st.DrawFn, late_cells: bool = True) -> list[Second]:
    """Some seconds with input, minutes and days apart."""
    at, result = BEGIN, []
    for gap in draw(st.lists(gaps, min_size=1, max_size=14)):
        at += gap
        late = []
        for ago in draw(st.lists(st.integers(-2, DAY + 9), max_size=2)) if late_cells else ():
            venue, side, kind = draw(st.tuples(st.sampled_from(VENUES), sides, kinds))
            n, usd = draw(st.tuples(st.integers(1, 3), st.integers(3, 900 * MICROS)))
            late.append(LateCell((at - ago) * MICROS, venue, "A", side, kind, n, usd))
        oi_usd = draw(st.none() | st.integers(1, 10**16))
        health = draw(st.sampled_from([0.0, 0.5, 1.0]))
        result.append(Second(at, draw(cells()), tuple(late), oi_usd, health))
    return result


def feed_in(state: PrintState, one: Second, params: PrintParams = PARAMS) -> Rows:
    return step(
        state,
        one.at,
        one.cells,
        one.late,
        one.oi_usd,
        one.coverage,
        params,
        META,
        throttle=THROTTLE,
        venues=VENUES,
    )


def run(seconds: Iterable[Second], params: PrintParams = PARAMS) -> tuple[PrintState, Rows]:
    state, rows = new_state("ALL"), []
    for one in seconds:
        rows.extend(feed_in(state, one, params))
    return state, rows


def counted(cell: Cell | LateCell) -> bool:
    return cell.kind != "adl"


class Fact(msgspec.Struct, frozen=True):
    """One counted cell: the second it counts in, the second from which it is known."""

    at: int
    known: int
    venue: str
    long: bool
    n: int
    usd: int
    largest: int
    late: bool


def facts(seconds: list[Second]) -> list[Fact]:
    result = []
    for one in seconds:
        for cell in filter(counted, one.cells):
            long = cell.side == "long"
            result.append(
                Fact(one.at, one.at, cell.venue, long, cell.n, cell.usd, cell.max_usd, False)
            )
        for late in filter(counted, one.late):
            at = min(late.second // MICROS, one.at)
            if at > one.at - DAY:
                long = late.side == "long"
                largest = late.usd // late.n
                result.append(Fact(at, one.at, late.venue, long, late.n, late.usd, largest, True))
    return result


def in_window(known: list[Fact], now: int) -> list[Fact]:
    return [fact for fact in known if fact.known <= now and now - DAY < fact.at <= now]


def busiest(events: list[Fact], first_minute: int) -> int:
    starts = {fact.at // 60 for fact in events} | {first_minute}
    starts |= {max(first_minute, fact.at // 60 - 59) for fact in events}
    return max(
        (
            sum(fact.usd for fact in events if start <= fact.at // 60 < start + 60)
            for start in starts
        ),
        default=0,
    )


def check_totals(row: Print, events: list[Fact], first_minute: int) -> None:
    if row.venue is not None:
        events = [fact for fact in events if fact.venue == row.venue]
    by_venue: dict[str, int] = {}
    for fact in events:
        by_venue[fact.venue] = by_venue.get(fact.venue, 0) + fact.usd
    assert row.usd_observed == sum(fact.usd for fact in events)
    assert row.long_usd == sum(fact.usd for fact in events if fact.long)
    assert row.events == sum(fact.n for fact in events)
    assert row.long_events == sum(fact.n for fact in events if fact.long)
    assert row.usd_late == sum(fact.usd for fact in events if fact.late)
    assert row.usd_by_venue == by_venue
    assert row.largest_usd == max((fact.largest for fact in events), default=0)
    if events:
        assert row.max_hour_share == busiest(events, first_minute) / row.usd_observed
    else:
        assert row.max_hour_share is None


LAWS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
