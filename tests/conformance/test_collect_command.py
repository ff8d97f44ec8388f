"""`marginquake collect` as a process: SIGTERM loses nothing, bad usage is told."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from streams.venues.wire import WIRES
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import SPEECHES

COMMAND = [sys.executable, "-m", "streams.cli", "collect"]
MESSAGES = 500


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


async def test_sigterm_loses_nothing_that_was_received(tmp_path: Path) -> None:
    log, sent = tmp_path / "raw.jsonl", dict[str, list[bytes]]()
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(VenueServer(SPEECHES[v])) for v in WIRES]
        urls = [f"--url={server.speech.venue}={server.url}" for server in servers]
        # No poll may leave this machine.
        urls += [f"--url={venue}-rest=http://127.0.0.1:1" for venue in WIRES]
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "--assets=btc", *urls, "--into", str(log), stderr=asyncio.subprocess.PIPE
        )
        for server in servers:
            topic, _ = server.speech.trade(0, 0)
            await until(lambda s=server, t=topic: any(True for _ in s.here(t)), 30)  # type: ignore[misc]
        for number in range(MESSAGES):
            for server in servers:
                message = server.speech.trade(number, time.time_ns() // 1_000_000)
                await server.say(message)
                sent.setdefault(server.speech.venue, []).append(message[1])
        for server in servers:
            # An answered ping says that the client has received all that was sent before it.
            topic, _ = server.speech.trade(0, 0)
            await asyncio.wait_for(await next(server.here(topic)).socket.ping(), 5)
        process.send_signal(signal.SIGTERM)
        _, words = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, words.decode()
    told = lines(log)
    for venue, messages in sent.items():
        mine = [line["payload"] for line in told if line["venue"] == venue]
        trades = [payload for payload in mine if not is_status(payload)]
        assert trades == [json.loads(message) for message in messages]
    last = {(line["venue"], line["connection"]): line["payload"] for line in told}
    assert {str(p["op"]) for p in last.values() if isinstance(p, dict)} == {"disconnect"}


def is_status(payload: object) -> bool:
    return isinstance(payload, dict) and payload.get("type") == "status"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--assets", "BTC", "--venues", "mtgox"), "mtgox"),
        (("--assets", "", "--venues", "okx"), "--assets is empty"),
        (("--assets", "?", "--venues", "okx"), "okx has no known contract"),
        (("--assets", "BTC", "--venues", "okx", "--url", "okx=http://x"), "expected VENUE=ws://"),
        (("--assets", "BTC", "--venues", "okx", "--into", "/no/such/log"), "name a file to write"),
    ],
)
def test_bad_usage_is_told(options: tuple[str, ...], words: str) -> None:
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode in (1, 2)
    assert words in " ".join(done.stderr.split())
