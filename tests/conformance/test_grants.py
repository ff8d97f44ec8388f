"""A venue that hands out its address by token: each connection asks for its own."""

import pytest

from streams.venues.wire import WIRES
from tests.conformance.collecting import Kept, collecting, now_ms, planned, up
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import SPEECHES


async def test_every_connection_has_a_grant_of_its_own() -> None:
    kept, speech = Kept(), SPEECHES["kucoin"]
    async with VenueServer(speech) as server:
        wanted = planned(server)
        async with collecting(wanted, kept):
            await up(server, kept, len(wanted))
            topic, message = speech.trade(0, now_ms())
            server.break_off(topic, message)
            await until(lambda: kept.count("disconnect") == 1)
            await until(lambda: any(True for _ in server.here(topic)))
        assert server.grants == ["t-0", "t-1"]
        told = [status.detail for _, status in kept.statuses() if status.op == "connect"]
        assert told == [server.url.removeprefix("ws://")] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b'{"code":"400100","msg":"Invalid request"}',
        b'{"data":{"token":"t","instanceServers":[]}}',
        b'{"data":{"token":"t","instanceServers":[{"endpoint":"ws://a","pingInterval":0}]}}',
    ],
)
def test_what_is_no_grant_is_told(answer: bytes) -> None:
    (endpoint,) = WIRES["kucoin"].endpoints
    assert endpoint.granted is not None
    with pytest.raises(ValueError):
        endpoint.granted(answer)
