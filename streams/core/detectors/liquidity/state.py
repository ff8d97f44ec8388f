"""What the liquidity detector keeps, in parts that change at different paces.

Promises that each part is stored and read whole; what it means, `detector` and `place` say.
"""

import msgspec

from streams.core.detectors.liquidity import conditions
from streams.core.detectors.liquidity.ordinary import HourSum
from streams.core.detectors.liquidity.place import Learned, Place

WHOLE = ""
"""Key of the place that is all venues together."""

Sums = dict[str, dict[str, HourSum]]


class Fast(msgspec.Struct, array_like=True):
    """What may change each second: the places by venue, the whole under WHOLE."""

    places: dict[str, Place] = msgspec.field(default_factory=lambda: {WHOLE: Place()})


class Minutes(msgspec.Struct, array_like=True):
    """What changes each minute (`at`, s): the hour in progress, and the slow index's day."""

    at: int = 0
    hour: int = 0
    sums: Sums = {}
    told: int = 0
    slow: conditions.Slow = msgspec.field(default_factory=conditions.Slow)


class History(msgspec.Struct, array_like=True):
    """What changes each hour (`at`, s): ordinary values by place."""

    at: int = 0
    learned: dict[str, Learned] = {}


class Days(msgspec.Struct, array_like=True):
    """What changes each day (`at`, s)."""

    at: int = 0
    days: list[conditions.Day] = []


decode_fast = msgspec.msgpack.Decoder(Fast).decode
decode_minutes = msgspec.msgpack.Decoder(Minutes).decode
decode_history = msgspec.msgpack.Decoder(History).decode
decode_days = msgspec.msgpack.Decoder(Days).decode
