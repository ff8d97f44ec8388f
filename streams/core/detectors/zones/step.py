"""A minute as the liquidation map sees it: the only input that moves a map.

Part of the detector `zones`. Promises to name all that a map depends on, so that steps may be
stored in place of the map that they lead to.
"""

import msgspec


class Step(msgspec.Struct, frozen=True, array_like=True):
    """All that a minute does to a map.

    `end` (s); `price`: at which its positions were opened, USD; `low`, `high`: range of the price;
    `tilt`: exponent of leverage in the prior of longs, minus that of shorts; `traded`: derivative
    volume, USD; `interest`: open interest of the venues that changed, in coins, of inverse venues
    in USD; `forced`: USD of longs and shorts liquidated on full feeds, None without such a feed.
    """

    end: int
    price: float | None
    low: float | None
    high: float | None
    tilt: float = 0.0
    traded: float = 0.0
    interest: dict[str, float] = {}
    forced: tuple[float, float] | None = None
