"""What a client's session keeps between its requests: settings, query parameters, the database.

Between the HTTP request and the settings of its connection, which is made anew for each request.
Promises ClickHouse's rules for `session_id`, `session_timeout`, `session_check` and
`close_session`: a session is one user's, answers one request at a time, and ends when it has been
idle for its timeout; and that no user's sessions end those of another. Keeps no temporary
tables. Used from the event loop alone; whoever holds a session may change it from one thread.
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
"""Sessions of a user at once; one more takes the place of the one that was idle for longest, first
of those that keep nothing."""
MOST_KEPT: Final = 64 * 1024
"""Characters of settings and parameters that a session keeps."""

_ID: Final = re.compile(r"[ -~]{1,128}")
_USE: Final = re.compile(r"USE (?:DATABASE )?(?:`((?:[^`\\]|\\.)+)`|(\w+))", re.DOTALL)
_CHANGE: Final = re.compile(
    r"(\w+)(?: = ('(?:[^'\\]|\\.)*'|-?[\w.]+(?:-\d+)?))?(?:, |$)", re.DOTALL
)
_IN_BACKTICKS: Final = re.compile(r"\\.|'", re.DOTALL)
_PARAMETER: Final = "param_"


@dataclass(frozen=True, slots=True)
class Change:
    """What a SET or USE asks for; values as texts, None for DEFAULT; `database` None: it stays."""

    database: str | None
    settings: Mapping[str, str | None]
    params: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What requests of a session start from; `database` None: the server's own."""

    database: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)

    def after(self, change: Change) -> "Kept":
        """What is kept once `change` is made.

        Raises:
            QueryError: 48 when that is more than MOST_KEPT characters.
        """
        made = Kept(
            change.database or self.database,
            _changed(self.settings, change.settings),
            _changed(self.params, change.params),
        )
        both = (*made.settings.items(), *made.params.items())
        if sum(len(name) + len(value) for name, value in both) > MOST_KEPT:
            raise QueryError(
                48,
                f"a session keeps at most {MOST_KEPT} characters of settings and parameters: give "
                "long ones with the request",
            )
        return made


@dataclass(slots=True)
class Session:
    """One client's session; times are seconds of the clock of `Sessions`."""

    kept: Kept = field(default_factory=Kept)
    held: bool = False
    used_at: float = 0.0
    ends_at: float = 0.0


class Sessions:
    """All sessions of a server, by user and id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds that never go back."""
        self._clock = clock
        self._of: dict[str, dict[str, Session]] = {}

    @contextmanager
    def hold(self, user: str, query: Mapping[str, str]) -> Iterator[Session | None]:
        """The session that a request names, for this request alone; None when it names none.

        Raises:
            QueryError: 36 for an id that is none, 372 where `session_check=1` finds none, 373
                while another request has it, 374 for a timeout that is no number from 1 to
                MOST_IDLE_S.
        """
        name = query.get("session_id", "")
        if not name:
            yield None
            return
        if not _ID.fullmatch(name):
            raise QueryError(36, "session_id must be at most 128 printable characters of ASCII")
        idle = _timeout(query.get("session_timeout", str(IDLE_S)))
        sessions = self._of.setdefault(user, {})
        _forget(sessions, self._clock())
        session = sessions.get(name)
        if session is None:
            if query.get("session_check") == "1":
                raise QueryError(
                    372, f"Session {name!r} not found: it has ended, or leave session_check out"
                )
            _make_room(sessions)
            session = sessions[name] = Session()
        if session.held:
            raise QueryError(
                373,
                f"Session {name!r} is locked by a concurrent client: wait for its answer, or give "
                "this request another session_id",
            )
        session.held = True
        try:
            yield session
        finally:
            session.held = False
            session.used_at = self._clock()
            session.ends_at = session.used_at + idle
            if query.get("close_session") == "1":
                sessions.pop(name, None)


def _forget(sessions: dict[str, Session], now: float) -> None:
    for name, session in list(sessions.items()):
        if not session.held and session.ends_at <= now:
            del sessions[name]


def _make_room(sessions: dict[str, Session]) -> None:
    idle = [
        (one.kept != Kept(), one.used_at, name) for name, one in sessions.items() if not one.held
    ]
    if len(sessions) >= MOST and idle:
        del sessions[min(idle)[2]]


def _changed(old: Mapping[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    both = {**old, **new}
    return {name: value for name, value in both.items() if value is not None}


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
            raise QueryError(48, f"a session cannot keep {text!r}: give the database's name")
        return Change(found[2] or unquoted(_as_literal(found[1])), {}, {})
    if word != "SET":
        return None
    settings: dict[str, str | None] = {}
    params: dict[str, str | None] = {}
    rest = text[len("SET ") :]
    while rest:
        one = _CHANGE.match(rest)
        if one is None or one[2] == "NULL":
            raise QueryError(48, f"a session cannot keep {rest!r}: give numbers and texts")
        name, value = one[1], _value(one[2], unquoted)
        if name.startswith(_PARAMETER):
            params[name.removeprefix(_PARAMETER)] = value
        else:
            settings[name] = value
        rest = rest[one.end() :]
    return Change(None, settings, params)


def _value(written: str | None, unquoted: Callable[[str], str]) -> str | None:
    """A value as text; the engine writes 1e6 as `1000000.`, and a bare name stands for 1."""
    if written is None:
        return "1"
    if written.startswith("'"):
        return unquoted(written)
    return None if written == "DEFAULT" else written.removesuffix(".")


def _as_literal(quoted_name: str) -> str:
    """What stands between backticks as a literal of the engine."""
    return (
        "'" + _IN_BACKTICKS.sub(lambda one: "\\'" if one[0] == "'" else one[0], quoted_name) + "'"
    )


def _timeout(asked: str) -> int:
    seconds = int(asked) if re.fullmatch(r"\d{1,9}", asked) else 0
    if not 1 <= seconds <= MOST_IDLE_S:
        raise QueryError(374, f"session_timeout {asked!r}: give 1 to {MOST_IDLE_S} seconds")
    return seconds
