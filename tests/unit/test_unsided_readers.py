"""Detectors take volume of unknown side for volume, and for neither bought nor sold."""

import msgspec
import pytest

from streams.core.detectors.alerts.levels import Terrain, survey
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.dominance.detector import DominanceDetector
from streams.core.detectors.dominance.params import DominanceParams
from streams.core.detectors.liquidity.place import Place, amihud
from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment, trace_of
from streams.core.detectors.readings import Readings
from streams.core.detectors.regime.bars import OpenHour
from streams.core.detectors.volatility.forced import Forcing, note
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.zones.detector import Zones
from streams.core.detectors.zones.params import ZoneParams
from streams.core.events import MICROS
from streams.core.frames import VenueTrades
from streams.core.rowmeta import RowMeta
from tests.regime_minutes import Market
from tests.regime_minutes import minute as regime_minute
from tests.seconds import START
from tests.signal_rows import minute

META = RowMeta("test", "test", 0)
BOUGHT = VenueTrades("bybit", "derivative", 9 * MICROS, 0)
MIXED = VenueTrades("bybit", "derivative", 5 * MICROS, 1 * MICROS, 3 * MICROS)
UNSIDED = VenueTrades("bybit", "derivative", 0, 0, 9 * MICROS)


def second(trades: VenueTrades, at: int = 0) -> Moment:
    up = ("bybit",)
    return Moment("BTC", START + at, 1.0, up, up, (), price=100.0, trades=(trades,))


def minute_of(trades: VenueTrades) -> Minute:
    return msgspec.structs.replace(minute(0, 100.0), trades=(trades,))


@pytest.mark.parametrize("trades", [MIXED, UNSIDED])
def test_what_needs_volume_takes_all_of_it(trades: VenueTrades) -> None:
    assert trades.usd == BOUGHT.usd
    bars = []
    for one in (BOUGHT, trades):
        terrain = Terrain()
        survey(terrain, minute_of(one), None, AlertParams())
        bars.append(terrain.bars)
    assert bars[0] == bars[1]
    impacts = []
    for one in (BOUGHT, trades):
        place = Place("derivative")
        place.closed, place.closed_at = 100.0, START
        impacts.append(amihud(place, 101.0, START + 60, (one,)))
    assert impacts[0] == impacts[1] is not None


@pytest.mark.parametrize("trades", [MIXED, UNSIDED])
def test_the_profile_of_volume_and_the_basket_take_all_of_it(trades: VenueTrades) -> None:
    maps = [Zones("BTC", ZoneParams(), META) for _ in range(2)]
    baskets = [DominanceDetector("BTC", DominanceParams(), META) for _ in range(2)]
    found = []
    for one, zones, basket in zip((BOUGHT, trades), maps, baskets, strict=True):
        zones.second(second(one), Readings())
        rows = basket.minute(minute_of(one), Readings())
        states = [part.encode() for part in (*zones.parts(), *basket.parts())]
        found.append((states, list(rows)))
    assert found[0] == found[1]


def test_spot_volume_of_an_hour_is_all_of_it() -> None:
    hours = []
    for sided in (True, False):
        hour = OpenHour()
        hour.begin(START)
        one = regime_minute(START + 240, Market(spot_usd=2_400.0))
        bare = tuple(
            VenueTrades(trades.venue, trades.market, 0, 0, trades.usd) for trades in one.trades
        )
        hour.add(one if sided else msgspec.structs.replace(one, trades=bare))
        hours.append(hour.bar(None).spot_usd)
    assert hours == [200.0, 200.0]


def test_what_needs_a_side_takes_the_known_ones() -> None:
    assert minute_of(MIXED).taker_usd("derivative") == (5 * MICROS, 1 * MICROS)
    assert minute_of(MIXED).traded_usd("derivative") == 9 * MICROS
    for trades, flow in ((BOUGHT, 9 * MICROS), (MIXED, 4 * MICROS), (UNSIDED, None)):
        trace = trace_of(second(trades), None)
        assert trace is not None
        assert trace.flow == flow


def test_unknown_dollars_dilute_the_forced_share_of_both_sides() -> None:
    state = Forcing()
    note(state, second(MIXED), START, VolatilityParams())
    assert state.flow == [(START, 0, 0, 8 * MICROS, 4 * MICROS)]
    sided = Forcing()
    note(sided, second(BOUGHT), START, VolatilityParams())
    assert state.taker == sided.taker == 9 * MICROS
