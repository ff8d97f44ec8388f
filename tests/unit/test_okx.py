"""OKX messages become canonical events with the right side, unit and reason."""

from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import (
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Trade,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.venues import okx
from streams.venues.tape import REPLAY_US
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
PARSERS = {"okx": okx.parse}


def contract(symbol: str, size: str) -> Instrument:
    asset, quote = symbol.split("-")[:2]
    return Instrument(
        "okx",
        symbol,
        asset,
        quote,
        "inverse" if quote == "USD" else "linear",
        "contracts",
        Decimal(size),
    )


INSTRUMENTS = Instruments(
    {
        ("okx", symbol): contract(symbol, size)
        for symbol, size in {
            "BTC-USDT-SWAP": "0.01",
            "ETH-USDT-SWAP": "0.1",
            "BTC-USD-SWAP": "100",
            "XRP-USD-260925": "10",
            "PEPE-USDT-SWAP": "10000000",
        }.items()
    },
    okx.RULES,
)


def read(message: object, channel: str | None = None, now_us: int = NOW_US) -> list[Outcome]:
    return normalise(Raw("okx", channel, "c0", now_us, encoded(message)), PARSERS, INSTRUMENTS)


def detail(**changes: Any) -> dict[str, Any]:
    row = {"side": "sell", "posSide": "long", "bkPx": "61500.0", "sz": "35", "bkLoss": "0"}
    return {**row, "ccy": "", "ts": "1790000000402", **changes}


def forced(*details: Any, symbol: str = "BTC-USDT-SWAP", kind: str = "SWAP") -> dict[str, Any]:
    arg = {"channel": "liquidation-orders", "instType": kind}
    return {"arg": arg, "data": [{"instType": kind, "instId": symbol, "details": list(details)}]}


def pushed(channel: str, *rows: Any, symbol: str = "BTC-USDT-SWAP") -> dict[str, Any]:
    rows_ = [{"instId": symbol, **row} if isinstance(row, dict) else row for row in rows]
    return {"arg": {"channel": channel, "instId": symbol}, "data": rows_}


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"tradeId": "900000001", "px": "62000.1", "sz": "12", "side": "buy"}
    return {**row, "ts": "1790000000500", "count": "3", **changes}


def liquidations(message: object) -> list[Liquidation]:
    return all_of(Liquidation, read(message))


def the_trade(message: object, channel: str | None = "trade") -> Trade:
    return sole(Trade, read(message, channel))


@pytest.mark.parametrize(
    ("side", "position", "order"), [("sell", "long", "sell"), ("buy", "short", "buy")]
)
@pytest.mark.parametrize("position_field", ["same", "net", "hedge", "", None])
def test_the_orders_side_decides_where_the_position_field_does_not_contradict(
    side: str, position: str, order: str, position_field: str | None
) -> None:
    said = position if position_field == "same" else position_field
    row = detail(side=side, posSide=said)
    if said is None:
        del row["posSide"]
    (event,) = liquidations(forced(row))
    assert (event.position_side, event.order_side) == (position, order)


@pytest.mark.parametrize(("side", "held"), [("sell", "short"), ("buy", "long")])
def test_an_order_that_does_not_close_the_position_told_is_rejected(side: str, held: str) -> None:
    outcomes = read(forced(detail(), detail(side=side, posSide=held), detail()))
    assert reasons(outcomes) == ["event", "unknown_side", "event"]


def test_a_polled_answer_tells_what_the_pushed_message_told() -> None:
    pushed_ = forced(detail(), detail(side="buy", posSide="short"))
    named = {"uly": "BTC-USDT", "totalLoss": "0"}
    answer: dict[str, Any] = {"code": "0", "msg": "", "data": [{**pushed_["data"][0], **named}]}
    assert read(answer) == read(pushed_)
    older = [{"time" if key == "ts" else key: value for key, value in detail().items()}]
    answer["data"] = [{**forced()["data"][0], "details": older}, 7, {"instId": "BTC-USDT-SWAP"}]
    assert read(answer)[0] == read(forced(detail()))[0]
    assert reasons(read(answer)) == ["event", "wrong_type", "missing_field"]
    (unstamped,) = read(forced({**detail(), "ts": None}))
    assert unstamped == Rejected("missing_field", "field 'ts' is absent or empty")


