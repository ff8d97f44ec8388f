"""The instrument table: what is packaged, how it is renewed, what it refuses."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.config import MarginquakeError
from streams.core.instruments import Instrument
from streams.edges.instrument_table import refresh
from streams.venues import PARSERS, RULES, catalog
from streams.venues.catalog import (
    Entry,
    TableError,
    default_instruments,
    packaged_table,
    read_table,
    refreshed_path,
    write_table,
)
from streams.venues.listed_at import URLS
from streams.venues.listings import read_listing

OKX_ROW = {
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "instFamily": "BTC-USDT",
    "uly": "BTC-USDT",
    "ctType": "linear",
    "ctVal": "0.02",
    "ctMult": "1",
    "ctValCcy": "BTC",
    "settleCcy": "USDT",
    "state": "live",
}
COINM_ROW = {
    "symbol": "BTCUSD_PERP",
    "pair": "BTCUSD",
    "contractType": "PERPETUAL",
    "contractSize": 100,
    "baseAsset": "BTC",
    "quoteAsset": "USD",
    "marginAsset": "BTC",
}
BYBIT_ROW = {
    "symbol": "BTCUSDH27",
    "contractType": "InverseFutures",
    "baseCoin": "BTC",
    "quoteCoin": "USD",
    "status": "Trading",
}
HTX_ROW = {
    "symbol": "BTC",
    "contract_code": "BTC-USDT",
    "contract_size": 0.001,
    "price_tick": 0.1,
    "business_type": "swap",
    "contract_type": "swap",
    "trade_partition": "USDT",
}
KUCOIN_ROW = {
    "symbol": "XBTUSDTM",
    "baseCurrency": "XBT",
    "quoteCurrency": "USDT",
    "multiplier": 0.001,
    "isInverse": False,
    "isQuanto": True,
    "status": "Open",
}

DERIBIT_ROW = {
    "instrument_name": "SOL_USDC-PERPETUAL",
    "kind": "future",
    "instrument_type": "linear",
    "base_currency": "SOL",
    "quote_currency": "USDC",
    "contract_size": 0.1,
}
KRAKEN_ROW = {
    "symbol": "PF_XBTUSD",
    "type": "flexible_futures",
    "base": "XBT",
    "quote": "USD",
    "contractSize": 1,
    "tradeable": True,
}
GATE_ROW = {"name": "NEAR_USDT", "type": "direct", "quanto_multiplier": "0.5"}
BITMEX_ROW = {
    "symbol": "XBTUSDT",
    "typ": "FFWCSX",
    "underlying": "XBT",
    "quoteCurrency": "USDT",
    "settlCurrency": "USDt",
    "multiplier": 1,
    "underlyingToPositionMultiplier": 1000000,
    "quoteToSettleMultiplier": 1000000,
    "isQuanto": False,
    "isInverse": False,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MARGINQUAKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def resolved(venue: str, symbol: str) -> Instrument:
    instrument = default_instruments().resolve(venue, symbol)
    assert instrument is not None, symbol
    return instrument


def answer(venue: str, *rows: Any) -> bytes:
    shapes: dict[str, Any] = {
        "okx": {"code": "0", "msg": "", "data": rows},
        "bybit": {"retCode": 0, "retMsg": "OK", "result": {"category": "inverse", "list": rows}},
        "binance-coinm": {"timezone": "UTC", "symbols": rows},
        "deribit": {"jsonrpc": "2.0", "result": rows},
        "kraken": {"result": "success", "instruments": rows},
        "htx": {"status": "ok", "data": rows, "ts": 5},
        "kucoin": {"code": "200000", "data": rows},
        "bitmex": rows,
        "gate": rows,
    }
    return msgspec.json.encode(shapes[venue])


def test_the_packaged_table_knows_the_documented_contract_sizes() -> None:
    sizes = {
        ("binance-coinm", "BTCUSD_PERP"): ("inverse", Decimal(100)),
        ("binance-coinm", "ETHUSD_PERP"): ("inverse", Decimal(10)),
        ("bybit", "BTCUSD"): ("inverse", Decimal(1)),
        ("htx", "BTC-USDT"): ("linear", Decimal("0.001")),
        ("htx", "BTC-USD"): ("inverse", Decimal(100)),
        ("htx", "ETH-USD"): ("inverse", Decimal(10)),
        ("kucoin", "XBTUSDTM"): ("linear", Decimal("0.001")),
        ("kucoin", "XBTUSDM"): ("inverse", Decimal(1)),
        ("okx", "BTC-USDT-SWAP"): ("linear", Decimal("0.01")),
        ("okx", "ETH-USDT-SWAP"): ("linear", Decimal("0.1")),
        ("okx", "BTC-USD-SWAP"): ("inverse", Decimal(100)),
        ("okx", "ETH-USD-SWAP"): ("inverse", Decimal(10)),
        ("deribit", "BTC-PERPETUAL"): ("inverse", Decimal(1)),
        ("kraken", "PI_XBTUSD"): ("inverse", Decimal(1)),
        ("kraken", "PF_XBTUSD"): ("linear", Decimal(1)),
        ("hyperliquid", "kPEPE"): ("linear", Decimal(1)),
        ("gate", "BTC_USDT"): ("linear", Decimal("0.0001")),
        ("gate", "ETH_USDT"): ("linear", Decimal("0.01")),
        ("gate", "BTC_USD"): ("inverse", Decimal(1)),
        ("bitmex", "XBTUSD"): ("inverse", Decimal(1)),
    }
    table = packaged_table()
    for key, expected in sizes.items():
        instrument, basis = table[key]
        assert (instrument.contract, instrument.contract_size) == expected
        assert basis == "documented"
    assert sum(venue == "okx" and "-USDT-" in symbol for venue, symbol in table) >= 40


def test_table_rows_agree_with_the_rules_where_both_know_a_symbol() -> None:
    for (venue, symbol), (instrument, _) in packaged_table().items():
        rule = RULES.get(venue)
        ruled = rule and rule(symbol)
        assert ruled is None or ruled == instrument


def test_every_venue_that_is_parsed_has_a_rule_or_rows() -> None:
    assert set(PARSERS) - set(RULES) == {"kucoin"}
    assert any(venue == "kucoin" for venue, _ in packaged_table())


def test_symbols_without_a_row_are_told_by_their_name() -> None:
    assert resolved("binance-usdm", "1000PEPEUSDT").coins_per_unit == 1000
    assert resolved("binance-spot", "BTCUSDT").contract == "spot"
    assert resolved("htx", "SOL-USD").contract_size == 10
    assert resolved("dydx", "BTC-USD").size_unit == "base"
    assert resolved("coinbase", "BTC-USD").contract == "spot"


def test_okx_contracts_without_a_row_follow_their_family() -> None:
    assert resolved("okx", "XRP-USD-261225").contract_size == 10
    assert resolved("okx", "BTC-USD-261225").contract_size == 100
    dated = resolved("okx", "ETH-USDT-261225")
    assert (dated.symbol, dated.contract_size) == ("ETH-USDT-261225", Decimal("0.1"))
    assert resolved("okx", "BTC-USDT").contract == "spot"


def test_a_table_comes_back_from_its_text() -> None:
    table = packaged_table()
    text = write_table(table.values())
    assert read_table(text, "here") == table
    assert write_table(reversed(list(table.values()))) == text


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ("okx,A-USDT-SWAP,A,USDT,linear,contracts,0,1,venue", "above zero"),
        ("okx,A-USDT-SWAP,A,USDT,linear,contracts,NaN,1,venue", "above zero"),
        ("okx,A-USDT-SWAP,A,USDT,linear,contracts,one,1,venue", "file.csv:2"),
        ("okx,A-USDT-SWAP,A,USDT,linear,contracts,1,0,venue", "above zero"),
        ("okx,A-USDT-SWAP,A,USDT,curved,contracts,1,1,venue", "contract is 'curved'"),
        ("okx,A-USDT-SWAP,A,USDT,linear,lots,1,1,venue", "size_unit is 'lots'"),
        ("okx,,A,USDT,linear,contracts,1,1,venue", "symbol is empty"),
        ("okx,A-USDT-SWAP", "is empty"),
    ],
)
def test_a_doubtful_row_refuses_the_table_and_names_the_line(cells: str, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint):
        read_table(",".join(catalog.COLUMNS) + "\n" + cells + "\n", "file.csv")


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(TableError, match="contract_size"):
        read_table("venue,symbol\nokx,BTC-USDT-SWAP\n", "file.csv")


def test_a_refresh_overrides_the_packaged_rows_and_says_what_changed() -> None:
    new = OKX_ROW | {"instId": "NEW-USDT-SWAP", "instFamily": "NEW-USDT", "ctValCcy": "NEW"}
    done = refresh("okx", [("saved.json", answer("okx", OKX_ROW, new))])
    assert (done.listed, done.added, done.changed) == (2, ("NEW-USDT-SWAP",), ("BTC-USDT-SWAP",))
    assert "ETH-USDT-SWAP" in done.removed
    assert resolved("okx", "BTC-USDT-SWAP").contract_size == Decimal("0.02")
    assert resolved("okx", "NEW-USDT-SWAP").asset == "NEW"
    assert resolved("okx", "ETH-USDT-SWAP").contract_size == Decimal("0.1")
    again = refresh("okx", [("saved.json", answer("okx", OKX_ROW, new))])
    assert again.added == again.changed == ()


def test_a_refresh_of_one_venue_keeps_the_rows_of_another() -> None:
    refresh("okx", [("a", answer("okx", OKX_ROW))])
    refresh("binance-coinm", [("b", answer("binance-coinm", COINM_ROW | {"contractSize": 50}))])
    refresh("bybit", [("c", answer("bybit", BYBIT_ROW))])
    assert resolved("okx", "BTC-USDT-SWAP").contract_size == Decimal("0.02")
    assert resolved("binance-coinm", "BTCUSD_PERP").contract_size == 50
    assert resolved("bybit", "BTCUSDH27").size_unit == "usd"


def test_the_venues_rows_become_instruments() -> None:
    mega = OKX_ROW | {"ctMult": "10", "ctVal": "0.5"}
    inverse = OKX_ROW | {"ctType": "inverse", "ctValCcy": "USD", "instFamily": "BTC-USD"}
    (first, second) = read_listing("okx", answer("okx", mega, inverse)).entries
    assert first == Entry(
        Instrument("okx", "BTC-USDT-SWAP", "BTC", "USDT", "linear", "contracts", Decimal("5.0")),
        "venue",
    )
    assert (second.instrument.contract, second.instrument.quote) == ("inverse", "USD")
    (coinm,) = read_listing("binance-coinm", answer("binance-coinm", COINM_ROW)).entries
    assert coinm.instrument == RULES["binance-coinm"]("BTCUSD_PERP")
    (bybit,) = read_listing("bybit", answer("bybit", BYBIT_ROW)).entries
    assert bybit.instrument == RULES["bybit"]("BTCUSDH27")


def test_deribit_rows_are_dollars_or_coins_whatever_the_contract_size() -> None:
    inverse = {"instrument_name": "BTC-PERPETUAL", "instrument_type": "reversed"}
    inverse |= {"base_currency": "BTC", "quote_currency": "USD"}
    option = DERIBIT_ROW | {"kind": "option"}
    rows = (DERIBIT_ROW, DERIBIT_ROW | inverse, option, DERIBIT_ROW | {"quote_currency": "BTC"})
    listing = read_listing("deribit", answer("deribit", *rows))
    rule = RULES["deribit"]
    assert [entry.instrument for entry in listing.entries] == [
        rule("SOL_USDC-PERPETUAL"),
        rule("BTC-PERPETUAL"),
    ]
    assert len(listing.problems) == 1
    assert listing.problems[0].startswith("SOL_USDC-PERPETUAL")


def test_a_kraken_row_counts_where_its_type_and_its_name_agree() -> None:
    inverse = KRAKEN_ROW | {"symbol": "pi_xbtusd", "type": "perpetual_inverse"}
    larger = KRAKEN_ROW | {"symbol": "PF_PEPEUSD", "base": "PEPE", "contractSize": 1000}
    index = KRAKEN_ROW | {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
    wrong = KRAKEN_ROW | {"type": "futures_inverse"}
    unknown = KRAKEN_ROW | {"symbol": "PV_XRPXBT", "type": "futures_vanilla"}
    rows = (KRAKEN_ROW, inverse, larger, index, wrong, unknown)
    listing = read_listing("kraken", answer("kraken", *rows))
    linear, reverse, thousand = [entry.instrument for entry in listing.entries]
    assert (linear, reverse) == tuple(map(RULES["kraken"], ("PF_XBTUSD", "PI_XBTUSD")))
    assert (thousand.size_unit, thousand.contract_size) == ("contracts", Decimal(1000))
    assert len(listing.problems) == 2


def test_htx_and_kucoin_rows_become_instruments() -> None:
    coin = HTX_ROW | {"contract_code": "BTC-USD", "contract_size": 100}
    dated = HTX_ROW | {"contract_code": "BTC-USDT-261225", "contract_size": "0.001"}
    many = HTX_ROW | {"contract_code": "1000SATS-USDT", "contract_size": 10}
    listing = read_listing("htx", answer("htx", HTX_ROW, coin, dated, many))
    linear, inverse, future, sats = (entry.instrument for entry in listing.entries)
    assert linear == packaged_table()["htx", "BTC-USDT"].instrument
    assert inverse == RULES["htx"]("BTC-USD")
    assert (future.contract, future.contract_size) == ("linear", Decimal("0.001"))
    assert (sats.asset, sats.contract_size, sats.coins_per_unit) == ("SATS", Decimal(10), 1000)

    coin = KUCOIN_ROW | {"symbol": "XBTUSDM", "quoteCurrency": "USD", "multiplier": -1.0}
    coin["isInverse"] = True
    many = KUCOIN_ROW | {"symbol": "1000BONKUSDTM", "baseCurrency": "1000BONK", "multiplier": 100}
    listing = read_listing("kucoin", answer("kucoin", KUCOIN_ROW, coin, many))
    linear, inverse, bonk = (entry.instrument for entry in listing.entries)
    assert linear == packaged_table()["kucoin", "XBTUSDTM"].instrument
    assert inverse == packaged_table()["kucoin", "XBTUSDM"].instrument
    assert (bonk.asset, bonk.contract_size, bonk.coins_per_unit) == ("BONK", Decimal(100), 1000)


def test_gates_rows_become_instruments() -> None:
    thousand = GATE_ROW | {"name": "1000SATS_USDT", "quanto_multiplier": "10"}
    inverse = {"name": "BTC_USD", "type": "inverse", "quanto_multiplier": "0"}
    listing = read_listing("gate", answer("gate", GATE_ROW, thousand, inverse))
    near, sats, btc = (entry.instrument for entry in listing.entries)
    assert near == Instrument(
        *("gate", "NEAR_USDT", "NEAR", "USDT", "linear", "contracts"), Decimal("0.5")
    )
    assert (sats.asset, sats.contract_size, sats.coins_per_unit) == ("SATS", Decimal(10), 1000)
    assert btc == RULES["gate"]("BTC_USD")
    odd = [
        GATE_ROW | {"quanto_multiplier": "0"},
        GATE_ROW | {"name": "ETH_USD"},
        GATE_ROW | {"name": "_USDT"},
        GATE_ROW | {"type": "inverse"},
        {"label": "x"},
    ]
    assert len(read_listing("gate", answer("gate", *odd)).problems) == len(odd)


def test_bitmexs_rows_become_instruments() -> None:
    inverse = BITMEX_ROW | {"symbol": "XBTUSD", "quoteCurrency": "USD", "isInverse": True}
    inverse |= {"multiplier": -100000000, "underlyingToSettleMultiplier": -100000000}
    quanto = BITMEX_ROW | {"symbol": "ETHUSD", "underlying": "ETH", "quoteCurrency": "USD"}
    quanto |= {"isQuanto": True, "multiplier": 100, "settlCurrency": "XBt"}
    spot = BITMEX_ROW | {"symbol": "XBT_USDT", "typ": "IFXXXP"}
    listing = read_listing("bitmex", answer("bitmex", BITMEX_ROW, inverse, quanto, spot))
    assert listing.problems == []
    table = packaged_table()
    for entry in listing.entries:
        assert entry.instrument == table["bitmex", entry.instrument.symbol].instrument
    assert len(listing.entries) == 3
    odd = [
        BITMEX_ROW | {"quoteCurrency": "EUR"},
        BITMEX_ROW | {"underlyingToPositionMultiplier": None},
        inverse | {"underlyingToSettleMultiplier": 0},
        inverse | {"multiplier": 0},
        quanto | {"settlCurrency": "USDt"},
    ]
    assert len(read_listing("bitmex", answer("bitmex", *odd)).problems) == len(odd)


@pytest.mark.parametrize(
    ("venue", "row"),
    [
        ("okx", OKX_ROW | {"ctVal": "0"}),
        ("okx", OKX_ROW | {"ctVal": ""}),
        ("okx", OKX_ROW | {"ctValCcy": "USDT"}),
        ("okx", OKX_ROW | {"ctType": "quanto"}),
        ("okx", 5),
        ("htx", HTX_ROW | {"contract_size": 0}),
        ("htx", HTX_ROW | {"contract_code": "BTC-EUR"}),
        ("htx", HTX_ROW | {"contract_code": "BTC240628"}),
        ("htx", 5),
        ("kucoin", KUCOIN_ROW | {"multiplier": 0}),
        ("kucoin", KUCOIN_ROW | {"multiplier": -1}),
        ("kucoin", KUCOIN_ROW | {"quoteCurrency": "USD"}),
        ("kucoin", KUCOIN_ROW | {"isInverse": True}),
        ("kucoin", KUCOIN_ROW | {"isInverse": None}),
    ],
)
def test_a_row_without_a_plain_size_is_skipped_and_told(venue: str, row: Any) -> None:
    good = {"okx": OKX_ROW, "htx": HTX_ROW, "kucoin": KUCOIN_ROW}[venue]
    listing = read_listing(venue, answer(venue, row, good))
    assert len(listing.entries) == len(listing.problems) == 1


@pytest.mark.parametrize("venue", sorted(URLS))
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"code":"50011","msg":"slow"}'])
def test_an_answer_that_is_no_list_writes_nothing(venue: str, body: bytes, home: Path) -> None:
    with pytest.raises(MarginquakeError, match=r"saved\.json"):
        refresh(venue, [("saved.json", body)])
    with pytest.raises(MarginquakeError, match="nothing was written"):
        refresh(venue, [("saved.json", answer(venue))])
    assert not home.exists()


def test_a_damaged_refreshed_table_is_named(home: Path) -> None:
    home.mkdir()
    refreshed_path().write_text("venue,symbol\n", encoding="utf-8")
    with pytest.raises(TableError, match=str(refreshed_path())):
        default_instruments()
    refreshed_path().write_bytes(b"\xff\xfe")
    with pytest.raises(TableError, match=str(refreshed_path())):
        default_instruments()
