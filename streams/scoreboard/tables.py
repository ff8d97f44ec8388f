"""Cells and tables of the results page.

Promises that an unknown figure is a dash and that an interval stands beside every figure with one.
"""

from collections.abc import Iterable, Sequence

from streams.scoreboard.bootstrap import Interval
from streams.scoreboard.detection import Line


def spread(of: Interval, form: str = "{:.2f}") -> str:
    """A figure with its interval, as the page shows it."""
    if of.estimate is None:
        return "-"
    if of.low is None or of.high is None:
        return form.format(of.estimate)
    return f"{form.format(of.estimate)} [{form.format(of.low)}, {form.format(of.high)}]"


def values(setting: Sequence[float]) -> str:
    """A setting's values."""
    return ", ".join(f"{value:g}" for value in setting)


def figure(line: Line, name: str, form: str = "{:.2f}") -> str:
    """One figure of a line, without its interval."""
    return number(line.figures[name].estimate, form)


def number(value: float | None, form: str = "{:.2f}") -> str:
    """A number, or a dash."""
    return "-" if value is None else form.format(value)


def seed_range(seeds: Sequence[int]) -> str:
    """The first and the last of seeds that follow each other."""
    return f"{seeds[0]} to {seeds[-1]}"


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
