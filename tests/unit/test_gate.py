"""Gate messages become canonical events with the right side, unit and reason."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from streams.core.events import Liquidation, Outcome, Raw, Trade
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import gate
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
CHANGE_MS = 1_787_184_000_000
"""2026-08-20, from which on the pushed channel carries every order."""
PARSERS = dict.fromkeys(gate.VENUES, gate.parse)


def linear(symbol: str, size: str, units: int = 1) -> Instrument:
    asset = symbol.partition("_")[0].removeprefix("1000")
    return Instrument(
        "gate", symbol, asset, "USDT", "linear", "contracts", Decimal(size), coins_per_unit=units
    )


INSTRUMENTS = Instruments(
    {
        ("gate", "BTC_USDT"): linear("BTC_USDT", "0.0001"),
        ("gate", "DOGE_USDT"): linear("DOGE_USDT", "10"),
        ("gate", "1000SATS_USDT"): linear("1000SATS_USDT", "10", 1000),
    },
    gate.RULES,
)


def read(
    message: object, venue: str = "gate", channel: str | None = None, now_us: int = NOW_US
) -> list[Outcome]:
    return normalise(Raw(venue, channel, "c0", now_us, encoded(message)), PARSERS, INSTRUMENTS)


def update(channel: str, result: object, event: str = "update") -> dict[str, Any]:
    stamps = {"time": 1790000000, "time_ms": 1790000000600}
    return {"channel": channel, "event": event, **stamps, "result": result}


def order(**changes: Any) -> dict[str, Any]:
    row = {"price": "61500.5", "size": -120, "time": 1790000000402, "contract": "BTC_USDT"}
    return {**row, **changes}


def pushed(*rows: Any) -> dict[str, Any]:
    return update("futures.public_liquidates", list(rows))


def polled_row(**changes: Any) -> dict[str, Any]:
    row = {"time": 1790000000, "contract": "BTC_USDT", "size": 600, "order_size": -600}
    return {**row, "order_price": "61500", "fill_price": "61620.5", "left": 0, **changes}


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"size": -108, "id": 41000001, "create_time": 1790000000, "contract": "BTC_USDT"}
    return {**row, "create_time_ms": 1790000000590, "price": "62000.1", **changes}


def trades(*rows: Any) -> dict[str, Any]:
    return update("futures.trades", list(rows))


def pair_row(**changes: Any) -> dict[str, Any]:
    row = {"id": 309143071, "create_time": 1790000000, "create_time_ms": "1790000000402.123"}
    pair = {"side": "sell", "currency_pair": "BTC_USDT", "amount": "0.01", "price": "62000.1"}
    return {**row, **pair, **changes}


def liquidations(message: object, now_us: int = NOW_US) -> list[Liquidation]:
    return all_of(Liquidation, read(message, now_us=now_us))


def the_trade(message: object, venue: str = "gate", channel: str | None = "trade") -> Trade:
    return sole(Trade, read(message, venue, channel))


@pytest.mark.parametrize(
    ("size", "position", "side"),
    [(-120, "long", "sell"), (120, "short", "buy"), ("-120", "long", "sell")],
)
def test_the_sign_of_a_pushed_size_is_the_orders(size: Any, position: str, side: str) -> None:
    (event,) = liquidations(pushed(order(size=size)))
    assert (event.position_side, event.order_side) == (position, side)
    # 120 x 0.0001 BTC x 61,500.5
    assert (event.usd, event.base_qty, event.price) == (738_006_000, 0.012, 61500.5)
    assert (event.price_kind, event.completeness, event.kind) == ("order", "all", "liquidation")
    assert event.event_time_us == 1_790_000_000_402_000


@pytest.mark.parametrize(
    ("size", "order_size", "position", "side"),
    [(600, -600, "long", "sell"), (-600, 600, "short", "buy")],
)
def test_the_sign_of_a_polled_size_is_the_positions(
    size: int, order_size: int, position: str, side: str
) -> None:
    rows = [
        polled_row(size=size, order_size=order_size),
        {key: value for key, value in polled_row(size=size).items() if key != "order_size"},
    ]
    for event in liquidations(rows):
        assert (event.position_side, event.order_side) == (position, side)
        # 600 x 0.0001 BTC x 61,620.5
        assert (event.usd, event.base_qty) == (3_697_230_000, 0.06)
        assert (event.price, event.price_kind) == (61620.5, "avg_fill")
        assert (event.event_time_us, event.completeness) == (1_790_000_000_000_000, "all")


def test_a_polled_order_counts_what_was_filled() -> None:
    (half,) = liquidations([polled_row(left=400)])
    assert half.usd == 1_232_410_000
    (without,) = liquidations([polled_row(fill_price="0", left=None)])
    assert (without.usd, without.price, without.price_kind) == (3_690_000_000, 61500.0, "order")
    assert reasons(read([polled_row(left=-600)])) == ["not_filled"]


@pytest.mark.parametrize(
    "result",
    [
        {"contract": "BTC_USDT", "price": "61500.5", "time": 1790000000402, "size": -120},
        [{"price": 61500.5, "size": -120, "time_ms": 1790000000402, "contract": "BTC_USDT"}],
        [{"price": "61500.50", "size": "-120", "time": 1790000000.402, "contract": "BTC_USDT"}],
        [[{"price": "61500.5", "size": -120, "time": 1790000000402, "contract": "BTC_USDT"}]],
    ],
)
def test_a_forced_order_is_the_same_in_every_shape_that_was_seen(result: Any) -> None:
    (event,) = liquidations(update("futures.public_liquidates", result))
    (known,) = liquidations(pushed(order()))
    assert event == known


def test_the_pushed_channel_is_complete_from_the_day_of_the_change() -> None:
    for stamp_ms, completeness, feed_class in (
        (CHANGE_MS - 1, "sampled", "latest_1s"),
        (CHANGE_MS, "all", "full"),
    ):
        (event,) = liquidations(pushed(order(time=stamp_ms)))
        assert event.completeness == completeness
        assert feed("gate", event.event_time_us).feed_class == feed_class
        (polled,) = liquidations([polled_row(time=stamp_ms // 1000)])
        assert polled.completeness == "all"


def test_what_the_documentation_leaves_open_can_be_set() -> None:
    other = partial(gate.parse, assumed=gate.Assumed(negative="buy", price_kind="bankruptcy"))
    payload = json.dumps(pushed(order(), order(size=1))).encode()
    first, second = other(Raw("gate", None, "c", NOW_US, payload), INSTRUMENTS)
    assert isinstance(first, Liquidation)
    assert isinstance(second, Liquidation)
    assert (first.order_side, first.position_side, first.price_kind) == (
        *("buy", "short"),
        "bankruptcy",
    )
    assert second.order_side == "sell"


def test_an_inverse_contract_is_a_dollar_and_a_thousand_coins_are_counted_in_coins() -> None:
    (inverse,) = liquidations(pushed(order(contract="BTC_USD", size=-5000, price="50000")))
    assert (inverse.contract, inverse.usd, inverse.base_qty) == ("inverse", 5_000_000_000, 0.1)
    (sats,) = liquidations(pushed(order(contract="1000SATS_USDT", size=-7, price="0.0003")))
    assert (sats.asset, sats.usd, sats.base_qty) == ("SATS", 21_000, 70_000.0)
    assert sats.price == pytest.approx(3e-7, rel=1e-12)


def test_dollars_are_exact_where_floats_are_not() -> None:
    (event,) = liquidations(pushed(order(contract="DOGE_USDT", size="-1234567.3", price="0.10003")))
    assert event.usd == 1_234_937_670_190


def test_equal_rows_are_distinct_orders_and_a_repeated_message_has_equal_ids() -> None:
    message = pushed(order(), order(), order(size=120))
    ids = [event.id for event in liquidations(message)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in liquidations(message)]
    window = [polled_row(), polled_row(time=1789999999)]
    later = [polled_row(time=1789999999), polled_row(time=1789999998)]
    assert liquidations(window)[1].id == liquidations(later)[0].id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 0}, "not_positive"),
        ({"size": "NaN"}, "not_finite"),
        ({"size": None}, "missing_field"),
        ({"size": True}, "wrong_type"),
        ({"size": "1e17", "price": "1e17"}, "not_finite"),
        ({"price": "-1"}, "not_positive"),
        ({"price": "x"}, "wrong_type"),
        ({"time": "soon"}, "wrong_type"),
        ({"time": 1790000060000}, "future_skew"),
        ({"time": 5}, "time_out_of_range"),
        ({"contract": ""}, "missing_field"),
        ({"contract": "NEW_USDT"}, "unknown_instrument"),
        ({"contract": "ETH_USD"}, "unknown_instrument"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(pushed(order(), order(**change), order()))
    assert reasons(outcomes) == ["event", reason, "event"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"order_size": 0}, "not_positive"),
        ({"order_size": "many"}, "wrong_type"),
        ({"fill_price": "-3"}, "not_positive"),
        ({"fill_price": None, "order_price": "0"}, "not_positive"),
        ({"left": []}, "wrong_type"),
        ({"contract": "NEW_USDT"}, "unknown_instrument"),
    ],
)
def test_a_bad_polled_row_costs_its_neighbours_nothing(change: dict[str, Any], reason: str) -> None:
    outcomes = read([polled_row(), polled_row(**change), 7, polled_row()])
    assert reasons(outcomes) == ["event", reason, "wrong_type", "event"]


@pytest.mark.parametrize(("size", "side"), [(-108, "sell"), (108, "buy"), ("108", "buy")])
@pytest.mark.parametrize("channel", ["trade", None])
def test_the_sign_of_a_trades_size_is_the_takers_side(
    size: Any, side: str, channel: str | None
) -> None:
    event = the_trade(trades(trade_row(size=size)), channel=channel)
    assert (event.taker_side, event.id) == (side, "41000001")
    assert (event.price, event.base_qty, event.usd) == (62000.1, 0.0108, 669_601_080)
    assert event.event_time_us == 1_790_000_000_590_000


def test_a_trades_stamp_may_have_a_fraction_or_be_seconds() -> None:
    fine = the_trade(trades(trade_row(create_time_ms="1790000000590.25")))
    assert fine.event_time_us == 1_790_000_000_590_250
    row = trade_row(create_time=1790000000)
    del row["create_time_ms"]
    assert the_trade(trades(row)).event_time_us == 1_790_000_000_000_000


def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one() -> None:
    for symbol in ("BTC_USDT", "BTC_USD", "1000SATS_USDT"):
        row = trade_row(contract=symbol, price="62000.5")
        fast = the_trade(trades(row))
        assert read(trades(row, "odd"), channel="trade")[0] == fast


def test_what_the_insurance_fund_took_over_is_off_the_book_and_counted_apart() -> None:
    taken = trade_row(is_internal=True)
    rows = [trade_row(), taken, trade_row(is_internal=False)]
    assert reasons(read(trades(*rows))) == ["event", "takeover_print", "event"]
    assert reasons(read(trades(*rows, 5))) == ["event", "takeover_print", "event", "wrong_type"]
    assert gate.witness(encoded(trades(taken, taken))) == "BTC_USDT"
    assert gate.witness(encoded(trades(*rows))) is None
    assert gate.witness(b'{"is_internal":true') is None


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    changes: list[dict[str, Any]] = [
        *({"price": "NaN"}, {"size": 0}, {"size": {}}, {"id": "x"}),
        *({"id": None}, {"create_time_ms": "soon"}, {"is_internal": "yes"}),
    ]
    rows = [trade_row(**change) for change in changes]
    outcomes = read(trades(trade_row(), *rows, trade_row(contract="NEW_USDT"), trade_row()))
    assert reasons(outcomes) == [
        *("event", "not_finite", "not_positive", "wrong_type", "wrong_type"),
        *("missing_field", "wrong_type", "wrong_type", "unknown_instrument", "event"),
    ]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("channel", ["trade", None])
def test_a_spot_trade_is_an_object_whose_stamp_is_finer_than_a_millisecond(
    side: str, channel: str | None
) -> None:
    event = the_trade(update("spot.trades", pair_row(side=side)), "gate-spot", channel)
    assert (event.venue, event.contract, event.taker_side) == ("gate-spot", "spot", side)
    assert (event.usd, event.base_qty, event.id) == (620_001_000, 0.01, "309143071")
    assert event.event_time_us == 1_790_000_000_402_123
    odd = update("spot.trades", [pair_row(currency_pair="ETH_BTC"), pair_row(side=5)])
    assert reasons(read(odd, "gate-spot")) == ["unknown_instrument", "wrong_type"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"pong", "invalid_json"),
        (b'{"channel":"futures.trades"', "invalid_json"),
        (b'{"channel":"\xff"}', "invalid_utf8"),
        (b"5", "wrong_type"),
        (b"[]", "empty"),
        (b"[5]", "wrong_type"),
        (b'[{"label":"x"}]', "unknown_message"),
        (b"{}", "unknown_message"),
        (b'{"label":"INVALID_PARAM","message":"bad"}', "unknown_message"),
        (b'{"channel":5}', "wrong_type"),
        (b'{"time":1790000000,"channel":"futures.pong","event":"","result":null}', "control"),
        (
            b'{"time":1,"id":1,"channel":"futures.trades","event":"subscribe",'
            b'"error":null,"result":{"status":"success"}}',
            "control",
        ),
        (
            b'{"time":1,"channel":"futures.trades","event":"subscribe",'
            b'"error":{"code":2,"message":"unknown contract"},"result":null}',
            "control",
        ),
        (
            b'{"channel":"futures.tickers","event":"update","error":{"code":2,"message":"x"}}',
            "control",
        ),
        (b'{"channel":"futures.public_liquidates","event":"update"}', "missing_field"),
        (b'{"channel":"futures.public_liquidates","event":"update","result":5}', "wrong_type"),
        (b'{"channel":"futures.public_liquidates","event":"update","result":[]}', "empty"),
        (b'{"channel":"futures.public_liquidates","event":"update","result":[7]}', "wrong_type"),
        (b'{"channel":"futures.public_liquidates","event":"api","result":[]}', "unknown_message"),
        (b'{"channel":"futures.public_liquidates","event":[],"result":[]}', "unknown_message"),
        (b'{"channel":"futures.liquidates","event":"update","result":[]}', "unused_channel"),
        (b'{"channel":"futures.candlesticks","event":"update","result":[]}', "unused_channel"),
        (b'{"channel":"futures.contract_stats","event":"update","result":[]}', "unused_channel"),
        (b'{"channel":"futures.weather","event":"update","result":[]}', "unknown_channel"),
        (b'{"channel":"spot.trades","event":"update","result":{}}', "unknown_channel"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    payload: bytes, reason: str, channel: str | None
) -> None:
    assert reasons(read(payload, channel=channel)) == [reason]


def test_futures_channels_are_unknown_to_spot() -> None:
    for message in (pushed(order()), trades(trade_row())):
        outcomes = read(message, "gate-spot")
        assert "event" not in reasons(outcomes)
    assert reasons(read([polled_row()], "gate-spot")) == ["unknown_message"]
