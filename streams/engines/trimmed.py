"""Where the market may begin on a frames.v1 that has lost its oldest records.

Between both engines and Kafka. frames.v1 and market_inputs.v1 lose segments each for itself, so
ticks may count frames that are gone: their seconds would never be complete, and all later ones
would wait for them. Promises the second through which some frame may be missing, or None when the
topic is whole. A partition holds its frames second by second, so its first record tells.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.contracts import FRAMES, decode_frame, partitions


async def lost_through(bootstrap: str) -> int | None:
    """The last second (µs) of which frames.v1 may lack a frame; None when it has lost none.

    Raises:
        KafkaError: the broker is not there, or lacks the topic.
    """
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="none")
    await consumer.start()
    try:
        sources = [TopicPartition(FRAMES, number) for number in range(partitions())]
        begins = await consumer.beginning_offsets(sources)
        ends = await consumer.end_offsets(sources)
        # One that has lost all it had cannot tell; what comes next in it is whole.
        cut = [source for source in sources if 0 < begins[source] < ends[source]]
        seconds = []
        for source in cut:
            consumer.assign([source])
            consumer.seek(source, begins[source])
            first = await consumer.getone(source)
            seconds.append(decode_frame(first.value).second)
        return max(seconds, default=None)
    finally:
        await consumer.stop()
