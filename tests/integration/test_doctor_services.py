"""The doctor against a real broker and a real store, in every state that they can be in."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.config import Settings
from streams.edges.doctor_services import broker_answers, warehouse
from streams.edges.migrate import migrate, read_migrations
from streams.edges.warehouse import connect


@pytest.mark.kafka
def test_a_broker_that_answers_is_told_with_its_topics(own_broker: str, tmp_path: Path) -> None:
    found = broker_answers(Settings(kafka=own_broker, home=tmp_path))
    assert found.ok
    assert found.found.startswith(f"{own_broker} answers, ")


@pytest.mark.warehouse
def test_a_store_tells_its_migrations(warehouse_dsn: str) -> None:
    here = Settings(clickhouse_dsn=warehouse_dsn)
    known = read_migrations()
    with connect(warehouse_dsn, create=True) as client:
        migrate(client, known[:-1])
    behind = warehouse(here)
    assert not behind.ok
    assert behind.found.endswith(f"lacks {known[-1].label}")
    assert behind.mend == "run `marginquake migrate`"
    with connect(warehouse_dsn) as client:
        migrate(client)
    assert warehouse(here).ok
    assert warehouse(here).found.endswith("migrated")


@pytest.mark.warehouse
def test_a_store_that_another_process_has_is_no_lack(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
    hold = (
        "import sys\nfrom streams.edges.warehouse import connect\n"
        f"with connect({warehouse_dsn!r}):\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        found = warehouse(Settings(clickhouse_dsn=warehouse_dsn))
        other.communicate(timeout=60)
    assert found.ok
    assert found.found.endswith(f"is open in process {other.pid}")
