"""What migrations promise before they touch a warehouse: order, identity, repeatability."""

from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.edges.migrate import Migration, plan, read_migrations, split_statements

TABLE = "CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = MergeTree ORDER BY a;"


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name[1:]}.sql").write_text(text, encoding="utf-8")
    return folder


def recorded(*migrations: Migration) -> dict[int, tuple[str, str]]:
    return {item.version: (item.name, item.checksum) for item in migrations}


def test_the_packaged_migrations_can_be_read() -> None:
    migrations = read_migrations()
    assert [item.version for item in migrations] == list(range(1, len(migrations) + 1))
    assert all(item.statements for item in migrations)


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("a; b", ["a", "b"]),
        ("a;\n;;\n", ["a"]),
        ("SELECT ';', 'it''s; \\'x;'; b", ["SELECT ';', 'it''s; \\'x;'", "b"]),
        ("a -- no; split\n; b /* nor ; here */", ["a", "b"]),
        ('SELECT `x;y`, "p;q"; b', ['SELECT `x;y`, "p;q"', "b"]),
        ("a - b / c; d", ["a - b / c", "d"]),
        ("-- only a comment; nothing", []),
        ("SELECT '-- kept; --'", ["SELECT '-- kept; --'"]),
    ],
)
def test_semicolons_split_only_outside_strings_and_comments(
    script: str, statements: list[str]
) -> None:
    assert list(split_statements(script)) == statements


def test_a_quote_that_is_never_closed_is_named_with_its_line() -> None:
    with pytest.raises(MarginquakeError, match=r"line 2: a quote \('\)"):
        split_statements("SELECT 1;\nSELECT 'x; SELECT 2")


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="0002 is missing"):
        read_migrations(write(tmp_path, n0001_a=TABLE, n0003_b=TABLE))


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="0001_a and 0001_b share a number"):
        read_migrations(write(tmp_path, n0001_a=TABLE, n0001_b=TABLE))


def test_a_misnamed_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match=r"'1_a\.sql' is not named"):
        read_migrations(write(tmp_path, n1_a=TABLE))


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = Kafka", "ENGINE = Kafka"),
        ("CREATE TABLE IF NOT EXISTS t (a UInt8) engine kafka()", "ENGINE = Kafka"),
        ("DROP TABLE IF EXISTS t ON CLUSTER all", "ON CLUSTER"),
        ("CREATE TABLE t (a UInt8) ENGINE = Memory", "cannot be repeated"),
        ("INSERT INTO t VALUES (1)", "cannot be repeated"),
        ("ALTER TABLE t ADD COLUMN b UInt8", "cannot be repeated"),
    ],
)
def test_statements_that_harm_or_cannot_be_repeated_are_refused(
    tmp_path: Path, statement: str, complaint: str
) -> None:
    with pytest.raises(MarginquakeError, match=complaint):
        read_migrations(write(tmp_path, n0001_a=statement))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b UInt8",
        "ALTER TABLE t MODIFY COLUMN a UInt16",
        "CREATE OR REPLACE VIEW v AS SELECT 'ENGINE = Kafka, ON CLUSTER'",
        "DROP VIEW IF EXISTS v",
    ],
)
def test_repeatable_statements_are_accepted(tmp_path: Path, statement: str) -> None:
    (migration,) = read_migrations(write(tmp_path, n0001_a=statement))
    assert migration.statements == (statement,)


def test_only_files_that_were_not_recorded_are_pending(tmp_path: Path) -> None:
    first, second = read_migrations(write(tmp_path, n0001_a=TABLE, n0002_b=TABLE))
    assert plan([first, second], {}) == (first, second)
    assert plan([first, second], recorded(first)) == (second,)
    assert plan([first, second], recorded(first, second)) == ()


def test_a_file_edited_after_it_was_applied_is_refused(tmp_path: Path) -> None:
    (before,) = read_migrations(write(tmp_path, n0001_a=TABLE))
    (after,) = read_migrations(write(tmp_path, n0001_a=TABLE + " -- better"))
    with pytest.raises(MarginquakeError, match="0001_a was edited after it had been applied"):
        plan([after], recorded(before))


def test_line_ends_do_not_change_the_checksum(tmp_path: Path) -> None:
    (unix,) = read_migrations(write(tmp_path, n0001_a=TABLE + "\n"))
    (tmp_path / "0001_a.sql").write_bytes(TABLE.encode() + b"\r\n")
    assert read_migrations(tmp_path) == (unix,)


def test_a_warehouse_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    first, second = read_migrations(write(tmp_path, n0001_a=TABLE, n0002_b=TABLE))
    with pytest.raises(MarginquakeError, match="0002_b, which this program does not know"):
        plan([first], recorded(first, second))


def test_a_skipped_file_is_refused(tmp_path: Path) -> None:
    first, second = read_migrations(write(tmp_path, n0001_a=TABLE, n0002_b=TABLE))
    with pytest.raises(MarginquakeError, match="0001_a was never applied, but 0002 was"):
        plan([first, second], recorded(second))
