"""Head of every signal row, and the law of its nulls.

Base of the signal models; twin of `streams.core.results.signals.SignalRow`. Promises that a null
is either self-evident (a dimension, an absent condition) or has its reason in `null_reasons`.
"""

from typing import Self

from pydantic import Field, model_validator

from schemas.provenance import Reasons, ResultRow
from schemas.units import Second, Version


class SignalRow(ResultRow):
    """A reading of one minute, or of one second where its definition says so; written once."""

    at: Second
    """The second that the row speaks for, µs UTC."""
    null_reasons: Reasons = Field(default={})
    """Why a field is null, by field name."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _nulls(self) -> Self:
        wrong = self.wrong_nulls(self.null_reasons)
        if wrong is not None:
            raise ValueError(wrong)
        return self
