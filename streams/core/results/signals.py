"""Head of every signal row: identity, provenance and the second it speaks for.

A signal row is a reading of one minute (or of one second, where its definition says so): written
once, with revision 1. Between two readings of equal content only the first is published, and one
at each turn of an hour.
"""

import msgspec


class SignalRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Fields that all signals share. `at` is the second (µs) that the row speaks for."""

    id: str
    revision: int
    is_final: bool
    definition: str
    params_hash: str
    engine: str
    scope: str
    partition: int
    coverage: float
    watermark: int
    at: int
    null_reasons: dict[str, str] = {}
    v: int = 1
