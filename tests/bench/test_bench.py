"""The bench commands: what they print, and that they leave a broker in use alone.

No speed is asserted: a shared machine would make the test lie either way.
"""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.contracts import RAW
from streams.edges.bench_framer import measure
from streams.edges.bench_log import raw_log
from streams.edges.topics import reconcile
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.conftest import BrokerMaker

CORE = ["bench", "core", "--events", "4000", "--rounds", "1", "--minutes", "0"]


def test_core_is_measured_whole_and_for_trades_alone() -> None:
    result = CliRunner().invoke(
        app, ["bench", "core", "--events", "4000", "--rounds", "1", "--minutes", "1", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    mix, trades = found["core"]
    assert (mix["name"], trades["name"]) == ("mix", "trades only")
    assert mix["events"] > trades["events"] >= 4000
    for one in (mix, trades):
        assert one["ratio"] == pytest.approx(one["core"] / one["json_only"])
    detectors = found["detectors"]
    assert detectors["frames"] > 100
    assert detectors["us"] == pytest.approx(sum(detectors["us_by_detector"].values()))


def test_state_is_weighed_by_detector() -> None:
    result = CliRunner().invoke(app, ["bench", "state", "--days", "1", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert {"zones", "regime", "health"} <= found["bytes_by_detector"].keys()
    assert all(size > 0 for size in found["bytes_by_detector"].values())
    assert found["memory"] > 10_000


def test_every_venue_is_normalised_beside_bare_decoders() -> None:
    arguments = ["bench", "normalise", "--messages", "100", "--rounds", "1"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert {one["venue"] for one in found} == PARSERS.keys()
    for one in found:
        assert one["events"] > 0
        assert one["ratio"] == pytest.approx(one["normalise_us"] / one["msgspec_us"])
    table = CliRunner().invoke(app, arguments)
    assert table.exit_code == 0, table.output
    assert "hyperliquid" in table.output


def test_the_table_states_the_mix() -> None:
    result = CliRunner().invoke(app, CORE)
    assert result.exit_code == 0, result.output
    assert "Binance aggTrade" in result.output
    assert "trades only" in result.output


@pytest.mark.kafka
def test_the_framer_is_measured_on_a_broker(make_broker: BrokerMaker) -> None:
    broker = make_broker()
    items = raw_log(4000)
    found = measure(broker.start(), items, PARSERS, default_instruments(), 2)
    statuses = sum(1 for item in items if item.asset is None)
    assert found.records == len(items) - statuses + 8 * statuses
    assert found.events == sum(item.rows for item in items)
    assert 0 < found.ratio < 1


@pytest.mark.kafka
def test_a_log_in_use_is_refused(make_broker: BrokerMaker) -> None:
    bootstrap = make_broker().start()

    async def use() -> None:
        await reconcile(bootstrap, create=True)
        producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
        async with producer:
            await producer.send_and_wait(RAW, b"{}", b"BTC", partition=0)

    asyncio.run(use())
    with pytest.raises(MarginquakeError, match="holds records"):
        measure(bootstrap, raw_log(4000), PARSERS, default_instruments(), 1)
