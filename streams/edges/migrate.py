"""Numbered SQL files brought to the warehouse, once each and in order.

Reads `schemas/clickhouse/NNNN_name.sql` (packaged with the program) and records every applied
file with its checksum in `schema_migrations`. Promises that a run that broke off is taken up
again by the next one, since only repeatable statements are accepted, and that afterwards the
tables of feeds and instruments are in step with the code and the rollups know of what was there
before them. Refuses an
edited file, a gap and a duplicate number. Does not undo: a mistake is mended by a new file.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.config import MarginquakeError
from streams.edges import reference_tables, retention, rollups

_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TOKEN: Final = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*`
      | --[^\n]* | /\*.*?\*/ | ; | [^'"`;/-]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_REPEATABLE: Final = re.compile(
    r"CREATE\s+(TABLE|DATABASE|VIEW|MATERIALIZED\s+VIEW|DICTIONARY)\s+IF\s+NOT\s+EXISTS\b"
    r"|CREATE\s+OR\s+REPLACE\b"
    r"|DROP\s+\w+\s+IF\s+EXISTS\b"
    r"|ALTER\s+TABLE\s+\S+\s+(?:(?:ADD|DROP|RENAME|CLEAR|MATERIALIZE)\s+.*\bIF\s+(?:NOT\s+)?EXISTS\b"
    r"|MODIFY\b|COMMENT\b)",
    re.IGNORECASE | re.DOTALL,
)
_FORBIDDEN: Final = {
    # On chDB the CREATE fails, leaves metadata behind, and the store never opens again.
    "ENGINE = Kafka": re.compile(r"\bENGINE\s*=?\s*Kafka\b", re.IGNORECASE),
    "ON CLUSTER": re.compile(r"\bON\s+CLUSTER\b", re.IGNORECASE),
}
_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32 COMMENT 'number of the file',
    name String COMMENT 'name of the file without its number',
    checksum String COMMENT 'SHA-256 of its text with LF line ends',
    applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'when it was applied, UTC'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'SQL files of schemas/clickhouse that this database has seen'
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, SHA-256 (hex) and statements."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]

    @property
    def label(self) -> str:
        """The file's name without `.sql`."""
        return f"{self.version:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: `applied` now, `pending` still to do (a dry run applies none)."""

    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    already: tuple[Migration, ...]


def split_statements(sql: str) -> tuple[str, ...]:
    """Statements of a script; a semicolon in a string, identifier or comment does not split.

    >>> split_statements("SELECT ';' /* a; b */; SELECT 2")
    ("SELECT ';'", 'SELECT 2')

    Raises:
        MarginquakeError: a string or quoted identifier does not end.
    """
    statements: list[str] = []
    current: list[str] = []
    for match in _TOKEN.finditer(sql):
        piece = match[0]
        if piece in ("'", '"', "`"):
            line = sql.count("\n", 0, match.start()) + 1
            raise MarginquakeError(f"line {line}: a quote ({piece}) is opened and never closed")
        if piece == ";":
            statements.append("".join(current).strip())
            current = []
        elif piece.startswith(("--", "/*")):
            current.append(" ")
        else:
            current.append(piece)
    statements.append("".join(current).strip())
    return tuple(statement for statement in statements if statement)


def read_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """All files of `folder` (default: the packaged ones), by number.

    Raises:
        MarginquakeError: a misnamed file, a gap or duplicate in the numbers, or a statement that
            could not be repeated or would harm a chDB store.
    """
    where = folder if folder is not None else files("schemas").joinpath("clickhouse")
    found: dict[int, Migration] = {}
    for entry in sorted(where.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".sql"):
            continue
        named = _NAME.fullmatch(entry.name)
        if named is None:
            raise MarginquakeError(f"migration {entry.name!r} is not named NNNN_name.sql")
        migration = _read(int(named[1]), named[2], entry.read_text(encoding="utf-8"))
        if migration.version in found:
            raise MarginquakeError(
                f"migrations {found[migration.version].label} and {migration.label} share a "
                "number; renumber the newer one"
            )
        found[migration.version] = migration
    missing = sorted(set(range(1, len(found) + 1)) - found.keys())
    if missing:
        raise MarginquakeError(f"migration {missing[0]:04d} is missing; numbers start at 0001")
    return tuple(found[version] for version in sorted(found))


