"""What a replay or the demo found, as tables for people and as one object for programs.

Last step of `replay` and `demo`. Promises the newest revision of every window, every milestone,
and the 24 h print of scope ALL as of the last market event: the clock runs on for hours after the
input and lets orders expire, which no reader asks for. Memory grows with windows, not with input.
Dollars in tables are USD; `as_json` keeps the contract's int64 micro-dollars and microseconds.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from streams.core.events import MICROS
from streams.core.frames import Frame
from streams.core.results import (
    MARKET,
    Alert,
    CascadeWindow,
    Milestone,
    Print,
    RegimeTransition,
    Result,
)
from streams.edges.console import report_console

OUTCOMES: Final = (
    "accepted",
    "unsided",
    "filtered",
    "duplicates",
    "late",
    "late_dropped",
    "dead_lettered",
)
"""What counters are told by, in this order."""
MAX_ROWS: Final = 30
"""Windows that a table shows; the rest are counted and stand in the output."""


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window as tables show it; times int64 microseconds UTC, dollars int64 micro-dollars."""

    scope: str
    side: str
    window_class: str
    onset: int
    detected_at: int
    end: int | None
    usd_observed: int
    usd_estimated: int | None
    usd_upper: int | None
    events: int
    gates: Mapping[str, str]
    confidence: float
    is_final: bool
    identifiability: str

    @classmethod
    def of(cls, window: CascadeWindow) -> "WindowRow":
        """The row of a window."""
        return cls(
            window.scope,
            window.side,
            window.window_class,
            window.onset,
            window.detected_at,
            window.end,
            window.usd_observed,
            window.usd_estimated,
            window.usd_upper,
            window.events,
            {name: gate.state for name, gate in window.gates.items()},
            window.confidence,
            window.is_final,
            window.identifiability,
        )


@dataclass(frozen=True, slots=True)
class PrintRow:
    """The newest 24 h print of a scope; units as in WindowRow."""

    scope: str
    as_of: int
    usd_observed: int
    usd_estimated: int | None
    usd_upper: int | None
    long_usd: int
    short_usd: int
    events: int
    largest_usd: int
    coverage: float
    identifiability: str


