"""What the named queries promise: each is described, runs, and finds what is there."""

import json

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.config import MarginquakeError
from streams.core.results import Funding
from streams.edges.inserts import Inserter
from streams.edges.intake import read
from streams.edges.query_catalogue import catalogue, find, read_query
from streams.edges.rows import rows
from streams.edges.warehouse import ask
from tests.known_warehouse import (
    CASCADES,
    FRAMES,
    MILLION,
    OF_EXAMPLES,
    ONSET,
    PRINTS,
    STATUS,
    at,
    reading,
    traded,
    us,
)
from tests.rollup_facts import forced_order

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


def write(client: Client, *messages: contracts.Message) -> None:
    inserter = Inserter(client)
    for message in messages:
        for table, row in rows(message):
            assert inserter.insert(table, [row]) == []


def test_the_markets_windows_are_not_added_to_those_of_its_assets(warehouse: Client) -> None:
    names = (
        *("cascades-by-regime", "dominance-at-cascades", "leaders", "retracement"),
        *("cascade-durations", "venue-observed-estimated"),
    )
    write(warehouse, *CASCADES)
    write(warehouse, *(msgspec.structs.replace(p, scope="BTC") for p in PRINTS))
    of_assets = {name: answer(warehouse, name, scope="*") for name in names}
    assert all(of_assets.values())
    market = (msgspec.structs.replace(w, id=f"all-{w.id}", scope="ALL") for w in CASCADES)
    write(warehouse, *market)
    write(warehouse, *(msgspec.structs.replace(p, id=f"all-{p.id}") for p in PRINTS))
    for name in names:
        assert answer(warehouse, name, scope="*") == of_assets[name], name
        assert answer(warehouse, name, scope="ALL"), name


def test_a_feed_that_never_changed_was_up_all_the_time_that_is_asked_for(
    warehouse: Client,
) -> None:
    write(warehouse, *STATUS, *FRAMES)
    day = answer(warehouse, "feed-uptime", since="2026-11-02T09:00:00", until="2026-11-02T11:00:00")
    told = {row["venue"]: row for row in day}
    assert told["bybit"]["up_share"] == 1
    assert told["bybit"]["up_hours"] == 2
    assert told["bybit"]["times_down"] == 0
    assert (told["okx"]["up_share"], told["okx"]["up_hours"]) == (0.5, 1)
    assert told["okx"]["times_down"] == 1
    later = answer(warehouse, "feed-uptime", since="2026-11-02T11:00:00")
    assert {row["venue"]: row["up_share"] for row in later} == {"bybit": 1, "okx": 0}


def test_connections_that_renew_each_other_are_one_feed(warehouse: Client) -> None:
    """`0a` is closed ten minutes after `0b` is heard; then nothing is, from 05:00 to 06:00."""
    (up,) = (one for one in STATUS if one.id == "s1")
    words = (
        ("w1", "public-0a", "up", at(2, 0)),
        ("w2", "public-0b", "up", at(2, 3)),
        ("w3", "public-0a", "down", at(2, 3) + 600),
        ("w4", "public-0b", "down", at(2, 5)),
        ("w5", "public-0a", "up", at(2, 6)),
    )
    for name, connection, state, when in words:
        word = msgspec.structs.replace(
            up, id=name, connection=connection, state=state, at_us=us(when), through_us=None
        )
        write(warehouse, word)
    (row,) = answer(warehouse, "feed-uptime", until="2026-11-02T06:00:00")
    assert (row["up_hours"], row["times_down"]) == (5, 1)
    assert row["up_share"] == pytest.approx(5 / 6)
    (last,) = answer(warehouse, "feeds")
    assert (last["connection"], last["state"]) == ("public-0a", "up")


def test_an_hour_without_orders_counts_in_the_mean_of_its_place_in_the_week(
    warehouse: Client,
) -> None:
    write(warehouse, forced_order(1, at(2, 10), 3 * MILLION), traded(at(9, 10), 60_000.0))
    (row,) = answer(warehouse, "hour-of-week")
    assert (row["weekday"], row["hour_of_day"], row["days"]) == (1, 10, 2)
    assert row["mean_usd"] == 1_500_000


def test_funding_without_venues_tells_no_rate(warehouse: Client) -> None:
    write(warehouse, reading(Funding, "f", ONSET, venues=()))
    (row,) = answer(warehouse, "funding")
    assert (row["venue"], row["rate"], row["venue_annualised"]) == (None, None, None)


def test_a_part_of_an_hour_is_refused_where_hours_are_counted() -> None:
    for name, fine in (("venue-share", "2026-11-02T14:00"), ("worst-minutes", "2026-11-02T14:30")):
        find(name).bind({"since": fine, "until": "2106-01-01"})
    for name, part in (
        ("venue-share", "2026-11-02T14:30"),
        ("worst-minutes", "2026-11-02T14:30:05"),
    ):
        for bound in ("since", "until"):
            with pytest.raises(MarginquakeError, match=r"whole (hour|minute)s are counted"):
                find(name).bind({bound: part})
