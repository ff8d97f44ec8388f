"""A record of `raw.v1`: the venue's bytes under four to eight headers.

First contract of the data path, written by collectors, importers and adopters. The record on
Kafka is (key, headers, value) as bytes; the models here are its readable form, in examples and
in the generated documents. Promises nothing of the value: parsers judge it.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.units import Asset, Row, Text, Venue
from streams.core.events import RejectReason

Digits = Annotated[str, Field(pattern=r"^[0-9]{16}$")]
Slice = Annotated[str, Field(pattern=r"^[0-9]+/[1-9][0-9]*$")]


class RawHeaders(Row):
    """Kafka headers of a raw record, in canonical order; each is UTF-8 bytes on the wire."""

    model_config = ConfigDict(title="RawHeaders")

    venue: Venue
    """Venue id; decides which parser reads the value."""
    channel: str
    """`liquidation`, `trade`, `ticker`, `book`, `status`, `macro` (the value is one of schema
    `macro`, or a list of them) or `canonical` (it is a `liquidation`, `trade`, `ticker` or `book`
    with its `type`, made of an archive's row); empty when the input did not say."""
    connection: str
    """Collector and socket; a connection's records stand in the order of arrival."""
    received_at: Digits
    """When the collector read the message, µs UTC in ASCII decimal."""
    slice: Slice | None = None
    """`i/n` (i from 0) when the value is a part of a message that was cut. Else absent."""
    message_id: Text | None = None
    """What the slices of one message share. Absent when the message was not cut."""
    rejected: RejectReason | None = None
    """Why an imported line was no record; the value holds its beginning. Absent for records."""
    detail: str | None = None
    """The reason in words. Absent for records."""
    source: str | None = None
    """Where the line stood, `file:line`. Absent for records."""
    size: Annotated[str, Field(pattern=r"^[0-9]+$")] | None = None
    """Bytes of the whole line in ASCII decimal. Absent for records."""


class RawRecord(Row):
    """One record of `raw.v1` written out as JSON."""

    key: Asset
    """Base coin of the value; one record per partition for statuses, keyed by one of its assets."""
    headers: RawHeaders
    """How the value came."""
    value: str
    """The venue's message byte for byte (shown as UTF-8 text); a status in channel `status`."""

    def record(self) -> tuple[bytes, list[tuple[str, bytes]], bytes]:
        """Key, headers and value as they stand on Kafka."""
        given = self.headers.model_dump(exclude_none=True)
        headers = [(name, text.encode()) for name, text in given.items()]
        return self.key.encode(), headers, self.value.encode()
