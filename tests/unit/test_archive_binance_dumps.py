"""Binance's dumps: each type with and without its header, both time units, doubled rows, zips."""

import zipfile
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.events import Book, Liquidation, Ticker, Trade
from streams.edges.archives.reading import Reading
from tests.archived import INSTRUMENTS, dump, events, items, rejected

AT_MS = 1_790_000_000_123
AT_US = AT_MS * 1000


def snapshot(side: str, filled: str = "12", average: str = "50000") -> str:
    return f"{AT_MS},{side},LIMIT,IOC,12,49000,{average},FILLED,2,{filled}"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("side", "closed"), [("SELL", "long"), ("BUY", "short")])
def test_a_forced_order_is_sampled_contracts_at_the_average_price(
    tmp_path: Path, side: str, closed: str, header: bool
) -> None:
    name = "BTCUSD_PERP-liquidationSnapshot-2024-08-05.csv"
    (event,) = events(dump(tmp_path, name, snapshot(side), header=header))
    assert isinstance(event, Liquidation)
    assert (event.venue, event.symbol, event.asset) == ("binance-coinm", "BTCUSD_PERP", "BTC")
    assert (event.position_side, event.order_side) == (closed, side.lower())
    assert (event.price, event.price_kind, event.completeness) == (50_000, "avg_fill", "sampled")
    assert (event.usd, event.base_qty) == (1_200_000_000, 0.024)
    assert event.event_time_us == event.received_at_us == AT_US


def test_rows_that_stand_twice_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [snapshot("SELL"), snapshot("SELL"), snapshot("BUY"), snapshot("BUY")]
    path = dump(tmp_path, "BTCUSD_PERP-liquidationSnapshot-2024-08-05.csv", *rows)
    reading = Reading(INSTRUMENTS)
    assert [number for number, _ in reading.read(str(path))] == [2, 4]
    assert reading.tally.doubled == 2
    assert str(reading.tally) == "2 doubled lines left out"


def test_a_usdm_snapshot_is_in_coins(tmp_path: Path) -> None:
    (event,) = events(dump(tmp_path, "BTCUSDT-liquidationSnapshot-2021-08-05.csv", snapshot("BUY")))
    assert isinstance(event, Liquidation)
    assert (event.venue, event.base_qty, event.usd) == ("binance-usdm", 12.0, 600_000_000_000)


@pytest.mark.parametrize("maker", ["true", "false", "True", "False"])
@pytest.mark.parametrize("header", [True, False])
def test_a_futures_aggregate_trade_is_sold_where_the_buyer_made_it(
    tmp_path: Path, maker: str, header: bool
) -> None:
    row = f"7,60000.5,2,1,2,{AT_MS},{maker}"
    (event,) = events(dump(tmp_path, "BTCUSDT-aggTrades-2026-09.csv", row, header=header))
    assert isinstance(event, Trade)
    assert event.taker_side == ("sell" if maker.lower() == "true" else "buy")
    assert (event.venue, event.id, event.usd) == ("binance-usdm", "7", 120_001_000_000)
    assert event.event_time_us == AT_US


@pytest.mark.parametrize("stamp", [AT_MS, AT_US])
@pytest.mark.parametrize(
    ("kind", "row"),
    [("aggTrades", "7,60000,2,1,2,{},True,True"), ("trades", "7,60000,2,120000,{},True,True")],
)
def test_a_spot_trade_is_told_by_its_shape_and_its_unit_of_time_by_size(
    tmp_path: Path, kind: str, row: str, stamp: int
) -> None:
    path = dump(tmp_path, f"BTCUSDT-{kind}-2026-09-21.csv", row.format(stamp), header=False)
    (event,) = events(path)
    assert isinstance(event, Trade)
    assert (event.venue, event.taker_side, event.event_time_us) == ("binance-spot", "sell", AT_US)


@pytest.mark.parametrize("header", ["", "id,price,qty,base_qty,time,is_buyer_maker"])
def test_a_single_trade_of_coin_margined_contracts(tmp_path: Path, header: str) -> None:
    rows = [*filter(None, [header]), f"7,50000,10,0.02,{AT_MS},false"]
    (event,) = events(dump(tmp_path, "BTCUSD_PERP-trades-2026-09-21.csv", *rows, header=False))
    assert isinstance(event, Trade)
    assert (event.taker_side, event.usd, event.base_qty) == ("buy", 1_000_000_000, 0.02)


def test_metrics_are_sorted_deduplicated_and_in_the_contracts_unit(tmp_path: Path) -> None:
    rows = [
        "2026-09-21 00:10:00,BTCUSDT,30,1,1,1,1,1",
        "2026-09-21 00:00:00,BTCUSDT,10,1,1,1,1,1",
        "2026-09-21 00:05:00,BTCUSDT,20,1,1,1,1,1",
        "2026-09-21 00:05:00,BTCUSDT,20,1,1,1,1,1",
    ]
    found = events(dump(tmp_path, "BTCUSDT-metrics-2026-09-21.csv", *rows))
    assert [e.open_interest_base for e in found if isinstance(e, Ticker)] == [10, 20, 30]
    assert found[0].event_time_us == found[0].received_at_us == 1_789_948_800_000_000
    row = '2026-09-21 00:00:00,BTCUSD_PERP,500,1,"","","",1'
    (event,) = events(dump(tmp_path, "BTCUSD_PERP-metrics-2026-09-21.csv", row, header=False))
    assert isinstance(event, Ticker)
    assert (event.venue, event.open_interest_usd) == ("binance-coinm", 50_000_000_000)


