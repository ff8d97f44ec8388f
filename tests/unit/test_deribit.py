"""Deribit: a forced fill is a trade and a liquidation, and M and MT name the other party."""

import json
from typing import Any

import pytest

from streams.core.events import Book, Liquidation, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import deribit
from tests.outcomes import encoded, kinds, sole

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = Instruments({}, deribit.RULES)
PARSERS = {"deribit": deribit.parse}


def read(message: object, channel: str | None = None) -> list[Outcome]:
    return normalise(Raw("deribit", channel, "c0", NOW_US, encoded(message)), PARSERS, INSTRUMENTS)


def pushed(channel: str, data: Any) -> dict[str, Any]:
    params = {"channel": channel, "data": data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def row(**changes: Any) -> dict[str, Any]:
    one = {"trade_seq": 150000001, "trade_id": "260000001", "timestamp": 1790000000402}
    one |= {"tick_direction": 2, "price": 61500.5, "mark_price": 61505.2}
    one |= {"instrument_name": "BTC-PERPETUAL", "index_price": 61510.1, "direction": "sell"}
    one |= {"contracts": 100.0, "amount": 1000.0}
    return {key: value for key, value in {**one, **changes}.items() if value is not ...}


def trades(*rows: Any) -> dict[str, Any]:
    return pushed("trades.future.BTC.100ms", list(rows))


def sides(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(o.position_side, o.order_side) for o in outcomes if isinstance(o, Liquidation)]


LONG, SHORT = ("long", "sell"), ("short", "buy")


@pytest.mark.parametrize(
    ("flag", "direction", "closed"),
    [
        ("T", "sell", [LONG]),
        ("T", "buy", [SHORT]),
        ("M", "sell", [SHORT]),
        ("M", "buy", [LONG]),
        ("MT", "sell", [LONG, SHORT]),
        ("MT", "buy", [SHORT, LONG]),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_the_flag_says_who_was_liquidated_and_the_direction_is_the_takers(
    flag: str, direction: str, closed: list[tuple[str, str]], channel: str | None
) -> None:
    outcomes = read(trades(row(liquidation=flag, direction=direction)), channel)
    trade, *forced = outcomes
    assert isinstance(trade, Trade)
    assert (trade.taker_side, trade.id) == (direction, "260000001")
    assert sides(outcomes) == closed
    assert len(forced) == len(closed) == len({one.id for one in forced})  # type: ignore[union-attr]
    assert all(one.usd == trade.usd for one in forced)  # type: ignore[union-attr]


def test_an_inverse_amount_is_dollars_whatever_the_price() -> None:
    _, event = read(trades(row(liquidation="T", price=50000.0)))
    assert isinstance(event, Liquidation)
    assert (event.usd, event.base_qty, event.price) == (1_000_000_000, 0.02, 50000.0)
    assert (event.asset, event.contract, event.kind) == ("BTC", "inverse", "liquidation")
    assert (event.price_kind, event.completeness) == ("fill", "all")
    assert event.event_time_us == 1_790_000_000_402_000


def test_a_linear_amount_is_coins_and_its_dollars_are_exact() -> None:
    # 12.3 x 145.6789 = 1,791.85047 dollars.
    sol = row(instrument_name="SOL_USDC-PERPETUAL", price=145.6789, amount=12.3, liquidation="T")
    trade, event = read(trades(sol))
    assert isinstance(event, Liquidation)
    assert isinstance(trade, Trade)
    assert (event.usd, event.base_qty, event.contract) == (1_791_850_470, 12.3, "linear")
    assert (trade.usd, trade.base_qty) == (1_791_850_470, 12.3)


def test_prices_beyond_what_a_float_holds_are_counted_in_decimal() -> None:
    payload = json.dumps(trades(row(liquidation="T", instrument_name="BTC_USDC-PERPETUAL")))
    payload = payload.replace("61500.5", "61500.500000123456789").replace("1000.0", "70000.1")
    _, event = read(payload.encode())
    # 61500.500000123456789 x 70000.1 = 4,305,041,150.0586420987...
    assert isinstance(event, Liquidation)
    assert event.usd == 4_305_041_150_058_642


def test_a_trade_without_the_flag_is_a_trade_alone() -> None:
    for message in (trades(row()), trades(row(liquidation=None)), trades(row(), "odd")):
        first = read(message)[0]
        assert isinstance(first, Trade)
        assert (first.usd, first.taker_side, first.contract) == (1_000_000_000, "sell", "inverse")
    dated = read(trades(row(instrument_name="ETH-25DEC26", amount=7.0)))[0]
    assert isinstance(dated, Trade)
    assert (dated.asset, dated.usd) == ("ETH", 7_000_000)


def test_a_block_trade_is_off_the_book_but_a_forced_one_still_closed_a_position() -> None:
    assert kinds(read(trades(row(block_trade_id="BLOCK-1")))) == ["off_book"]
    forced = read(trades(row(block_trade_id="BLOCK-1", liquidation="T")))
    assert kinds(forced) == ["Liquidation"]
    assert kinds(read(trades(row(combo_id="BTC-FS-1", combo_trade_id="9")))) == ["Trade"]


def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one() -> None:
    for name, price in (("BTC-PERPETUAL", 62000.5), ("XRP_USDC-PERPETUAL", 0.5123)):
        one = row(instrument_name=name, price=price)
        assert read(trades(one, "odd"), "trade")[0] == read(trades(one), "trade")[0]


def test_a_message_sent_again_has_the_ids_that_it_had() -> None:
    message = trades(row(liquidation="MT"), row(trade_id="260000002", liquidation="T"))
    ids = [outcome.id for outcome in read(message)]  # type: ignore[union-attr]
    assert ids == [outcome.id for outcome in read(message)]  # type: ignore[union-attr]
    assert len(set(ids)) == 5


def test_a_polled_answer_has_the_same_events_as_the_channel() -> None:
    rows = [row(liquidation="M"), row(trade_id="260000003")]
    answer = {"jsonrpc": "2.0", "id": 7, "result": {"trades": rows, "has_more": False}}
    assert read(answer) == read(trades(*rows))
    assert kinds(read({"id": 7, "result": {"trades": {}}})) == ["wrong_type"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 0}, "not_positive"),
        ({"price": -1.5}, "not_positive"),
        ({"price": "NaN"}, "not_finite"),
        ({"amount": [1]}, "wrong_type"),
        ({"price": ...}, "missing_field"),
        ({"trade_id": [7]}, "wrong_type"),
        ({"timestamp": None}, "missing_field"),
        ({"timestamp": 1790000060000}, "future_skew"),
        ({"direction": 5}, "wrong_type"),
        ({"instrument_name": "BTC-25DEC26-60000-C"}, "unknown_instrument"),
        ({"instrument_name": "ETH_BTC"}, "unknown_instrument"),
        ({"instrument_name": "BTC"}, "unknown_instrument"),
    ],
)
@pytest.mark.parametrize("flag", [..., "T"])
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str, flag: Any
) -> None:
    good = row(liquidation=flag)
    bad = row(**{"liquidation": flag, **change})
    expected = ["Trade"] if flag is ... else ["Trade", "Liquidation"]
    found = kinds(read(trades(good, bad, good)))
    # What is seen only when the event is made is seen of the trade and of the forced order.
    rejected = found[len(expected) : -len(expected)]
    assert set(rejected) == {reason}
    assert found == [*expected, *rejected, *expected]


