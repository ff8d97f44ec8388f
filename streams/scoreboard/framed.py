"""Makes a run: simulates its market and frames the log, one receipt second at a time.

First step of every score, and the slow one. A run's folder holds the simulator's files, the case
(`case.msgpack.zst`) and what the framer sealed (`sealed.msgpack.zst`), each batch with the receipt
time at which it left the framer, so that detectors can be run on it again and again. A run is made
again when the code that made it has changed.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import zstandard

from streams.core.detectors.moment import Reference, moment_of
from streams.core.events import MICROS
from streams.core.frames import Frame, Tick
from streams.core.framing import Framer, PartitionState
from streams.scoreboard.cases import RunKey
from streams.scoreboard.keeping import code
from streams.scoreboard.spans import Case, Event, Order

if TYPE_CHECKING:
    from streams.simulation.flushes import Flush

CASE: Final = "case.msgpack.zst"
SEALED: Final = "sealed.msgpack.zst"
MARK: Final = "made-by"
MADE_BY: Final = (
    "simulation",
    "venues",
    *(f"core/{name}.py" for name in ("buckets", "canonical", "clock", "events", "frames")),
    "core/framing.py",
    *(f"core/{name}.py" for name in ("instruments", "lanes", "normalise", "outside", "partition")),
    *(f"core/{name}.py" for name in ("sealing", "slots", "tapes", "thinning")),
    "edges/archives",
    "edges/rawlog.py",
    *(f"scoreboard/{name}.py" for name in ("framed", "spans")),
)
"""Code whose change makes a run stale, below `streams`."""
OTHER_RATES_BP: Final = (2.8, 5.6, 8.0)
"""Rates for which the label is made again, to see what the scores owe to its own."""


T = TypeVar("T")


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What left the framer at receipt time `now_us`."""

    now_us: int
    frames: tuple[Frame, ...]
    ticks: tuple[Tick, ...]


def make(key: RunKey, folder: Path) -> Path:
    """Simulate and frame one run below `folder`; returns its folder. Skips what is there."""
    here = folder / key.name
    mark = f"{code(MADE_BY)} {key.plan.hours:g} {key.plan.assets}"
    if (here / MARK).is_file() and (here / MARK).read_text() == mark:
        return here
    case, log = _simulated(key, here)
    orders, interest = _framed(log, here / SEALED, case.begin, case.end)
    whole = msgspec.structs.replace(case, orders=tuple(orders), interest=interest)
    packed = zstandard.ZstdCompressor(3).compress(msgspec.msgpack.encode(whole))
    (here / CASE).write_bytes(packed)
    (here / MARK).write_text(mark)
    return here


def make_all(
    keys: Sequence[RunKey],
    folder: Path,
    workers: int,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Path]:
    """Make every run, `workers` at a time; `progress` is told how many are there."""
    return over(make, [(key, folder) for key in keys], workers, progress)


def over(
    work: Callable[..., T],
    arguments: Sequence[tuple[object, ...]],
    workers: int,
    progress: Callable[[int], None] = lambda done: None,
) -> list[T]:
    """Call `work` with each of the arguments in `workers` processes; results in their order.

    One worker is this process.
    """
    if workers == 1:
        made: list[T] = []
        for given in arguments:
            made.append(work(*given))
            progress(len(made))
        return made
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(work, *one) for one in arguments]
        for count, one in enumerate(as_completed(waiting), 1):
            one.result()
            progress(count)
        return [one.result() for one in waiting]


def read_case(folder: Path) -> Case:
    """The case of a finished run."""
    data = zstandard.ZstdDecompressor().decompress((folder / CASE).read_bytes())
    return msgspec.msgpack.decode(data, type=Case)


def read_sealed(folder: Path) -> Iterator[Sealed]:
    """What the framer sealed, batch by batch."""
    decode = msgspec.msgpack.Decoder(Sealed).decode
    with (
        (folder / SEALED).open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as data,
    ):
        while head := data.read(4):
            yield decode(data.read(int.from_bytes(head, "big")))


