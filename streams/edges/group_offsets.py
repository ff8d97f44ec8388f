"""Where a consumer group begins: its first offsets, and what to say when they are lost.

Between Kafka and those that pass rows on: the sink and the webhook. Promises that only a first
start chooses where to begin: afterwards the group's own offsets hold.
"""

from collections.abc import Iterable
from typing import Literal

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from streams import contracts
from streams.config import MarginquakeError

log = structlog.get_logger(__name__)


async def first_offsets(
    kafka: str,
    group: str,
    topics: Iterable[str],
    begin: Literal["earliest", "latest"] = "earliest",
) -> dict[TopicPartition, int]:
    """Commit the start of every partition for which the group has no offset yet; all its offsets.

    So only a first start reads from `begin`; a later offset that is gone from the log is
    an error, where a reset would step over lost records in silence.

    Raises:
        MarginquakeError: no broker answers or a topic is missing.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    try:
        await consumer.start()
        existing = await consumer.topics()
        missing = [name for name in topics if name not in existing]
        if missing:
            raise MarginquakeError(
                f"Kafka at {kafka} has no topic {', '.join(missing)}; "
                "run `marginquake topics --create`"
            )
        partitions = partitions_of(topics)
        consumer.assign(partitions)
        held = {tp: await consumer.committed(tp) for tp in partitions}
        found: dict[TopicPartition, int] = {tp: at for tp, at in held.items() if at is not None}
        new = [tp for tp in partitions if tp not in found]
        if new:
            early = begin == "earliest"
            begins = await (consumer.beginning_offsets(new) if early else consumer.end_offsets(new))
            await consumer.commit(begins)
            found |= begins
    except KafkaConnectionError:
        raise MarginquakeError(
            f"no Kafka broker answers at {kafka}; start one with `marginquake broker start` or "
            "set MARGINQUAKE_KAFKA"
        ) from None
    except CommitFailedError:
        log.info("another member of the group sets the first offsets", group=group)
    finally:
        await consumer.stop()
    return found


def partitions_of(topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of these topics, as topics.yaml counts them."""
    known = contracts.topics()
    return [
        TopicPartition(name, number) for name in topics for number in range(known[name].partitions)
    ]


def lost_offsets(group: str, error: object) -> str:
    """What to tell of a group whose offsets the log no longer holds."""
    return (
        f"offsets of group {group} are no longer in the log ({error}): records were deleted before "
        "they were written; set the group's offsets by hand, or use another --group to read what "
        "is left from the start"
    )
