"""aiokafka's consumers and producers as contexts.

Promises that a client which was started, or could not be, is stopped, and that what the broker
refuses is one sentence with its mend. A client reconnects by itself: what leaves it is final.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import KafkaError

from streams.config import MarginquakeError


@asynccontextmanager
async def started(client: Any, bootstrap: str) -> AsyncIterator[Any]:
    """A consumer or producer that has started.

    Raises:
        MarginquakeError: the broker is not there, or refuses something within the block.
    """
    try:
        try:
            await client.start()
            yield client
        finally:
            await client.stop()
    except KafkaError as error:
        raise MarginquakeError(
            f"Kafka at {bootstrap}: {error}; start it (`marginquake broker start`), create the "
            "topics (`marginquake topics --create`) or name another with --kafka"
        ) from error
