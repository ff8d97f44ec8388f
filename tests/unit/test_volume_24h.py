"""The volume of 24 hours that each venue states, in dollars worked out by hand."""

import json
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from streams.core.buckets import Bucket, fold_tickers
from streams.core.canonical import record
from streams.core.events import Outcome, Raw, Rejected, Ticker
from streams.core.frames import TickerState
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.capabilities import CAPABILITIES
from streams.venues.catalog import default_instruments

MS: Final = 1_790_000_000_402
ISO: Final = "2026-09-21T14:13:20.402Z"
INSTRUMENTS: Final = default_instruments()


class Stated(NamedTuple):
    """A message of one ticker, and the micro-dollars that it states; None where it states none."""

    venue: str
    case: str
    message: Any
    usd: int | None


def binance(symbol: str, **fields: str) -> dict[str, Any]:
    return {"e": "24hrTicker", "E": MS, "s": symbol, "c": "62000.1", **fields}


def bybit(symbol: str, **fields: str) -> dict[str, Any]:
    data = {"symbol": symbol, **fields}
    return {"topic": f"tickers.{symbol}", "type": "delta", "ts": MS, "data": data}


def bybit_older(symbol: str, **fields: Any) -> dict[str, Any]:
    topic, data = f"instrument_info.100ms.{symbol}", {"symbol": symbol, **fields}
    return {"topic": topic, "type": "snapshot", "data": data, "timestamp_e6": MS * 1000}


def okx(symbol: str, **fields: str) -> dict[str, Any]:
    row = {"instId": symbol, "last": "62000.1", "ts": str(MS), **fields}
    return {"arg": {"channel": "tickers", "instId": symbol}, "data": [row]}


def okx_older(table: str, symbol: str, **fields: str) -> dict[str, Any]:
    row = {"instrument_id": symbol, "last": "62000.1", "timestamp": ISO, **fields}
    return {"table": table, "data": [row]}


