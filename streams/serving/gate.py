"""What a reader may ask, decided on the engine's own reading of the statement.

Between a reader's SQL and the engine. The engine parses the text (`parseQueryToJSON`, which runs
nothing); the tree is walked, and only statements, functions, table functions and tables on allow
lists pass. Promises that nothing is executed before it has passed. The engine's `readonly=1` and
limits hold beside it; alone they let `file()`, a file's name as a table, INTO OUTFILE and KILL
QUERY through. Trusts views and dictionaries: a writer made them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streams.serving import allowed
from streams.serving.engine import Connection
from streams.serving.errors import QueryError
from streams.serving.statement import bare, gives_rows_in_blocks, output_format

_UNREADABLE: Final = "does not support JSON serialization"
_SCOPE: Final = re.compile(r":? In scope SELECT (toJSONString\(\[|formatQuerySingleLine\().*", re.S)
_NAME: Final = r"(?:`(?:[^`\\]|\\.)*`|\w+|\{\w+:Identifier\})"
_SIMPLE: Final = re.compile(
    rf"(?P<verb>DESCRIBE TABLE|EXISTS(?: (?:TEMPORARY )?(?:TABLE|VIEW|DICTIONARY|DATABASE))?"
    rf"|SHOW CREATE(?: (?:TABLE|VIEW|DICTIONARY|DATABASE))?) (?P<name>{_NAME}(?:\.{_NAME})?)"
    r"(?: FORMAT (?P<fmt>\w+))?"
)
_DESCRIBED: Final = re.compile(r"DESCRIBE TABLE \((?P<inner>.*)\)(?: FORMAT (?P<fmt>\w+))?")
_LISTED: Final = re.compile(
    r"SHOW (?:FUNCTIONS|ENGINES)(?: I?LIKE '(?:[^'\\]|\\.)*')?(?: FORMAT (?P<fmt>\w+))?"
)
_PARAMETER: Final = re.compile(r"\{(\w+):Identifier\}")
_TREE_AND_TEXT: Final = (
    "toJSONString([parseQueryToJSON({sql:String}), formatQuerySingleLine({sql:String})])"
)
_KEPT_LENGTH: Final = 4096
_KEPT_TEXTS: Final = 512
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement that may run: its own output format, and whether its rows come in blocks."""

    fmt: str | None
    in_blocks: bool
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its own SETTINGS, unchecked: the connection that runs it must have them already."""


@dataclass(slots=True)
class Scope:
    """What names of a statement can mean; the store's tables are read when one is named."""

    connection: Connection
    database: str
    params: Mapping[str, str]
    with_names: set[str] = field(default_factory=set)
    _tables: frozenset[tuple[str, str]] | None = None

    def has(self, database: str, name: str) -> bool:
        """Whether the store has that table or view."""
        if self._tables is None:
            self._tables = _tables(self.connection)
        return (database, name) in self._tables


def canonical(connection: Connection, sql: str) -> str:
    """One statement in the engine's formatting, without comments.

    Raises:
        QueryError: it does not parse, or it is more than one statement.
    """
    return _of_text(connection, "formatQuerySingleLine({sql:String})", sql).strip()


def _of_text(connection: Connection, expression: str, sql: str) -> str:
    try:
        return connection.ask(f"SELECT {expression}", sql=sql)
    except QueryError as error:
        raise QueryError(error.code, _SCOPE.sub("", error.text).strip()) from None


def check_current(database: str) -> None:
    """Refuse a reader's current database in which bare names would be the server's own tables.

    Raises:
        QueryError: 497.
    """
    if database.lower() in allowed.SYSTEM_DATABASES:
        raise QueryError(
            497, f"database {database} cannot be the current one: name it in the statement"
        )


