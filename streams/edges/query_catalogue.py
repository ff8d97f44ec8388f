"""Named questions to the warehouse: one SQL file each, with what it answers and its parameters.

Beside `marginquake query`. A file of `schemas/queries` begins with a comment line that says what
it answers, then one line a parameter: `-- name Type = default: meaning`. Promises that parameters
are bound by ClickHouse, never pasted into the text. A test runs every file. Audits, in
`schemas/audits`, are written alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from importlib.resources import files
from typing import Final, Literal

from streams.config import MarginquakeError

_PARAMETER: Final = re.compile(
    r"-- (\w+) (String|UInt32|Int64|Float64|DateTime|Hour|Minute) = ([^:]*): (.+)"
)

_TIME: Final = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?"
_WHOLE: Final = {"DateTime": 1, "Minute": 60, "Hour": 3_600}
"""Seconds of which a kind of time is a multiple: rows of hours cannot be cut within one."""

_FORMS: Final = {
    "UInt32": (r"\d{1,9}", "a whole number"),
    "Int64": (r"-?\d{1,18}", "a whole number"),
    "Float64": (r"-?\d+(\.\d+)?", "a number"),
    "DateTime": (_TIME, "a UTC time: 2026-11-02, 2026-11-02T14:30 or 2026-11-02T14:30:05Z"),
    "Minute": (_TIME, "a UTC minute: 2026-11-02 or 2026-11-02T14:30"),
    "Hour": (_TIME, "a UTC hour: 2026-11-02 or 2026-11-02T14:00"),
}
"""What a value of a kind looks like, and how to say so."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a named query.

    `kind` is its ClickHouse type; `Hour` and `Minute` are a DateTime without smaller parts.
    """

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A question: `about` says what it answers, `sql` is one statement with `{name:Type}`."""

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    sql: str

    def bind(self, given: Mapping[str, str]) -> dict[str, str]:
        """Values of all parameters.

        Raises:
            MarginquakeError: a name that the query does not have, or a number that is none.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                names = ", ".join(known) or "none"
                raise MarginquakeError(
                    f"query {self.name} has no parameter {name!r}: it has {names}"
                )
        values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
        for name, value in values.items():
            kind = known[name].kind
            form, what = _FORMS.get(kind, (r"(?s).*", "a text"))
            if not re.fullmatch(form, value, re.ASCII):
                raise MarginquakeError(f"{name}={value!r} is no {kind}: give {what}")
            if kind in _WHOLE:
                values[name] = _moment(name, value, kind)
        return values


def _moment(name: str, value: str, kind: str) -> str:
    """A time as ClickHouse reads its parameters."""
    try:
        moment = datetime.fromisoformat(value.removesuffix("Z"))
    except ValueError:
        raise MarginquakeError(f"{name}={value!r} is no time of the calendar") from None
    if (moment.minute * 60 + moment.second) % _WHOLE[kind]:
        raise MarginquakeError(
            f"{name}={value!r} lies within {'an hour' if kind == 'Hour' else 'a minute'}, and here "
            f"whole {kind.lower()}s are counted: give {_FORMS[kind][1]}"
        )
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def read_query(name: str, text: str) -> NamedQuery:
    """A query file.

    Raises:
        ValueError: it has no head of comments as described in the module.
    """
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("--")]
    if not head:
        raise ValueError(f"{name}.sql begins with a comment that says what it answers")
    parameters: list[Parameter] = []
    for line in head[1:]:
        found = _PARAMETER.fullmatch(line)
        if found is None:
            raise ValueError(f"{name}.sql: {line!r} is no parameter line")
        parameters.append(Parameter(*found.groups()))
    sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
    return NamedQuery(name, head[0].removeprefix("-- "), tuple(parameters), sql)


def catalogue(kind: Literal["queries", "audits"] = "queries") -> dict[str, NamedQuery]:
    """Every named query, or audit, by name, sorted. An audit returns what breaks its rule."""
    folder = files("schemas").joinpath(kind)
    names = sorted(
        entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql")
    )
    return {
        name: read_query(name, folder.joinpath(f"{name}.sql").read_text("utf-8")) for name in names
    }


def find(name: str) -> NamedQuery:
    """The query of a name.

    Raises:
        MarginquakeError: there is none; names what is near.
    """
    queries = catalogue()
    if name in queries:
        return queries[name]
    near = get_close_matches(name, queries, 1)
    hint = f"did you mean {near[0]}?" if near else "`marginquake query --list` shows all"
    raise MarginquakeError(f"there is no query named {name!r}; {hint}")
