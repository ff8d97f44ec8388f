"""Where a venue numbers its messages without gaps, what is missing is a gap of its channels."""

import pytest

from streams.collect import line
from streams.collect.missing import Missing
from streams.venues import numbering
from streams.venues.numbering import Numbering, Numbers
from streams.venues.wire import WIRES
from tests.conformance.collecting import Kept, collecting, now_ms, planned, up
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import SPEECHES

NUMBERED = sorted(v for v, wire in WIRES.items() if any(e.numbering for e in wire.endpoints))


def test_the_venues_that_number_are_these() -> None:
    assert set(NUMBERED) == {
        *("binance-usdm", "binance-coinm", "binance-spot", "coinbase", "deribit", "dydx")
    }


@pytest.mark.parametrize("venue", NUMBERED)
async def test_what_is_missing_is_a_gap_with_its_numbers(venue: str) -> None:
    kept, speech = Kept(), SPEECHES[venue]
    async with VenueServer(speech) as server:
        wanted = planned(server)
        (plan,) = (plan for plan in wanted if speech.trade(0, 0)[0] in plan.topics)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            for n in (10, 11, 11, 15, 12, 16):
                await server.say(speech.trade(n, now_ms()))
            await until(lambda: kept.count("gap") == 1)
            lost_at = next(i for i, (_, s) in enumerate(kept.statuses()) if s.op == "gap")
            await until(lambda: any("trade" in s.through_us for _, s in kept.statuses()[lost_at:]))
    (at,) = (i for i, (_, status) in enumerate(kept.statuses()) if status.op == "gap")
    name, gap = kept.statuses()[at]
    rule = plan.endpoint.numbering
    assert rule is not None
    assert name == f"{plan.name}a"
    assert set(gap.channels or ()) == set(rule.channels) & plan.assets.keys()
    assert gap.detail.endswith(" 12-14")
    whole = plan.assets.keys() - set(rule.channels)
    after = next(status for n, status in kept.statuses()[at + 1 :] if n == name)
    assert not whole or after.through_us.keys() == whole


async def test_a_message_missing_may_be_a_books_so_that_is_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "RETRY_S", 0.2)
    kept, speech = Kept(), SPEECHES["dydx"]
    assert speech.book is not None
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            await server.say(speech.book(0, now_ms()))
            for n in (1, 5):
                await server.say(speech.trade(n, now_ms()))
            await until(lambda: kept.count("disconnect") == 1)
            assert kept.count("gap") == 2
    assert kept.count("connect") == len(wanted) + 1


def told(*found: Numbers) -> str:
    rows = iter(found)
    missing = Missing(Numbering(("trade",), lambda _: (next(rows),)))
    for _ in found:
        missing.take(b"")
    words = missing.told()
    assert missing.told() == ""
    return words


def test_a_range_of_numbers_follows_the_last_of_the_one_before() -> None:
    assert told(Numbers("x", 1, 4), Numbers("x", 5, 5), Numbers("y", 90, 91)) == ""
    assert told(Numbers("x", 1, 4), Numbers("x", 6, 9)) == "missing: x 5-5"


def test_numbers_that_no_message_carries_are_not_missing() -> None:
    assert told(Numbers("x", 1, 4, 10), Numbers("x", 6, 9, 11)) == ""
    assert told(Numbers("x", 1, 4, 10), Numbers("x", 6, 9, 12)) == "missing: x 5-5"


def test_of_many_gaps_the_first_are_named() -> None:
    found = told(*(Numbers("x", 2 * n, 2 * n) for n in range(9)))
    assert found == "missing: x 1-1, x 3-3, x 5-5, x 7-7, x 9-9, 3 gaps more"


@pytest.mark.parametrize("message", [b"", b"{", b"[]", b'{"data":{"e":"aggTrade","s":1}}', b"\xff"])
def test_what_cannot_be_read_has_no_number(message: bytes) -> None:
    for rule in (numbering.BINANCE, numbering.DERIBIT, numbering.DYDX, numbering.COINBASE):
        missing = Missing(rule)
        missing.take(message)
        assert missing.told() == ""
