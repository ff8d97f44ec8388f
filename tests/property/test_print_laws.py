"""Laws of the print that hold for any input: checked against a count over the bare events."""

from collections.abc import Iterable
from itertools import pairwise

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.prints import Milestone as MilestoneModel
from schemas.prints import Print as PrintModel
from streams.core.detectors.prints.detector import (
    PrintParams,
    PrintState,
    advance,
    hot,
    new_state,
    page_names,
    restore,
    sealed_pages,
    step,
)
from streams.core.detectors.prints.rolling import Coverage
from streams.core.events import MICROS, LiquidationKind, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import Milestone, Print
from streams.core.rowmeta import RowMeta
from streams.core.throttle import SlotTally, ThrottleParams, estimate, feed

DAY = 86_400
BEGIN = 1_787_184_000 - 7_000
"""Two hours before midnight and a break in Gate's feed."""

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


@given(inputs())
@LAWS
def test_rolling_rows_equal_a_count_over_the_events_of_their_24_hours(
    seconds: list[Second],
) -> None:
    known = facts(seconds)
    _, rows = run(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "rolling_24h":
            now = row.as_of // MICROS
            check_totals(row, in_window(known, now), (now - DAY + 1) // 60)


@given(
    st.lists(st.tuples(st.integers(1, 1_500), st.integers(1, 9)), min_size=8, max_size=30),
)
@settings(LAWS, max_examples=40)
def test_the_busiest_hour_is_right_while_a_long_flush_enters_and_leaves_the_window(
    orders: list[tuple[int, int]],
) -> None:
    at, seconds = BEGIN, []
    for gap, usd in orders:
        at += gap
        one = Cell("bybit", "A", "long", "liquidation", "all", 1, usd, usd)
        seconds.append(Second(at, (one,), (), None, 1.0))
    state, rows = run(seconds)
    rows.extend(advance(state, at + DAY - 1, PARAMS, META))
    known = facts(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "rolling_24h":
            now = row.as_of // MICROS
            check_totals(row, in_window(known, now), (now - DAY + 1) // 60)


@given(inputs())
@LAWS
def test_day_rows_equal_a_count_over_the_events_of_their_day(seconds: list[Second]) -> None:
    known = facts(seconds)
    _, rows = run(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "utc_day":
            begun, now = row.period_start // MICROS, row.as_of // MICROS
            inside = [fact for fact in known if begun <= fact.at <= fact.known <= now < begun + DAY]
            check_totals(row, inside, begun // 60)


@given(inputs(), st.lists(st.integers(0, 5 * DAY), max_size=6))
@LAWS
def test_the_rolling_total_is_right_at_every_second_published_or_not(
    seconds: list[Second], more: list[int]
) -> None:
    known = facts(seconds)
    edges = {fact.at + DAY + shift for fact in known for shift in (-1, 0)}
    nexts = iter(seconds)
    state, following = new_state("ALL"), next(nexts, None)
    for now in sorted({*edges, *(BEGIN + ahead for ahead in more), *(s.at for s in seconds)}):
        while following is not None and following.at <= now:
            feed_in(state, following)
            following = next(nexts, None)
        advance(state, now, PARAMS, META)
        total = sum(fact.usd for fact in in_window(known, now))
        assert state.windows[""].totals.usd == total
        assert sum(state.usd_by_venue.values()) == total


@given(inputs(), st.lists(st.integers(0, 5 * DAY), max_size=8))
@LAWS
def test_an_empty_second_passed_or_skipped_changes_no_byte(
    seconds: list[Second], more: list[int]
) -> None:
    ends = {one.at + length for one in seconds for length in (1, 59, 60, DAY - 1, DAY)}
    ends |= {one.at // 60 * 60 + 60 for one in seconds} | {BEGIN + ahead for ahead in more}
    padded: list[Second] = []
    for one, following in pairwise([*seconds, None]):
        assert one is not None
        until = one.at + 2 * DAY if following is None else following.at
        padded.append(one)
        padded.extend(
            Second(at, (), (), one.oi_usd, one.coverage)
            for at in sorted(ends)
            if one.at < at < until
        )
    passed, rows = run(padded)
    skipped, fewer = run(seconds)
    fewer.extend(advance(skipped, padded[-1].at, PARAMS, META))
    assert msgspec.json.encode(rows) == msgspec.json.encode(fewer)
    assert msgspec.msgpack.encode(passed) == msgspec.msgpack.encode(skipped)


@given(inputs())
@LAWS
def test_a_state_restored_after_any_step_is_the_state(seconds: list[Second]) -> None:
    state, stored = new_state("ALL"), dict[str, bytes]()
    whole, rows = run(seconds)
    again: Rows = []
    for one in seconds:
        again.extend(feed_in(state, one))
        fresh = sealed_pages(state, known=stored)
        assert not fresh.keys() & stored.keys()
        stored.update(fresh)
        needed = {name: stored[name] for name in page_names(state)}
        assert needed == sealed_pages(state)
        restored = restore(hot(state), needed)
        assert restored == state
        assert msgspec.msgpack.encode(restored) == msgspec.msgpack.encode(state)
        state = restored
    assert state == whole
    assert again == rows


@given(inputs(), st.randoms(use_true_random=False))
@LAWS
def test_the_order_of_cells_inside_a_second_does_not_matter(
    seconds: list[Second], chance: object
) -> None:
    shuffle = chance.shuffle  # type: ignore[attr-defined]
    mixed = []
    for one in seconds:
        some, late = list(one.cells), list(one.late)
        shuffle(some)
        shuffle(late)
        mixed.append(Second(one.at, tuple(some), tuple(late), one.oi_usd, one.coverage))
    state, rows = run(seconds)
    other, again = run(mixed)
    assert msgspec.json.encode(rows) == msgspec.json.encode(again)
    assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(other)


def bounds(orders: list[Cell], half: str) -> dict[str, int | None]:
    """By side: what bounds a slot's true dollars of one second; `half` is the slot's one side."""
    result: dict[str, int | None] = {}
    for side in ("long", "short"):
        volumes = [c.taker_usd if c.side == side else c.opposite_taker_usd for c in orders]
        known = [volume for volume in volumes if volume is not None]
        usd = sum(cell.usd for cell in orders if cell.side == side)
        result[side] = max(usd, *known) if len(known) == len(volumes) else None
        if half and half != side:
            result[side] = 0
    return result


def total_of(parts: Iterable[int | None]) -> int | None:
    known = list(parts)
    return None if None in known else sum(part for part in known if part is not None)


def by_minute(seconds: list[Second], venue: str) -> dict[int, tuple[int, int | None]]:
    """What each minute's slots of a venue add to its published dollars, and their bound."""
    slots: dict[tuple[int, str, str], dict[int, list[Cell]]] = {}
    for one in seconds:
        for cell in filter(counted, one.cells):
            if cell.venue == venue:
                alone = feed(venue, one.at * MICROS).slot == "symbol_side"
                half: str = cell.side if alone else ""
                slot = slots.setdefault((one.at // 60, cell.symbol, half), {})
                slot.setdefault(one.at, []).append(cell)
    minutes: dict[int, list[tuple[int, int | None]]] = {}
    for (minute, _, half), occupied in slots.items():
        every = [cell for orders in occupied.values() for cell in orders]
        longs = sum(cell.usd for cell in every if cell.side == "long")
        shorts = sum(cell.usd for cell in every if cell.side == "short")
        limits = [bounds(orders, half) for orders in occupied.values()]
        tally = SlotTally(
            len(occupied),
            longs,
            shorts,
            total_of(limit["long"] for limit in limits),
            total_of(limit["short"] for limit in limits),
        )
        found = estimate(feed(venue, minute * 60 * MICROS), tally, 60, THROTTLE)
        assert found.usd is not None
        slack = None if found.upper is None else found.upper - longs - shorts
        minutes.setdefault(minute, []).append((found.usd - longs - shorts, slack))
    return {
        minute: (sum(hidden for hidden, _ in parts), total_of(slack for _, slack in parts))
        for minute, parts in minutes.items()
    }


@given(inputs(late_cells=False))
@LAWS
def test_final_estimates_equal_an_inversion_of_each_slot_and_minute(
    seconds: list[Second],
) -> None:
    added = {venue: by_minute(seconds, venue) for venue in VENUES}
    _, rows = run(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "rolling_24h" and row.is_final:
            last = row.as_of // MICROS // 60
            inside = [
                (venue, *more)
                for venue in ([row.venue] if row.venue else VENUES)
                for minute, more in added[venue].items()
                if last - 1440 < minute <= last
            ]
            assert row.usd_estimated == row.usd_observed + sum(hidden for _, hidden, _ in inside)
            partial = any(venue == "okx" for venue, _, _ in inside)
            assert (row.identifiability == "unknown") == partial
            slack = total_of(slack for _, _, slack in inside)
            if slack is None:
                assert row.usd_upper is None
                reason = "partial_feed" if partial else "no_trades"
                assert row.null_reasons["usd_upper"] == reason
            else:
                assert row.usd_upper == row.usd_observed + slack


@given(inputs())
@LAWS
def test_an_estimate_never_falls_while_its_minute_is_open(seconds: list[Second]) -> None:
    _, rows = run(seconds)
    days = [row for row in rows if isinstance(row, Print) and row.kind == "utc_day"]
    for name in {row.id for row in days}:
        figures = [row.usd_estimated for row in days if row.id == name]
        assert figures == sorted(figure for figure in figures if figure is not None)


def crossings(rows: Rows) -> list[tuple[str, int, int]]:
    return [
        (row.basis, row.threshold_usd, row.crossed_at // MICROS)
        for row in rows
        if isinstance(row, Milestone)
    ]


@given(inputs(late_cells=False))
@LAWS
def test_a_milestone_fires_once_per_rise_and_again_only_below_80_percent(
    seconds: list[Second],
) -> None:
    known = facts(seconds)
    _, rows = run(seconds)
    changes = {fact.at for fact in known} | {fact.at + DAY for fact in known}
    expected, armed = [], dict.fromkeys(PARAMS.milestones_usd, True)
    for now in sorted(change for change in changes if change <= seconds[-1].at):
        total = sum(fact.usd for fact in in_window(known, now))
        for threshold in PARAMS.milestones_usd:
            if total >= threshold and armed[threshold]:
                expected.append(("observed", threshold, now))
                armed[threshold] = False
            elif total * 100 < threshold * 80:
                armed[threshold] = True
    assert [one for one in crossings(rows) if one[0] == "observed"] == expected


@given(inputs())
@LAWS
def test_late_orders_revise_dollars_but_never_a_crossing(seconds: list[Second]) -> None:
    punctual = [msgspec.structs.replace(one, late=()) for one in seconds]
    _, rows = run(seconds)
    _, without = run(punctual)
    assert crossings(rows) == crossings(without)
    for row in rows:
        if isinstance(row, Print):
            assert row.usd_late <= row.usd_observed


@given(inputs())
@LAWS
def test_every_row_keeps_the_contract_and_its_revisions_rise_to_a_final_one(
    seconds: list[Second],
) -> None:
    _, rows = run(seconds)
    latest: dict[str, Print | Milestone] = {}
    for row in rows:
        model = PrintModel if isinstance(row, Print) else MilestoneModel
        model.model_validate_json(msgspec.json.encode(row))
        if row.id in latest:
            assert row.revision > latest[row.id].revision
            assert not latest[row.id].is_final
        latest[row.id] = row
    walked = seconds[-1].at
    for row in latest.values():
        if isinstance(row, Print):
            length = 60 if row.kind == "rolling_24h" else DAY
            assert row.is_final == (row.period_start // MICROS + length <= walked)


@given(inputs(), st.sampled_from([2, 10, 60]))
@LAWS
def test_a_longer_interval_thins_rows_and_keeps_the_final_ones(
    seconds: list[Second], interval: int
) -> None:
    slow = msgspec.structs.replace(PARAMS, emit_every_s=interval)
    _, rows = run(seconds)
    _, thinned = run(seconds, slow)
    assert len(thinned) <= len(rows)
    finals = [row for row in rows if row.is_final]
    assert [row for row in thinned if row.is_final] == finals


@given(
    st.lists(st.tuples(st.integers(1, 2 * DAY), st.integers(0, 3)), min_size=1, max_size=12),
    st.lists(st.integers(0, 3 * DAY), max_size=12),
)
def test_coverage_is_the_mean_health_of_the_last_24_hours_however_it_is_counted(
    stretches: list[tuple[int, int]], stops: list[int]
) -> None:
    whole, parts = Coverage(0), Coverage(0)
    health: list[tuple[int, int]] = []
    at = 0
    for length, ppm in stretches:
        whole.extend(at + length, ppm)
        for stop in sorted(stop for stop in stops if at < stop < at + length):
            parts.extend(stop, ppm)
        parts.extend(at + length, ppm)
        health.append((length, ppm))
        at += length
    assert whole == parts
    left, expected = DAY, 0
    for length, ppm in reversed(health):
        expected += ppm * min(length, left)
        left -= min(length, left)
    assert whole.total == expected
