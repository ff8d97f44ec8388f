"""BitMEX tables become canonical events with the right side, unit and reason."""

import json
from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import Book, Liquidation, Outcome, Raw, Rejected, Ticker, Trade
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import bitmex
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
AT_US = 1_790_000_000_500_000
AT = "2026-09-21T14:13:20.500Z"
PARSERS = {"bitmex": bitmex.parse}
INSTRUMENTS = Instruments(
    {
        ("bitmex", "XBTUSDT"): Instrument(
            *("bitmex", "XBTUSDT", "BTC", "USDT", "linear", "contracts"), Decimal("0.000001")
        ),
        ("bitmex", "ETHUSD"): Instrument(
            *("bitmex", "ETHUSD", "ETH", "USD", "quanto", "contracts"), Decimal("0.000001")
        ),
    },
    bitmex.RULES,
)


def read(message: object, channel: str | None = None) -> list[Outcome]:
    return normalise(Raw("bitmex", channel, "c0", NOW_US, encoded(message)), PARSERS, INSTRUMENTS)


def table(name: str, action: str, *rows: Any) -> dict[str, Any]:
    return {"table": name, "action": action, "data": list(rows)}


def order(**changes: Any) -> dict[str, Any]:
    row = {"orderID": "00000000-aaaa-4bbb-8ccc-000000000001", "symbol": "XBTUSD", "side": "Sell"}
    return {**row, "price": 61500.5, "leavesQty": 20000, **changes}


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"timestamp": AT, "symbol": "XBTUSD", "side": "Buy", "size": 1000, "price": 62000.5}
    worth = {"grossValue": 1612890, "homeNotional": 0.0161289, "foreignNotional": 1000}
    match = {"trdMatchID": "00000000-0000-0000-0000-0000000000aa", "trdType": "Regular"}
    return {**row, **worth, **match, **changes}


def liquidations(*rows: Any) -> list[Liquidation]:
    return all_of(Liquidation, read(table("liquidation", "insert", *rows)))


def the_trade(**changes: Any) -> Trade:
    return sole(Trade, read(table("trade", "insert", trade_row(**changes)), "trade"))


def the_ticker(action: str = "update", **values: Any) -> Ticker:
    row = {"symbol": "XBTUSD", "timestamp": AT, **values}
    return sole(Ticker, read(table("instrument", action, row)))


@pytest.mark.parametrize(
    ("side", "position", "sign"), [("Sell", "long", "sell"), ("Buy", "short", "buy")]
)
def test_the_side_is_the_orders_and_the_time_is_that_of_receipt(
    side: str, position: str, sign: str
) -> None:
    (event,) = liquidations(order(side=side))
    assert (event.position_side, event.order_side) == (position, sign)
    assert (event.contract, event.usd, event.price) == ("inverse", 20_000_000_000, 61500.5)
    assert event.base_qty == pytest.approx(0.325200, abs=1e-6)
    assert (event.price_kind, event.completeness, event.kind) == (
        *("bankruptcy", "all"),
        "liquidation",
    )
    assert event.event_time_us == event.received_at_us == NOW_US
    assert feed("bitmex", NOW_US).feed_class == "full"


def test_a_linear_contract_is_a_part_of_a_coin() -> None:
    (event,) = liquidations(order(symbol="XBTUSDT", leavesQty=350_100, price=61500.3))
    # 350,100 x 0.000001 BTC x 61,500.3
    assert (event.asset, event.usd, event.base_qty) == ("BTC", 21_531_255_030, 0.3501)
    (dated,) = liquidations(order(symbol="XBTZ26"))
    assert (dated.contract, dated.usd) == ("inverse", 20_000_000_000)


def test_an_order_is_counted_by_its_insert_alone() -> None:
    (event,) = liquidations(order())
    key = {"orderID": order()["orderID"], "symbol": "XBTUSD"}
    assert reasons(read(table("liquidation", "update", key | {"leavesQty": 8000}))) == ["empty"]
    assert reasons(read(table("liquidation", "delete", key))) == ["empty"]
    partial = table("liquidation", "partial", order(), order()) | {"keys": ["orderID"]}
    assert reasons(read(partial)) == ["replayed", "replayed"]
    (again,) = liquidations(order(price=61400))
    assert again.id == event.id
    (other,) = liquidations(order(orderID="00000000-aaaa-4bbb-8ccc-000000000002"))
    assert other.id != event.id


