"""Metrics of the framer process, taken from the exact counters of its partitions' states.

Beside `framer`, which calls it at a partition's begin, checkpoints and end. Promises that each gain
of this process is counted once, a restart's past and another process's never, and that a partition
that has gone to another process leaves no gauge behind. Does not promise a gain before its
checkpoint.
"""

from typing import Final, get_args

from streams.contracts import RAW
from streams.core.events import RejectReason
from streams.core.framing import Framer
from streams.telemetry import (
    CHECKPOINT_BYTES,
    CHECKPOINT_SECONDS,
    CONSUMER_LAG,
    FEEDS_UP,
    FRAMES_SEALED,
    RECORDS_DEAD_LETTERED,
    RECORDS_DUPLICATE,
    RECORDS_FILTERED,
    RECORDS_LATE,
    RECORDS_RECEIVED,
    TRADES_UNSIDED,
    WATERMARK_LAG,
)

_STAGE: Final = "framer"


class FramerMetrics:
    """Adds the growth of each partition's counters since its begin or its last checkpoint."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, int]] = {}
        self._feeds: dict[int, dict[tuple[str, str], int]] = {}
        for reason in get_args(RejectReason):
            # A counter that begins with its first event shows no increase.
            RECORDS_DEAD_LETTERED.labels(stage=_STAGE, reason=reason)

    def begin(self, partition: int, framer: Framer) -> None:
        """The partition is ours: what its state has counted up to now is told already."""
        self._known[partition] = dict(framer.state.counters)

    def end(self, partition: int) -> None:
        """The partition goes to another process, which tells of it from now on."""
        self._known.pop(partition, None)
        WATERMARK_LAG.remove(partition)
        CHECKPOINT_BYTES.remove(_STAGE, partition)
        CONSUMER_LAG.remove(RAW, partition)
        self._show_feeds(partition, {})

    def frames(self, partition: int, sent: int) -> None:
        """Frames sent of a partition."""
        if sent:
            FRAMES_SEALED.labels(partition=partition).inc(sent)

    def checkpoint(self, partition: int, framer: Framer, size: int) -> None:
        """A checkpoint of `size` bytes was sent: publish what the counters have gained."""
        CHECKPOINT_BYTES.labels(stage=_STAGE, partition=partition).set(size)
        known = self._known[partition]
        for name, value in framer.state.counters.items():
            gained = value - known.get(name, 0)
            if gained > 0:
                _count(name, gained)
        self._known[partition] = dict(framer.state.counters)
        self._show_feeds(partition, framer.feeds_up())
        slowest = framer.slowest
        if slowest is not None and slowest >= 0:
            lag = framer.state.clock.log_us / 1e6 - slowest
            WATERMARK_LAG.labels(partition=partition).set(lag)

    def checkpointed(self, seconds: float) -> None:
        """All checkpoints are acknowledged after `seconds`."""
        CHECKPOINT_SECONDS.labels(stage=_STAGE).observe(seconds)

    def lag(self, partition: int, behind: int) -> None:
        """Records between the framer's position and the end of its partition."""
        CONSUMER_LAG.labels(topic=RAW, partition=partition).set(behind)

    def _show_feeds(self, partition: int, feeds: dict[tuple[str, str], int]) -> None:
        # Status records stand in every partition, so each partition counts the same feeds.
        for (venue, channel), count in feeds.items():
            FEEDS_UP.labels(venue=venue, channel=channel).set(count)
        before, self._feeds[partition] = self._feeds.get(partition, {}), feeds
        for labels in before.keys() - set().union(*self._feeds.values()):
            FEEDS_UP.remove(*labels)


def _count(name: str, gained: int) -> None:
    kind, _, rest = name.partition(":")
    if kind == "received":
        venue, _, channel = rest.partition("/")
        RECORDS_RECEIVED.labels(venue=venue, channel=channel).inc(gained)
    elif kind == "filtered":
        RECORDS_FILTERED.labels(reason=rest).inc(gained)
    elif kind == "duplicates":
        RECORDS_DUPLICATE.labels(channel=rest).inc(gained)
    elif kind in ("late", "late_dropped"):
        venue, _, channel = rest.partition("/")
        RECORDS_LATE.labels(venue=venue, channel=channel).inc(gained)
    elif kind == "dead_lettered":
        RECORDS_DEAD_LETTERED.labels(stage=_STAGE, reason=rest).inc(gained)
    elif kind == "unsided":
        TRADES_UNSIDED.labels(venue=rest).inc(gained)
