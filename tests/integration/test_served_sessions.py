"""Sessions of the served warehouse: what they keep, whose they are, when they end."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import clickhouse_connect
import pytest

from streams.serving.errors import QueryError
from streams.serving.sessions import MOST, Sessions
from tests.served import PASSWORD, Served

pytestmark = pytest.mark.warehouse


@pytest.fixture
def mine() -> dict[str, str]:
    """A session of this test alone."""
    return {"session_id": uuid4().hex}


@pytest.mark.parametrize("writes", [False, True])
def test_a_session_keeps_settings_parameters_and_database(
    served: Served, mine: dict[str, str], writes: bool
) -> None:
    def ask(sql: str, more: dict[str, str] | None = None) -> str:
        reply = served.ask(sql, mine | (more or {}), writes=writes)
        assert reply.status == 200, reply.text
        return reply.text

    joined = "SELECT * FROM (SELECT 1 AS a) AS x LEFT JOIN (SELECT 2 AS a, 3 AS b) AS y USING (a)"
    assert ask(joined) == "1\t0\n"
    assert ask("SET join_use_nulls = 1, date_time_output_format = 'iso'") == ""
    assert ask(joined) == "1\t\\N\n"
    assert ask("SELECT toDateTime(0, 'UTC')") == "1970-01-01T00:00:00Z\n"
    # What a request gives itself counts for that request alone.
    assert ask(joined, {"join_use_nulls": "0"}) == "1\t0\n"
    assert ask(joined) == "1\t\\N\n"
    assert ask("SET param_coin = 'it''s BTC'") == ""
    assert ask("SELECT {coin:String}") == "it\\'s BTC\n"
    assert served.ask("CREATE DATABASE IF NOT EXISTS `of a desk`", writes=True).status == 200
    assert ask("USE `of a desk`") == ""
    assert ask("SELECT currentDatabase()") == "of a desk\n"
    own = served.store.database
    assert ask("SELECT currentDatabase()", {"database": own}) == f"{own}\n"
    assert served.ask(joined, writes=writes).text == "1\t0\n"
    assert served.ask(joined, {"session_id": "another"}, writes=writes).text == "1\t0\n"


def test_a_session_is_one_users(served: Served, mine: dict[str, str]) -> None:
    assert served.ask("SET join_use_nulls = 1", mine, writes=True).status == 200
    assert served.ask("SELECT getSetting('join_use_nulls')", mine).text == "false\n"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SET readonly = 0", 164),
        ("SET max_execution_time = 100000", 164),
        ("SET max_memory_usage = 0", 164),
        ("SET format_template_row = '/etc/passwd'", 164),
        ("SET output_format_never_heard_of = 1", 115),
        ("SET join_use_nulls = 1, readonly = 2", 164),
        ("SET ROLE ALL", 48),
        ("USE nowhere", 81),
        ("USE system", 497),
    ],
)
def test_a_reader_keeps_nothing_that_it_may_not_give(
    served: Served, mine: dict[str, str], sql: str, code: int
) -> None:
    assert served.ask(sql, mine).code == code
    assert served.ask("SELECT getSetting('join_use_nulls')", mine).text == "false\n"
    assert served.ask("SELECT getSetting('readonly')", mine).text == "1\n"
    assert served.ask("SELECT currentDatabase()", mine).text == f"{served.store.database}\n"


def test_a_session_answers_one_request_at_a_time(served: Served, mine: dict[str, str]) -> None:
    slow = "SELECT max(cityHash64(number)) FROM numbers(1000000000000)"
    cut = mine | {"max_execution_time": "3"}
    codes: list[int] = []

    def ask_slowly() -> None:
        # The other thread's short question may have the session just then.
        while (code := served.ask(slow, cut).code) == 373:
            time.sleep(0.005)
        codes.append(code)

    asking = threading.Thread(target=ask_slowly)
    asking.start()
    try:
        deadline = time.monotonic() + 20
        while (locked := served.ask("SELECT 1", mine).code) == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert locked == 373
        assert served.ask("SELECT 1", {"session_id": "free"}).code == 0
    finally:
        asking.join()
    assert codes == [159]
    assert served.ask("SELECT 1", mine).code == 0


def test_a_session_is_looked_for_timed_and_closed_as_asked(
    served: Served, mine: dict[str, str]
) -> None:
    check = {"session_check": "1"}
    missing = served.ask("SELECT 1", mine | check)
    assert (missing.status, missing.code) == (404, 372)
    assert served.ask("SET join_use_nulls = 1", mine).code == 0
    assert served.ask("SELECT getSetting('join_use_nulls')", mine | check).text == "true\n"
    for wrong in ("0", "3601", "soon", "-1"):
        assert served.ask("SELECT 1", mine | {"session_timeout": wrong}).code == 374
    assert served.ask("SELECT 1", mine | {"close_session": "1"}).code == 0
    assert served.ask("SELECT 1", mine | check).code == 372


@pytest.fixture
def clock() -> Iterator[list[float]]:
    yield [0.0]


def test_an_idle_session_ends_and_a_held_one_does_not(clock: list[float]) -> None:
    sessions = Sessions(lambda: clock[0])
    with sessions.hold("a", {"session_id": "s", "session_timeout": "10"}) as first:
        clock[0] = 100.0
        with pytest.raises(QueryError), sessions.hold("a", {"session_id": "s"}):
            raise AssertionError("it is held")
    clock[0] = 109.0
    with sessions.hold("a", {"session_id": "s", "session_timeout": "10"}) as again:
        assert again is first
    clock[0] = 119.0
    with sessions.hold("a", {"session_id": "s"}) as renewed:
        assert renewed is not first


def test_sessions_are_bounded_and_the_longest_idle_makes_room(clock: list[float]) -> None:
    sessions = Sessions(lambda: clock[0])
    for number in range(MOST):
        clock[0] = number / MOST
        with sessions.hold("a", {"session_id": str(number)}):
            pass
    with sessions.hold("a", {"session_id": "one more"}):
        pass
    check = {"session_check": "1"}
    with pytest.raises(QueryError), sessions.hold("a", {"session_id": "0"} | check):
        raise AssertionError("the oldest is still there")
    with sessions.hold("a", {"session_id": "1"} | check) as kept:
        assert kept is not None


def test_clickhouse_connects_own_session_keeps_a_setting(served: Served) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=served.port, username="writer", password=PASSWORD
    )
    client.command("SET join_use_nulls = 1")
    assert client.command("SELECT getSetting('join_use_nulls')") in (True, "true", 1)
    client.close()