def _simulated(key: RunKey, here: Path) -> tuple[Case, Path]:
    """Run the market; the case has no orders yet."""
    from streams.simulation.files import LOG
    from streams.simulation.flushes import FlushRule, flushes_of
    from streams.simulation.points import simulate_points
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario

    plan = key.plan
    at_rates: dict[float, tuple[Event, ...]] = {}
    if key.scenario.startswith("points-"):
        kind = key.scenario.removeprefix("points-")
        told = simulate_points(kind, key.seed, here, plan.assets, plan.hours)
        begin, end, assets = told.begin, told.end, tuple(told.assets)
        events = tuple(_event(one) for one in told.flushes)
    else:
        run = simulate(scenario(key.scenario), key.seed, here, plan.assets, plan.hours)
        truth = run.truth
        begin, end, assets = truth.begin, truth.end, tuple(truth.assets)
        events = tuple(
            msgspec.structs.replace(
                _event(one.flush),
                self_reinforcing=one.self_reinforcing,
                excess_share=one.excess_share,
                amplification=one.amplification,
            )
            for one in truth.flushes
        )
        at_rates = {
            rate: tuple(
                _event(one)
                for one in flushes_of(
                    run.tape, assets, run.scenario.start_s, FlushRule(rate_bp=rate)
                )
            )
            for rate in OTHER_RATES_BP
        }
    steady = plan.steady
    case = Case(key.name, key.scenario, begin, end, assets, steady, events, (), at_rates=at_rates)
    return case, here / LOG


def _event(flush: "Flush") -> Event:
    return Event(
        flush.scope,
        "long" if flush.side == "long" else "short",
        flush.onset,
        flush.end,
        flush.usd,
        flush.orders,
        1e4 * flush.peak_usd / flush.interest_usd,
    )


def _framed(
    log: Path, target: Path, begin: int, end: int
) -> tuple[list[Order], dict[str, tuple[float, ...]]]:
    """Frame a log as a live framer would, and keep what it seals; returns the published orders,
    and open interest by minute.
    """
    from streams.contracts import partition_for
    from streams.edges.archives import lines
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    framer = Framer(PartitionState(0, 1), PARSERS, instruments, partition_for, whole=True)
    encode = msgspec.msgpack.Encoder().encode
    orders: list[Order] = []
    references: dict[str, Reference] = {}
    minutes = -(-(end - begin) // 60)
    interest: dict[str, list[float]] = {}
    second, now_us = 0, 0
    with target.open("wb") as file, zstandard.ZstdCompressor(3).stream_writer(file) as packed:

        def pass_on() -> None:
            out = framer.drain()
            orders.extend(
                Order(
                    one.event_time_us // MICROS,
                    one.asset,
                    one.venue,
                    one.position_side,
                    one.usd / MICROS,
                )
                for one in out.liquidations
                if one.kind != "adl"
            )
            for frame in out.frames:
                moment = moment_of(frame, references.setdefault(frame.asset, Reference()))
                minute = (moment.second - begin) // 60
                if moment.oi_usd is not None and 0 <= minute < minutes:
                    known = interest.setdefault(frame.asset, [])
                    known.extend(known[-1:] * (minute - len(known)))
                    known.extend([0.0] * (minute - len(known)))
                    known[minute:] = [moment.oi_usd / MICROS]
            if out.frames or out.ticks:
                data = encode(Sealed(now_us, tuple(out.frames), tuple(out.ticks)))
                packed.write(len(data).to_bytes(4, "big") + data)

        for line in lines([log], PARSERS, instruments):
            if line.raw.received_at_us // MICROS != second:
                pass_on()
                second = line.raw.received_at_us // MICROS
            now_us = line.raw.received_at_us
            framer.apply(line.raw, line.source)
        pass_on()
    whole = {
        asset: (*known, *known[-1:] * (minutes - len(known))) for asset, known in interest.items()
    }
    return sorted(orders, key=lambda one: one.second), whole
