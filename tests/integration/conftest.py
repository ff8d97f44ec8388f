"""A served warehouse for the tests of its HTTP interface."""

import os
from collections.abc import Iterator

import pytest

from streams.serving.access import Limits
from tests.served import Served, serve

LIMITS = Limits(seconds=5, memory_bytes=300_000_000, rows=1_000_000, at_once=2, waiting=2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with low limits for readers, and a table `things`."""
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    with serve(tmp_path_factory.mktemp("served"), LIMITS) as running:
        made = running.ask(
            "CREATE TABLE things (a UInt64, b String) ENGINE = MergeTree ORDER BY a", writes=True
        )
        assert made.status == 200, made.text
        yield running


@pytest.fixture
def things(served: Served) -> Served:
    """The server with an empty table `things (a UInt64, b String)`."""
    assert served.ask("TRUNCATE TABLE things", writes=True).status == 200
    return served
