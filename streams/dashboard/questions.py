"""What a browser asks for: a scope and a range of event time, as they stand in the page's address.

Under `server`. Promises that an address means one thing: a live range ends now and begins at a
bucket's edge, so that no plotted bucket is cut; a fixed one is what it says.
"""

from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.facts.reading import SECOND, Span, check_scope, parse_span

RANGES: Final = {
    "15m": 900,
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
}
"""Live ranges by name, seconds."""


class Question(msgspec.Struct, frozen=True):
    """A scope with a live range (`live_s`) or a fixed one (`begin`, `end`), microseconds UTC."""

    scope: str
    live_s: int | None
    begin: int
    end: int

    def span(self, now: int) -> Span:
        """The stretch of event time that is meant at `now` (microseconds UTC)."""
        if self.live_s is None:
            return Span(self.scope, self.begin, self.end)
        end = -(-now // SECOND) * SECOND
        begin = end - self.live_s * SECOND
        step = Span(self.scope, begin, end).step * SECOND
        return Span(self.scope, begin // step * step, end)


def parse_question(asset: str, live: str | None, begin: str | None, end: str | None) -> Question:
    """The question of an address.

    Args:
        asset: an asset, or ALL.
        live: a name of `RANGES`.
        begin: ISO 8601 in UTC, with `end` and instead of `live`.
        end: likewise, exclusive.

    Raises:
        MarginquakeError: names what is wrong and what would be right.
    """
    check_scope(asset)
    if begin is None and end is None:
        name = live or "1h"
        if name not in RANGES:
            raise MarginquakeError(f"range={name[:40]!r} is unknown: give {', '.join(RANGES)}")
        return Question(asset, RANGES[name], 0, 0)
    if begin is None or end is None or live is not None:
        raise MarginquakeError("give from and to, or range alone")
    fixed = parse_span(asset, begin, end)
    return Question(asset, None, fixed.begin, fixed.end)