def _read(version: int, name: str, text: str) -> Migration:
    text = text.replace("\r\n", "\n")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    migration = Migration(version, name, checksum, split_statements(text))
    for statement in migration.statements:
        start = " ".join(statement.split())[:60]
        code = _bare(statement)
        for what, pattern in _FORBIDDEN.items():
            if pattern.search(code):
                raise MarginquakeError(f"migration {migration.label} may not use {what}: {start}")
        if not _REPEATABLE.match(code):
            raise MarginquakeError(
                f"migration {migration.label} holds a statement that cannot be repeated after a "
                f"broken run; write IF NOT EXISTS or OR REPLACE: {start}"
            )
    return migration


def _bare(statement: str) -> str:
    """The statement without the content of its strings."""
    pieces = (match[0] for match in _TOKEN.finditer(statement))
    return "".join("''" if piece.startswith("'") else piece for piece in pieces)


def plan(
    migrations: Sequence[Migration], recorded: Mapping[int, tuple[str, str]]
) -> tuple[Migration, ...]:
    """Which of `migrations` are still to be applied; pure.

    Args:
        migrations: all files, by number.
        recorded: version to (name, checksum) as the database has it.

    Raises:
        MarginquakeError: a recorded file was edited, is unknown, or an earlier one was skipped.
    """
    known = {migration.version: migration for migration in migrations}
    for version, (name, checksum) in sorted(recorded.items()):
        migration = known.get(version)
        if migration is None:
            raise MarginquakeError(
                f"the warehouse has migration {version:04d}_{name}, which this program does not "
                "know; install the version that wrote it"
            )
        if migration.checksum != checksum:
            raise MarginquakeError(
                f"migration {migration.label} was edited after it had been applied (checksum "
                f"{migration.checksum[:12]}, recorded {checksum[:12]}); restore the file and put "
                "the change into a new one"
            )
    newest = max(recorded, default=0)
    pending = tuple(item for item in migrations if item.version not in recorded)
    if pending and pending[0].version < newest:
        raise MarginquakeError(
            f"migration {pending[0].label} was never applied, but {newest:04d} was; the ledger "
            "schema_migrations has lost a row: compare the tables and put it back"
        )
    return pending


def recorded(client: Client) -> dict[int, tuple[str, str]]:
    """Version to (name, checksum) of the applied files; empty when there is no ledger yet."""
    if not client.command("EXISTS TABLE schema_migrations"):
        return {}
    rows = client.query("SELECT version, name, checksum FROM schema_migrations FINAL").result_rows
    return {int(version): (str(name), str(checksum)) for version, name, checksum in rows}


def migrate(
    client: Client, migrations: Sequence[Migration] | None = None, dry_run: bool = False
) -> Outcome:
    """Bring the client's database up to the newest file; nothing is written in a dry run.

    Raises:
        MarginquakeError: see `read_migrations` and `plan`, or the statement that failed. Files
            before it stay applied; the next run starts with the failed one.
    """
    known = tuple(migrations) if migrations is not None else read_migrations()
    pending = plan(known, recorded(client))
    already = tuple(item for item in known if item not in pending)
    if dry_run:
        return Outcome((), pending, already)
    if pending:
        client.command(_LEDGER)
    for migration in pending:
        _apply(client, migration)
    reference_tables.keep(client)
    rollups.adopt(client)
    retention.keep(client)
    return Outcome(pending, (), already)


def _apply(client: Client, migration: Migration) -> None:
    for number, statement in enumerate(migration.statements, 1):
        try:
            client.command(statement)
        except ClickHouseError as error:
            raise MarginquakeError(
                f"statement {number} of migration {migration.label} failed: "
                f"{' '.join(str(error).split())[:400]}; mend the cause and run it again"
            ) from None
    client.insert(
        "schema_migrations",
        [[migration.version, migration.name, migration.checksum]],
        column_names=["version", "name", "checksum"],
        column_type_names=["UInt32", "String", "String"],
        settings={"async_insert": 0},
    )
