"""Delta books folded into full ones, in the venue's own message.

Beside `sifting`, for venues that send a snapshot and then changes (Bybit). Promises the best 20
levels of each side, and to say when a book cannot be right (a change came twice or out of order,
best prices cross), so that the connection is renewed; it is not told until the next snapshot.
"""

from operator import itemgetter
from typing import Any, Final

import msgspec

LEVELS: Final = 20


class _Data(msgspec.Struct):
    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int


class _Message(msgspec.Struct):
    topic: str
    type: str
    data: _Data
    ts: int
    cts: int | None = None


_decode: Final = msgspec.json.Decoder(_Message).decode


Level = tuple[float, str, str]
"""Price as a number; price and size as the venue wrote them."""


class _Sides:
    def __init__(self) -> None:
        self.bids: dict[str, Level] = {}
        self.asks: dict[str, Level] = {}

    def change(self, data: _Data) -> None:
        """Set levels; those without size go.

        Raises:
            ValueError: a price or a size is no number.
        """
        for levels, changes in ((self.bids, data.b), (self.asks, data.a)):
            for price, size in changes:
                if float(size) == 0:
                    levels.pop(price, None)
                else:
                    levels[price] = (float(price), price, size)


class Fold:
    """The books of one connection, by topic."""

    def __init__(self) -> None:
        self._sides: dict[str, _Sides] = {}
        self._last: dict[str, _Message] = {}
        self._changed: dict[str, int] = {}
        self._torn = False

    def take(self, payload: bytes, received_us: int) -> bool:
        """Fold a message; False when it is no message of a book, or none that can be read."""
        if b'"orderbook.' not in payload[:64]:
            return False
        try:
            message = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        topic = message.topic
        if message.type == "snapshot":
            self._sides[topic] = _Sides()
        elif topic not in self._sides:
            return True
        elif message.data.u <= self._last[topic].data.u:
            self.spoil(topic)
            return True
        try:
            self._sides[topic].change(message.data)
        except ValueError:
            self.spoil(topic)
            return False
        self._last[topic] = message
        self._changed[topic] = received_us
        return True

    def spoil(self, topic: str) -> None:
        """A book cannot be right: it is not told until its next snapshot."""
        self._sides.pop(topic, None)
        self._changed.pop(topic, None)
        self._torn = True

    def full(self) -> list[tuple[str, bytes, int]]:
        """(topic, message, received) of each book that has changed since the last call."""
        told = [(topic, self._message(topic), at_us) for topic, at_us in self._changed.items()]
        self._changed.clear()
        return told

    def torn(self) -> bool:
        """Whether some book missed a change since the last call."""
        torn, self._torn = self._torn, False
        return torn

    def _message(self, topic: str) -> bytes:
        last, sides = self._last[topic], self._sides[topic]
        message: dict[str, Any] = {
            "topic": topic,
            "type": "snapshot",
            "ts": last.ts,
            "data": {
                "s": last.data.s,
                "b": _best(sides.bids, highest=True),
                "a": _best(sides.asks, highest=False),
                "u": last.data.u,
            },
        }
        if last.cts is not None:
            message["cts"] = last.cts
        return msgspec.json.encode(message)


def _best(levels: dict[str, Level], *, highest: bool) -> list[tuple[str, str]]:
    ranked = sorted(levels.values(), key=itemgetter(0), reverse=highest)
    return [(price, size) for _, price, size in ranked[:LEVELS]]
