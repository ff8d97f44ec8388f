"""What a source says of its forced orders, all of them or some and at which price: one truth.

The interval of the feed decides by the order's time, and an assumption by its setting, whichever
way the order came.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streams.core.events import Liquidation, Raw
from streams.core.normalise import normalise
from streams.core.throttle import FEED_SEMANTICS
from streams.parsing import VARIABLE, parsers
from tests.archived import INSTRUMENTS, dump, events, items
from tests.messages import forced

SEP_2020_MS = 1_599_998_400_000
MAY_2021_MS = 1_620_000_000_000
NOV_2023_MS = 1_700_000_000_000
SEP_2026_MS = forced.MS
TAPE = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def live(venue: str, message: Any, at_ms: int) -> Liquidation:
    raw = Raw(venue, None, "c", at_ms * 1000 + 500_000, json.dumps(message).encode())
    (event,) = normalise(raw, parsers(), INSTRUMENTS)
    assert isinstance(event, Liquidation), event
    return event


def table(folder: Path, exchange: str, symbol: str, at_ms: int) -> Path:
    row = f"{exchange},{symbol},{at_ms * 1000},{at_ms * 1000 + 500_000},,sell,60000,25"
    return written(folder, "liquidations.csv", TAPE, row)


def told(path: Path, form: str = "") -> Liquidation:
    (event,) = events(path, form)
    assert isinstance(event, Liquidation)
    return event


def binance(symbol: str, at_ms: int) -> Any:
    message = forced.force_order(symbol, "SELL", T=at_ms, q="25", p="60000", ap="60000", z="25")
    return {**message, "E": at_ms + 4}


@pytest.mark.parametrize(
    ("at_ms", "whole"), [(SEP_2020_MS, "all"), (MAY_2021_MS, "sampled"), (SEP_2026_MS, "sampled")]
)
@pytest.mark.parametrize(
    ("venue", "exchange", "symbol", "feed"),
    [
        ("binance-usdm", "binance-futures", "BTCUSDT", ("BINANCE_FUTURES", "BTC-USDT-PERP")),
        ("binance-coinm", "binance-delivery", "BTCUSD_PERP", ("BINANCE_DELIVERY", "BTC-USD-PERP")),
    ],
)
def test_binances_orders_are_as_complete_as_its_feed_was_from_every_source(
    tmp_path: Path, venue: str, exchange: str, symbol: str, feed: tuple[str, str], at_ms: int,
    whole: str,
) -> None:  # fmt: skip
    message = binance(symbol, at_ms)
    received = datetime.fromtimestamp(at_ms // 1000 + 1, UTC)
    line = f"{received:%Y-%m-%dT%H:%M:%S}.0000000Z {json.dumps(message)}"
    snapshot = f"{at_ms},SELL,LIMIT,IOC,25,60000,60000,FILLED,25,25"
    row = {"exchange": feed[0], "symbol": feed[1], "side": "sell", "quantity": 25, "price": 60000}
    row |= {"timestamp": at_ms / 1000, "receipt_timestamp": at_ms / 1000 + 0.5}
    found = [
        live(venue, message, at_ms),
        told(written(tmp_path, "raw.txt", line), f"tardis-raw:{exchange}"),
        told(table(tmp_path, exchange, symbol, at_ms)),
        told(dump(tmp_path, f"{symbol}-liquidationSnapshot-2024-08-05.csv", snapshot)),
        told(written(tmp_path, "feed.jsonl", json.dumps(row))),
    ]
    assert [(one.venue, one.completeness) for one in found] == [(venue, whole)] * 5


@pytest.mark.parametrize(
    ("at_ms", "table_has", "feed_has"),
    [
        (SEP_2020_MS, "all", "all"),
        (NOV_2023_MS, "sampled", "sampled"),
        # The topic of all orders is in Tardis' files; cryptofeed never read it.
        (SEP_2026_MS, "all", "sampled"),
    ],
)
def test_bybits_orders_are_as_complete_as_the_topic_that_an_archive_has(
    tmp_path: Path, at_ms: int, table_has: str, feed_has: str
) -> None:
    row = {"exchange": "BYBIT", "symbol": "BTC-USDT-PERP", "side": "buy", "quantity": 25}
    row |= {"price": 60000, "timestamp": at_ms, "receipt_timestamp": at_ms / 1000 + 0.5}
    assert told(table(tmp_path, "bybit", "BTCUSDT", at_ms)).completeness == table_has
    assert told(written(tmp_path, "feed.jsonl", json.dumps(row))).completeness == feed_has


def test_completeness_turns_with_each_interval_of_a_feed(tmp_path: Path) -> None:
    exchanges = {"binance-usdm": ("binance-futures", "BTCUSDT"), "bybit": ("bybit", "BTCUSDT")}
    exchanges |= {"gate": ("gate-io-futures", "BTC_USDT")}
    exchanges |= {"binance-coinm": ("binance-delivery", "BTCUSD_PERP")}
    turns = [row for row in FEED_SEMANTICS if row.valid_from_us]
    assert {row.venue for row in turns} == exchanges.keys()
    for row in turns:
        at_ms = row.valid_from_us // 1000
        found = told(table(tmp_path, *exchanges[row.venue], at_ms))
        assert found.completeness == ("all" if row.feed_class == "full" else "sampled"), row


@pytest.mark.parametrize(
    ("setting", "venue", "exchange", "symbol", "message", "wanted"),
    [
        ("htx.completeness=sampled", "htx", "huobi-dm-linear-swap", "BTC-USDT",
         forced.htx("BTC-USDT", "sell", 25, 60000), ("sampled", "bankruptcy")),
        ("gate.price_kind=bankruptcy", "gate", "gate-io-futures", "BTC_USDT",
         forced.gate(price="60000", size=-25), ("all", "bankruptcy")),
        ("bitget.price_kind=avg_fill", "bitget", "bitget-futures", "BTCUSDT",
         forced.bitget("BTCUSDT", "buy", "25", "60000"), ("sampled", "avg_fill")),
    ],
)  # fmt: skip
def test_an_assumption_of_forced_orders_holds_for_a_table_as_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, venue: str, exchange: str,
    symbol: str, message: Any, wanted: tuple[str, str],
) -> None:  # fmt: skip
    path = table(tmp_path, exchange, symbol, SEP_2026_MS)
    for given, same in (("", False), (setting, True)):
        monkeypatch.setenv(VARIABLE, given)
        heard, read = live(venue, message, SEP_2026_MS), told(path)
        assert (heard.completeness, heard.price_kind) == (read.completeness, read.price_kind)
        assert ((read.completeness, read.price_kind) == wanted) is same


@pytest.mark.parametrize(
    ("unit", "usd"), [("quote", 25_000_000), ("base", 25 * 60_000 * 1_000_000)]
)
def test_coin_futures_of_bitget_are_priced_by_the_setting_that_their_refusal_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: str, usd: int
) -> None:
    path = table(tmp_path, "bitget-futures", "BTCUSD", SEP_2026_MS)
    message = forced.bitget("BTCUSD", "buy", "25", "60000")
    raw = Raw("bitget", None, "c", SEP_2026_MS * 1000, json.dumps(message).encode())
    monkeypatch.delenv(VARIABLE, raising=False)
    ((_, line),) = items(path)
    refusals = [*normalise(raw, parsers(), INSTRUMENTS), getattr(line, "rejected", None)]
    for refusal in refusals:
        assert getattr(refusal, "reason", None) == "unknown_notional"
        assert f"bitget.inverse_amount in {VARIABLE}" in getattr(refusal, "detail", "")
    monkeypatch.setenv(VARIABLE, f"bitget.inverse_amount={unit}")
    assert live("bitget", message, SEP_2026_MS).usd == told(path).usd == usd
