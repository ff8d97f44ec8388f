"""Native for clients of the binary protocol, as clickhouse-go and Grafana's plugin ask for it."""

from collections.abc import Iterator

import pytest

from streams.serving.engine import Connection
from streams.serving.errors import QueryError
from streams.serving.native import reframed
from tests.served import Served

pytestmark = pytest.mark.warehouse

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
ASKED = {"default_format": "Native", "client_protocol_version": "54460"}

COLUMNS = [
    "number",
    "repeat('x', number * 100)",
    "toLowCardinality(toString(number % 3))",
    "toLowCardinality(if(number = 1, NULL, toString(number)))",
    "toLowCardinality(toString(number)::FixedString(3))",
    "[toLowCardinality(toString(number)), 'z']",
    "arrayMap(x -> toLowCardinality('a'), range(number % 2))",
    "map(toLowCardinality(toString(number)), number, 'k', 2)",
    "map('a', [toString(number)], toString(number), [])",
    "(number, toString(number), toLowCardinality('t'))",
    "tuple()",
    "CAST((number, 'x'), 'Tuple(a UInt8, `b (c,` String)')",
    "CAST([(1, 'a')], 'Nested(a UInt8, b String)')",
    "NULL",
    "[]",
    "[NULL, number]",
    "[[number], []]",
    "toNullable(toString(number))",
    "toDecimal32(1, 2)",
    "toDecimal64(number, 6)",
    "toDecimal128(1, 3)",
    "toDecimal256(1, 3)",
    "toDateTime64(number, 6, 'UTC')",
    "toDateTime(number, 'UTC')",
    "toDate(number)",
    "toDate32(number)",
    "toTime64(1, 3)",
    "INTERVAL 1 DAY",
    "'a'::FixedString(5)",
    "1::Bool",
    r"CAST(number % 2 + 1, 'Enum8(\'x\' = 1, \'y(,\\\'\' = 2)')",
    "toUUID('ffffffff-1111-2222-3333-444444444444')",
    "toIPv4(number)",
    "toIPv6('::1')",
    "(1.0, 2.0)::Point",
    "toFloat32(number)",
    "toBFloat16(1)",
    "toInt256(number)",
    "CAST(number, 'SimpleAggregateFunction(sum, UInt64)')",
]


@pytest.fixture
def engine(served: Served) -> Iterator[Connection]:
    settings = {"enable_time_time64_type": "1", "allow_suspicious_low_cardinality_types": "1"}
    with served.store.connection("default", settings) as opened:
        yield opened


def parted(block: bytes) -> tuple[bytes, bytes, bytes]:
    """Of a block with one column of a short name and few rows: counts, name and type, data."""
    name = 2 + 1 + block[2]
    declared = name + 1 + block[name]
    return block[:2], block[2:declared], block[declared:]


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_every_column_gets_its_byte_where_its_data_begins(engine: Connection, rows: int) -> None:
    def block(columns: list[str]) -> bytes:
        named = ", ".join(f"{text} AS c" for text in columns)
        if len(columns) > 1:
            named = ", ".join(f"{text} AS c{n:02}" for n, text in enumerate(columns))
        sql = f"SELECT {named} FROM numbers({rows})"  # noqa: S608
        return engine.run(sql, "Native")[0]

    expected = INFO + bytes([len(COLUMNS), rows])
    for n, text in enumerate(COLUMNS):
        # A block of one column needs no knowledge of types: its data is all that follows.
        counts, head, data = parted(block([text]))
        assert counts == bytes([1, rows])
        expected += b"\x03" + f"c{n:02}".encode() + head[2:] + b"\x00" + data
        assert b"".join(reframed(block([text]))) == INFO + counts + head + b"\x00" + data
    assert b"".join(reframed(block(COLUMNS))) == expected


@pytest.mark.parametrize("text", ["1::Dynamic", "1::Variant(UInt8, String)", "sumState(1)"])
def test_a_column_of_unknown_length_is_named(engine: Connection, text: str) -> None:
    body, _ = engine.run(f"SELECT 1, {text} AS odd", "Native")
    with pytest.raises(QueryError, match="column odd of type") as refused:
        list(reframed(body))
    assert refused.value.code == 48


def test_the_greeting_of_clickhouse_go_is_answered_as_it_reads_it(served: Served) -> None:
    hello = "SELECT displayName(), version(), revision(), timezone()"
    body = served.ask(hello, ASKED).body
    assert body.startswith(INFO + b"\x04\x01\x0ddisplayName()\x06String\x00")
    plain = served.ask(hello, {"default_format": "Native"}).body
    assert plain.startswith(b"\x04\x01\x0ddisplayName()\x06String")
    assert len(body) == len(plain) + len(INFO) + 4
    for older in ("0", "54405"):
        assert served.ask(hello, ASKED | {"client_protocol_version": older}).body == plain
    assert served.ask(hello, ASKED | {"client_protocol_version": "x"}).code == 36


def test_each_block_of_a_stream_and_of_a_described_table_has_its_info(served: Served) -> None:
    sql = "SELECT number, toString(number) AS text FROM numbers(300000)"
    plain = served.ask(sql, {"default_format": "Native"}).body
    framed = served.ask(sql, ASKED).body
    blocks = framed.count(INFO + b"\x02")
    assert blocks > 1
    assert len(framed) == len(plain) + blocks * (len(INFO) + 2)
    assert served.ask("DESCRIBE TABLE things", ASKED).body.startswith(INFO + b"\x07\x02\x04name")
    assert served.ask("SELECT 1 WHERE 0", ASKED).body == b""
    assert served.ask("SELECT 1 FORMAT CSV", ASKED).text == "1\n"
