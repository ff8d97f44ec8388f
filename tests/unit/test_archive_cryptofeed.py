"""cryptofeed's JSON lines: sides by exchange, names, units, stamps and what is passed over."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.config import MarginquakeError
from streams.core.events import Book, Liquidation, Ticker, Trade
from streams.edges.archives.cryptofeed_symbols import native
from streams.edges.archives.reading import Reading
from streams.venues.fields import BadField
from tests.archived import INSTRUMENTS, events, items, rejected

AT, RECEIVED = 1_790_000_000.123, 1_790_000_000.135
AT_US, RECEIVED_US = 1_790_000_000_123_000, 1_790_000_000_135_000


def message(exchange: str, symbol: str, **fields: Any) -> dict[str, Any]:
    row = {"exchange": exchange, "symbol": symbol, **fields}
    return {**row, "timestamp": fields.get("timestamp", AT), "receipt_timestamp": RECEIVED}


def forced(
    exchange: str, symbol: str, side: str, size: Any, price: Any, **more: Any
) -> dict[str, Any]:
    numbers = {"quantity": size, "price": price}
    return message(exchange, symbol, side=side, id=None, status="filled", **numbers, **more)


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "cryptofeed.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


CASES = [
    # exchange, symbol, side of a closed long, size, price, venue, native, dollars, kind
    ("BINANCE_FUTURES", "BTC-USDT-PERP", "sell", 0.25, "binance-usdm", "BTCUSDT", 12_500, "order"),
    ("BINANCE_DELIVERY", "BTC-USD-PERP", "sell", 10, "binance-coinm", "BTCUSD_PERP", 1000, "order"),
    ("BYBIT", "BTC-USDT-PERP", "buy", 0.25, "bybit", "BTCUSDT", 12_500, "bankruptcy"),
    ("BYBIT", "BTC-USD-PERP", "buy", 1000, "bybit", "BTCUSD", 1000, "bankruptcy"),
    ("DERIBIT", "BTC-USD-PERP", "sell", 1000, "deribit", "BTC-PERPETUAL", 1000, "fill"),
    ("BITMEX", "BTC-USD-PERP", "sell", 1000, "bitmex", "XBTUSD", 1000, "bankruptcy"),
    ("OKX", "BTC-USDT-PERP", "sell", 25, "okx", "BTC-USDT-SWAP", 12_500, "bankruptcy"),
]


@pytest.mark.parametrize("closed", ["long", "short"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_forced_order_has_the_side_that_its_venue_meant(
    tmp_path: Path, case: tuple[str, str, str, float, str, str, int, str], closed: str
) -> None:
    exchange, symbol, of_long, size, venue, name, usd, kind = case
    side = of_long if closed == "long" else {"buy": "sell", "sell": "buy"}[of_long]
    (event,) = events(written(tmp_path, forced(exchange, symbol, side, size, 50000)))
    assert isinstance(event, Liquidation)
    assert (event.venue, event.symbol, event.position_side) == (venue, name, closed)
    assert event.order_side == ("sell" if closed == "long" else "buy")
    assert (event.usd, event.price_kind) == (usd * 1_000_000, kind)
    assert (event.event_time_us, event.received_at_us) == (AT_US, RECEIVED_US)
    assert event.completeness == ("all" if venue in ("bitmex", "deribit") else "sampled")


def test_a_corrected_side_is_counted_and_can_be_left_as_published(tmp_path: Path) -> None:
    path = written(tmp_path, forced("BYBIT", "BTC-USDT-PERP", "buy", 1, 2))
    reading = Reading(INSTRUMENTS)
    list(reading.read(str(path)))
    assert str(reading.tally) == "BYBIT liquidations: side turned to the order's (1)"
    (event,) = events(path, "cryptofeed:as-published")
    assert isinstance(event, Liquidation)
    assert event.position_side == "short"
    with pytest.raises(MarginquakeError, match="cryptofeed:turned is none"):
        events(path, "cryptofeed:turned")


def test_bybits_milliseconds_are_told_by_magnitude(tmp_path: Path) -> None:
    row = forced("BYBIT", "BTC-USDT-PERP", "buy", 1, 2, timestamp=AT * 1000)
    assert [event.event_time_us for event in events(written(tmp_path, row))] == [AT_US]


def test_numbers_may_be_text_and_a_stamp_may_lack(tmp_path: Path) -> None:
    row = forced("BITMEX", "BTC-USD-PERP", "sell", "1000", "50000.5", timestamp=None)
    (event,) = events(written(tmp_path, row))
    assert event.event_time_us == RECEIVED_US


def test_a_trade_a_rate_an_interest_and_a_book(tmp_path: Path) -> None:
    name = ("OKX", "BTC-USDT-PERP")
    book = {"bid": {"98": 100, "99": 200}, "ask": {"102": 100, "101": 200}}
    found = events(
        written(
            tmp_path,
            message(*name, side="buy", amount=25, price=50000, id="7", type=None),
            message(*name, mark_price=50001, rate=0.0001, next_funding_time=1_790_006_400),
            message(*name, open_interest=2500),
            message(*name, book=book),
        )
    )
    sold, rate, held, levels = found
    assert isinstance(sold, Trade)
    assert (sold.id, sold.taker_side, sold.usd) == ("7", "buy", 12_500_000_000)
    assert isinstance(rate, Ticker)
    assert (rate.mark_price, rate.funding_rate) == (50001, 0.0001)
    assert rate.next_funding_us == 1_790_006_400_000_000
    assert isinstance(held, Ticker)
    assert held.open_interest_base == 25
    assert isinstance(levels, Book)
    assert levels.bids == ((99.0, 2.0), (98.0, 1.0))
    assert levels.asks == ((101.0, 2.0), (102.0, 1.0))


@pytest.mark.parametrize("side", ["undefined", "unknown", "b"])
def test_a_trade_without_a_side_is_a_trade(tmp_path: Path, side: str) -> None:
    name = ("OKX", "BTC-USDT-PERP")
    told = message(*name, side="BUY", amount=25, price=50000, id="7", type=None)
    odd = message(*name, side=side, amount=25, price=50000, id="7", type=None)
    none = message(*name, side=None, amount=25, price=50000, id="8", type=None)
    bought, unsided = events(written(tmp_path, told, odd))
    assert unsided == msgspec.structs.replace(bought, taker_side="unknown")
    assert rejected(written(tmp_path, told, odd, none)) == ["missing_field"]


def test_what_holds_no_event_is_counted(tmp_path: Path) -> None:
    name = ("OKX", "BTC-USDT-PERP")
    rows = [
        message(*name, bid=1, ask=2),
        message(*name, delta={"bid": [], "ask": []}),
        message(*name, price=1),
        message(*name, start=1, stop=2, close=3, open=1, high=3, low=1, volume=5),
    ]
    reading = Reading(INSTRUMENTS)
    assert list(reading.read(str(written(tmp_path, *rows)))) == []
    assert reading.tally.without_event == 4


@pytest.mark.parametrize(
    ("exchange", "symbol", "name"),
    [
        ("BINANCE_FUTURES", "BTC-USDT-26Z25", ("binance-usdm", "BTCUSDT_261225")),
        ("BINANCE_DELIVERY", "BTC-USD-26Z25", ("binance-coinm", "BTCUSD_261225")),
        ("BYBIT", "BTC-USD-26Z25", ("bybit", "BTCUSDZ26")),
        ("BYBIT", "BTC-USDC-PERP", ("bybit", "BTCPERP")),
        ("BYBIT", "BTC-USDT", ("bybit-spot", "BTCUSDT")),
        ("OKX", "BTC-USD-26Z25", ("okx", "BTC-USD-261225")),
        ("OKX", "BTC-USDT", ("okx", "BTC-USDT")),
        ("BITMEX", "BTC-USD-26Z25", ("bitmex", "XBTZ26")),
        ("DERIBIT", "BTC-USD-26Z05", ("deribit", "BTC-5DEC26")),
        ("DERIBIT", "BTC-USDC-PERP", ("deribit", "BTC_USDC-PERPETUAL")),
        ("GATEIO", "BTC-USDT", ("gate-spot", "BTC_USDT")),
        ("GATEIO_FUTURES", "BTC-USDT-PERP", ("gate", "BTC_USDT")),
        ("HUOBI_SWAP", "BTC-USD-PERP", ("htx", "BTC-USD")),
        ("BITGET", "BTC-USDT-PERP", ("bitget", "BTCUSDT")),
        ("BITGET", "BTC-USDT", ("bitget-spot", "BTCUSDT")),
        ("COINBASE", "BTC-USD", ("coinbase", "BTC-USD")),
        ("BINANCE", "BTC-USDT", ("binance-spot", "BTCUSDT")),
    ],
)
def test_a_contract_has_its_venues_name(exchange: str, symbol: str, name: tuple[str, str]) -> None:
    assert native(exchange, symbol) == name
    assert INSTRUMENTS.resolve(*name) is not None


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [
        ("KRAKEN_FUTURES", "BTC-USD-PERP"),
        ("DYDX", "BTC-USD-PERP"),
        ("OKX", "BTC-USDT-26A25"),
        ("BINANCE_FUTURES", "BTC-USDT"),
        ("BITMEX", "btc"),
        ("GATEIO_FUTURES", "BTC-USDT-26Z25"),
    ],
)
def test_a_name_that_cannot_be_known_is_not_guessed(exchange: str, symbol: str) -> None:
    with pytest.raises(BadField):
        native(exchange, symbol)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{broken", "invalid_json"),
        ("[]", "wrong_type"),
        (message("OKX", "BTC-USDT-PERP"), "unknown_message"),
        (message("DYDX", "BTC-USD-PERP", open_interest=1), "unknown_venue"),
        (forced("OKX", "NOSUCH-USDT-PERP", "sell", 1, 1), "unknown_instrument"),
        (forced("COINBASE", "BTC-USD", "sell", 1, 1), "unknown_channel"),
        (forced("OKX", "BTC-USDT-PERP", "unknown", 1, 1), "unknown_side"),
        (forced("OKX", "BTC-USDT-PERP", "sell", 0, 1), "not_positive"),
        (forced("OKX", "BTC-USDT-PERP", "sell", None, 1), "missing_field"),
    ],
)
def test_a_bad_line_harms_no_other(tmp_path: Path, row: Any, reason: str) -> None:
    good = forced("OKX", "BTC-USDT-PERP", "sell", 1, 1)
    path = written(tmp_path, good, row, good)
    assert [number for number, _ in items(path)] == [1, 2, 3]
    assert rejected(path) == [reason]