class Gate:
    """Judges readers' statements against the engine's lists, which it reads once."""

    def __init__(self, connection: Connection) -> None:
        """Read the engine's functions and table functions."""
        self._functions = allowed.functions(connection)
        self._table_functions = allowed.table_functions(connection)
        self._parsed: dict[str, tuple[str, str]] = {}

    def judge(
        self, connection: Connection, sql: str, database: str, params: Mapping[str, str]
    ) -> Reading:
        """How to run a reader's statement.

        Args:
            connection: with a reader's settings; runs nothing of `sql`.
            sql: what was asked.
            database: the request's.
            params: values of `{name:Type}` by name.

        Raises:
            QueryError: 164 for what writes or changes, 497 for what a reader may not see or call,
                60 for a table that is not there, 62 for no SQL, 167 for too deep a statement.
        """
        try:
            return self._judge(connection, sql, database, params)
        except RecursionError:
            raise QueryError(167, "the statement is nested too deep for a reader") from None

    def _judge(
        self, connection: Connection, sql: str, database: str, params: Mapping[str, str]
    ) -> Reading:
        check_current(database)
        try:
            parsed, text = self._parse(connection, sql)
        except QueryError as error:
            if _UNREADABLE not in error.text:
                raise
            return self._judge_simple(connection, sql, database, params)
        tree = json.loads(parsed)
        scope = Scope(connection, database, params)
        self._root(tree)
        settings = _outermost_settings(tree)
        scope.with_names.update(_with_names(tree))
        self._walk(tree, scope)
        return Reading(output_format(text), gives_rows_in_blocks(text), settings)

    def _parse(self, connection: Connection, sql: str) -> tuple[str, str]:
        """The engine's tree of a statement as JSON, and its formatting.

        They follow from the text alone, so those of short texts are kept: a dashboard asks the
        same all day. What a name means and whether it may be asked is judged each time.
        """
        kept = self._parsed.get(sql)
        if kept is None:
            parsed, text = json.loads(_of_text(connection, _TREE_AND_TEXT, sql))
            kept = parsed, text.strip()
            if len(sql) <= _KEPT_LENGTH:
                if len(self._parsed) >= _KEPT_TEXTS:
                    self._parsed.clear()
                self._parsed[sql] = kept
        return kept

    def _root(self, tree: Mapping[str, Any]) -> None:
        kind = tree.get("type")
        if kind not in allowed.ROOTS:
            raise QueryError(
                164, f"Cannot execute query in readonly mode: {kind} is not for readers"
            )
        if kind == "ExplainQuery" and tree.get("kind") not in allowed.EXPLAINED:
            raise QueryError(164, f"{tree.get('kind')} is not for readers")

    def _judge_simple(
        self, connection: Connection, sql: str, database: str, params: Mapping[str, str]
    ) -> Reading:
        text = canonical(connection, sql)
        scope = Scope(connection, database, params)
        described = _DESCRIBED.fullmatch(text)
        if described is not None:
            inner = self._judge(connection, described["inner"], database, params)
            return Reading(described["fmt"], False, inner.settings)
        listed = _LISTED.fullmatch(text)
        if listed is not None:
            return Reading(listed["fmt"], False)
        found = _SIMPLE.fullmatch(text)
        if found is None:
            words = " ".join(bare(text).split()[:2])
            raise QueryError(164, f"Cannot execute query in readonly mode: {words} is refused")
        parts = [_unquoted(part, params) for part in re.findall(_NAME, found["name"])]
        if found["verb"].endswith("DATABASE"):
            if not _WORD.fullmatch(parts[-1]):
                raise QueryError(497, f"{parts[-1]!r} is no name of a database for readers")
        elif found["verb"].startswith("EXISTS") and not _known(parts, scope):
            _no_file(parts)
        else:
            self._table(parts, scope)
        return Reading(found["fmt"], False)

    def _walk(self, node: Any, scope: Scope) -> None:
        if isinstance(node, list):
            for child in node:
                self._walk(child, scope)
            return
        if not isinstance(node, dict):
            return
        kind = str(node.get("type", ""))
        if "out_file" in node:
            raise QueryError(497, "INTO OUTFILE is refused: the answer goes to the client alone")
        if kind.endswith("Query") and kind not in allowed.NESTED:
            raise QueryError(164, f"Cannot execute query in readonly mode: {kind} is refused")
        for key, child in node.items():
            if key == "table_function":
                self._table_function(child)
                self._walk(child.get("arguments"), scope)
            elif isinstance(child, dict) and child.get("type") == "SetQuery":
                # The options of EXPLAIN itself (`EXPLAIN header = 1`) are no settings.
                if (kind, key) != ("ExplainQuery", "settings") or "query_parameters" in child:
                    raise _no_settings(child)
            else:
                self._walk(child, scope)
        if kind == "Function":
            self._function(str(node["name"]))
            self._membership(node, scope)
        elif kind == "ColumnsApplyTransformer" and node.get("func_name"):
            self._function(str(node["func_name"]))
        elif kind == "TableIdentifier":
            self._table(_parts(node, scope), scope)
        elif kind == "Identifier":
            self._identifier(_parts(node, scope))

    def _function(self, name: str) -> None:
        if not self._functions.passes(name):
            raise QueryError(497, f"function {name} is not for readers")

    def _table_function(self, node: Mapping[str, Any]) -> None:
        name = str(node["name"])
        if not self._table_functions.passes(name):
            raise QueryError(497, f"table function {name} is not for readers")

    def _membership(self, node: Mapping[str, Any], scope: Scope) -> None:
        """The right side of IN can be a table's name."""
        if str(node["name"]).lower() not in allowed.MEMBERSHIP:
            return
        arguments = node.get("arguments", {}).get("children", [])
        for right in arguments[1:2]:
            if right.get("type") != "Identifier":
                continue
            parts = _parts(right, scope)
            if _known(parts, scope):
                continue
            if len(parts) == 1:
                _no_file(parts)

    def _identifier(self, parts: list[str]) -> None:
        # A function's bare name can stand for a lambda: arrayMap(file, ['/etc/passwd']).
        if len(parts) == 1 and not self._functions.passes(parts[0]):
            raise QueryError(
                497,
                f"{parts[0]} is the name of a function that is not for readers; a column of that "
                "name needs its table before it: t.column",
            )
        if len(parts) > 1 and parts[0].lower() in allowed.SYSTEM_DATABASES:
            _system_table(parts)

    def _table(self, parts: list[str], scope: Scope) -> None:
        if parts[0].lower() in allowed.SYSTEM_DATABASES and len(parts) > 1:
            _system_table(parts)
            return
        if _known(parts, scope):
            return
        if len(parts) == 1 and parts[0] in scope.with_names:
            _no_file(parts)
            return
        # The engine would look for a file of that name next.
        raise QueryError(60, f"Unknown table expression identifier '{'.'.join(parts)}'")


