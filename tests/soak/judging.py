"""What a soak must show: flat memory, and every numbered message in the log, once and in order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

MIB: Final = 1 << 20
MOST_GROWTH: Final = 1.10
SLACK: Final = 8 * MIB
_NUMBER: Final = re.compile(rb',"soak":(\d+)\}\s*$')


@dataclass(frozen=True)
class Memory:
    """Means of the first and of the last third of the samples, in bytes."""

    first: float
    last: float

    @property
    def most(self) -> float:
        return self.first * MOST_GROWTH + SLACK

    @property
    def flat(self) -> bool:
        return self.last <= self.most


def memory(samples: Sequence[int]) -> Memory:
    """Of samples at even distances, those of the warm-up left out."""
    third = len(samples) // 3
    if third == 0:
        raise ValueError(f"{len(samples)} samples of memory; soak for longer")
    return Memory(sum(samples[:third]) / third, sum(samples[-third:]) / third)


def numbered(message: bytes, number: int) -> bytes:
    """A JSON object with one member more, which no venue knows."""
    return message[:-1] + b',"soak":%d}' % number


class _Line(msgspec.Struct):
    venue: str
    channel: str | None
    payload: msgspec.Raw


@dataclass
class Log:
    """What stands in a raw log, as far as a soak asks."""

    lines: int = 0
    unread: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def told(lines: Iterable[bytes], sent: Mapping[str, int]) -> Log:
    """Hold a log against how many numbered messages each venue sent, from 0 on."""
    log, decode = Log(kept=dict.fromkeys(sent, 0)), msgspec.json.Decoder(_Line).decode
    for text in lines:
        line = decode(text)
        log.lines += 1
        log.unread += line.channel is None
        found = _NUMBER.search(bytes(line.payload))
        if found is None:
            continue
        number, due = int(found[1]), log.kept[line.venue]
        if number != due:
            log.faults.append(f"{line.venue}: number {number:,} where {due:,} was due")
        log.kept[line.venue] = number + 1
    for venue, count in sent.items():
        if log.kept[venue] != count:
            log.faults.append(f"{venue}: sent up to {count:,}, kept up to {log.kept[venue]:,}")
    if log.unread:
        log.faults.append(f"{log.unread:,} messages that the parsers could not read")
    return log
