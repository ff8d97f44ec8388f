"""All connections and polls of a collector, until it is stopped or a failure ends them.

The edge behind `collect` and `live`. Promises that it ends in order when told to: sockets are read
no further, what was received is put and acknowledged, each connection's disconnect is written. A
sink that fails ends every connection, and the failure is raised; so does one that takes nothing
more when it shall end, and what is lost with it is counted.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakSet

from streams.collect.line import Line
from streams.collect.planning import Plan, Polled
from streams.collect.polling import Poller
from streams.collect.reach import Reach
from streams.collect.records import MakeSink, Sink
from streams.config import MarginquakeError
from streams.core.instruments import Instruments

DRAIN_S: Final = 30.0
"""How long an end may take; a sink that is away may be away for ever."""


async def collect(
    plans: Sequence[Plan],
    polled: Sequence[Polled],
    make_sink: MakeSink,
    instruments: Instruments,
    stop: asyncio.Event,
    reach: Reach | None = None,
) -> None:
    """Serve every plan until `stop` is set and everything received is safe.

    `reach`: is told what could be opened, for those who show it meanwhile.

    Raises:
        MarginquakeError: a sink failed, or did not take what was received in `DRAIN_S`, or no
            connection could be opened.
    """
    reach = Reach(plans) if reach is None else reach
    asyncio.get_running_loop().set_exception_handler(_unheard)
    wanted = plans[0].wanted
    sinks: WeakSet[Sink] = WeakSet()

    def make_known() -> Sink:
        sink = make_sink()
        sinks.add(sink)
        return sink

    lines = [Line(plan, make_known, instruments, stop, reach) for plan in plans]
    pollers = [Poller(poll, wanted, make_known, instruments, stop) for poll in polled]
    runs = [*(line.run() for line in lines), *(poller.run() for poller in pollers)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run) for run in runs]
            await stop.wait()
            _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
            if late:
                waiting = sum(sink.waiting for sink in sinks)
                raise MarginquakeError(
                    f"{len(late)} of {len(tasks)} connections could not end in {DRAIN_S:.0f} s: "
                    f"{waiting:,} records unacknowledged, and what stood behind them, are lost; "
                    "look whether the broker is there"
                )
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    reach.require_one()


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody waits for; uvloop forgets the lookup of a host whose failure it has raised."""
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)
