"""Scheduled events (outside series named `event:...`), so that their moves are not called odd.

Used by the alert rules. Promises a bounded memory in event time: an event is remembered from the
second that it became known until an hour after its time.
"""

import msgspec

from streams.core.events import MICROS
from streams.core.frames import MacroValue

PREFIX = "event:"
KEPT_S = 3600


class Calendar(msgspec.Struct):
    """Times (s) of known events, ascending; `seen`: whether any was ever announced."""

    times: list[int] = []
    seen: bool = False

    def learn(self, values: tuple[MacroValue, ...], now: int, most: int) -> bool:
        """Take the outside values of a second; True when one is a new event."""
        changed = False
        for value in values:
            at = value.at_us // MICROS
            if value.series.startswith(PREFIX) and at > now - KEPT_S and at not in self.times:
                kept = [time for time in self.times if time > now - KEPT_S]
                times = sorted([*kept, at])[:most]
                changed = changed or times != self.times
                self.times, self.seen = times, True
        return changed

    def near(self, second: int, within_s: int) -> bool:
        """Whether an event lies within so many seconds of one, before or after.

        >>> Calendar([1000]).near(700, 300), Calendar([1000]).near(1301, 300)
        (True, False)
        """
        return any(abs(time - second) <= within_s for time in self.times)
