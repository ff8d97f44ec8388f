"""What a request's text is, before the engine sees it: an INSERT with data, or a statement.

Beside `gate`. Promises that data behind `FORMAT x` or `VALUES` is found without reading it, in
bytes as they come. Does not check the SQL: the engine does.
"""

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    rb"""(?P<skip>\s+|--[^\n]*(?:\n|$)|\#[ !][^\n]*(?:\n|$)|/\*.*?\*/)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED: Final = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`""", re.DOTALL
)
_FORMAT: Final = re.compile(r"\bFORMAT (\w+)(?: SETTINGS .*)?$")
STREAMED: Final = frozenset(
    {
        "Native",
        "TabSeparated",
        "TSV",
        "TabSeparatedRaw",
        "TSVRaw",
        "CSV",
        "RowBinary",
        "JSONEachRow",
        "JSONLines",
        "NDJSON",
        "JSONCompactEachRow",
        "JSONStringsEachRow",
        "JSONCompactStringsEachRow",
    }
)
"""Formats without head and foot: the engine's blocks, one behind the other, are the answer."""


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An INSERT that data follows: `sql` up to its SETTINGS, its format, where the data begins."""

    sql: str
    settings: str
    fmt: str
    data_from: int


def insert_head(text: bytes, complete: bool) -> InsertHead | None:
    r"""The head of an INSERT with data, or None for anything else or when more text is needed.

    Args:
        text: the request's text from its beginning.
        complete: nothing follows `text`.

    >>> insert_head(b"INSERT INTO t (a) FORMAT CSV\n1\n", True)
    InsertHead(sql='INSERT INTO t (a)', settings='', fmt='CSV', data_from=29)
    """
    depth = 0
    first = True
    awaited_format = settings = -1
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "skip":
            continue
        sign = token["sign"]
        if sign is not None:
            depth += (sign == b"(") - (sign == b")")
        if token["word"] is None:
            first = False
            continue
        word = token["word"].upper()
        if first:
            if word != b"INSERT":
                return None
            first = False
        elif awaited_format >= 0:
            if token.end() == len(text) and not complete:
                return None
            data_from = _line_end(text, token.end())
            return _made(text, settings, awaited_format, token["word"].decode(), data_from)
        elif word in (b"SELECT", b"WITH", b"WATCH") and depth <= 1:
            return None
        elif depth == 0 and word == b"VALUES":
            return _made(text, settings, token.start(), "Values", token.end())
        elif depth == 0 and word == b"SETTINGS":
            settings = token.start()
        elif depth == 0 and word == b"FORMAT":
            awaited_format = token.start()
    return None


def may_be_insert(text: bytes) -> bool:
    """Whether the first word is INSERT (or the text does not say yet)."""
    for token in _TOKEN.finditer(text):
        if token.lastgroup != "skip":
            return b"INSERT".startswith(token[0].upper())
    return True


def _made(text: bytes, settings: int, end: int, fmt: str, data_from: int) -> InsertHead:
    cut = settings if settings >= 0 else end
    sql, options = text[:cut].decode().strip(), text[cut:end].decode().strip()
    return InsertHead(sql, options, fmt, data_from)


def _line_end(text: bytes, position: int) -> int:
    """Behind the spaces and the one line end that part FORMAT from its data."""
    found = re.compile(rb"[ \t\f]*;?[ \t\f]*\r?\n?").match(text, position)
    return found.end() if found else position


def bare(canonical: str) -> str:
    """A statement in the engine's formatting without the content of its quotes."""
    return _QUOTED.sub("''", canonical)


def output_format(canonical: str) -> str | None:
    """The format that a statement in the engine's formatting asks for.

    >>> output_format("SELECT 'FORMAT CSV' FORMAT JSON SETTINGS max_threads = 1")
    'JSON'
    """
    found = _FORMAT.search(bare(canonical))
    return found[1] if found else None


def gives_rows_in_blocks(canonical: str) -> bool:
    """Whether the engine can stream the statement whole: a SELECT without a row of totals."""
    code = bare(canonical)
    return code.lstrip("(").startswith(("SELECT", "WITH")) and "WITH TOTALS" not in code
