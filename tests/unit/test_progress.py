"""Progress: a terminal sees it on standard error, a pipe never does."""

import contextlib
import os
import pty
import subprocess
import sys

import pytest

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
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
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
    assert (process.returncode, out) == (0, b"done\n")
    for said in ("long work", "records counted", "bytes read", "a part"):
        assert said.encode() in shown, said


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
