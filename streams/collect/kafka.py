"""Records of one connection into raw.v1, through one idempotent producer, in order.

A sink. Promises that no more than `MOST_UNACKNOWLEDGED` records wait for the broker: then the
connection stops reading. A broker that does not come back is an error that ends the collector.
"""

import asyncio
from collections import deque
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams import contracts
from streams.collect.records import Record
from streams.config import MarginquakeError
from streams.contracts import RAW, partition_for
from streams.raw_records import raw_headers

MOST_UNACKNOWLEDGED: Final = 2_000


class KafkaSink:
    """Takes the records of one connection; its producer starts with the first of them."""

    def __init__(self, bootstrap: str) -> None:
        """`bootstrap`: servers of the broker."""
        self._bootstrap = bootstrap
        self._producer: Any = None
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._lock = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Records on their way to the broker."""
        return len(self._waiting)

    async def put(self, record: Record) -> None:
        """Send a record to its partition; waits while too many are on their way.

        Raises:
            MarginquakeError: the broker refuses, or is away for too long.
        """
        try:
            async with self._lock:
                if self._producer is None:
                    self._producer = await self._started()
                key = record.asset or record.raw.channel or ""
                headers = raw_headers(record.raw, record.part, record.message_id)
                for partition in self._partitions(record):
                    self._waiting.append(
                        await self._producer.send(
                            RAW,
                            record.raw.payload,
                            key.encode(),
                            partition=partition,
                            headers=headers,
                        )
                    )
                while self._waiting and (
                    self._waiting[0].done() or len(self._waiting) > MOST_UNACKNOWLEDGED
                ):
                    await self._waiting.popleft()
        except (KafkaError, OSError) as error:
            raise self._failed(error) from error

    async def flush(self) -> None:
        """Wait until the broker has acknowledged every record.

        Raises:
            MarginquakeError: it refuses one, or is away for too long.
        """
        try:
            while self._waiting:
                await self._waiting.popleft()
        except (KafkaError, OSError) as error:
            raise self._failed(error) from error

    async def close(self) -> None:
        """Flush, then leave the broker; one who gives up waiting leaves it at once.

        Raises:
            MarginquakeError: see `flush`.
        """
        try:
            await self.flush()
        except asyncio.CancelledError:
            self._producer = None
            raise
        finally:
            if self._producer is not None:
                await self._producer.stop()

    async def _started(self) -> Any:
        producer: Any = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=512 * 1024,
            max_request_size=contracts.topics()[RAW].max_message_bytes,
            compression_type="lz4",
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    @staticmethod
    def _partitions(record: Record) -> range | tuple[int]:
        if record.asset is None:
            return range(contracts.partitions())
        return (partition_for(record.asset),)

    def _failed(self, error: Exception) -> MarginquakeError:
        return MarginquakeError(
            f"Kafka at {self._bootstrap}: {error}; start it (`marginquake broker start`), create "
            "the topics (`marginquake topics --create`) or name another with --kafka"
        )