def test_a_liquidation_counts_contracts_by_their_value() -> None:
    (event,) = liquidations(forced(detail()))
    assert (event.base_qty, event.usd) == (0.35, 21_525_000_000)
    assert (event.asset, event.contract, event.price) == ("BTC", "linear", 61500.0)
    assert (event.price_kind, event.completeness, event.kind) == (
        "bankruptcy",
        "sampled",
        "liquidation",
    )
    assert event.event_time_us == 1_790_000_000_402_000


def test_an_inverse_contract_is_its_face_in_dollars_whatever_the_price() -> None:
    (btc,) = liquidations(forced(detail(bkPx="50000"), symbol="BTC-USD-SWAP"))
    (xrp,) = liquidations(
        forced(detail(bkPx="0.5", sz="39"), symbol="XRP-USD-260925", kind="FUTURES")
    )
    assert (btc.contract, btc.usd, btc.base_qty) == ("inverse", 3_500_000_000, 0.07)
    assert (xrp.usd, xrp.base_qty) == (390_000_000, 780.0)


def test_a_contract_of_ten_million_coins_is_counted_in_coins() -> None:
    (event,) = liquidations(forced(detail(bkPx="0.00001", sz="3"), symbol="PEPE-USDT-SWAP"))
    assert (event.base_qty, event.usd, event.price) == (30_000_000.0, 300_000_000, 0.00001)


def test_all_instruments_and_all_details_become_events() -> None:
    message = forced(detail(), detail(side="buy", posSide="short"), detail(ts="1790000000999"))
    other = forced(detail(), detail(sz="1"), symbol="ETH-USDT-SWAP")
    message["data"] += other["data"]
    events = liquidations(message)
    assert [event.asset for event in events] == ["BTC", "BTC", "BTC", "ETH", "ETH"]
    assert len({event.id for event in events}) == 5


def test_equal_details_are_distinct_orders_and_a_repeated_message_has_equal_ids() -> None:
    message = forced(detail(), detail())
    message["data"] += forced(detail())["data"]
    ids = [event.id for event in liquidations(message)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in liquidations(message)]
    again = liquidations(forced(detail(posSide="net", bkPx="61500.00", sz=35)))
    assert again[0].id == ids[0]


