"""OKX fixtures of an independent normaliser: ours agree, but for the deviations named here.

The fixtures' receive clock is a constant of the other project's tests, so the parser is called
without the shared clock checks, and liquidations are read as received when they happened.
"""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from streams.core.events import Book, Ignored, Liquidation, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instrument, Instruments
from streams.venues import okx
from streams.venues.tape import REPLAY_US

FIXTURES: Final = (
    Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fixtures" / "dev.jsonl"
)

FIRST_MESSAGE_AFTER_A_SUBSCRIBE_IS_KEPT: Final = {"okex-futures:030"}
"""They drop it as a replay; ours ignores what is older than ten minutes and dedupes the rest."""
AMOUNTS_ARE_COINS: Final = "their amount and open interest are contracts; ours times ctVal"
INDEX_PRICES_KEEP_THE_INDEX_NAME: Final = "they join the index price into the contract's ticker"
BOOK_UPDATES_ARE_LEFT_TO_THE_COLLECTOR: Final = "updates of full books"

CONTRACTS: Final = {
    "FIL-USD-220325": "10",
    "FIL-USDT-220325": "0.1",
    "ADA-USDT-211224": "100",
    "BTC-USD-220624": "100",
    "BTC-USDT-211231": "0.01",
    "XRP-USD-230929": "10",
    "BTC-USD_UM_XPERP-310404": "0.0001",
    "WNCG-USDT-SWAP": "1",
    "SOS-USDT-SWAP": "100000",
    "BTC-USDT-SWAP": "0.01",
    "BTC-USDC-SWAP": "0.0001",
}


def contract(symbol: str, size: str) -> Instrument:
    asset, quote = symbol.split("-")[:2]
    kind = "inverse" if quote == "USD" else "linear"
    return Instrument(
        "okx",
        symbol,
        asset,
        quote.partition("_")[0],
        "inverse" if kind == "inverse" else "linear",
        "contracts",
        Decimal(size),
    )


INSTRUMENTS: Final = Instruments(
    {("okx", symbol): contract(symbol, size) for symbol, size in CONTRACTS.items()}, okx.RULES
)


def rows() -> list[dict[str, Any]]:
    if not FIXTURES.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the fixtures are missing: {FIXTURES.name}")
        pytest.skip("the shared fixtures are not on this machine")
    lines = FIXTURES.read_text().splitlines()
    return [row for line in lines if (row := json.loads(line))["venue"] == "okx"]


def read(row: dict[str, Any], received_at_us: int | None = None) -> list[Outcome]:
    received = row["received_at_us"] if received_at_us is None else received_at_us
    payload = json.dumps(row["payload"]).encode()
    return okx.parse(Raw("okx", None, "golden", received, payload), INSTRUMENTS)


def retired(row: dict[str, Any]) -> bool:
    """Of an API before v5; `test_agreement` holds those."""
    return "table" in row["payload"]


def face(symbol: str) -> float:
    return float(CONTRACTS.get(symbol, "1"))


def contracts(event: Liquidation | Trade) -> float:
    """The venue's own size, back from ours (see AMOUNTS_ARE_COINS)."""
    if event.contract == "inverse":
        return event.usd / 1e6 / face(event.symbol)
    assert event.base_qty is not None
    return event.base_qty / face(event.symbol)


