"""The broker is killed under the webhook: it goes on or ends with 1, and no row is lost."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams import contracts
from streams.edges.broker import Broker
from streams.edges.topics import reconcile
from tests.published import alert, publish
from tests.receiver import OK, SECRET, Answer, Received, receiving

pytestmark = pytest.mark.kafka


def test_a_killed_broker_costs_no_row(make_broker: Callable[[], Broker], tmp_path: Path) -> None:
    broker = make_broker()
    broker.start()
    asyncio.run(reconcile(broker.bootstrap, create=True))
    rows = [alert(scope, n) for n in range(150) for scope in ("BTC", "ETH", "SOL")]
    publish(broker.bootstrap, contracts.ALERTS, rows)
    wanted = {f"{row['id']}.1" for row in rows}
    log = tmp_path / "log"

    def steady(received: Received, times: int) -> Answer:
        time.sleep(0.03)
        return OK

    with receiving() as receiver:
        receiver.answer = steady

        def start() -> subprocess.Popen[bytes]:
            with log.open("ab") as file:
                return subprocess.Popen(
                    [sys.executable, "-m", "streams.cli", "webhook", "--from", "earliest"],
                    env={
                        **os.environ,
                        "MARGINQUAKE_KAFKA": broker.bootstrap,
                        "MARGINQUAKE_WEBHOOK_URL": receiver.url,
                        "MARGINQUAKE_WEBHOOK_SECRET": SECRET,
                    },
                    stdout=file,
                    stderr=file,
                )

        process = start()
        try:
            deadline = time.monotonic() + 200
            killed = False
            while not wanted <= {one.delivery for one in receiver.taken}:
                assert time.monotonic() < deadline, log.read_text()[-2000:]
                if not killed and len(receiver.taken) >= 60:
                    assert broker.kill()
                    broker.start()
                    killed = True
                if process.poll() is not None:
                    assert process.returncode == 1, log.read_text()[-2000:]
                    process = start()
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait(timeout=30)
    assert killed
    firsts = list(dict.fromkeys(one.delivery for one in receiver.taken))
    for scope in ("BTC", "ETH", "SOL"):
        mine = [one for one in firsts if one.startswith(scope)]
        assert mine == sorted(mine)
