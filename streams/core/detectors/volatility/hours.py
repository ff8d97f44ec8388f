"""Hourly history of a scope's volatility and of what may drive it.

Part of the volatility detector. Promises: an hour's drivers are what was known when the hour
began, so that an hour's own turmoil does not explain itself; a missing value stays missing (NaN);
an hour is a place in the arrays, so a gap of months costs no more than the history is long.
"""

from array import array
from math import log, nan

import msgspec

from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP
from streams.core.results import Dominance, Liquidity, ZoneMap
from streams.core.results.zones import FUEL_DISTANCES

HOUR_S = 3600
WEEK_H = 168
DEPTHS = {"depth_10": DEPTH_BANDS_BP.index(10), "depth_50": DEPTH_BANDS_BP.index(50)}
_FUEL = FUEL_DISTANCES.index(0.02)
_CEILING = 1e12
_LATE_S = 600
"""What is read later than this after an hour began does not speak for its beginning."""


class Packed(msgspec.Struct, array_like=True):
    """`Hours` as it is stored: little-endian float32."""

    first: int
    columns: dict[str, bytes]


class Hours:
    """Columns of float32 by hour, NaN where unknown; `first` is the hour (s // 3600) of place 0,
    `keep` how many are kept at most.
    """

    def __init__(self, names: tuple[str, ...], keep: int) -> None:
        self.first = 0
        self.columns = {name: array("f") for name in names}
        self.names = names
        self.keep = keep

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def append(self, hour: int, values: dict[str, float]) -> None:
        """Add an hour after all others; those in between stay unknown, the oldest are dropped."""
        size = len(self)
        if size == 0 or hour - self.first - size >= self.keep:
            self.first, size = hour, 0
            for column in self.columns.values():
                del column[:]
        for name, column in self.columns.items():
            column.extend([nan] * (hour - self.first - size))
            column.append(min(max(values.get(name, nan), -_CEILING), _CEILING))
            del column[: max(len(column) - self.keep, 0)]
        self.first = hour + 1 - len(self)

    def encode(self) -> bytes:
        """Bytes that `decode` takes."""
        packed = {name: _swapped(column).tobytes() for name, column in self.columns.items()}
        return msgspec.msgpack.encode(Packed(self.first, packed))

    def decode(self, stored: bytes) -> None:
        """Continue from stored bytes."""
        packed = _decode(stored)
        self.first = packed.first
        for name in self.columns:
            column = array("f")
            column.frombytes(packed.columns[name])
            self.columns[name] = _swapped(column)


def _swapped(column: "array[float]") -> "array[float]":
    """The column in the other byte order where this machine is big-endian."""
    if array("H", [1]).tobytes() == b"\1\0":
        return column
    turned = array("f", column)
    turned.byteswap()
    return turned


def names_of(params: VolatilityParams) -> tuple[str, ...]:
    """Columns of the history: the log variance and the drivers."""
    return (
        "variance",
        "leverage",
        *DEPTHS,
        "uncertainty",
        *sorted(params.institutional_series),
        "dominance",
    )


def drivers_of(minute: Minute, readings: Readings, params: VolatilityParams) -> dict[str, float]:
    """What is known of the drivers at the end of a minute, by column.

    `leverage`: estimated forced dollars within 2 % of the price, both ways, over open interest
    (at most 2: every contract has two sides). `depth_*`: minus the log of dollars within the band.
    `uncertainty`: log of the VIX. Empty when the hour began too long ago.
    """
    if minute.end % HOUR_S > _LATE_S:
        return {}
    found: dict[str, float] = {}
    oldest = (minute.end - params.reading_stale_s) * MICROS
    zones = readings.last(ZoneMap)
    if zones is not None and zones.at >= oldest and minute.oi_usd:
        below, above = zones.fuel_below_usd, zones.fuel_above_usd
        if below is not None and above is not None:
            found["leverage"] = min((below[_FUEL] + above[_FUEL]) / minute.oi_usd, 2.0)
    liquidity = readings.last(Liquidity)
    if liquidity is not None and liquidity.at >= oldest:
        for name, band in DEPTHS.items():
            bids, asks = liquidity.bid_usd[band : band + 1], liquidity.ask_usd[band : band + 1]
            if bids and asks and bids[0] is not None and asks[0] is not None:
                found[name] = -log(max(bids[0] + asks[0], MICROS))
    dominance = readings.last(Dominance, HOUR_S)
    if dominance is not None and dominance.at >= oldest and dominance.share is not None:
        found["dominance"] = dominance.share
    level = _outside(minute, params.uncertainty_series, params.uncertainty_stale_s)
    if level is not None and level > 0:
        found["uncertainty"] = log(level)
    for series, stale_s in params.institutional_series.items():
        value = _outside(minute, series, stale_s)
        if value is not None:
            found[series] = value
    return found


def _outside(minute: Minute, series: str, stale_s: int) -> float | None:
    known = minute.macro.get(series)
    if known is None or known.at_us < (minute.end - stale_s) * MICROS:
        return None
    return known.value


_decode = msgspec.msgpack.Decoder(Packed).decode
