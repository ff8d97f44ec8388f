"""infra/prometheus and infra/grafana: consistent with the metrics, the runbook and each other."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.edges.grafana import CLICKHOUSE, DASHBOARDS, PROMETHEUS, documents
from streams.edges.grafana_market import MARKET_PANELS
from streams.edges.grafana_panels import Panel, PromQuery
from streams.edges.grafana_pipeline import PIPELINE_PANELS
from streams.telemetry import METRICS

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS_FOLDER = ROOT / "infra/prometheus"
GROUPS: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS_FOLDER / "rules.yml").read_text())[
    "groups"
]
RULES = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}
RUNBOOK = (ROOT / "docs/operations/runbook.md").read_text()

NOT_CALLED_ABOUT = {
    "marginquake_records_filtered_total": "only a term of a balance",
    "marginquake_records_duplicate_total": "whether a second connection is meant is not known here",
    "marginquake_warehouse_queries_total": "a refused reader is told why, and is the one to act",
    "marginquake_warehouse_query_seconds": "the sink's insert time has an alert of its own",
    "marginquake_warehouse_queries_running": "at the limit readers are told to come again",
    "marginquake_results_total": "quiet markets give none, and Flink tells its own",
    "marginquake_last_insert_timestamp_seconds": "quiet hours insert nothing; SinkStands sees more",
    "marginquake_webhook_delivered_total": "quiet markets give none; WebhookWaits sees the rest",
}
"""Metrics that no alert watches, each with its reason."""


def known() -> dict[str, set[str]]:
    """Names that an expression may use, with their labels."""
    found = {doc.name: set(doc.labels) for doc in METRICS}
    found |= {
        f"{doc.name}_bucket": {*doc.labels, "le"} for doc in METRICS if doc.kind == "histogram"
    }
    for name, rule in RECORDED.items():
        found[name] = labels_by(rule["expr"]) - {"le"}
    return found


def labels_by(expr: str) -> set[str]:
    listed = re.findall(r"(?:by|on) \(([^)]*)\)", expr)
    return {label.strip() for one in listed for label in one.split(",")} - {""}


def names_in(expr: str) -> set[str]:
    return set(re.findall(r"marginquake[_:][\w:]+", expr))


def promtool(*words: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        message = "promtool is not here: apt-get install --no-install-recommends prometheus"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run(
        [program, *words], cwd=PROMETHEUS_FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.mark.parametrize("rule", RULES, ids=[r.get("alert") or r["record"] for r in RULES])
def test_a_rule_speaks_of_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    names = names_in(rule["expr"])
    assert names or rule["alert"] == "ProcessUnreachable"
    every = known()
    assert names <= set(every)
    labels = {"instance"}.union(*(every[name] for name in names))
    assert labels_by(rule["expr"]) <= labels
    used = set(re.findall(r"\$labels\.(\w+)", rule.get("annotations", {}).get("summary", "")))
    assert used <= labels
    if "alert" in rule:
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_alert_is_about_the_0_that_every_process_tells_of_what_it_has_not() -> None:
    """A gauge without labels is there from the start, whatever the process does."""
    told = {doc.name for doc in METRICS if doc.kind == "gauge" and not doc.labels}
    script = "from streams.telemetry import serve_metrics; s = serve_metrics('framer', 0);"
    script += "import urllib.request as u;"
    script += "print(u.urlopen(f'http://127.0.0.1:{s.port}/metrics').read().decode())"
    page = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    found = set(re.findall(r"^(marginquake_\w+) 0\.0$", page, flags=re.MULTILINE))
    assert found == told
    for name, rule in ALERTS.items():
        if names_in(rule["expr"]) & told:
            assert re.search(r"> \d+$", rule["expr"].strip()), name


def test_the_rules_are_tried_on_series_as_processes_tell_them() -> None:
    tests = yaml.safe_load((PROMETHEUS_FOLDER / "rules.test.yml").read_text())["tests"]
    every = known()
    for one in tests:
        for given in one["input_series"]:
            name, _, rest = given["series"].partition("{")
            if name == "up":
                continue
            has = set(re.findall(r"(\w+)=", rest)) - {"instance"}
            # Rules that need fewer labels than there are leave some out.
            assert has <= every[name], given["series"]


def test_every_metric_that_asks_for_action_has_an_alert() -> None:
    watched = {name for rule in ALERTS.values() for name in names_in(rule["expr"])}
    watched |= {
        name for used in watched & set(RECORDED) for name in names_in(RECORDED[used]["expr"])
    }
    watched = {name.removesuffix("_bucket") for name in watched}
    metrics = {doc.name for doc in METRICS}
    assert metrics - watched == set(NOT_CALLED_ABOUT)


def test_every_alert_is_in_the_runbook_and_nothing_else() -> None:
    sections = re.split(r"^### ", RUNBOOK, flags=re.MULTILINE)[1:]
    found = {section.splitlines()[0]: section for section in sections}
    assert set(found) == set(ALERTS)
    for name, section in found.items():
        for part in ("**Means.**", "**See.**", "**Do.**"):
            assert part in section, (name, part)


def test_the_runbooks_commands_exist() -> None:
    from typer.testing import CliRunner

    from streams.cli import app

    shown = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    commands = set(re.findall(r"`marginquake ([a-z]+)", RUNBOOK))
    assert commands
    for command in commands:
        assert shown.invoke(app, [command, "--help"]).exit_code == 0, command
    for name in set(re.findall(r"`(marginquake_\w+)", RUNBOOK)):
        assert name in known(), name


def test_every_alert_is_tried_with_and_without_its_trouble() -> None:
    tests = yaml.safe_load((PROMETHEUS_FOLDER / "rules.test.yml").read_text())["tests"]
    tried = [case for one in tests for case in one["alert_rule_test"]]
    assert {case["alertname"] for case in tried if case["exp_alerts"]} == set(ALERTS)
    assert {case["alertname"] for case in tried if not case["exp_alerts"]} == set(ALERTS)


def test_promtool_accepts_configuration_and_rules() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "config", "one-machine.yml")
    promtool("check", "rules", "rules.yml")


def test_promtool_sees_every_alert_fire() -> None:
    promtool("test", "rules", "rules.test.yml")


def test_the_dashboards_are_those_of_the_code() -> None:
    folder = ROOT / "infra/grafana/dashboards"
    there = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert there == documents(), "run `make docs`"


@pytest.mark.parametrize("panel", PIPELINE_PANELS, ids=lambda panel: panel.title)
def test_a_panel_speaks_of_metrics_and_labels_that_exist(panel: Panel) -> None:
    every = known()
    for query in panel.queries:
        assert isinstance(query, PromQuery)
        names = names_in(query.expr)
        assert names <= set(every)
        assert names or re.match(r"ALERTS|sum\(up|count\(up", query.expr)
        labels = {label for name in names for label in every[name]}
        assert labels_by(query.expr) <= labels | {"instance"}
        assert set(re.findall(r"{{(\w+)}}", query.legend)) <= labels


def test_every_metric_of_the_data_path_is_on_a_panel() -> None:
    shown = {
        name
        for panel in PIPELINE_PANELS
        for query in panel.queries
        if isinstance(query, PromQuery)
        for name in names_in(query.expr)
    }
    shown |= {name for used in shown & set(RECORDED) for name in names_in(RECORDED[used]["expr"])}
    assert set(RECORDED) - shown == {"marginquake:webhook_seconds:p99_5m"}


def test_panels_do_not_overlap_and_each_tells_what_it_is() -> None:
    for text in documents().values():
        panels = json.loads(text)["panels"]
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, panel["title"]
            taken |= cells
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["noValue"]
        assert len({panel["title"] for panel in panels}) == len(panels)


def test_the_dashboards_ask_the_provisioned_sources() -> None:
    path = ROOT / "infra/grafana/provisioning/datasources/marginquake.yml"
    sources = yaml.safe_load(path.read_text())["datasources"]
    assert {(s["type"], s["uid"]) for s in sources} == {
        (one["type"], one["uid"]) for one in (PROMETHEUS, CLICKHOUSE)
    }
    (clickhouse,) = [s for s in sources if s["type"] == CLICKHOUSE["type"]]
    assert clickhouse["secureJsonData"]["password"].startswith("$")
    assert clickhouse["jsonData"]["username"] == "reader"
    assert {one.uid for one in DASHBOARDS} == {
        path.stem for path in (ROOT / "infra/grafana/dashboards").iterdir()
    }


def test_every_market_panel_is_of_the_chosen_asset() -> None:
    for panel in MARKET_PANELS:
        for query in panel.queries:
            assert isinstance(query, str)
            assert panel.title == "Feeds" or "${scope:singlequote}" in query
