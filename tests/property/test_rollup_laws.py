"""Laws of the rollups: a view equals the aggregate over FINAL of its base, whatever happened."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import contracts
from streams.core.events import LateLiquidation
from streams.edges import rollups
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate
from streams.edges.rows import FRAMES, LATE_EVENTS, LIQUIDATIONS, rows
from streams.edges.warehouse import connect
from tests.rollup_facts import forced_order, framed, from_base

pytestmark = pytest.mark.warehouse

SECONDS = st.sampled_from([-3_600, -61, -60, -1, 0, 1, 59, 60, 3_599, 3_600])
MICRODOLLARS = st.sampled_from([0, 1, 999_999, 35_902_100_000, 10**17 - 1])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("rollups")
    with connect(f"chdb://{folder / 'store'}?database=marginquake", create=True) as client:
        migrate(client)
        yield client


ORDERS = st.builds(
    forced_order,
    st.integers(0, 6),
    SECONDS,
    MICRODOLLARS,
    st.sampled_from(["bybit", "okx"]),
    st.sampled_from(["long", "short"]),
)
FRAMES_DRAWN = st.builds(
    framed,
    SECONDS,
    MICRODOLLARS,
    st.sampled_from([0.0, 100.0, 250.0]),
    st.sampled_from([1.0, 0.5]),
    st.sampled_from(["bybit", "okx"]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("orders"), st.lists(ORDERS, min_size=1, max_size=6)),
        st.tuples(st.just("late"), st.lists(ORDERS, min_size=1, max_size=3)),
        st.tuples(st.just("frames"), st.lists(FRAMES_DRAWN, min_size=1, max_size=6)),
        st.tuples(st.just("repeat"), st.just([])),
        st.tuples(st.just("replay"), st.just([])),
        st.tuples(st.just("bring_up"), st.just([])),
        st.tuples(st.just("bring_up_settled"), st.just([])),
        st.tuples(st.just("broken_bring_up"), st.integers(1, 5).map(lambda n: [n])),
        st.tuples(st.just("merge"), st.just([])),
        st.tuples(st.just("sweep"), st.just([])),
    ),
    min_size=1,
    max_size=8,
)


def table_rows(messages: Sequence[contracts.Message]) -> list[tuple[str, list[Any]]]:
    pairs = [pair for message in messages for pair in rows(message)]
    return [
        (table, [row for name, row in pairs if name == table])
        for table in (LIQUIDATIONS, LATE_EVENTS, FRAMES)
        if any(name == table for name, _ in pairs)
    ]


class Broken(Exception):
    """The process ends here."""


def break_after(statements: int) -> Any:
    """A client's `command` that ends the process behind so many inserts."""

    class Breaking:
        def __init__(self, client: Client) -> None:
            self._client, self._left = client, statements

        def query(self, *args: Any, **named: Any) -> Any:
            return self._client.query(*args, **named)

        def _count(self) -> None:
            self._left -= 1
            if self._left < 0:
                raise Broken

        def command(self, *args: Any, **named: Any) -> Any:
            self._count()
            return self._client.command(*args, **named)

        def insert(self, *args: Any, **named: Any) -> Any:
            self._count()
            return self._client.insert(*args, **named)

    return Breaking


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_a_rollup_equals_its_base_after_any_sequence(store: Client, steps: Any) -> None:
    for table in (LIQUIDATIONS, LATE_EVENTS, FRAMES, "rollup_hours"):
        store.command(f"TRUNCATE TABLE {table}")
    for one in rollups.ROLLUPS:
        store.command(f"TRUNCATE TABLE {one.table}")
    inserter = Inserter(store)
    sent: list[tuple[str, list[Any]]] = []

    def write(batches: list[tuple[str, list[Any]]]) -> None:
        for table, batch in batches:
            assert inserter.insert(table, batch) == []

    for what, given_ in steps:
        if what in ("orders", "frames"):
            batches = table_rows(given_)
            sent += batches
            write(batches)
        elif what == "late":
            late = [
                LateLiquidation(id=o.id, liquidation=o, sealed_through_us=o.event_time_us + 1)
                for o in given_
            ]
            batches = table_rows(late)
            sent += batches
            write(batches)
        elif what == "repeat":
            write(sent[-1:])
        elif what == "replay":
            write(sent)
        elif what == "bring_up":
            rollups.bring_up(store)
        elif what == "bring_up_settled":
            rollups.bring_up(store, settled=True)
        elif what == "broken_bring_up":
            with suppress(Broken):
                rollups.bring_up(break_after(given_[0])(store))
        elif what == "merge":
            for table in (LIQUIDATIONS, FRAMES, "rollup_hours", "liquidations_1m", "frames_1m"):
                store.command(f"OPTIMIZE TABLE {table} FINAL")
        else:
            rollups.sweep(store)
        for rollup in rollups.ROLLUPS:
            assert_equal(store, rollup.table)


def assert_equal(store: Client, rollup: str) -> None:
    found = store.query(f"SELECT * FROM v_{rollup} ORDER BY ALL").result_rows  # noqa: S608
    assert found == store.query(from_base(rollup)).result_rows, rollup
