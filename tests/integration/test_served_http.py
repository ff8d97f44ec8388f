"""ClickHouse's HTTP interface as the served warehouse speaks it, byte by byte."""

import gzip
import http.client
import io
import json
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import lz4.frame
import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from streams.serving.bodies import NativeBlocks, native_blocks
from streams.serving.session import Limits
from streams.telemetry import REGISTRY
from tests.served import PASSWORD, Served, serve

pytestmark = pytest.mark.warehouse

BIG = 400_000
LIMITS = Limits(seconds=5, memory_bytes=300_000_000, rows=1_000_000, at_once=2, waiting=2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    with serve(tmp_path_factory.mktemp("http"), LIMITS) as running:
        made = running.ask(
            "CREATE TABLE things (a UInt64, b String) ENGINE = MergeTree ORDER BY a", writes=True
        )
        assert made.status == 200, made.text
        yield running


@pytest.fixture
def things(served: Served) -> Iterator[Served]:
    """The server with an empty table `things (a UInt64, b String)`."""
    assert served.ask("TRUNCATE TABLE things", writes=True).status == 200
    yield served


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def running_queries(served: Served, part: str) -> int:
    """Queries in the engine whose text holds `part`."""
    reply = served.ask(
        "SELECT count() FROM system.processes WHERE position(query, {part:String}) AND "
        "position(query, 'system.processes') = 0",
        {"param_part": part},
        writes=True,
    )
    return int(reply.text)


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


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}


@pytest.mark.parametrize("encoding", DECODERS)
@pytest.mark.parametrize("rows", [0, 3, BIG])
def test_answers_are_compressed_as_asked(served: Served, encoding: str, rows: int) -> None:
    sql = f"SELECT number, 'some text' FROM numbers({rows})"  # noqa: S608
    plain = served.ask(sql)
    assert "Content-Encoding" not in plain.headers
    packed = served.ask(sql, headers={"Accept-Encoding": f"{encoding}, unknown"})
    assert packed.headers["Content-Encoding"] == encoding
    assert DECODERS[encoding](packed.body) == plain.body
    off = served.ask(sql, {"enable_http_compression": "0"}, {"Accept-Encoding": encoding})
    assert off.body == plain.body
    refused = served.ask(sql, headers={"Accept-Encoding": f"{encoding};q=0"})
    assert refused.body == plain.body


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": gzip.compress,
    "br": brotli.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_compressed_insert_keeps_every_row(things: Served, encoding: str) -> None:
    rows = b"".join(b"%d,text of row %d\n" % (n, n) for n in range(BIG))
    sent = things.ask(
        ENCODERS[encoding](b"INSERT INTO things FORMAT CSV\n" + rows),
        headers={"Content-Encoding": encoding},
        writes=True,
    )
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count(), sum(a) FROM things").text == (
        f"{BIG}\t{BIG * (BIG - 1) // 2}\n"
    )


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip"])
def test_a_body_of_many_frames_is_read_to_its_end(things: Served, encoding: str) -> None:
    pack = ENCODERS[encoding]
    frames = b"".join(pack(b"%d,x\n" % n * 1000) for n in range(50))
    body = pack(b"INSERT INTO things FORMAT CSV\n") + frames
    sent = things.ask(body, headers={"Content-Encoding": encoding}, writes=True)
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count(), uniqExact(a) FROM things").text == "50000\t50\n"


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "br", "deflate"])
def test_a_broken_body_is_an_error_and_writes_nothing_wrong(things: Served, encoding: str) -> None:
    whole = ENCODERS[encoding](b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000)))
    for broken in (whole[: len(whole) // 2], b"not compressed at all, but long enough to see"):
        sent = things.ask(
            broken,
            {"query": "INSERT INTO things FORMAT CSV"},
            {"Content-Encoding": encoding},
            writes=True,
        )
        assert sent.code in (271,), (sent.status, sent.text)
    assert things.ask("SELECT countIf(b != toString(a * a)) FROM things").text == "0\n"
    unknown = things.ask("SELECT 1", headers={"Content-Encoding": "snappy"})
    assert (unknown.status, unknown.code) == (501, 48)


def test_the_native_blocks_are_those_that_the_engine_writes(things: Served) -> None:
    things.ask(
        "INSERT INTO things SELECT number, 'x' FROM numbers(1000)"
        " SETTINGS min_bytes_for_wide_part = 0",
        writes=True,
    )
    for setting in ("min_bytes_for_wide_part = 0", "min_rows_for_wide_part = 0"):
        things.ask(f"ALTER TABLE things MODIFY SETTING {setting}", writes=True)
    things.ask("INSERT INTO things SELECT number, 'y' FROM numbers(100000)", writes=True)
    path = things.ask(
        "SELECT path FROM system.parts WHERE table = 'things' AND active ORDER BY rows DESC",
        writes=True,
    ).text.split()[0]
    stored = (Path(path) / "a.bin").read_bytes()
    engine_blocks = native_blocks(io.BytesIO(stored)).read()
    assert len(engine_blocks) >= 800_000
    sql = "SELECT number FROM numbers(100000)"
    packed = things.ask(sql, {"compress": "1"}).body
    assert native_blocks(io.BytesIO(packed)).read() == things.ask(sql).body
    body = NativeBlocks().encode(b"INSERT INTO things FORMAT CSV\n" + b"5,z\n" * 1000)
    sent = things.ask(body, {"decompress": "1"}, writes=True)
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count() FROM things WHERE b = 'z'").text == "1000\n"
    wrong = bytearray(body)
    wrong[-1] ^= 1
    assert things.ask(bytes(wrong), {"decompress": "1"}, writes=True).code in (40, 271)


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


def test_an_insert_whose_client_goes_away_is_not_taken_for_whole(things: Served) -> None:
    with socket.create_connection(("127.0.0.1", things.port)) as raw:
        raw.sendall(
            b"POST /?query=INSERT+INTO+things+FORMAT+CSV HTTP/1.1\r\nHost: localhost\r\n"
            b"X-ClickHouse-User: writer\r\nX-ClickHouse-Key: " + PASSWORD.encode() + b"\r\n"
            b"Content-Length: 100000000\r\n\r\n" + b"1,x\n" * 1000
        )
        time.sleep(0.3)
    until(lambda: running_queries(things, "INSERT INTO things") == 0)
    assert things.ask("INSERT INTO things VALUES (2, 'y')", writes=True).status == 200
    assert things.ask("SELECT count() FROM things WHERE a = 1").text == "0\n"


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
    assert served.ask("SELECT 1", {"session_id": "s", "session_check": "1"}).code == 372


def test_an_error_after_the_first_rows_is_told_inside_the_answer(served: Served) -> None:
    sql = "SELECT throwIf(number = 300000, 'boom') FROM numbers(400000)"
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("POST", "/", sql)
    got = connection.getresponse()
    assert got.status == 200
    tag = got.headers["X-ClickHouse-Exception-Tag"]
    with pytest.raises(http.client.IncompleteRead) as broken:
        got.read()
    body = broken.value.partial
    connection.close()
    message = body.partition(f"__exception__\r\n{tag}\r\n".encode())[2]
    assert message.startswith(b"Code: 395. DB::Exception: boom")
    assert message.endswith(f"{tag}\r\n__exception__\r\n".encode())
    waited = served.ask(sql, {"wait_end_of_query": "1"})
    assert (waited.status, waited.code) == (500, 395)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))", 159),
        ("SELECT groupArray(number) FROM numbers(1000000000)", 241),
        ("SELECT number FROM numbers(1000001) FORMAT JSON", 396),
        ("SELECT number FROM numbers(1000001) FORMAT JSONEachRow", 396),
    ],
)
def test_a_heavy_query_is_cut_off_while_the_writer_goes_on(
    things: Served, sql: str, code: int
) -> None:
    replies: list[int] = []

    def ask() -> None:
        replies.append(things.ask(sql, {"wait_end_of_query": "1"}).code)

    heavy = threading.Thread(target=ask)
    heavy.start()
    written = 0
    while heavy.is_alive():
        sent = things.ask(b"INSERT INTO things FORMAT CSV\n" + b"1,x\n" * 100, writes=True)
        assert sent.status == 200, sent.text
        written += 100
    heavy.join()
    assert replies == [code]
    assert things.ask("SELECT count() FROM things").text == f"{written}\n"


