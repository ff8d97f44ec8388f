"""Allow lists for readers: statements, functions, table functions, tables of the system.

Data of `gate`. Functions are allowed by the engine's own category, so that a new engine's new
kinds of functions stay refused until someone has read what they do. Names the engine does not
know pass: it refuses them itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.serving.engine import Connection

ROOTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "ShowTablesQuery",
        "ShowColumnsQuery",
        "ShowIndexesQuery",
        "ShowFunctionsQuery",
        "ShowEnginesQuery",
        "ShowEngineQuery",
        "ExplainQuery",
    }
)
NESTED: Final = ROOTS | {"TablesInSelectQuery"}
EXPLAINED: Final = frozenset(
    {
        "EXPLAIN",
        "EXPLAIN AST",
        "EXPLAIN SYNTAX",
        "EXPLAIN QUERY TREE",
        "EXPLAIN PLAN",
        "EXPLAIN PIPELINE",
        "EXPLAIN ESTIMATE",
    }
)
MEMBERSHIP: Final = frozenset(
    f"{scope}{negated}{nulls}in{suffix}"
    for scope in ("", "global")
    for negated in ("", "not")
    for nulls in ("", "null")
    for suffix in ("", "ignoreset")
)

CATEGORIES: Final = frozenset(
    {
        "Arithmetic",
        "Arrays",
        "Bit",
        "Bitmap",
        "Comparison",
        "Conditional",
        "Dates and Times",
        "Dictionary",
        "Distance",
        "Encoding",
        "Financial",
        "Geo",
        "Hash",
        "IP Address",
        "JSON",
        "Logical",
        "Map",
        "Mathematical",
        "Null",
        "Random Number",
        "Rounding",
        "String",
        "String Replacement",
        "String Search",
        "String Splitting",
        "Time Window",
        "Tuple",
        "Type Conversion",
        "URL",
        "UUID",
    }
)
"""Categories of pure functions. Not among them: AI (calls a network), Introspection, Encryption,
Machine Learning and Embedded Dictionary (read files), Geo Polygon (see `ENDLESS`), Internal,
Other."""

ENDLESS: Final = frozenset(
    {
        "dameraulevenshteindistance",
        "editdistance",
        "editdistanceutf8",
        "jarosimilarity",
        "jarowinklersimilarity",
    }
)
"""Functions that work on the product of two lengths. The engine ends a query between blocks only:
one block of long texts is hours that neither a limit nor KILL cuts off."""

BY_NAME: Final = frozenset(
    name.lower()
    for name in [
        "_CAST",
        "bar",
        "blockNumber",
        "blockSize",
        "byteSize",
        "connectionID",
        "connectionId",
        "countDigits",
        "currentDatabase",
        "currentProfiles",
        "currentRoles",
        "currentSchemas",
        "currentUser",
        "caseWithExpression",
        "defaultRoles",
        "defaultValueOfArgumentType",
        "defaultValueOfTypeName",
        "displayName",
        "dumpColumnStructure",
        "enabledProfiles",
        "enabledRoles",
        "errorCodeToName",
        "finalizeAggregation",
        "formatQuery",
        "formatQueryOrNull",
        "formatQuerySingleLine",
        "formatQuerySingleLineOrNull",
        "formatReadableDecimalSize",
        "formatReadableQuantity",
        "formatReadableSize",
        "formatReadableTimeDelta",
        "getSetting",
        "getSettingOrDefault",
        "getSizeOfEnumType",
        "getSubcolumn",
        "globalVariable",
        "identity",
        "ignore",
        "indexHint",
        "initializeAggregation",
        "isConstant",
        "isDecimalOverflow",
        "lowCardinalityIndices",
        "lowCardinalityKeys",
        "materialize",
        "minSampleSizeContinuous",
        "minSampleSizeConversion",
        "neighbor",
        "nested",
        "normalizeQuery",
        "normalizedQueryHash",
        "parseISO8601Duration",
        "parseReadableSize",
        "parseReadableSizeOrNull",
        "parseReadableSizeOrZero",
        "parseTimeDelta",
        "partitionId",
        "pgGetUserById",
        "pgTableIsVisible",
        "queryID",
        "revision",
        "rowNumberInAllBlocks",
        "rowNumberInBlock",
        "runningAccumulate",
        "runningDifference",
        "runningDifferenceStartingWithFirstValue",
        "throwIf",
        "toColumnTypeName",
        "toTypeName",
        "transform",
        "uptime",
        "variantElement",
        "variantType",
        "version",
        "visibleWidth",
    ]
)
"""Functions of other categories that read nothing but their arguments and the own session."""

TABLE_FUNCTIONS: Final = frozenset(
    {
        "dictionary",
        "generate_series",
        "generateseries",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "sqlstandardvalues",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)

_SYSTEM: Final = frozenset(
    {
        "aggregate_function_combinators",
        "build_options",
        "codecs",
        "collations",
        "columns",
        "constraints",
        "contributors",
        "data_skipping_indices",
        "data_type_families",
        "database_engines",
        "databases",
        "dictionaries",
        "documentation",
        "formats",
        "functions",
        "keywords",
        "licenses",
        "merge_tree_settings",
        "numbers",
        "numbers_mt",
        "one",
        "parts",
        "parts_columns",
        "primes",
        "projections",
        "settings",
        "settings_changes",
        "table_engines",
        "table_functions",
        "tables",
        "time_zones",
        "view_refreshes",
        "zeros",
        "zeros_mt",
    }
)
_INFORMATION: Final = frozenset(
    {
        "columns",
        "key_column_usage",
        "referential_constraints",
        "schemata",
        "statistics",
        "tables",
        "views",
    }
)
SYSTEM_DATABASES: Final[Mapping[str, frozenset[str]]] = {
    "system": _SYSTEM,
    "information_schema": _INFORMATION,
}
"""Tables of the system that describe the schema and the engine. Not among them: other people's
queries, logs, users, grants, disks, macros, clusters, stack traces, server settings."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the engine knows, in lower case, and which of them are allowed."""

    known: frozenset[str]
    allowed: frozenset[str]

    def passes(self, name: str) -> bool:
        """Whether a reader may use the name; one that the engine does not know passes."""
        lower = name.lower()
        return lower in self.allowed or lower not in self.known


def functions(connection: Connection) -> Names:
    """All functions of the engine: aggregate ones are allowed, others by category or name."""
    answer, _ = connection.run(
        "SELECT name, is_aggregate, alias_to, categories FROM system.functions",
        "JSONCompactEachRow",
    )
    rows = [json.loads(line) for line in answer.splitlines()]
    category = {name: kinds for name, _, alias, kinds in rows if not alias}
    passing = set()
    # A user's own function has no category: what it does is not known here.
    for name, aggregate, alias, _ in rows:
        origin = alias or name
        kinds = {kind.strip() for kind in category.get(origin, "").split(",")}
        if origin.lower() in ENDLESS:
            continue
        if aggregate or kinds <= CATEGORIES or origin.lower() in BY_NAME:
            passing.add(name.lower())
    known = frozenset(row[0].lower() for row in rows)
    return Names(known, frozenset(passing))


def table_functions(connection: Connection) -> Names:
    """All table functions of the engine."""
    answer, _ = connection.run("SELECT lower(name) FROM system.table_functions", "TabSeparated")
    known = frozenset(answer.decode().split())
    return Names(known, TABLE_FUNCTIONS)
