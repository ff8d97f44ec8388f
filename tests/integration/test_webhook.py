"""The webhook as a process, a real broker, a real receiver: nothing is lost whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams import contracts
from tests.published import alert, letters, publish
from tests.receiver import OK, SECRET, Answer, Received, Receiver, receiving

pytestmark = pytest.mark.kafka

PROGRAM = [sys.executable, "-m", "streams.cli", "webhook"]
SCOPES = ("BTC", "ETH", "SOL", "XRP")


def settings(bootstrap: str, receiver: Receiver) -> dict[str, str]:
    return {
        **os.environ,
        "MARGINQUAKE_KAFKA": bootstrap,
        "MARGINQUAKE_WEBHOOK_URL": receiver.url,
        "MARGINQUAKE_WEBHOOK_SECRET": SECRET,
    }


def run(bootstrap: str, receiver: Receiver, *words: str) -> dict[str, Any]:
    """A run until nothing is left; its report, with its log under `log`."""
    done = subprocess.run(
        [*PROGRAM, "--from", "earliest", "--until-idle", "1", "--json", *words],
        env=settings(bootstrap, receiver),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report | {"log": done.stderr}


@contextmanager
def running(bootstrap: str, receiver: Receiver, log: Path, *words: str) -> Iterator[Any]:
    """The webhook as a process until the block's end."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*PROGRAM, "--from", "earliest", *words],
            env=settings(bootstrap, receiver),
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def await_taken(receiver: Receiver, scope: str, count: int, process: Any) -> None:
    deadline = time.monotonic() + 60
    while sum(one.row["scope"].startswith(scope) for one in receiver.taken) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline, f"{len(receiver.taken)} taken"
        time.sleep(0.02)


def of(receiver: Receiver, prefix: str) -> list[Received]:
    return [one for one in receiver.taken if one.row["scope"].startswith(prefix)]


def test_every_row_arrives_once_and_in_the_order_of_its_key(own_broker: str) -> None:
    rows = [alert(f"ONCE{scope}", n) for n in range(100) for scope in SCOPES]
    publish(own_broker, contracts.ALERTS, rows)
    with receiving() as receiver:
        run(own_broker, receiver, "--group", "hook-once")
        again = run(own_broker, receiver, "--group", "hook-once")
    mine = of(receiver, "ONCE")
    assert sorted(one.delivery for one in mine) == sorted(f"{row['id']}.1" for row in rows)
    for scope in SCOPES:
        numbers = [one.delivery for one in mine if one.row["scope"] == f"ONCE{scope}"]
        assert numbers == sorted(numbers)
    assert {json.dumps(one.row) for one in mine} == {json.dumps(row) for row in rows}
    assert (receiver.unsigned, again["delivered"]) == (0, 0)


def test_a_killed_webhook_loses_nothing_and_keeps_the_order(
    own_broker: str, tmp_path: Path
) -> None:
    rows = [alert(f"KILL{scope}", n) for n in range(150) for scope in SCOPES]
    publish(own_broker, contracts.ALERTS, rows)

    def unsteady(received: Received, times: int) -> Answer:
        time.sleep(0.005)
        busy: Answer = (503, {}, b"busy")
        return busy if times == 1 and received.row["id"].endswith("77") else OK

    with receiving() as receiver:
        receiver.answer = unsteady
        for wanted in (40, 200):
            with running(own_broker, receiver, tmp_path / "log", "--group", "hook-kill") as process:
                await_taken(receiver, "KILL", wanted, process)
                process.kill()
                process.wait(timeout=30)
        run(own_broker, receiver, "--group", "hook-kill")
    mine = of(receiver, "KILL")
    firsts = list(dict.fromkeys(one.delivery for one in mine))
    assert sorted(firsts) == sorted(f"{row['id']}.1" for row in rows)
    for scope in SCOPES:
        numbers = [one for one in firsts if one.startswith(f"KILL{scope}")]
        assert numbers == sorted(numbers)


def test_members_that_come_and_go_share_the_rows_and_lose_none(
    own_broker: str, tmp_path: Path
) -> None:
    rows = [alert(f"SHARE{n % 40}", n) for n in range(1200)]
    publish(own_broker, contracts.ALERTS, rows)

    def steady(received: Received, times: int) -> Answer:
        time.sleep(0.01)
        return OK

    with receiving() as receiver:
        receiver.answer = steady
        log = tmp_path / "log"
        with running(own_broker, receiver, log, "--group", "hook-share") as first:
            await_taken(receiver, "SHARE", 100, first)
            with running(own_broker, receiver, log, "--group", "hook-share") as second:
                await_taken(receiver, "SHARE", 500, second)
                first.send_signal(signal.SIGTERM)
                assert first.wait(timeout=30) == 0, log.read_text()[-2000:]
                second.send_signal(signal.SIGTERM)
                assert second.wait(timeout=30) == 0, log.read_text()[-2000:]
        run(own_broker, receiver, "--group", "hook-share")
    firsts = list(dict.fromkeys(one.delivery for one in of(receiver, "SHARE")))
    assert sorted(firsts) == sorted(f"{row['id']}.1" for row in rows)
    for scope in {row["scope"] for row in rows}:
        numbers = [one for one in firsts if one.startswith(f"{scope}-")]
        assert numbers == sorted(numbers)


