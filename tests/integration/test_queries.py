"""What the named queries promise: each is described, runs, and finds what is there."""

import json

import pytest
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.config import MarginquakeError
from streams.edges.inserts import Inserter
from streams.edges.intake import read
from streams.edges.query_catalogue import catalogue, find, read_query
from streams.edges.rows import rows
from streams.edges.warehouse import ask
from tests.known_warehouse import OF_EXAMPLES

TOPIC_OF = {
    "cascade": contracts.CASCADES,
    "print": contracts.PRINTS,
    "feed_status": contracts.FEEDS,
    "regime": contracts.REGIMES,
    "regime_transition": contracts.REGIMES,
    "regime_resolution": contracts.REGIMES,
    "imbalance": contracts.SIGNALS,
    "liquidity": contracts.SIGNALS,
    "conditions": contracts.SIGNALS,
    "positioning": contracts.SIGNALS,
    "funding": contracts.SIGNALS,
    "dominance": contracts.SIGNALS,
    "volatility": contracts.SIGNALS,
    "zones": contracts.ZONES,
    "health": contracts.HEALTH,
    "alert": contracts.ALERTS,
}


@pytest.fixture
def filled(warehouse: Client, examples: dict[str, list[bytes]]) -> Client:
    """A warehouse that holds every example of every result."""
    inserter = Inserter(warehouse)
    for kind, topic in TOPIC_OF.items():
        for example in examples[kind]:
            for table, row in rows(read(topic, example)):
                assert inserter.insert(table, [row]) == []
    return warehouse


def answer(client: Client, name: str, **given: str) -> list[dict[str, object]]:
    query = find(name)
    lines = ask(client, query.sql, "JSONEachRow", query.bind(given)).splitlines()
    return [json.loads(line) for line in lines]


def test_every_named_query_answers_from_the_examples(filled: Client) -> None:
    for name in OF_EXAMPLES:
        scopes = ("BTC", "ALL", "ETH", "SOL", "DOGE")
        scoped = any(parameter.name == "scope" for parameter in find(name).parameters)
        given = [{"scope": scope} for scope in scopes] if scoped else [{}]
        assert any(answer(filled, name, **values) for values in given), name


def test_every_query_says_what_it_answers() -> None:
    assert len(catalogue()) >= 30
    assert all(query.about.endswith(".") for query in catalogue().values())


def test_a_hidden_map_shows_no_zone_and_an_open_one_its_zones_by_distance(filled: Client) -> None:
    shown = answer(filled, "zones", scope="BTC")
    assert [row["side"] for row in shown] == ["long", "short"]
    (hidden,) = answer(filled, "zones", scope="SOL")
    assert hidden["hidden"] is True
    assert hidden["usd_estimated"] is None
    assert hidden["why_hidden"]


def test_one_scope_or_all_can_be_asked_for(filled: Client) -> None:
    everything = {str(row["scope"]) for row in answer(filled, "health")}
    assert len(everything) > 1
    for scope in everything:
        assert {row["scope"] for row in answer(filled, "health", scope=scope)} == {scope}


def test_a_transition_is_told_with_what_it_led_to(filled: Client) -> None:
    (row,) = answer(filled, "regime-transitions", scope="BTC")
    assert (row["from_state"], row["to_state"]) == ("euphoria", "liquidation")
    assert row["trigger_cascade_id"] == "1f0e9d"


def test_parameters_are_bound_and_not_pasted(filled: Client) -> None:
    assert answer(filled, "cascades", scope="x' OR 1=1 --") == []


def test_what_is_asked_wrongly_is_named() -> None:
    with pytest.raises(MarginquakeError, match="did you mean cascades"):
        find("cascade")
    with pytest.raises(MarginquakeError, match="no parameter 'asset': it has scope, rows"):
        find("cascades").bind({"asset": "BTC"})
    with pytest.raises(MarginquakeError, match="is no UInt32"):
        find("cascades").bind({"rows": "many"})
    for wrong in ("-1", "1.5", ""):
        with pytest.raises(MarginquakeError, match="give a whole number"):
            find("cascades").bind({"rows": wrong})
    with pytest.raises(ValueError, match="no parameter line"):
        read_query("x", "-- What it answers.\n-- scope: an asset\nSELECT 1")
