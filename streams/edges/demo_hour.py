"""The demo's hour: one short run of the simulator, its log and what truly happened in it.

First step of `demo`. Promises the same log and truth on every machine, the truth in the units of
the topics, and one message that breaks off, so that a dead letter can be seen. Knows no detector;
that its true flush is found is the demo's business. Needs the extra `simulate` to make the hour,
not to read one that was made before.
"""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS, PositionSide, Raw
from streams.edges import rawlog

if TYPE_CHECKING:
    from streams.simulation.truth import Truth

SCENARIO: Final = "build-up"
SEED: Final = 9
"""A train seed: the scoreboard's test seeds are shown nowhere."""
ASSETS: Final = 4
HOURS: Final = 1.0
CUT_OFF_AT_S: Final = 1_234
"""A copy of Binance's first trade from this second on lacks its end."""

Told = Callable[[str], None]


class TrueFlush(msgspec.Struct, frozen=True):
    """A labelled flush of the truth; times int64 microseconds UTC, dollars int64 micro-dollars.

    `excess_share`: of the dollars, what would not have been forced had forced orders moved no
    price; None where no fork was run.
    """

    scope: str
    side: PositionSide
    onset: int
    end: int
    usd: int
    orders: int
    excess_share: float | None
    self_reinforcing: bool | None


class Hour(msgspec.Struct, frozen=True):
    """What was written, and the truth behind it, which only a simulation knows.

    `began`, `ended`: UNIX seconds; `forced_usd`: true micro-dollars in the liquidated side's name;
    `published`: how many of the `forced` orders the feeds told.
    """

    scenario: str
    seed: int
    began: int
    ended: int
    records: int
    forced: int
    published: int
    forced_usd: dict[str, int]
    flushes: list[TrueFlush]


def require_simulator() -> None:
    """Refuse before anything is done.

    Raises:
        MarginquakeError: numba is missing.
    """
    if importlib.util.find_spec("numba") is None:
        raise MarginquakeError(
            "the demo's hour comes from the simulator, which needs numba: "
            "pip install 'marginquake[simulate]'"
        )


def hour_files(folder: Path) -> tuple[Path, Path]:
    """The raw logs of a folder written by `make_hour`."""
    return folder / "log.jsonl.zst", folder / "cut-off.jsonl"


def compile_simulator(folder: Path) -> None:
    """Run it for a few seconds of one coin: a first run compiles, later ones find machine code.

    Args:
        folder: for what is written; removed.

    Raises:
        MarginquakeError: numba is missing, or the folder cannot be written.
    """
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario

    simulate(scenario(SCENARIO), SEED, folder, assets=1, hours=0.1)
    shutil.rmtree(folder)


def make_hour(folder: Path, told: Told = lambda detail: None) -> Hour:
    """Simulate the hour into a folder.

    Args:
        folder: made where it is not there.
        told: a few words on how far it is.

    Raises:
        MarginquakeError: numba is missing, or the folder cannot be written.
    """
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario

    def progress(part: str, done: int, total: int) -> None:
        told(f"{part} {done / total:.0%}")

    run = simulate(scenario(SCENARIO), SEED, folder, assets=ASSETS, hours=HOURS, progress=progress)
    log, cut_off = hour_files(folder)
    try:
        cut_off.write_bytes(_broken_line(log, (run.truth.begin + CUT_OFF_AT_S) * MICROS))
    except OSError as error:
        raise MarginquakeError(
            f"cannot write to {folder}: {error.strerror}; set MARGINQUAKE_HOME to a folder of yours"
        ) from None
    return _hour(run.truth, run.lines + 1)


def _hour(truth: "Truth", records: int) -> Hour:
    return Hour(
        truth.scenario,
        truth.seed,
        truth.begin,
        truth.end,
        records,
        truth.forced_orders,
        truth.published_orders,
        {side: round(usd * MICROS) for side, usd in truth.forced_usd.items()},
        [
            TrueFlush(
                one.flush.scope,
                "long" if one.flush.side == "long" else "short",
                one.flush.onset * MICROS,
                one.flush.end * MICROS,
                round(one.flush.usd * MICROS),
                one.flush.orders,
                one.excess_share,
                one.self_reinforcing,
            )
            for one in truth.flushes
        ],
    )


def _broken_line(log: Path, from_us: int) -> bytes:
    """A line of a raw log whose payload breaks off in the middle."""
    for _, raw in rawlog.read(log):
        if (
            isinstance(raw, Raw)
            and (raw.venue, raw.channel) == ("binance-usdm", "trade")
            and raw.received_at_us >= from_us
        ):
            record = {
                "venue": raw.venue,
                "channel": raw.channel,
                "connection": raw.connection,
                "received_at_us": raw.received_at_us,
                "payload": raw.payload[: len(raw.payload) // 2].decode(),
            }
            return msgspec.json.encode(record) + b"\n"
    raise ValueError(f"{log} holds no trade of binance-usdm after {from_us}")
