"""Sessions of the served warehouse: what they keep, whose they are, when they end."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import clickhouse_connect
import pytest

from streams.serving.errors import QueryError
from streams.serving.sessions import MOST, MOST_KEPT, Kept, Sessions
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


def test_one_session_more_costs_its_user_the_longest_idle_of_those_that_keep_nothing(
    clock: list[float],
) -> None:
    sessions = Sessions(lambda: clock[0])
    check = {"session_check": "1"}

    def use(user: str, name: str, more: dict[str, str]) -> bool:
        with sessions.hold(user, {"session_id": name} | more) as session:
            return session is not None

    with sessions.hold("writer", {"session_id": "0"}):
        pass
    with sessions.hold("reader", {"session_id": "kept"}) as kept:
        assert kept is not None
        kept.kept = Kept(database="of a desk")
    for number in range(MOST - 1):
        clock[0] = (number + 1) / MOST
        # A long timeout must not count as a late use.
        use("reader", str(number), {"session_timeout": "3600" if number == 0 else "60"})
    use("reader", "one more", {})
    with pytest.raises(QueryError):
        use("reader", "0", check)
    assert use("reader", "kept", check)
    assert use("reader", "1", check)
    assert use("writer", "0", check)


def test_what_a_session_keeps_and_is_named_by_is_bounded(
    served: Served, mine: dict[str, str]
) -> None:
    most = MOST_KEPT - len("a") - len("b")
    assert served.ask(f"SET param_a = '{'x' * (most - 1)}', param_b = 'y'", mine).code == 0
    reply = served.ask("SET param_b = 'yy'", mine)
    assert (reply.code, str(MOST_KEPT) in reply.text) == (48, True)
    assert served.ask("SELECT {b:String}", mine).text == "y\n"
    assert served.ask("SELECT 1", {"session_id": "x" * 129}).code == 36


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(
    "setting", ["offset = 1", "limit = 1", "max_result_rows = 2", "max_rows_to_read = 1"]
)
def test_settings_of_a_session_do_not_reach_what_the_server_asks_itself(
    served: Served, mine: dict[str, str], setting: str, writes: bool
) -> None:
    """It parses statements and lists tables: `offset` would leave it nothing to judge."""
    out = served.folder / "out.csv"
    assert served.ask(f"SET {setting}", mine, writes=writes).code == 0
    count = f"SELECT count() FROM v_prints -- {uuid4()}"  # noqa: S608 - not asked before
    assert served.ask(count, mine | {"offset": "0"}, writes=writes).text == "0\n"
    refused = served.ask(f"SELECT 1 INTO OUTFILE '{out}'", mine, writes=writes)
    assert refused.code in (48, 497), refused.text
    assert not out.exists()
    kafka = "CREATE TABLE k (a String) ENGINE = Kafka('127.0.0.1:1', 'a', 'b', 'CSV')"
    assert served.ask(kafka, mine, writes=writes).code in (48, 164)
    name = setting.split()[0]
    assert served.ask(f"SET {name} = DEFAULT", mine, writes=writes).code == 0
    assert served.ask("SELECT number FROM numbers(2)", mine, writes=writes).text == "0\n1\n"


def test_a_setting_goes_back_to_its_default_and_takes_the_forms_of_the_engine(
    served: Served, mine: dict[str, str]
) -> None:
    def value(name: str) -> str:
        return served.ask(f"SELECT getSetting('{name}')", mine).text.strip()

    for said, name, expected in (
        ("/* by an app */ SET bool_true_representation = 'yes'", "bool_true_representation", "yes"),
        ("-- by an app\nSET max_rows_to_read = 1e6", "max_rows_to_read", "1000000"),
        ("SET join_use_nulls", "join_use_nulls", "yes"),
        ("SET join_use_nulls = false", "join_use_nulls", "false"),
        ("SET max_rows_to_read = DEFAULT", "max_rows_to_read", "0"),
        ("SET bool_true_representation = DEFAULT", "bool_true_representation", "true"),
    ):
        reply = served.ask(said, mine)
        assert reply.code == 0, reply.text
        assert value(name) == expected, said
    refused = served.ask("SET format_csv_null_representation = NULL", mine)
    assert (refused.code, "give numbers and texts" in refused.text) == (48, True)
    tiny = served.ask("SET totals_auto_threshold = 0.0000000001", mine, writes=True)
    assert tiny.code == 0, tiny.text


def test_a_session_leaves_a_database_that_is_gone(served: Served, mine: dict[str, str]) -> None:
    odd = "an `odd` 'name'\\ of\na desk"
    written = odd.replace("\\", "\\\\").replace("`", "\\`").replace("\n", "\\n")
    assert served.ask(f"CREATE DATABASE `{written}`", writes=True).code == 0
    for writes in (False, True):
        assert served.ask(f"USE `{written}`", mine, writes=writes).code == 0
        shown = served.ask("SELECT currentDatabase() FORMAT RawBLOB", mine, writes=writes)
        assert shown.text == odd
    assert served.ask(f"DROP DATABASE `{written}`", mine, writes=True).code == 0
    for writes in (False, True):
        gone = served.ask("SELECT 1", mine, writes=writes)
        assert (gone.code, "USE another" in gone.text) == (81, True)
        assert served.ask("USE default", mine, writes=writes).code == 0
        assert served.ask("SELECT 1", mine, writes=writes).text == "1\n"


def test_a_get_of_the_writer_reads_with_what_its_session_keeps(
    served: Served, mine: dict[str, str]
) -> None:
    assert served.ask("SET max_insert_threads = 2", mine, writes=True).code == 0

    def get(sql: str) -> str:
        query = mine | {"query": sql, "user": "writer", "password": PASSWORD}
        return served.ask(query=query, method="GET").text

    assert get("SELECT getSetting('max_insert_threads')") == "2\n"
    assert "readonly" in get("CREATE TABLE t (a Int8) ENGINE = Memory")


def test_clickhouse_connects_own_session_keeps_a_setting(served: Served) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=served.port, username="writer", password=PASSWORD
    )
    client.command("SET join_use_nulls = 1")
    assert client.command("SELECT getSetting('join_use_nulls')") in (True, "true", 1)
    client.close()
