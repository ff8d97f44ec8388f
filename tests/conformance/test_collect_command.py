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
SEALED_S = 6
"""A second of a sampled feed is sealed 3 s after it, by the heartbeat after that."""


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


async def test_sigterm_loses_nothing_that_was_received(tmp_path: Path) -> None:
    log, sent = tmp_path / "raw.jsonl", dict[str, list[bytes]]()
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(VenueServer(SPEECHES[v])) for v in WIRES]
        urls = [f"--url={name}={url}" for server in servers for name, url in server.urls.items()]
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
        (("--assets", "BTC", "--venues", "okx", "--name", "a/b"), "--name a/b"),
        (("--assets", "?", "--venues", "okx"), "okx has no known contract"),
        (("--assets", "BTC", "--venues", "okx", "--url", "okx=http://x"), "expected VENUE=ws://"),
        (("--assets", "BTC", "--venues", "okx", "--url", "okx=ws://"), "expected VENUE=ws://"),
        (
            ("--assets", "BTC", "--venues", "okx", "--url", "okx=ws://h:port"),
            "expected VENUE=ws://",
        ),
        (("--assets", "BTC", "--venues", "okx", "--into", "/no/such/log"), "name a file to write"),
        (("--assets", "BTC", "--venues", "kucoin", "--url", "kucoin=ws://x"), "kucoin-rest=http"),
    ],
)
def test_bad_usage_is_told(options: tuple[str, ...], words: str) -> None:
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode in (1, 2)
    assert words in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["live", "collect"])
def test_venues_out_of_reach_end_in_one_sentence(command: str, tmp_path: Path) -> None:
    options = ["--venues=bybit", "--assets=BTC", "--url=bybit=ws://nobody.invalid"]
    options += ["--for=2"] if command == "live" else ["--into", str(tmp_path / "raw.jsonl")]
    with subprocess.Popen(
        [*COMMAND[:-1], command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if command == "collect":
            assert process.stderr is not None
            assert any("cannot connect" in line for line in process.stderr)
            process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no venue could be reached" in words
    assert "--url VENUE=wss://HOST" in words
    assert "never retrieved" not in words


async def test_live_shows_what_its_feeds_and_engine_found() -> None:
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(VenueServer(SPEECHES[venue]))
            for venue in ("binance-usdm", "bybit")
        ]
        urls = [f"--url={name}={url}" for server in servers for name, url in server.urls.items()]
        options = ("--venues=binance,bybit", "--assets=BTC", "--for=60", *urls)
        process = await asyncio.create_subprocess_exec(
            *COMMAND[:-1],
            "live",
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        topics = [(server, server.speech.trade(0, 0)[0]) for server in servers]
        await until(lambda: all(any(True for _ in s.here(t)) for s, t in topics), 30)
        await asyncio.sleep(1.1)
        for number in range(20):
            for server in servers:
                forced = server.speech.forced
                assert forced is not None
                await server.say(server.speech.trade(number, time.time_ns() // 1_000_000))
                await server.say(forced(number, time.time_ns() // 1_000_000))
        await asyncio.sleep(SEALED_S)
        process.send_signal(signal.SIGINT)
        told, words = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, words.decode()
    assert b"liquidation 40" in told, told.decode()
    assert b"liquidated in the 24 h before the data end" in told
