"""A message of several assets becomes one message per asset, with nothing lost or renamed."""

import gzip
import json
from typing import Any

import msgspec
import pytest

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.normalise import normalise
from streams.edges.slicing import slices
from streams.venues import PARSERS
from tests.drive import INSTRUMENTS
from tests.logs import bybit_forced, us


def raw(venue: str, payload: bytes | str, channel: str | None = None) -> Raw:
    data = payload if isinstance(payload, bytes) else payload.encode()
    return Raw(venue, channel, "c", us(10), data)


def mark(symbol: str, price: str) -> str:
    return (
        f'{{ "e":"markPriceUpdate", "E":{us(9) // 1000}, "s":"{symbol}", "p":"{price}", '
        f'"i":"{price}", "P":"1.0", "r":"0.0001", "T":{us(3600) // 1000} }}'
    )


def okx(*rows: dict[str, Any]) -> str:
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    return json.dumps({"arg": arg, "data": list(rows)})


def okx_row(symbol: str, *details: tuple[str, str]) -> dict[str, Any]:
    return {
        "instId": symbol,
        "instFamily": symbol.removesuffix("-SWAP"),
        "instType": "SWAP",
        "uly": symbol.removesuffix("-SWAP"),
        "details": [
            {
                "bkLoss": "0",
                "bkPx": price,
                "ccy": "",
                "posSide": "long",
                "side": "sell",
                "sz": size,
                "ts": str(us(9) // 1000),
            }
            for size, price in details
        ],
    }


def events(message: Raw) -> list[Outcome]:
    return normalise(message, PARSERS, INSTRUMENTS)


def of_slices(message: Raw) -> list[Outcome]:
    return [
        outcome
        for _, part in slices(message, INSTRUMENTS)
        for outcome in events(msgspec.structs.replace(message, payload=part))
    ]


def by_id(outcomes: list[Outcome]) -> dict[str, Outcome]:
    named: dict[str, Outcome] = {}
    for outcome in outcomes:
        assert not isinstance(outcome, (Rejected, Ignored)), outcome
        assert outcome.id not in named
        named[outcome.id] = outcome
    return named


def test_a_message_of_one_asset_comes_back_under_it() -> None:
    message = bybit_forced(1, "SOL").raw
    ((asset, part),) = slices(message, INSTRUMENTS)
    assert asset == "SOL"
    assert json.loads(part) == json.loads(message.payload)


def test_an_array_is_cut_by_asset_in_order_of_appearance_and_keeps_its_bytes() -> None:
    rows = [mark("SOLUSDT", "150.10"), mark("BTCUSDT", "60000.00"), mark("SOLUSDC", "150.20")]
    message = raw("binance-usdm", f"[{rows[0]} , {rows[1]},{rows[2]}]")
    parts = slices(message, INSTRUMENTS)
    assert [asset for asset, _ in parts] == ["SOL", "BTC"]
    assert parts[0][1] == f"[{rows[0]},{rows[2]}]".encode()
    assert parts[1][1] == f"[{rows[1]}]".encode()
    assert by_id(of_slices(message)) == by_id(events(message))


def test_an_envelope_is_kept_around_its_rows() -> None:
    message = raw(
        "okx",
        okx(
            okx_row("BTC-USDT-SWAP", ("1", "60000"), ("1", "60000")),
            okx_row("ETH-USDT-SWAP", ("5", "3000")),
            okx_row("BTC-USDT-SWAP", ("1", "60000")),
        ),
    )
    parts = slices(message, INSTRUMENTS)
    assert [asset for asset, _ in parts] == ["BTC", "ETH"]
    assert [len(json.loads(part)["data"]) for _, part in parts] == [2, 1]
    assert all(json.loads(part)["arg"]["instType"] == "SWAP" for _, part in parts)


def forced_trade(name: str, identity: str) -> dict[str, Any]:
    row = {"trade_id": identity, "timestamp": us(9) // 1000, "price": 5.5, "amount": 10.0}
    return {**row, "instrument_name": name, "direction": "sell", "liquidation": "T"}


DERIBIT_ROWS = [forced_trade("SOL_USDC-PERPETUAL", "1"), forced_trade("XRP_USDC-PERPETUAL", "2")]


def forced_pair(coin: str, tid: int) -> list[Any]:
    liquidation = {"liquidatedUser": "0xab", "method": "market"}
    row = {"coin": coin, "px": "5.5", "sz": "2", "side": "A", "time": us(9) // 1000, "tid": tid}
    return ["0xab", {**row, "liquidation": liquidation}]


PAIRS = [forced_pair("SOL", 1), forced_pair("BTC", 2), forced_pair("SOL", 3)]


@pytest.mark.parametrize(
    ("venue", "message", "assets"),
    [
        (
            "deribit",
            {"method": "subscription", "params": {"channel": "trades.a", "data": DERIBIT_ROWS}},
            ["SOL", "XRP"],
        ),
        ("deribit", {"id": 1, "result": {"trades": DERIBIT_ROWS}}, ["SOL", "XRP"]),
        ("hyperliquid", {"block_number": 7, "events": PAIRS}, ["SOL", "BTC"]),
        (
            "hyperliquid",
            {"channel": "userFills", "data": {"user": "0xab", "fills": [p[1] for p in PAIRS]}},
            ["SOL", "BTC"],
        ),
    ],
)
def test_rows_deep_in_an_envelope_are_cut_too(
    venue: str, message: dict[str, Any], assets: list[str]
) -> None:
    whole = raw(venue, json.dumps(message))
    parts = slices(whole, INSTRUMENTS)
    assert [asset for asset, _ in parts] == assets
    assert repr(sorted(of_slices(whole), key=repr)) == repr(sorted(events(whole), key=repr))


def test_rows_under_result_are_cut_too() -> None:
    stamp = us(9) // 1000
    rows = [
        {"contract": f"{asset}_USDT", "price": "5", "size": -3, "time": stamp}
        for asset in ("BTC", "ETH", "BTC")
    ]
    gate = {"channel": "futures.public_liquidates", "event": "update", "result": rows}
    message = raw("gate", json.dumps(gate))
    parts = slices(message, INSTRUMENTS)
    assert [asset for asset, _ in parts] == ["BTC", "ETH"]
    assert [len(json.loads(part)["result"]) for _, part in parts] == [2, 1]
    assert by_id(of_slices(message)) == by_id(events(message))


def test_two_arrays_side_by_side_are_cut_in_step() -> None:
    coins = [{"name": name, "szDecimals": 2} for name in ("SOL", "BTC", "kPEPE", "xyz:GOLD")]
    contexts = [{"openInterest": f"{number}.50", "markPx": "5"} for number in range(4)]
    answer = [{"universe": coins, "marginTables": [[5, {}]]}, contexts]
    message = raw("hyperliquid", json.dumps(answer))
    parts = slices(message, INSTRUMENTS)
    assert [asset for asset, _ in parts] == ["SOL", "BTC", "PEPE", "?"]
    assert json.loads(parts[1][1]) == [{"universe": [coins[1]]}, [contexts[1]]]
    assert repr(of_slices(message)) == repr(events(message))
    for odd in ([{"universe": coins}, contexts[1:]], [{"universe": 5}, []], [{"universe": coins}]):
        payload = msgspec.json.encode(odd)
        assert slices(raw("hyperliquid", payload), INSTRUMENTS) == [("?", payload)]


def test_equal_rows_of_one_symbol_keep_the_ids_that_count_them() -> None:
    message = raw(
        "okx",
        okx(
            okx_row("BTC-USDT-SWAP", ("1", "60000"), ("1", "60000")),
            okx_row("ETH-USDT-SWAP", ("5", "3000")),
            okx_row("BTC-USDT-SWAP", ("1", "60000")),
        ),
    )
    assert len(by_id(events(message))) == 4
    assert by_id(of_slices(message)) == by_id(events(message))


def test_a_bad_row_travels_alone_and_its_neighbours_arrive() -> None:
    message = raw("binance-usdm", f'[{mark("BTCUSDT", "1.0")}, {{"e":7}}, 5]')
    parts = dict(slices(message, INSTRUMENTS))
    assert set(parts) == {"BTC", "?"}
    assert json.loads(parts["?"]) == [{"e": 7}, 5]


SHAPELESS = [
    b"",
    b"pong",
    b"{}",
    b"[]",
    b"null",
    b'{"data":{"s":"BTCUSDT"}}',
    b'{"data":[]}',
    b"\xff\xfe",
    b'{"data":"\xff"}',
    b'{"\xff":[]}',
    b"[" * 100_000,
    b'{"data":' + b"[" * 100_000,
]


@pytest.mark.parametrize("payload", SHAPELESS, ids=range(len(SHAPELESS)))
def test_a_message_of_another_shape_comes_back_whole(payload: bytes) -> None:
    message = raw("bybit", payload)
    assert slices(message, INSTRUMENTS) == [("?", payload)]


def test_a_message_whose_rows_are_no_array_comes_back_under_its_asset() -> None:
    message = raw("binance-usdm", mark("BTCUSDT", "60000.00"))
    assert slices(message, INSTRUMENTS) == [("BTC", message.payload)]


def fills(*markets: str) -> list[dict[str, Any]]:
    stamp = "2026-09-21T12:00:00.402Z"
    row = {"side": "SELL", "size": "0.25", "price": "61900", "type": "LIQUIDATED"}
    return [{**row, "id": market, "createdAt": stamp} for market in markets]


DYDX_MARKETS = {name: {"openInterest": "5"} for name in ("BTC-USD", "ETH-USD", "SOL-USD")}
DYDX_PRICES = {name: {"oraclePrice": "5"} for name in ("ETH-USD", "BTC-USD")}
COINBASE_TRADES = [
    {
        "trade_id": str(number),
        "product_id": product,
        "price": "5",
        "size": "1",
        "side": "BUY",
        "time": "2026-09-21T12:00:00.402Z",
    }
    for number, product in enumerate(("BTC-USD", "ETH-USD", "BTC-USDC"))
]
HTX_ORDERS = [
    {
        "contract_code": code,
        "direction": "sell",
        "volume": 5,
        "price": 7.5,
        "created_at": us(9) // 1000,
    }
    for code in ("BTC-USDT", "ETH-USDT", "BTC-USDT")
]
HTX_MESSAGE = json.dumps(
    {"op": "notify", "topic": "public.*.liquidation_orders", "ts": 1, "data": HTX_ORDERS}
)
DEEP = [
    (
        "dydx",
        {
            "type": "channel_data",
            "channel": "v4_markets",
            "contents": {"trading": DYDX_MARKETS, "oraclePrices": DYDX_PRICES},
        },
        ["BTC", "ETH", "SOL"],
    ),
    (
        "dydx",
        {
            "type": "channel_batch_data",
            "channel": "v4_markets",
            "contents": [{"oraclePrices": DYDX_PRICES}, {"trading": DYDX_MARKETS}],
        },
        ["BTC", "ETH", "SOL"],
    ),
    (
        "dydx",
        {"type": "subscribed", "channel": "v4_markets", "contents": {"markets": DYDX_MARKETS}},
        ["BTC", "ETH", "SOL"],
    ),
    ("dydx", {"markets": DYDX_MARKETS}, ["BTC", "ETH", "SOL"]),
    (
        "dydx",
        {
            "type": "channel_data",
            "channel": "v4_trades",
            "id": "BTC-USD",
            "contents": {"trades": fills("a", "b")},
        },
        ["BTC"],
    ),
    (
        "coinbase",
        {
            "channel": "market_trades",
            "events": [
                {"type": "update", "trades": COINBASE_TRADES[:2]},
                {"type": "update", "trades": COINBASE_TRADES[2:]},
            ],
        },
        ["BTC", "ETH"],
    ),
    (
        "coinbase",
        {
            "channel": "ticker",
            "timestamp": "2026-09-21T12:00:00Z",
            "events": [{"type": "update", "tickers": COINBASE_TRADES}],
        },
        ["BTC", "ETH"],
    ),
    (
        "coinbase",
        {
            "channel": "l2_data",
            "timestamp": "2026-09-21T12:00:00Z",
            "events": [
                {
                    "type": "snapshot",
                    "product_id": product,
                    "updates": [
                        {"side": "bid", "price_level": "5", "new_quantity": "1"},
                        {"side": "offer", "price_level": "6", "new_quantity": "1"},
                    ],
                }
                for product in ("ETH-USD", "BTC-USD")
            ],
        },
        ["ETH", "BTC"],
    ),
]


@pytest.mark.parametrize(("venue", "message", "assets"), DEEP)
def test_rows_deep_in_an_envelope_are_cut_and_keep_their_ids(
    venue: str, message: dict[str, Any], assets: list[str]
) -> None:
    whole = msgspec.structs.replace(
        raw(venue, json.dumps(message)), received_at_us=1_789_992_001_000_000
    )
    parts = slices(whole, INSTRUMENTS)
    assert sorted(asset for asset, _ in parts) == sorted(assets)
    for asset, part in parts:
        found = events(msgspec.structs.replace(whole, payload=part))
        assert {getattr(outcome, "asset", None) for outcome in found} == {asset}
    assert by_id(of_slices(whole)) == by_id(events(whole))


def test_a_packed_message_is_cut_as_its_text() -> None:
    packed = raw("htx", gzip.compress(HTX_MESSAGE.encode()))
    parts = slices(packed, INSTRUMENTS)
    assert parts == slices(raw("htx", HTX_MESSAGE), INSTRUMENTS)
    assert [asset for asset, _ in parts] == ["BTC", "ETH"]
    damaged = packed.payload[:-9]
    assert slices(raw("htx", damaged), INSTRUMENTS) == [("?", damaged)]


def test_a_row_without_an_asset_leaves_its_neighbours_alone() -> None:
    contents = {"trading": {**DYDX_MARKETS, "COIN,dex,0x12-USD": {"openInterest": "5"}}}
    message = {"type": "channel_data", "channel": "v4_markets", "contents": contents, "id": 7}
    parts = dict(slices(raw("dydx", json.dumps(message)), INSTRUMENTS))
    assert set(parts) == {"BTC", "ETH", "SOL", "?"}
    assert json.loads(parts["ETH"]) == {
        **message,
        "contents": {"trading": {"ETH-USD": {"openInterest": "5"}}},
    }
