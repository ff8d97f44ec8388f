"""The capability table: in step with the parsers, the documented messages and its page."""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.collect.sifting import Sifter
from streams.core.events import Book, Ignored, Liquidation, Outcome, Raw, Rejected, Ticker, Trade
from streams.core.normalise import normalise
from streams.core.throttle import FEED_SEMANTICS, feed
from streams.edges.bench_normalise import documented
from streams.venues import PARSERS
from streams.venues.capabilities import (
    CAPABILITIES,
    CHANNELS,
    State,
    Way,
    collected,
    facts,
    keep_alive,
)
from streams.venues.capability_page import forced_rows, page, sections
from streams.venues.catalog import default_instruments, effective_table
from streams.venues.off_book import OFF_BOOK, OffBook
from streams.venues.wire import WIRES
from tests.conformance.speech import text
from tests.conformance.ticker_speech import MS, POLLS, TICKERS
from tests.conformance.venue_speech import SPEECHES
from tests.messages import forced
from tests.messages.forced import MATRIX
from tests.messages.strange import KRAKEN, WON, said, with_fields

PAGE = Path(__file__).resolve().parents[2] / "docs/venues.md"
FIELDS: dict[State, tuple[str, ...]] = {
    "mark": ("mark_price",),
    "index": ("index_price",),
    "last": ("last_price",),
    "open_interest": ("open_interest_base", "open_interest_usd"),
    "volume_24h": ("volume_24h_usd",),
}
INSTRUMENTS = default_instruments()
NOW_US = 1_795_000_000_000_000
RETIRED = {("gate", "sampled")}
"""What feeds no longer are; `FEED_SEMANTICS` has when."""


def told(outcomes: list[Outcome]) -> Iterator[State]:
    if funded([one for one in outcomes if isinstance(one, Ticker)]):
        yield "funding"
    for one in outcomes:
        if isinstance(one, Trade):
            yield "trade"
        elif isinstance(one, Book):
            yield "book"
        elif isinstance(one, Ticker):
            for name, fields in FIELDS.items():
                if any(getattr(one, field) is not None for field in fields):
                    yield name


def funded(tickers: list[Ticker]) -> bool:
    """Whether the rate is told, and its cycle or when it is due: without them it does not count."""
    rate = any(one.funding_rate is not None for one in tickers)
    return rate and any(one.funding_interval_s or one.next_funding_us for one in tickers)


def test_every_parsed_venue_has_a_row_and_a_table_of_facts() -> None:
    assert CAPABILITIES.keys() == PARSERS.keys()
    for venue, row in CAPABILITIES.items():
        assert {"keep-alive", "forced side", "units", "completeness"} <= facts(venue).keys(), venue
        assert keep_alive(venue)
        assert bool(row.none_because) != any(one.way == "pushed" for one in row.forced)


def test_forced_orders_are_declared_as_the_side_matrix_has_them() -> None:
    declared = {
        (venue, one.completeness, kind)
        for venue, row in CAPABILITIES.items()
        for one in row.forced
        for kind in one.price_kinds
    }
    seen = {
        (one.venue, one.completeness, one.price_kind)
        for one in MATRIX
        if (one.venue, one.completeness) not in RETIRED
    }
    assert seen == declared


@pytest.mark.parametrize("venue", sorted(PARSERS))
def test_what_a_documented_message_tells_is_declared(venue: str) -> None:
    outcomes = [
        outcome for raw in documented()[venue] for outcome in normalise(raw, PARSERS, INSTRUMENTS)
    ]
    row = CAPABILITIES[venue]
    assert {*told(outcomes)} <= row.state.keys()
    if any(isinstance(one, Liquidation) for one in outcomes):
        assert row.forced


def test_a_feed_that_is_pushed_now_has_a_class_in_force_that_agrees() -> None:
    for venue, row in CAPABILITIES.items():
        for one in row.forced:
            if one.way == "pushed":
                whole = feed(venue, NOW_US).feed_class == "full"
                assert whole == (one.completeness == "all"), venue


def test_the_intervals_of_a_feed_follow_each_other_without_a_gap() -> None:
    for venue in {row.venue for row in FEED_SEMANTICS}:
        rows = [row for row in FEED_SEMANTICS if row.venue == venue]
        assert rows[0].valid_from_us == 0
        assert rows[-1].valid_to_us is None
        for before, after in pairwise(rows):
            assert before.valid_to_us == after.valid_from_us


def heard(venue: str, messages: Iterable[bytes]) -> list[Outcome]:
    received_us = (MS + 100) * 1000
    return [
        outcome
        for message in messages
        for outcome in normalise(
            Raw(venue, None, "c-0", received_us, message), PARSERS, INSTRUMENTS
        )
    ]


