"""Progress: a terminal sees it on standard error, a pipe never does."""

import contextlib
import os
import pty
import subprocess
import sys

import pytest

from streams.edges.migrate import migrate
from streams.edges.warehouse import connect

WORK = (
    "import time\n"
    "from streams.edges.progress import bars, counting, reading, waiting\n"
    "with waiting('long work'): time.sleep(0.3)\n"
    "with counting('records counted') as told: told(5); time.sleep(0.3)\n"
    "with reading('bytes read', 10, lambda: 5) as told: told(5); time.sleep(0.3)\n"
    "with bars() as told: told('a part', 1, 2); time.sleep(0.3)\n"
    "print('done')\n"
)


def test_a_pipe_gets_none_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_terminal_sees_it_on_standard_error_alone() -> None:
    out, shown = on_a_terminal("-c", WORK)
    assert out == b"done\n"
    for said in ("long work", "records counted", "bytes read", "a part"):
        assert said.encode() in shown, said


def on_a_terminal(*words: str, **settings: str) -> tuple[bytes, bytes]:
    """Standard output, and what a terminal at standard error shows, of a Python that ends well."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **settings},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so when the other side has closed
        while piece := os.read(ours, 65_536):
            shown += piece
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    return out, shown


@pytest.mark.warehouse
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("query", "SELECT 1 AS one", "--json"), b"asking the warehouse"),
        (("audit", "final-is-last"), b"checking the warehouse"),
    ],
)
def test_questions_that_may_take_long_say_that_they_are_asked(
    command: tuple[str, ...], said: bytes, warehouse_dsn: str
) -> None:
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
    program = ("-m", "streams.cli", *command)
    out, shown = on_a_terminal(*program, CLICKHOUSE_DSN=warehouse_dsn)
    assert said in shown
    piped = subprocess.run(
        [sys.executable, *program],
        env={**os.environ, "CLICKHOUSE_DSN": warehouse_dsn},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert (piped.stdout, piped.stderr) == (out, b"")


@pytest.mark.parametrize("command", [("doctor", "--json"), ("query", "--list")])
def test_commands_show_none_in_a_pipe(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout
