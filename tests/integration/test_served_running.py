"""Queries of the served warehouse while they run: cut off, cancelled, too many."""

import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from streams.serving import running, server
from streams.telemetry import REGISTRY
from tests.integration.conftest import LIMITS
from tests.served import PASSWORD, Served

pytestmark = pytest.mark.warehouse


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def running_queries(served: Served, part: str) -> int:
    """Queries in the engine whose text holds `part`."""
    reply = served.ask(
        "SELECT count() FROM system.processes WHERE position(query, {part:String}) AND "
        "position(query, 'system.processes') = 0",
        {"param_part": part},
        writes=True,
    )
    return int(reply.text)


def test_an_insert_whose_client_goes_away_is_not_taken_for_whole(things: Served) -> None:
    with socket.create_connection(("127.0.0.1", things.port)) as raw:
        raw.sendall(
            b"POST /?query=INSERT+INTO+things+FORMAT+CSV HTTP/1.1\r\nHost: localhost\r\n"
            b"X-ClickHouse-User: writer\r\nX-ClickHouse-Key: " + PASSWORD.encode() + b"\r\n"
            b"Content-Length: 100000000\r\n\r\n" + b"1,x\n" * 1000
        )
        time.sleep(0.3)
    until(lambda: running_queries(things, "INSERT INTO things") == 0)
    assert things.ask("INSERT INTO things VALUES (2, 'y')", writes=True).status == 200
    assert things.ask("SELECT count() FROM things WHERE a = 1").text == "0\n"


def test_an_error_after_the_first_rows_is_told_inside_the_answer(served: Served) -> None:
    # Slow enough that the first rows are on their way when the error comes.
    slow = "sipHash128(repeat(toString(number), 200))"
    sql = f"SELECT throwIf(number = 300000, 'boom'), {slow} FROM numbers(400000)"  # noqa: S608
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("POST", "/", sql)
    got = connection.getresponse()
    assert got.status == 200
    tag = got.headers["X-ClickHouse-Exception-Tag"]
    with pytest.raises(http.client.IncompleteRead) as broken:
        got.read()
    body = broken.value.partial
    connection.close()
    message = body.partition(f"__exception__\r\n{tag}\r\n".encode())[2]
    assert message.startswith(b"Code: 395. DB::Exception: boom")
    assert message.endswith(f"{tag}\r\n__exception__\r\n".encode())
    waited = served.ask(sql, {"wait_end_of_query": "1"})
    assert (waited.status, waited.code) == (500, 395)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))", 159),
        ("SELECT groupArray(number) FROM numbers(1000000000)", 241),
        ("SELECT number FROM numbers(1000001) FORMAT JSON", 396),
        ("SELECT number FROM numbers(1000001) FORMAT JSONEachRow", 396),
    ],
)
def test_a_heavy_query_is_cut_off_while_the_writer_goes_on(
    things: Served, sql: str, code: int
) -> None:
    replies: list[int] = []

    def ask() -> None:
        replies.append(things.ask(sql, {"wait_end_of_query": "1"}).code)

    heavy = threading.Thread(target=ask)
    heavy.start()
    written = 0
    while heavy.is_alive():
        sent = things.ask(b"INSERT INTO things FORMAT CSV\n" + b"1,x\n" * 100, writes=True)
        assert sent.status == 200, sent.text
        written += 100
    heavy.join()
    assert replies == [code]
    assert things.ask("SELECT count() FROM things").text == f"{written}\n"


RUNNING = ("marginquake_warehouse_queries_running", {"role": "reader"})
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(cityHash64(number))"


