"""The plots of a report, as SVG that stands inside its page.

Under `page`. Promises the same bytes for the same facts, UTC, and no plot (None) where there is
nothing to plot. Draws published dollars and readings as they are: no smoothing, nothing filled in.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, Final

from streams.config import MarginquakeError
from streams.facts.reading import EPOCH, SECOND
from streams.report.gather import Story

_LONG: Final = "#b3261e"
_SHORT: Final = "#146c43"
_LINE: Final = "#0b5cad"
_SHADE: Final = "#e0a060"
_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "timezone": "UTC",
}


def plots(story: Story) -> dict[str, str]:
    """SVG by name: price, sides, health, days; those with nothing to show are absent.

    Raises:
        MarginquakeError: matplotlib is not installed.
    """
    drawn = {
        "price": _price(story),
        "sides": _sides(story),
        "health": _health(story),
        "days": _days(story),
    }
    return {name: svg for name, svg in drawn.items() if svg is not None}


def _price(story: Story) -> str | None:
    if len(story.prices) < 2:
        return None

    def paint(axes: Any) -> None:
        at = [_moment(bar.start) for bar in story.prices]
        axes.fill_between(
            at,
            [bar.low for bar in story.prices],
            [bar.high for bar in story.prices],
            color=_LINE,
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(at, [bar.price for bar in story.prices], color=_LINE, linewidth=1.2)
        axes.set_ylabel("USD per coin")
        _shade(axes, story)

    return _draw("price", story, paint)


def _sides(story: Story) -> str | None:
    if not story.sides:
        return None

    def paint(axes: Any) -> None:
        at = [_moment(bar.start) for bar in story.sides]
        width = timedelta(seconds=story.span.step)
        axes.bar(
            at, [float(b.long_usd) for b in story.sides], width, align="edge", color=_LONG,
            label="longs closed",
        )  # fmt: skip
        axes.bar(
            at, [-float(b.short_usd) for b in story.sides], width, align="edge", color=_SHORT,
            label="shorts closed",
        )  # fmt: skip
        axes.axhline(0, color="#555555", linewidth=0.6)
        axes.yaxis.set_major_formatter(lambda usd, _: _compact(abs(usd)))
        axes.set_ylabel("published USD")
        axes.legend(frameon=False, ncols=2, loc="upper left")
        _shade(axes, story)

    return _draw("sides", story, paint)


def _health(story: Story) -> str | None:
    known = [point for point in story.health_path if point.health is not None]
    if len(known) < 2:
        return None

    def paint(axes: Any) -> None:
        # A point that is not known breaks the line.
        axes.step(
            [_moment(point.read_at) for point in story.health_path],
            [float("nan") if p.health is None else p.health for p in story.health_path],
            where="post",
            color=_LINE,
        )
        axes.set_ylim(0, 100)
        axes.set_ylabel("health, 0 to 100")
        _shade(axes, story)

    return _draw("health", story, paint)


def _days(story: Story) -> str | None:
    if len(story.days) < 2:
        return None

    def paint(axes: Any) -> None:
        at = [_moment(day.period_start) for day in story.days]
        inside = [day.period_start + 86_400 * SECOND > story.span.begin for day in story.days]
        axes.bar(
            at,
            [float(day.usd_observed) for day in story.days],
            timedelta(hours=20),
            align="edge",
            color=[_SHADE if mine else _LINE for mine in inside],
        )
        axes.yaxis.set_major_formatter(lambda usd, _: _compact(usd))
        axes.set_ylabel("published USD a day")

    return _draw("days", story, paint, bounded=False)


def _draw(
    name: str, story: Story, paint: Callable[[Any], None], bounded: bool = True
) -> str | None:
    try:
        import matplotlib
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        raise MarginquakeError(
            "a report needs matplotlib: pip install 'marginquake[report]'"
        ) from None
    # The salt makes the ids of clip paths those of this plot: several stand in one page.
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(9.2, 2.7), layout="constrained")
        axes: Any = figure.subplots()
        paint(axes)
        if bounded:
            axes.set_xlim(_moment(story.span.begin), _moment(story.span.end))
        locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        shown = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(shown)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _shade(axes: Any, story: Story) -> None:
    for window in story.windows:
        if window.scope == story.span.scope:
            axes.axvspan(
                _moment(window.onset),
                _moment(window.end or story.span.end),
                color=_SHADE,
                alpha=0.3,
                linewidth=0,
            )


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def _compact(usd: float) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if usd >= size:
            return f"${usd / size:g}{letter}"
    return f"${usd:g}"