def ticker(**changes: Any) -> dict[str, Any]:
    data = {"timestamp": 1790000000500, "state": "open", "stats": {"volume": 1.5}}
    data |= {"open_interest": 900000000.0, "mark_price": 62001.2, "index_price": 62003.0}
    data |= {"last_price": 62000.5, "current_funding": -1.5e-05, "funding_8h": 0.0001}
    data |= {"instrument_name": "BTC-PERPETUAL"}
    return pushed("ticker.BTC-PERPETUAL.100ms", {**data, **changes})


def the_ticker(message: object) -> Ticker:
    return sole(Ticker, read(message))


def test_a_ticker_of_an_inverse_contract_has_dollars_and_funding_for_eight_hours() -> None:
    event = the_ticker(ticker())
    assert (event.mark_price, event.index_price, event.last_price) == (62001.2, 62003.0, 62000.5)
    assert (event.open_interest_base, event.open_interest_usd) == (None, 900_000_000_000_000)
    assert (event.funding_rate, event.funding_interval_s) == (-1.5e-05, 28_800)
    assert event.next_funding_us is None
    assert event.event_time_us == 1_790_000_000_500_000


def test_a_ticker_of_a_linear_contract_has_coins() -> None:
    event = the_ticker(ticker(instrument_name="ETH_USDC-PERPETUAL", open_interest=2500.25))
    assert (event.open_interest_base, event.open_interest_usd) == (2500.25, None)


