"""What the demo shows at its end: rows of the warehouse's views, as anyone would ask for them.

Reads only `v_*` views, and of them only the simulated hour, so that a warehouse with other data
shows the demo's rows alone. Promises exact micro-dollars, and beside each true flush the window
that overlaps it most. Does not judge: one hour is no score.
"""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Console
from rich.table import Table

from streams.config import MarginquakeError
from streams.edges.demo_hour import Hour, TrueFlush
from streams.edges.summary import (
    PrintRow,
    WindowRow,
    dollars,
    estimate,
    moment,
    print_table,
    window_table,
)

_WINDOWS: Final = """
SELECT scope, side, class, toUnixTimestamp64Micro(onset), toUnixTimestamp64Micro(detected_at),
    toUnixTimestamp64Micro(end), usd_observed, usd_estimated, usd_upper, events,
    mapApply((name, gate) -> (name, gate.1), gates), confidence, is_final, identifiability
FROM v_cascades
WHERE onset BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
ORDER BY onset, scope != 'ALL', scope, side
"""
# The clock runs on for hours after the last event, and lets orders expire; a frame of a second in
# which something happened is the last that readers ask about. Tickers stay in later frames.
_DATA_END: Final = """
SELECT max(toUnixTimestamp64Micro(second))
FROM v_frames
WHERE second BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
    AND (notEmpty(cells.venue) OR notEmpty(late.venue) OR notEmpty(flows.venue)
        OR notEmpty(books.venue) OR arrayExists(at -> at >= second, tickers.as_of_us))
"""
_PRINTS: Final = """
SELECT *
FROM
(
    SELECT scope, toUnixTimestamp64Micro(as_of) AS at, usd_observed, usd_estimated, usd_upper,
        long_usd, short_usd, events, largest_usd, coverage, identifiability
    FROM v_prints
    WHERE kind = 'rolling_24h' AND venue IS NULL
        AND period_start
            BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
        AND toUnixTimestamp64Micro(period_start) <= {data_end:Int64}
    ORDER BY at DESC
    LIMIT 1 BY scope
)
ORDER BY usd_observed DESC
"""
_COUNTS: Final = """
SELECT 'liquidations', count() FROM v_liquidations
WHERE event_time_us BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
UNION ALL SELECT 'late', count() FROM v_late_events
WHERE event_time_us BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
UNION ALL SELECT 'frames', count() FROM v_frames
WHERE second BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
UNION ALL SELECT 'dead_letters', count() FROM v_dead_letters
WHERE received_at_us
    BETWEEN fromUnixTimestamp({began:UInt32}) AND fromUnixTimestamp({ended:UInt32})
"""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The demo's rows; dollars int64 micro-dollars, times int64 microseconds UTC.

    `prints` are the newest up to the minute of `data_end`, the second of the last market event (0
    without any): a total that nothing changed since is as of when it last changed.
    """

    windows: list[WindowRow]
    prints: list[PrintRow]
    counts: dict[str, int]
    data_end: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "windows": [asdict(row) for row in self.windows],
            "data_end": self.data_end,
            "prints_24h": [asdict(row) for row in self.prints],
            "counts": self.counts,
        }


@dataclass(frozen=True, slots=True)
class TruthRow:
    """A true flush and the window that overlaps it most, None where none does; units as there."""

    flush: TrueFlush
    window: WindowRow | None


def beside_truth(report: DemoReport, hour: Hour) -> list[TruthRow]:
    """Each true flush with its window of the same scope and side."""
    return [TruthRow(flush, _overlapping(flush, report.windows)) for flush in hour.flushes]


def _overlapping(flush: TrueFlush, windows: list[WindowRow]) -> WindowRow | None:
    def shared(window: WindowRow) -> int:
        end = flush.end if window.end is None else min(flush.end, window.end)
        return end - max(flush.onset, window.onset)

    mine = [w for w in windows if (w.scope, w.side) == (flush.scope, flush.side)]
    best = max(mine, key=shared, default=None)
    return best if best is not None and shared(best) > 0 else None


def read_report(client: Client, hour: Hour) -> DemoReport:
    """The rows of the simulated hour."""
    ((data_end,),) = _ask(client, hour, _DATA_END)
    return DemoReport(
        [WindowRow(*row) for row in _ask(client, hour, _WINDOWS)],
        [PrintRow(*row) for row in _ask(client, hour, _PRINTS, data_end=data_end)],
        dict(_ask(client, hour, _COUNTS)),
        data_end,
    )


def _ask(client: Client, hour: Hour, sql: str, **more: int) -> list[tuple[Any, ...]]:
    """Rows of the simulated hour, with dollars as int64 micro-dollars."""
    span = {"began": hour.began, "ended": hour.ended, **more}
    try:
        rows = client.query(sql, parameters=span).result_rows
    except ClickHouseError as error:
        text = " ".join(str(error).split())[:400]
        raise MarginquakeError(f"the demo's rows cannot be read: {text}") from None
    return [tuple(map(_micros, row)) for row in rows]


def _micros(value: Any) -> Any:
    return int(value.scaleb(6)) if isinstance(value, Decimal) else value


def show_report(report: DemoReport, hour: Hour, out: Console) -> None:
    """Print windows, the 24 h print and what the simulation knows to be true."""
    out.print(window_table(report.windows))
    out.print(print_table(report.prints, report.data_end or None))
    counts = report.counts
    out.print(
        f"in the warehouse: {counts['frames']:,} frames, {counts['liquidations']:,} liquidations "
        f"({counts['late']:,} late), {counts['dead_letters']:,} dead letters"
    )
    out.print(truth_table(beside_truth(report, hour)))
    market = next((row for row in report.prints if row.scope == "ALL"), None)
    seen = "-" if market is None else dollars(market.usd_observed)
    out.print(
        f"simulated truth: {hour.forced:,} forced orders of "
        f"{dollars(sum(hour.forced_usd.values()))}; the feeds published {hour.published:,} of "
        f"them, {seen}"
    )


def truth_table(rows: list[TruthRow]) -> Table:
    """What was true beside what was detected; times UTC."""
    table = Table(
        title="true flushes (only a simulation knows them) and the windows that overlap them",
        title_justify="left",
        caption="by itself: share of the true dollars that would not have been forced had forced "
        "orders moved no price",
        caption_justify="left",
    )
    for name in ("scope", "side", "onset", "end"):
        table.add_column(name, no_wrap=True)
    for name in ("forced", "by itself"):
        table.add_column(name, justify="right")
    table.add_column("label", no_wrap=True)
    for name in ("window from", "detected"):
        table.add_column(name, no_wrap=True)
    for name in ("observed", "estimated"):
        table.add_column(name, justify="right")
    for row in rows:
        flush, window = row.flush, row.window
        table.add_row(
            flush.scope,
            flush.side,
            moment(flush.onset, "%H:%M:%S"),
            moment(flush.end, "%H:%M:%S"),
            dollars(flush.usd),
            "-" if flush.excess_share is None else f"{flush.excess_share:.0%}",
            "self-reinforcing" if flush.self_reinforcing else "flush",
            *_detected(window),
        )
    return table


def _detected(window: WindowRow | None) -> tuple[str, str, str, str]:
    if window is None:
        return "missed", "-", "-", "-"
    return (
        moment(window.onset, "%H:%M:%S"),
        moment(window.detected_at, "%H:%M:%S"),
        dollars(window.usd_observed),
        estimate(window.usd_estimated, window.identifiability),
    )
