"""Archives as one live log: merged by receipt time, with the status records they never had.

The entry of `replay` and `import`. Promises that a file's line order is its arrival order, that
heartbeats are synthesised each second until 300 s after a file's last record and then a gap,
and that one end record follows everything. Does not judge the venue's messages.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.core import canonical, outside
from streams.core.events import (
    DEAD_LETTER_BYTES,
    EARLIEST_EVENT_US,
    MICROS,
    BadLine,
    Book,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Status,
    Ticker,
    Trade,
)
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise
from streams.edges import rawlog
from streams.edges.archives.reading import Reading
from streams.venues import FORCED_ON_TAPE

QUIET_S: Final = 300
"""A silent file is vouched for this long after its last record, then a gap is recorded."""

END_ADVANCE_US: Final = 4 * 3600 * MICROS
"""The clock runs on this far after the input, so that every window closes and is final."""

LEAP_US: Final = 3600 * MICROS
"""A line this far ahead of both its neighbours has a wrong stamp; its file was not silent."""

LAG_WINDOW_S: Final = 60
LATENESS_S: Final[Mapping[str, int]] = {"all": 2, "sampled": 3}

_CHANNELS: Final[dict[type, str]] = {
    Liquidation: "liquidation",
    Trade: "trade",
    Ticker: "ticker",
    Book: "book",
}


class Line(msgspec.Struct, frozen=True):
    """One record for the framer: `raw`, or `bad` (of which `raw` is a part) where it was none.

    `source` is `file:line` (or the file for synthesised records); `assets` are the assets of
    its events, which choose the partition.
    """

    raw: Raw
    source: str
    assets: tuple[str, ...] = ()
    bad: BadLine | None = None


class _Channel(msgspec.Struct):
    """Lag of one (venue, channel) of a file over the last minute of receipt time."""

    lateness_us: int
    lags: deque[tuple[int, int]]

    def through(self, now_us: int) -> int:
        while self.lags and self.lags[0][0] < now_us - LAG_WINDOW_S * MICROS:
            self.lags.popleft()
        largest = self.lags[0][1] if self.lags else 0
        return now_us - max(0, largest) - self.lateness_us

    def note(self, now_us: int, lag_us: int) -> None:
        """Remember a lag, and only what may yet be the largest: a dense minute stays small."""
        while self.lags and self.lags[-1][1] <= lag_us:
            self.lags.pop()
        self.lags.append((now_us, lag_us))


class Voucher:
    """Synthesises the status records of one input, a file or merged topics."""

    def __init__(self, path: str, index: int) -> None:
        self.path = path
        self.name = f"{Path(path).name}#{index}"
        self.channels: dict[tuple[str, str], _Channel] = {}
        self.last_us = 0
        self.beat_s = 0

    def connection(self, venue: str) -> str:
        """A connection for each venue of the input."""
        return f"{self.name}/{venue}"

    def _status(self, venue: str, at_us: int, status: Status) -> Line:
        payload = msgspec.json.encode(status)
        return Line(Raw(venue, "status", self.connection(venue), at_us, payload), self.path)

    def before(self, at_us: int) -> Iterator[Line]:
        """Heartbeats due before `at_us`; the gap when the file has been silent too long."""
        if not self.channels:
            return
        quiet_from = self.last_us // MICROS + QUIET_S
        while self.channels and self.beat_s * MICROS <= at_us:
            if self.beat_s > quiet_from:
                yield from self.gap(self.beat_s * MICROS)
                return
            yield from self._beats(self.beat_s * MICROS)
            self.beat_s += 1

    def _beats(self, now_us: int) -> Iterator[Line]:
        venues: dict[str, dict[str, int]] = {}
        for (venue, channel), state in self.channels.items():
            venues.setdefault(venue, {})[channel] = state.through(now_us)
        for venue, through in venues.items():
            yield self._status(venue, now_us, Status("heartbeat", through_us=through))

    def gap(self, at_us: int) -> Iterator[Line]:
        """The file fell silent: its channels can no longer be vouched for."""
        for venue in sorted({venue for venue, _ in self.channels}):
            yield self._status(venue, at_us, Status("gap", detail="archive silent"))
        self.channels.clear()

    def subscribe(self, raw: Raw, outcomes: list[Outcome]) -> Iterator[Line]:
        """Subscribe records for channels seen for the first time; note the record's lag."""
        for outcome in outcomes:
            channel = _CHANNELS.get(type(outcome))
            if channel is None or isinstance(outcome, Rejected):
                continue
            channels = [channel]
            # An archive's table of trades has lost which of them were forced.
            own = raw.channel != canonical.CHANNEL
            if channel == "trade" and own and raw.venue in FORCED_ON_TAPE:
                channels.append("liquidation")
            for name in channels:
                state = self.channels.get((raw.venue, name))
                if state is None:
                    if not self.channels:
                        self.beat_s = raw.received_at_us // MICROS + 1
                    completeness = getattr(outcome, "completeness", "all")
                    lateness = LATENESS_S.get(completeness, LATENESS_S["sampled"])
                    state = _Channel(lateness * MICROS, deque())
                    self.channels[raw.venue, name] = state
                    subscribe = Status("subscribe", channels=(name,))
                    yield self._status(raw.venue, raw.received_at_us, subscribe)
                event_time = getattr(outcome, "event_time_us", raw.received_at_us)
                state.note(raw.received_at_us, raw.received_at_us - event_time)