def test_a_refused_row_is_a_dead_letter_and_the_next_one_is_delivered(own_broker: str) -> None:
    rows = [alert("REFUSED", n) for n in range(5)]
    publish(own_broker, contracts.ALERTS, rows)
    with receiving() as receiver:
        receiver.answer = lambda received, times: (
            (422, {}, b"unknown field") if received.delivery == "REFUSED-00002.1" else OK
        )
        report = run(own_broker, receiver, "--group", "hook-refused")
    assert [one.delivery for one in of(receiver, "REFUSED")] == [
        f"REFUSED-{n:05}.1" for n in (0, 1, 3, 4)
    ]
    assert report["dead_letters"] == {"refused_by_receiver": 1}
    (one,) = [one for one in letters(own_broker, "webhook") if "REFUSED-00002" in one["payload"]]
    assert one["reason"] == "refused_by_receiver"
    assert "answered 422: unknown field" in one["detail"]
    assert one["source"].startswith("alerts.v1-")
    assert "path-that-is-secret" not in json.dumps(one)


def test_bytes_that_are_no_row_are_a_dead_letter(own_broker: str) -> None:
    publish(own_broker, contracts.ZONES, [b'{"id": 7}'])
    with receiving() as receiver:
        report = run(own_broker, receiver, "--group", "hook-bad", "--topics", "zones")
    assert report["dead_letters"]["invalid_row"] >= 1
    assert receiver.requests == []
    found = [one for one in letters(own_broker, "webhook") if one["payload"] == '{"id": 7}']
    assert {one["reason"] for one in found} == {"invalid_row"}


def test_a_receiver_that_stays_away_costs_letters_and_no_row_is_lost(own_broker: str) -> None:
    publish(own_broker, contracts.PRINTS, [alert("AWAY", n, type="print") for n in range(2)])
    with receiving() as receiver:
        receiver.answer = lambda received, times: (503, {}, b"")
        report = run(
            own_broker, receiver, "--group", "hook-away", "--topics", "prints", "--give-up", "1"
        )
    assert report["delivered"] == 0
    assert report["retries"] >= 2
    found = [one for one in letters(own_broker, "webhook") if "AWAY-" in one["payload"]]
    assert [one["reason"] for one in found] == ["receiver_unavailable"] * 2
    assert "answered 503; given up after 1 s" in found[0]["detail"]


def test_one_slow_key_holds_up_no_other_and_a_term_signal_ends_well(
    own_broker: str, tmp_path: Path
) -> None:
    publish(own_broker, contracts.ALERTS, [alert("BTC", n) for n in range(90_000, 90_003)])
    publish(own_broker, contracts.ALERTS, [alert("ETH", n) for n in range(90_000, 90_300)])

    def answer(received: Received, times: int) -> Answer:
        slow = received.row["id"].startswith("BTC-9000")
        return (503, {"Retry-After": "600"}, b"") if slow else OK

    log = tmp_path / "log"
    with receiving() as receiver:
        receiver.answer = answer
        with running(
            own_broker, receiver, log, "--group", "hook-slow", "--metrics-port", "0"
        ) as one:
            deadline = time.monotonic() + 60
            while sum(r.row["id"].startswith("ETH-90") for r in receiver.taken) < 300:
                assert one.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < deadline
                time.sleep(0.05)
            one.send_signal(signal.SIGTERM)
            assert one.wait(timeout=30) == 0, log.read_text()[-2000:]
        receiver.answer = lambda received, times: OK
        run(own_broker, receiver, "--group", "hook-slow")
    late = [one.delivery for one in receiver.taken if one.row["id"].startswith("BTC-9000")]
    assert late == [f"BTC-{n}.1" for n in range(90_000, 90_003)]
    eth = [one.delivery for one in receiver.taken if one.row["id"].startswith("ETH-90")]
    assert eth == [f"ETH-{n}.1" for n in range(90_000, 90_300)]


def test_neither_secret_nor_path_of_the_url_is_logged(own_broker: str) -> None:
    publish(own_broker, contracts.REGIMES, [alert("QUIET", n, type="regime") for n in range(2)])
    with receiving() as receiver:
        receiver.answer = lambda received, times: OK if times > 1 else (500, {}, b"")
        report = run(own_broker, receiver, "--group", "hook-quiet", "--topics", "regimes")
    assert report["retries"] == 2
    assert "delivery failed, tried again" in report["log"]
    assert SECRET not in report["log"]
    assert "path-that-is-secret" not in report["log"]


def test_a_webhook_without_secret_or_with_frames_is_refused(own_broker: str) -> None:
    for words, given, said in (
        (("--url", "https://alerts.example"), "", "MARGINQUAKE_WEBHOOK_SECRET has 0 characters"),
        (("--url", "https://alerts.example", "--topics", "frames"), SECRET, "no rows with id"),
        ((), SECRET, "no receiver"),
    ):
        environment = {**os.environ, "MARGINQUAKE_WEBHOOK_SECRET": given}
        done = subprocess.run(
            [*PROGRAM, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert said in done.stderr
