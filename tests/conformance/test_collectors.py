"""Every venue that can be collected keeps the same promises, against a server that speaks as it."""

import asyncio
import gzip
import re
import time
from collections.abc import Iterator

import msgspec
import pytest

from streams.collect import line, session
from streams.collect.planning import Plan
from streams.core.events import Book, Liquidation, Status, Trade
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.wire import WIRES
from tests.conformance.collecting import (
    BEAT_S,
    INSTRUMENTS,
    Kept,
    collecting,
    now_ms,
    planned,
    up,
)
from tests.conformance.speech import Speech, text
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import REFUSALS, SPEECHES

LAST = re.compile(rb'[",:]40["\]}]')
"""The size of the last of forty bids."""


@pytest.fixture(params=sorted(WIRES))
def speech(request: pytest.FixtureRequest) -> Iterator[Speech]:
    yield SPEECHES[request.param]


async def test_subscribes_to_what_the_venue_offers_and_nothing_twice(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
        asked = [topic for guest in server.guests for topic in guest.topics]
    assert frozenset(asked) == speech.topics
    subscribed = {c for _, s in kept.statuses() for c in s.channels or () if s.op == "subscribe"}
    assert subscribed == {c for e in WIRES[speech.venue].endpoints for c in e.channels}
    assert kept.count("connect") == kept.count("disconnect") == len(wanted)


async def test_events_come_once_in_order_between_status_records(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            said = [speech.trade(n, now_ms()) for n in range(200)]
            forced = [speech.forced(n, now_ms()) for n in range(5)] if speech.forced else []
            for message in (*said, *forced):
                await server.say(message)
            await until(lambda: len(kept.messages(Trade)) >= 200)
            await until(lambda: len(kept.messages(Liquidation)) >= len(forced))
    assert [raw.payload for raw in kept.messages(Trade)][:200] == [m for _, m in said]
    assert len(kept.messages(Liquidation)) == len(forced)
    assert kept.count("gap") == 0
    assert {r.asset for r in kept.records if r.raw.channel != "status"} == {"BTC"}
    ids = [
        outcome.id
        for raw in kept.messages(Trade)
        for outcome in normalise(raw, PARSERS, INSTRUMENTS)
        if isinstance(outcome, Trade)
    ]
    assert len(ids) == len(set(ids)) >= 200


async def test_a_heartbeat_vouches_only_for_what_was_put_before_it(speech: Speech) -> None:
    kept = Kept()
    kept.pause_s = 0.002
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for n in range(150):
                await server.say(speech.trade(n, now_ms()))
            await until(lambda: len(kept.messages(Trade)) >= 150)
            beats = kept.count("heartbeat")
            await until(lambda: kept.count("heartbeat") >= beats + 3)
    vouched: dict[str, int] = {}
    for record in kept.records:
        if record.raw.channel == "status":
            status = msgspec.json.decode(record.raw.payload, type=Status)
            vouched[record.raw.connection] = status.through_us.get("trade", 0)
        else:
            for outcome in normalise(record.raw, PARSERS, INSTRUMENTS):
                if isinstance(outcome, Trade):
                    assert outcome.event_time_us > vouched.get(record.raw.connection, 0)
    assert all(through < time.time_ns() // 1000 - 1_900_000 for through in vouched.values())


async def test_a_connection_cut_within_a_message_is_renewed(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            topic, message = speech.trade(0, now_ms())
            await server.say((topic, message))
            await until(lambda: len(kept.messages(Trade)) == 1)
            server.break_off(topic, message)
            await until(lambda: kept.count("disconnect") == 1)
            await until(lambda: any(True for _ in server.here(topic)))
            await server.say(speech.trade(1, now_ms()))
            await until(lambda: len(kept.messages(Trade)) == 2)
            beats = kept.count("heartbeat")
            await until(lambda: kept.count("heartbeat") > beats + len(wanted))
    assert kept.count("connect") == len(wanted) + 1
    assert kept.count("disconnect") == len(wanted) + 1


async def test_what_is_no_message_is_passed_on_and_what_is_no_frame_ends_the_connection(
    speech: Speech,
) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            topic, message = speech.trade(0, now_ms())
            await server.say((topic, message[: len(message) // 2]))
            await until(lambda: any(record.asset == "?" for record in kept.records))
            server.scribble(topic)
            await until(lambda: kept.count("disconnect") == 1)
            await until(lambda: any(True for _ in server.here(topic)))
            await server.say((topic, message))
            await until(lambda: len(kept.messages(Trade)) == 1)


async def test_of_the_books_of_a_second_the_last_is_told(speech: Speech) -> None:
    if speech.book is None:
        assert all("book" not in e.channels for e in WIRES[speech.venue].endpoints)
        return
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for n in range(40):
                await server.say(speech.book(n, now_ms()))
            await until(lambda: any(LAST.search(raw.payload) for raw in kept.messages(Book)))
    books = kept.messages(Book)
    assert len(books) <= 12
    assert LAST.search(books[-1].payload)
    assert {record.asset for record in kept.records if record.raw in books} == {"BTC"}


@pytest.mark.parametrize("venue", ["bybit", "kraken", "dydx"])
async def test_a_book_out_of_order_is_a_gap_and_a_new_connection(
    venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "RETRY_S", 0.2)
    kept, speech = Kept(), SPEECHES[venue]
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for n in (0, 1, 1):
                await server.say(speech.book(n, now_ms()) if speech.book else ("", b""))
            await until(lambda: kept.count("disconnect") == 1)
            gaps = [status for _, status in kept.statuses() if status.op == "gap"]
    assert [gap.channels for gap in gaps] == [("book",)]
    assert kept.count("connect") == len(wanted) + 1


async def test_a_slow_sink_stops_the_reading(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            topic, message = speech.trade(0, now_ms())
            sent, padded = 0, message + b" " * 20_000
            kept.open.clear()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        await server.say((topic, padded))
                        sent += 1
            kept.open.set()
    size = len(gzip.compress(padded, 1)) if speech.packed else len(padded)
    assert sent * size < 30_000_000


async def test_a_pong_behind_messages_is_waited_for(
    speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            kept.open.clear()
            for n in range(200):
                await server.say(speech.trade(n, now_ms()))
            with monkeypatch.context() as hurry:
                hurry.setattr(session, "PONG_S", 0.1)
                await asyncio.sleep(0.5)
            kept.open.set()
            beats = kept.count("heartbeat")
            await until(lambda: kept.count("heartbeat") > beats + len(wanted))
        assert len(kept.messages(Trade)) == 200
    assert kept.count("connect") == len(wanted)


async def test_a_connection_that_answers_no_ping_is_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Kept()
    async with VenueServer(SPEECHES["okx"]) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            monkeypatch.setattr(session, "PONG_S", 0.1)
            server.guests[0].socket.transport.pause_reading()
            await until(lambda: kept.count("disconnect") >= 1)


async def test_a_process_that_was_held_up_keeps_its_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "PONG_S", 0.45)
    monkeypatch.setattr(session, "BEAT_S", 0.0)
    kept = Kept()
    async with VenueServer(SPEECHES["okx"]) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for _ in range(6):
                await asyncio.sleep(0.02)
                time.sleep(0.5)
        assert kept.count("connect") == len(wanted)


async def test_an_old_connection_is_closed_after_its_heir_is_heard(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        topic, _ = speech.trade(0, now_ms())
        wanted = [short_lived(plan) for plan in planned(server) if topic in plan.topics]
        async with collecting(wanted, kept):
            await up(server, kept, 1)
            n = 0
            while kept.count("disconnect") < 2:
                await server.say(speech.trade(n, now_ms()))
                n += 1
                await asyncio.sleep(0.01)
    told = [raw.payload for raw in kept.messages(Trade)]
    ends = [(name, status.op) for name, status in kept.statuses() if status.op != "subscribe"]
    first = ends.index((f"{wanted[0].name}a", "disconnect"))
    assert (f"{wanted[0].name}b", "heartbeat") in ends[:first]
    assert len(set(told)) == n


def short_lived(plan: Plan) -> Plan:
    limits = msgspec.structs.replace(plan.endpoint.limits, life_s=0.4)
    return msgspec.structs.replace(
        plan, endpoint=msgspec.structs.replace(plan.endpoint, limits=limits)
    )


async def test_silence_of_a_live_connection_is_a_gap_until_it_speaks(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        topic, _ = speech.trade(0, now_ms())
        wanted = [impatient(plan) for plan in planned(server) if topic in plan.topics][:1]
        async with collecting(wanted, kept):
            await until(lambda: kept.count("gap") >= len(wanted[0].assets))
            await server.say(speech.trade(0, now_ms()))
            await until(lambda: "trade" in kept.statuses()[-1][1].through_us)
    gaps = {c for _, status in kept.statuses() for c in status.channels or () if status.op == "gap"}
    assert gaps == wanted[0].assets.keys()


def impatient(plan: Plan) -> Plan:
    limits = dict.fromkeys(plan.endpoint.silent_s, 0.3)
    return msgspec.structs.replace(
        plan, endpoint=msgspec.structs.replace(plan.endpoint, silent_s=limits)
    )


async def test_the_venues_own_ping_is_sent(speech: Speech) -> None:
    if speech.ping is None:
        assert not any(e.heartbeat.ask for e in WIRES[speech.venue].endpoints)
        return
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = [often(plan) for plan in planned(server)]
        async with collecting(wanted, kept):
            ping = speech.ping
            await until(lambda: all(ping in "".join(g.sent) for g in server.guests))


async def test_a_refused_subscription_is_a_gap_and_vouches_for_nothing(speech: Speech) -> None:
    kept = Kept()
    async with VenueServer(speech) as server:
        topic, _ = speech.trade(0, now_ms())
        wanted = [plan for plan in planned(server) if topic in plan.topics]
        async with collecting(wanted, kept):
            await up(server, kept, 1)
            await server.send(next(server.here(topic)), text(REFUSALS[speech.venue]))
            await until(lambda: kept.count("gap") == 1)
            await asyncio.sleep(3 * BEAT_S)
        ops = [status.op for _, status in kept.statuses()]
    assert "heartbeat" not in ops[ops.index("gap") :]


async def test_the_venues_question_is_answered(speech: Speech) -> None:
    if speech.question is None:
        assert not any(e.heartbeat.reply for e in WIRES[speech.venue].endpoints)
        return
    kept = Kept()
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for guest in server.guests:
                await server.send(guest, speech.question)
            await until(lambda: all(speech.reply in "".join(g.sent) for g in server.guests))
    assert all(record.raw.channel == "status" for record in kept.records)


def often(plan: Plan) -> Plan:
    beat = msgspec.structs.replace(plan.endpoint.heartbeat, every_s=0.05)
    return msgspec.structs.replace(
        plan, endpoint=msgspec.structs.replace(plan.endpoint, heartbeat=beat)
    )