def expected(row: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [event for event in row["expected"] if event["type"] in kinds]


def test_every_expected_liquidation_of_v5_comes_out_alike() -> None:
    compared = 0
    for row in rows():
        if retired(row):
            continue
        wanted = expected(row, "liquidation")
        when = wanted[0]["timestamp_us"] if wanted else None
        got = [event for event in read(row, when) if isinstance(event, Liquidation)]
        if row["fixture_id"] in FIRST_MESSAGE_AFTER_A_SUBSCRIBE_IS_KEPT:
            assert (len(got), wanted) == (1, [])
            late = read(row, got[0].event_time_us + REPLAY_US + 1)
            assert late == [Ignored("replayed")]
            continue
        assert len(got) == len(wanted), row["fixture_id"]
        for ours, theirs in zip(got, wanted, strict=True):
            compared += 1
            assert (ours.symbol, ours.price) == (theirs["symbol"], theirs["price"])
            assert contracts(ours) == pytest.approx(theirs["amount"], rel=1e-12)
            assert (ours.order_side, ours.position_side) == (
                theirs["side"],
                theirs["position_side"],
            )
            assert ours.event_time_us == theirs["timestamp_us"]
    assert compared >= 3


def test_the_message_repeated_after_a_subscribe_has_the_id_it_had() -> None:
    by_id = {row["fixture_id"]: row for row in rows()}
    first, again = (read(by_id[name])[0] for name in ("okex-futures:030", "okex-futures:031"))
    assert isinstance(first, Liquidation)
    assert isinstance(again, Liquidation)
    assert first.id == again.id


def test_every_expected_trade_of_v5_comes_out_alike() -> None:
    compared = 0
    for row in rows():
        if retired(row):
            continue
        wanted = expected(row, "trade")
        got = [event for event in read(row) if isinstance(event, Trade)]
        assert len(got) == len(wanted), row["fixture_id"]
        for ours, theirs in zip(got, wanted, strict=True):
            compared += 1
            assert (ours.symbol, ours.id, ours.price) == (
                theirs["symbol"],
                theirs["id"],
                theirs["price"],
            )
            assert contracts(ours) == pytest.approx(theirs["amount"], rel=1e-12), AMOUNTS_ARE_COINS
            assert ours.taker_side == theirs["side"]
            assert ours.event_time_us == theirs["timestamp_us"]
    assert compared >= 4


def test_folded_tickers_of_v5_agree_with_the_expected_state() -> None:
    """Theirs is the state after each message; ours are folded, as the framer does."""
    state: dict[tuple[int, str], dict[str, Any]] = {}
    compared = 0
    for row in sorted(rows(), key=lambda one: (one["session"], one["seq"])):
        if retired(row):
            continue
        wanted = expected(row, "derivative_ticker")
        for ours in [event for event in read(row) if isinstance(event, Ticker)]:
            interest = None
            if ours.open_interest_base is not None:
                interest = ours.open_interest_base / face(ours.symbol)
            fields = {
                "lastPrice": ours.last_price,
                "markPrice": ours.mark_price,
                "indexPrice": ours.index_price,
                "openInterest": interest,
                "fundingRate": ours.funding_rate,
                "fundingTimestamp_us": ours.next_funding_us,
                "timestamp_us": ours.event_time_us,
            }
            key = (row["session"], ours.symbol)
            known = state.setdefault(key, dict.fromkeys(fields))
            before = known["timestamp_us"]
            known.update({name: value for name, value in fields.items() if value is not None})
            known["timestamp_us"] = max(ours.event_time_us, before or 0)
            for theirs in wanted:
                compared += 1
                assert theirs["symbol"] == ours.symbol
                for name in fields.keys() - {"indexPrice"}:
                    assert known[name] == theirs[name], (row["fixture_id"], name)
    assert compared >= 14


def test_index_prices_agree_under_the_name_of_the_index() -> None:
    """See INDEX_PRICES_KEEP_THE_INDEX_NAME: the value is the same, the symbol the index's."""
    seen = 0
    for row in rows():
        if row["payload"].get("arg", {}).get("channel") != "index-tickers":
            continue
        (ours,) = read(row)
        assert isinstance(ours, Ticker)
        assert ours.symbol == row["payload"]["arg"]["instId"]
        assert ours.index_price == float(row["payload"]["data"][0]["idxPx"])
        assert ours.contract == "spot"
        seen += 1
    assert seen >= 5, INDEX_PRICES_KEEP_THE_INDEX_NAME


def test_book_snapshots_agree_and_updates_are_ignored() -> None:
    snapshots = 0
    for row in rows():
        if retired(row):
            continue
        for theirs in expected(row, "book_change"):
            (ours,) = read(row)
            if not theirs["isSnapshot"]:
                assert ours == Ignored("book_delta"), BOOK_UPDATES_ARE_LEFT_TO_THE_COLLECTOR
                continue
            assert isinstance(ours, Book)
            snapshots += 1
            for side, levels in (("bids", ours.bids), ("asks", ours.asks)):
                assert [(price, size / face(ours.symbol)) for price, size in levels] == [
                    (level["price"], level["amount"]) for level in theirs[side]
                ]
            assert ours.event_time_us == theirs["timestamp_us"]
    assert snapshots >= 2
