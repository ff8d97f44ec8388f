"""What a collector does can be read from its metrics, while it does it."""

import asyncio
import socket
import sys
from pathlib import Path

import aiohttp

from streams.collect.measured import health
from streams.telemetry import REGISTRY
from tests.conformance.collecting import Kept, collecting, now_ms, planned, up
from tests.conformance.speech import text
from tests.conformance.venue_server import PATIENCE_S, VenueServer, until
from tests.conformance.venue_speech import REFUSALS, SPEECHES

VENUE = "deribit"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"marginquake_{name}", {"venue": VENUE, **labels}) or 0.0


async def test_messages_records_losses_and_gaps_are_counted() -> None:
    messages, records = value("messages_received_total"), trades()
    lost, refused = value("reconnects_total", reason="lost"), gaps("refused")
    missing = gaps("missing")
    kept, speech = Kept(), SPEECHES[VENUE]
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            assert value("connections_up") == len(wanted)
            assert 1.9 < value("heartbeat_lag_seconds") < 10
            assert health().ok
            topic, _ = speech.trade(0, now_ms())
            for n in (0, 1, 5):
                await server.say(speech.trade(n, now_ms()))
            await until(lambda: trades() == records + 3)
            await until(lambda: gaps("missing") == missing + 1)
            await server.send(next(server.here(topic)), text(REFUSALS[VENUE]))
            await until(lambda: gaps("refused") == refused + 1)
            server.scribble(topic)
            await until(lambda: value("reconnects_total", reason="lost") == lost + 1)
            await until(lambda: any(True for _ in server.here(topic)))
    assert value("messages_received_total") == messages + 4
    assert value("connections_up") == value("records_unacknowledged") == 0
    assert not health().ok


def trades() -> float:
    return value("records_collected_total", channel="trade")


def gaps(reason: str) -> float:
    return value("feed_gaps_total", reason=reason)


async def test_collect_serves_its_metrics_on_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with VenueServer(SPEECHES[VENUE]) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams.cli", "collect", "--assets=BTC"),
            *(f"--venues={VENUE}", "--metrics-port", str(port)),
            *("--into", str(tmp_path / "raw.jsonl")),
            *(f"--url={name}={url}" for name, url in server.urls.items()),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            asked = SPEECHES[VENUE].topics
            await until(lambda: asked == {t for g in server.guests for t in g.topics}, 30)
            page, up_now = "", f'marginquake_connections_up{{venue="{VENUE}"}} 1.0'
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                async with asyncio.timeout(PATIENCE_S):
                    while up_now not in page:
                        async with session.get("/metrics") as answer:
                            page = await answer.text()
                async with session.get("/healthz") as answer:
                    assert (await answer.json())["status"] == "ok"
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 20)
    assert 'process="collect"' in page
