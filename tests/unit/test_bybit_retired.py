"""Topics of Bybit before v5, which archives hold, tell what those of v5 tell."""

from typing import Any

import pytest

from streams.core.events import MICROS, Book, Liquidation, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.core.throttle import FEED_SEMANTICS
from streams.venues import bybit
from tests.outcomes import encoded, reasons, sole

NOW_US = 1_660_000_001_000_000
INSTRUMENTS = Instruments({}, bybit.RULES)
PARSERS = dict.fromkeys(bybit.VENUES, bybit.parse)
E6 = 1_660_000_000_123_456
THROTTLED_US = next(
    one.valid_to_us for one in FEED_SEMANTICS if one.venue == "bybit" and one.valid_to_us
)


def read(message: object, venue: str = "bybit", now_us: int = NOW_US) -> list[Outcome]:
    return normalise(Raw(venue, None, "c0", now_us, encoded(message)), PARSERS, INSTRUMENTS)


def trades(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"topic": "trade.any", "data": list(rows)}


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": "ETHUSD",
        "side": "Sell",
        "size": 450,
        "price": 1800.5,
        "timestamp": "2022-08-08T23:06:40.000Z",
        "trade_time_ms": 1660000000321,
        "trade_id": "cccccccc-0000-5000-8000-000000000003",
    }
    return {**row, **changes}


def info(kind: str = "snapshot", **values: Any) -> dict[str, Any]:
    row = {"id": 1, "symbol": "ETHUSD", **values}
    data: object = row if kind == "snapshot" else {"delete": [], "update": [row], "insert": []}
    topic = f"instrument_info.100ms.{row['symbol']}"
    return {"topic": topic, "type": kind, "data": data, "timestamp_e6": E6}


def level(side: str, price: str, size: float) -> dict[str, Any]:
    return {"price": price, "symbol": "ETHUSDT", "id": 1, "side": side, "size": size}


def levels(data: object, topic: str = "orderBookL2_25.ETHUSDT", **more: Any) -> dict[str, Any]:
    stamp = {"timestamp_e6": str(E6), "cross_seq": "8"}
    return {"topic": topic, "type": "snapshot", "data": data, **stamp, **more}


SIDES = [
    *(level("Sell", "1801.50", 4), level("Buy", "1799.00", 2.5)),
    *(level("Sell", "1801.00", 0.25), level("Buy", "1800.50", 1)),
]


