"""Measures what a message of each venue costs to decode and normalise.

A benchmark beside the data path: the documented examples of `raw.v1` go through
`streams.core.normalise`, through msgspec and through `json.loads` alone, in rounds that alternate,
by CPU time of this process. Promises the same bytes for all three and medians of whole rounds. It
repeats few messages, so caches are warm: a floor, no forecast of a day's mix.
"""

import gc
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from schemas import examples
from streams.core.events import Ignored, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise

ALL: Final = "all"
"""The row of a venue's messages of every channel."""


class Example(msgspec.Struct, frozen=True):
    """A record of `raw.v1` in its readable form."""

    headers: dict[str, str]
    value: str


class Cost(msgspec.Struct, frozen=True):
    """CPU microseconds a message, of one venue and channel (or `all` of them).

    `messages`: how many different ones; `events`: of one message, on average. `ratio`: of
    normalising, which decodes too, to decoding by msgspec alone.
    """

    venue: str
    channel: str
    messages: int
    mean_bytes: float
    events: float
    json_us: float
    msgspec_us: float
    normalise_us: float
    ratio: float


def documented() -> dict[str, list[Raw]]:
    """The example records by venue, those of status apart."""
    found: defaultdict[str, list[Raw]] = defaultdict(list)
    for text in examples("raw"):
        example = msgspec.json.decode(text, type=Example)
        headers = example.headers
        if headers["channel"] not in ("status", "macro"):
            venue, received_us = headers["venue"], int(headers["received_at"])
            payload = example.value.encode()
            found[venue].append(
                Raw(venue, headers["channel"], headers["connection"], received_us, payload)
            )
    return dict(sorted(found.items()))


def measure(
    raws: Mapping[str, Sequence[Raw]],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    messages: int,
    rounds: int,
) -> list[Cost]:
    """A row for each venue and one for each of its channels.

    Args:
        raws: different records by venue.
        parsers: parser by venue id.
        instruments: contract sizes and classes.
        messages: how many are read in a round, of a venue's channel.
        rounds: medians are taken of so many.
    """
    found: list[Cost] = []
    gc.collect()
    gc.freeze()
    for venue, records in raws.items():
        by_channel = defaultdict(list)
        for raw in records:
            by_channel[raw.channel or ""].append(raw)
        for channel, some in ((ALL, list(records)), *sorted(by_channel.items())):
            found.append(_cost(venue, channel, some, parsers, instruments, messages, rounds))
    gc.unfreeze()
    return found


def _cost(
    venue: str,
    channel: str,
    raws: Sequence[Raw],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    messages: int,
    rounds: int,
) -> Cost:
    payloads = [raw.payload for raw in raws]
    times = -(-messages // len(raws))
    count = times * len(raws)

    def canonical() -> None:
        for _ in range(times):
            for raw in raws:
                normalise(raw, parsers, instruments)

    def decoded(decode: Callable[[bytes], object]) -> Callable[[], None]:
        def loop() -> None:
            for _ in range(times):
                for payload in payloads:
                    decode(payload)

        return loop

    loops = (decoded(json.loads), decoded(msgspec.json.decode), canonical)
    spent: list[list[float]] = [[] for _ in loops]
    for _ in range(rounds):
        for taken, loop in zip(spent, loops, strict=True):
            began = time.process_time()
            loop()
            taken.append((time.process_time() - began) / count * 1e6)
    plain, bare, own = map(median, spent)
    outcomes = [one for raw in raws for one in normalise(raw, parsers, instruments)]
    events = [one for one in outcomes if not isinstance(one, Rejected | Ignored)]
    return Cost(
        venue=venue,
        channel=channel,
        messages=len(raws),
        mean_bytes=sum(map(len, payloads)) / len(payloads),
        events=len(events) / len(raws),
        json_us=plain,
        msgspec_us=bare,
        normalise_us=own,
        ratio=own / bare,
    )
