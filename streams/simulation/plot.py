"""A picture of a run: price, depth, forced dollars, and the true windows beside detected ones.

Needs matplotlib (extra `simulate`). Draws what the truth knows, and under it what whoever calls it
has seen in the published log; knows no detector itself. A run of an hour and a half or more gets
a second column: the largest flush from close by.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from io import BytesIO
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from streams.config import MarginquakeError
from streams.simulation.flushes import MARKET
from streams.simulation.labels import Labelled
from streams.simulation.run import Run
from streams.simulation.tape import MICROS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN_ASSETS: Final = 6
POINTS: Final = 4_000
BINS: Final = 360
"""Bars of forced dollars, about, where a minute is not longer."""
ZOOM_FROM_S: Final = 5_400
BEFORE_S, AFTER_S = 600, 900
TRUE, REINFORCING, CASCADE, BURST = "tab:orange", "tab:red", "tab:blue", "lightsteelblue"
DEPTH_TICKS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
SHORTS: Final = "////"
"""Hatching of what concerns shorts."""
SIGN: Final = {"long": 1.0, "short": -1.0}


class Window(NamedTuple):
    """A detected window; UNIX seconds. `kind`: its class (`cascade` is drawn strong)."""

    scope: str
    side: str
    kind: str
    onset: int
    detected_at: int
    end: int


class Seen(NamedTuple):
    """What was made of the published log: windows, and published dollars by second and side."""

    windows: Sequence[Window]
    usd: Mapping[tuple[int, str], float]


def check_target(path: Path, folder: Path) -> None:
    """Refuse a picture that cannot be written, before anything is simulated.

    Args:
        path: the picture.
        folder: of the run, which will be made where it is not there.

    Raises:
        MarginquakeError: matplotlib is missing or knows no such format, there is no such folder,
            or the file cannot be written.
    """
    _require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kind = path.suffix[1:].lower()
    known = FigureCanvasAgg.get_supported_filetypes()
    try:
        # Some formats need more than matplotlib, LaTeX for one: only a trial tells.
        trial = Figure(figsize=(1, 1))
        trial.text(0.5, 0.5, "price")
        trial.savefig(BytesIO(), format=kind or "none")
    except (ValueError, OSError, RuntimeError, KeyError) as error:
        why = f": {error}" if kind in known else ""
        raise MarginquakeError(
            f"--plot {path}: no picture can be written as {path.suffix or 'a name without ending'}"
            f"{why}; end it in .png, .svg or .pdf (matplotlib knows {', '.join(sorted(known))})"
        ) from None
    if not path.parent.is_dir():
        if path.parent.resolve() == folder.resolve():
            return
        raise MarginquakeError(f"--plot {path}: the folder {path.parent} is not there; make it")
    there = lexists(path)
    try:
        path.open("ab").close()
        if not there:
            path.unlink()
    except OSError as error:
        raise MarginquakeError(
            f"--plot {path}: cannot be written ({error.strerror}); name a file in a folder of yours"
        ) from None


def draw(run: Run, path: Path, seen: Seen | None = None) -> None:
    """Write the picture of a run; the format follows the file's ending.

    Args:
        run: from `run.simulate`.
        path: .png, .svg, .pdf or what else `check_target` lets pass.
        seen: windows and published dollars to lay beside the true ones.

    Raises:
        MarginquakeError: matplotlib is missing, or the file cannot be written.
    """
    _require_matplotlib()
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    spans = _spans(run)
    names = [asset.name for asset in run.assets[:DRAWN_ASSETS]]
    lanes = [MARKET, *names] if len(names) > 1 else names
    figure, grid = pyplot.subplots(
        4,
        len(spans),
        sharex="col",
        squeeze=False,
        figsize=(8.5 + 3.5 * len(spans), 10.5),
        height_ratios=[3, 1.6, 2.4, 0.5 + 0.36 * len(lanes)],
        width_ratios=[1.25, 1.0][: len(spans)],
    )
    for column, (begin, end) in enumerate(spans):
        _column(run, seen, lanes, begin, end, list(grid[:, column]), first=column == 0)
    if len(spans) == 2:
        grid[0, 0].set_title("the whole run", fontsize="small")
        grid[0, 1].set_title("its largest flush", fontsize="small")
    _explain(figure, seen)
    figure.suptitle(f"{run.scenario.name}, seed {run.seed}: SIMULATED", fontsize="medium")
    figure.tight_layout(rect=(0, 0.035, 1, 1))
    picture = BytesIO()
    try:
        # Only some formats take metadata, and only a PNG would name the version of matplotlib.
        kind = path.suffix[1:].lower()
        metadata = {"Software": None} if kind == "png" else None
        figure.savefig(picture, format=kind, dpi=120, metadata=metadata)
        path.write_bytes(picture.getvalue())
    except (OSError, ValueError) as error:
        raise MarginquakeError(f"cannot write the picture to {path}: {error}") from None
    finally:
        pyplot.close(figure)


def _require_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise MarginquakeError("--plot needs matplotlib: pip install 'marginquake[simulate]'")


def _spans(run: Run) -> list[tuple[int, int]]:
    """The whole run, and the surroundings of its largest flush where they are but a part of it."""
    begin = run.scenario.start_s
    end = begin + int(run.tape.steps * run.tape.step_s)
    largest = max((one.flush for one in run.truth.flushes), key=lambda f: f.usd, default=None)
    if largest is None or end - begin < ZOOM_FROM_S:
        return [(begin, end)]
    near = (max(begin, largest.onset - BEFORE_S), min(end, largest.end + AFTER_S))
    return [(begin, end), near]


def _column(
    run: Run,
    seen: Seen | None,
    lanes: Sequence[str],
    begin: int,
    end: int,
    axes: "Sequence[Axes]",
    *,
    first: bool,
) -> None:
    from matplotlib import dates

    price, depth, forced, windows = axes
    _paths(run, begin, end, price, depth)
    _forced(run, seen, begin, end, forced)
    _windows(run.truth.flushes, seen, lanes, windows)
    for one in run.truth.flushes:
        if one.flush.scope == lanes[0]:
            for axis in (price, depth, forced):
                axis.axvspan(
                    _time(one.flush.onset), _time(one.flush.end), color=_shade(one), alpha=0.15
                )
    windows.set_xlim(_time(begin), _time(end))
    locator = windows.xaxis.get_major_locator()
    windows.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    for axis in axes:
        axis.grid(axis="x", lw=0.3)
    if first:
        price.set_ylabel("price, % since the start")
        price.legend(ncols=DRAWN_ASSETS, fontsize="small", frameon=False)
        depth.set_ylabel("depth over its median")
        forced.set_ylabel("forced, $M a minute\nshorts below zero")
        forced.legend(fontsize="small", frameon=False, loc="upper left")


def _paths(run: Run, begin: int, end: int, price: "Axes", depth: "Axes") -> None:
    """Prices and depth of the largest coins."""
    tape, start = run.tape, run.scenario.start_s
    low = int((begin - start) / tape.step_s)
    high = min(tape.steps, int((end - start) / tape.step_s))
    rows = slice(low, high, max(1, (high - low) // POINTS))
    times = [_time(start + step * tape.step_s) for step in range(low, high, rows.step)]
    for row, asset in enumerate(run.assets[:DRAWN_ASSETS]):
        shown = 100 * (tape.price[rows, row] / tape.price[0, row] - 1)
        price.plot(times, shown, lw=0.8, label=asset.name)
        usual = float(np.median(tape.depth[: tape.steps, row]))
        depth.plot(times, tape.depth[rows, row] / usual, lw=0.7)
    depth.set_yscale("log")
    least, most = depth.get_ylim()
    depth.set_yticks([tick for tick in DEPTH_TICKS if least <= tick <= most])
    depth.yaxis.set_major_formatter("{x:g}")
    depth.minorticks_off()


def _forced(run: Run, seen: Seen | None, begin: int, end: int, axis: "Axes") -> None:
    """True forced dollars as areas, published ones as lines, $M a minute."""
    tape, start = run.tape, run.scenario.start_s
    width = int(max(tape.step_s, 5, min(60, (end - begin) // BINS)))
    edges = np.arange(begin, end + 1, width)
    times = [_time(float(edge)) for edge in edges[:-1]]
    total = tape.usd[: tape.steps].sum(axis=(1, 2)) / MICROS
    at = start + np.arange(tape.steps) * tape.step_s
    scale = 60 / width / 1e6
    for row, (side, sign) in enumerate(SIGN.items()):
        true, _ = np.histogram(at, edges, weights=total[:, row])
        axis.fill_between(
            times,
            sign * true * scale,
            step="post",
            color="tab:gray",
            alpha=0.55,
            lw=0,
            label=None if row else "true",
        )
        if seen is not None:
            mine = [(second, usd) for (second, of), usd in seen.usd.items() if of == side]
            seconds, usd = zip(*mine, strict=True) if mine else ((), ())
            told, _ = np.histogram(seconds, edges, weights=usd)
            axis.step(
                times,
                sign * told * scale,
                where="post",
                color="black",
                lw=0.8,
                label=None if row else "published",
            )
    axis.axhline(0, color="black", lw=0.4)


def _windows(
    flushes: Sequence[Labelled], seen: Seen | None, lanes: Sequence[str], axis: "Axes"
) -> None:
    """A lane a scope: true flushes in its upper half, detected windows in its lower one."""
    lane = {scope: len(lanes) - 1 - n for n, scope in enumerate(lanes)}
    for one in flushes:
        if one.flush.scope in lane:
            low = lane[one.flush.scope] + 0.5
            _bar(axis, one.flush.onset, one.flush.end, low, _shade(one), one.flush.side)
    for window in () if seen is None else seen.windows:
        if window.scope in lane:
            low = lane[window.scope] + 0.12
            strong = window.kind == "cascade"
            shade = CASCADE if strong else BURST
            _bar(axis, window.onset, window.end, low, shade, window.side)
            if strong:
                axis.plot([_time(window.detected_at)] * 2, [low, low + 0.34], color="black", lw=1.2)
    for height in range(1, len(lanes)):
        axis.axhline(height, color="lightgray", lw=0.5)
    axis.set_ylim(0, len(lanes))
    axis.set_yticks([height + 0.5 for height in lane.values()], list(lane))
    axis.tick_params(axis="y", length=0)


def _bar(axis: "Axes", begin: float, end: float, low: float, color: str, side: str) -> None:
    # Edges keep a window of a minute visible in a day.
    axis.fill_between(
        [_time(begin), _time(max(end, begin + 1))],
        low,
        low + 0.34,
        facecolor=color,
        edgecolor="black" if side == "short" else color,
        hatch=SHORTS if side == "short" else None,
        lw=0.6,
    )


def _explain(figure: Any, seen: Seen | None) -> None:
    """One legend for all shades and bars."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown: list[Any] = [
        Patch(color=REINFORCING, label="true flush, self-reinforcing"),
        Patch(color=TRUE, label="true flush"),
    ]
    if seen is not None:
        shown += [
            Patch(color=CASCADE, label="detected cascade"),
            Line2D([], [], color="black", lw=1.2, label="detected at"),
            Patch(color=BURST, label="detected burst"),
        ]
    shown.append(Patch(facecolor="white", edgecolor="black", hatch=SHORTS, label="of shorts"))
    figure.legend(handles=shown, loc="lower center", ncols=6, fontsize="small", frameon=False)


def _shade(one: Labelled) -> str:
    return REINFORCING if one.self_reinforcing else TRUE


def _time(second: float) -> Any:
    # Matplotlib takes datetimes where its stubs ask for numbers.
    return datetime.fromtimestamp(float(second), UTC)
