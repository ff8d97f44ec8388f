"""Two collectors of the same feeds: the end of one takes nothing from the other."""

import msgspec

from streams.collect.planning import Asked, plans, polls
from streams.core.clock import Clock, ClockState
from streams.core.events import Raw, Status
from streams.venues.catalog import effective_table
from tests.conformance.collecting import INSTRUMENTS

AT_US = 1_790_000_000_000_000


def connections(name: str) -> set[str]:
    asked = Asked(["binance-usdm"], ["BTC"], [], {}, name)
    table = effective_table()
    return {plan.name for plan in plans(asked, INSTRUMENTS, table)} | {
        polled.poll.name for polled in polls(asked, INSTRUMENTS, table)
    }


def test_names_of_connections_begin_with_that_of_the_collector() -> None:
    east = connections("east-")
    assert east == {f"east-{name}" for name in connections("")}
    assert not east & connections("west-")


def test_the_end_of_one_leaves_the_feeds_of_the_other_up() -> None:
    clock = Clock(ClockState())
    subscribe = Status("subscribe", channels=("trade",))

    def told(connection: str, status: Status) -> list[str]:
        raw = Raw("okx", "status", connection, AT_US, msgspec.json.encode(status))
        return [change.connection for change in clock.apply(status, raw)]

    assert told("east-swap-0a", subscribe) == ["east-swap-0a"]
    assert told("west-swap-0a", subscribe) == ["west-swap-0a"]
    assert told("east-swap-0a", Status("disconnect")) == ["east-swap-0a"]
    assert clock.group("BTC").health(AT_US // 1_000_000).channels == ("okx/trade",)
