"""The side of Coinbase's Advanced feed is held against the Exchange feed's, trade by trade."""

import json
from typing import Any

import pytest

from streams.core.events import Raw
from streams.venues.coinbase import Party
from streams.venues.coinbase_sides import AdvancedSideCheck


def raw(message: Any) -> Raw:
    return Raw("coinbase", None, "c0", 1_790_000_000_000_000, json.dumps(message).encode())


def exchange(side: str, number: Any = 10, **changes: Any) -> Raw:
    row = {"type": "match", "trade_id": number, "product_id": "BTC-USD", "side": side}
    return raw({**row, "time": "2026-09-21T12:00:00Z", **changes})


def advanced(*sides: str, first: int = 10, product: str = "BTC-USD") -> Raw:
    trades = [
        {"trade_id": str(first + at), "product_id": product, "side": side}
        for at, side in enumerate(sides)
    ]
    return raw({"channel": "market_trades", "events": [{"type": "update", "trades": trades}]})


def verdicts(*records: Raw, assumed: Party = "maker") -> list[str]:
    check = AdvancedSideCheck(assumed)
    return [verdict for record in records for verdict in check.see(record)]


@pytest.mark.parametrize(
    ("side", "assumed", "verdict"),
    [
        ("SELL", "maker", "agrees"),
        ("BUY", "maker", "contradicts"),
        ("SELL", "taker", "contradicts"),
        ("BUY", "taker", "agrees"),
    ],
)
def test_a_trade_that_both_feeds_told_is_judged_once(
    side: str, assumed: Party, verdict: str
) -> None:
    told, again = exchange("sell"), advanced(side)
    assert verdicts(told, again, assumed=assumed) == [verdict]
    assert verdicts(again, told, assumed=assumed) == [verdict]
    assert verdicts(told, told, again, assumed=assumed) == [verdict]


def test_trades_of_one_feed_alone_show_nothing() -> None:
    assert verdicts(exchange("sell"), exchange("buy", 11), exchange("sell")) == []
    assert verdicts(advanced("SELL", "BUY"), advanced("SELL", "BUY")) == []
    assert verdicts(exchange("sell"), advanced("SELL", product="ETH-USD")) == []
    assert verdicts(exchange("sell"), advanced("SELL", first=11)) == []


def test_every_trade_of_a_message_is_judged() -> None:
    told = [exchange("sell", 10), exchange("buy", 11, type="last_match"), exchange("buy", 12)]
    assert verdicts(*told, advanced("SELL", "BUY", "SELL")) == ["agrees", "agrees", "contradicts"]


@pytest.mark.parametrize(
    "noise",
    [
        exchange("both"),
        exchange("sell", "x"),
        exchange("sell", product_id=5),
        advanced("HOLD"),
        raw({"channel": "market_trades", "events": {}}),
        raw({"type": "ticker", "note": "match"}),
        Raw("coinbase", None, "c0", 0, b'{"type":"match"'),
    ],
)
def test_garbage_is_passed_over(noise: Raw) -> None:
    assert verdicts(noise, exchange("sell"), noise, advanced("SELL"), noise) == ["agrees"]


def test_what_waits_is_bounded() -> None:
    flood = [exchange("sell", number) for number in range(100, 10_100)]
    assert verdicts(exchange("sell"), *flood, advanced("SELL")) == []
    assert verdicts(exchange("sell"), *flood[1:], advanced("SELL")) == ["agrees"]
