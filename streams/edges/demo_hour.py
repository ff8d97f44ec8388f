"""The demo's hour: one short run of the simulator, its log and what truly happened in it.

First step of `demo`, which runs the commands given here. Promises the same log and truth on every
machine, the truth in the units of the topics, and one message that breaks off, so that a dead
letter can be seen. Imports no simulator: the hour is read from the files of a run.
"""

import importlib.util
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS, PositionSide, Raw
from streams.edges import rawlog

SCENARIO: Final = "build-up"
SEED: Final = 2
"""A train seed: test seeds are for the scoreboard alone."""
ASSETS: Final = 4
HOURS: Final = 1.0
CUT_OFF_AT_S: Final = 1_234
"""A copy of Binance's first trade from this second on lacks its end."""


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


class _Flush(msgspec.Struct):
    """Of a truth file, see docs/simulation.md; seconds and USD."""

    scope: str
    side: PositionSide
    onset: int
    end: int
    usd: float
    orders: int


class _Labelled(msgspec.Struct):
    flush: _Flush
    excess_share: float | None
    self_reinforcing: bool | None


class _Truth(msgspec.Struct):
    scenario: str
    seed: int
    begin: int
    end: int
    forced_orders: int
    published_orders: int
    forced_usd: dict[str, float]
    flushes: list[_Labelled]


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
    """The raw logs of a folder written by `simulation` and `read_hour`."""
    return folder / "log.jsonl.zst", folder / "cut-off.jsonl"


def warm_up(folder: Path) -> tuple[str, ...]:
    """The command that makes a first run compile, and later ones find machine code."""
    return _run(folder, "--assets", "1", "--hours", "0.1")


def simulation(folder: Path) -> tuple[str, ...]:
    """The command that simulates the hour into a folder."""
    return _run(folder, "--seed", str(SEED), "--assets", str(ASSETS), "--hours", str(HOURS))


def _run(folder: Path, *options: str) -> tuple[str, ...]:
    # The hour takes the place of the warm-up, and both that of an earlier demo's.
    return ("simulate", SCENARIO, *options, "--overwrite", "-o", str(folder))


def read_hour(folder: Path, lines: int) -> Hour:
    """The hour that `simulation` has made; writes the broken message beside its log.

    Args:
        folder: of the run.
        lines: of its log.

    Raises:
        MarginquakeError: the folder cannot be read or written.
    """
    log, cut_off = hour_files(folder)
    try:
        truth = msgspec.json.decode((folder / "truth.json").read_bytes(), type=_Truth)
        cut_off.write_bytes(_broken_line(log, (truth.begin + CUT_OFF_AT_S) * MICROS))
    except OSError as error:
        raise MarginquakeError(
            f"cannot use {folder}: {error.strerror}; set MARGINQUAKE_HOME to a folder of yours"
        ) from None
    return Hour(
        truth.scenario,
        truth.seed,
        truth.begin,
        truth.end,
        lines + 1,
        truth.forced_orders,
        truth.published_orders,
        {side: round(usd * MICROS) for side, usd in truth.forced_usd.items()},
        [
            TrueFlush(
                one.flush.scope,
                one.flush.side,
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
