"""All connections and polls of a collector, until it is stopped or a failure ends them.

The edge behind `collect` and `live`. Promises that it ends in order when told to: sockets are read
no further, what was received is put and acknowledged, each connection's disconnect is written. A
sink that fails ends every connection, and the failure is raised.
"""

import asyncio
from collections.abc import Sequence

from streams.collect.line import Line
from streams.collect.planning import Plan, Polled
from streams.collect.polling import Poller
from streams.collect.records import MakeSink
from streams.core.instruments import Instruments


async def collect(
    plans: Sequence[Plan],
    polled: Sequence[Polled],
    make_sink: MakeSink,
    instruments: Instruments,
    stop: asyncio.Event,
) -> None:
    """Serve every plan until `stop` is set and everything received is safe.

    Raises:
        MarginquakeError: a sink failed.
    """
    wanted = plans[0].wanted
    try:
        async with asyncio.TaskGroup() as group:
            for plan in plans:
                group.create_task(Line(plan, make_sink, instruments, stop).run())
            for poll in polled:
                group.create_task(Poller(poll, wanted, make_sink, instruments, stop).run())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
