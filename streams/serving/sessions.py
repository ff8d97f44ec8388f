"""What a client's session keeps between its requests: settings, query parameters, the database.

Between the HTTP request and the settings of its connection, which is made anew for each request.
Promises ClickHouse's rules for `session_id`, `session_timeout`, `session_check` and
`close_session`: a session is one user's, answers one request at a time, and ends when it has been
idle for its timeout. Keeps no temporary tables. Used from the event loop alone; whoever holds a
session may change it from one thread.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from streams.serving.errors import QueryError

IDLE_S: Final = 60
"""ClickHouse's `default_session_timeout`."""
MOST_IDLE_S: Final = 3600
"""ClickHouse's `max_session_timeout`."""
MOST: Final = 1_000
"""Sessions at once; the one that has been idle for longest makes room."""

_USE: Final = re.compile(r"USE (?:DATABASE )?(?:`((?:[^`\\]|\\.)+)`|(\w+))")
_CHANGE: Final = re.compile(r"(\w+) = ('(?:[^'\\]|\\.)*'|-?[\w.]+)(?:, |$)")
_PARAMETER: Final = "param_"


@dataclass(slots=True)
class Session:
    """What requests of a session start from; `database` None: the server's own."""

    database: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    held: bool = False
    ends_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a SET or USE asks for; values as texts, `database` None where it stays."""

    database: str | None
    settings: Mapping[str, str]
    params: Mapping[str, str]


class Sessions:
    """All sessions of a server, by user and id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds that never go back."""
        self._clock = clock
        self._kept: dict[tuple[str, str], Session] = {}

    @contextmanager
    def hold(self, user: str, query: Mapping[str, str]) -> Iterator[Session | None]:
        """The session that a request names, for this request alone; None when it names none.

        Raises:
            QueryError: 372 where `session_check=1` finds none, 373 while another request has it,
                374 for a timeout that is no number from 1 to MOST_IDLE_S.
        """
        name = query.get("session_id", "")
        if not name:
            yield None
            return
        idle = _timeout(query.get("session_timeout", str(IDLE_S)))
        key = user, name
        self._forget()
        session = self._kept.get(key)
        if session is None:
            if query.get("session_check") == "1":
                raise QueryError(372, f"Session {name!r} not found")
            session = Session()
            self._make_room()
            self._kept[key] = session
        if session.held:
            raise QueryError(373, f"Session {name!r} is locked by a concurrent client")
        session.held = True
        try:
            yield session
        finally:
            session.held = False
            session.ends_at = self._clock() + idle
            if query.get("close_session") == "1":
                self._kept.pop(key, None)

    def _forget(self) -> None:
        now = self._clock()
        for key, session in list(self._kept.items()):
            if not session.held and session.ends_at <= now:
                del self._kept[key]

    def _make_room(self) -> None:
        idle = [(one.ends_at, key) for key, one in self._kept.items() if not one.held]
        if len(self._kept) >= MOST and idle:
            del self._kept[min(idle)[1]]


def change(text: str, unquoted: Callable[[str], str]) -> Change | None:
    r"""What a statement changes in its session; None when it is no SET or USE.

    Args:
        text: the statement in the engine's own formatting.
        unquoted: the text that a string literal stands for.

    Raises:
        QueryError: 48 for what no session keeps (roles, values that are no number or text).

    >>> change("SET join_use_nulls = 1, param_coin = 'BTC'", lambda one: one[1:-1])
    Change(database=None, settings={'join_use_nulls': '1'}, params={'coin': 'BTC'})
    >>> change("USE system", str).database
    'system'
    """
    word = text.split(" ", 1)[0].upper()
    if word == "USE":
        found = _USE.fullmatch(text)
        if found is None:
            raise QueryError(48, f"a session cannot keep {text!r}")
        return Change(found[1] or found[2], {}, {})
    if word != "SET":
        return None
    settings: dict[str, str] = {}
    params: dict[str, str] = {}
    rest = text[len("SET ") :]
    while rest:
        one = _CHANGE.match(rest)
        if one is None:
            raise QueryError(48, f"a session cannot keep {rest!r}: give numbers and texts")
        value = unquoted(one[2]) if one[2].startswith("'") else one[2]
        name = one[1]
        if name.startswith(_PARAMETER):
            params[name.removeprefix(_PARAMETER)] = value
        else:
            settings[name] = value
        rest = rest[one.end() :]
    return Change(None, settings, params)


def _timeout(asked: str) -> int:
    seconds = int(asked) if re.fullmatch(r"\d{1,9}", asked) else 0
    if not 1 <= seconds <= MOST_IDLE_S:
        raise QueryError(374, f"session_timeout {asked!r}: give 1 to {MOST_IDLE_S} seconds")
    return seconds
