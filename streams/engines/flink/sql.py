"""Scripts of Flink SQL over the topics: totals for an oracle, and what a user writes.

Beside the Python job; runs in the JVM alone. A script is statements that end with `;` at the end of
a line; `${kafka}` and `${bounded}` are replaced. Promises an error that names the statement.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from streams.config import MarginquakeError
from streams.engines.flink.jobmanager import innermost
from streams.engines.flink.session import NONE, Options, environment

_PACKED: Final = Path(__file__).with_name("scripts")
SCRIPTS: Final = _PACKED if _PACKED.is_dir() else Path(__file__).parents[3] / "infra/flink/sql"
"""Beside this module in a wheel, in `infra/` in a checkout."""
PRINTS: Final = SCRIPTS / "prints.sql"
NAME: Final = "marginquake sql"
"""Of a script's job, before the name of its file without `.sql`."""


def place(script: Path) -> Path:
    """Where a script's checkpoints and savepoints go, below MARGINQUAKE_HOME: a job goes on from
    its own state alone.
    """
    return Path("flink/sql-checkpoints", script.stem)


def script_of(job: str) -> Path | None:
    """The file of a script by the name of its job; None for another job."""
    kind, _, stem = job.rpartition(" ")
    return Path(f"{stem}.sql") if kind == NAME else None


def statements(text: str, kafka: str, bounded: bool) -> list[str]:
    r"""The statements of a script, without comments, its variables replaced.

    >>> statements("SET 'a' = '${kafka}'; -- where\nSELECT 1;\n", "k:1", False)
    ["SET 'a' = 'k:1'", 'SELECT 1']
    """
    for name, value in (("kafka", kafka), ("bounded", "latest-offset" if bounded else "unbounded")):
        text = text.replace(f"${{{name}}}", value)
    bare = re.sub(r"--.*$", "", text, flags=re.MULTILINE)
    found: list[str] = []
    held = ""
    for part in re.split(r";\s*$", bare, flags=re.MULTILINE):
        held += part
        if "EXECUTE STATEMENT SET" in held.upper() and not held.rstrip().upper().endswith("END"):
            held += ";\n"
            continue
        if held.strip():
            found.append(held.strip())
        held = ""
    return found


def run_script(
    options: Options, script: Path, show: Callable[[str], None], *, bounded: bool
) -> Any | None:
    """Run a script; Flink's JobClient of what it started, None when nothing runs on.

    Args:
        options: where; `restore` is where a job of the script continues.
        script: the file.
        show: takes the rows of queries, one line each.
        bounded: sources end with what the topics hold now.

    Raises:
        MarginquakeError: a statement is refused, or its job failed.
    """
    from py4j.protocol import Py4JJavaError
    from pyflink.table import StreamTableEnvironment
    from pyflink.util.exceptions import TableException

    env, _ = environment(replace(options, restore=NONE) if bounded else options)
    tables = StreamTableEnvironment.create(env)
    tables.get_config().set("pipeline.name", f"{NAME} {script.stem}")
    client = None
    for statement in statements(script.read_text("utf-8"), options.kafka, bounded):
        setting = re.fullmatch(r"SET\s+'([^']+)'\s*=\s*'([^']*)'", statement)
        try:
            if setting:
                tables.get_config().set(setting[1], setting[2])
                continue
            result = tables.execute_sql(statement)
            if statement.upper().startswith("SELECT"):
                _print(result, show)
            elif (started := result.get_job_client()) is not None:
                client = started
                if bounded:
                    result.wait()
        except (Py4JJavaError, TableException) as error:
            first = statement.splitlines()[0]
            raise MarginquakeError(f"{script}: {first!r}: {innermost(str(error))}") from None
    return None if bounded else client


def _print(result: Any, show: Callable[[str], None]) -> None:
    show("\t".join(result.get_table_schema().get_field_names()))
    with result.collect() as rows:
        for row in rows:
            show("\t".join(str(value) for value in row))
