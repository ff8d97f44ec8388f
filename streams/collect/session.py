"""One websocket connection of a collector, from its handshake to its last record.

Between a venue and a sink. Promises: status records connect, subscribe, gap and disconnect; each
second, after an answered ping, a heartbeat that vouches only for what has been put before it;
nothing that was received is lost when it ends; and no buffer without bound, for while the sink
waits the socket is not read. Does not reconnect: `line` does.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.frames import DATA_OPCODES, Frame

from streams.collect.asking import Unanswered, answer_of, client
from streams.collect.measured import Measured
from streams.collect.missing import Missing
from streams.collect.planning import Plan
from streams.collect.records import MakeSink, Record, Sink, now_us, status_record
from streams.collect.sifting import Sifter
from streams.core.events import MAX_PAYLOAD_BYTES, MICROS, Rejected, Status
from streams.core.instruments import Instruments
from streams.venues.endpoints import Endpoint, Granted
from streams.venues.packed import unpacked

MOST_BYTES: Final = 16 * MAX_PAYLOAD_BYTES
"""Of one message: a full book, which is folded and not passed on, may have megabytes."""
MOST_FRAMES: Final = 64
"""Frames received and not yet taken, beyond which the socket is not read."""
PONG_S: Final = 9.0
"""A ping without an answer for so long ends an idle connection; feeds time out at 10 s."""
PONG_LOOKS: Final = 9
"""Times that it is looked for, evenly spread: to a process held up for long it is one look."""
LATE_PONG_S: Final = 60.0
"""And so long one that is busy: there the pong stands behind messages that are still to be read."""
BEAT_S: Final = 1.0
OPEN_S: Final = 10.0
CLOSE_S: Final = 2.0

_log: Final = structlog.get_logger("collect")


class _Counting(ClientConnection):
    """Counts whole messages as they arrive, so that a pong can be told from what came before."""

    arrived = 0

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES and event.fin:
            self.arrived += 1


async def _address(endpoint: Endpoint) -> Granted:
    """Where a connection goes: the endpoint's own address, or one that is granted to it alone.

    Raises:
        Unanswered: the venue grants none.
    """
    if endpoint.granted is None:
        return Granted(endpoint.url, endpoint.heartbeat.every_s)
    async with client() as session:
        answer = await answer_of(session, endpoint.url, "POST")
    try:
        granted = endpoint.granted(answer)
    except ValueError as error:
        raise Unanswered(f"{endpoint.url} grants no address: {error}") from error
    scheme = "wss://" if endpoint.url.startswith("https://") else "ws://"
    if not granted.url.startswith(scheme):
        raise Unanswered(f"{endpoint.url} grants no address that begins with {scheme}")
    return granted


class Session:
    """A connection that lives from `opened` until `ended` is done; then call `finish`."""

    def __init__(
        self,
        plan: Plan,
        name: str,
        socket: _Counting,
        sink: Sink,
        instruments: Instruments,
        *,
        ping_s: float,
    ) -> None:
        """`name`: the connection's in the records. `ping_s`: how often the client pings."""
        self.name = name
        self._plan = plan
        self._ping_s = ping_s
        self._socket = socket
        self._sink = sink
        self._measured = Measured(plan.venue, sink, plan.assets)
        self._since_us = now_us()
        self._sifter = Sifter(
            plan.venue,
            name,
            plan.wanted,
            instruments,
            self._since_us,
            channels=plan.assets,
            folded=plan.endpoint.folded,
        )
        numbering = plan.endpoint.numbering
        self._missing = None if numbering is None else Missing(numbering)
        self._reader = asyncio.create_task(self._read())
        self.ended = asyncio.create_task(self._serve())
        self._taken = 0
        self._moved = asyncio.Event()
        self._last: int | None = None
        self._greeted = asyncio.Event()
        if not plan.endpoint.greeting:
            self._greeted.set()
        self._ready = asyncio.Event()
        self._torn = asyncio.Event()
        self._writing = asyncio.Lock()
        self._silent: frozenset[str] = frozenset()
        self._denied = False

    @classmethod
    async def opened(
        cls, plan: Plan, name: str, make_sink: MakeSink, instruments: Instruments
    ) -> "Session":
        """A new connection that has said so; its messages are being taken.

        Raises:
            OSError: nobody answers, or not in time, or grants no address.
            WebSocketException: the answer is no handshake.
        """
        address = await _address(plan.endpoint)
        try:
            socket = await connect(
                address.url,
                create_connection=_Counting,
                ping_interval=None,
                max_queue=MOST_FRAMES,
                max_size=MOST_BYTES,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                user_agent_header="marginquake",
            )
        except ValueError as error:
            # An address that a venue granted or redirected to, and that none can be.
            raise OSError(f"{address.url}: {error}") from error
        assert isinstance(socket, _Counting)  # noqa: S101
        sink = make_sink()
        host = urlsplit(address.url).netloc
        try:
            await sink.put(status_record(plan.venue, name, Status("connect", detail=host)))
        except BaseException:
            socket.transport.abort()
            raise
        return cls(plan, name, socket, sink, instruments, ping_s=address.ping_s)

    async def _serve(self) -> str:
        """Take messages until the connection ends; returns why it did."""
        tasks = {self._reader, asyncio.create_task(self._live())}
        if self._plan.endpoint.heartbeat.ask:
            tasks.add(asyncio.create_task(self._keep_alive()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks - {self._reader}:
                task.cancel()
            await asyncio.gather(*tasks - {self._reader}, return_exceptions=True)

    async def ready(self) -> None:
        """Wait for the first heartbeat."""
        await self._ready.wait()

    async def torn(self) -> None:
        """Wait until a book is wrong, which only a new connection mends."""
        await self._torn.wait()

    async def finish(self, why: str) -> None:
        """Take what has been received by now, write the disconnect, wait for it, close."""
        self._last = self._socket.arrived
        while self._taken < self._last and not self._reader.done():
            self._moved.clear()
            await self._moved.wait()
        async with self._writing:
            self.ended.cancel()
            self._reader.cancel()
        await asyncio.gather(self.ended, self._reader, return_exceptions=True)
        for record in self._sifter.release():
            await self._put(record)
        self._measured.ended(self._taken)
        await self._tell(Status("disconnect", detail=why[:300]))
        await self._sink.close()
        with suppress(WebSocketException, OSError):
            await self._socket.close()

    async def _put(self, record: Record) -> None:
        self._measured.records[record.raw.channel or "unknown"] += 1
        await self._sink.put(record)

    async def _gap(self, reason: str, channels: tuple[str, ...] | None, detail: str) -> None:
        self._measured.gap(reason)
        await self._tell(Status("gap", channels=channels, detail=detail))

    async def _tell(self, status: Status) -> None:
        await self._sink.put(status_record(self._plan.venue, self.name, status))

    async def _read(self) -> str:
        reply = self._plan.endpoint.heartbeat.reply
        refusal = self._plan.endpoint.refusal.encode()
        greeting = self._plan.endpoint.greeting.encode()
        try:
            while self._last is None or self._taken < self._last:
                frame = await self._socket.recv(decode=False)
                received_us = now_us()
                text = unpacked(frame)
                message = frame if isinstance(text, Rejected) else text
                answer = reply(message) if reply is not None else None
                if answer is not None:
                    await self._send(answer)
                if not self._greeted.is_set() and greeting in message[:500].replace(b" ", b""):
                    self._greeted.set()
                if self._missing is not None:
                    self._missing.take(message)
                records = self._sifter.take(message, received_us)
                for record in records:
                    await self._put(record)
                if not records and refusal in message[:500].replace(b" ", b""):
                    await self._refused(message)
                self._taken += 1
                self._moved.set()
        except (WebSocketException, OSError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self._moved.set()
        return "drained"

    async def _refused(self, message: bytes) -> None:
        words = message[:200].decode("utf-8", "replace")
        _log.warning("subscription refused", venue=self._plan.venue, answer=words)
        self._denied = True
        await self._gap("refused", None, f"refused: {words}")

    async def _live(self) -> str:
        """Subscribe, then tell each second how far everything has been written."""
        try:
            async with asyncio.timeout(OPEN_S):
                await self._greeted.wait()
        except TimeoutError:
            return f"no welcome in {OPEN_S:.0f} s"
        try:
            await self._subscribe()
            while True:
                began = asyncio.get_running_loop().time()
                await self._beat()
                spent = asyncio.get_running_loop().time() - began
                await asyncio.sleep(max(0.0, BEAT_S - spent))
        except TimeoutError:
            return "no answer to a ping"
        except (WebSocketException, OSError) as error:
            return f"{type(error).__name__}: {error}"

    async def _subscribe(self) -> None:
        endpoint = self._plan.endpoint
        size, topics = endpoint.limits.topics_per_message, self._plan.topics
        asks = [endpoint.subscribe(topics[i : i + size]) for i in range(0, len(topics), size)]
        for index, text in enumerate((*endpoint.opening, *asks)):
            if index:
                await asyncio.sleep(1 / endpoint.limits.messages_per_s)
            await self._send(text)
        for channel, assets in self._plan.assets.items():
            await self._tell(Status("subscribe", channels=(channel,), assets=assets))
        self._measured.up()

    async def _send(self, text: str) -> None:
        await self._socket.send(text.replace("{time}", str(now_us() // MICROS)))

    async def _keep_alive(self) -> str:
        ask = self._plan.endpoint.heartbeat.ask
        try:
            await self._greeted.wait()
            while True:
                await asyncio.sleep(self._ping_s)
                await self._send(ask)
        except (WebSocketException, OSError) as error:
            return f"{type(error).__name__}: {error}"

    async def _beat(self) -> None:
        """Ping; once it is answered and all that came before has been put, say so."""
        pinged_us = now_us()
        async with asyncio.timeout(LATE_PONG_S):
            await self._ponged(await self._socket.ping())
        arrived = self._socket.arrived
        while self._taken < arrived and not self._reader.done():
            self._moved.clear()
            await self._moved.wait()
        async with self._writing:
            for record in self._sifter.release():
                await self._put(record)
            if self._sifter.torn():
                await self._gap("book", ("book",), "a book came out of order")
                self._torn.set()
            await self._watch(pinged_us)
            lost = await self._lost()
            through = {
                channel: pinged_us - self._sifter.lag_us(channel, pinged_us) - lateness_us
                for channel, lateness_us in self._plan.lateness_us.items()
                if channel not in self._silent | lost
                and not (channel == "book" and self._torn.is_set())
            }
            if self._denied:
                through = {}
            if through:
                await self._tell(Status("heartbeat", through_us=through))
            self._measured.beat(self._taken, through)
        self._ready.set()

    async def _ponged(self, pong: Awaitable[float]) -> None:
        """Wait for a pong.

        Raises:
            TimeoutError: nothing comes any more, and nothing that has come waits for us.
        """
        answer = asyncio.ensure_future(pong)
        arrived, looks = self._socket.arrived, 0
        while looks < PONG_LOOKS:
            if (await asyncio.wait([answer], timeout=PONG_S / PONG_LOOKS))[0]:
                answer.result()
                return
            idle = self._socket.arrived == arrived == self._taken
            arrived, looks = self._socket.arrived, looks + 1 if idle else 0
        raise TimeoutError

    async def _lost(self) -> frozenset[str]:
        """Say what messages skipped; gives the channels that are not vouched for this time."""
        words = self._missing.told() if self._missing is not None else ""
        if self._missing is None or not words:
            return frozenset()
        channels = tuple(name for name in self._missing.channels if name in self._plan.assets)
        _log.warning("messages are missing", venue=self._plan.venue, numbers=words)
        await self._gap("missing", channels, words)
        if "book" in channels:
            self._sifter.spoil()
        return frozenset(channels)

    async def _watch(self, at_us: int) -> None:
        """Say which channels have fallen silent though the connection lives."""
        limits = self._plan.endpoint.silent_s
        heard, since_us = self._sifter.heard_us, self._since_us
        silent = {
            channel
            for channel in self._plan.assets
            if channel in limits and at_us - heard.get(channel, since_us) > limits[channel] * MICROS
        }
        watched = self._plan.assets.keys() & limits.keys()
        if watched and silent == watched:
            silent = set(self._plan.assets)
        for channel in sorted(silent - self._silent):
            _log.warning("channel is silent", venue=self._plan.venue, channel=channel)
            await self._gap("silent", (channel,), "silent")
        self._silent = frozenset(silent)
