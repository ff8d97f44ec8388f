"""What a reader of the served warehouse may ask, and what not: each statement over HTTP."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.edges.query_catalogue import catalogue
from tests.served import Served, serve

pytestmark = pytest.mark.warehouse

SECRET = "the-secret-of-the-file"  # noqa: S105 - content of a file, no password
PAGES = Path(__file__).resolve().parents[2] / "docs" / "queries"

ATTACKS = [
    # Files, by table functions, functions, names and formats.
    "SELECT * FROM file('{csv}')",
    "SELECT * FROM file('{csv}', 'LineAsString')",
    "SELECT * FROM FILE('{csv}')",
    "SELECT * FROM `file`('{csv}')",
    "SELECT * FROM/**/file/**/('{csv}')",
    "SELECT * FROM -- a comment\n file('{csv}')",
    "/* SELECT 1 */ SELECT * FROM file('{csv}') -- FORMAT Null",
    "SELECT * FROM (SELECT * FROM file('{csv}'))",
    "WITH f AS (SELECT * FROM file('{csv}')) SELECT * FROM f",
    "SELECT 1 UNION ALL SELECT count() FROM file('{csv}')",
    "SELECT 1 WHERE 1 IN (SELECT a FROM file('{csv}'))",
    "SELECT (SELECT any(a) FROM file('{csv}'))",
    "SELECT * FROM view(SELECT * FROM file('{csv}'))",
    "SELECT * FROM numbers(1) AS n JOIN file('{csv}') AS f ON 1",
    "SELECT file('{csv}')",
    "SELECT FILE('{csv}')",
    "SELECT length(concat('', file('{csv}')))",
    "WITH file('{csv}') AS f SELECT f",
    "WITH (x -> file(x)) AS f SELECT f('{csv}')",
    "SELECT arrayMap(x -> file(x), ['{csv}'])",
    "SELECT arrayMap(file, ['{csv}'])",
    "WITH file AS f SELECT arrayMap(f, ['{csv}'])",
    "SELECT * APPLY(file) FROM (SELECT '{csv}' AS a)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '{csv}' AS a)",
    "SELECT COLUMNS('a') APPLY file FROM (SELECT '{csv}' AS a)",
    "SELECT * REPLACE(file('{csv}') AS a) FROM (SELECT 1 AS a)",
    "SELECT 1 ORDER BY file('{csv}')",
    "SELECT 1 GROUP BY file('{csv}') HAVING file('{csv}') != ''",
    "SELECT 1 LIMIT length(file('{csv}'))",
    "SELECT sum(1) OVER (ORDER BY file('{csv}'))",
    "SELECT a FROM (SELECT 1 AS a) ORDER BY a WITH FILL TO length(file('{csv}'))",
    "SELECT * FROM `{csv}`",
    "SELECT * FROM '{csv}'",
    "SELECT * FROM default.`{csv}`",
    "SELECT 1 IN `{csv}`",
    "WITH `{csv}` AS (SELECT 1) SELECT * FROM (SELECT * FROM `{csv}`)",
    "DESCRIBE file('{csv}')",
    "DESCRIBE TABLE (SELECT * FROM file('{csv}'))",
    "DESC `{csv}`",
    "EXISTS TABLE `{csv}`",
    "SHOW CREATE TABLE `{csv}`",
    "SHOW TABLES WHERE name = file('{csv}')",
    "SHOW COLUMNS FROM frames WHERE field = file('{csv}')",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT * FROM fileCluster('c', '{csv}')",
    "SELECT * FROM sqlite('{csv}', 't')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM deltaLakeLocal('{folder}')",
    "SELECT * FROM executable('cat {csv}', TabSeparated, 'a String')",
    "SELECT * FROM Python(os)",
    "SELECT * FROM python(os)",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO OUTFILE '{out}' TRUNCATE FORMAT CSV",
    "SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '{out}' FORMAT CSV",
    "EXPLAIN SELECT 1 INTO OUTFILE '{out}'",
    "INSERT INTO FUNCTION file('{out}', CSV, 'a UInt8') SELECT 1",
    # The network.
    "SELECT * FROM url('http://127.0.0.1:1/x', CSV, 'a UInt8')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/k', CSV, 'a UInt8')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM remoteSecure('127.0.0.1:1', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'a UInt8')",
    "SELECT hasColumnInTable('127.0.0.1:1', 'system', 'one', 'dummy')",
    "SELECT aiGenerate('hello')",
    "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'd', 't', 'u', 'p') PARTITION BY a",
    # Writing and changing.
    "INSERT INTO schema_migrations (version) VALUES (99)",
    "INSERT INTO schema_migrations (version) SELECT 99",
    "  /* x */ INSERT INTO schema_migrations (version) FORMAT CSV\n99",
    "WITH 99 AS v INSERT INTO schema_migrations (version) SELECT v",
    "DROP TABLE frames",
    "drop table if exists frames sync",
    "TRUNCATE TABLE frames",
    "ALTER TABLE frames DELETE WHERE 1",
    "DELETE FROM schema_migrations WHERE 1",
    "OPTIMIZE TABLE frames FINAL",
    "RENAME TABLE frames TO stolen",
    "DETACH TABLE frames",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a",
    "CREATE TABLE x (a UInt8) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "CREATE VIEW x AS SELECT 1",
    "CREATE FUNCTION x AS a -> a",
    "CREATE DATABASE x",
    "CREATE USER x",
    "GRANT ALL ON *.* TO default",
    "BACKUP TABLE frames TO File('{out}')",
    "EXPLAIN AST DROP TABLE frames",
    "EXPLAIN INSERT INTO schema_migrations (version) SELECT 99",
    "SELECT 1; DROP TABLE frames",
    "SELECT 1;; TRUNCATE TABLE frames",
    "SELECT 1 FORMAT Null; DROP TABLE frames",
    "PARALLEL WITH DROP TABLE frames",
    "EXECUTE AS writer DROP TABLE frames",
    # Settings, other queries, the server.
    "SET readonly = 0",
    "SET max_execution_time = 0",
    "USE system",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 FORMAT CSV SETTINGS readonly = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "SELECT 1 SETTINGS max_threads = 64, allow_ddl = 1",
    "KILL QUERY WHERE 1",
    "KILL MUTATION WHERE 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM FLUSH LOGS",
    "SYSTEM STOP MERGES",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SHOW USERS",
    "CHECK TABLE frames",
    "SELECT sleep(3)",
    "SELECT sleepEachRow(1) FROM numbers(100)",
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`processes`",
    "SELECT * FROM SYSTEM.processes",
    "SELECT query FROM system . /* x */ processes",
    "SELECT 'x' IN system.processes",
    "SELECT * FROM merge('system', 'processes')",
    "SELECT * FROM loop(system.processes)",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM system.processes))",
    "SELECT * FROM eval('SELECT * FROM system.processes')",
    "SHOW TABLES WHERE name IN (SELECT query FROM system.processes)",
    "SELECT * FROM system.users",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM system.disks",
    "SELECT * FROM system.stack_trace",
    "SELECT * FROM system.query_log",
    "SELECT getServerSetting('max_connections')",
    "SELECT getMacro('x')",
    "SELECT hostName()",
    "SELECT editDistance('a', 'b')",
    "SELECT levenshteinDistance('a', 'b')",
    "SELECT arrayMap(editDistanceUTF8, ['a'], ['b'])",
    "SELECT polygonsUnionCartesian([[[(0., 0.)]]], [[[(0., 0.)]]])",
    "SELECT addressToLine(1)",
    "SELECT * FROM marginquake.frames.x",
]

ANSWERED = [
    # What clients send when they connect.
    "SELECT version()",
    "SELECT timezone()",
    "SELECT version(), timezone()",
    "SELECT currentDatabase()",
    "SELECT currentUser()",
    "SELECT currentUser() AS user, timezone() AS timezone, version() AS version LIMIT 1",
    "SELECT displayName(), version(), timezone()",
    "SELECT name, value, readonly as readonly FROM system.settings LIMIT 10000",
    "SELECT name, value, changed, description, type FROM system.settings WHERE changed",
    "SELECT name FROM system.databases ORDER BY name",
    "SELECT name, database, table, type, comment FROM system.columns WHERE database='marginquake'",
    "SELECT name FROM system.functions WHERE is_aggregate LIMIT 5",
    "SELECT name, alias_to FROM system.data_type_families",
    "SELECT name FROM system.table_functions",
    "SELECT name FROM system.table_engines",
    "SELECT name FROM system.formats WHERE is_output",
    "SELECT keyword FROM system.keywords LIMIT 5",
    "SELECT database, name, engine, total_rows, total_bytes, comment FROM system.tables",
    "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active GROUP BY table",
    "SELECT name, status FROM system.dictionaries",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marginquake'",
    "SELECT column_name FROM INFORMATION_SCHEMA.COLUMNS LIMIT 3",
    "SELECT getSetting('max_execution_time')",
    "SHOW DATABASES",
    "SHOW TABLES",
    "SHOW TABLES FROM marginquake LIKE 'v_%'",
    "SHOW FULL TABLES FROM marginquake",
    "SHOW COLUMNS FROM frames",
    "SHOW CREATE TABLE frames",
    "SHOW CREATE TABLE marginquake.v_frames",
    "SHOW CREATE DATABASE marginquake",
    "SHOW FUNCTIONS LIKE 'sum'",
    "SHOW INDEXES FROM frames",
    "SHOW SETTINGS LIKE 'max_threads'",
    "DESCRIBE TABLE frames",
    "DESCRIBE TABLE `marginquake`.`v_frames`",
    "DESC marginquake.frames",
    "DESCRIBE (SELECT 1 AS a)",
    "EXISTS TABLE frames",
    "EXISTS TABLE nothing_of_that_name",
    "EXISTS DATABASE marginquake",
    # What people ask.
    "SELECT 1",
    "select 1;",
    "SELECT 1 -- with a comment\n",
    "SELECT 'ünïcode — “quotes” file(''x'')' AS a",
    "SELECT 'a\nb\tc' AS x, $$it's$$ AS y",
    "SELECT count() FROM v_frames",
    "SELECT count() FROM marginquake.liquidations FINAL",
    "SELECT * FROM frames WHERE asset = 'BTC' LIMIT 1",
    "SELECT asset, sum(usd), avg(usd), quantile(0.9)(toFloat64(usd)) FROM v_liquidations "
    "GROUP BY asset WITH TOTALS ORDER BY asset",
    "SELECT toStartOfInterval(toDateTime('2026-09-21 14:13:20'), INTERVAL 1 MINUTE) AS t, "
    "countIf(number > 3) FROM numbers(10) GROUP BY t",
    "WITH x AS (SELECT number AS n FROM numbers(5)) SELECT sum(n) FROM x JOIN x AS y USING (n)",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) "
    "SELECT max(n) FROM r",
    "SELECT arrayMap(x -> x * 2, [1, 2]), arraySum([1, 2]), arrayMap(negate, [1])",
    "SELECT number, row_number() OVER (ORDER BY number), lagInFrame(number) OVER w "
    "FROM numbers(3) WINDOW w AS (ORDER BY number)",
    "SELECT number IN (SELECT 1), (1, 2) IN ((1, 2)) FROM numbers(2)",
    "WITH [1, 2] AS few SELECT 1 IN few",
    "SELECT number FROM numbers(3) EXCEPT SELECT 1",
    "SELECT * EXCEPT (b) REPLACE (a + 1 AS a) APPLY (toString) FROM (SELECT 1 AS a, 2 AS b)",
    "SELECT CAST('1', 'UInt8'), '2026-01-01'::Date, toTypeName(1.5), [1][1], (1, 'a').2",
    "SELECT CASE WHEN 1 THEN 'a' ELSE 'b' END, if(1, 2, 3), 1 BETWEEN 0 AND 2, 'a' LIKE '%'",
    "SELECT JSONExtractString('{\"a\": \"b\"}', 'a'), formatDateTime(now(), '%F'), uniqExact(1)",
    "SELECT * FROM values('a UInt8, b String', (1, 'x'), (2, 'y'))",
    "SELECT * FROM generate_series(1, 3)",
    "SELECT count(DISTINCT number), sumIf(number, number > 1), argMax(number, number), "
    "groupArray(3)(number), sumMap([number], [1]), countMerge(s) "
    "FROM (SELECT number, countState() AS s FROM numbers(4) GROUP BY number)",
    "SELECT cutToFirstSignificantSubdomain('https://a.example.org/'), url FROM (SELECT 1 AS url)",
    "EXPLAIN SELECT count() FROM v_frames",
    "EXPLAIN PLAN header = 1 SELECT 1",
    "EXPLAIN SYNTAX SELECT 1 + 1",
    "EXPLAIN AST SELECT 1",
    "EXPLAIN PIPELINE SELECT 1",
    "EXPLAIN QUERY TREE SELECT 1",
    "EXPLAIN ESTIMATE SELECT count() FROM frames",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    folder = tmp_path_factory.mktemp("gate")
    (folder / "secret.csv").write_text(f"a,b\n1,{SECRET}\n")
    with serve(folder) as running:
        yield running


def count_rows(served: Served) -> list[tuple[str, ...]]:
    """Tables and their rows, as the writer sees them."""
    reply = served.ask(
        "SELECT name, total_rows, metadata_modification_time FROM system.tables "
        "WHERE database = currentDatabase() ORDER BY name FORMAT JSONCompactEachRow",
        writes=True,
    )
    assert reply.status == 200, reply.text
    return [tuple(json.loads(line)) for line in reply.text.splitlines()]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_the_store_unharmed(served: Served, attack: str) -> None:
    out = served.folder / "out.csv"
    sql = (
        attack.replace("{csv}", str(served.folder / "secret.csv"))
        .replace("{out}", str(out))
        .replace("{folder}", str(served.folder))
    )
    before = count_rows(served)
    for reply in (served.ask(sql), served.ask(query={"query": sql}, method="GET")):
        assert reply.status in (400, 403, 404, 501), (reply.status, reply.text)
        assert reply.code in (46, 48, 60, 62, 81, 164, 497), reply.text
        assert SECRET not in reply.text
    assert not out.exists()
    assert count_rows(served) == before


@pytest.mark.parametrize("sql", ANSWERED)
def test_a_legitimate_statement_is_answered(served: Served, sql: str) -> None:
    reply = served.ask(sql)
    assert reply.status == 200, reply.text
    assert reply.headers["X-ClickHouse-Format"] in ("TSV", "TabSeparated")
    assert reply.headers["X-ClickHouse-Query-Id"]


def test_every_statement_of_the_docs_and_of_the_catalogue_passes(served: Served) -> None:
    pages = [
        sql
        for page in sorted(PAGES.glob("*.md"))
        for sql in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.S)
    ]
    assert len(pages) > 10
    for sql in pages:
        assert served.ask(sql).status == 200, served.ask(sql).text
    for named in catalogue().values():
        given = {f"param_{name}": value for name, value in named.bind({}).items()}
        reply = served.ask(named.sql, given)
        assert reply.status == 200, (named.name, reply.text)


def test_a_parameter_that_names_a_table_is_judged_by_its_value(served: Served) -> None:
    sql = "SELECT count() FROM {d:Identifier}.{t:Identifier}"
    assert served.ask(sql, {"param_d": "marginquake", "param_t": "frames"}).text == "0\n"
    assert served.ask(sql, {"param_d": "system", "param_t": "one"}).text == "1\n"
    assert served.ask(sql, {"param_d": "system", "param_t": "processes"}).code == 497
    csv = str(served.folder / "secret.csv")
    assert served.ask("SELECT * FROM {t:Identifier}", {"param_t": csv}).code == 60
    assert served.ask("SELECT * FROM {t:Identifier}").code == 456
    assert served.ask("SELECT * FROM {t:Identifier}", {"param_t": "system.processes"}).code == 60
    assert served.ask("SELECT 1 IN {t:Identifier}", {"param_t": "system.processes"}).code == 497
    mapped = {"param_f": "file", "param_p": csv}
    assert served.ask("SELECT arrayMap({f:Identifier}, [{p:String}])", mapped).code == 497
    assert served.ask("DESCRIBE TABLE {t:Identifier}", {"param_t": csv}).code == 60
    assert (
        served.ask("SELECT {x:String}", {"param_x": "it's {t:Identifier}"}).text
        == "it\\'s {t:Identifier}\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("readonly", "0"),
        ("allow_ddl", "1"),
        ("max_execution_time", "0"),
        ("max_threads", "64"),
        ("max_memory_usage", "0"),
        ("log_comment", "mine"),
    ],
)
def test_a_limit_stays_when_a_reader_gives_more(served: Served, name: str, value: str) -> None:
    sql = (
        "SELECT getSetting('readonly'), getSetting('allow_ddl'), getSetting('max_execution_time'), "
        "getSetting('max_threads'), getSetting('max_memory_usage')"
    )
    reply = served.ask(sql, {name: value})
    if reply.status == 200:
        assert reply.text == f"1\tfalse\t30\t1\t{2 * 1024**3}\n"
    else:
        assert (name, reply.code) == ("allow_ddl", 164)


@pytest.mark.parametrize(
    "name", ["format_schema", "format_template_row", "insert_null_as_default", "dialect", "x"]
)
def test_a_setting_that_is_not_for_readers_is_refused(served: Served, name: str) -> None:
    assert served.ask("SELECT 1", {name: "1"}).code == 164


def test_a_reader_may_ask_for_less(served: Served) -> None:
    reply = served.ask("SELECT number FROM numbers(100)", {"max_result_rows": "10"})
    assert (reply.status, reply.code) == (500, 396)
    reply = served.ask(
        "SELECT number FROM numbers(100)",
        {"max_result_rows": "10", "result_overflow_mode": "break"},
    )
    assert reply.status == 200
    moot = {"async_insert": "0", "wait_for_async_insert": "1", "compress": "0"}
    assert served.ask("SELECT 1", moot).text == "1\n"
    assert served.ask("SELECT now()", {"date_time_output_format": "iso"}).text.endswith("Z\n")


def test_the_system_database_cannot_be_the_current_one(served: Served) -> None:
    assert served.ask("SELECT * FROM processes", {"database": "system"}).code == 497
    assert served.ask("SELECT 1", {"database": "nothing"}).code == 81
