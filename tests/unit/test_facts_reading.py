"""What is said when the warehouse refuses or is away, and how ranges are cut into buckets."""

from typing import Any, cast

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from streams.config import MarginquakeError
from streams.facts.reading import MOST_POINTS, SECOND, Span, parse_moment, rows


class Row(msgspec.Struct):
    """Never made here."""

    found: int


class Refusing:
    """A client whose every statement fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def query(self, sql: str, parameters: dict[str, Any]) -> Any:
        raise self.error


AWAY = (
    "Error HTTPConnectionPool(host='127.0.0.1', port=8198): Max retries exceeded with url: /?a=b "
    '(Caused by NewConnectionError("<HTTPConnection>: [Errno 111] Connection refused"))'
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperationalError(AWAY), "the warehouse does not answer: Connection refused; see that its"),
        (DatabaseError("Code: 60. (UNKNOWN_TABLE)"), "marginquake migrate"),
        (DatabaseError("Code: 159. (TIMEOUT_EXCEEDED)"), "choose a shorter range"),
        (DatabaseError("Code: 241. Memory limit"), "refuses: Code: 241. Memory limit"),
    ],
)
def test_each_failure_is_said_in_its_own_words(error: Exception, said: str) -> None:
    with pytest.raises(MarginquakeError) as raised:
        rows(cast(Client, Refusing(error)), "SELECT 1", Row, Span("BTC", 0, SECOND))
    assert said in str(raised.value)
    assert "HTTPConnectionPool" not in str(raised.value)


@pytest.mark.parametrize("seconds", [1, 599, 600, 601, 3600, 86_400, 30 * 86_400, 92 * 86_400])
def test_a_plot_has_at_most_so_many_buckets(seconds: int) -> None:
    step = Span("BTC", 0, seconds * SECOND).step
    assert seconds / step <= MOST_POINTS
    assert step == 1 or seconds / step > MOST_POINTS / 4


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_moment("from", "2026-03-01T14:00") == parse_moment("from", "2026-03-01T14:00Z")
    assert parse_moment("from", "2026-03-01T14:00+02:00") == parse_moment(
        "from", "2026-03-01T12:00"
    )