@pytest.mark.parametrize(
    ("side", "position", "order"), [("Buy", "long", "sell"), ("Sell", "short", "buy")]
)
@pytest.mark.parametrize(
    ("time_us", "completeness"),
    [(THROTTLED_US - 1000, "all"), (THROTTLED_US, "sampled"), (E6 + 10**14, "sampled")],
)
def test_a_forced_order_is_as_complete_as_the_topic_was_at_its_time(
    side: str, position: str, order: str, time_us: int, completeness: str
) -> None:
    row = {"symbol": "ETHUSD", "side": side, "price": "1800.50", "qty": "640"}
    message = {"topic": "liquidation.ETHUSD", "data": {**row, "time": time_us // 1000}}
    event = sole(Liquidation, read(message, now_us=time_us + MICROS))
    assert (event.position_side, event.order_side) == (position, order)
    assert (event.completeness, event.price_kind) == (completeness, "bankruptcy")
    assert event.usd == 640 * MICROS


@pytest.mark.parametrize(("side", "taker"), [("Buy", "buy"), ("Sell", "sell")])
def test_an_inverse_trade_is_dollars_and_keeps_the_takers_side(side: str, taker: str) -> None:
    event = sole(Trade, read(trades(trade_row(side=side))))
    assert (event.taker_side, event.usd, event.price) == (taker, 450 * MICROS, 1800.5)
    assert event.id == "cccccccc-0000-5000-8000-000000000003"
    assert event.event_time_us == 1_660_000_000_321_000


def test_a_linear_trade_is_coins() -> None:
    event = sole(Trade, read(trades(trade_row(symbol="ETHUSDT", size=0.5, price="1800.50"))))
    assert (event.contract, event.base_qty, event.usd) == ("linear", 0.5, 900_250_000)


def test_the_first_trades_have_a_stamp_in_words_and_those_of_usdc_other_names() -> None:
    (first := trade_row()).pop("trade_time_ms")
    assert sole(Trade, read(trades(first))).event_time_us == 1_660_000_000_000_000
    usdc = {"symbol": "ETHPERP", "side": "Buy", "size": 0.5, "price": "1800.50"}
    usdc |= {"tradeTimeMs": "1660000000321", "tradeId": "d-4", "isBlockTrade": "false"}
    event = sole(Trade, read(trades(usdc)))
    assert (event.event_time_us, event.id) == (1_660_000_000_321_000, "d-4")
    assert event.symbol == "ETHPERP"


@pytest.mark.parametrize("mark", ["is_block_trade", "isBlockTrade"])
def test_a_block_trade_is_off_the_book(mark: str) -> None:
    rows = (trade_row(**{mark: "true"}), trade_row(**{mark: "false"}), trade_row())
    assert reasons(read(trades(*rows))) == ["off_book", "event", "event"]


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    bad: list[dict[str, Any]] = [
        *({"side": 5}, {"size": 0}, {"price": "NaN"}, {"symbol": "ETHBTC"}),
        *({"trade_time_ms": "soon"}, {"trade_id": ""}, {"is_block_trade": "maybe"}),
    ]
    outcomes = read(trades(*(trade_row(**change) for change in bad), trade_row()))
    assert reasons(outcomes) == [
        *("wrong_type", "not_positive", "not_finite", "unknown_instrument"),
        *("wrong_type", "missing_field", "wrong_type", "event"),
    ]


@pytest.mark.parametrize(("m", "taker"), [(True, "buy"), (False, "sell")])
def test_a_spot_trade_says_whether_the_taker_bought(m: bool, taker: str) -> None:
    row = {"v": "2290", "t": 1660000000321, "p": "1800.5", "q": "0.5", "m": m}
    message = {"topic": "trade", "params": {"symbol": "ETHUSDT"}, "data": row}
    event = sole(Trade, read(message, "bybit-spot"))
    assert (event.taker_side, event.id, event.usd) == (taker, "2290", 900_250_000)
    assert (event.venue, event.contract) == ("bybit-spot", "spot")
    bare = {"topic": "trade", "data": row}
    assert reasons(read(bare, "bybit-spot")) == ["missing_field"]


def test_a_ticker_of_whole_numbers_is_scaled() -> None:
    values: dict[str, Any] = {
        "last_price_e4": 18005000,
        "mark_price_e4": "18006500",
        "index_price_e4": 18004900,
    }
    values |= {"funding_rate_e6": -75, "next_funding_time": "2022-08-09T00:00:00Z"}
    event = sole(Ticker, read(info(**values, open_interest=7000)))
    assert (event.last_price, event.mark_price, event.index_price) == (1800.5, 1800.65, 1800.49)
    assert (event.funding_rate, event.next_funding_us) == (-7.5e-05, 1_660_003_200_000_000)
    assert (event.open_interest_usd, event.open_interest_base) == (3500 * MICROS, None)
    assert event.event_time_us == E6


def test_a_delta_states_only_what_changed_and_a_plain_price_goes_before_a_scaled_one() -> None:
    message = info("delta", symbol="XLMUSDT", last_price="0.12345", last_price_e4="12345")
    event = sole(Ticker, read(message))
    assert (event.last_price, event.mark_price, event.funding_rate) == (0.12345, None, None)
    held = sole(Ticker, read(info("delta", symbol="XLMUSDT", open_interest_e8="250000000")))
    assert (held.open_interest_base, held.open_interest_usd) == (1.25, None)


def test_a_multiple_listed_as_one_is_read_per_coin() -> None:
    plain = info(symbol="SHIB1000USDT", mark_price="0.0125", open_interest_e8="300000000")
    event = sole(Ticker, read(plain))
    assert (event.asset, event.mark_price, event.open_interest_base) == ("SHIB", 1.25e-05, 1500)
    scaled = sole(Ticker, read(info(symbol="SHIB1000USDT", mark_price_e4="125")))
    assert scaled.mark_price == 1.25e-05


def test_the_tickers_of_usdc_perpetuals_have_names_of_their_own() -> None:
    row = {"symbol": "ETHPERP", "markPriceE4": "18006500", "fundingRateE6": "-75"}
    row |= {"openInterestE8": "250000000", "nextFundingTime": "2022-08-09T00:00:00Z"}
    message = {"topic": "instrument_info.100ms.ETHPERP", "type": "snapshot", "data": row}
    event = sole(Ticker, read({**message, "timestampE6": str(E6)}))
    assert (event.mark_price, event.funding_rate, event.open_interest_base) == (
        *(1800.65, -7.5e-05),
        1.25,
    )
    assert (event.next_funding_us, event.event_time_us) == (1_660_003_200_000_000, E6)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (info("delta", total_volume=5), "empty"),
        (info("delta", next_funding_time="1970-01-01T00:00:00Z", mark_price="0"), "empty"),
        (info("delta", mark_price="-1"), "not_positive"),
        (info("delta", symbol="ETHBTC", mark_price="1"), "unknown_instrument"),
        (info("news"), "unknown_message"),
        ({**info(mark_price="5"), "timestamp_e6": ""}, "missing_field"),
        (levels([*SIDES[:2]], type="delta"), "book_delta"),
        (levels({"delete": [], "update": SIDES, "insert": []}), "missing_field"),
        (levels([7]), "wrong_type"),
        (levels([level("Both", "1", 1)]), "unknown_side"),
        (levels([level("Buy", "1800", 0)]), "not_positive"),
        (levels([level("Buy", "1800", 1)]), "empty"),
        (levels([level("Buy", "1801", 1), level("Sell", "1800", 1)]), "crossed_book"),
        (levels(SIDES, "orderBookL2_25.ETHBTC"), "unknown_instrument"),
    ],
)
def test_a_message_without_events_says_why(message: object, reason: str) -> None:
    assert reasons(read(message)) == [reason]


