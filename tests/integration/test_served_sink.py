"""The sink's own tests with a served warehouse in the place of the embedded one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from streams.edges.warehouse import connect
from tests.integration.test_sink import (
    test_a_started_group_reads_only_what_is_new as test_a_started_group,
)
from tests.integration.test_sink import (
    test_rows_reach_their_tables_and_bad_records_the_dead_letters as test_rows_reach_their_tables,
)
from tests.integration.test_sink_process import (
    test_a_killed_sink_goes_on_where_it_was_and_every_id_is_there_once as test_a_killed_sink,
)
from tests.served import serve

__all__ = [
    "test_a_killed_sink",
    "test_a_started_group",
    "test_rows_reach_their_tables",
]

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.usefixtures("kafka_topics")]


@pytest.fixture(scope="module")
def broker(own_broker: str) -> str:
    """A broker of this module: the same records again would be counted by the sink's own tests."""
    return own_broker


@pytest.fixture(scope="module")
def kafka_topics(own_broker: str) -> None:
    """They are on it already."""


@pytest.fixture
def warehouse_dsn(tmp_path: Path) -> Iterator[str]:
    """The DSN of the user who writes, at a server on a new store with all tables."""
    with serve(tmp_path) as served:
        yield served.writer_dsn


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[Client]:
    """A client of the server, as the sink has it."""
    with connect(warehouse_dsn) as client:
        yield client
