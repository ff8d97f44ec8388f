"""Units and ranges that every message model is built from.

Belongs to the contracts, beside the data path. Promises: times and dollars are integers that fit
int64, floats are finite, unknown fields are refused, instances are frozen. Does not convert: a
number in quotes or a float where an integer belongs is an error.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from streams.core.events import EARLIEST_EVENT_US, LATEST_EVENT_US, MICROS

INT64_MAX: Final = 2**63 - 1

Text = Annotated[str, Field(min_length=1)]
"""Text that may not be empty."""
Id = Annotated[str, Field(min_length=1, max_length=200)]
"""Deterministic identity: the same facts give the same id in every process."""
Venue = Annotated[str, Field(min_length=1, max_length=60)]
"""Venue id such as `binance-usdm`."""
Asset = Annotated[str, Field(min_length=1, max_length=60)]
"""Base coin in capitals such as `BTC`."""
Micros = Annotated[int, Field(ge=0, le=INT64_MAX)]
"""Microseconds since 1970-01-01 UTC, int64."""
EventMicros = Annotated[int, Field(ge=EARLIEST_EVENT_US, lt=LATEST_EVENT_US)]
"""Microseconds UTC inside 2010..2099, the range that normalisation admits."""
Second = Annotated[int, Field(ge=0, le=INT64_MAX, multiple_of=MICROS)]
"""The start of a second in microseconds UTC: a multiple of 1_000_000."""
UsdMicros = Annotated[int, Field(ge=0, le=INT64_MAX)]
"""Dollars times 1_000_000, int64, never negative."""
Count = Annotated[int, Field(ge=0, le=INT64_MAX)]
"""A number of things."""
Some = Annotated[int, Field(ge=1, le=INT64_MAX)]
"""A number of things, at least one."""
Partition = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Kafka partition number."""
Revision = Annotated[int, Field(ge=0, le=INT64_MAX)]
"""Logical revision of a row: the highest is current."""
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Version of the message layout; grows with additive changes."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A finite double, any sign."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A finite double above zero: prices."""
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A finite double, zero or above: quantities, ratios, seconds."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A share, a probability or a percentile as a fraction 0..1."""


class Row(BaseModel):
    """Base of every message model: strict, frozen, closed to unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )
