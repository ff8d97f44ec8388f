"""Tardis CSV: what each type of row becomes, by venue, and what a bad row costs."""

import gzip
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.events import BadLine, Book, Event, Liquidation, Raw, Ticker, Trade
from streams.edges.archives.reading import Reading
from tests.archived import INSTRUMENTS, events, items, rejected

TAPE = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
    "predicted_funding_rate,open_interest,last_price,index_price,mark_price"
)
AT_US, LOCAL_US = 1_790_000_000_119_000, 1_790_000_000_135_210


def tape(exchange: str, symbol: str, side: str, price: str, amount: str, identity: str = "") -> str:
    return f"{exchange},{symbol},{AT_US},{LOCAL_US},{identity},{side},{price},{amount}"


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


CASES = [
    # exchange, symbol, price, amount, venue, coins, dollars, price kind, completeness
    ("binance-futures", "BTCUSDT", "60000", "0.25", "binance-usdm", 0.25, 15_000, "order", False),
    ("binance-futures", "1000PEPEUSDT", "0.01", "5", "binance-usdm", 5000, 0.05, "order", False),
    ("binance-delivery", "BTCUSD_PERP", "50000", "10", "binance-coinm", 0.02, 1000, "order", False),
    ("bybit", "BTCUSDT", "60000", "0.25", "bybit", 0.25, 15_000, "bankruptcy", True),
    ("bybit", "BTCUSD", "50000", "1000", "bybit", 0.02, 1000, "bankruptcy", True),
    ("okex-swap", "BTC-USDT-SWAP", "60000", "25", "okx", 0.25, 15_000, "bankruptcy", False),
    ("okex-swap", "BTC-USD-SWAP", "50000", "10", "okx", 0.02, 1000, "bankruptcy", False),
    ("gate-io-futures", "BTC_USDT", "60000", "2500", "gate", 0.25, 15_000, "order", True),
    ("bitget-futures", "BTCUSDT", "60000", "15000", "bitget", 0.25, 15_000, "unknown", False),
    ("bitmex", "XBTUSD", "50000", "1000", "bitmex", 0.02, 1000, "bankruptcy", True),
    ("deribit", "BTC-PERPETUAL", "50000", "1000", "deribit", 0.02, 1000, "fill", True),
    ("cryptofacilities", "PI_XBTUSD", "50000", "1000", "kraken", 0.02, 1000, "fill", True),
    ("cryptofacilities", "PF_XBTUSD", "60000", "0.25", "kraken", 0.25, 15_000, "fill", True),
    ("huobi-dm-swap", "BTC-USD", "50000", "10", "htx", 0.02, 1000, "bankruptcy", True),
    ("huobi-dm-linear-swap", "BTC-USDT", "60000", "250", "htx", 0.25, 15_000, "bankruptcy", True),
    ("dydx-v4", "BTC-USD", "60000", "0.25", "dydx", 0.25, 15_000, "fill", True),
]


@pytest.mark.parametrize(("side", "closed"), [("sell", "long"), ("buy", "short")])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_liquidation_has_side_size_and_completeness_of_its_venue(
    tmp_path: Path,
    case: tuple[str, str, str, str, str, float, float, str, bool],
    side: str,
    closed: str,
) -> None:
    exchange, symbol, price, amount, venue, coins, usd, kind, whole = case
    row = tape(exchange, symbol, side, price, amount)
    (event,) = events(written(tmp_path, "liquidations.csv", TAPE, row))
    assert isinstance(event, Liquidation)
    assert (event.venue, event.symbol) == (venue, symbol)
    assert (event.position_side, event.order_side) == (closed, side)
    assert event.base_qty == pytest.approx(coins)
    assert event.usd == round(usd * 1_000_000)
    assert event.price_kind == kind
    assert event.completeness == ("all" if whole else "sampled")
    assert (event.event_time_us, event.received_at_us) == (AT_US, LOCAL_US)


def test_bybit_before_the_topic_of_all_orders_is_sampled(tmp_path: Path) -> None:
    row = "bybit,BTCUSDT,1700000000000000,1700000000000001,,sell,30000,1"
    (event,) = events(written(tmp_path, "liquidations.csv", TAPE, row))
    assert isinstance(event, Liquidation)
    assert event.completeness == "sampled"


def test_equal_rows_of_one_message_are_orders_of_their_own(tmp_path: Path) -> None:
    row = tape("bybit", "BTCUSDT", "sell", "60000", "0.25")
    first, second = events(written(tmp_path, "liquidations.csv", TAPE, row, row))
    assert first.id != second.id
    again = events(written(tmp_path, "other_liquidations.csv", TAPE, row, row))
    assert [first.id, second.id] == [event.id for event in again]


def test_a_gzipped_trade_has_the_takers_side_and_its_own_id(tmp_path: Path) -> None:
    path = tmp_path / "binance-futures_trades_2026-09-21_BTCUSDT.csv.gz"
    row = tape("binance-futures", "BTCUSDT", "sell", "60000.5", "2", "77")
    path.write_bytes(gzip.compress(f"{TAPE}\n{row}\n".encode()))
    (event,) = events(path)
    assert isinstance(event, Trade)
    assert (event.taker_side, event.id, event.usd) == ("sell", "77", 120_001_000_000)


