"""Every statement of the market dashboard runs on a migrated store, as a reader, and gives rows."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.edges.grafana import SCOPES
from streams.edges.grafana_market import MARKET_PANELS
from streams.edges.grafana_panels import Panel
from tests.pipeline_stack import insert

pytestmark = pytest.mark.warehouse

TOPICS = {
    "alert": contracts.ALERTS,
    "cascade": contracts.CASCADES,
    "dominance": contracts.SIGNALS,
    "feed_status": contracts.FEEDS,
    "funding": contracts.SIGNALS,
    "health": contracts.HEALTH,
    "imbalance": contracts.SIGNALS,
    "liquidation": contracts.LIQUIDATIONS,
    "liquidity": contracts.SIGNALS,
    "positioning": contracts.SIGNALS,
    "print": contracts.PRINTS,
    "regime": contracts.REGIMES,
    "volatility": contracts.SIGNALS,
}

SHOWN = ("ALL", "BTC", "ETH", "SOL", "DOGE")
"""Scopes of the examples."""


@pytest.fixture
def filled(warehouse: Client, examples: dict[str, list[bytes]]) -> Iterator[Client]:
    """A store with the checked-in examples."""
    insert(
        warehouse,
        [contracts.decode(topic, one) for kind, topic in TOPICS.items() for one in examples[kind]],
    )
    yield warehouse


def asked(sql: str, scope: str) -> str:
    """The statement as the plugin sends it, over all time."""
    sql = re.sub(
        r"\$__timeFilter\((\w+)\)",
        r"\1 >= toDateTime(0) AND \1 <= toDateTime(4000000000)",
        sql,
    )
    sql = re.sub(
        r"\$__timeInterval\((\w+)\)",
        r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)",
        sql,
    )
    return sql.replace("${scope:singlequote}", f"'{scope}'")


@pytest.mark.parametrize("scope", ["ALL", "BTC", "NOSUCH"])
def test_every_panel_answers(filled: Client, scope: str) -> None:
    filled.command("SET readonly = 2")
    for panel in MARKET_PANELS:
        for query in panel.queries:
            filled.query(asked(str(query), scope))
    assert "ALL" in {row[0] for row in filled.query(SCOPES).result_rows}


def test_every_panel_has_something_to_show(filled: Client) -> None:
    empty = [
        panel.title
        for panel in MARKET_PANELS
        if not any(answers(filled, panel, scope) for scope in SHOWN)
    ]
    assert empty == []


def test_a_series_has_its_time_first_and_in_order(filled: Client) -> None:
    for panel in MARKET_PANELS:
        if panel.kind == "timeseries":
            for scope in SHOWN:
                rows = answers(filled, panel, scope)
                times = [row[0] for row in rows]
                assert all(isinstance(at, datetime) for at in times), panel.title
                assert times == sorted(times), panel.title


def answers(client: Client, panel: Panel, scope: str) -> list[Sequence[Any]]:
    return [
        row for sql in panel.queries for row in client.query(asked(str(sql), scope)).result_rows
    ]
