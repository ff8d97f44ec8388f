"""Messages for operators and restarts: dead letters, feed changes, checkpoints.

Contracts beside the data path. `DeadLetter` and `FeedStatus` are twins of structs in
`streams/core/events.py` (held equal by a test). Of the two states only the envelope is promised:
what is inside `state` and inside a detector's record is versioned bytes that their owner reads.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.units import (
    Count,
    Id,
    Micros,
    Partition,
    Row,
    Second,
    Text,
    Venue,
    Version,
)
from streams.core.events import (
    DeadLetterStage,
    FeedState,
    RejectReason,
    SinkRejectReason,
    WebhookRejectReason,
)

Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class DeadLetter(Row):
    """A record, or one row of it, that could not be used."""

    type: Literal["dead_letter"]
    """Tag of the message type."""
    id: Id
    """From how the record came, its content and the row: a repeat is the same letter."""
    reason: RejectReason | SinkRejectReason | WebhookRejectReason
    """Why, from a closed list."""
    detail: str
    """The decoder's or the check's own words."""
    stage: DeadLetterStage
    """Who refused it."""
    source: str
    """Where it stood: `topic-partition@offset`, or `file:line`; key of the record."""
    row: Count
    """Index of the rejected row inside the message; 0 when all of it was refused."""
    venue: str
    """Venue of the record; empty when it did not say."""
    channel: str | None
    """Channel of the record. Null when it did not say."""
    connection: str
    """Connection of the record; empty when it did not say."""
    received_at_us: Micros
    """When the collector read it, µs UTC; 0 when the record did not say."""
    payload: Annotated[str, Field(max_length=4096)]
    """The first 4 KiB as UTF-8, undecodable bytes replaced."""
    payload_bytes: Count
    """Size of the whole payload, bytes."""


class FeedStatus(Row):
    """A channel of a connection joined or left the joint watermark."""

    type: Literal["feed_status"]
    """Tag of the message type."""
    id: Id
    """From venue, channel, connection, state and time."""
    venue: Venue
    """Whose feed; key of the record."""
    channel: Text
    """Which channel."""
    connection: str
    """Which connection of it."""
    state: FeedState
    """`up`: it counts in the joint watermark; `down`: it does not."""
    reason: str
    """What moved it, such as a gap record or silence."""
    at_us: Micros
    """When, µs UTC of the log's clock."""
    through_us: Micros | None
    """The channel's watermark then, µs UTC. Null before its first heartbeat."""


class FramerState(Row):
    """The framer's checkpoint of one raw partition; the record key is the partition."""

    v: Version
    """Version of `state`."""
    partition: Partition
    """The raw partition."""
    next_offset: Count
    """First offset of `raw.v1` that is not yet in `state`."""
    through_us: Micros | None
    """Joint event time of the partition, µs UTC. Null before the first heartbeat."""
    sealed_second: Second | None
    """Last second whose frames were sent, µs UTC. Null before the first."""
    counters: dict[str, Count]
    """Records by fate since the partition's first offset."""
    state: Base64
    """Open seconds, watermarks, recent ids and `prev` by asset: the framer's bytes in base64."""


class DetectorStateRecord(Row):
    """A record of the Faust detector table, written out as JSON.

    On Kafka the key is text and the value is versioned bytes, not this object. Keys: the asset
    (hot record), or `asset|kind|page` (a page that the hot record names).
    """

    asset: Text
    """Base coin or `ALL`."""
    kind: Text | None
    """Kind of page. Null in the hot record."""
    page: Count | None
    """Number of the page. Null in the hot record."""
    value: Base64
    """The versioned bytes in base64."""

    @model_validator(mode="after")
    def _hot_record_or_page(self) -> Self:
        if (self.kind is None) != (self.page is None):
            raise ValueError("a page has kind and page, the hot record has neither")
        return self

    def key(self) -> str:
        """The record key."""
        return self.asset if self.kind is None else f"{self.asset}|{self.kind}|{self.page}"