def collected_of(venue: str) -> Iterator[tuple[str, set[str], bool]]:
    """Each symbol of BTC that the wire asks for, its topics, and whether it is polled."""
    table, wire = effective_table(), WIRES[venue]
    found: dict[str, set[str]] = {}
    for endpoint in wire.endpoints:
        for symbol in endpoint.symbols("BTC"):
            if not endpoint.listed or (venue, symbol) in table:
                topics = found.setdefault(symbol, set())
                for channel in endpoint.channels:
                    topics.update(endpoint.topics(symbol, channel))
    polled = {
        symbol
        for poll in wire.polls
        for symbol in poll.symbols("BTC")
        if not poll.listed or (venue, symbol) in table
    }
    assert polled <= found.keys()
    for symbol, topics in found.items():
        yield symbol, topics, symbol in polled


@pytest.mark.parametrize("venue", sorted(WIRES))
def test_every_contract_is_collected_as_the_table_says(venue: str) -> None:
    row = CAPABILITIES[venue]
    for symbol, topics, polled in collected_of(venue):
        said = [message for topic, message in TICKERS[venue](symbol) if topic in topics]
        pushed = {*told(heard(venue, said))}
        answers = [text(POLLS[venue](symbol))] if polled else []
        ways: dict[State, Way] = {
            **dict.fromkeys(told(heard(venue, [*said, *answers])), "polled"),
            **dict.fromkeys(pushed, "pushed"),
        }
        instrument = INSTRUMENTS.resolve(venue, symbol)
        assert instrument is not None
        declared = {
            name: way
            for name, way in row.state.items()
            if name not in ("trade", "book", *row.lacking.get(instrument.contract, ()))
            and way != "recorded"
        }
        assert ways == declared, symbol


@pytest.mark.parametrize("venue", sorted(WIRES))
def test_trades_and_books_are_collected_as_the_table_says(venue: str) -> None:
    speech = SPEECHES[venue]
    topics = {topic for _, found, _ in collected_of(venue) for topic in found}
    said = [one(0, MS) for one in (speech.trade, speech.book) if one is not None]
    heard_of = {*told(heard(venue, [message for topic, message in said if topic in topics]))}
    ways = CAPABILITIES[venue].state
    assert heard_of == {name for name in ("trade", "book") if ways.get(name) == "pushed"}


@pytest.mark.parametrize("venue", sorted(WIRES))
def test_no_topic_of_a_wire_is_asked_for_in_vain(venue: str) -> None:
    for symbol, _, _ in collected_of(venue):
        wanted = {
            topic
            for endpoint in WIRES[venue].endpoints
            if symbol in endpoint.symbols("BTC") and "ticker" in endpoint.channels
            for topic in endpoint.topics(symbol, "ticker")
        }
        assert wanted <= {topic for topic, _ in TICKERS[venue](symbol)}


def test_forced_orders_are_collected_as_the_table_says() -> None:
    for venue, wire in WIRES.items():
        speech = SPEECHES[venue]
        topics = {topic for _, found, _ in collected_of(venue) for topic in found}
        for one in CAPABILITIES[venue].forced:
            if one.way == "pushed":
                assert speech.forced is not None, venue
                topic, message = speech.forced(0, MS)
                assert topic in topics
                assert one.source in topic
                assert any(isinstance(o, Liquidation) for o in heard(venue, [message])), venue
            if one.way == "polled":
                assert any(one.source in poll.url for poll in wire.polls), (venue, one.source)


def test_what_is_collected_is_declared() -> None:
    for venue in WIRES:
        row, channels = CAPABILITIES[venue], collected(venue)
        assert ("liquidation" in channels) == any(one.way == "pushed" for one in row.forced)
        assert {name for name in ("trade", "book") if name in channels} <= row.state.keys()


def test_the_lateness_that_collectors_allow_follows_the_class_in_force() -> None:
    for venue, wire in WIRES.items():
        pushed = any(one.way == "pushed" for one in CAPABILITIES[venue].forced)
        complete = feed(venue, NOW_US).feed_class == "full"
        assert wire.sampled == (pushed and not complete), venue


def test_the_page_is_in_step_with_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "mend: make docs"


def test_no_venue_is_called_verified_that_nobody_has_verified() -> None:
    assert {row.verified_live for row in CAPABILITIES.values()} == {None}
    assert page().count("| never |") == len(PARSERS)


def test_the_command_prints_every_table_the_page_and_json() -> None:
    shown = CliRunner().invoke(app, ["venues"])
    assert shown.exit_code == 0, shown.output
    for section in sections():
        assert section.title in shown.output
        assert all(cell in shown.output for row in section.rows for cell in row), section.title
    assert CliRunner().invoke(app, ["venues", "--page"]).stdout == page()
    rows = json.loads(CliRunner().invoke(app, ["venues", "--json"]).stdout)
    assert [row["venue"] for row in rows] == [*CAPABILITIES]
    by_venue = {row["venue"]: row for row in rows}
    assert by_venue["kucoin"]["no_feed_because"] == "no public topic"
    assert {venue for venue, row in by_venue.items() if row["limits"]} == WIRES.keys()
    assert [*by_venue["okx"]["channels"]] == [*CHANNELS]