@dataclass(slots=True)
class Summary:
    """What one run read and found. `counters` are the framer's; see `tally`.

    `data_end` is the second of the last market event (µs UTC, None before the first) and
    `newest_print` the market's newest rolling print that a frame up to it caused.
    """

    records: int = 0
    frames: int = 0
    seconds: float = 0.0
    target: str = ""
    rows: Counter[str] = field(default_factory=Counter)
    counters: Mapping[str, int] = field(default_factory=dict)
    windows: dict[str, CascadeWindow] = field(default_factory=dict)
    newest_print: Print | None = None
    milestones: dict[str, Milestone] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    transitions: dict[str, RegimeTransition] = field(default_factory=dict)
    data_end: int | None = None
    _after_end: deque[Print] = field(default_factory=deque)

    def see(self, frame: Frame) -> None:
        """Count a frame; one with a market event moves `data_end`. Before `take` of its rows."""
        self.frames += 1
        if (self.data_end is None or frame.second > self.data_end) and _has_event(frame):
            self.data_end = frame.second
            while self._after_end and self._after_end[0].watermark <= frame.second:
                self.newest_print = self._after_end.popleft()

    def take(self, result: Result) -> None:
        """Keep a row when it is the newest of its id that a reader will ask for."""
        if isinstance(result, CascadeWindow):
            self.windows[result.id] = result
        elif isinstance(result, Milestone):
            self.milestones[result.id] = result
        elif isinstance(result, Alert):
            self.alerts[result.id] = result
        elif isinstance(result, RegimeTransition):
            self.transitions[result.id] = result
        elif isinstance(result, Print) and (
            (result.scope, result.venue, result.kind) == (MARKET, None, "rolling_24h")
        ):
            if self.data_end is not None and result.watermark <= self.data_end:
                self.newest_print = result
            else:
                self._after_end.append(result)

    def tally(self, outcome: str) -> dict[str, int]:
        """Counters of one outcome by kind or reason, largest first.

        Args:
            outcome: one of `OUTCOMES`; `unsided` are trades in frames whose side is unknown, by
                venue, and accepted ones besides.
        """
        prefix = f"{outcome}:"
        found = [(k[len(prefix) :], n) for k, n in self.counters.items() if k.startswith(prefix)]
        return dict(sorted(found, key=lambda item: (-item[1], item[0])))

    def ordered(self) -> list[CascadeWindow]:
        """Windows by onset, the market's first."""
        return sorted(
            self.windows.values(), key=lambda w: (w.onset, w.scope != MARKET, w.scope, w.side)
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; rows as on their topics, with the fields of `schemas/`."""
        return {
            "units": {"usd": "micro-dollars", "times": "microseconds UTC"},
            "records": self.records,
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "target": self.target,
            "rows": dict(sorted(self.rows.items())),
            **{outcome: self.tally(outcome) for outcome in OUTCOMES},
            "windows": [msgspec.to_builtins(window) for window in self.ordered()],
            "data_end": self.data_end,
            "print_24h": msgspec.to_builtins(self.newest_print),
            "milestones": [
                msgspec.to_builtins(m)
                for m in sorted(self.milestones.values(), key=lambda m: (m.crossed_at, m.id))
            ],
            "regime_transitions": [msgspec.to_builtins(t) for t in self.transitions.values()],
            "alerts": [msgspec.to_builtins(alert) for alert in self.alerts.values()],
        }


def _has_event(frame: Frame) -> bool:
    """Whether anything happened in the frame's second; tickers of earlier seconds stay in it."""
    return bool(frame.cells or frame.late or frame.flows or frame.books) or any(
        ticker.as_of_us >= frame.second for ticker in frame.tickers
    )


def dollars(micros: int | None) -> str:
    """Micro-dollars for people: three significant digits and a unit.

    >>> dollars(1_234_567_000_000), dollars(999_999_000), dollars(None)
    ('$1.23M', '$1.00k', '-')
    """
    if micros is None:
        return "-"
    usd = micros / MICROS
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if usd >= size * 0.9995:
            scaled = usd / size
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"${scaled:.{digits}f}{unit}"
    return f"${usd:.0f}"


def estimate(micros: int | None, identifiability: str) -> str:
    """An estimate for people; >= marks a floor, ~ one that rests on other venues.

    >>> estimate(1_234_567_000_000, "ok"), estimate(1_234_567_000_000, "saturated")
    ('$1.23M', '>=$1.23M')
    >>> estimate(1_234_567_000_000, "extrapolated")
    '~$1.23M'
    """
    marks = {"ok": "", "extrapolated": "~"}
    mark = "" if micros is None else marks.get(identifiability, ">=")
    return mark + dollars(micros)


def moment(micros: int | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Microseconds as a UTC time to the second.

    >>> moment(1_790_000_000_000_000)
    '2026-09-21 14:13:20'
    """
    if micros is None:
        return "open"
    return datetime.fromtimestamp(micros // MICROS, UTC).strftime(form)


def window_table(rows: Iterable[WindowRow]) -> Table:
    """Cascade windows; `open` marks what is not known yet, `*` a row that may be revised."""
    table = Table(
        title="cascade windows (UTC)",
        title_justify="left",
        caption=">=: a floor, since a feed in it is partial (OKX) or saturated; ~: partly from "
        "other venues' feeds; -: a feed allows no figure; class *: may still be revised",
        caption_justify="left",
    )
    for name in ("scope", "side", "class", "onset", "detected", "end"):
        table.add_column(name, no_wrap=True)
    for name in ("observed", "estimated", "upper", "events"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("gates not passed")
    table.add_column("confidence", justify="right")
    for row in rows:
        held = [f"{gate} {state}" for gate, state in row.gates.items() if state != "pass"]
        table.add_row(
            row.scope,
            row.side,
            row.window_class + ("" if row.is_final else "*"),
            moment(row.onset),
            moment(row.detected_at, "%H:%M:%S"),
            moment(row.end, "%H:%M:%S"),
            dollars(row.usd_observed),
            estimate(row.usd_estimated, row.identifiability),
            dollars(row.usd_upper),
            f"{row.events:,}",
            ", ".join(held) or "none",
            f"{row.confidence:.2f}",
        )
    return table


def print_table(rows: Iterable[PrintRow], data_end: int | None) -> Table:
    """The 24 h print by scope at the end of the data (µs UTC); `as of` is the row's own second."""
    until = "no data" if data_end is None else f"the data end, {moment(data_end)} UTC"
    table = Table(title=f"liquidated in the 24 h before {until}", title_justify="left")
    table.add_column("scope")
    table.add_column("as of (UTC)", no_wrap=True)
    for name in ("observed", "estimated", "upper", "long", "short", "largest", "events"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("coverage", justify="right")
    for row in rows:
        table.add_row(
            row.scope,
            moment(row.as_of),
            dollars(row.usd_observed),
            estimate(row.usd_estimated, row.identifiability),
            dollars(row.usd_upper),
            dollars(row.long_usd),
            dollars(row.short_usd),
            dollars(row.largest_usd),
            f"{row.events:,}",
            f"{row.coverage:.2f}",
        )
    return table


def newest_print_table(summary: Summary) -> Table | None:
    """The market's newest 24 h print; None before the first."""
    if summary.newest_print is None:
        return None
    return print_table([_print_row(summary.newest_print)], summary.data_end)


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Show a summary on standard output."""
    out = console or report_console()
    made = f"{summary.records:,} records, {summary.frames:,} frames"
    out.print(f"{made} in {summary.seconds:.1f} s")
    for outcome in OUTCOMES:
        tally = summary.tally(outcome)
        if tally:
            parts = ", ".join(f"{name} {count:,}" for name, count in tally.items())
            out.print(f"  {outcome.replace('_', ' ')}: {parts}")
    windows = [WindowRow.of(window) for window in summary.ordered()]
    if windows:
        out.print(window_table(windows[:MAX_ROWS]))
        if len(windows) > MAX_ROWS:
            out.print(f"... and {len(windows) - MAX_ROWS} more windows")
    else:
        out.print("no cascade windows")
    told = newest_print_table(summary)
    if told is not None:
        out.print(told)
    for milestone in sorted(summary.milestones.values(), key=lambda m: (m.crossed_at, m.id)):
        out.print(f"milestone {moment(milestone.crossed_at)}: {milestone.text}")
    for change in list(summary.transitions.values())[:MAX_ROWS]:
        out.print(f"regime {moment(change.at)}: {change.scope} {change.to_state}")
    alerts = sorted(summary.alerts.values(), key=lambda alert: (alert.at, alert.id))
    for alert in alerts[:MAX_ROWS]:
        out.print(f"alert {moment(alert.at)} {alert.severity}: {alert.text}")
    if len(alerts) > MAX_ROWS:
        out.print(f"... and {len(alerts) - MAX_ROWS:,} more alerts")
    written = ", ".join(f"{name} {count:,}" for name, count in sorted(summary.rows.items()))
    out.print(f"written to {summary.target}: {written or 'nothing'}")


def _print_row(row: Print) -> PrintRow:
    return PrintRow(
        row.scope,
        row.as_of,
        row.usd_observed,
        row.usd_estimated,
        row.usd_upper,
        row.long_usd,
        row.short_usd,
        row.events,
        row.largest_usd,
        row.coverage,
        row.identifiability,
    )
