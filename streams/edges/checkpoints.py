"""The framer's checkpoints in the compacted topic `framer_state.v1`, one record per partition.

Promises that a loaded checkpoint is the last one acknowledged. A record is the JSON envelope of
`schemas.operations.FramerState`, its state zstd-compressed msgpack in base64.
"""

import base64
from typing import Any, Final

import msgspec
import zstandard
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.config import MarginquakeError
from streams.contracts import FRAMER_STATE
from streams.core.events import MICROS
from streams.core.framing import STATE_VERSION, PartitionState

_LEVEL: Final = 1


class Envelope(msgspec.Struct, frozen=True):
    """What a checkpoint says outside its state; see `schemas.operations.FramerState`."""

    v: int
    partition: int
    next_offset: int
    through_us: int | None
    sealed_second: int | None
    counters: dict[str, int]
    state: str


def pack(state: PartitionState, through: int | None) -> bytes:
    """The record value of a checkpoint; `through` is the slowest watermark second (s)."""
    packed = zstandard.ZstdCompressor(_LEVEL).compress(msgspec.msgpack.encode(state))
    envelope = Envelope(
        state.v,
        state.partition,
        state.next_offset,
        None if through is None or through < 0 else through * MICROS,
        None if state.ticked is None else state.ticked * MICROS,
        state.counters,
        base64.b64encode(packed).decode(),
    )
    return msgspec.json.encode(envelope, order="deterministic")


def unpack(value: bytes) -> PartitionState:
    """The state of a checkpoint.

    Raises:
        MarginquakeError: the checkpoint is of another version or damaged.
    """
    try:
        envelope = _decode_envelope(value)
        if envelope.v != STATE_VERSION:
            raise MarginquakeError(
                f"framer checkpoint of partition {envelope.partition} has version {envelope.v}, "
                f"this program reads {STATE_VERSION}: run the version that wrote it, or delete "
                f"the record in {FRAMER_STATE} to frame the partition from its beginning"
            )
        packed = zstandard.ZstdDecompressor().decompress(base64.b64decode(envelope.state))
        return _decode_state(packed)
    except (msgspec.MsgspecError, zstandard.ZstdError, ValueError) as error:
        raise MarginquakeError(f"a checkpoint in {FRAMER_STATE} is damaged: {error}") from error


async def load(bootstrap: str, partitions: set[int]) -> dict[int, PartitionState]:
    """The last checkpoint of each of the partitions that has one."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[int, bytes] = {}
    try:
        source = TopicPartition(FRAMER_STATE, 0)
        consumer.assign([source])
        end = (await consumer.end_offsets([source]))[source]
        await consumer.seek_to_beginning(source)
        while await consumer.position(source) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    if record.value is not None and int(record.key) in partitions:
                        found[int(record.key)] = record.value
    finally:
        await consumer.stop()
    return {partition: unpack(value) for partition, value in found.items()}


_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_state = msgspec.msgpack.Decoder(PartitionState).decode