def gate(channel: str, **row: str) -> dict[str, Any]:
    stamps = {"time": MS // 1000, "time_ms": MS}
    return {"channel": channel, "event": "update", **stamps, "result": [row]}


def bitget(product: str, symbol: str, **row: str) -> dict[str, Any]:
    arg = {"instType": product, "topic": "ticker", "symbol": symbol}
    data = [{"lastPrice": "62000.1", **row}]
    return {"action": "snapshot", "arg": arg, "data": data, "ts": MS}


def bitget_older(product: str, symbol: str, **row: str) -> dict[str, Any]:
    arg = {"instType": product, "channel": "ticker", "instId": symbol}
    data = [{"lastPr": "62000.1", "ts": str(MS), **row}]
    return {"action": "snapshot", "arg": arg, "data": data, "ts": MS}


def bitmex(symbol: str, **row: Any) -> dict[str, Any]:
    data = [{"symbol": symbol, "timestamp": ISO, **row}]
    return {"table": "instrument", "action": "update", "data": data}


def deribit(symbol: str, stats: Any) -> dict[str, Any]:
    data = {"timestamp": MS, "instrument_name": symbol, "mark_price": 62001.2, "stats": stats}
    params = {"channel": f"ticker.{symbol}.100ms", "data": data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def kraken(symbol: str, **row: Any) -> dict[str, Any]:
    return {"feed": "ticker", "time": MS, "product_id": symbol, "markPrice": 62001.2, **row}


def htx(symbol: str, **tick: Any) -> dict[str, Any]:
    tick |= {"close": 62000.1}
    return {"ch": f"market.{symbol}.detail", "ts": MS, "tick": tick}


def htx_polled(symbol: str, **row: Any) -> dict[str, Any]:
    return {
        "status": "ok",
        "data": [{"contract_code": symbol, "volume": 7, "amount": 0.007, **row}],
    }


def kucoin(symbol: str, **row: Any) -> dict[str, Any]:
    data = {"symbol": symbol, "openInterest": "7", "markPrice": 62001.5, **row}
    return {"code": "200000", "data": data}


def coinbase(**row: str) -> dict[str, Any]:
    return {"type": "ticker", "product_id": "BTC-USD", "price": "62000.10", "time": ISO, **row}


def coinbase_advanced(**row: str) -> dict[str, Any]:
    tickers = [{"type": "ticker", "product_id": "BTC-USD", "price": "62000.10", **row}]
    events = [{"type": "update", "tickers": tickers}]
    return {"channel": "ticker", "timestamp": ISO, "sequence_num": 5, "events": events}


TABLE: Final = (
    Stated("binance-usdm", "dollars", binance("BTCUSDT", v="120000.5", q="7434000000.123456"),
           7_434_000_000_123_456),
    Stated("binance-usdm", "half-even", binance("BTCUSDT", v="1", q="1.0000005"), 1_000_000),
    Stated("binance-coinm", "contracts of 100", binance("BTCUSD_PERP", v="120001", q="193.5"),
           12_000_100_000_000),
    Stated("binance-coinm", "contracts of 10", binance("ETHUSD_PERP", v="120001", q="193.5"),
           1_200_010_000_000),
    Stated("binance-spot", "dollars", binance("BTCUSDT", v="1200", q="74340000.25"),
           74_340_000_250_000),
    Stated("bybit", "linear", bybit("BTCUSDT", turnover24h="5200000000.1", volume24h="84000.2"),
           5_200_000_000_100_000),
    Stated("bybit", "inverse", bybit("BTCUSD", turnover24h="14566.3", volume24h="903112450"),
           903_112_450_000_000),
    Stated("bybit", "v2 linear",
           bybit_older("BTCUSDT", turnover_24h_e8="520000000010000000", volume_24h_e8="8400020000"),
           5_200_000_000_100_000),
    Stated("bybit", "v2 inverse",
           bybit_older("BTCUSD", turnover_24h_e8=1456630000000, volume_24h=903112450),
           903_112_450_000_000),
    Stated("bybit", "v3 USDC", bybit_older("BTCPERP", turnover24hE8="250000001"), 2_500_000),
    Stated("bybit-spot", "dollars", bybit("BTCUSDT", turnover24h="62000000.5", volume24h="1000"),
           62_000_000_500_000),
    Stated("okx", "linear", okx("BTC-USDT-SWAP", volCcy24h="90000", vol24h="9000000"),
           5_580_009_000_000_000),
    Stated("okx", "inverse", okx("BTC-USD-SWAP", volCcy24h="14516.1", vol24h="9000001"),
           900_000_100_000_000),
    Stated("okx", "spot", okx("BTC-USDT", volCcy24h="558000000.5", vol24h="9000"),
           558_000_000_500_000),
    Stated("okx", "no price", okx("BTC-USDT-SWAP", volCcy24h="90000", last="", markPx="5"), None),
    Stated("okx", "v3 linear",
           okx_older("swap/ticker", "BTC-USDT-SWAP", volume_24h="9000000"),
           5_580_009_000_000_000),
    Stated("okx", "v3 inverse",
           okx_older("swap/ticker", "BTC-USD-SWAP", volume_24h="9000001"),
           900_000_100_000_000),
    Stated("okx", "v3 spot",
           okx_older("spot/ticker", "BTC-USDT", base_volume_24h="9", quote_volume_24h="558.5"),
           558_500_000),
    Stated("gate", "linear",
           gate("futures.tickers", contract="BTC_USDT", last="62000.1", volume_24h="90000000",
                volume_24h_base="9000", volume_24h_quote="558000000.9"), 558_000_000_900_000),
    Stated("gate", "inverse",
           gate("futures.tickers", contract="BTC_USD", last="62000.1", volume_24h="7850576",
                volume_24h_quote="7850576", volume_24h_settle="126.6"), 7_850_576_000_000),
    Stated("gate-spot", "dollars",
           gate("spot.tickers", currency_pair="BTC_USDT", last="62000.1", base_volume="900",
                quote_volume="55800000.25"), 55_800_000_250_000),
    Stated("bitget", "v3", bitget("usdt-futures", "BTCUSDT", turnover24h="2100000000.5"),
           2_100_000_000_500_000),
    Stated("bitget", "v2", bitget_older("USDT-FUTURES", "BTCUSDT", quoteVolume="2100000000.5"),
           2_100_000_000_500_000),
    Stated("bitget", "coin", bitget("coin-futures", "BTCUSD", turnover24h="2100"), None),
    Stated("bitget-spot", "v3", bitget("spot", "BTCUSDT", turnover24h="21000000.5"),
           21_000_000_500_000),
    Stated("bitmex", "inverse",
           bitmex("XBTUSD", foreignNotional24h=451230000, homeNotional24h=7277.9),
           451_230_000_000_000),
    Stated("bitmex", "linear", bitmex("XBTUSDT", foreignNotional24h=1234567.891),
           1_234_567_891_000),
    Stated("bitmex", "quanto", bitmex("ETHUSD", foreignNotional24h=5000000.5), 5_000_000_500_000),
    Stated("deribit", "inverse",
           deribit("BTC-PERPETUAL", {"volume": 5000.1, "volume_usd": 310006200.5}),
           310_006_200_500_000),
    Stated("deribit", "linear", deribit("BTC_USDC-PERPETUAL", {"volume_usd": 5.25}), 5_250_000),
    Stated("deribit", "no statistics", deribit("BTC-PERPETUAL", None), None),
    Stated("hyperliquid", "dollars",
           {"channel": "activeAssetCtx", "data": {"coin": "kPEPE", "ctx": {
               "markPx": "0.0125", "dayNtlVlm": "2500000000.1", "dayBaseVlm": "40000.2"}}},
           2_500_000_000_100_000),
    Stated("kraken", "linear", kraken("PF_XBTUSD", volume=5200.5, volumeQuote=322000000.5),
           322_000_000_500_000),
    Stated("kraken", "inverse", kraken("PI_XBTUSD", volume=62474, volumeQuote=62474),
           62_474_000_000),
    Stated("htx", "linear, both sides", htx("BTC-USDT", trade_turnover=649381190.5, vol=9120400),
           324_690_595_250_000),
    Stated("htx", "polled", htx_polled("BTC-USDT", trade_turnover=649381190.5),
           324_690_595_250_000),
    Stated("htx", "coin", htx("BTC-USD", trade_turnover=7, vol=9120400), None),
    Stated("kucoin", "linear", kucoin("XBTUSDTM", turnoverOf24h=580123456.5, volumeOf24h=9357),
           580_123_456_500_000),
    Stated("kucoin", "coin", kucoin("XBTUSDM", turnoverOf24h=123.5), None),
    Stated("dydx", "dollars",
           {"type": "channel_data", "connection_id": "c1", "message_id": 4,
            "channel": "v4_markets", "version": "1.0.0",
            "contents": {"trading": {"BTC-USD": {"volume24H": "900000000.1"}}}},
           900_000_000_100_000),
    Stated("coinbase", "coins", coinbase(volume_24h="9123.456"), 565_655_184_345_600),
    Stated("coinbase", "advanced", coinbase_advanced(volume_24_h="9123.456"),
           565_655_184_345_600),
)  # fmt: skip


def read(venue: str, message: object) -> Outcome:
    raw = Raw(venue, None, "c", MS * 1000 + 9, json.dumps(message).encode())
    (outcome,) = normalise(raw, PARSERS, INSTRUMENTS)
    return outcome


def bybit_ticker(**fields: str) -> Ticker:
    event = read("bybit", bybit("BTCUSDT", **fields))
    assert isinstance(event, Ticker), event
    return event


@pytest.mark.parametrize("one", TABLE, ids=lambda one: f"{one.venue}: {one.case}")
def test_the_volume_is_the_venues_own_to_the_micro_dollar(one: Stated) -> None:
    event = read(one.venue, one.message)
    assert isinstance(event, Ticker), event
    assert event.venue == one.venue
    assert event.volume_24h_usd == one.usd


def test_every_venue_that_is_said_to_tell_its_volume_is_in_the_table() -> None:
    said = {venue for venue, row in CAPABILITIES.items() if "volume_24h" in row.state}
    assert {one.venue for one in TABLE if one.usd is not None} == said


def test_no_trade_in_24_hours_is_zero_and_an_empty_field_is_unknown() -> None:
    assert bybit_ticker(turnover24h="0").volume_24h_usd == 0
    assert bybit_ticker(turnover24h="", lastPrice="5").volume_24h_usd is None


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        ("-1", "not_positive"),
        ("NaN", "not_finite"),
        ("1e", "wrong_type"),
        ("1e13", "not_finite"),
        ("1e12", "out_of_range"),
    ],
)
def test_a_volume_that_no_market_has_rejects_its_row(volume: str, reason: str) -> None:
    outcome = read("bybit", bybit("BTCUSDT", turnover24h=volume, lastPrice="5"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


def test_the_same_values_with_another_volume_are_another_event() -> None:
    assert bybit_ticker(turnover24h="1").id != bybit_ticker(turnover24h="2").id


def test_an_archived_event_of_before_the_volume_is_read_and_a_negative_one_is_not() -> None:
    event = bybit_ticker(turnover24h="5", lastPrice="5")
    older = record(event, "archive")
    fields = msgspec.json.decode(older.payload)
    assert fields.pop("volume_24h_usd") == 5_000_000
    for change, wanted in (({}, None), ({"volume_24h_usd": -1}, "not_positive")):
        raw = msgspec.structs.replace(older, payload=msgspec.json.encode(fields | change))
        (outcome,) = normalise(raw, PARSERS, INSTRUMENTS)
        if wanted is None:
            assert outcome == msgspec.structs.replace(event, volume_24h_usd=None)
        else:
            assert isinstance(outcome, Rejected)
            assert outcome.reason == wanted


def test_a_volume_holds_until_another_is_told() -> None:
    known: dict[tuple[str, str], TickerState] = {}
    seen = []
    for at, fields in enumerate(
        ({"lastPrice": "5"}, {"turnover24h": "7"}, {"lastPrice": "6"}, {"turnover24h": "0"})
    ):
        event = msgspec.structs.replace(bybit_ticker(**fields), event_time_us=at)
        bucket = Bucket()
        bucket.tickers[event.venue, event.symbol, event.event_time_us, event.id] = event
        fold_tickers(known, bucket)
        seen.append(known["bybit", "BTCUSDT"].volume_24h_usd)
    assert seen == [None, 7_000_000, 7_000_000, 0]
