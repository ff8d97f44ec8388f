"""What the data path makes of a simulated log, as plain data for a picture.

Behind `simulate --plot`: the log runs through an engine in this process, and of its messages only
windows and published orders are kept. Promises the rows that `replay` gives. Draws nothing, and
the simulator, which draws, learns no detector from it.
"""

from collections import Counter
from typing import Final

from streams.contracts import Message
from streams.core.events import MICROS, Liquidation
from streams.core.results import CascadeWindow

OPEN_S: Final = 60
"""A window that has no end yet is drawn so long after its detection."""


class Pictured:
    """A writer of `replay.run_replay` that keeps the newest revision of windows, and dollars.

    `usd` is published micro-dollars by (UNIX second, liquidated side), over all venues.
    """

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self.usd: Counter[tuple[int, str]] = Counter()
        self._windows: dict[str, CascadeWindow] = {}

    def write(self, message: Message) -> None:
        """Keep what a picture shows."""
        if isinstance(message, Liquidation):
            self.usd[message.event_time_us // MICROS, message.position_side] += message.usd
        elif isinstance(message, CascadeWindow):
            self._windows[message.id] = message

    def close(self) -> None:
        """Nothing is buffered."""

    def spans(self) -> list[tuple[str, str, str, int, int, int]]:
        """Scope, side, class, onset, detected at and end of each window; UNIX seconds."""
        return [
            (
                window.scope,
                window.side,
                window.window_class,
                window.onset // MICROS,
                window.detected_at // MICROS,
                window.detected_at // MICROS + OPEN_S
                if window.end is None
                else window.end // MICROS,
            )
            for window in self._windows.values()
        ]
