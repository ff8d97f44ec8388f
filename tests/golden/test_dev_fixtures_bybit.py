"""Bybit fixtures of an independent normaliser: ours agree, but for the deviations named here.

The fixtures' receive clock is a constant of the other project's tests and often lies before the
events, so the parser is called without the shared clock checks.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from streams.core.events import Book, Ignored, Liquidation, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instruments
from streams.venues import bybit
from streams.venues.both_sides import BYBIT

FIXTURES: Final = (
    Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fixtures" / "dev.jsonl"
)
COMPARED: Final = {"liquidation", "trade", "derivative_ticker"}

BOOK_DELTAS_ARE_LEFT_TO_THE_COLLECTOR: Final = "order book deltas and best quotes of deltas"
FEED_SWITCH_DATE_IS_THE_COLLECTORS: Final = {"bybit:053"}
"""allLiquidation is dropped there before 2025-02-26, when two topics told the same orders."""

RETIRED_TOPICS: Final = {
    *("trade", "instrument_info", "orderBookL2_25", "orderBook_200", "depth", "bookTicker")
}


def rows() -> list[dict[str, Any]]:
    if not FIXTURES.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the fixtures are missing: {FIXTURES.name}")
        pytest.skip("the shared fixtures are not on this machine")
    lines = FIXTURES.read_text().splitlines()
    return [row for line in lines if (row := json.loads(line))["venue"] == "bybit"]


def read(row: dict[str, Any], venue: str) -> list[Outcome]:
    payload = json.dumps(row["payload"]).encode()
    raw = Raw(venue, None, "golden", row["received_at_us"], payload)
    return bybit.parse(raw, Instruments({}, bybit.RULES))


def venue_of(row: dict[str, Any]) -> str:
    return "bybit-spot" if row["exchange"] == "bybit-spot" else "bybit"


def retired(row: dict[str, Any]) -> bool:
    """Of an API before v5; `test_agreement` holds those."""
    topic = str(row["payload"].get("topic", ""))
    return topic.partition(".")[0] in RETIRED_TOPICS and "event" not in row["payload"]


def amount(event: Liquidation | Trade) -> float:
    """The venue's own size: dollars of inverse contracts, coins of all others."""
    if event.contract == "inverse":
        return event.usd / 1e6
    assert event.base_qty is not None
    return event.base_qty


def expected(row: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [event for event in row["expected"] if event["type"] in kinds]


def test_every_expected_liquidation_comes_out_alike() -> None:
    compared = 0
    for row in rows():
        wanted = expected(row, "liquidation")
        got = [event for event in read(row, venue_of(row)) if isinstance(event, Liquidation)]
        if row["fixture_id"] in FEED_SWITCH_DATE_IS_THE_COLLECTORS:
            assert (len(got), wanted) == (1, [])
            continue
        assert len(got) == len(wanted), row["fixture_id"]
        for ours, theirs in zip(got, wanted, strict=True):
            compared += 1
            assert (ours.symbol, ours.price) == (theirs["symbol"], theirs["price"])
            assert amount(ours) == pytest.approx(theirs["amount"], rel=1e-12)
            assert (ours.order_side, ours.position_side) == (
                theirs["side"],
                theirs["position_side"],
            )
            assert ours.event_time_us == theirs["timestamp_us"]
    assert compared >= 10


@pytest.mark.parametrize("one_venue_for_both", [False, True])
def test_every_expected_trade_of_v5_comes_out_alike(one_venue_for_both: bool) -> None:
    compared = 0
    for row in rows():
        if retired(row):
            continue
        wanted = expected(row, "trade")
        venue = "bybit" if one_venue_for_both else venue_of(row)
        got = [event for event in read(row, venue) if isinstance(event, Trade)]
        # Spot names without a linear rule cannot be read as `bybit`; BTCUSDC is such a one.
        if one_venue_for_both and any("USDC" in event["symbol"] for event in wanted):
            assert got == []
            continue
        assert len(got) == len(wanted), row["fixture_id"]
        for ours, theirs in zip(got, wanted, strict=True):
            compared += 1
            assert (ours.symbol, ours.id, ours.price) == (
                theirs["symbol"],
                theirs["id"],
                theirs["price"],
            )
            assert amount(ours) == pytest.approx(theirs["amount"], rel=1e-12)
            assert ours.taker_side == theirs["side"]
            assert ours.event_time_us == theirs["timestamp_us"]
    assert compared >= 8


def test_folded_tickers_of_v5_agree_with_the_expected_state() -> None:
    """Theirs is the state after each message; ours are folded, as the framer does.

    Open interest is of one side here, and of both there.
    """
    state: dict[tuple[int, str], dict[str, Any]] = {}
    compared = 0
    for row in sorted(rows(), key=lambda one: (one["session"], one["seq"])):
        wanted = expected(row, "derivative_ticker")
        got = [event for event in read(row, venue_of(row)) if isinstance(event, Ticker)]
        if retired(row):
            continue
        # A delta without any value we keep may yield nothing on either side.
        assert len(got) == len(wanted), row["fixture_id"]
        for ours, theirs in zip(got, wanted, strict=True):
            interest = ours.open_interest_base
            if ours.open_interest_usd is not None:
                interest = ours.open_interest_usd / 1e6
            fields = {
                "lastPrice": ours.last_price,
                "markPrice": ours.mark_price,
                "indexPrice": ours.index_price,
                "openInterest": None if interest is None else interest * BYBIT.interest,
                "fundingRate": ours.funding_rate,
                "fundingTimestamp_us": ours.next_funding_us,
            }
            known = state.setdefault((row["session"], ours.symbol), dict.fromkeys(fields))
            known.update({name: value for name, value in fields.items() if value is not None})
            assert known == {name: theirs[name] for name in fields}, row["fixture_id"]
            assert ours.event_time_us == theirs["timestamp_us"]
            compared += 1
    assert compared >= 4


def test_book_snapshots_agree_and_deltas_are_ignored() -> None:
    snapshots = 0
    for row in rows():
        if retired(row):
            continue
        for theirs in expected(row, "book_change"):
            (ours,) = read(row, venue_of(row))
            if not theirs["isSnapshot"]:
                assert ours == Ignored("book_delta"), BOOK_DELTAS_ARE_LEFT_TO_THE_COLLECTOR
                continue
            assert isinstance(ours, Book)
            snapshots += 1
            assert [list(level) for level in ours.bids] == [
                [level["price"], level["amount"]] for level in theirs["bids"]
            ]
            assert [list(level) for level in ours.asks] == [
                [level["price"], level["amount"]] for level in theirs["asks"]
            ]
            assert ours.event_time_us == theirs["timestamp_us"]
    assert snapshots >= 2
