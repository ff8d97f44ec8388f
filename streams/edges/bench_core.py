"""Measures the core in memory: bytes to rows, against loops that only decode JSON.

A benchmark beside the data path: the same payload bytes go through the in-process engine, through
`json.loads` and through msgspec alone, in rounds that alternate, by CPU time of this process.
Promises medians of whole rounds and counts events (rows) the same way for all. Says nothing
about Kafka.
"""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final, Protocol

import msgspec

from streams.core.events import Raw

BATCH: Final = 1_000
"""Records given to the engine between two runs of the detectors."""


class Engine(Protocol):
    """An engine in this process, fresh."""

    def feed(self, raw: Raw, source: str = "") -> None:
        """Take one record."""

    def flush(self) -> object:
        """Run the detectors over what has been sealed."""


Decode = Callable[[bytes], object]


class Measured(msgspec.Struct, frozen=True):
    """Events per CPU second of each loop; `ratio` is that of CPU time per event, json first.

    `decode_only` reads trades with the venues' typed decoders: what no core can be faster than.
    """

    name: str
    events: int
    records: int
    mean_bytes: float
    core: float
    json_only: float
    decode_only: float
    ratio: float


def measure(
    name: str,
    raws: Sequence[Raw],
    events: int,
    engine: Callable[[], Engine],
    decoders: Mapping[str, Decode],
    rounds: int,
) -> Measured:
    """Run the loops `rounds` times in turn.

    Args:
        name: of the log.
        raws: its records.
        events: how many events (rows) they hold.
        engine: makes a fresh engine.
        decoders: typed decoder of a venue's trades, by venue.
        rounds: medians are taken of so many.
    """
    payloads = [raw.payload for raw in raws]
    plain_decode: Decode = msgspec.json.decode
    typed = [
        (decoders[raw.venue] if raw.channel == "trade" else plain_decode, raw.payload)
        for raw in raws
    ]
    core, plain, decoded = [], [], []
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        plain.append(_cpu_seconds(lambda: _json_only(payloads)))
        decoded.append(_cpu_seconds(lambda: _decode_only(typed)))
        core.append(_cpu_seconds(lambda: _core(raws, engine())))
    gc.unfreeze()
    return Measured(
        name,
        events,
        len(raws),
        sum(map(len, payloads)) / len(payloads),
        events / median(core),
        events / median(plain),
        events / median(decoded),
        median(plain) / median(core),
    )


def _cpu_seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _json_only(payloads: Sequence[bytes]) -> None:
    for payload in payloads:
        json.loads(payload)


def _decode_only(typed: Sequence[tuple[Decode, bytes]]) -> None:
    for decode, payload in typed:
        decode(payload)


def _core(raws: Sequence[Raw], engine: Engine) -> None:
    feed = engine.feed
    for start in range(0, len(raws), BATCH):
        for raw in raws[start : start + BATCH]:
            feed(raw)
        engine.flush()