def test_entries_sent_again_after_a_subscribe_are_replayed_when_older_than_ten_minutes() -> None:
    old = detail(ts=str((NOW_US - REPLAY_US) // 1000 - 1))
    edge = detail(ts=str((NOW_US - REPLAY_US) // 1000))
    assert reasons(read(forced(old, edge, detail()))) == ["replayed", "event", "event"]


@pytest.mark.parametrize("kind", ["MARGIN", "OPTION"])
def test_margin_and_option_liquidations_are_not_used(kind: str) -> None:
    assert reasons(read(forced(detail(), symbol="BTC-USDT", kind=kind))) == ["unused_channel"]


def test_an_instrument_without_a_row_is_never_guessed() -> None:
    (outcome,) = read(forced(detail(), symbol="BTC-USDT-260925", kind="FUTURES"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_instrument"
    assert "BTC-USDT-260925" in outcome.detail


def test_a_polled_archive_message_names_its_instrument_in_arg() -> None:
    message = {
        "arg": {"channel": "liquidations", "instId": "BTC-USDT-SWAP", "generated": True},
        "data": [detail()],
    }
    (event,) = liquidations(message)
    assert (event.symbol, event.usd) == ("BTC-USDT-SWAP", 21_525_000_000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sz": "NaN"}, "not_finite"),
        ({"sz": "1e999"}, "not_finite"),
        ({"sz": "1e17", "bkPx": "1e17"}, "not_finite"),
        ({"sz": "0"}, "not_positive"),
        ({"bkPx": "-1"}, "not_positive"),
        ({"bkPx": [1]}, "wrong_type"),
        ({"sz": "lots"}, "wrong_type"),
        ({"bkPx": ""}, "missing_field"),
        ({"ts": None}, "missing_field"),
        ({"ts": "1790000060000"}, "future_skew"),
        ({"side": "both"}, "unknown_side"),
        ({"side": "Sell"}, "unknown_side"),
    ],
)
def test_a_bad_detail_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(forced(detail(), detail(**change), detail()))
    assert reasons(outcomes) == ["event", reason, "event"]


def test_a_stamp_far_out_of_range_is_rejected() -> None:
    assert reasons(read(forced(detail(ts="9990000000000")), now_us=2**62)) == ["replayed"]
    assert reasons(read(forced(detail(ts="99900000000000")))) == ["time_out_of_range"]


def test_a_bad_instrument_row_costs_its_neighbours_nothing() -> None:
    message = forced(detail())
    message["data"] = [
        7,
        {"details": [detail()]},
        {"instId": "BTC-USDT-SWAP"},
        {"instId": "BTC-USDT-SWAP", "details": {}},
        *message["data"],
        {"instId": "BTC-USDT-SWAP", "details": []},
        {"instId": "BTC-USDT-SWAP", "details": [7]},
    ]
    assert reasons(read(message)) == [
        *("wrong_type", "missing_field", "missing_field", "wrong_type"),
        *("event", "empty", "wrong_type"),
    ]


@pytest.mark.parametrize("channel", ["trades", "trades-all"])
@pytest.mark.parametrize("kind", ["trade", None])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_trade_keeps_the_takers_side_and_counts_contracts(
    channel: str, kind: str | None, side: str
) -> None:
    event = the_trade(pushed(channel, trade_row(side=side)), kind)
    assert (event.taker_side, event.id) == (side, "900000001")
    assert (event.price, event.base_qty, event.usd) == (62000.1, 0.12, 7_440_012_000)
    assert event.event_time_us == 1_790_000_000_500_000


def test_inverse_and_spot_trades_have_their_own_units() -> None:
    inverse = the_trade(pushed("trades", trade_row(px="50000"), symbol="BTC-USD-SWAP"))
    assert (inverse.contract, inverse.usd, inverse.base_qty) == ("inverse", 1_200_000_000, 0.024)
    spot = the_trade(pushed("trades", trade_row(sz="0.5"), symbol="BTC-USDT"))
    assert (spot.contract, spot.usd, spot.base_qty) == ("spot", 31_000_050_000, 0.5)


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    changes: list[dict[str, Any]] = [
        {"px": "NaN"},
        {"sz": "0"},
        {"side": 5},
        {"ts": []},
        {"tradeId": ""},
    ]
    rows = [trade_row(**change) for change in changes]
    outcomes = read(pushed("trades", trade_row(), *rows, 7, trade_row()), "trade")
    assert reasons(outcomes) == [
        *("event", "not_finite", "not_positive", "wrong_type"),
        *("wrong_type", "missing_field", "wrong_type", "event"),
    ]


def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one() -> None:
    prices = {"BTC-USDT-SWAP": "62000.5", "BTC-USD-SWAP": "62000.5", "BTC-USDT": "62000.5"}
    for symbol, price in {**prices, "PEPE-USDT-SWAP": "0.0000123"}.items():
        row = trade_row(px=price, sz="12")
        fast = the_trade(pushed("trades", row, symbol=symbol))
        assert read(pushed("trades", row, "odd", symbol=symbol), "trade")[0] == fast


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"pong", "control"),
        (b"pon", "invalid_json"),
        (b'{"arg":{"channel":"trades"}', "invalid_json"),
        (b'{"event":"\xff"}', "invalid_utf8"),
        (b"[]", "wrong_type"),
        (b"{}", "unknown_message"),
        (b'{"arg":{}}', "unknown_message"),
        (b'{"arg":5,"data":[]}', "unknown_message"),
        (b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}', "control"),
        (b'{"event":"error","code":"60012","msg":"bad request"}', "control"),
        (b'{"event":"notice","code":"64008","msg":"soon"}', "control"),
        (b'{"code":"50011","msg":"too many requests","data":[]}', "control"),
        (b'{"code":"0","msg":""}', "missing_field"),
        (b'{"arg":{"channel":"trades","instId":"BTC-USDT"}}', "missing_field"),
        (b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":{}}', "wrong_type"),
        (b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[]}', "empty"),
        (b'{"arg":{"channel":"liquidation-orders"},"data":[]}', "empty"),
        (b'{"arg":{"channel":"liquidation-orders"},"data":[5]}', "wrong_type"),
        (b'{"arg":{"channel":"liquidation-orders","instType":[]},"data":[{}]}', "missing_field"),
        (b'{"arg":{"channel":"price-limit"},"data":[{}]}', "unused_channel"),
        (b'{"arg":{"channel":"candle1m"},"data":[{}]}', "unused_channel"),
        (b'{"arg":{"channel":"weather"},"data":[{}]}', "unknown_channel"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    payload: bytes, reason: str, channel: str | None
) -> None:
    assert reasons(read(payload, channel)) == [reason]
