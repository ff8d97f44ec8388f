"""Binance messages to canonical events: sides, units, families and what is left alone."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from streams.core.normalise import normalise
from streams.venues import binance
from streams.venues.binance.forced import order_id
from streams.venues.binance.trades import print_row, quick
from tests.outcomes import sole

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


def ticker(message: Any, venue: str = "binance-usdm") -> Ticker:
    return sole(Ticker, outcomes(message, venue))


def book(message: Any, venue: str = "binance-usdm", channel: str | None = None) -> Book:
    return sole(Book, outcomes(message, venue, channel))


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
    for origin in ("INSURANCE_FUND", "ADL", "NA"):
        assert only(raw_trade | {"X": origin}) == Ignored("off_book")


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


def test_a_mark_price_carries_index_and_the_funding_due() -> None:
    message = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT", "p": "61000", "i": "61003.5"}
    due = message | {"P": "61010", "r": "-0.00015", "T": NOW_MS + 3_600_000}
    event = ticker(due)
    assert (event.mark_price, event.index_price, event.funding_rate) == (61000, 61003.5, -0.00015)
    assert event.next_funding_us == NOW_US + 3_600_000_000
    assert event.event_time_us == NOW_US
    assert event.last_price is event.open_interest_base is event.open_interest_usd is None


def test_a_delivery_contract_has_no_funding() -> None:
    message = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT_261225", "p": "61000"}
    for rate in ("", "0.00000000"):
        event = ticker(message | {"i": "0", "r": rate, "T": 0})
        assert event.funding_rate is event.next_funding_us is event.index_price is None


def test_an_array_of_mark_prices_gives_one_ticker_a_row_and_spares_the_neighbours() -> None:
    row = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT", "p": "61000", "r": "", "T": 0}
    rows = [row, row | {"p": "NaN"}, 5, row | {"s": "1000PEPEUSDT", "p": "0.012"}]
    first, second, third, fourth = outcomes({"stream": "!markPrice@arr@1s", "data": rows})
    assert isinstance(first, Ticker)
    assert isinstance(second, Rejected)
    assert isinstance(third, Rejected)
    assert isinstance(fourth, Ticker)
    assert (second.reason, third.reason) == ("not_finite", "wrong_type")
    assert (fourth.asset, fourth.mark_price) == ("PEPE", 1.2e-05)


def test_the_day_ticker_gives_the_last_price() -> None:
    message = {"e": "24hrTicker", "E": NOW_MS, "s": "BTCUSDT", "p": "-88.1", "c": "61000.1"}
    assert ticker(message).last_price == 61000.1


def test_open_interest_is_coins_or_dollars_as_of_its_receipt() -> None:
    linear = ticker({"symbol": "BTCUSDT", "openInterest": "81234.5", "time": NOW_MS})
    assert (linear.open_interest_base, linear.open_interest_usd) == (81234.5, None)
    assert linear.event_time_us == RECEIVED_US
    inverse = ticker({"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "openInterest": "500"})
    assert (inverse.venue, inverse.open_interest_usd) == ("binance-coinm", 50_000_000_000)
    assert inverse.open_interest_base is None
    thousand = ticker({"symbol": "1000PEPEUSDT", "openInterest": "5"})
    assert thousand.open_interest_base == 5000


def test_polled_premium_and_funding_interval_are_tickers() -> None:
    premium: dict[str, Any] = {"symbol": "BTCUSDT", "markPrice": "61000", "indexPrice": "61001"}
    premium |= {"lastFundingRate": "0.0001", "nextFundingTime": NOW_MS, "time": NOW_MS}
    event, interval = outcomes([premium, {"symbol": "BTCUSDT", "fundingIntervalHours": 4}])
    assert isinstance(event, Ticker)
    assert isinstance(interval, Ticker)
    assert (event.mark_price, event.funding_rate, event.event_time_us) == (
        61000,
        0.0001,
        RECEIVED_US,
    )
    assert interval.funding_interval_s == 14_400


DEPTH: dict[str, Any] = {
    "e": "depthUpdate",
    "E": NOW_MS + 2,
    "T": NOW_MS,
    "s": "BTCUSDT",
    "U": 1,
    "u": 9,
    "pu": 0,
}
DEPTH |= {"b": [["60999.9", "3.1"], ["60999.8", "1"]], "a": [["61000.0", "4.4"]]}


@pytest.mark.parametrize("stream", ["btcusdt@depth20@100ms", "btcusdt@depth5", "btcusdt@depth10"])
def test_partial_depth_is_a_full_book(stream: str) -> None:
    event = book({"stream": stream, "data": DEPTH})
    assert event.bids == ((60999.9, 3.1), (60999.8, 1.0))
    assert (event.asks, event.id, event.event_time_us) == (((61000.0, 4.4),), "9", NOW_US)


@pytest.mark.parametrize("stream", ["btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@rpiDepth"])
def test_diff_depth_is_never_taken_for_a_book(stream: str) -> None:
    assert only({"stream": stream, "data": DEPTH}, channel="book") == Ignored("book_delta")


def test_bare_depth_is_a_book_only_on_the_channel_that_carries_nothing_else() -> None:
    assert book(DEPTH, channel="book").bids[0] == (60999.9, 3.1)
    assert only(DEPTH) == Ignored("book_delta")


def test_coin_margined_depth_is_turned_into_coins() -> None:
    depth = DEPTH | {"s": "BTCUSD_PERP", "b": [["50000", "10"]], "a": [["50001", "5"]]}
    event = book({"stream": "btcusd_perp@depth20", "data": depth}, "binance-coinm")
    assert event.bids == ((50000.0, 0.02),)


def test_best_quotes_and_snapshots_are_books() -> None:
    quote = {"u": 5, "s": "BTCUSDT", "b": "60999.9", "B": "3", "a": "61000", "A": "4"}
    assert book(quote | {"e": "bookTicker", "T": NOW_MS, "E": NOW_MS + 1}).event_time_us == NOW_US
    assert book(quote, "binance-spot").event_time_us == RECEIVED_US
    levels = {"lastUpdateId": 8, "bids": [["60999.9", "3"]], "asks": [["61000", "4"]]}
    spot = book({"stream": "btcusdt@depth20", "data": levels}, "binance-spot")
    assert (spot.symbol, spot.id, spot.venue) == ("BTCUSDT", "8", "binance-spot")
    assert book(levels | {"symbol": "BTCUSDT", "T": NOW_MS}).event_time_us == NOW_US


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
