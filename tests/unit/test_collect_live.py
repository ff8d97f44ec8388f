"""What `live` shows: the newest rows, and which feeds are up or why they are not."""

import pytest
from rich.console import Console

from streams.collect.live import Live
from streams.collect.planning import Asked, plans
from streams.collect.reach import Reach
from streams.collect.records import Record, status_record
from streams.config import MarginquakeError
from streams.contracts import partition_for
from streams.core.events import Raw, Status
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from streams.venues.catalog import effective_table
from tests.drive import INSTRUMENTS
from tests.logs import bybit_forced, us


def beat(second: int) -> Record:
    status = Status("heartbeat", through_us={"liquidation": us(second)})
    record = status_record("bybit", "linear-0a", status)
    raw = Raw("bybit", "status", "linear-0a", us(second), record.raw.payload)
    return Record(raw, None)


def shown(live: Live, width: int = 160) -> str:
    console = Console(width=width, record=True, markup=False)
    with console.capture() as told:
        console.print(live.picture())
    return told.get()


async def test_the_picture_holds_the_print_and_the_feeds() -> None:
    live = Live(InProcess(PARSERS, INSTRUMENTS, partition_for), Reach(()))
    assert "no cascade windows yet" in shown(live)
    await live.put(beat(0))
    await live.put(Record(bybit_forced(2, usd=30_800).raw, "BTC"))
    for second in range(1, 9):
        await live.put(beat(second))
    live.step()
    told = shown(live)
    assert "$30.8k" in told
    assert " up " in told
    gap = status_record("bybit", "linear-0a", Status("gap", detail="silent"))
    await live.put(Record(Raw("bybit", "status", "linear-0a", us(9), gap.raw.payload), None))
    live.step()
    assert " down " in shown(live)
    assert " gap " in shown(live)


def test_a_connection_that_was_never_open_has_a_row_with_the_reason() -> None:
    found = plans(Asked(["bitmex", "okx"], ["BTC"], ["BTC"]), INSTRUMENTS, effective_table())
    reach = Reach(found)
    live = Live(InProcess(PARSERS, INSTRUMENTS, partition_for), reach)
    told = shown(live)
    assert all(plan.name in told for plan in found)
    assert "connecting" in told
    reach.failed(found[0], "Name or service not known")
    assert "Name or service not known" in shown(live)
    narrow = shown(live, 80)
    assert narrow.count("never up") == len(found)
    assert all(plan.name in narrow and plan.venue in narrow for plan in found)
    reach.opened(found[0])
    assert found[0].name not in shown(live)
    reach.require_one()


def test_nothing_reached_is_an_error_with_the_mend() -> None:
    found = plans(Asked(["bitmex"], ["BTC"], []), INSTRUMENTS, effective_table())
    reach = Reach(found)
    reach.require_one()
    reach.failed(found[0], "refused")
    with pytest.raises(MarginquakeError, match=r"bitmex: refused.*--url VENUE=wss://HOST"):
        reach.require_one()