RUNNING = ("marginquake_warehouse_queries_running", {"role": "reader"})
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(cityHash64(number))"


def test_a_closed_connection_ends_its_query(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("POST", "/", f"{ENDLESS} AND 'closed' != ''")
    until(lambda: running_queries(served, "closed") == 1)
    connection.close()
    until(lambda: running_queries(served, "closed") == 0, 3.0)


def test_a_client_that_stops_reading_holds_no_query(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        sql = b"SELECT number, repeat('stalled', 20) FROM numbers(1000000)"
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        until(lambda: running_queries(served, "stalled") == 1)
    until(lambda: running_queries(served, "stalled") == 0, 5.0)


def test_a_writer_kills_a_query_by_its_id_and_a_reader_does_not(served: Served) -> None:
    replies: list[int] = []

    def ask() -> None:
        replies.append(served.ask(ENDLESS, {"query_id": "endless"}).code)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: running_queries(served, "cityHash64") == 1)
    assert served.ask("SELECT 1", {"query_id": "endless"}).code == 216
    kill = "KILL QUERY WHERE query_id = 'endless'"
    assert served.ask(kill).code == 164
    assert served.ask(kill, writes=True).text == "finished\tendless\twriter\t\n"
    thread.join(10)
    assert replies == [394]
    assert served.ask(kill, writes=True).text == ""


def test_readers_beyond_the_limit_are_told_to_come_again(served: Served) -> None:
    codes: list[int] = []

    def ask() -> None:
        codes.append(served.ask(ENDLESS, {"max_execution_time": "2"}).code)

    threads = [threading.Thread(target=ask) for _ in range(LIMITS.at_once + LIMITS.waiting)]
    for thread in threads:
        thread.start()
    until(lambda: REGISTRY.get_sample_value(*RUNNING) == len(threads))
    refused = served.ask("SELECT 1")
    assert (refused.status, refused.code) == (503, 202)
    assert served.ask("SELECT 1", writes=True).status == 200
    for thread in threads:
        thread.join(30)
    assert codes == [159] * len(threads)
    assert served.ask("SELECT 1").status == 200


def test_a_large_statement_passes_and_a_huge_one_is_refused(served: Served) -> None:
    values = ",".join(map(str, range(30_000)))
    sql = f"SELECT count() FROM numbers(9) WHERE number IN ({values})"  # noqa: S608
    assert served.ask(sql).text == "9\n"
    get = served.ask(query={"query": f"SELECT length('{'x' * 200_000}')"}, method="GET")
    assert get.text == "200000\n"
    assert served.ask(f"SELECT '{'x' * 2_000_000}'").code == 62