def test_a_quanto_order_has_no_dollars_that_the_message_knows() -> None:
    (outcome,) = read(table("liquidation", "insert", order(symbol="ETHUSD")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_notional"
    assert "bitcoin" in outcome.detail


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"leavesQty": 0}, "not_positive"),
        ({"leavesQty": None}, "missing_field"),
        ({"price": None}, "missing_field"),
        ({"price": -5.5}, "not_positive"),
        ({"price": "x"}, "wrong_type"),
        ({"price": True}, "wrong_type"),
        ({"leavesQty": 10**17, "symbol": "XBTUSD"}, "not_finite"),
        ({"side": ""}, "missing_field"),
        ({"side": "sell"}, "unknown_side"),
        ({"orderID": 5}, "wrong_type"),
        ({"symbol": "NEWUSDT"}, "unknown_instrument"),
        ({"symbol": "ETHZ26"}, "unknown_instrument"),
        ({"symbol": "XBTEUR"}, "unknown_instrument"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(table("liquidation", "insert", order(), order(**change), 7, order()))
    assert reasons(outcomes) == ["event", reason, "wrong_type", "event"]


@pytest.mark.parametrize(("side", "taker"), [("Buy", "buy"), ("Sell", "sell")])
def test_a_trade_states_its_coins_and_dollars(side: str, taker: str) -> None:
    event = the_trade(side=side)
    assert (event.taker_side, event.id) == (taker, "00000000-0000-0000-0000-0000000000aa")
    assert (event.price, event.base_qty, event.usd) == (62000.5, 0.0161289, 1_000_000_000)
    assert (event.contract, event.event_time_us) == ("inverse", AT_US)


def test_a_quanto_trade_is_what_it_states_and_nothing_without() -> None:
    event = the_trade(symbol="ETHUSD", price=2500.5, homeNotional=0.5, foreignNotional=1250.25)
    assert (event.contract, event.usd, event.base_qty) == ("quanto", 1_250_250_000, 0.5)
    row = trade_row(symbol="ETHUSD", foreignNotional=None)
    assert reasons(read(table("trade", "insert", row))) == ["missing_field"]


def test_a_trade_that_states_nothing_follows_from_its_contract() -> None:
    event = the_trade(homeNotional=None, foreignNotional=None, price=50000)
    assert (event.usd, event.base_qty) == (1_000_000_000, 0.02)
    linear = the_trade(symbol="XBTUSDT", homeNotional=None, price=50000)
    assert (linear.usd, linear.base_qty) == (50_000_000, 0.001)


def test_only_regular_trades_are_on_the_book_and_a_partial_repeats() -> None:
    rows = [trade_row(), trade_row(trdType="Referential"), trade_row(trdType=5)]
    outcomes = reasons(read(table("trade", "insert", *rows)))
    assert outcomes == ["event", "off_book", "unknown_message"]
    assert reasons(read(table("trade", "partial", *rows))) == ["replayed"] * 3


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    changes: list[dict[str, Any]] = [
        *({"price": 0}, {"size": []}, {"side": 5}, {"timestamp": "yesterday"}),
        *({"timestamp": "2026-09-21T12:00:00"}, {"trdMatchID": None}, {"homeNotional": -1.0}),
    ]
    rows = [trade_row(**change) for change in changes]
    outcomes = read(table("trade", "insert", trade_row(), *rows, None, trade_row()), "trade")
    assert reasons(outcomes) == [
        *("event", "not_positive", "wrong_type", "wrong_type", "wrong_type"),
        *("wrong_type", "missing_field", "not_positive", "wrong_type", "event"),
    ]


def test_numbers_are_read_as_they_are_written() -> None:
    payload = json.dumps(table("trade", "insert", trade_row(foreignNotional=1))).encode()
    exact = payload.replace(b'"foreignNotional": 1', b'"foreignNotional": 1234567.1234564999')
    (event,) = read(exact)
    assert isinstance(event, Trade)
    assert event.usd == 1_234_567_123_456


def test_an_instrument_row_is_a_partial_ticker() -> None:
    whole = the_ticker(
        "partial",
        markPrice=62001.1,
        indicativeSettlePrice=62003,
        lastPrice=62000.5,
        openInterest=450000000,
        fundingRate=-0.0001,
        indicativeFundingRate=0.00008,
        fundingTimestamp="2026-09-21T20:00:00.000Z",
        fundingInterval="2000-01-01T08:00:00.000Z",
    )
    assert (whole.mark_price, whole.index_price, whole.last_price) == (62001.1, 62003.0, 62000.5)
    assert (whole.open_interest_usd, whole.open_interest_base) == (450_000_000_000_000, None)
    assert (whole.funding_rate, whole.funding_interval_s) == (-0.0001, 28_800)
    assert whole.next_funding_us == 1_790_020_800_000_000
    assert whole.event_time_us == AT_US
    sparse = the_ticker(markPrice=62001.1)
    assert (sparse.mark_price, sparse.last_price, sparse.funding_rate) == (62001.1, None, None)
    untimed = the_ticker(timestamp=None, lastPrice=5)
    assert untimed.event_time_us == NOW_US


def test_open_interest_is_coins_of_linear_and_unknown_of_quanto_contracts() -> None:
    linear = the_ticker(symbol="XBTUSDT", openInterest=18849480)
    assert linear.open_interest_base == pytest.approx(18.84948)
    assert linear.open_interest_usd is None
    quanto = the_ticker(symbol="ETHUSD", openInterest=5000, markPrice=2500.5)
    assert (quanto.open_interest_base, quanto.open_interest_usd) == (None, None)
    assert quanto.mark_price == 2500.5


def test_instrument_rows_without_a_value_say_why() -> None:
    rows = [
        {"symbol": "XBTUSD", "timestamp": AT, "volume": 5},
        {"symbol": ".BXBT", "timestamp": AT, "lastPrice": 5},
        {"symbol": "XBTUSD", "markPrice": 0},
        {"symbol": "XBTUSD", "fundingInterval": "2000-01-01T00:00:00.000Z"},
        {"symbol": "XBTUSD", "markPrice": 5, "timestamp": "x"},
        {"symbol": "NEWUSDT", "markPrice": 5},
    ]
    assert reasons(read(table("instrument", "update", *rows))) == [
        *("empty", "unused_channel", "not_positive", "not_positive"),
        *("wrong_type", "unknown_instrument"),
    ]
    assert reasons(read(table("instrument", "delete", {"symbol": "XBTUSD"}))) == ["empty"]


def test_a_funding_that_was_paid_tells_only_its_cycle() -> None:
    row = {"timestamp": AT, "symbol": "XBTUSD", "fundingRate": 0.0001}
    row |= {"fundingInterval": "2000-01-01T04:00:00.000Z", "fundingRateDaily": 0.0006}
    (event,) = read(table("funding", "insert", row))
    assert isinstance(event, Ticker)
    assert (event.funding_interval_s, event.funding_rate, event.next_funding_us) == (
        *(14_400, None),
        None,
    )
    assert reasons(read(table("funding", "partial", row))) == ["replayed"]


def levels(**changes: Any) -> dict[str, Any]:
    row = {"symbol": "XBTUSD", "bids": [[50000, 15000]], "asks": [[50000.5, 12000], [50001, 5]]}
    return {**row, "timestamp": AT, **changes}


@pytest.mark.parametrize("action", ["partial", "insert", "update"])
def test_a_book_is_whole_in_every_action_and_in_coins(action: str) -> None:
    (event,) = read(table("orderBook10", action, levels()))
    assert isinstance(event, Book)
    assert event.bids == ((50000.0, 0.3),)
    assert event.asks[0] == pytest.approx((50000.5, 0.2399976))
    assert event.event_time_us == AT_US
    (other,) = read(table("orderBook10", action, levels(bids=[[50000, 15001]])))
    assert isinstance(other, Book)
    assert other.id != event.id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bids": []}, "empty"),
        ({"bids": [[1]]}, "missing_field"),
        ({"bids": "x"}, "wrong_type"),
        ({"asks": [[49999, 5]]}, "crossed_book"),
        ({"asks": [[0, 5]]}, "not_positive"),
        ({"timestamp": None}, "missing_field"),
        ({"symbol": "NEWUSDT"}, "unknown_instrument"),
        ({"symbol": "ETHUSD"}, "unused_channel"),
    ],
)
def test_a_bad_book_is_rejected(change: dict[str, Any], reason: str) -> None:
    assert reasons(read(table("orderBook10", "update", levels(**change)))) == [reason]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"pong", "control"),
        (b"pon", "invalid_json"),
        (b'{"table":"\xff"}', "invalid_utf8"),
        (b"[]", "wrong_type"),
        (b"{}", "unknown_message"),
        (b'{"info":"Welcome","version":"2","limit":{"remaining":39}}', "control"),
        (b'{"success":true,"subscribe":"liquidation","request":{"op":"subscribe"}}', "control"),
        (b'{"status":400,"error":"Unknown table","request":{}}', "control"),
        (b'{"table":5}', "wrong_type"),
        (b'{"table":"liquidation","data":[]}', "unknown_message"),
        (b'{"table":"liquidation","action":"upsert","data":[]}', "unknown_message"),
        (b'{"table":"liquidation","action":[],"data":[]}', "unknown_message"),
        (b'{"table":"liquidation","action":"insert"}', "missing_field"),
        (b'{"table":"liquidation","action":"insert","data":{}}', "wrong_type"),
        (b'{"table":"liquidation","action":"partial","data":[]}', "empty"),
        (b'{"table":"orderBook10","action":"delete","data":[{}]}', "empty"),
        (b'{"table":"orderBookL2_25","action":"insert","data":[{}]}', "book_delta"),
        (b'{"table":"insurance","action":"insert","data":[{}]}', "unused_channel"),
        (b'{"table":"quote","action":"insert","data":[{}]}', "unused_channel"),
        (b'{"table":"weather","action":"insert","data":[{}]}', "unknown_channel"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    payload: bytes, reason: str, channel: str | None
) -> None:
    assert reasons(read(payload, channel)) == [reason]
