"""ClickHouse's HTTP interface as the served warehouse speaks it, byte by byte."""

import http.client
import json
from collections.abc import Iterator

import pyarrow
import pyarrow.parquet
import pytest

from tests.served import PASSWORD, Served

pytestmark = pytest.mark.warehouse


def test_the_routes_that_clients_probe_answer(served: Served) -> None:
    for path in ("ping", "replicas_status", "", "?user=default"):
        connection = http.client.HTTPConnection("127.0.0.1", served.port)
        connection.request("GET", f"/{path}")
        got = connection.getresponse()
        assert (got.status, got.read()) == (200, b"Ok.\n")
        connection.close()
    assert served.ask(method="HEAD").status == 200
    assert served.ask("SELECT 1", method="PUT").status == 400


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("SELECT 1 AS x", b""),
        ("", b"SELECT 1 AS x"),
        ("SELECT 1", b"AS x"),
        ("SELECT 1 AS x FORMAT TSV", b"  \n"),
    ],
)
def test_a_query_comes_as_parameter_as_body_or_as_both(
    served: Served, query: str, body: bytes
) -> None:
    reply = served.ask(body, {"query": query} if query else None)
    assert (reply.status, reply.text) == (200, "1\n")


def test_headers_tell_id_zone_format_and_counts(things: Served) -> None:
    reply = things.ask("SELECT 1 AS x FORMAT JSONEachRow", {"query_id": "mine-1"})
    assert reply.text == '{"x":1}\n'
    assert reply.headers["X-ClickHouse-Query-Id"] == "mine-1"
    assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert reply.headers["X-ClickHouse-Timezone"]
    assert reply.headers["X-ClickHouse-Server-Display-Name"] == "marginquake"
    assert reply.headers["Content-Type"].startswith("application/x-ndjson")
    written = things.ask("INSERT INTO things VALUES (1, 'x'), (2, 'y')", writes=True)
    assert json.loads(written.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    read = things.ask("SELECT * FROM things FORMAT JSON")
    summary = json.loads(read.headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("2", "2")


@pytest.mark.parametrize(
    ("fmt", "begin"),
    [
        ("TabSeparatedWithNamesAndTypes", b"a\tb\nUInt64\tString\n1\tx\n"),
        ("TSVWithNames", b"a\tb\n1\tx\n"),
        ("CSV", b'1,"x"\n'),
        ("CSVWithNames", b'"a","b"\n1,"x"\n'),
        ("JSONCompactEachRow", b'["1", "x"]\n'),
        ("JSONCompact", b"{"),
        ("RowBinaryWithNamesAndTypes", b"\x02\x01a\x01b\x06UInt64\x06String\x01"),
        ("Native", b"\x02\x01\x01a\x06UInt64\x01"),
        ("Parquet", b"PAR1"),
        ("Arrow", b"ARROW1"),
        ("Pretty", b"   "),
        ("Values", b"(1,'x')"),
    ],
)
def test_formats_are_the_engines_own(things: Served, fmt: str, begin: bytes) -> None:
    things.ask("INSERT INTO things VALUES (1, 'x')", writes=True)
    quoted = {"output_format_json_quote_64bit_integers": "1"}
    in_sql = things.ask(f"SELECT * FROM things FORMAT {fmt}", quoted)  # noqa: S608
    assert in_sql.body.startswith(begin), in_sql.body[:80]
    by_default = things.ask("SELECT * FROM things", {"default_format": fmt, **quoted})
    assert by_default.headers["X-ClickHouse-Format"] == fmt
    by_header = things.ask("SELECT * FROM things", quoted, {"X-ClickHouse-Format": fmt})
    if fmt not in ("JSONCompact", "Parquet", "Arrow"):
        assert in_sql.body == by_default.body == by_header.body


def test_columnar_formats_read_back(things: Served) -> None:
    things.ask("INSERT INTO things SELECT number, toString(number) FROM numbers(5)", writes=True)
    stream = things.ask("SELECT * FROM things FORMAT ArrowStream").body
    assert pyarrow.ipc.open_stream(stream).read_all().num_rows == 5
    whole = things.ask("SELECT * FROM things FORMAT Parquet").body
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(whole))
    assert table.column("a").to_pylist() == [0, 1, 2, 3, 4]
    back = things.ask(whole, {"query": "INSERT INTO things FORMAT Parquet"}, writes=True)
    assert back.status == 200, back.text
    assert things.ask("SELECT count(), sum(a) FROM things").text == "10\t20\n"


def test_totals_are_in_the_answer(served: Served) -> None:
    reply = served.ask("SELECT number % 2 AS k, count() FROM numbers(4) GROUP BY k WITH TOTALS")
    assert reply.text.split() == ["0", "2", "1", "2", "0", "4"]


@pytest.mark.parametrize(
    ("query", "body", "rows"),
    [
        ("INSERT INTO things FORMAT CSV", b"1,x\n2,y\n", 2),
        ("INSERT INTO things (b, a) FORMAT TSV", b"x\t1\n", 1),
        ("INSERT INTO things VALUES", b"(1, 'FORMAT CSV'), (2, ';')", 2),
        ("", b"INSERT INTO things VALUES (1, 'VALUES (2)')", 1),
        ("", b"/* c */ insert into `marginquake`.`things` (a) values (1),(2),(3);", 3),
        ("", b'INSERT INTO things FORMAT JSONEachRow\n{"a": 1, "b": "FORMAT"}\n{"a": 2}', 2),
        ("", b'INSERT INTO things FORMAT JSONEachRow {"a": 1}', 1),
        ("", b"INSERT INTO things SETTINGS async_insert = 0 FORMAT CSV\r\n1,x\r\n", 1),
        ("INSERT INTO things SELECT number, 'x' FROM numbers(7)", b"", 7),
        ("", b"INSERT INTO things (a) SELECT 1 AS format", 1),
        ("INSERT INTO things (a)", b"VALUES (1)", 1),
        ("INSERT INTO things FORMAT CSV", b"", 0),
    ],
)
def test_inserts_in_every_shape(things: Served, query: str, body: bytes, rows: int) -> None:
    sent = things.ask(body, {"query": query} if query else None, writes=True)
    assert sent.status == 200, sent.text
    assert json.loads(sent.headers["X-ClickHouse-Summary"])["written_rows"] == str(rows)
    assert things.ask("SELECT count() FROM things").text == f"{rows}\n"


@pytest.mark.parametrize("fmt", ["CSV", "Values", "JSONEachRow"])
def test_rows_that_a_constraint_refuses_are_an_error_and_not_reported_as_written(
    things: Served, fmt: str
) -> None:
    limited = "ALTER TABLE things ADD CONSTRAINT IF NOT EXISTS few CHECK a < 100"
    assert things.ask(limited, writes=True).status == 200
    rows = {"CSV": "1,x\n100,y\n", "Values": "(1,'x'),(100,'y')"}
    body = rows.get(fmt, '{"a": 1}\n{"a": 100}\n')
    try:
        sent = things.ask(body, {"query": f"INSERT INTO things FORMAT {fmt}"}, writes=True)
        assert sent.code == 469, sent.text
        assert things.ask("SELECT count() FROM things").text == "0\n"
    finally:
        things.ask("ALTER TABLE things DROP CONSTRAINT few", writes=True)


def test_parameters_reach_inserts_and_keep_their_bytes(things: Served) -> None:
    awkward = "it's \\ {x:String} \u2603"
    escaped = awkward.replace("\\", "\\\\")
    sent = things.ask(
        "INSERT INTO things VALUES ({a:UInt64}, {b:String})",
        {"param_a": "7", "param_b": escaped},
        writes=True,
    )
    assert sent.status == 200, sent.text
    assert things.ask("SELECT b FROM things FORMAT TSVRaw").text == f"{awkward}\n"
    found = things.ask(
        "SELECT a FROM things WHERE b = {b:String} AND a IN {a:Array(UInt64)}",
        {"param_b": escaped, "param_a": "[1,7]"},
    )
    assert found.text == "7\n"


def test_an_insert_streams_a_body_of_unknown_length(things: Served) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"INSERT INTO things FORM"
        yield b"AT CSV\n1"
        for n in range(300):
            yield b"%d,x\n" % n * 100

    connection = http.client.HTTPConnection("127.0.0.1", things.port, timeout=60)
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": PASSWORD}
    connection.request("POST", "/", chunks(), headers, encode_chunked=True)
    got = connection.getresponse()
    assert got.status == 200, got.read()
    connection.close()
    assert things.ask("SELECT count() FROM things").text == "30000\n"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT FROM WHERE", 400, 62),
        ("SELECT 1 +", 400, 62),
        ("", 400, 62),
        ("SELECT * FROM nothing_here", 404, 60),
        ("SELECT nothing_here(1)", 404, 46),
        ("SELECT nothing_here", 404, 47),
        ("SELECT 1 FORMAT NoSuchFormat", 404, 73),
        ("SELECT toUInt8('x')", 400, 6),
        ("SELECT throwIf(1, 'boom')", 500, 395),
        ("SELECT {missing:UInt8}", 400, 456),
        ("DROP TABLE things", 403, 164),
        ("SELECT * FROM system.processes", 403, 497),
    ],
)
def test_errors_have_clickhouses_codes_and_a_status(
    served: Served, sql: str, status: int, code: int
) -> None:
    reply = served.ask(sql)
    assert (reply.status, reply.code) == (status, code), reply.text
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert reply.text.endswith(")\n")


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({"user": "writer", "password": PASSWORD}, {}, 200),
        ({}, {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": PASSWORD}, 200),
        ({}, {"Authorization": "Basic d3JpdGVyOndyaXR0ZW4tYnktdGVzdHM="}, 200),
        ({"user": "default"}, {}, 200),
        ({"user": "default", "password": ""}, {}, 200),
        ({"user": "default", "password": "x"}, {}, 403),
        ({"user": "writer"}, {}, 401),
        ({"user": "writer", "password": "wrong"}, {}, 403),
        ({"user": "nobody", "password": PASSWORD}, {}, 403),
        ({"user": "nobody"}, {}, 403),
        ({}, {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": "x"}, 403),
        ({}, {"Authorization": "Basic !!!"}, 403),
        ({}, {"Authorization": "Bearer token"}, 403),
        ({"user": "writer", "password": PASSWORD}, {"X-ClickHouse-User": "default"}, 403),
    ],
)
def test_users_and_passwords(
    served: Served, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    reply = served.ask("SELECT 1", query, headers)
    assert reply.status == status, reply.text
    if status != 200:
        assert reply.code == 516
        assert PASSWORD not in reply.text
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


def test_a_writer_may_not_write_by_get(things: Served) -> None:
    sql = {"query": "INSERT INTO things VALUES (1, 'x')"}
    assert things.ask(query=sql, method="GET", writes=True).code == 164
    assert things.ask("SELECT count() FROM things").text == "0\n"


@pytest.mark.parametrize(
    "query_id", ["a\r\nSet-Cookie: x=1", "a\nb", "ünï", "x" * 129, "a\0b", "\x7f"]
)
def test_a_query_id_that_is_no_header_is_refused(served: Served, query_id: str) -> None:
    reply = served.ask("SELECT 1", {"query_id": query_id})
    assert (reply.status, reply.code) == (400, 36), reply.text
    assert "Set-Cookie" not in reply.headers
    assert len(reply.headers["X-ClickHouse-Query-Id"]) == 36


@pytest.mark.parametrize(
    "headers",
    [
        {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": b"\xff\xfe"},
        {"X-ClickHouse-User": b"\xff", "X-ClickHouse-Key": PASSWORD},
        {"Authorization": "Basic //4="},
    ],
)
def test_credentials_that_are_no_text_are_wrong_ones(
    served: Served, headers: dict[str, str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("POST", "/", "SELECT 1", headers)
    got = connection.getresponse()
    assert got.status in (401, 403)
    assert got.headers["X-ClickHouse-Exception-Code"] == "516"
    assert PASSWORD not in got.read().decode()
    connection.close()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_web_page_of_another_site_cannot_ask_though_it_names_loopback(
    served: Served, site: str
) -> None:
    assert served.ask("SELECT 1", headers={"Sec-Fetch-Site": site}).code == 497
    for own in ("none", "same-origin"):
        assert served.ask("SELECT 1", headers={"Sec-Fetch-Site": own}).status == 200


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.example.org:8123", "10.0.0.1"])
def test_a_web_page_cannot_ask_under_a_name_of_its_own(served: Served, host: str) -> None:
    assert served.ask("SELECT 1", headers={"Host": host}).code == 497
    answered = served.ask("SELECT 1", headers={"Host": "localhost:1", "Origin": "http://x"})
    assert answered.status == 200
    assert not [name for name in answered.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "sql",
    [
        "SET max_threads = 1",
        "USE system",
        "CREATE TEMPORARY TABLE x (a UInt8)",
        "SELECT 1 INTO OUTFILE '/nowhere/x'",
        "INSERT INTO things FROM INFILE '/etc/passwd' FORMAT CSV",
        "CREATE TABLE k (a UInt8) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
        "CREATE TABLE k (a UInt8) engine=`Kafka` SETTINGS kafka_broker_list = 'x'",
    ],
)
def test_what_no_http_server_can_mean_is_refused_to_writers_too(served: Served, sql: str) -> None:
    reply = served.ask(sql, writes=True)
    assert (reply.status, reply.code) == (501, 48), reply.text
    assert served.ask("SELECT 1; SELECT 2", writes=True).code == 62
    assert served.ask("SELECT 1", {"session_id": "s"}).status == 200


def test_a_large_statement_passes_and_a_huge_one_is_refused(served: Served) -> None:
    values = ",".join(map(str, range(30_000)))
    sql = f"SELECT count() FROM numbers(9) WHERE number IN ({values})"  # noqa: S608
    assert served.ask(sql).text == "9\n"
    get = served.ask(query={"query": f"SELECT length('{'x' * 200_000}')"}, method="GET")
    assert get.text == "200000\n"
    assert served.ask(f"SELECT '{'x' * 2_000_000}'").code == 62
