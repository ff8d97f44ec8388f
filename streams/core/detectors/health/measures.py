"""The measures behind market health: what of a minute and of other signals counts as stress.

Part of `health`. Each measure rises with stress and is unknown, with a reason, where its input is
missing; each component is the mean over groups of measures, of which the first known one counts.
"""

from typing import Final, NamedTuple

from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.results import Dominance, Imbalance, Liquidity, SignalRow, Volatility, ZoneMap

COMPONENTS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "liquidation": (("forced_1h",), ("forced_24h",)),
    "leverage": (("oi_market_cap", "oi_spot_adv", "open_interest"), ("funding",)),
    "liquidity": (("thinness",),),
    "volatility": (("variance_1h",), ("unexplained_1h",)),
    "crowding": (("imbalance_1h",),),
    "structure": (("derivatives_24h",), ("fuel_to_depth",)),
}
"""Component -> groups of measures: in a group the first known measure speaks."""

MEASURES: Final = tuple(
    name for groups in COMPONENTS.values() for group in groups for name in group
)

OF_BASKET: Final = frozenset({"forced_1h", "forced_24h", "imbalance_1h"})
"""Measures of published forced orders: other venues publish other sums."""


class Measured(NamedTuple):
    """Known measures by name, and why the others are not known."""

    values: dict[str, float]
    reasons: dict[str, str]

    def put(self, name: str, value: float | None, reason: str) -> None:
        """Note a measure, or why there is none."""
        if value is None:
            self.reasons[name] = reason
        else:
            self.values[name] = value

    def read(self, name: str, row: SignalRow | None, field: str, value: float | None) -> None:
        """Note what a row says in a field (already read), or its own reason for saying nothing."""
        reason = "no_reading" if row is None else row.null_reasons.get(field, "no_reading")
        self.put(name, value, reason)


def measure(
    minute: Minute, hour_usd: int | None, readings: Readings, params: HealthParams
) -> Measured:
    """All measures as of the end of a minute.

    Args:
        minute: the minute.
        hour_usd: forced micro-dollars published in the last hour; None when not enough was seen.
        readings: what the detectors before this one have said.
        params: definition parameters.
    """
    found = Measured({}, {})
    _forced(found, minute, hour_usd, readings, params)
    _leverage(found, minute, readings, params)
    liquidity = readings.last(Liquidity)
    z = None if liquidity is None else liquidity.z
    found.read("thinness", liquidity, "z", None if z is None else -z)
    _variance(found, readings)
    imbalance = readings.last(Imbalance, 3600)
    lean = None if imbalance is None else imbalance.lsi_adjusted
    if minute.coverage < params.least_coverage:
        found.put("imbalance_1h", None, "coverage_below_0.6")
    else:
        found.read("imbalance_1h", imbalance, "lsi_adjusted", None if lean is None else abs(lean))
    _structure(found, readings)
    return found


def _forced(
    found: Measured,
    minute: Minute,
    hour_usd: int | None,
    readings: Readings,
    params: HealthParams,
) -> None:
    if minute.coverage < params.least_coverage:
        found.put("forced_1h", None, "coverage_below_0.6")
        found.put("forced_24h", None, "coverage_below_0.6")
        return
    found.put("forced_1h", None if hour_usd is None else float(hour_usd), "hour_not_observed")
    day = readings.print_24h
    found.put("forced_24h", None if day is None else float(day.usd_observed), "no_print")


def _leverage(found: Measured, minute: Minute, readings: Readings, params: HealthParams) -> None:
    day = readings.last(Dominance, 86400)
    cap = None if day is None else day.oi_market_cap
    spot = None if day is None else day.oi_spot_adv
    found.read("oi_market_cap", day, "oi_market_cap", cap)
    found.read("oi_spot_adv", day, "oi_spot_adv", spot)
    found.put("open_interest", minute.oi_volume, "no_open_interest")
    rate = minute.funding_8h
    extremity = None if rate is None else abs(rate - params.funding_anchor_8h)
    found.put("funding", extremity, "no_funding")


def _variance(found: Measured, readings: Readings) -> None:
    hour = readings.last(Volatility, 3600)
    realised = None if hour is None else hour.realised
    found.read("variance_1h", hour, "realised", realised)
    share = None if hour is None else hour.unexplained
    open_part = None if realised is None or share is None else realised * share
    found.read("unexplained_1h", hour, "unexplained", open_part)


def _structure(found: Measured, readings: Readings) -> None:
    day = readings.last(Dominance, 86400)
    found.read("derivatives_24h", day, "ratio", None if day is None else day.ratio)
    zones = readings.last(ZoneMap)
    below = None if zones is None else zones.fuel_depth_below
    above = None if zones is None else zones.fuel_depth_above
    known = [one for one in (below, above) if one is not None]
    found.read("fuel_to_depth", zones, "fuel_depth_below", max(known, default=None))
