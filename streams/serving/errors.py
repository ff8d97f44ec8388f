"""Errors as ClickHouse's clients expect them: a code, a text and an HTTP status.

Between the engine, whose errors come as text, and the HTTP answer. Promises that an error keeps
the engine's code, so that clients decide on retries as with a server. Does not hide the engine's
text: it names tables and columns, never a password.
"""

import re
from typing import Final

_NAMES: Final = {
    36: "BAD_ARGUMENTS",
    46: "UNKNOWN_FUNCTION",
    48: "NOT_IMPLEMENTED",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    167: "TOO_DEEP_AST",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    271: "CANNOT_DECOMPRESS",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    374: "INVALID_SESSION_TIMEOUT",
    394: "QUERY_WAS_CANCELLED",
    396: "TOO_MANY_ROWS_OR_BYTES",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
}
"""Codes that this server raises itself, with ClickHouse's names."""

_STATUSES: Final = {
    400: (6, 26, 27, 33, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 117, 130, 131, 271, 456, 457),
    403: (164, 497, 516),
    404: (16, 46, 47, 50, 60, 63, 73, 78, 81, 115, 372),
    408: (159,),
    501: (48,),
    503: (202,),
}
"""HTTP status by code; every other code is 500, as in ClickHouse. 503 lets clients try again."""

_STATUS_OF: Final = {code: status for status, codes in _STATUSES.items() for code in codes}
_FOUND: Final = re.compile(r"Code: (\d+)\. DB::\w*Exception: ")


class QueryError(Exception):
    """A refused or failed query: ClickHouse's `code`, and its text without the code."""

    def __init__(self, code: int, text: str) -> None:
        """Keep both; `str` gives ClickHouse's own form."""
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return _STATUS_OF.get(self.code, 500)

    def __str__(self) -> str:
        """`Code: 62. DB::Exception: ... (SYNTAX_ERROR)`."""
        name = _NAMES.get(self.code)
        suffix = f" ({name})" if name and f"({name})" not in self.text else ""
        return f"Code: {self.code}. DB::Exception: {self.text}{suffix}"


def from_engine(error: BaseException) -> QueryError:
    """The engine's error, out of what chDB raises (its own prefixes and repeats taken off).

    >>> from_engine(RuntimeError("Insert failed: Code: 60. DB::Exception: Table x is not there"))
    QueryError('Table x is not there')
    """
    text = str(error).strip()
    found = list(_FOUND.finditer(text))
    if not found:
        return QueryError(1001, text or type(error).__name__)
    # chDB wraps an exception in an exception of the same code.
    last = found[0]
    for one in found[1:]:
        if one.start() != last.end() or one[1] != last[1]:
            break
        last = one
    return QueryError(int(last[1]), text[last.end() :])
