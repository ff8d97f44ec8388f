"""A warehouse of the test's own: chDB in a temporary folder, closed at the end.

chDB allows one open path per process, so a test uses either `warehouse` (a migrated client) or
`warehouse_dsn` (for a command in another process), and every client is closed before the next.
"""

import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from streams.edges.migrate import migrate
from streams.edges.warehouse import connect


@pytest.fixture
def warehouse_dsn(tmp_path: Path) -> str:
    """DSN of a store that does not exist yet."""
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    return f"chdb://{tmp_path / 'store'}?database=marginquake"


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[Client]:
    """A client of a store with all tables."""
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
        yield client


@pytest.fixture(scope="session")
def examples() -> dict[str, list[bytes]]:
    """The checked-in examples by kind, each as the bytes of a record."""
    found: dict[str, list[bytes]] = {}
    for kind in files("schemas").joinpath("examples").iterdir():
        names = sorted(kind.iterdir(), key=lambda entry: entry.name)
        found[kind.name] = [
            json.dumps(json.loads(entry.read_text("utf-8"))).encode() for entry in names
        ]
    return found
