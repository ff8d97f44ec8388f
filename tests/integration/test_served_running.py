"""Queries of the served warehouse while they run: cut off, cancelled, too many."""

import http.client
import socket
import threading
import time
from collections.abc import Callable

import pytest

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
    sql = "SELECT throwIf(number = 300000, 'boom') FROM numbers(400000)"
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


def test_a_writer_kills_a_query_by_its_id_and_a_reader_does_not(served: Served) -> None:
    replies: list[int] = []

    def ask() -> None:
        replies.append(served.ask(ENDLESS, {"query_id": "endless"}).code)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: running_queries(served, "cityHash64") == 1)
    assert served.ask("SELECT 1", {"query_id": "endless"}).code == 216
    kill = "KILL QUERY WHERE query_id = 'endless'"
    assert served.ask(kill).code == 164
    assert served.ask(kill, writes=True).text == "finished\tendless\twriter\t\n"
    thread.join(10)
    assert replies == [394]
    assert served.ask(kill, writes=True).text == ""


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
