"""What tables cost under other sorting keys: bytes on disk, and the time of common questions.

Behind `marginquake bench keys`. Promises that each key sorts the same rows, in one part a month,
and is asked the same questions. Reads a warehouse and writes into scratch tables beside it, which
are dropped again. Times are CPU time of this process, in which chDB runs.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client


@dataclass(frozen=True, slots=True)
class Candidates:
    """Sorting keys of a table, the one in use first, and questions; `{t}` stands for the table."""

    table: str
    partition: str
    keys: tuple[str, ...]
    questions: Mapping[str, str]


_HOUR: Final = "{at} >= (SELECT max({at}) FROM {t}) - INTERVAL 1 HOUR"
_DAY: Final = "{at} >= (SELECT max({at}) FROM {t}) - INTERVAL 1 DAY"


def _within(question: str, at: str) -> str:
    return question.replace("HOUR?", _HOUR).replace("DAY?", _DAY).replace("{at}", at)


TABLES: Final = (
    Candidates(
        "frames",
        "second",
        ("asset, second", "second, asset"),
        {
            "a coin's hour": _within(
                "SELECT sum(length(flows.n)) FROM {t} FINAL WHERE asset = 'BTC' AND HOUR?", "second"
            ),
            "all coins' hour": _within(
                "SELECT sum(length(flows.n)) FROM {t} FINAL WHERE HOUR?", "second"
            ),
        },
    ),
    Candidates(
        "liquidations",
        "event_time_us",
        (
            "asset, event_time_us, id",
            "event_time_us, asset, id",
            "venue, asset, event_time_us, id",
        ),
        {
            "a coin's day": _within(
                "SELECT sum(usd) FROM {t} FINAL WHERE asset = 'BTC' AND DAY?", "event_time_us"
            ),
            "all coins' hour": _within(
                "SELECT sum(usd) FROM {t} FINAL WHERE HOUR?", "event_time_us"
            ),
            "dollars by venue": "SELECT venue, sum(usd) FROM {t} FINAL GROUP BY venue",
        },
    ),
    Candidates(
        "liquidity",
        "at",
        ("scope, at, id", "scope, ifNull(venue, ''), at, id", "at, scope, id"),
        {
            "a coin's day": _within(
                "SELECT count(), sum(spread_bp) FROM {t} FINAL "
                "WHERE scope = 'BTC' AND ifNull(venue, '') = '' AND DAY?",
                "at",
            ),
            "the coins' own readings": (
                "SELECT count(), sum(bid_usd[1]) FROM {t} FINAL WHERE ifNull(venue, '') = ''"
            ),
        },
    ),
    Candidates(
        "imbalance",
        "at",
        (
            "scope, window_s, at, id",
            "scope, window_s, ifNull(venue, ''), at, id",
            "at, scope, id",
        ),
        {
            "a coin's day": _within(
                "SELECT count(), sum(z) FROM {t} FINAL WHERE scope = 'BTC' AND window_s = 3600 "
                "AND ifNull(venue, '') = '' AND DAY?",
                "at",
            ),
            "one window of all coins": (
                "SELECT count(), sum(long_share) FROM {t} FINAL "
                "WHERE window_s = 3600 AND ifNull(venue, '') = ''"
            ),
        },
    ),
    Candidates(
        "cascades",
        "onset",
        ("scope, onset, id", "onset, scope, id"),
        {
            "a coin's day": _within(
                "SELECT sum(usd_observed) FROM {t} FINAL WHERE scope = 'BTC' AND DAY?", "onset"
            ),
            "the largest": "SELECT id FROM {t} FINAL ORDER BY usd_observed DESC LIMIT 20",
        },
    ),
    Candidates(
        "prints",
        "period_start",
        (
            "kind, scope, period_start, id",
            "scope, kind, period_start, id",
            "period_start, kind, scope, id",
        ),
        {
            "a coin's day": _within(
                "SELECT max(usd_observed) FROM {t} FINAL "
                "WHERE kind = 'rolling_24h' AND scope = 'BTC' AND DAY?",
                "period_start",
            ),
            "the market's days": "SELECT sum(usd_observed) FROM {t} FINAL WHERE kind = 'day'",
        },
    ),
)
"""The tables that are read most, with keys that a reader may ask about."""

_SCRATCH: Final = "scratch_of_bench_keys"


@dataclass(frozen=True, slots=True)
class Cost:
    """One key: compressed bytes of the table, and median CPU seconds of each question."""

    table: str
    key: str
    in_use: bool
    bytes: int
    cpu_s: dict[str, float]


def measure(
    client: Client,
    rounds: int,
    tables: Sequence[Candidates] = TABLES,
    progress: Callable[[str, str], None] = lambda table, key: None,
) -> list[Cost]:
    """The bytes and times of every key.

    Args:
        client: of a filled warehouse, which it may write to.
        rounds: times that each question is asked, in turn.
        tables: what to compare.
        progress: told the table and the key before each is made.
    """
    found: list[Cost] = []
    for one in tables:
        for key in one.keys:
            progress(one.table, key)
            found.append(_cost(client, one, key, rounds))
    return found


def _cost(client: Client, one: Candidates, key: str, rounds: int) -> Cost:
    client.command(f"DROP TABLE IF EXISTS {_SCRATCH}")
    client.command(
        f"CREATE TABLE {_SCRATCH} AS {one.table} ENGINE = ReplacingMergeTree(revision) "
        f"PARTITION BY toYYYYMM({one.partition}) ORDER BY ({key})"
    )
    client.command(f"INSERT INTO {_SCRATCH} SELECT * FROM {one.table}")  # noqa: S608
    client.command(f"OPTIMIZE TABLE {_SCRATCH} FINAL")
    size = client.command(
        "SELECT sum(data_compressed_bytes) FROM system.parts "
        "WHERE active AND database = currentDatabase() AND table = {table:String}",
        parameters={"table": _SCRATCH},
    )
    spent: dict[str, float] = {}
    for name, question in one.questions.items():
        times: list[float] = []
        for _ in range(rounds):
            began = time.process_time()
            client.query(question.replace("{t}", _SCRATCH))
            times.append(time.process_time() - began)
        spent[name] = statistics.median(times)
    client.command(f"DROP TABLE {_SCRATCH}")
    return Cost(one.table, key, key == one.keys[0], int(str(size)), spent)
