"""Metrics of the framer process, taken from the exact counters of its partitions' states."""

from streams.contracts import RAW
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

_STAGE = "framer"


class FramerMetrics:
    """Adds the growth of each partition's counters since the last checkpoint."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, int]] = {}

    def frames(self, partition: int, sent: int) -> None:
        """Frames sent of a partition."""
        if sent:
            FRAMES_SEALED.labels(partition=partition).inc(sent)

    def checkpoint(self, partition: int, framer: Framer, size: int) -> None:
        """A checkpoint of `size` bytes was sent: publish what the counters have gained."""
        CHECKPOINT_BYTES.labels(stage=_STAGE, partition=partition).set(size)
        known = self._known.setdefault(partition, dict(framer.state.counters))
        for name, value in framer.state.counters.items():
            gained = value - known.get(name, 0)
            if gained > 0:
                _count(name, gained)
        self._known[partition] = dict(framer.state.counters)
        # Status records stand in every partition, so each partition counts the same feeds.
        for (venue, channel), count in framer.feeds_up().items():
            FEEDS_UP.labels(venue=venue, channel=channel).set(count)
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


def _count(name: str, gained: int) -> None:
    kind, _, rest = name.partition(":")
    if kind == "received":
        venue, _, channel = rest.partition("/")
        RECORDS_RECEIVED.labels(venue=venue, channel=channel).inc(gained)
    elif kind == "filtered":
        RECORDS_FILTERED.labels(reason=rest).inc(gained)
    elif kind == "duplicates":
        RECORDS_DUPLICATE.labels(venue="all").inc(gained)
    elif kind in ("late", "late_dropped"):
        RECORDS_LATE.labels(venue="all", channel=rest).inc(gained)
    elif kind == "dead_lettered":
        RECORDS_DEAD_LETTERED.labels(stage=_STAGE, reason=rest).inc(gained)
    elif kind == "unsided":
        TRADES_UNSIDED.labels(venue=rest).inc(gained)
