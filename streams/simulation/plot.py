"""A picture of a run: price, depth, forced dollars, and the true windows over them.

Needs matplotlib (extra `simulate`). Draws what the truth file says; windows of a detector can be
laid beside them by whoever has some.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from streams.config import MarginquakeError
from streams.simulation.flushes import MARKET
from streams.simulation.run import Run
from streams.simulation.tape import MICROS

Window = tuple[int, int]


def draw(run: Run, path: Path, detected: Sequence[Window] = ()) -> None:
    """Write the picture of a run; the format follows the file's ending.

    Args:
        run: from `run.simulate`.
        path: .png, .svg or .pdf.
        detected: windows (onset, end; UNIX seconds) to draw under the true ones.

    Raises:
        MarginquakeError: matplotlib is missing, or the file cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MarginquakeError(
            "--plot needs matplotlib: pip install 'marginquake[simulate]'"
        ) from error
    mpl.use("Agg")
    from matplotlib import dates, pyplot

    tape, scenario = run.tape, run.scenario
    every = max(1, tape.steps // 4_000)
    seconds = scenario.start_s + np.arange(0, tape.steps, every) * tape.step_s
    times = [datetime.fromtimestamp(float(second), UTC) for second in seconds]
    figure, (top, middle, bottom) = pyplot.subplots(3, 1, sharex=True, figsize=(11, 7.5))
    for row, asset in enumerate(run.assets[:6]):
        prices = tape.price[: tape.steps : every, row]
        top.plot(times, 100 * (prices / tape.price[0, row] - 1), lw=0.8, label=asset.name)
        usual = float(np.median(tape.depth[: tape.steps, row]))
        middle.plot(times, tape.depth[: tape.steps : every, row] / usual, lw=0.7)
    top.set_ylabel("price, % since the start")
    top.legend(ncols=6, fontsize="small", frameon=False)
    middle.set_ylabel("depth over its median")
    middle.set_yscale("log")
    width = max(1, int(60 / tape.step_s))
    minutes = tape.steps // width
    forced = tape.usd[: minutes * width].sum(axis=(1, 2)).reshape(minutes, width, 2).sum(axis=1)
    at = [
        datetime.fromtimestamp(float(scenario.start_s + n * width * tape.step_s), UTC)
        for n in range(minutes)
    ]
    bottom.fill_between(at, forced[:, 0] / MICROS / 1e6, step="post", label="longs")
    bottom.fill_between(at, -forced[:, 1] / MICROS / 1e6, step="post", label="shorts")
    bottom.set_ylabel("forced, $M a minute")
    bottom.legend(fontsize="small", frameon=False)
    for one in run.truth.flushes:
        if one.flush.scope == MARKET:
            begin, end = (
                datetime.fromtimestamp(float(s), UTC) for s in (one.flush.onset, one.flush.end)
            )
            shade = "tab:red" if one.self_reinforcing else "tab:orange"
            for axis in (top, middle, bottom):
                axis.axvspan(begin, end, color=shade, alpha=0.25, lw=0)
    for onset, end_s in detected:
        spans = (datetime.fromtimestamp(float(s), UTC) for s in (onset, end_s))
        bottom.axvspan(*spans, ymax=0.05, color="tab:green", lw=0)
    locator = bottom.xaxis.get_major_locator()
    form = dates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    bottom.xaxis.set_major_formatter(form)
    figure.suptitle(
        f"{scenario.name}, seed {run.seed}: SIMULATED; true flushes of the market shaded "
        "(red: self-reinforcing)",
        fontsize="medium",
    )
    figure.tight_layout()
    try:
        figure.savefig(path, dpi=120, metadata={"Software": None} if path.suffix == ".png" else {})
    except (OSError, ValueError) as error:
        raise MarginquakeError(f"cannot write the picture to {path}: {error}") from None
    finally:
        pyplot.close(figure)