def test_the_forced_type_can_be_named_where_the_path_does_not_tell(tmp_path: Path) -> None:
    path = written(tmp_path, "data.csv", TAPE, tape("bybit", "BTCUSDT", "buy", "2", "3"))
    with pytest.raises(MarginquakeError, match=r"data.csv: line 1: .* or tardis-csv:trades"):
        events(path)
    (event,) = events(path, "tardis-csv:liquidations")
    assert isinstance(event, Liquidation)
    (event,) = events(path, "tardis-csv:trades")
    assert isinstance(event, Trade)


def test_a_ticker_leaves_open_what_is_empty(tmp_path: Path) -> None:
    key = f"okex-swap,BTC-USDT-SWAP,{AT_US},{LOCAL_US}"
    rows = (f"{key},1790006400000000,0.0001,,2500,,62003,62001", f"{key},,,,,,,")
    (event,) = events(written(tmp_path, "t.csv", TICKER, *rows))
    assert isinstance(event, Ticker)
    assert (event.mark_price, event.index_price, event.last_price) == (62001, 62003, None)
    assert (event.open_interest_base, event.open_interest_usd) == (25.0, None)
    assert (event.funding_rate, event.next_funding_us) == (0.0001, 1_790_006_400_000_000)


def test_a_book_is_in_coins_and_ends_at_the_first_missing_level(tmp_path: Path) -> None:
    names = [
        f"{side}[{level}].{value}"
        for level in range(5)
        for side in ("asks", "bids")
        for value in ("price", "amount")
    ]
    header = "exchange,symbol,timestamp,local_timestamp," + ",".join(names)
    levels = "101,100,99,200,102,100,98,200" + "," * 12
    row = f"okex-swap,BTC-USDT-SWAP,{AT_US},{LOCAL_US},{levels}"
    (event,) = events(written(tmp_path, "b.csv", header, row))
    assert isinstance(event, Book)
    assert event.asks == ((101.0, 1.0), (102.0, 1.0))
    assert event.bids == ((99.0, 2.0), (98.0, 2.0))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (tape("ftx", "BTCUSDT", "sell", "1", "1"), "unknown_venue"),
        (tape("okex-swap", "NOSUCH-USDT-SWAP", "sell", "1", "1"), "unknown_instrument"),
        (tape("bitmex", "ETHUSD", "sell", "1", "1"), "unknown_notional"),
        (tape("bitget-futures", "BTCUSD", "sell", "1", "1"), "unknown_notional"),
        (tape("hyperliquid", "BTC", "sell", "1", "1"), "unknown_channel"),
        (tape("bybit", "BTCUSDT", "unknown", "1", "1"), "unknown_side"),
        (tape("bybit", "BTCUSDT", "sell", "nan", "1"), "not_finite"),
        (tape("bybit", "BTCUSDT", "sell", "1", "-1"), "not_positive"),
        (tape("bybit", "BTCUSDT", "sell", "", "1"), "missing_field"),
        ("bybit,BTCUSDT,1,2", "missing_field"),
        ('bybit,"BTC', "missing_field"),
    ],
)
def test_a_bad_row_is_a_dead_letter_with_its_line_and_harms_no_other(
    tmp_path: Path, row: str, reason: str
) -> None:
    good = tape("bybit", "BTCUSDT", "sell", "60000", "0.25")
    path = written(tmp_path, "liquidations.csv", TAPE, good, row, good)
    found = items(path)
    assert [number for number, _ in found] == [2, 3, 4]
    bad = found[1][1]
    assert isinstance(bad, BadLine)
    assert rejected(path) == [reason]
    assert bad.source == "liquidations.csv:3"
    assert bad.raw.payload == row.encode()


def test_a_trade_whose_side_tardis_does_not_know_is_a_trade(tmp_path: Path) -> None:
    sides = [tape("bybit", "BTCUSDT", side, "60000", "0.25") for side in ("sell", "unknown", "")]
    sold, unsided = events(written(tmp_path, "trades.csv", TAPE, *sides[:2]))
    assert isinstance(sold, Trade)
    assert isinstance(unsided, Trade)
    assert (sold.taker_side, unsided.taker_side) == ("sell", "unknown")
    assert (sold.usd, sold.price) == (unsided.usd, unsided.price)
    assert rejected(written(tmp_path, "trades.csv", TAPE, *sides)) == ["missing_field"]


@pytest.mark.parametrize(
    "columns",
    ["is_snapshot,side,price,amount", "ask_amount,ask_price,bid_price,bid_amount", "strike"],
)
def test_a_type_that_is_not_read_is_refused_by_name(tmp_path: Path, columns: str) -> None:
    path = written(tmp_path, "x.csv", f"exchange,symbol,timestamp,local_timestamp,{columns}")
    with pytest.raises(MarginquakeError, match=r"x.csv: line 1: a Tardis CSV of .* is not read"):
        list(Reading(INSTRUMENTS).read(str(path)))


def test_records_hold_events_that_a_framer_reads_back(tmp_path: Path) -> None:
    row = tape("bybit", "BTCUSDT", "sell", "60000", "0.25")
    ((_, raw),) = items(written(tmp_path, "liquidations.csv", TAPE, row))
    assert isinstance(raw, Raw)
    assert (raw.venue, raw.channel, raw.received_at_us) == ("bybit", "canonical", LOCAL_US)
    (event,) = events(tmp_path / "liquidations.csv")
    assert isinstance(event, Event)