@pytest.mark.parametrize(
    "message",
    [
        levels({"order_book": SIDES}),
        levels({"orderBook": SIDES}),
        levels(SIDES, "orderBook_200.100ms.ETHUSDT"),
    ],
)
def test_a_snapshot_of_levels_in_any_order_is_a_book(message: object) -> None:
    found = sole(Book, read(message))
    assert found.bids == ((1800.5, 1.0), (1799.0, 2.5))
    assert found.asks == ((1801.0, 0.25), (1801.5, 4.0))
    assert found.event_time_us == E6


def test_an_inverse_book_is_in_coins() -> None:
    message = levels(
        [level("Buy", "1800", 900), level("Sell", "2000", 500)], "orderBookL2_25.ETHUSD"
    )
    found = sole(Book, read(message))
    assert (found.bids, found.asks) == (((1800.0, 0.5),), ((2000.0, 0.25),))


def test_spot_depth_and_quotes_are_books() -> None:
    row = {"s": "ETHUSDT", "t": 1660000000321, "v": "1_2_3"}
    sides = {"b": [["1800.5", "1"], ["1799", "2.5"]], "a": [["1801", "0.25"]]}
    deep = sole(Book, read({"topic": "depth", "data": {**row, **sides}}, "bybit-spot"))
    assert (deep.bids, deep.asks) == (((1800.5, 1.0), (1799.0, 2.5)), ((1801.0, 0.25),))
    quote: dict[str, Any] = {
        "symbol": "ETHUSDT",
        "bidPrice": "1800.5",
        "bidQty": "1",
        "askPrice": "1801",
    }
    quote |= {"askQty": "0.25", "time": 1660000000321}
    best = sole(Book, read({"topic": "bookTicker", "data": quote}, "bybit-spot"))
    assert (best.bids, best.asks) == (deep.bids[:1], deep.asks)
    assert best.event_time_us == deep.event_time_us == 1_660_000_000_321_000
    pair = {"topic": "depth", "data": {**row, **sides, "s": "ETHBTC"}}
    assert reasons(read(pair, "bybit-spot")) == ["unknown_instrument"]
