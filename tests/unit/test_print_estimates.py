"""What a print promises of venues that complete feeds measure."""

from streams.core.detectors.prints.detector import (
    PrintParams,
    PrintState,
    advance,
    hot,
    new_state,
    restore,
    sealed_pages,
    step,
)
from streams.core.events import MICROS, Completeness
from streams.core.frames import Cell, LateCell
from streams.core.results import Milestone, Print
from streams.core.rowmeta import RowMeta
from streams.core.scaling import Scale, by_venue
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import ThrottleParams

AT = 1_788_220_800
"""2026-09-01 00:00 UTC."""
DAY = 86_400
META = RowMeta("0123456789ab", "inprocess", 3)
PARAMS = PrintParams()
THROTTLE = ThrottleParams()
UP = ("binance-usdm", "bybit", "okx")
INTEREST = tuple((venue, 10**15) for venue in UP)

Rows = list[Print | Milestone]


def cell(venue: str, usd: int, n: int = 1) -> Cell:
    whole: Completeness = "all" if venue == "bybit" else "sampled"
    return Cell(venue, "BTC", "long", "liquidation", whole, n, usd * MICROS, usd * MICROS // n)


CROWD = (cell("binance-usdm", 30), cell("bybit", 3_000, 100), cell("okx", 9))


def feed_in(
    state: PrintState,
    at: int,
    cells: tuple[Cell, ...] = (),
    late: tuple[LateCell, ...] = (),
    up: tuple[str, ...] = UP,
) -> Rows:
    return step(
        state, at, cells, late, None, 1.0, PARAMS, META, throttle=THROTTLE, venues=UP, up=up,
        oi_by_venue=INTEREST,
    )  # fmt: skip


def last(rows: Rows) -> Print:
    return [r for r in rows if isinstance(r, Print) and r.kind == "rolling_24h"][-1]


def crowded(state: PrintState, begin: int, seconds: int = 20) -> Rows:
    rows: Rows = []
    for at in range(begin, begin + seconds):
        rows += feed_in(state, at, CROWD)
    return rows


def expected(seconds: int = 20) -> int:
    slots: Slots = {}
    for at in range(AT, AT + seconds):
        tally_slots(slots, CROWD, at)
    found = by_venue(slots, 60, AT, Scale(dict(INTEREST), UP), THROTTLE)
    return sum(one.long.usd or 0 for one in found.values())


def test_a_minute_is_estimated_by_the_complete_feed_beside_it_while_it_is_open() -> None:
    state = new_state("BTC")
    row = last(crowded(state, AT))
    assert row.usd_estimated == expected() > 2 * row.usd_observed
    assert (row.identifiability, row.usd_upper) == ("extrapolated", None)
    assert row.null_reasons["usd_upper"] == "partial_feed"


def test_the_estimate_stays_with_its_seconds_and_leaves_with_them() -> None:
    state = new_state("BTC")
    crowded(state, AT)
    rows = advance(state, AT + 60, PARAMS, META)
    assert last(rows).usd_estimated == expected()
    assert last(rows).identifiability == "extrapolated"
    half = last(advance(state, AT + DAY + 9, PARAMS, META))
    assert half.usd_estimated == expected() // 2
    gone = last(advance(state, AT + DAY + 60, PARAMS, META))
    assert (gone.usd_estimated, gone.identifiability, gone.usd_upper) == (0, "ok", 0)


def test_a_feed_that_came_back_inside_the_minute_measures_nothing() -> None:
    state = new_state("BTC")
    feed_in(state, AT - 60)
    feed_in(state, AT - 30, up=("binance-usdm", "okx"))
    feed_in(state, AT + 1)
    row = last(crowded(state, AT + 2))
    assert row.identifiability == "unknown"
    assert row.usd_estimated is not None
    assert row.usd_estimated < 1.3 * row.usd_observed
    row = last(crowded(state, AT + 60))
    assert row.usd_estimated is not None
    assert row.usd_estimated > 1.5 * row.usd_observed


def test_a_late_order_of_a_partial_feed_is_added_and_leaves_the_label() -> None:
    state = new_state("BTC")
    crowded(state, AT)
    late = (LateCell(AT * MICROS, "okx", "BTC", "long", "liquidation", 1, 7),)
    row = last(feed_in(state, AT + 70, (), late))
    assert row.usd_estimated == expected() + 7
    assert row.identifiability == "extrapolated"


def test_an_open_minute_survives_a_restart() -> None:
    state = new_state("BTC")
    crowded(state, AT, 10)
    again = restore(hot(state), sealed_pages(state))
    assert again == state
    assert last(feed_in(again, AT + 10, CROWD)) == last(feed_in(state, AT + 10, CROWD))
