"""Archives through an engine without a broker, its rows into a folder or the warehouse.

The edge behind `replay`. Promises the rows that the Kafka path gives, every revision in order,
and memory that does not grow with the input. A line that is no record is dead-lettered and the
rest goes on; a file without a single record is refused before anything is written. The engine
comes from the caller: this module knows only how to feed it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import Message, encode, topic_of
from streams.core.events import BadLine, DeadLetter, Raw, Rejected, SinkRejectReason, stable_id
from streams.core.frames import Frame
from streams.core.framing import Emission, Framer, PartitionState
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.core.results import Result
from streams.edges import rawlog, rollups
from streams.edges.archives import Line
from streams.edges.archives.reading import NAMES, Reading
from streams.edges.inserts import Inserter
from streams.edges.migrate import plan, read_migrations, recorded
from streams.edges.rows import BadRow, Row, rows
from streams.edges.summary import Summary
from streams.edges.warehouse import connect, parse_dsn

FLUSH_RECORDS: Final = 1_000
"""Records between two runs of the detectors; results do not depend on it."""

BATCH_ROWS: Final = 20_000

PAYLOAD_TEXT: Final = 4_096

OUTPUT_TOPICS: Final = (
    contracts.LIQUIDATIONS,
    contracts.LATE,
    contracts.DEADLETTERS,
    contracts.FEEDS,
    *contracts.RESULT_TOPICS,
)


class Batch(Protocol):
    """What an engine gives for the records since its last flush."""

    @property
    def emission(self) -> Emission:
        """The framer's part."""

    @property
    def results(self) -> tuple[Result, ...]:
        """The detectors' part, in order."""


class Engine(Protocol):
    """An engine that runs in this process; `streams.engines.inprocess.InProcess` is one."""

    framer: Framer

    def feed(self, raw: Raw, source: str = "") -> None:
        """Take one record."""

    def reject(self, bad: BadLine) -> None:
        """Take a line that was no record."""

    def flush(self) -> Batch:
        """Run the detectors over what has been sealed."""


class Writer(Protocol):
    """Where messages go; `written` counts them by topic or table."""

    written: Counter[str]

    def write(self, message: Message) -> None:
        """Take one message; it may be buffered."""

    def close(self) -> None:
        """Return when everything taken is written."""


class Folder:
    """Writes each topic as `<topic>.jsonl`, one message a line, over what was there."""

    def __init__(self, folder: Path, frames: bool = False) -> None:
        """Create the folder and its files.

        Raises:
            MarginquakeError: the folder cannot be written.
        """
        self.folder = folder
        self.written: Counter[str] = Counter()
        self._files: dict[str, BinaryIO] = {}
        wanted = (*OUTPUT_TOPICS, contracts.FRAMES) if frames else OUTPUT_TOPICS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for topic in wanted:
                self._files[topic] = (folder / f"{topic}.jsonl").open("wb")
        except OSError as error:
            self.close()
            raise MarginquakeError(
                f"cannot write into {folder}: {error.strerror}; choose another --jsonl folder"
            ) from None

    def write(self, message: Message) -> None:
        """Append one message; topics that are not wanted are passed over."""
        topic = topic_of(message)
        file = self._files.get(topic)
        if file is not None:
            file.write(encode(message) + b"\n")
            self.written[topic] += 1

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class Tables:
    """Writes rows of messages through an Inserter, in batches by table.

    A row that no table can hold becomes a dead letter of stage `replay`.
    """

    def __init__(self, inserter: Inserter) -> None:
        self.written: Counter[str] = Counter()
        self._inserter = inserter
        self._waiting: dict[str, list[tuple[Row, Message]]] = {}

    def write(self, message: Message) -> None:
        """Queue the message's rows; a full batch is inserted before this returns."""
        try:
            made = rows(message)
        except BadRow as error:
            self.write(_letter(message, "invalid_row", str(error)))
            return
        for table, row in made:
            batch = self._waiting.setdefault(table, [])
            batch.append((row, message))
            if len(batch) >= BATCH_ROWS:
                self._insert(table)

    def _insert(self, table: str) -> None:
        batch = self._waiting.pop(table, [])
        refused = self._inserter.insert(table, [row for row, _ in batch])
        self.written[table] += len(batch) - len(refused)
        for one in refused:
            message = batch[one.index][1]
            if isinstance(message, DeadLetter):
                raise MarginquakeError(f"the warehouse refuses a dead letter: {one.detail}")
            self.write(_letter(message, "refused_by_warehouse", one.detail))

    def close(self) -> None:
        """Insert what waits; dead letters come last, since other tables make them."""
        for table in sorted(self._waiting, key=lambda name: name == "dead_letters"):
            self._insert(table)
        for table in list(self._waiting):
            self._insert(table)


@contextmanager
def folder_writer(folder: Path, frames: bool = False) -> Iterator[Folder]:
    """A Folder that is closed at the end."""
    writer = Folder(folder, frames)
    try:
        yield writer
    finally:
        writer.close()


