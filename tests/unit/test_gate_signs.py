"""The sign of Gate's forced orders is held against the venue's own count by minute and side."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from streams.collect.sifting import Sifter
from streams.core.events import Raw
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.venues import gate
from streams.venues.gate.signs import SignCheck, counted

MINUTE_S = 1_789_999_980
INSTRUMENTS = Instruments({}, gate.RULES)
OTHER = partial(gate.parse, assumed=gate.Assumed(negative="buy"))


def raw(message: Any, venue: str = "gate") -> Raw:
    return Raw(venue, None, "c0", 1_790_000_100_000_000, json.dumps(message).encode())


def order(size: int, second: int = 0, **changes: Any) -> Raw:
    stamp_ms = (MINUTE_S + second) * 1000
    row = {"contract": "BTC_USD", "price": "50000", "size": size, "time": stamp_ms, **changes}
    return raw({"channel": "futures.public_liquidates", "event": "update", "result": [row]})


def count(longs: Any, shorts: Any, minute: int = 0, **changes: Any) -> Raw:
    row = {"time": MINUTE_S + 60 * minute, "contract": "BTC_USD", **changes}
    row |= {"long_liq_usd": longs, "short_liq_usd": shorts}
    return raw({"channel": "futures.contract_stats", "event": "update", "result": [row]})


def verdicts(records: Sequence[Raw], parse: Parser = gate.parse) -> list[str]:
    check = SignCheck(parse, INSTRUMENTS)
    return [verdict for record in records for verdict in check.see(record)]


def test_a_minute_is_judged_once_the_next_one_is_counted() -> None:
    minute = [order(-700), count(700, 0), order(-50, 59), order(30, 59), count(750, 30)]
    assert verdicts(minute) == []
    assert verdicts([*minute, count(0, 0, 1)]) == ["agrees"]
    assert verdicts([*minute, count(0, 0, 1)], OTHER) == ["contradicts"]
    assert verdicts([*minute, count(0, 0, 1), count(9, 0, 2)]) == ["agrees"]


@pytest.mark.parametrize(
    "records",
    [
        [count(700, 0), count(0, 0, 1)],
        [order(-700), count(0, 0), count(0, 0, 1)],
        [order(-700), order(700), count(700, 700), count(0, 0, 1)],
        [order(-700), count(700, 0), count(700, 0)],
        [order(-700), count(700, 0, contract="ETH_USDT"), count(0, 0, 1)],
        [order(-700), count("NaN", 0), count(0, 0, 1)],
        [order(-700), count(None, 0), count(-1, 0), count(0, 0, 1)],
        [order(-700, contract="NEW_USDT"), count(700, 0), count(0, 0, 1)],
    ],
)
def test_a_minute_that_shows_nothing_is_not_judged(records: list[Raw]) -> None:
    assert verdicts(records) == []


def test_other_records_and_garbage_are_passed_over() -> None:
    noise = [
        Raw("gate", None, "c0", 0, b'{"channel":"futures.public_liquidates"'),
        Raw("gate", None, "c0", 0, b'{"channel":"futures.contract_stats","result":5}'),
        raw({"channel": "futures.contract_stats", "event": "subscribe", "result": [{}]}),
        raw({"channel": "futures.trades", "event": "update", "result": []}),
    ]
    records = [order(-700), *noise, count(700, 0), *noise, count(0, 0, 1)]
    assert verdicts(records) == ["agrees"]
    strangers = [Raw("gate-spot", None, "c0", 0, record.payload) for record in records]
    assert verdicts(strangers) == []


def test_only_the_last_minutes_are_kept() -> None:
    late = [order(-700, 60 * minute) for minute in range(12)]
    assert verdicts([*late, count(700, 0), count(0, 0, 1)]) == []
    assert verdicts([*late, count(700, 0, 11), count(0, 0, 12)]) == ["agrees"]


def test_a_collector_records_the_counts_of_wanted_assets_for_the_check() -> None:
    check, sifter = (
        SignCheck(gate.parse, INSTRUMENTS),
        Sifter("gate", "c0", frozenset({"BTC"}), INSTRUMENTS, 0, channels=("liquidation",)),
    )
    said = [order(-700), count(700, 0), count(5, 5, contract="ETH_USD"), count(0, 0, 1)]
    received_us = (MINUTE_S + 120) * 1_000_000
    kept = [one for message in said for one in sifter.take(message.payload, received_us)]
    assert [one.raw.payload for one in kept] == [said[i].payload for i in (0, 1, 3)]
    assert {one.asset for one in kept} == {"BTC"}
    assert [verdict for one in kept for verdict in check.see(one.raw)] == ["agrees"]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"channel":"futures.contract_stats"',
        b'{"channel":"futures.contract_stats","event":"update","result":[]}',
        b'{"channel":"futures.contract_stats","event":"update","result":[{"contract":5}]}',
        b'{"channel":"futures.contract_stats","event":"subscribe","result":{"status":"success"}}',
    ],
)
def test_what_counts_nothing_is_no_witness(payload: bytes) -> None:
    assert counted(payload) is None
