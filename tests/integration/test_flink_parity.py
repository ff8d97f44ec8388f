"""In-process, Faust and Flink give the same final rows, from the same frames on a real broker.

Rows are compared by id with their revision and every field but `engine`, as the topics carry them;
the warehouse beside them is compared view by view. Also: totals by Flink SQL equal the print.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

pytest.importorskip("numba")

from streams import contracts
from streams.contracts import partition_for
from streams.edges.warehouse import connect
from streams.engines.trimmed import lost_through
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import scenario
from tests import rebounds
from tests.conftest import BrokerMaker
from tests.logs import held_back_log
from tests.pipeline_stack import (
    BOTH_GROUPS,
    FLINK,
    GROUPS,
    STAGES,
    Oracle,
    Stack,
    data_path,
    differences,
    engine_rows,
    framer_counters,
    import_archives,
    lags,
    oracle_rows,
    topic,
)

ENGINES = ("faust", "flink")
SIDES = ("long", "short")
SQL = Path(__file__).parents[2] / "infra/flink/sql"

NextPort = Callable[[], int]
pytestmark = [pytest.mark.flink, pytest.mark.kafka, pytest.mark.warehouse]


@pytest.fixture
def path(
    make_broker: BrokerMaker, warehouse_dsn: str, flink_home: Path, next_port: NextPort
) -> Iterator[Stack]:
    """Framer, both engines and the sink on a broker of their own."""
    with data_path(make_broker(), warehouse_dsn, flink_home, BOTH_GROUPS, next_port) as stack:
        yield stack


def compared(path: Stack, archives: list[Path], timeout_s: float) -> dict[str, int]:
    """Run the archives through all; rows compared by engine and by view, none of them different."""
    path.start(*STAGES, FLINK)
    sent = import_archives(path.bootstrap, archives)
    oracle = Oracle(archives)
    path.await_drained(timeout_s)
    assert path.stop() == dict.fromkeys((*STAGES, FLINK), 0)
    expected = oracle_rows(oracle)
    counts: dict[str, int] = {}
    for engine in ENGINES:
        found = engine_rows(path.bootstrap, engine)
        apart = [
            f"{engine}: {found.get(row_id)} in-process: {expected.get(row_id)}"[:900]
            for row_id in sorted(expected.keys() | found.keys())
            if found.get(row_id) != expected.get(row_id)
        ]
        print(f"{engine}: {len(found)} rows, {len(apart)} unlike in-process", *apart[:10], sep="\n")  # noqa: T201
        assert not apart
        counts[engine] = len(found)
    counters = framer_counters(path.bootstrap)
    assert sum(n for name, n in counters.items() if name.startswith("received")) == sent
    views = differences(path.dsn, oracle)
    assert {view: lines for view, (_, lines) in views.items() if lines} == {}
    return counts | {view: count for view, (count, _) in views.items()}


@pytest.mark.timeout(1200)
def test_parity_of_three_engines_on_the_recordings(path: Stack, recordings: list[Path]) -> None:
    counts = compared(path, recordings, 1000)
    assert counts["v_cascades"] >= 9
    assert counts["v_liquidations"] > 3_000
    hourly = ("v_regimes", "v_conditions")
    told = ("v_imbalance", "v_health", "v_alerts", *hourly)
    assert min(counts[view] for view in told) > 50
    assert min(counts[engine] for engine in ENGINES) > 5_000


@pytest.mark.timeout(1200)
def test_parity_of_three_engines_and_sql_on_an_hour_of_20_assets(
    path: Stack, tmp_path: Path
) -> None:
    simulate(scenario("build-up"), 9, tmp_path, assets=20, hours=1.0, labels=False)
    counts = compared(path, [held_back_log(tmp_path / LOG)], 1000)
    assert counts["v_late_events"] > 10
    told = ("imbalance", "liquidity", "zones", "positioning", "funding", "dominance", "volatility")
    assert min(counts[f"v_{table}"] for table in (*told, "health")) > 10
    assert_sql_equals_the_print(path, 20)
    assert_the_example_of_a_pattern_finds_its_matches(path)


@pytest.mark.timeout(900)
def test_parity_of_both_engines_where_the_oldest_frames_are_lost(
    path: Stack, tmp_path: Path
) -> None:
    """The market goes on with the first second of which all frames are there."""
    simulate(scenario("build-up"), 9, tmp_path, assets=4, hours=0.2, labels=False)
    path.start("framer")
    import_archives(path.bootstrap, [held_back_log(tmp_path / LOG)])
    while asyncio.run(lags(path.bootstrap, {"marginquake-framer": GROUPS["marginquake-framer"]}))[
        1
    ]["marginquake-framer"]:
        time.sleep(1)
    before = asyncio.run(first_seconds(path.bootstrap))
    cut = {partition_for("ETH"): 200, partition_for("SOL"): 90}
    asyncio.run(lose(path.bootstrap, cut))
    begin = max(asyncio.run(first_seconds(path.bootstrap))[part] for part in cut)
    assert begin > max(before.values())
    assert asyncio.run(lost_through(path.bootstrap)) == begin
    path.start("detect", FLINK, "sink")
    path.await_drained(700)
    assert path.stop() == dict.fromkeys((*STAGES, FLINK), 0)
    faust, flink = (engine_rows(path.bootstrap, engine) for engine in ENGINES)
    assert {
        row_id for row_id in faust.keys() | flink.keys() if faust.get(row_id) != flink.get(row_id)
    } == set()
    with closing(connect(path.dsn)) as client:
        [(prints, first)] = client.query(
            "SELECT count(), min(toUnixTimestamp64Micro(period_start)) FROM v_prints"
            " WHERE scope = 'ALL' AND kind = 'rolling_24h'"
        ).result_rows
    assert prints > 20
    assert first == (begin + 1_000_000) // 60_000_000 * 60_000_000


async def first_seconds(bootstrap: str) -> dict[int, int]:
    """The second (µs) of the oldest frame of each partition that has any."""
    found: dict[int, int] = {}
    for part, _, _, value in await topic(bootstrap, contracts.FRAMES):
        found.setdefault(part, contracts.decode_frame(value).second)
    return found


async def lose(bootstrap: str, offsets: dict[int, int]) -> None:
    """Delete the frames before these offsets, as retention does."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records(
            {
                TopicPartition(contracts.FRAMES, part): RecordsToDelete(before_offset=offset)
                for part, offset in offsets.items()
            }
        )
    finally:
        await admin.close()


