"""Settings and formats that a reader of the served warehouse gives: names, limits, statements."""

import pytest

from tests.served import Served

pytestmark = pytest.mark.warehouse

HELD = (
    "SELECT getSetting('readonly'), getSetting('max_execution_time'), "
    "getSetting('max_memory_usage'), getSetting('join_use_nulls')"
)


@pytest.mark.parametrize(
    "name",
    [
        "output_format_json_quote_denormals = 1 --",
        "output_format_json_quote_denormals = 1, readonly = 0, output_format_trim_fixed_string",
        "output_format_json_quote_denormals/**/",
        "output_format_json_quote_denormals\n",
        "join_use_nulls = 1 --",
        "`join_use_nulls`",
        "",
    ],
)
def test_a_setting_whose_name_holds_sql_is_refused(served: Served, name: str) -> None:
    for writes in (False, True):
        reply = served.ask(HELD, {name: "1"}, writes=writes)
        assert reply.code in (115, 164), reply.text


def test_no_setting_of_a_reader_names_a_file(served: Served) -> None:
    secret = served.folder / "template.txt"
    secret.write_text("the-secret ${0:CSV}")
    joined = (
        f"output_format_json_quote_denormals = 1, format_template_row = '{secret}', "
        "output_format_json_quote_64bit_integers"
    )
    for name, value in ((joined, "1"), ("format_template_row", str(secret))):
        reply = served.ask("SELECT 1 FORMAT Template", {name: value})
        assert reply.code == 164, reply.text
        assert "the-secret 1" not in reply.text


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        ("max_execution_time = 2", "1\t2\t300000000\t0\n"),
        ("max_execution_time = '2'", "1\t2\t300000000\t0\n"),
        ("join_use_nulls = true, max_memory_usage = 1000000", "1\t5\t1000000\ttrue\n"),
        ("readonly = 0", ""),
        ("readonly = 1", ""),
        ("max_execution_time = 6", ""),
        ("max_execution_time = 0", ""),
        ("max_execution_time = DEFAULT", ""),
        ("max_execution_time = 'inf'", ""),
        ("max_threads = 64, allow_ddl = 1", ""),
        ("param_x = '1'", ""),
        ("additional_table_filters = {'things': 'a = 1'}", ""),
        ("max_execution_time = 2 SETTINGS max_execution_time = 3", ""),
    ],
)
def test_settings_at_the_end_of_a_statement_can_lower_a_limit_only(
    served: Served, setting: str, held: str
) -> None:
    reply = served.ask(f"{HELD} SETTINGS {setting}")
    if held:
        assert (reply.status, reply.text.replace("false", "0")) == (200, held), reply.text
    else:
        assert reply.code == 164, reply.text
    inside = served.ask(f"SELECT * FROM ({HELD} SETTINGS {setting})")  # noqa: S608
    assert inside.code in (62, 164), inside.text


def test_settings_behind_the_format_and_of_explain_and_describe_count_too(served: Served) -> None:
    assert served.ask(f"{HELD} FORMAT CSV SETTINGS max_execution_time = 2").text.startswith("1,2,")
    for sql in ("EXPLAIN SELECT 1", "DESCRIBE TABLE (SELECT 1 AS a)", "SHOW TABLES"):
        assert served.ask(f"{sql} FORMAT TSV").status == 200
    assert served.ask("EXPLAIN SELECT 1 SETTINGS final = 1").status == 200
    for sql in (
        "EXPLAIN SELECT 1 FORMAT TSV SETTINGS final = 1",
        "EXPLAIN param_t = 'x' SELECT * FROM {t:Identifier}",
        "SELECT * FROM {t:Identifier} SETTINGS param_t = 'system.processes'",
    ):
        assert served.ask(sql, {"param_t": "things"}).code == 164, sql


@pytest.mark.parametrize(
    ("value", "seconds"), [("inf", 5), ("1e999", 5), ("nan", 5), ("-1", 5), ("0", 5), ("0.5", 1)]
)
def test_an_odd_limit_leaves_the_servers_own(served: Served, value: str, seconds: int) -> None:
    asked = served.ask("SELECT getSetting('max_execution_time')", {"max_execution_time": value})
    assert asked.text == f"{seconds}\n"


@pytest.mark.parametrize("fmt", ["DataFrame", "ArrowTable", "datastore", "NoSuchFormat", "a\nb"])
@pytest.mark.parametrize("writes", [False, True])
def test_a_format_that_the_engine_does_not_know_is_an_unknown_format(
    served: Served, fmt: str, writes: bool
) -> None:
    reply = served.ask("SELECT 1", {"default_format": fmt}, writes=writes)
    assert (reply.status, reply.code) == (404, 73), reply.text
    assert served.ask("SELECT 1", {"default_format": "jsoncompacteachrow"}).text == "[1]\n"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {'[' * 600}1{']' * 600}",
        f"SELECT {'[' * 900}1{']' * 900}",
        f"SELECT {'CASE WHEN 1 THEN ' * 600}1{' END' * 600}",
        f"SELECT {'+'.join(['number'] * 5000)} FROM numbers(1)",  # noqa: S608
        f"SELECT {'(' * 5000}1{')' * 5000}",
    ],
)
def test_a_statement_that_is_nested_too_deep_is_refused_as_such(served: Served, sql: str) -> None:
    assert served.ask(sql).code in (167, 306), served.ask(sql).text[:300]


def test_a_statement_may_have_a_megabyte(served: Served) -> None:
    sql = f"SELECT length('{'x' * 900_000}')"
    assert served.ask(sql).text == "900000\n"
    assert served.ask(sql, writes=True).text == "900000\n"