QUANTO = "ETHUSD"
SCARCE = [
    ("bitmex", QUANTO, forced.bitmex(QUANTO, "Sell", 25, 2500.5)),
    ("bitget", "BTCUSD", forced.bitget("BTCUSD", "buy", "25", "60000")),
]


@pytest.mark.parametrize(("venue", "symbol", "message"), SCARCE)
def test_forced_orders_without_dollars_are_declared_as_lacking(
    venue: str, symbol: str, message: dict[str, Any]
) -> None:
    (outcome,) = heard(venue, [text(message)])
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_notional"
    instrument = INSTRUMENTS.resolve(venue, symbol)
    assert instrument is not None
    assert "forced_orders" in CAPABILITIES[venue].lacking[instrument.contract]
    (row,) = [row for row in forced_rows() if row[0] == venue]
    assert row[2].endswith(f"none of {instrument.contract}")


def test_a_quanto_contract_lacks_what_is_declared_and_nothing_else() -> None:
    speech = SPEECHES["bitmex"]
    assert speech.book is not None
    messages = [message for _, message in TICKERS["bitmex"](QUANTO)]
    messages += [one(0, MS)[1].replace(b"XBTUSD", b"ETHUSD") for one in (speech.trade, speech.book)]
    row = CAPABILITIES["bitmex"]
    assert {*told(heard("bitmex", messages))} == {*row.state} - {*row.lacking["quanto"]}


PRINT = {"e": "trade", "s": "BTCUSDT", "t": 7, "p": "6", "q": "5", "T": MS, "m": True}
BESIDE: dict[tuple[str, str], Any] = {
    ("binance-usdm", "`X` ADL"): {**PRINT, "X": "ADL"},
    ("binance-usdm", "`X` INSURANCE_FUND"): {**PRINT, "X": "INSURANCE_FUND"},
    ("binance-usdm", "`X` NA"): {**PRINT, "X": "NA"},
    ("bybit", "`BT` true"): with_fields(said("bybit", "trade"), BT=True),
    ("gate", "`is_internal` true"): with_fields(said("gate", "trade"), is_internal=True),
    ("bitmex", "`trdType` Referential"): with_fields(
        said("bitmex", "trade"), trdType="Referential"
    ),
    ("deribit", "`block_trade_id`"): with_fields(said("deribit", "trade"), block_trade_id="B-1"),
    ("kraken", "`type` block"): {**KRAKEN, "type": "block"},
    ("kraken", "`type` assignment"): {**KRAKEN, "type": "assignment"},
    ("kraken", "`type` termination"): {**KRAKEN, "type": "termination"},
    ("dydx", "`type` DELEVERAGED"): forced.dydx("SELL", "0.1", "62000.5", "DELEVERAGED"),
    ("hyperliquid", "`dir` Auto-Deleveraging"): forced.fills({**WON, "dir": "Auto-Deleveraging"}),
    ("hyperliquid", "`method` backstop"): forced.fills(
        forced.fill("B", "BTC", "0.012", "62000.0", "backstop")
    ),
    ("coinbase", "`type` rfq_match"): {"type": "rfq_match", "product_id": "BTC-USD"},
}


@pytest.mark.parametrize("row", OFF_BOOK, ids=lambda row: f"{row.venue} {row.words}")
def test_a_print_beside_the_book_becomes_what_the_page_says(row: OffBook) -> None:
    (outcome,) = heard(row.venue, [text(BESIDE[row.venue, row.words])])
    if isinstance(outcome, Ignored):
        assert outcome.reason == row.outcome
    else:
        assert isinstance(outcome, Liquidation)
        assert outcome.kind == row.outcome


@pytest.mark.parametrize("venue", ["gate", "kraken"])
def test_collectors_keep_the_prints_of_a_venue_in_distress(venue: str) -> None:
    sifter, other = (
        Sifter(venue, "c-0", frozenset({asset}), INSTRUMENTS, 0) for asset in ("BTC", "ETH")
    )
    for row in OFF_BOOK:
        if row.venue == venue and row.outcome.endswith("_print"):
            message = text(BESIDE[venue, row.words])
            (record,) = sifter.take(message, (MS + 100) * 1000)
            assert not other.take(message, (MS + 100) * 1000)
            assert record.asset == "BTC"
            outcomes = normalise(record.raw, PARSERS, INSTRUMENTS)
            assert outcomes == heard(venue, [record.raw.payload])
