"""The served warehouse through clickhouse-connect, sync and async, and the project's own client."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import clickhouse_connect
import pandas
import pyarrow
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from streams.contracts import CASCADES, DEADLETTERS, FEEDS, PRINTS
from streams.edges.inserts import Inserter
from streams.edges.intake import read
from streams.edges.rows import rows
from streams.edges.warehouse import connect, connect_reader, table_sizes
from tests.served import PASSWORD, Served, serve

pytestmark = pytest.mark.warehouse


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    with serve(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.mark.parametrize("compress", ["lz4", "zstd", "br", "gzip", False])
def test_clickhouse_connect_inserts_and_reads_every_type(
    served: Served, compress: str | bool
) -> None:
    at = datetime(2026, 9, 21, 14, 13, 20, 123000, tzinfo=UTC)
    row = (1, "ünï\n", at, Decimal("1.000001"), [1, 2], {"k": "v"}, None, 1.5, "low")
    with served.client(writes=True, compress=compress, tz_mode="aware") as client:
        client.command("DROP TABLE IF EXISTS kinds")
        client.command(
            "CREATE TABLE kinds (a UInt64, b String, c DateTime64(3, 'UTC'), d Decimal(18, 6), "
            "e Array(UInt8), f Map(String, String), g Nullable(Int32), h Float64, "
            "i LowCardinality(String)) ENGINE = MergeTree ORDER BY a"
        )
        done = client.insert("kinds", [row, (2, *row[1:])])
        assert done.written_rows == 2
    with served.client(compress=compress, tz_mode="aware") as reader:
        found = reader.query("SELECT * FROM kinds WHERE a = {a:UInt64}", parameters={"a": 1})
        assert found.result_rows == [row]
        assert found.column_names[:3] == ("a", "b", "c")


def test_many_blocks_of_an_insert_arrive_whole(served: Served) -> None:
    total = 300_000
    with served.client(writes=True, compress="lz4") as client:
        client.command("CREATE OR REPLACE TABLE many (a UInt64) ENGINE = MergeTree ORDER BY a")
        context = client.create_insert_context("many", ["a"], data=[[n] for n in range(total)])
        context.block_row_count = 1000
        client.insert(context=context)
        found = client.query("SELECT count(), sum(a), uniqExact(a) FROM many").result_rows
        assert list(found) == [(total, total * (total - 1) // 2, total)]


def test_streams_frames_and_arrow_through_clickhouse_connect(served: Served) -> None:
    sql = "SELECT number AS n, toString(number) AS s FROM numbers(200000)"
    with served.client() as client:
        with client.query_row_block_stream(sql) as blocks:
            assert sum(len(block) for block in blocks) == 200_000
        frame = client.query_df(sql)
        assert isinstance(frame, pandas.DataFrame)
        assert int(frame["n"].sum()) == 200_000 * 199_999 // 2
        table = client.query_arrow(sql)
        assert isinstance(table, pyarrow.Table)
        assert table.num_rows == 200_000
        with client.query_arrow_stream(sql) as batches:
            assert sum(batch.num_rows for batch in batches) == 200_000
        assert client.raw_query("SELECT 1", fmt="CSV") == b"1\n"
    with served.client(writes=True) as client:
        client.command(
            "CREATE OR REPLACE TABLE framed (n UInt64, s String) ENGINE = MergeTree ORDER BY n"
        )
        client.insert_df("framed", frame)
        client.insert_arrow("framed", table)
        assert client.command("SELECT count() FROM framed") == 400_000


def test_errors_reach_clickhouse_connect_with_their_codes(served: Served) -> None:
    with served.client() as client:
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
            client.query("SELECT * FROM nothing_here")
        assert caught.value.code == 60
        with pytest.raises(DatabaseError) as caught:
            client.command("DROP TABLE frames")
        assert caught.value.code == 164
        with pytest.raises(ClickHouseError, match="boom"):
            client.query("SELECT throwIf(number = 300000, 'boom') FROM numbers(400000)")
        assert client.command("SELECT 1") == 1
    with pytest.raises(DatabaseError, match="Authentication failed") as caught:
        clickhouse_connect.get_client(
            host="127.0.0.1",
            port=served.port,
            username="writer",
            password="wrong",  # noqa: S106
        )
    assert caught.value.code == 516


async def test_the_async_client_asks_side_by_side(served: Served) -> None:
    async with await clickhouse_connect.get_async_client(
        host="127.0.0.1", port=served.port, autogenerate_session_id=False
    ) as client:
        answers = await asyncio.gather(
            *(
                client.query(
                    "SELECT {n:UInt8} + sum(number) FROM numbers(1000)", parameters={"n": n}
                )
                for n in range(20)
            )
        )
    assert [answer.result_rows[0][0] for answer in answers] == [499_500 + n for n in range(20)]


def test_the_projects_own_client_reads_and_writes_through_it(
    served: Served, examples: dict[str, list[bytes]]
) -> None:
    topics = {
        "cascade": CASCADES,
        "print": PRINTS,
        "milestone": PRINTS,
        "feed_status": FEEDS,
        "dead_letter": DEADLETTERS,
    }
    with connect(served.writer_dsn) as client:
        inserter = Inserter(client)
        sent: dict[str, int] = {}
        for kind, topic in topics.items():
            for example in examples[kind]:
                for table, row in rows(read(topic, example)):
                    assert inserter.insert(table, [row]) == []
                    sent[table] = sent.get(table, 0) + 1
        assert len(sent) >= 4
        stored = {size.table: size.rows for size in table_sizes(client)}
        assert {table: stored[table] for table in sent} == sent
    reader_dsn = f"clickhouse://127.0.0.1:{served.port}/{served.store.database}"
    with connect_reader(reader_dsn) as reader:
        assert reader.query("SELECT count() > 0 FROM v_cascades").first_row == (1,)
        with pytest.raises(DatabaseError, match="readonly"):
            reader.command("TRUNCATE TABLE frames")


def test_curl_asks_inserts_and_is_refused(served: Served) -> None:
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "curl is missing: install it"
        pytest.skip("curl is not installed")

    def curl(*arguments: str, data: str = "") -> str:
        command = ["curl", "-sS", "--max-time", "60", "--data-binary", "@-", *arguments]
        done = subprocess.run(command, input=data, capture_output=True, text=True, check=True)
        return done.stdout

    assert curl(served.url, data="SELECT 1 + 1") == "2\n"
    assert curl("--compressed", f"{served.url}?default_format=CSV", data="SELECT 'a'") == '"a"\n'
    table = "CREATE OR REPLACE TABLE curled (a UInt8) ENGINE = MergeTree ORDER BY a"
    writer = ("-u", f"writer:{PASSWORD}")
    assert curl(*writer, served.url, data=table) == ""
    into = f"{served.url}?query=INSERT%20INTO%20curled%20FORMAT%20CSV"
    assert curl(*writer, into, data="1\n2\n") == ""
    assert curl(served.url, data="SELECT sum(a) FROM curled") == "3\n"
    assert curl(served.url, data="DROP TABLE curled").startswith("Code: 164. DB::Exception: ")