def test_a_closed_connection_ends_its_query(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("POST", "/", f"{ENDLESS} AND 'closed' != ''")
    until(lambda: running_queries(served, "closed") == 1)
    connection.close()
    until(lambda: running_queries(served, "closed") == 0, 3.0)


def test_a_client_that_stops_reading_holds_no_query(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        sql = b"SELECT number, repeat('stalled', 20) FROM numbers(1000000)"
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        until(lambda: running_queries(served, "stalled") == 1)
    until(lambda: running_queries(served, "stalled") == 0, 5.0)


def test_a_client_that_reads_too_slowly_holds_no_thread(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "TAKES_S", 1.0)
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        sql = b"SELECT number, repeat('slowly', 20) FROM numbers(1000000)"
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        until(lambda: running_queries(served, "slowly") == 1)
        until(lambda: running_queries(served, "slowly") == 0, 10.0)
        received = b""
        while piece := raw.recv(1_000_000):
            received += piece
        assert b"QUERY_WAS_CANCELLED" in received[-500:]


def test_statements_that_do_not_come_hold_no_thread(served: Served) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSELECT"
    many = LIMITS.at_once + LIMITS.waiting + 1
    with ExitStack() as opened:
        for _ in range(many):
            raw = opened.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            raw.sendall(head)
        time.sleep(0.5)
        assert served.ask("SELECT 1").status == 200


@pytest.mark.parametrize(
    ("victim", "killer", "ends"), [(0, 1, True), (1, 1, True), (0, 0, True), (1, 0, False)]
)
def test_a_query_is_killed_by_its_id_but_a_writers_not_by_a_reader(
    served: Served, victim: int, killer: int, ends: bool
) -> None:
    replies: list[int] = []

    def ask() -> None:
        asked = {"query_id": "endless", "max_execution_time": "3"}
        replies.append(served.ask(ENDLESS, asked, writes=bool(victim)).code)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: running_queries(served, "cityHash64") == 1)
    assert served.ask("SELECT 1", {"query_id": "endless"}).code == 216
    kill = "KILL QUERY WHERE query_id = 'endless'"
    user = "writer" if killer else "reader"
    reply = served.ask(kill, writes=bool(killer))
    assert reply.text == (f"finished\tendless\t{user}\t\n" if ends else "")
    thread.join(10)
    assert replies == [394 if ends else 159]
    assert served.ask(f"{kill} SYNC", writes=bool(killer)).text == ""
    assert served.ask("KILL QUERY WHERE query_id LIKE '%'").code == 164


def test_connections_beyond_the_bound_are_ended_and_those_before_it_go_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 3)
    kept = http.client.HTTPConnection("127.0.0.1", served.port)
    with ExitStack() as opened:
        opened.callback(kept.close)
        kept.request("POST", "/", "SELECT 1")
        assert kept.getresponse().read() == b"1\n"
        open_ones = 0
        for _ in range(5):
            raw = opened.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            raw.settimeout(0.5)
            try:
                assert raw.recv(1) == b""
            except ConnectionResetError:
                continue
            except TimeoutError:
                open_ones += 1
        assert open_ones == 2
        kept.request("POST", "/", "SELECT 2")
        assert kept.getresponse().read() == b"2\n"


def test_a_query_can_take_the_place_of_the_one_with_its_id(served: Served) -> None:
    replies: list[int] = []
    first = threading.Thread(
        target=lambda: replies.append(served.ask(ENDLESS, {"query_id": "panel"}).code)
    )
    first.start()
    until(lambda: running_queries(served, "cityHash64") == 1)
    asked = {"query_id": "panel", "replace_running_query": "1"}
    assert served.ask("SELECT 1", asked).text == "1\n"
    first.join(10)
    assert replies == [394]
    assert served.ask("SELECT 1", asked).text == "1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the priority of a thread is Linux's")
def test_readers_stand_back_for_the_writer_and_leave_no_thread_behind_them(
    served: Served,
) -> None:
    own = os.nice(0)

    def standing_back() -> set[str]:
        found = set()
        for task in Path("/proc/self/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                # The 19th field; the second, a name in brackets, can hold spaces.
                nice = int((task / "stat").read_text().rpartition(")")[2].split()[16])
                if nice == 15 != own:
                    found.add(task.name)
        return found

    sys_nice = 1 << 23
    status = Path("/proc/self/status").read_text()
    allowed = int(status.partition("CapEff:")[2].split()[0], 16) & sys_nice != 0
    # Arrow's own pool keeps the priority of who began it: a reader of an earlier test.
    arrows = standing_back()
    asking = threading.Thread(target=lambda: served.ask(ENDLESS, {"max_execution_time": "2"}))
    asking.start()
    until(lambda: running_queries(served, "cityHash64") == 1)
    assert bool(standing_back() - arrows) == (allowed and own != 15)
    asking.join()
    until(lambda: standing_back() <= arrows)


def test_readers_beyond_the_limit_are_told_to_come_again(served: Served) -> None:
    codes: list[int] = []

    def ask() -> None:
        codes.append(served.ask(ENDLESS, {"max_execution_time": "2"}).code)

    threads = [threading.Thread(target=ask) for _ in range(LIMITS.at_once + LIMITS.waiting)]
    for thread in threads:
        thread.start()
    until(lambda: REGISTRY.get_sample_value(*RUNNING) == len(threads))
    refused = served.ask("SELECT 1")
    assert (refused.status, refused.code) == (503, 202)
    assert served.ask("SELECT 1", writes=True).status == 200
    for thread in threads:
        thread.join(30)
    assert codes == [159] * len(threads)
    assert served.ask("SELECT 1").status == 200
