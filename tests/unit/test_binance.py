"""Binance orders and trades to canonical events: sides, units, families, what is left alone."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import (
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Trade,
    micro_usd,
)
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import binance
from streams.venues.binance.forced import order_id
from streams.venues.binance.trades import print_row, quick
from tests.outcomes import reasons, sole

INSTRUMENTS = Instruments({}, binance.RULES)
PARSERS = dict.fromkeys(binance.VENUES, binance.parse)
RECEIVED_US = 1_790_000_003_000_000
NOW_MS = 1_790_000_001_000
NOW_US = NOW_MS * 1000


def outcomes(
    message: Any, venue: str = "binance-usdm", channel: str | None = None
) -> list[Outcome]:
    payload = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return normalise(Raw(venue, channel, "test", RECEIVED_US, payload), PARSERS, INSTRUMENTS)


def only(message: Any, venue: str = "binance-usdm", channel: str | None = None) -> Outcome:
    (outcome,) = outcomes(message, venue, channel)
    return outcome


def forced(symbol: str = "BTCUSDT", **order: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "s": symbol,
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.300",
        "p": "61000.5",
    }
    fields |= {"ap": "61100.25", "X": "FILLED", "l": "0.100", "z": "0.250", "T": NOW_MS}
    return {"e": "forceOrder", "E": NOW_MS + 4, "o": fields | order}


def aggregate(symbol: str = "BTCUSDT", **fields: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "e": "aggTrade",
        "E": NOW_MS + 2,
        "s": symbol,
        "a": 42,
        "p": "61000.5",
        "q": "0.02",
    }
    return base | {"f": 7, "l": 8, "T": NOW_MS, "m": True} | fields


def liquidation(message: Any, venue: str = "binance-usdm") -> Liquidation:
    return sole(Liquidation, outcomes(message, venue))


def trade(message: Any, venue: str = "binance-usdm") -> Trade:
    return sole(Trade, outcomes(message, venue))


@pytest.mark.parametrize(
    ("venue", "symbol"), [("binance-usdm", "BTCUSDT"), ("binance-coinm", "BTCUSD_PERP")]
)
def test_a_sell_order_closes_a_long_and_a_buy_order_a_short(venue: str, symbol: str) -> None:
    long = liquidation(forced(symbol, S="SELL", z="3", q="3"), venue)
    short = liquidation(forced(symbol, S="BUY", z="3", q="3"), venue)
    assert (long.position_side, long.order_side) == ("long", "sell")
    assert (short.position_side, short.order_side) == ("short", "buy")


def test_a_forced_order_is_worth_its_fill_at_the_average_price() -> None:
    event = liquidation(forced())
    assert event.usd == micro_usd("0.250", "61100.25") == 15_275_062_500
    assert (event.price, event.price_kind, event.base_qty) == (61100.25, "avg_fill", 0.25)
    assert (event.event_time_us, event.received_at_us) == (NOW_US, RECEIVED_US)
    assert (event.kind, event.completeness) == ("liquidation", "sampled")


def test_the_limit_price_stands_in_when_there_is_no_average() -> None:
    event = liquidation(forced(ap="0"))
    assert (event.price, event.price_kind) == (61000.5, "order")
    assert event.usd == micro_usd("0.250", "61000.5")


def test_a_partly_filled_order_counts_with_what_was_filled() -> None:
    assert liquidation(forced(X="PARTIALLY_FILLED", z="0.1")).base_qty == 0.1


@pytest.mark.parametrize("order", [{"z": "0"}, {"z": ""}, {"z": None}, {"z": "0", "X": ""}])
def test_a_filled_order_without_a_fill_counts_with_its_quantity(order: dict[str, Any]) -> None:
    assert liquidation(forced(**order)).base_qty == 0.3


@pytest.mark.parametrize("status", ["NEW", "EXPIRED", "CANCELED", "PARTIALLY_FILLED"])
def test_an_order_with_nothing_filled_is_no_liquidation(status: str) -> None:
    assert only(forced(X=status, z="0")) == Ignored("not_filled")


def test_a_coin_margined_contract_is_worth_its_face_and_never_price_times_size() -> None:
    btc = liquidation(forced("BTCUSD_PERP", z="12", q="12", ap="60000"), "binance-coinm")
    assert (btc.usd, btc.base_qty) == (1_200_000_000, 0.02)
    eth = liquidation(forced("ETHUSD_261225", z="12", q="12", ap="3000"), "binance-coinm")
    assert (eth.usd, eth.base_qty) == (120_000_000, 0.04)
    assert (eth.contract, eth.asset) == ("inverse", "ETH")


def test_prices_and_sizes_are_per_coin_where_the_venue_lists_a_thousand() -> None:
    event = liquidation(forced("1000PEPEUSDT", q="5000", z="5000", ap="0.0125"))
    assert (event.asset, event.price, event.base_qty) == ("PEPE", 1.25e-05, 5_000_000.0)
    assert event.usd == micro_usd("5000", "0.0125") == 62_500_000
    print_ = trade(aggregate("1000PEPEUSDT", p="0.0125", q="5000"))
    assert (print_.price, print_.base_qty, print_.usd) == (1.25e-05, 5e6, 62_500_000)


@pytest.mark.parametrize(
    ("symbol", "asset", "coins"),
    [
        ("BTCUSDT", "BTC", 1),
        ("BTCUSDC", "BTC", 1),
        ("BTCUSDT_261225", "BTC", 1),
        ("BTCBUSD_210129", "BTC", 1),
        ("1INCHUSDT", "1INCH", 1),
        ("1000000MOGUSDT", "MOG", 1_000_000),
        ("1MBABYDOGEUSDT", "BABYDOGE", 1_000_000),
        ("1000XECUSDT", "XEC", 1000),
        ("币安人生USDT", "币安人生", 1),
    ],
)
def test_a_usdm_symbol_tells_its_coin(symbol: str, asset: str, coins: int) -> None:
    instrument = binance.RULES["binance-usdm"](symbol)
    assert instrument is not None
    assert (instrument.asset, instrument.coins_per_unit) == (asset, coins)
    assert (instrument.contract, instrument.size_unit) == ("linear", "base")


@pytest.mark.parametrize(
    "symbol", ["ETHBTC", "USDT", "btcusdt", "BTCUSD_PERP", "BTCUSDT_PERP", "BTC-USDT", "", "A B"]
)
def test_a_symbol_without_a_dollar_quote_has_no_usdm_rule(symbol: str) -> None:
    assert binance.RULES["binance-usdm"](symbol) is None


def test_contract_faces_are_100_dollars_for_bitcoin_and_10_for_all_others() -> None:
    rule = binance.RULES["binance-coinm"]
    faces = {s: getattr(rule(s), "contract_size", None) for s in ("BTCUSD_PERP", "BNBUSD_PERP")}
    assert faces == {"BTCUSD_PERP": Decimal(100), "BNBUSD_PERP": Decimal(10)}
    assert rule("BTCUSDT") is None


def test_the_family_mark_moves_a_coin_margined_row_off_the_linear_rule() -> None:
    message = forced("ETHUSD_PERP", z="5", q="5", ap="2500") | {"st": 2, "ps": "ETHUSD"}
    event = liquidation(message, "binance-usdm")
    assert (event.venue, event.usd) == ("binance-coinm", 50_000_000)
    unknown = only(forced("ETHUSDT") | {"st": 2})
    assert isinstance(unknown, Rejected)
    assert unknown.reason == "unknown_instrument"


@pytest.mark.parametrize(
    ("symbol", "venue"),
    [
        ("BTCUSD_PERP", "binance-coinm"),
        ("BNBUSD_PERP", "binance-coinm"),
        ("BTCUSD_261225", "binance-coinm"),
        ("BTCUSDT", "binance-usdm"),
        ("BTCUSDT_261225", "binance-usdm"),
        ("BTCBUSD_210129", "binance-usdm"),
    ],
)
@pytest.mark.parametrize("connection", ["binance-usdm", "binance-coinm"])
def test_without_the_mark_the_symbol_tells_the_family_on_both_hosts(
    symbol: str, venue: str, connection: str
) -> None:
    assert liquidation(forced(symbol, z="1", q="1"), connection).venue == venue
    assert trade(aggregate(symbol), connection).venue == venue


def test_a_forced_order_keeps_its_id_across_recorders_and_streams() -> None:
    bare = liquidation(forced())
    wrapped = liquidation({"stream": "!forceOrder@arr", "data": forced(q=0.3, ap=61100.25)})
    assert bare.id == wrapped.id
    amounts = (Decimal("0.3"), Decimal("61000.5"), Decimal("0.25"))
    assert bare.id == order_id("binance-usdm", "BTCUSDT", NOW_US, "SELL", *amounts, 0)
    assert bare.id != liquidation(forced(T=NOW_MS + 1)).id


def test_equal_rows_of_one_message_are_two_orders() -> None:
    first, second = outcomes([forced(), forced()])
    assert isinstance(first, Liquidation)
    assert isinstance(second, Liquidation)
    assert first.id == liquidation(forced()).id
    assert first.id != second.id


def test_the_combined_wrapper_changes_nothing() -> None:
    for message in (aggregate(), forced()):
        assert only({"stream": "btcusdt@x", "data": message}) == only(message)


def test_a_buyer_who_was_maker_means_the_taker_sold() -> None:
    sold, bought = trade(aggregate(m=True)), trade(aggregate(m=False))
    assert (sold.taker_side, bought.taker_side) == ("sell", "buy")
    assert (sold.id, sold.usd, sold.base_qty) == ("42", 1_220_010_000, 0.02)


def test_a_raw_trade_carries_its_own_id_and_off_book_prints_are_left_out() -> None:
    raw_trade = aggregate(e="trade", t=99)
    assert trade(raw_trade | {"X": "MARKET"}).id == "99"
    assert trade(raw_trade).id == "99"
    assert only(raw_trade | {"X": "ADL"}) == Ignored("adl_print")
    assert only(raw_trade | {"X": "INSURANCE_FUND"}) == Ignored("insurance_print")
    assert only(raw_trade | {"X": "NA"}) == Ignored("off_book")
    for unheard in ("RFQ", "market", 4):
        assert reasons([only(raw_trade | {"X": unheard})]) == ["unknown_message"]


def test_coin_margined_trades_are_dollars_by_face() -> None:
    event = trade(aggregate("BTCUSD_PERP", p="50000", q="10"), "binance-coinm")
    assert (event.usd, event.base_qty, event.contract) == (1_000_000_000, 0.02, "inverse")


def test_spot_trades_may_be_stamped_in_microseconds() -> None:
    event = trade(aggregate(e="trade", t=1, T=NOW_US + 7, M=True), "binance-spot")
    assert (event.event_time_us, event.contract) == (NOW_US + 7, "spot")


@given(
    price=st.decimals("0.00000001", "999999", places=8),
    size=st.decimals("0.00000001", "999999", places=8),
    maker=st.booleans(),
    symbol=st.sampled_from(["BTCUSDT", "1000PEPEUSDT", "BTCUSD_PERP", "ETHUSD_261225"]),
    aggregated=st.booleans(),
    wrapped=st.booleans(),
)
def test_the_quick_path_and_the_careful_path_agree(
    price: Decimal, size: Decimal, maker: bool, symbol: str, aggregated: bool, wrapped: bool
) -> None:
    key = "a" if aggregated else "t"
    row = aggregate(symbol, p=f"{price:f}", q=f"{size:f}", m=maker, t=42)
    row["e"] = "aggTrade" if aggregated else "trade"
    message = {"stream": "x@y", "data": row} if wrapped else row
    raw = Raw("binance-usdm", "trade", "test", RECEIVED_US, msgspec.json.encode(message))
    assert quick(raw, INSTRUMENTS) == [print_row(raw, INSTRUMENTS, row, key)]


@pytest.mark.parametrize(
    "message",
    [
        {"result": None, "id": 7},
        {"error": {"code": 2, "msg": "Invalid request"}, "id": 7},
        {"code": -1121, "msg": "Invalid symbol."},
        {"e": "serverShutdown", "E": NOW_MS},
    ],
)
def test_replies_to_requests_are_control(message: dict[str, Any]) -> None:
    assert only(message) == Ignored("control")


@pytest.mark.parametrize("event", ["kline", "contractInfo", "24hrMiniTicker", "indexPriceUpdate"])
def test_known_streams_without_use_are_ignored(event: str) -> None:
    assert only({"e": event, "E": NOW_MS}) == Ignored("unused_channel")


def test_an_empty_array_is_nothing() -> None:
    assert only([]) == only({"stream": "!ticker@arr", "data": []}) == Ignored("empty")