def lines(
    paths: Sequence[str | Path],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    *,
    run_on: bool = True,
    reading: Reading | None = None,
) -> Iterator[Line]:
    """All files as one log in receipt order, ended by an `end` record.

    Args:
        paths: the files.
        parsers: parser by venue.
        instruments: contract sizes.
        run_on: whether the clock passes the last record, by QUIET_S and END_ADVANCE_US. Without,
            it stops there, for a log that another one follows.
        reading: how files are read; by default each as its content tells.

    Raises:
        MarginquakeError: a file cannot be opened or read.
    """
    reading = reading or Reading(instruments)
    files = [
        (
            _begins(str(path), Reading(instruments, reading.form)),
            _file(str(path), i, parsers, reading, run_on=run_on),
        )
        for i, path in enumerate(paths)
    ]
    last_us = 0
    venue = "archive"
    for line in _in_order(files):
        last_us = max(last_us, line.raw.received_at_us)
        yield line
    end = msgspec.json.encode(Status("end", advance_us=END_ADVANCE_US if run_on else 0))
    yield Line(Raw(venue, "status", "archive", last_us, end), "end of input")


def _in_order(files: Sequence[tuple[int, Iterator[Line]]]) -> Iterator[Line]:
    """Lines of files by receipt, equal ones by file; a file is begun when its first is due.

    A year of daily files is more than a process may have open.

    Args:
        files: where each begins (us), and its lines.
    """
    waiting: list[tuple[int, int, Line | None, Iterator[Line]]] = [
        (begin_us, index, None, lines) for index, (begin_us, lines) in enumerate(files)
    ]
    heapq.heapify(waiting)
    while waiting:
        _, index, line, lines = waiting[0]
        if line is not None:
            yield line
        following = next(lines, None)
        if following is None:
            heapq.heappop(waiting)
        else:
            at_us = following.raw.received_at_us
            heapq.heapreplace(waiting, (at_us, index, following, lines))


def _begins(path: str, reading: Reading) -> int:
    """The receipt (us) of a file's first record; 0 where that is not known before it is read."""
    if path == rawlog.STDIN:
        return 0
    items = _stamped(path, reading)
    return next((item.received_at_us for _, item in items if isinstance(item, Raw)), 0)


def _file(
    path: str, index: int, parsers: Mapping[str, Parser], reading: Reading, *, run_on: bool
) -> Iterator[Line]:
    file = Voucher(path, index)
    vouched = None
    for number, item in _stamped(path, reading):
        source = f"{Path(path).name}:{number}"
        if isinstance(item, BadLine):
            reading.tally.bad[item.rejected.reason] += 1
            # Where it stands among the others; its own stamp is unread or not to be trusted.
            raw = msgspec.structs.replace(
                item.raw, connection=file.name, received_at_us=file.last_us
            )
            yield Line(raw, source, (), msgspec.structs.replace(item, raw=raw))
            continue
        # A recorder's clock may step back; the log's order is its arrival order.
        at_us = max(item.received_at_us, file.last_us)
        if item.channel == outside.CHANNEL:
            file.last_us = at_us
            yield Line(msgspec.structs.replace(item, received_at_us=at_us), source)
            continue
        if vouched is None:
            # A collector's own log begins with its status records: it vouches for itself.
            vouched = item.channel == "status"
        if not vouched:
            yield from file.before(at_us)
        file.last_us = at_us
        connection = item.connection if vouched else file.connection(item.venue)
        raw = Raw(item.venue, item.channel, connection, at_us, item.payload)
        if item.channel == "status":
            if run_on or not _ends(item.payload):
                yield Line(raw, source)
            continue
        outcomes = normalise(raw, parsers, reading.instruments)
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                reading.tally.rejected[outcome.reason] += 1
        if not vouched:
            yield from file.subscribe(raw, outcomes)
        assets = sorted({a for a in (getattr(o, "asset", None) for o in outcomes) if a})
        yield Line(raw, source, tuple(assets))
    if run_on and file.last_us and not vouched:
        yield from file.before((file.last_us // MICROS + QUIET_S + 1) * MICROS)


def _ends(payload: bytes) -> bool:
    """Whether a status record is an end; what is none of ours is judged by the framer."""
    try:
        return msgspec.json.decode(payload, type=Status).op == "end"
    except msgspec.MsgspecError:
        return False


def _stamped(path: str, reading: Reading) -> Iterator[tuple[int, Raw | BadLine]]:
    """The lines of a file, those whose receipt stamp cannot be true as `BadLine`.

    One record is looked ahead: bad lines may come before the record that they followed. The
    last record has no successor to judge it by, and stands.
    """
    before: int | None = None
    held: tuple[int, Raw] | None = None
    for number, item in reading.read(path):
        if isinstance(item, BadLine):
            yield number, item
            continue
        if item.received_at_us < EARLIEST_EVENT_US:
            yield number, _misdated(path, number, item, "is before 2010")
            continue
        if held is not None:
            if _leaps(before, held[1].received_at_us, item.received_at_us):
                detail = "leaps over an hour ahead, and the next line returns"
                yield held[0], _misdated(path, *held, detail)
            else:
                before = max(before or 0, held[1].received_at_us)
                yield held
        held = (number, item)
    if held is not None:
        yield held


def _leaps(before: int | None, at: int, after: int) -> bool:
    """Whether a stamp (us) is far beyond the line before and the next is nearer to that one."""
    if before is None:
        return at - after > LEAP_US
    return at - before > LEAP_US and after - before < at - after


def _misdated(path: str, number: int, raw: Raw, what: str) -> BadLine:
    rejected = Rejected("time_out_of_range", f"received_at_us {raw.received_at_us} {what}")
    cut = msgspec.structs.replace(raw, payload=raw.payload[:DEAD_LETTER_BYTES])
    return BadLine(rejected, cut, len(raw.payload), f"{Path(path).name}:{number}")