@pytest.mark.day
@pytest.mark.timeout(14_400)
def test_parity_of_three_engines_and_sql_on_a_day(path: Stack, tmp_path: Path) -> None:
    assets = int(os.environ.get("PARITY_ASSETS", "20"))
    simulate(scenario("build-up"), 9, tmp_path, assets=assets, hours=24.0, labels=False)
    counts = compared(path, [held_back_log(tmp_path / LOG)], 14_000)
    assert counts["v_prints"] > 1_000
    assert_sql_equals_the_print(path, assets)


def run_sql(path: Stack, name: str) -> list[str]:
    """The lines that `flink sql` prints at the end of what the topics hold.

    With a watermark each millisecond of its fast reading: a live one comes with every few records.
    """
    script = path.home / name
    text = (SQL / name).read_text("utf-8")
    script.write_text(f"SET 'pipeline.auto-watermark-interval' = '1 ms';\n{text}", "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "flink", "sql", str(script), "--bounded"],
        env={
            **os.environ,
            "MARGINQUAKE_HOME": str(path.home),
            "MARGINQUAKE_KAFKA": path.bootstrap,
        },
        check=True,
        timeout=300,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()


def assert_the_example_of_a_pattern_finds_its_matches(path: Stack) -> None:
    """MATCH_RECOGNIZE over frames.v1, and a plain reading of the same pattern."""
    frames = {}
    for _, _, _, value in asyncio.run(topic(path.bootstrap, contracts.FRAMES)):
        frame = contracts.decode_frame(value)
        frames[frame.asset, frame.second] = frame
    expected = rebounds.matches(frames.values())
    names, *lines = run_sql(path, "rebounds.sql")
    assert names.split("\t") == list(rebounds.Match._fields)
    found = sorted(rebounds.read(line) for line in lines)
    print(f"MATCH_RECOGNIZE: {len(found)} matches, {len(set(found) ^ set(expected))} unlike")  # noqa: T201
    assert found == sorted(expected)
    assert len(found) > 10


def assert_sql_equals_the_print(path: Stack, assets: int) -> None:
    """To the micro-dollar, each asset and each venue: by side at the end, and at each minute."""
    run_sql(path, "prints.sql")
    at_end: Counter[tuple[str, str]] = Counter()
    by_minute: dict[str, dict[tuple[str, str, str], dict[int, int]]] = defaultdict(dict)
    for _, _, _, value in asyncio.run(topic(path.bootstrap, contracts.PRINTS_SQL)):
        row = msgspec.json.decode(value)
        for name in (row["asset"], row["venue"]):
            if row["kind"] == "minute":
                at_end[name, row["side"]] += row["usd"]
            else:
                rows = by_minute[name].setdefault((row["asset"], row["venue"], row["side"]), {})
                rows[row["period_end"]] = row["usd"]
    with closing(connect(path.dsn)) as client:
        late: Counter[tuple[str, str]] = Counter()
        for asset, venue, side, usd in client.query(
            "SELECT asset, venue, position_side, usd FROM v_late_events WHERE kind != 'adl'"
        ).result_rows:
            late.update({(asset, side): _micros(usd), (venue, side): _micros(usd)})
        # The market's rows are by venue; an asset's are of all venues.
        prints = "FROM v_prints WHERE kind = 'rolling_24h' AND (venue IS NULL) != (scope = 'ALL')"
        last = client.query(
            "SELECT ifNull(venue, scope) AS name, argMax(long_usd, period_start),"
            f" argMax(short_usd, period_start) {prints} GROUP BY name"
        ).result_rows
        ends = client.query(
            "SELECT ifNull(venue, scope), toUnixTimestamp64Micro(period_start) + 60000000,"
            f" usd_observed - usd_late {prints} AND is_final"
        ).result_rows
    printed = {
        (name, side): _micros(usd) - late[name, side]
        for name, *both in last
        for side, usd in zip(SIDES, both, strict=True)
    }
    assert printed == {key: at_end[key] for key in printed}
    assert at_end.keys() <= printed.keys()
    wrong = [
        (name, end, usd, summed)
        for name, end, usd in ends
        if _micros(usd) != (summed := sum(_as_of(rows, end) for rows in by_minute[name].values()))
    ]
    assert wrong == []
    assert len(printed) > 2 * assets
    assert len(ends) > 500
    print(f"SQL: {len(printed)} sums by side and {len(ends)} by minute equal the print")  # noqa: T201


def _micros(dollars: Decimal) -> int:
    return int(dollars * 1_000_000)


def _as_of(totals: dict[int, int], end: int) -> int:
    """The 24 h total that SQL last gave by `end`; none of it is older in these logs."""
    return totals[max(at)] if (at := [one for one in totals if one <= end]) else 0
