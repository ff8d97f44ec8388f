"""The build: help that is complete, an environment made once, pins that hold no address."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(*words: str, **more: str) -> str:
    done = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", *words],
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")} | more,
    )
    return done.stdout


@needs_make
def test_make_alone_shows_the_help() -> None:
    shown = make()
    for target in ("env", "demo", "test", "check", "bench", "clean", "broker", "fuzz"):
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE), target


def test_every_named_target_exists_and_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    assert targets == set(phony.split())


@needs_make
def test_test_runs_every_check_and_every_doctest() -> None:
    plan = make("--dry-run", "test")
    for step in ("ruff check .", "lint-imports", "mypy", "--doctest-modules"):
        assert step in plan, step
    parts = re.findall(r'^.*-m pytest .* -m "(.*?)"', plan, re.MULTILINE)
    assert parts == ["not kafka and not flink", "kafka and not flink", "flink and not day"]


@needs_make
def test_python_keeps_what_it_compiled_whatever_the_image_says(tmp_path: Path) -> None:
    extra = tmp_path / "asked.mk"
    extra.write_text("asked:\n\t@echo $${PYTHONDONTWRITEBYTECODE-unset}\n")
    files = ("-f", "Makefile", "-f", str(extra))
    assert make(*files, "asked", PYTHONDONTWRITEBYTECODE="1") == "unset\n"


def test_the_demo_says_what_it_downloads_and_leaves_flink_out() -> None:
    recipe = MAKEFILE[MAKEFILE.index("$(VENV)/.demo: pyproject.toml") :]
    assert recipe.index("380 MB") < recipe.index("infra/env.sh $(VENV)")
    assert re.search(r"env\.sh \$\(VENV\) faust,warehouse,simulate$", recipe, re.MULTILINE)


@needs_make
def test_a_missing_python_is_named_with_the_command_that_gets_one(tmp_path: Path) -> None:
    for name in ("bash", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for name in ("python3.12", "python3"):
        shim = tmp_path / name
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
    done = subprocess.run(
        [str(ROOT / "infra/env.sh"), str(tmp_path / "venv"), "dev"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "needs Python 3.11 or 3.12" in line
    assert "uv python install 3.12" in line
    assert not (tmp_path / "venv").exists()


def test_every_direct_dependency_is_pinned_and_no_pin_holds_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.match(r"[a-z0-9.-]+==[^ /@]+( ; [a-z_]+ .*)?$", line) for line in lines)
    pinned = {line.split("==")[0] for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    for extra in ("faust", "warehouse", "simulate", "dev"):
        wanted += extras[extra]
    names = {re.split(r"[^A-Za-z0-9.-]", requirement)[0].lower() for requirement in wanted}
    assert names <= pinned


def test_the_ci_script_is_strict_and_installs_only_what_is_missing() -> None:
    script = ROOT / ".ci/run"
    text = script.read_text()
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in text
    assert "export CI=true" in text
    assert text.rstrip().endswith("make test")
    assert text.index("command -v java") < text.index("apt-get update")


def test_the_licence_is_the_one_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert (
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
    )
