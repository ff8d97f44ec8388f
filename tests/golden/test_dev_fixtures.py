"""Recorded Binance messages against what an independent normaliser (Tardis) made of them.

Deviations, all on purpose:

- liquidation price: ours is the average fill, theirs the limit price of the order;
- sizes: ours are coins, theirs contracts for COIN-M;
- ticker: ours carries what the message said, theirs the merged state; polled values take the time
  of receipt;
- index price stream of a pair, and delta books: not read here (the collector folds books);
- quotes: ours carry the engine's stamp, theirs the push stamp;
- aggTrade: read by us, not by them.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.core.events import (
    Book,
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    Trade,
    micro_usd,
)
from streams.core.instruments import Instruments
from streams.venues import binance

FIXTURES = Path(__file__).resolve().parents[2].parent / "shared/data/fixtures/dev.jsonl"
INSTRUMENTS = Instruments({}, binance.RULES)
pytestmark = pytest.mark.skipif(
    not FIXTURES.exists() and "CI" not in os.environ, reason="shared fixtures are not here"
)


def fixtures() -> list[dict[str, Any]]:
    if not FIXTURES.exists():
        return []
    rows = (json.loads(line) for line in FIXTURES.read_text(encoding="utf-8").splitlines())
    return [row for row in rows if row["venue"] in binance.VENUES]


def made(row: dict[str, Any]) -> Outcome:
    """What the parser makes; the fixtures share one invented receipt, so skew is not judged."""
    payload = msgspec.json.encode(row["payload"])
    raw = Raw(row["venue"], None, "golden", row["received_at_us"], payload)
    (outcome,) = binance.parse(raw, INSTRUMENTS)
    return outcome


def expected(kind: str) -> Iterator[tuple[Outcome, dict[str, Any], dict[str, Any]]]:
    """(our outcome, their row, the venue's message) of every expected row of a kind."""
    found = 0
    for row in fixtures():
        for theirs in row["expected"]:
            if theirs["type"] == kind:
                found += 1
                yield made(row), theirs, row["payload"].get("data", row["payload"])
    assert found, f"no fixture expects a {kind}"


def coins(event: Liquidation | Trade | Book, size: float, price: float) -> float:
    """Their size in coins: COIN-M sizes are contracts of 100 or 10 dollars."""
    if event.contract != "inverse":
        return size
    return size * (100 if event.asset == "BTC" else 10) / price


def test_the_fixtures_are_there() -> None:
    assert len(fixtures()) > 20


def test_liquidations_agree_in_side_size_and_time_and_are_priced_at_the_fill() -> None:
    for ours, theirs, message in expected("liquidation"):
        assert isinstance(ours, Liquidation)
        order = message["o"]
        assert (ours.symbol, ours.order_side) == (theirs["symbol"], theirs["side"])
        assert ours.position_side == theirs["position_side"]
        assert ours.event_time_us == theirs["timestamp_us"]
        assert theirs["price"] == float(order["p"])
        assert (ours.price, ours.price_kind) == (float(order["ap"]), "avg_fill")
        assert ours.base_qty == pytest.approx(coins(ours, theirs["amount"], ours.price), rel=1e-12)
        if ours.contract == "linear":
            assert ours.usd == micro_usd(order["ap"], order["z"])
        else:
            assert ours.usd == theirs["amount"] * (100 if ours.asset == "BTC" else 10) * 1_000_000


def test_trades_agree_in_every_field() -> None:
    for ours, theirs, _ in expected("trade"):
        assert isinstance(ours, Trade)
        assert (ours.symbol, ours.id) == (theirs["symbol"], theirs["id"])
        assert (ours.taker_side, ours.price) == (theirs["side"], theirs["price"])
        assert ours.base_qty == pytest.approx(coins(ours, theirs["amount"], ours.price), rel=1e-12)
        assert ours.event_time_us == theirs["timestamp_us"]


def test_what_a_ticker_says_agrees_with_the_merged_state() -> None:
    for ours, theirs, message in expected("derivative_ticker"):
        assert isinstance(ours, Ticker)
        assert ours.symbol == theirs["symbol"]
        pairs = [
            (ours.mark_price, theirs["markPrice"]),
            (ours.index_price, theirs["indexPrice"]),
            (ours.last_price, theirs["lastPrice"]),
            (ours.funding_rate, theirs["fundingRate"]),
            (ours.next_funding_us, theirs["fundingTimestamp_us"]),
            (ours.open_interest_base, theirs["openInterest"]),
        ]
        stated = [(mine, yours) for mine, yours in pairs if mine is not None]
        assert all(mine == yours for mine, yours in stated)
        if ours.open_interest_usd is not None:
            face = 100 if ours.asset == "BTC" else 10
            assert ours.open_interest_usd == theirs["openInterest"] * face * 1_000_000
        else:
            assert stated
        if "openInterest" in message:
            assert ours.event_time_us == ours.received_at_us
        else:
            assert ours.event_time_us == theirs["timestamp_us"]


def test_quotes_and_snapshots_agree_in_their_levels() -> None:
    for ours, theirs, message in expected("book_ticker"):
        assert isinstance(ours, Book)
        for levels, side in ((ours.bids, "bid"), (ours.asks, "ask")):
            ((price, size),) = levels
            assert price == theirs[f"{side}Price"]
            assert size == pytest.approx(coins(ours, theirs[f"{side}Amount"], price), rel=1e-12)
        assert theirs["timestamp_us"] == message["E"] * 1000
        assert ours.event_time_us == message["T"] * 1000
    for ours, _, message in expected("book_change"):
        if "lastUpdateId" not in message:
            assert ours == Ignored("book_delta")
            continue
        assert isinstance(ours, Book)
        for levels, side in ((ours.bids, "bids"), (ours.asks, "asks")):
            assert [price for price, _ in levels] == [float(price) for price, _ in message[side]]
            sizes = [coins(ours, float(size), float(price)) for price, size in message[side]]
            assert [size for _, size in levels] == pytest.approx(sizes, rel=1e-12)


def test_what_they_leave_out_we_leave_out_but_for_aggregate_trades() -> None:
    for row in fixtures():
        if row["expected"]:
            continue
        ours = made(row)
        message = row["payload"].get("data", row["payload"])
        if message.get("e") == "24hrTicker":
            assert isinstance(ours, Ticker), "an unchanged ticker says the same again"
        elif message.get("e") == "aggTrade":
            assert isinstance(ours, Rejected)
            assert "a" not in message, "the recorded print lost its id"
        else:
            assert isinstance(ours, Ignored)
