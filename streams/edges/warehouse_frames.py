"""Answers of the warehouse as polars or pandas frames, for notebooks and scripts.

Beside `marginquake query`, over the same reading client. Promises exact values: dollars stay
decimals, times are UTC, a null stays a null. The whole answer is held in memory. Needs the extra
`frames`; pandas also that of the warehouse.

    from streams.edges.warehouse_frames import named, polars_frame
    with connect_reader("chdb:///path/to/store") as client:
        frame = polars_frame(client, *named("largest-cascades", rows="5"))
"""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.edges.query_catalogue import find
from streams.edges.warehouse import ask_bytes

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_FORM: Final = "Parquet"
"""ClickHouse's Arrow turns a DateTime, as that of an hour or a minute, into a bare number."""


def named(question: str, **given: str) -> tuple[str, dict[str, str]]:
    """SQL and values of a named query, as the functions below take them.

    Raises:
        MarginquakeError: there is no such query or parameter.
    """
    query = find(question)
    return query.sql, query.bind(given)


def polars_frame(
    client: Client, sql: str, parameters: Mapping[str, str] | None = None
) -> "pl.DataFrame":
    """One row per row of the answer; Decimal, Datetime("us", "UTC") and List columns.

    Raises:
        MarginquakeError: polars is not installed, or ClickHouse refuses the statement.
    """
    try:
        import polars
    except ImportError:
        raise _missing("polars") from None
    frame = polars.read_parquet(BytesIO(ask_bytes(client, sql, _FORM, parameters)))
    return frame.with_columns(polars.col(polars.Datetime("ms", "UTC")).dt.cast_time_unit("us"))


def pandas_frame(
    client: Client, sql: str, parameters: Mapping[str, str] | None = None
) -> "pd.DataFrame":
    """The same with Arrow-backed columns: pandas' own types would turn decimals into floats.

    Raises:
        MarginquakeError: pandas or pyarrow is not installed, or ClickHouse refuses the statement.
    """
    try:
        import pandas
        from pyarrow import parquet
    except ImportError:
        raise _missing("pandas and pyarrow") from None
    table = parquet.read_table(BytesIO(ask_bytes(client, sql, _FORM, parameters)))
    frame: Any = table.to_pandas(types_mapper=pandas.ArrowDtype)
    return frame


def _missing(what: str) -> MarginquakeError:
    return MarginquakeError(
        f"{what} cannot be imported; run `pip install 'marginquake[frames,warehouse]'`"
    )