@contextmanager
def warehouse_writer(dsn: str) -> Iterator[Tables]:
    """A Tables over the warehouse; at a good end what waits is inserted, the rollups brought up.

    Raises:
        MarginquakeError: it cannot be opened, or its migrations are not all applied.
    """
    with connect(dsn) as client:
        pending = plan(read_migrations(), recorded(client))
        if pending:
            raise MarginquakeError(
                f"the warehouse {parse_dsn(dsn).label} lacks {', '.join(m.label for m in pending)};"
                " run `marginquake migrate` first, or write files with --jsonl DIR"
            )
        writer = Tables(Inserter(client))
        yield writer
        writer.close()
        rollups.bring_up(client)


def check_files(paths: Sequence[Path], reading: Reading) -> None:
    """Refuse files in which no line is a record; reads each up to its first record.

    A table of a header alone is a day on which nothing happened, and passes beside others.

    Raises:
        MarginquakeError: names the file, the reason of its first line and the forms expected.
    """
    reading.check()
    without = 0
    for path in paths:
        if str(path) == rawlog.STDIN:
            continue
        if path.is_fifo():
            raise MarginquakeError(
                f"{path} is a pipe, which can be read only once; name - and give it as standard "
                "input"
            )
        known = reading.tally.headers + reading.tally.without_event
        first: Rejected | None = None
        count = 0
        for number, item in reading.read(str(path)):
            if isinstance(item, Raw):
                break
            first = first or item.rejected
            count = number
        else:
            if first is None and reading.tally.headers + reading.tally.without_event > known:
                without += 1
                continue
            why = "it is empty"
            if first is not None:
                why = f"none of its {count} lines is one (first: {first.reason}, {first.detail})"
            raise MarginquakeError(
                f"{path} holds no record: {why}; name JSON lines with "
                '{"venue", "received_at_us", "payload"}, or an archive of a format that '
                f"`--format` takes ({', '.join(NAMES)}); plain, .gz, .zst or .zip"
            )
    if without == len(paths):
        raise MarginquakeError(
            f"no record in {', '.join(map(str, paths))[:300]}: no line holds an event; name files "
            "with rows"
        )


def run_replay(
    lines: Iterable[Line],
    engine: Engine,
    writer: Writer,
    progress: Callable[[int], None] = lambda count: None,
    see: Callable[[Raw], None] = lambda raw: None,
) -> Summary:
    """Feed every line to the engine and write what comes out.

    Args:
        lines: from `archives.lines`, ended by its end record.
        engine: a fresh one.
        writer: closed by the caller, after which its counts are whole.
        progress: told the number of records after each flush.
        see: shown each record that the engine takes.
    """
    began = time.monotonic()
    summary = Summary(rows=writer.written, counters=engine.framer.state.counters)
    for line in lines:
        if line.bad is not None:
            engine.reject(line.bad)
        else:
            engine.feed(line.raw, line.source)
            see(line.raw)
        summary.records += 1
        if summary.records % FLUSH_RECORDS == 0:
            pass_on(engine.flush(), writer, summary)
            progress(summary.records)
    pass_on(engine.flush(), writer, summary)
    progress(summary.records)
    summary.seconds = time.monotonic() - began
    return summary


def run_through(
    lines: Iterable[Line], engine: Engine, progress: Callable[[int], None] = lambda count: None
) -> int:
    """Feed every line to the engine and write nothing; returns the number of lines."""
    count = 0
    for line in lines:
        if line.bad is None:
            engine.feed(line.raw, line.source)
        count += 1
        if count % FLUSH_RECORDS == 0:
            engine.flush()
            progress(count)
    engine.flush()
    progress(count)
    return count


def frames_of(
    lines: Iterable[Line],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    home: Callable[[str], int],
) -> list[Frame]:
    """Every frame of a log, in order of the framer; nothing is detected."""
    framer = Framer(PartitionState(0, 1), parsers, instruments, home, whole=True)
    for line in lines:
        if line.bad is None:
            framer.apply(line.raw, line.source)
    return framer.drain().frames


def pass_on(batch: Batch, writer: Writer, summary: Summary) -> None:
    """Write what a flush gave and note it in the summary."""
    emission = batch.emission
    for frame in emission.frames:
        summary.see(frame)
    for group in (
        emission.liquidations,
        emission.late,
        emission.frames,
        emission.dead,
        emission.feeds,
    ):
        for message in group:
            writer.write(message)
    for result in batch.results:
        summary.take(result)
        writer.write(result)


def write_summary(folder: Path, summary: Summary) -> None:
    """Write `summary.json` into the folder."""
    text = msgspec.json.format(msgspec.json.encode(summary.as_json()), indent=2)
    (folder / "summary.json").write_bytes(text + b"\n")


def _letter(message: Message, reason: SinkRejectReason, detail: str) -> DeadLetter:
    value = encode(message)
    return DeadLetter(
        id=stable_id("replay", stable_id(value)),
        reason=reason,
        detail=detail,
        stage="replay",
        source=topic_of(message),
        row=0,
        venue="",
        channel=None,
        connection="",
        received_at_us=0,
        payload=value[:PAYLOAD_TEXT].decode("utf-8", "replace"),
        payload_bytes=len(value),
    )
