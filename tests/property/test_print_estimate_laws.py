"""Estimates, milestones and contracts of the print, for any input."""

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.prints import Milestone as MilestoneModel
from schemas.prints import Print as PrintModel
from streams.core.detectors.prints.rolling import Coverage
from streams.core.events import MICROS
from streams.core.frames import Cell
from streams.core.results import Milestone, Print
from streams.core.throttle import SlotTally, estimate, feed
from tests.print_facts import (
    DAY,
    LAWS,
    PARAMS,
    THROTTLE,
    VENUES,
    Rows,
    Second,
    counted,
    facts,
    in_window,
    inputs,
    run,
)


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
