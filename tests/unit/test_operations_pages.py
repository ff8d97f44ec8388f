"""docs/operations: pages that are linked exist, and commands that they name exist too."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "operations").glob("*.md"))
PAGES.append(PAGES[0].parents[1] / "consume.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert "://" in link or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_commands_and_options_exist(page: Path) -> None:
    shown = CliRunner(env={"COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb"})
    groups = {"flink", "bench", "simulate", "instruments"}
    lines = re.findall(r"(?:^|`|&& |\n)marginquake ([a-z][^`\n#]*)", page.read_text("utf-8"))
    for line in lines:
        words = line.split("&&")[0].split()
        depth = 2 if words[0] in groups and len(words) > 1 else 1
        help_ = shown.invoke(app, [*words[:depth], "--help"])
        assert help_.exit_code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_.output), line
