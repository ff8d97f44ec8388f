"""Grafana's dashboards from code: `python -m streams.edges.grafana infra/grafana/dashboards`.

Beside the data path: pipeline health from Prometheus, market facts from the views of the
warehouse. Promises equal JSON for equal code (a test fails on drift), metrics that
`streams.telemetry` has and columns that the views have (tests ask both). Panels of dollars sum
exact decimals in SQL. Does not promise a version of Grafana older than 11.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from streams.edges.grafana_market import MARKET_PANELS
from streams.edges.grafana_panels import Panel, PromQuery
from streams.edges.grafana_pipeline import PIPELINE_PANELS

PROMETHEUS: Final = {"type": "prometheus", "uid": "marginquake-prometheus"}
CLICKHOUSE: Final = {"type": "grafana-clickhouse-datasource", "uid": "marginquake-clickhouse"}
COLUMNS: Final = 24
"""Width of Grafana's grid."""
SCOPES: Final = "SELECT DISTINCT scope FROM v_print_24h ORDER BY scope != 'ALL', scope"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard; `uid` stands in its address and never changes."""

    uid: str
    title: str
    source: Literal["prometheus", "clickhouse"]
    panels: Sequence[Panel]
    refresh: str
    since: str


DASHBOARDS: Final = (
    Dashboard(
        "marginquake-pipeline",
        "Marginquake: pipeline",
        "prometheus",
        PIPELINE_PANELS,
        "10s",
        "now-1h",
    ),
    Dashboard(
        "marginquake-market", "Marginquake: market", "clickhouse", MARKET_PANELS, "30s", "now-24h"
    ),
)


def documents() -> dict[str, str]:
    """Text of each dashboard's file by name."""
    return {
        f"{one.uid}.json": json.dumps(document(one), indent=2, ensure_ascii=False) + "\n"
        for one in DASHBOARDS
    }


def document(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana reads it; panels fill rows from the left."""
    made: list[dict[str, Any]] = []
    x = y = row_height = 0
    for number, panel in enumerate(dashboard.panels, 1):
        if x + panel.width > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        made.append(_panel(panel, number, place, dashboard.source))
        x += panel.width
        row_height = max(row_height, panel.height)
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["marginquake"],
        "timezone": "utc",
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": dashboard.refresh,
        "time": {"from": dashboard.since, "to": "now"},
        "templating": {"list": _variables(dashboard.source)},
        "annotations": {"list": []},
        "panels": made,
    }


def _variables(source: str) -> list[dict[str, Any]]:
    if source == "prometheus":
        return []
    return [
        {
            "name": "scope",
            "label": "asset",
            "type": "query",
            "datasource": CLICKHOUSE,
            "query": SCOPES,
            "current": {"text": "ALL", "value": "ALL"},
            "refresh": 2,
            "includeAll": False,
            "multi": False,
        }
    ]


def _panel(panel: Panel, number: int, place: dict[str, int], source: str) -> dict[str, Any]:
    datasource = PROMETHEUS if source == "prometheus" else CLICKHOUSE
    made: dict[str, Any] = {
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "type": panel.kind,
        "gridPos": place,
        "datasource": datasource,
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": datasource} | _target(panel, query)
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": {"unit": panel.unit, "noValue": panel.empty}, "overrides": []},
        "options": {},
    }
    if panel.steps:
        steps = [
            {"color": colour, "value": value}
            for value, colour in ((None, "green"), *((v, c) for v, c in panel.steps))
        ]
        made["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "stat":
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    if panel.kind == "timeseries":
        made["options"] = {"tooltip": {"mode": "multi", "sort": "desc"}}
        if panel.stacked:
            made["fieldConfig"]["defaults"]["custom"] = {
                "stacking": {"mode": "normal"},
                "fillOpacity": 60,
                "drawStyle": "bars",
            }
    return made


def _target(panel: Panel, query: PromQuery | str) -> dict[str, Any]:
    if isinstance(query, str):
        series = panel.kind in ("timeseries", "state-timeline")
        return {
            "editorType": "sql",
            "queryType": "timeseries" if series else "table",
            "format": 0 if series else 1,
            "rawSql": query,
        }
    table = panel.kind == "table"
    return {
        "expr": query.expr,
        "legendFormat": query.legend,
        "instant": table,
        "range": not table,
        "format": "table" if table else "time_series",
    }


def write(folder: Path) -> None:
    """Write every dashboard into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