def _outermost_settings(tree: dict[str, Any]) -> dict[str, str]:
    """SETTINGS of the whole statement, taken out of the tree; the walk refuses those left in it."""
    query = tree.get("query", {}) if tree.get("type") == "ExplainQuery" else tree
    nodes = [query.pop("settings_ast", None)]
    selects = query.get("list_of_selects", {}).get("children", [])
    if len(selects) == 1 and selects[0].get("type") == "SelectQuery":
        nodes.append(selects[0].pop("settings", None))
    settings: dict[str, str] = {}
    for node in filter(None, nodes):
        if not node.keys() <= {"type", "changes"}:
            raise _no_settings(node)
        for change in node.get("changes", ()):
            name, value = str(change["name"]), change["value"]
            if value["field_type"] not in ("UInt64", "Int64", "Float64", "String", "Bool"):
                raise _no_settings(node)
            text = str(int(value["value"]) if value["field_type"] == "Bool" else value["value"])
            if settings.setdefault(name, text) != text:
                raise _no_settings(node)
    return settings


def _no_settings(node: Mapping[str, Any]) -> QueryError:
    names = ", ".join(str(change["name"]) for change in node.get("changes", ()))
    return QueryError(
        164,
        f"Cannot modify {names or 'settings'} in readonly mode: a reader gives settings as "
        "parameters of the request, or at the end of the whole statement",
    )


def _known(parts: list[str], scope: Scope) -> bool:
    if len(parts) == 1:
        return scope.has(scope.database, parts[0])
    return len(parts) == 2 and scope.has(parts[0], parts[1])


def _no_file(parts: list[str]) -> None:
    """A name that is no table must not be one of a file: the default database has files too."""
    name = parts[-1]
    if not _WORD.fullmatch(name) or Path(name).exists():
        raise QueryError(497, f"{name!r} is the name of a file, which is not for readers")


def _system_table(parts: list[str]) -> None:
    database, name = parts[0].lower(), parts[1].lower()
    if name not in allowed.SYSTEM_DATABASES[database]:
        raise QueryError(497, f"{database}.{parts[1]} is not for readers")


def _parts(node: Mapping[str, Any], scope: Scope) -> list[str]:
    """The parts of a name; `{name:Identifier}` is taken from the request's parameters."""
    parts = [str(part) for part in node.get("name_parts") or [node.get("name", "")]]
    given = (child for child in node.get("children", ()) if child.get("type") == "QueryParameter")
    return [part or _value(next(given, None), scope.params) for part in parts]


def _value(parameter: Mapping[str, Any] | None, params: Mapping[str, str]) -> str:
    name = str((parameter or {}).get("name", ""))
    if name not in params:
        raise QueryError(456, f"Substitution `{name}` is not set")
    return params[name]


def _unquoted(part: str, params: Mapping[str, str]) -> str:
    parameter = _PARAMETER.fullmatch(part)
    if parameter is not None:
        return _value({"name": parameter[1]}, params)
    if not part.startswith("`"):
        return part
    return re.sub(r"\\(.)", r"\1", part[1:-1])


def _with_names(node: Any) -> Iterable[str]:
    if isinstance(node, list):
        for child in node:
            yield from _with_names(child)
    elif isinstance(node, dict):
        if node.get("type") == "WithElement":
            yield str(node["name"])
        for child in node.values():
            yield from _with_names(child)


def _tables(connection: Connection) -> frozenset[tuple[str, str]]:
    answer, _ = connection.run(
        "SELECT database, name FROM system.tables "
        "WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')",
        "JSONCompactEachRow",
    )
    return frozenset((row[0], row[1]) for row in map(json.loads, answer.splitlines()))
