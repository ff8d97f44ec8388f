"""Simulated leverage cycles with their truth, for the scores of regime and health.

Before the scores of slow signals. A seed is 150 days of `cycles` in steps of a minute, two coins,
no feed layer: hours of the first coin as `series.csv` holds them, its minutes, and the true phases.
Promises that a run is not made again while the simulator that made it is the same, and that nothing
here knows what a detector says.
"""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from streams import simulation
from streams.config import MarginquakeError
from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.results.regimes import RegimeName
from streams.edges.series import read_series

SCENARIO: Final = "cycles"
MARK: Final = "made-by"
MINUTE: Final = 60


class Entered(msgspec.Struct, frozen=True):
    """A true phase and the second (s) from which it stands."""

    at: int
    phase: RegimeName


class Cycle(msgspec.Struct, frozen=True):
    """One seed; seconds are UNIX seconds, dollars true USD.

    `hours`: of the first coin; `prices`: its price at the end of each minute from `begin` on;
    `forced`: (first second of the minute, long USD, short USD) of its minutes that had any.
    """

    seed: int
    begin: int
    hours: tuple[HourBar, ...]
    phases: tuple[Entered, ...]
    prices: tuple[float, ...]
    forced: tuple[tuple[int, float, float], ...]

    @property
    def name(self) -> str:
        """Also the name of its folder."""
        return f"{SCENARIO}-{self.seed}"

    def phase_at(self, second: int) -> RegimeName:
        """The true phase that stands at a second."""
        return self.phases[bisect_right(self.phases, second, key=lambda one: one.at) - 1].phase

    def ends(self) -> list[int]:
        """The second at which each hour closes."""
        return [bar.start + HOUR for bar in self.hours]


class _Truth(msgspec.Struct):
    begin: int
    assets: list[str]
    regimes: list[Entered]
    forced: list[tuple[int, str, str, str, int, float]]
    prices: dict[str, list[float]]


def cycle(seed: int, folder: Path) -> Cycle:
    """One seed below `folder`, simulated where it is not there (about a minute).

    Raises:
        MarginquakeError: the folder cannot be written, or the extra `simulate` is not installed.
    """
    here = folder / f"{SCENARIO}-{seed}"
    mark = made_by()
    if not (here / MARK).is_file() or (here / MARK).read_text() != mark:
        _simulate(seed, here)
        (here / MARK).write_text(mark)
    truth = msgspec.json.decode((here / "truth.json").read_bytes(), type=_Truth)
    name = truth.assets[0]
    flows: dict[int, list[float]] = {}
    for second, asset, _, side, _, usd in truth.forced:
        if asset == name:
            minute = flows.setdefault(second - second % MINUTE, [0.0, 0.0])
            minute[side == "short"] += usd
    return Cycle(
        seed,
        truth.begin,
        tuple(read_series(here / "series.csv")),
        tuple(truth.regimes),
        tuple(truth.prices[name]),
        tuple((at, longs, shorts) for at, (longs, shorts) in sorted(flows.items())),
    )


def cycles(seeds: Sequence[int], folder: Path) -> list[Cycle]:
    """Several seeds, in their order."""
    return [cycle(seed, folder) for seed in seeds]


def made_by() -> str:
    """A hash of the simulator's code."""
    found = sha256()
    for path in sorted(Path(str(simulation.__file__)).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _simulate(seed: int, here: Path) -> None:
    try:
        from streams.simulation.run import simulate
        from streams.simulation.scenarios import scenario
    except ImportError as error:
        raise MarginquakeError(
            f"simulation needs {error.name}: pip install 'marginquake[simulate]'"
        ) from None
    simulate(scenario(SCENARIO), seed, here, labels=False)
