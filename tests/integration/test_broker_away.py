"""A worker that must read its partition again waits for a broker that is not there yet."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.contracts import FRAMES
from streams.engines import faust_shell
from streams.engines.faust_shell import Shell
from tests.conftest import BrokerMaker

pytestmark = pytest.mark.kafka


def shell(bootstrap: str) -> Shell:
    async def commit(_: dict[Any, int]) -> bool:
        return True

    return Shell(FRAMES, {}, lambda *_: None, lambda *_: (), bootstrap, commit)


async def test_a_reader_waits_for_a_broker_that_comes_back(make_broker: BrokerMaker) -> None:
    broker = make_broker()
    waiting = asyncio.create_task(shell(broker.bootstrap)._reader())
    await asyncio.sleep(1)
    assert not waiting.done()
    await asyncio.to_thread(broker.start)
    reader = await asyncio.wait_for(waiting, 60)
    assert await reader.topics() is not None
    await reader.stop()


async def test_a_reader_gives_up_on_a_broker_that_stays_away(
    make_broker: BrokerMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faust_shell, "BROKER_AWAY_S", 1.0)
    with pytest.raises(KafkaConnectionError):
        await shell(make_broker().bootstrap)._reader()
