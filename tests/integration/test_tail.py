"""`marginquake tail` against a real broker: what it prints, in which order, and how it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams import contracts
from tests.published import alert, publish

pytestmark = pytest.mark.kafka

PROGRAM = [sys.executable, "-m", "streams.cli", "tail"]


def settings(bootstrap: str) -> dict[str, str]:
    return {**os.environ, "MARGINQUAKE_KAFKA": bootstrap, "TERM": "xterm", "NO_COLOR": ""}


def tailed(bootstrap: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        env=settings(bootstrap),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_backlog_comes_in_the_brokers_order_over_all_partitions(own_broker: str) -> None:
    scopes = ("BTC", "ETH", "SOL", "TAILED")
    rows = [alert(scope, number) for number in range(50) for scope in scopes]
    for some in (rows[:80], rows[80:]):
        publish(own_broker, contracts.ALERTS, some)
        time.sleep(0.01)
    done = tailed(own_broker, "alerts", "--from", "earliest", "--no-follow", "--json")
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    wanted = [row["id"] for row in rows]
    mine = [one for one in ids if one in set(wanted)]
    assert sorted(mine) == sorted(wanted)
    assert set(mine[:80]) == set(wanted[:80])
    for scope in scopes:
        of_one = [one for one in mine if one.startswith(scope)]
        assert of_one == sorted(of_one)


def test_asset_final_and_limit_choose_rows(own_broker: str) -> None:
    rows = [alert("PICKED", n, is_final=n % 2 == 0) for n in range(10)]
    publish(own_broker, contracts.ALERTS, [*rows, *(alert("OTHER", n) for n in range(5))])
    choice = ("alerts", "--from", "-1h", "--no-follow", "--asset", "picked")
    done = tailed(own_broker, *choice, "--final", "--limit", "3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split("Alert ")[1] for line in lines] == [
        f"{n} of PICKED.  final" for n in (0, 2, 4)
    ]
    assert all("PICKED" in line and "critical cascade_alert" in line for line in lines)
    assert "\x1b" not in done.stdout


def test_nothing_found_is_told_and_a_full_disk_is_one_line(own_broker: str) -> None:
    publish(own_broker, contracts.ALERTS, [alert("FILLS", n) for n in range(3)])
    done = tailed(own_broker, "alerts", "--from", "-1h", "--no-follow", "--asset", "NOSUCH")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no rows\n")
    words = ("tail", "alerts", "--from", "-1h", "--no-follow", "--json", "--kafka", own_broker)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("marginquake: no space is left")
    assert "Traceback" not in done.stderr


def test_a_row_that_cannot_be_read_is_told_and_does_not_end_it(own_broker: str) -> None:
    publish(own_broker, contracts.HEALTH, [b"\x00no row\x1b[31m"])
    done = tailed(own_broker, "health.v1", "--from", "earliest", "--no-follow")
    assert done.returncode == 0, done.stderr
    assert "health.v1-0@" in done.stdout
    assert "cannot be read" in done.stdout
    assert "\x1b" not in done.stdout


def test_it_waits_for_rows_and_ends_well_on_an_interrupt(own_broker: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [*PROGRAM, "alerts", "--asset", "LIVE"],
            env=settings(own_broker),
            stdout=file,
            stderr=subprocess.PIPE,
        )
        number = 0
        while not out.read_bytes():
            # It begins at the end of the log, whenever it gets there.
            assert process.poll() is None
            publish(own_broker, contracts.ALERTS, [alert("LIVE", number)])
            number += 1
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert "of LIVE." in out.read_text()


def test_a_reader_that_has_enough_ends_it_quietly(own_broker: str) -> None:
    publish(own_broker, contracts.ALERTS, [alert("PIPED", n) for n in range(3000)])
    words = " ".join(["alerts", "--from", "earliest", "--asset", "PIPED"])
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'set -o pipefail; "{sys.executable}" -m streams.cli tail {words} | head -1',
        ],
        env=settings(own_broker),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Alert 0 of PIPED." in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr == ""


def test_a_terminal_gets_colours(own_broker: str) -> None:
    publish(own_broker, contracts.ALERTS, [alert("SHOWN", 1)])
    ours, theirs = pty.openpty()
    environment = {**settings(own_broker)}
    del environment["NO_COLOR"]
    done = subprocess.run(
        [*PROGRAM, "alerts", "--from", "earliest", "--asset", "SHOWN", "--limit", "1"],
        env=environment,
        stdout=theirs,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert done.returncode == 0
    assert b"\x1b[1;31m" in shown
    assert b"Alert 1 of SHOWN." in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "there is no topic 'nosuch' to read: use liquidations, frames"),
        (("alerts", "--from", "yesterday"), "--from 'yesterday' is no beginning"),
        (("deadletters", "--asset", "BTC"), "keyed by source"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_mend(
    own_broker: str, words: tuple[str, ...], said: str
) -> None:
    done = tailed(own_broker, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_broker_is_one_line_too() -> None:
    done = tailed("127.0.0.1:1", "alerts")
    assert done.returncode == 1
    assert "marginquake broker start" in done.stderr
    assert "Traceback" not in done.stderr