def test_a_contract_without_funding_or_trades_leaves_them_open() -> None:
    event = the_ticker(ticker(current_funding=None, last_price=None, index_price=0))
    assert (event.funding_rate, event.funding_interval_s) == (None, None)
    assert (event.last_price, event.index_price) == (None, None)
    nothing = dict.fromkeys(
        ("mark_price", "index_price", "last_price", "open_interest", "current_funding")
    )
    assert kinds(read(ticker(**nothing))) == ["empty"]
    assert kinds(read(ticker(mark_price=0))) == ["not_positive"]
    assert kinds(read(ticker(open_interest=-1))) == ["not_positive"]
    assert kinds(read(ticker(instrument_name="BTC-25DEC26-60000-C"))) == ["unknown_instrument"]


def levels(**changes: Any) -> dict[str, Any]:
    data = {"timestamp": 1790000000500, "instrument_name": "BTC-PERPETUAL", "change_id": 55}
    data |= {"bids": [[50000.0, 1000.0]], "asks": [[62500.0, 500.0]]}
    return {**data, **changes}


def test_a_book_of_an_inverse_contract_is_in_coins() -> None:
    (event,) = read(pushed("book.BTC-PERPETUAL.none.10.100ms", levels()))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((50000.0, 0.02),), ((62500.0, 0.008),))


def test_the_first_message_of_a_change_feed_is_a_book_and_the_rest_are_left() -> None:
    bids, asks = [["new", 50000.0, 1000.0]], [["new", 62500.0, 500.0]]
    snapshot = levels(type="snapshot", bids=bids, asks=asks)
    (event,) = read(pushed("book.BTC-PERPETUAL.100ms", snapshot))
    assert isinstance(event, Book)
    assert event.bids == ((50000.0, 0.02),)
    change = levels(type="change", prev_change_id=54, bids=[["delete", 50000.0, 0.0]], asks=[])
    assert kinds(read(pushed("book.BTC-PERPETUAL.100ms", change))) == ["book_delta"]
    assert kinds(read(pushed("book.BTC-PERPETUAL.100ms", levels(type=7)))) == ["unknown_message"]
    assert kinds(read(pushed("book.B.100ms", levels(bids=[["gone", 1, 2]])))) == ["wrong_type"]
    assert kinds(read(pushed("book.B.100ms", levels(bids=[])))) == ["empty"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"jsonrpc": "2.0", "id": 1, "result": ["trades.BTC-PERPETUAL.100ms"]}, "control"),
        ({"jsonrpc": "2.0", "id": 1, "result": {"version": "1.2.26"}}, "control"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": 13009}}, "control"),
        ({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}, "control"),
        ({"method": "subscription"}, "missing_field"),
        ({"method": "subscription", "params": []}, "wrong_type"),
        ({"method": "subscription", "params": {"data": {}}}, "missing_field"),
        ({"method": "subscription", "params": {"channel": "trades.X"}}, "missing_field"),
        (pushed("trades.BTC-PERPETUAL.100ms", {}), "wrong_type"),
        (pushed("trades.BTC-PERPETUAL.100ms", []), "empty"),
        (pushed("trades.BTC-PERPETUAL.100ms", [5]), "wrong_type"),
        (pushed("trades.option.BTC.100ms", [{}]), "unused_channel"),
        (pushed("trades.future_combo.BTC.100ms", [{}]), "unused_channel"),
        (pushed("quote.BTC-PERPETUAL", {}), "unused_channel"),
        (pushed("deribit_price_index.btc_usd", {}), "unused_channel"),
        (pushed("weather.BTC", {}), "unknown_channel"),
        (pushed("ticker.BTC-PERPETUAL.100ms", []), "wrong_type"),
        ({}, "unknown_message"),
        ({"trades": []}, "unknown_message"),
        (b"[]", "wrong_type"),
        (b"nonsense", "invalid_json"),
        (b'{"method":"\xff"}', "invalid_utf8"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    message: object, reason: str, channel: str | None
) -> None:
    assert kinds(read(message, channel)) == [reason]


def test_the_feed_is_complete_at_any_time() -> None:
    assert feed("deribit", NOW_US).feed_class == "full"