@pytest.mark.parametrize("header", [True, False])
def test_a_funding_rate_has_its_cycle_and_no_next_time(tmp_path: Path, header: bool) -> None:
    row = "1790006400004,8,-0.00012"
    (event,) = events(dump(tmp_path, "BTCUSDT-fundingRate-2026-09.csv", row, header=header))
    assert isinstance(event, Ticker)
    assert (event.funding_rate, event.funding_interval_s) == (-0.00012, 28_800)
    assert (event.next_funding_us, event.event_time_us) == (None, 1_790_006_400_004_000)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("klines", "last_price"),
        ("markPriceKlines", "mark_price"),
        ("indexPriceKlines", "index_price"),
    ],
)
def test_a_kline_gives_its_close_when_it_is_known(tmp_path: Path, kind: str, field: str) -> None:
    name = f"data/futures/um/daily/{kind}/BTCUSDT/1m/BTCUSDT-1m-2026-09-21.csv"
    row = "1790000000000,1,3,1,2,5,1790000059999,9,4,2,4,0"
    for header in (True, False):
        (event,) = events(dump(tmp_path, name, row, header=header))
        assert isinstance(event, Ticker)
        prices = {n: getattr(event, n) for n in ("mark_price", "index_price", "last_price")}
        assert prices == {**dict.fromkeys(prices), field: 2.0}
        assert event.event_time_us == 1_790_000_059_999_000


def test_the_index_of_a_coin_margined_pair_is_its_perpetuals(tmp_path: Path) -> None:
    name = "futures/cm/daily/indexPriceKlines/BTCUSD/1m/BTCUSD-1m-2026-09-21.csv"
    (event,) = events(dump(tmp_path, name, "1790000000000,1,3,1,2,5,1790000059999,9,4,2,4,0"))
    assert (event.venue, event.symbol) == ("binance-coinm", "BTCUSD_PERP")


@pytest.mark.parametrize("header", [True, False])
def test_a_best_bid_and_ask_are_a_book_of_one_level(tmp_path: Path, header: bool) -> None:
    row = f"9,100,5,101,6,{AT_MS},{AT_MS + 3}"
    (event,) = events(dump(tmp_path, "BTCUSDT-bookTicker-2024-03-30.csv", row, header=header))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((100.0, 5.0),), ((101.0, 6.0),))
    assert event.event_time_us == AT_US


def test_a_zipped_dump_is_read_and_the_family_is_taken_from_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "spot" / "daily" / "klines"
    folder.mkdir(parents=True)
    path = folder / "BTCUSDT-1m-2026-09-21.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        row = "1790000000000000,1,3,1,2,5,1790000059999999,9,4,2,4,0\n"
        archive.writestr("BTCUSDT-1m-2026-09-21.csv", row * 2)
    (event,) = events(path)
    assert (event.venue, event.event_time_us) == ("binance-spot", 1_790_000_059_999_999)


def test_zips_that_cannot_be_read_name_the_file_and_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-trades-2026-09-21.zip"
    path.write_bytes(b"PK\x03\x04 and no directory")
    with pytest.raises(MarginquakeError, match=r"trades-2026-09-21.zip: damaged zip .* again"):
        events(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "1")
    with pytest.raises(MarginquakeError, match="of 2 files, expected one; unzip"):
        events(path)


def test_a_name_without_a_symbol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    path.write_text(snapshot("SELL") + "\n")
    with pytest.raises(MarginquakeError, match=r"dump.csv: line 1: .*name the file as Binance"):
        events(path)


def test_the_family_can_be_forced(tmp_path: Path) -> None:
    row = "1790000000000,1,3,1,2,5,1790000059999,9,4,2,4,0"
    path = tmp_path / "BTCUSDT-1m-2026-09-21.csv"
    path.write_text(row + "\n")
    assert [e.venue for e in events(path)] == ["binance-usdm"]
    assert [e.venue for e in events(path, "binance:spot")] == ["binance-spot"]
    with pytest.raises(MarginquakeError, match="binance:perp names no family"):
        events(path, "binance:perp")
    with pytest.raises(MarginquakeError, match="expected one of raw, "):
        items(path, "binanse")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"7,60000,2,1,2,{AT_MS},maybe", "unknown_side"),
        (f"7,0,2,1,2,{AT_MS},true", "not_positive"),
        (f"x,60000,2,1,2,{AT_MS},true", "wrong_type"),
        ("7,60000,2", "missing_field"),
        ("\udcff7", "invalid_utf8"),
    ],
)
def test_a_bad_row_harms_no_other(tmp_path: Path, row: str, reason: str) -> None:
    good = f"7,60000,2,1,2,{AT_MS},true"
    path = tmp_path / "BTCUSDT-aggTrades-2026-09-21.csv"
    path.write_bytes("\n".join([good, row, good]).encode("utf-8", "surrogateescape"))
    assert [number for number, _ in items(path)] == [1, 2, 3]
    assert rejected(path) == [reason]


def test_an_unknown_instrument_is_a_dead_letter(tmp_path: Path) -> None:
    path = dump(tmp_path, "ETHBTC-aggTrades-2026-09-21.csv", f"7,60000,2,1,2,{AT_MS},true")
    assert rejected(path) == ["unknown_instrument"]


def test_a_coinm_trade_names_its_coins_base_qty(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSD_PERP-trades-2026-09-21.csv"
    names = "id,price,qty,base_qty,time,is_buyer_maker"
    path.write_text(f"{names}\n7,50000,10,0.02,{AT_MS},true\n")
    (event,) = events(path)
    assert isinstance(event, Trade)
    assert (event.venue, event.id, event.taker_side) == ("binance-coinm", "7", "sell")
    assert (event.usd, event.base_qty) == (1_000_000_000, 0.02)
