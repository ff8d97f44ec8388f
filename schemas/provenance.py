"""What every result row carries: identity, revision, provenance, and its nulls explained.

Base of the result models. Promises the order of these fields and the law of `null_reasons`;
says nothing of what a window or a print measures.
"""

from collections.abc import Mapping, Set
from typing import ClassVar

from schemas.units import Id, Partition, Revision, Row, Second, Share, Text

Reasons = dict[str, Text]
"""Why a field is null, by field name."""


class ResultRow(Row):
    """An upsert by `id`: equal facts give equal rows in every engine, `engine` excepted."""

    self_evident: ClassVar[Set[str]] = frozenset()
    """Fields whose null says itself why; all other nulls need an entry in null_reasons."""

    type: str
    """Tag of the message type."""
    id: Id
    """Hash of scope, kind, time and definition."""
    revision: Revision
    """Logical revision; the highest is current."""
    is_final: bool
    """True when no later revision comes."""
    definition: Text
    """Name and version of the definition, such as `cascade/1`."""
    params_hash: Text
    """Hash of the parameters, priors included."""
    engine: Text
    """Engine that computed the row; no part of what must be reproducible."""
    scope: Text
    """Base coin, or `ALL` for the market; key of the record."""
    partition: Partition
    """Partition of the scope."""
    coverage: Share
    """Healthy liquidation feeds over known ones: a window's least since its onset, of a print or
    milestone the mean over its period (before the first input none was healthy)."""
    watermark: Second
    """Second of the frame that caused this revision, µs UTC."""

    def wrong_nulls(self, reasons: Mapping[str, str]) -> str | None:
        """What is wrong between the nulls and their reasons; None when they agree."""
        nulls = {name for name, value in self.__dict__.items() if value is None}
        silent = nulls - self.self_evident - reasons.keys()
        if silent:
            return f"null without a reason in null_reasons: {', '.join(sorted(silent))}"
        stale = reasons.keys() - nulls
        if stale:
            return f"null_reasons names what is not null: {', '.join(sorted(stale))}"
        return None


def misplaced_bound(
    observed: int, estimated: int | None, upper: int | None, by_venue: Mapping[str, int]
) -> str | None:
    """What is wrong with a row's dollars: observed <= estimated <= upper, venues sum up."""
    if estimated is not None and estimated < observed:
        return "usd_estimated is at least usd_observed"
    if upper is not None and upper < (observed if estimated is None else estimated):
        return "usd_upper is at least usd_observed and usd_estimated"
    if sum(by_venue.values()) != observed:
        return "usd_by_venue sums to usd_observed"
    return None
