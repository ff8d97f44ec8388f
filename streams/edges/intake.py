"""Records of the topics, checked and gathered into batches for the warehouse.

First half of the sink: no I/O here. Promises that every row of a batch comes from a message that
its struct accepts (results: from one that keeps every law of `schemas`), and that each row knows
the record it came from, so that a refusal can be dead-lettered. A dead letter that cannot be
read is only counted: dead-lettering it again would never end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import msgspec
import pydantic

from schemas.results import validate_result
from streams import contracts
from streams.contracts import Message
from streams.core.delivery import Span
from streams.core.events import (
    MICROS,
    DeadLetter,
    SinkRejectReason,
    WebhookRejectReason,
    stable_id,
)
from streams.edges.rows import BadRow, Row, rows

TOPICS: Final = (
    contracts.LIQUIDATIONS,
    contracts.FRAMES,
    contracts.LATE,
    *contracts.RESULT_TOPICS,
    contracts.DEADLETTERS,
    contracts.FEEDS,
)
"""What the sink reads, all of it ours."""

LETTERS: Final = "letters to deadletters.v1"
"""Holder of a span while the dead letters about it are not acknowledged."""

_PAYLOAD_BYTES: Final = 4096
_DETAIL: Final = 1000


class Record(Protocol):
    """What is used of an aiokafka ConsumerRecord; `timestamp` is ms, LogAppendTime."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None


class InvalidRow(ValueError):
    """A record that is no valid message of its topic; the text says why."""


@dataclass(slots=True)
class Batch:
    """Rows by table with the record of each, and the spans that wait for them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    origins: dict[str, list[Record]] = field(default_factory=dict)
    spans: list[tuple[Span, frozenset[str]]] = field(default_factory=list)
    n_rows: int = 0
    n_bytes: int = 0

    def add(self, records: Sequence[Record]) -> tuple[Span, list[DeadLetter], list[str]]:
        """Take the records of one partition, in order of offset and at least one.

        Returns:
            Their span, held by the tables it fills and by LETTERS where there are letters; the
            letters to send; and what was wrong with each unreadable dead letter.
        """
        holders: set[str] = set()
        letters: list[DeadLetter] = []
        unreadable: list[str] = []
        for record in records:
            self.n_bytes += len(record.value or b"")
            try:
                made = rows(read(record.topic, record.value))
            except (InvalidRow, BadRow) as error:
                if record.topic == contracts.DEADLETTERS:
                    unreadable.append(f"{source(record)}: {error}"[:_DETAIL])
                else:
                    letters.append(letter(record, "invalid_row", str(error)))
                continue
            for table, row in made:
                holders.add(table)
                self.rows.setdefault(table, []).append(row)
                self.origins.setdefault(table, []).append(record)
                self.n_rows += 1
        if letters:
            holders.add(LETTERS)
        first, last = records[0], records[-1]
        span = Span((first.topic, first.partition), first.offset, last.offset)
        self.spans.append((span, frozenset(holders)))
        return span, letters, unreadable


def read(topic: str, value: bytes | None) -> Message:
    """The message of a record, checked as far as its topic asks.

    Raises:
        InvalidRow: not of its struct, or a result that breaks a law of its model.
    """
    if value is None:
        raise InvalidRow("the record has no value")
    try:
        message = contracts.decode(topic, value)
        if topic in contracts.RESULT_TOPICS:
            validate_result(value)
    except msgspec.DecodeError as error:
        raise InvalidRow(str(error)) from None
    except UnicodeDecodeError as error:
        raise InvalidRow(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except pydantic.ValidationError as error:
        raise InvalidRow(_laws(error)) from None
    return message


def letter(
    record: Record,
    reason: SinkRejectReason | WebhookRejectReason,
    detail: str,
    stage: Literal["sink", "webhook"] = "sink",
) -> DeadLetter:
    """The dead letter about a record; its id follows from the record's place in the log."""
    value = record.value or b""
    place = source(record)
    return DeadLetter(
        id=stable_id(stage, place),
        reason=reason,
        detail=detail[:_DETAIL],
        stage=stage,
        source=place,
        row=0,
        venue="",
        channel=None,
        connection="",
        received_at_us=max(record.timestamp, 0) * (MICROS // 1000),
        payload=value[:_PAYLOAD_BYTES].decode("utf-8", "replace"),
        payload_bytes=len(value),
    )


def source(record: Record) -> str:
    """Where a record stands: `topic-partition@offset`."""
    return f"{record.topic}-{record.partition}@{record.offset}"


def _laws(error: pydantic.ValidationError) -> str:
    """Every broken field or law, without the values (a letter already holds the payload)."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'row'}: {item['msg']}"
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )
