"""Native blocks as clients of ClickHouse's binary protocol read them (`client_protocol_version`).

Between the engine's answer and `asking`. clickhouse-go, and so Grafana's plugin, asks for this
dialect over HTTP and can read no other: before each block its info, behind each column's type a
byte that says that the column is serialised plainly. The engine writes neither, so the columns'
ends are found here by their types. Promises to change nothing else, and an error with the name of
the column for a type whose length is not known here. Does not decode a value.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streams.serving.errors import QueryError

SINCE: Final = 54454
"""The first revision with that byte; clients of older ones get the blocks as they are."""

# Field 1: no overflow row. Field 2: bucket -1. 0: the end.
_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_PLAIN: Final = b"\x00"
_SIZES: Final = {
    "Nothing": 1,
    "Bool": 1,
    "UInt8": 1,
    "UInt16": 2,
    "UInt32": 4,
    "UInt64": 8,
    "UInt128": 16,
    "UInt256": 32,
    "Int8": 1,
    "Int16": 2,
    "Int32": 4,
    "Int64": 8,
    "Int128": 16,
    "Int256": 32,
    "BFloat16": 2,
    "Float32": 4,
    "Float64": 8,
    "Date": 2,
    "Date32": 4,
    "DateTime": 4,
    "DateTime64": 8,
    "Time": 4,
    "Time64": 8,
    "Enum8": 1,
    "Enum16": 2,
    "UUID": 16,
    "IPv4": 4,
    "IPv6": 16,
    "Point": 16,
}
_DECIMALS: Final = ((9, 4), (18, 8), (38, 16), (76, 32))
"""Digits of a decimal and the bytes that hold them."""
_QUOTED_OR_SIGN: Final = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[(),]")
_ELEMENT_NAME: Final = re.compile(r"\A(?:`(?:[^`\\]|\\.)*`|\w+) (?=\S)")


@dataclass(frozen=True, slots=True)
class _Type:
    """A type by its family; `inside` are the types that it is made of."""

    family: str
    inside: tuple["_Type", ...] = ()
    size: int = 0


def reframed(data: bytes) -> Iterator[bytes]:
    """The same blocks with info before each and the byte in each column, in pieces.

    Args:
        data: whole Native blocks as the engine writes them.

    Raises:
        QueryError: 48, a column of a type that is not known here.
    """
    at = 0
    while at < len(data):
        begun = at
        columns, at = _number(data, at)
        rows, at = _number(data, at)
        yield _INFO + data[begun:at]
        for _ in range(columns):
            begun = at
            name, at = _text(data, at)
            declared, at = _text(data, at)
            yield data[begun:at] + _PLAIN
            if rows:
                begun = at
                kind = _read(declared, name)
                at = _behind(data, _behind_prefix(at, kind), kind, rows)
                yield data[begun:at]


def _read(declared: str, column: str) -> _Type:
    family, _, rest = declared.partition("(")
    arguments = _arguments(rest[:-1])
    if family in _SIZES:
        return _Type("fixed", size=_SIZES[family])
    if family.startswith("Interval"):
        return _Type("fixed", size=8)
    if family == "FixedString":
        return _Type("fixed", size=int(arguments[0]))
    if family == "Decimal":
        digits = int(arguments[0])
        return _Type("fixed", size=next(size for most, size in _DECIMALS if digits <= most))
    if family == "String":
        return _Type(family)
    if family == "SimpleAggregateFunction":
        return _read(arguments[-1], column)
    if family in ("Nullable", "Array", "LowCardinality"):
        return _Type(family, (_read(arguments[0], column),))
    if family in ("Tuple", "Nested", "Map"):
        elements = (_ELEMENT_NAME.sub("", argument) for argument in arguments)
        row = _Type("Tuple", tuple(_read(element, column) for element in elements))
        return row if family == "Tuple" else _Type("Array", (row,))
    raise QueryError(
        48,
        f"column {column} of type {declared} cannot be sent with client_protocol_version: "
        "CAST it, for example to String",
    )


def _arguments(text: str) -> list[str]:
    """A type's arguments, parted at the commas that stand in no brackets or quotes."""
    if not text:
        return []
    parts, depth, begun = [], 0, 0
    for found in _QUOTED_OR_SIGN.finditer(text):
        sign = found[0]
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(text[begun : found.start()].strip())
            begun = found.end()
    return [*parts, text[begun:].strip()]


def _behind_prefix(at: int, kind: _Type) -> int:
    """LowCardinality has the version of its dictionary before all data of the column."""
    own = 8 if kind.family == "LowCardinality" else 0
    for inner in kind.inside:
        at = _behind_prefix(at, inner)
    return at + own


def _behind(data: bytes, at: int, kind: _Type, rows: int) -> int:
    """Where the data of so many values ends."""
    match kind.family:
        case "fixed":
            return at + kind.size * rows
        case "String":
            for _ in range(rows):
                size = data[at]
                at += 1
                if size > 127:
                    size, at = _number(data, at - 1)
                at += size
            return at
        case "Nullable":
            return _behind(data, at + rows, kind.inside[0], rows)
        case "Array":
            at += 8 * rows
            inner = struct.unpack_from("<Q", data, at - 8)[0] if rows else 0
            return _behind(data, at, kind.inside[0], inner)
        case "Tuple":
            for element in kind.inside:
                at = _behind(data, at, element, rows)
            return at if kind.inside else at + rows
        case _:
            return _behind_dictionary(data, at, kind.inside[0]) if rows else at


def _behind_dictionary(data: bytes, at: int, values: _Type) -> int:
    """LowCardinality: the width of its indexes, the dictionary, then the indexes."""
    flags, keys = struct.unpack_from("<QQ", data, at)
    plain = values.inside[0] if values.family == "Nullable" else values
    at = _behind(data, at + 16, plain, keys)
    indexes = struct.unpack_from("<Q", data, at)[0]
    return int(at + 8 + (indexes << (flags & 0xFF)))


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in seven bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _text(data: bytes, at: int) -> tuple[str, int]:
    size, at = _number(data, at)
    return data[at : at + size].decode(errors="replace"), at + size
