"""Same input, same output: order, batches, duplicates, partitions and restarts change nothing.

The laws run over whole small markets (`tests.scenarios`) and compare final rows byte for byte.
Where a law leaves the order of arrival alone, some forced orders come late.
"""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.results import validate_result
from streams.core.events import Liquidation
from streams.core.results import CascadeWindow, Result
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from tests.drive import INSTRUMENTS, asset_of, encoded, final_bytes, run, shuffled_inputs
from tests.drive import Path as DataPath
from tests.logs import Log, held_back
from tests.scenarios import FEW, SEEDS, chance, drawn, market, second_collector

HELD_EVERY = 5
"""One in so many of Binance's forced orders is held back, to come late."""


@FEW
@given(SEEDS)
def test_any_arrival_order_within_the_lateness_gives_the_same_rows(seed: int) -> None:
    random, log = drawn(seed)
    expected = run(log.arranged())
    shuffled = run(log.arranged(random))
    assert expected.framing.late == shuffled.framing.late == []
    assert final_bytes(shuffled.rows) == final_bytes(expected.rows)
    assert encoded(shuffled.framing.frames) == encoded(expected.framing.frames)
    assert _by_id(shuffled.framing.liquidations) == _by_id(expected.framing.liquidations)


@FEW
@given(SEEDS, st.integers(1, 400))
def test_any_flush_size_gives_the_same_rows(seed: int, size: int) -> None:
    _, log = drawn(seed)
    records = held_back(log.arranged(), HELD_EVERY)
    expected = final_bytes(run(records).rows)
    engine = InProcess(PARSERS, INSTRUMENTS, lambda asset: 0)
    rows: list[Result] = []
    for index, raw in enumerate(records):
        engine.feed(raw)
        if index % size == 0:
            rows.extend(engine.flush().results)
    rows.extend(engine.flush().results)
    renamed = [msgspec.structs.replace(row, engine="test") for row in rows]
    assert final_bytes(renamed) == expected


@FEW
@given(SEEDS)
def test_duplicated_records_change_nothing(seed: int) -> None:
    random, log = drawn(seed)
    expected = run(log.arranged())
    copies = [event for event in log.events for _ in range(random.randint(1, 3))]
    doubled = run(Log(log.statuses, copies).arranged(random))
    assert final_bytes(doubled.rows) == final_bytes(expected.rows)
    assert encoded(doubled.framing.frames) == encoded(expected.framing.frames)
    assert _by_id(doubled.framing.liquidations) == _by_id(expected.framing.liquidations)
    assert doubled.framing.late == []


@FEW
@given(SEEDS)
def test_a_second_collector_changes_nothing_but_the_receipt(seed: int) -> None:
    random, log = drawn(seed)
    expected = run(log.arranged())
    both = run(second_collector(log, random).arranged(random))
    assert final_bytes(both.rows) == final_bytes(expected.rows)
    assert encoded(both.framing.frames) == encoded(expected.framing.frames)
    assert _by_id(both.framing.liquidations, receipt=False) == _by_id(
        expected.framing.liquidations, receipt=False
    )


@FEW
@given(SEEDS, st.integers(1, 4))
def test_a_restart_after_any_record_changes_nothing(seed: int, restarts: int) -> None:
    random, log = drawn(seed)
    records = held_back(log.arranged(), HELD_EVERY)
    expected = run(records)
    places = {random.randrange(len(records)) for _ in range(restarts)}
    path = DataPath()
    for index, raw in enumerate(records):
        path.feed(raw, asset_of(raw))
        if index in places:
            path.framing.restore(path.framing.checkpoint())
            path.detecting.restart()
    assert encoded(path.rows) == encoded(expected.rows)
    assert encoded(path.framing.frames) == encoded(expected.framing.frames)
    assert encoded(path.framing.ticks) == encoded(expected.framing.ticks)
    assert encoded(path.framing.liquidations) == encoded(expected.framing.liquidations)
    assert encoded(path.framing.late) == encoded(expected.framing.late)


@FEW
@given(SEEDS)
def test_frames_repeated_after_a_crash_are_equal_and_ignored(seed: int) -> None:
    random, log = drawn(seed)
    records = held_back(log.arranged(), HELD_EVERY)
    expected = run(records)
    stored_at = random.randrange(len(records))
    crashed_at = random.randint(stored_at, len(records) - 1)
    path = DataPath()
    stored: list[bytes] = []
    sent = 0
    for index, raw in enumerate(records[: crashed_at + 1]):
        path.feed(raw, asset_of(raw))
        if index == stored_at:
            stored, sent = path.framing.checkpoint(), len(path.framing.frames)
    lost = encoded(path.framing.frames[sent:])
    path.framing.restore(stored)
    begin = len(path.framing.frames)
    for raw in records[stored_at + 1 :]:
        path.feed(raw, asset_of(raw))
    assert encoded(path.framing.frames[begin:])[: len(lost)] == lost
    assert encoded(path.rows) == encoded(expected.rows)


@FEW
@given(SEEDS, st.sampled_from([1, 3, 8]))
def test_any_partitioning_and_any_interleaving_give_the_same_rows(
    seed: int, partitions: int
) -> None:
    random, log = drawn(seed)
    records = held_back(log.arranged(), HELD_EVERY)
    expected = run(records)
    detecting = shuffled_inputs(records, partitions, random)
    assert final_bytes(detecting.rows) == final_bytes(expected.rows)


@FEW
@given(SEEDS)
def test_every_published_row_keeps_every_law_of_its_model(seed: int) -> None:
    _, log = drawn(seed)
    rows = run(held_back(log.arranged(), HELD_EVERY)).rows
    revisions: dict[str, int] = {}
    for row in rows:
        validate_result(row)
        validate_result(msgspec.json.encode(row))
        assert row.revision > revisions.get(row.id, 0)
        revisions[row.id] = row.revision


def test_the_scenarios_hold_what_the_laws_are_about() -> None:
    kinds: set[str] = set()
    revised = False
    for seed in range(6):
        path = run(held_back(market(chance(seed)).arranged(), HELD_EVERY))
        assert path.framing.late
        for row in path.rows:
            kinds |= {row.scope, row.definition}
            if isinstance(row, CascadeWindow):
                revised |= row.events_late > 0
                kinds |= {row.side, row.window_class, row.statistic, row.phase}
    assert kinds >= {"cascade", "print/1", "ALL", "BTC", "long", "short", "mixed"}
    assert kinds >= {"burst", "count", "dollar", "end", "acceleration", "peak"}
    assert revised, "no window was revised by a late order"


def _by_id(events: list[Liquidation], *, receipt: bool = True) -> dict[str, bytes]:
    if not receipt:
        events = [msgspec.structs.replace(event, received_at_us=0) for event in events]
    assert len({event.id for event in events}) == len(events)
    return {event.id: msgspec.json.encode(event) for event in events}
