"""Asks by REST for what no stream of a venue carries: open interest, the cycle of funding.

Beside the lines of a collector, with a sink of its own. Promises the venue's answers as raw
records of channel `ticker`, spaced within its limits, and that an answer that fails costs only
itself. Polled values take the time of their receipt and move no watermark.
"""

import asyncio
from itertools import cycle
from typing import Final

import aiohttp
import structlog

from streams.collect.asking import Unanswered, answer_of, client
from streams.collect.planning import Polled
from streams.collect.records import MakeSink, now_us
from streams.collect.sifting import Sifter
from streams.core.instruments import Instruments
from streams.telemetry import RECORDS_COLLECTED

_log: Final = structlog.get_logger("collect")


class Poller:
    """Asks for each symbol in turn, until `stop` is set."""

    def __init__(
        self,
        polled: Polled,
        wanted: frozenset[str],
        make_sink: MakeSink,
        instruments: Instruments,
        stop: asyncio.Event,
    ) -> None:
        self._polled = polled
        self._make_sink = make_sink
        self._stop = stop
        self._sifter = Sifter(polled.venue, f"{polled.poll.name}-0", wanted, instruments, 0)

    async def run(self) -> None:
        """Ask until stopped; then everything taken is safe."""
        poll, symbols = self._polled.poll, self._polled.symbols
        every_s = max(poll.spacing_s, poll.every_s / len(symbols))
        sink = self._make_sink()
        async with client() as session:
            for symbol in cycle(symbols):
                if self._stop.is_set():
                    break
                body, wait_s = await self._asked(session, poll.url.replace("{symbol}", symbol))
                records = self._sifter.take(body, now_us()) if body else []
                for record in records:
                    await sink.put(record)
                    channel = record.raw.channel or "unknown"
                    RECORDS_COLLECTED.labels(venue=self._polled.venue, channel=channel).inc()
                await self._pause(max(every_s, wait_s))
        await sink.close()

    async def _asked(self, session: aiohttp.ClientSession, url: str) -> tuple[bytes, float]:
        """An answer, empty when there is none, and how long to wait at least."""
        try:
            return await answer_of(session, url), 0.0
        except Unanswered as error:
            _log.warning("poll failed", url=url, problem=str(error))
            return b"", error.wait_s

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
