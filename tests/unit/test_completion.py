"""Shell completion: commands, names of queries and of topics; and how it is installed."""

import os
import subprocess
import sys

import pytest


def completed(line: str) -> list[str]:
    """What bash is offered for a line, as its completion script asks for it."""
    words = line.split(" ")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'marginquake'; from streams.cli import main; main()",
        ],
        env={
            **os.environ,
            "_MARGINQUAKE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("marginquake do", "doctor"),
        ("marginquake query cas", "cascades"),
        ("marginquake query regime-", "regime-transitions"),
        ("marginquake tail dead", "deadletters"),
        ("marginquake tail alerts --fi", "--final"),
    ],
)
def test_a_tab_offers_names(line: str, offered: str) -> None:
    assert offered in completed(line)


def test_only_what_begins_so_is_offered() -> None:
    found = completed("marginquake query li")
    assert found
    assert all(name.startswith("li") for name in found)


def test_completion_can_be_installed() -> None:
    from typer.testing import CliRunner

    from streams.cli import app

    wide = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    shown = CliRunner(env=wide).invoke(app, ["--help"])
    assert "--install-completion" in shown.output
