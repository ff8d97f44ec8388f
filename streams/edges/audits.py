"""Rules that the rows of a warehouse must obey, each asked as SQL that must return no row.

Behind `marginquake audit`; the rules are files of `schemas/audits`. Promises the exact number of
rows that break a rule, and samples of them. Reads only. A rule over many days reads all of them:
bound it by time on a large warehouse.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from streams.edges.query_catalogue import NamedQuery
from streams.edges.warehouse import ask


@dataclass(frozen=True, slots=True)
class Finding:
    """What one audit found: `rows` that break its rule, and the first of them as JSON."""

    name: str
    about: str
    rows: int
    samples: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "audit": self.name,
            "rule": self.about,
            "rows": self.rows,
            "samples": [json.loads(sample) for sample in self.samples],
        }


def run(
    client: Client, audits: Iterable[NamedQuery], given: Mapping[str, str], samples: int
) -> list[Finding]:
    """Ask every audit.

    Args:
        client: of a migrated warehouse.
        audits: from `catalogue("audits")`.
        given: `since` and `until`, UTC.
        samples: at most so many rows are kept of each.

    Raises:
        MarginquakeError: a statement fails, or a time is none.
    """
    return [_ask(client, audit, given, samples) for audit in audits]


def _ask(client: Client, audit: NamedQuery, given: Mapping[str, str], samples: int) -> Finding:
    values = audit.bind(given)
    # One statement for both: what is counted and what is shown are of one moment.
    sql = (
        f"SELECT count() OVER () AS rows_in_all, * FROM ({audit.sql}) "  # noqa: S608
        f"ORDER BY ALL LIMIT {samples:d}"
    )
    found = [json.loads(line) for line in ask(client, sql, "JSONEachRow", values).splitlines()]
    rows = int(found[0].pop("rows_in_all")) if found else 0
    for other in found[1:]:
        other.pop("rows_in_all")
    return Finding(audit.name, audit.about, rows, tuple(json.dumps(row) for row in found))
