"""A topic as it grows, read by nobody's group: what `marginquake tail` prints.

Beside the data path, between a topic and a person. Promises that what was on the topic when it
began comes in the order in which the broker took it, over all partitions, and then each new record
as it comes; that no group is joined and no offset is committed. Does not promise order between
partitions for records that come while it runs.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import contracts
from streams.config import MarginquakeError
from streams.edges.adopt import Merge
from streams.edges.kafka_clients import started

POLL_MS: Final = 200
POLL_RECORDS: Final = 1_000
_AGO: Final = re.compile(r"-(\d{1,6})(s|m|h|d)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class _Head(msgspec.Struct):
    """The one field of a row that `final_only` asks for."""

    is_final: bool = False


_head = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class TailOptions:
    """Which records of a topic: `begin` is `earliest`, `latest` or ms since 1970.

    `key` keeps the records of one asset, scope or venue, however it is spelt; `final_only` those
    that will not be revised; `limit` ends after so many; without `follow` it ends at the end of
    the log.
    """

    begin: int | str = "latest"
    key: str | None = None
    final_only: bool = False
    limit: int | None = None
    follow: bool = True


def readable_topics() -> dict[str, str]:
    """Topics whose records are JSON of ours, by short name (`cascades` for `cascades.v1`)."""
    return {name.removesuffix(".v1"): name for name in contracts.json_topics()}


def topic_named(name: str) -> str:
    """The topic of a short or whole name.

    Raises:
        MarginquakeError: there is none whose records are JSON.
    """
    known = readable_topics()
    found = known.get(name.removesuffix(".v1"))
    if found is None:
        raise MarginquakeError(f"there is no topic {name!r} to read: use {', '.join(known)}")
    return found


def begin_at(text: str, now_ms: int) -> int | str:
    """`earliest`, `latest`, an ISO time (UTC unless it says) or an age such as -90m, -1h, -2d.

    >>> begin_at("-1h", 7_200_000), begin_at("1970-01-01T00:00:05Z", 0), begin_at("latest", 0)
    (3600000, 5000, 'latest')

    Raises:
        MarginquakeError: none of these.
    """
    if text in ("earliest", "latest"):
        return text
    ago = _AGO.fullmatch(text)
    if ago is not None:
        age = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return max(0, now_ms - round(age.total_seconds() * 1000))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise MarginquakeError(
            f"--from {text!r} is no beginning: use earliest, latest, an age such as -90m, -1h or "
            "-2d, or a time such as 2026-10-10T21:00Z"
        ) from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0, round(when.timestamp() * 1000))


async def tail(
    kafka: str, topic: str, options: TailOptions, stop: asyncio.Event
) -> AsyncIterator[Any]:
    """Records of a topic until `stop`, the limit, or the end (without `follow`).

    Args:
        kafka: bootstrap servers.
        topic: whole name.
        options: which records.
        stop: ends it between two polls.

    Raises:
        MarginquakeError: no broker, no such topic, or a key that the topic does not have.
    """
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with started(consumer, kafka):
        options = replace(options, key=_spelt(topic, options.key))
        places = await _places(consumer, topic, options.key)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await _seek(consumer, ends, options.begin)
        left = options.limit
        async for record in _merged(consumer, ends, options.follow, stop):
            if _wanted(record, options):
                yield record
                left = None if left is None else left - 1
                if left == 0:
                    return


def _spelt(topic: str, key: str | None) -> str | None:
    """The key as the topic spells it: venues are small letters, assets capitals."""
    if key is None:
        return None
    return key.lower() if contracts.topics()[topic].key == "venue" else key.upper()


async def _places(consumer: Any, topic: str, key: str | None) -> list[TopicPartition]:
    if topic not in await consumer.topics():
        raise MarginquakeError(f"Kafka has no topic {topic}; run `marginquake topics --create`")
    spec = contracts.topics()[topic]
    if key is not None and spec.key in ("asset", "scope") and spec.partitions > 1:
        return [TopicPartition(topic, contracts.partition_for(key))]
    if key is not None and spec.key not in ("asset", "asset or partition", "scope", "venue"):
        raise MarginquakeError(f"{topic} is keyed by {spec.key}, not by asset: leave --asset out")
    return [TopicPartition(topic, number) for number in range(spec.partitions)]


async def _seek(consumer: Any, ends: dict[TopicPartition, int], begin: int | str) -> None:
    if begin == "latest":
        at = ends
    elif begin == "earliest":
        at = await consumer.beginning_offsets(list(ends))
    else:
        found = await consumer.offsets_for_times(dict.fromkeys(ends, begin))
        at = {place: ends[place] if one is None else one.offset for place, one in found.items()}
    for place, offset in at.items():
        consumer.seek(place, offset)


async def _merged(
    consumer: Any, ends: dict[TopicPartition, int], follow: bool, stop: asyncio.Event
) -> AsyncIterator[Any]:
    """The backlog by the broker's time, then records as they come."""
    merge = Merge[Any](list(ends))
    while not stop.is_set():
        drained = [place for place in ends if await consumer.position(place) >= ends[place]]
        for _, record in merge.take(drained):
            yield record
            if stop.is_set():
                return
        if not follow and len(drained) == len(ends) and not merge.held:
            return
        full = merge.full()
        consumer.pause(*(full - consumer.paused()))
        consumer.resume(*(consumer.paused() - full))
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        for place, records in batches.items():
            for record in records:
                merge.add(place, record.timestamp, record)


def _wanted(record: Any, options: TailOptions) -> bool:
    if options.key is not None and record.key != options.key.encode():
        return False
    if not options.final_only:
        return True
    try:
        return _head.decode(record.value or b"").is_final
    except msgspec.DecodeError:
        # Shown, since hiding what cannot be read would hide a fault.
        return True
