"""What a panel of a dashboard is; filled in by `grafana_pipeline` and `grafana_market`.

Promises nothing but form: `grafana` makes JSON of it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PromQuery:
    """A PromQL expression and what its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: `about` is its help, `empty` what it says without data.

    Queries are PromQL, or SQL with the macros of Grafana's ClickHouse plugin. `unit` is Grafana's
    name of it; `steps` are the values from which a colour holds; width of 24, height in rows.
    """

    title: str
    kind: Literal["timeseries", "stat", "table", "state-timeline"]
    queries: tuple[PromQuery | str, ...]
    about: str
    unit: str = "short"
    empty: str = "no data"
    steps: tuple[tuple[float, str], ...] = ()
    width: int = 8
    height: int = 8
    stacked: bool = False
