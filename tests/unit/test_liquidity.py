"""The liquidity regime and the conditions index, on seconds and minutes built by hand."""

from math import exp, log

import msgspec
import pytest

from streams.core.detectors.liquidity import conditions
from streams.core.detectors.liquidity.conditions import Day, Slow, inputs_of, row
from streams.core.detectors.liquidity.detector import LiquidityDetector
from streams.core.detectors.liquidity.flow import Impact, Refill
from streams.core.detectors.liquidity.level import Level
from streams.core.detectors.liquidity.ordinary import HourSum, Ordinary, cell_of, norm
from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.detectors.minutes import MinuteState, add, close, end_of
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Origin
from streams.core.detectors.venue_sums import Depth, depth
from streams.core.events import MICROS, Contract
from streams.core.frames import BookState, VenueTrades
from streams.core.results import Conditions, Liquidity, Result
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams

DAY0 = 1_790_035_200
"""A midnight (UTC)."""
PARAMS = LiquidityParams()
META = RowMeta("test", "test", 0)
MILLION = MICROS * MICROS


def book(
    second: int,
    millions: float = 1.0,
    spread_bp: float = 1.0,
    venue: str = "bybit",
    symbol: str = "BTCUSDT",
    mid: float = 50_000.0,
    contract: Contract = "linear",
) -> BookState:
    """A book with `millions` of dollars a side in each of 10, 25 and 50 bp, none known at 100."""
    side = round(millions * MILLION)
    half = mid * spread_bp / 2e4
    bands = (side, side, side, None)
    slips = (spread_bp, None)
    return BookState(
        venue, symbol, contract, mid - half, mid + half, bands, bands, second * MICROS, slips, slips
    )


class Scope:
    """A detector on seconds, with the pipeline's minutes; keeps every row."""

    def __init__(self, scope: str = "BTC") -> None:
        self.scope = scope
        self.detector = LiquidityDetector(scope, PARAMS, META)
        self.minutes = MinuteState()
        self.readings = Readings()
        self.rows: list[Result] = []
        self.known: dict[tuple[str, str], Depth] = {}

    def second(
        self,
        at: int,
        *books: BookState,
        price: float | None = None,
        trades: tuple[VenueTrades, ...] = (),
    ) -> list[Result]:
        self.close_until(at)
        bids, asks = depth(books, self.known, at)
        kept = () if self.scope == "ALL" else books
        moment = Moment(
            self.scope,
            at,
            1.0,
            ("bybit",),
            ("bybit",),
            price=price,
            trades=trades,
            bids=bids,
            asks=asks,
            books=kept,
        )
        add(self.minutes, moment)
        found = list(self.detector.second(moment, self.readings))
        self.rows += found
        return found

    def close_until(self, second: int) -> None:
        while (end := end_of(self.minutes)) is not None and end <= second:
            minute = close(self.minutes, self.scope, ThrottleParams())
            self.rows += self.detector.minute(minute, self.readings)

    def ordinary_day(self, hours: int = 25) -> int:
        """A book whose depth wavers about a million each minute; the first second after it."""
        for at in range(DAY0, DAY0 + hours * 3600, 20):
            waver = 1.0 + 0.1 * (at // 60 % 3 - 1)
            self.second(at, book(at, waver, mid=50_000.0 + at % 7))
        return DAY0 + hours * 3600

    def last(self, venue: str | None) -> Liquidity:
        return next(
            one for one in reversed(self.rows) if isinstance(one, Liquidity) and one.venue == venue
        )


def test_without_a_book_every_number_is_null_with_a_reason() -> None:
    scope = Scope()
    scope.second(DAY0, price=100.0)
    scope.close_until(DAY0 + 60)
    row = scope.last(None)
    assert (row.state, row.z, row.spread_bp, row.bid_usd) == (None, None, None, ())
    nulls = {name for name in row.__struct_fields__ if getattr(row, name) is None}
    assert nulls - {"venue"} == row.null_reasons.keys()
    assert row.null_reasons["spread_bp"] == "no_book"


def test_a_book_is_told_before_it_has_history_but_not_judged() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 120):
        scope.second(at, book(at, 2.0, mid=50_000.0 + at % 2))
    scope.close_until(DAY0 + 120)
    row = scope.last("bybit")
    side = 2 * MILLION
    assert row.bid_usd == row.ask_usd == (side, side, side, None)
    assert row.spread_bp == pytest.approx(1.0, rel=1e-6)
    assert row.buy_slip_100k_bp == 1.0
    assert row.buy_slip_1m_bp is None and row.null_reasons["buy_slip_1m_bp"] == "beyond_reach"
    assert row.state is None and row.null_reasons["state"] == "history_below_1_day"
    assert row.depth_ratio == (None,) * 4


def test_depth_at_a_quarter_of_the_ordinary_is_a_vacuum_after_five_seconds() -> None:
    scope = Scope()
    start = scope.ordinary_day()
    for at in range(start, start + 10):
        scope.second(at, book(at, 1.0, mid=50_000.0 + at % 7))
    found: list[Result] = []
    for at in range(start + 10, start + 20):
        found += scope.second(at, book(at, 0.25, mid=50_000.0 + at % 7))
    venue, whole = (one for one in found if isinstance(one, Liquidity) and one.state == "vacuum")
    assert (venue.venue, whole.venue) in (("bybit", None), (None, "bybit"))
    assert venue.at == venue.since == (start + 15) * MICROS
    # The ordinary value is the geometric mean of 0.9, 1.0 and 1.1 million a side.
    usual = exp((log(0.9) + log(1.0) + log(1.1)) / 3)
    assert venue.depth_ratio[2] == pytest.approx(0.25 / usual, rel=1e-3)


def test_four_thin_seconds_change_nothing() -> None:
    scope = Scope()
    start = scope.ordinary_day()
    for at in range(start, start + 60):
        thin = start + 20 <= at < start + 24
        scope.second(at, book(at, 0.2 if thin else 1.0, mid=50_000.0 + at % 7))
    scope.close_until(start + 60)
    assert scope.last("bybit").state == "normal"


def test_a_vacuum_is_left_a_minute_after_the_book_is_back() -> None:
    scope = Scope()
    start = scope.ordinary_day()
    for at in range(start, start + 30):
        scope.second(at, book(at, 0.2, mid=50_000.0 + at % 7))
    for at in range(start + 30, start + 100):
        scope.second(at, book(at, 1.0, mid=50_000.0 + at % 7))
    scope.close_until(start + 120)
    row = scope.last("bybit")
    assert (row.state, row.since) == ("normal", (start + 90) * MICROS)


def test_a_tenfold_spread_is_a_vacuum_too() -> None:
    scope = Scope()
    start = scope.ordinary_day()
    for at in range(start, start + 10):
        scope.second(at, book(at, 1.0, 11.0, mid=50_000.0 + at % 7))
    assert scope.last(None).state == "vacuum"


def test_a_book_that_repeats_ten_times_is_frozen() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 120):
        scope.second(at, book(at))
    scope.close_until(DAY0 + 120)
    row = scope.last("bybit")
    assert row.frozen and row.bid_usd == () and row.null_reasons["spread_bp"] == "book_frozen"


def test_an_old_book_is_not_known_any_more() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 70):
        scope.second(at, book(at, mid=50_000.0 + at % 7))
    scope.second(DAY0 + 240, price=1.0)
    assert scope.last("bybit").null_reasons["spread_bp"] == "book_stale"


def test_the_whole_compares_only_venues_that_are_known() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 25 * 3600, 20):
        waver = 1.0 + 0.1 * (at // 60 % 3 - 1)
        mid = 50_000.0 + at % 7
        scope.second(at, book(at, 4 * waver, mid=mid), book(at, waver, venue="okx", mid=mid))
    start = DAY0 + 25 * 3600
    for at in range(start, start + 60):
        scope.second(at, book(at, 4.0, mid=50_000.0 + at % 7))
    scope.close_until(start + 60)
    row = scope.last(None)
    assert row.bid_usd[0] is None, "a sum without OKX would read as a change"
    ratio = row.depth_ratio[2]
    assert ratio is not None and 0.9 < ratio < 1.1
    assert row.state == "normal"


def test_bands_beyond_reach_are_null_and_reached_now_and_then_are_no_norm() -> None:
    scope = Scope()
    scope.ordinary_day()
    row = scope.last("bybit")
    assert row.bid_usd[3] is None and row.depth_ratio[3] is None
    params, all_hours, few = PARAMS, Ordinary(), Ordinary()
    for hour in range(48):
        all_hours.learn(hour, HourSum(60, 0.0, 0.0), params)
        if hour % 6 == 0:
            few.learn(hour, HourSum(60, 0.0, 0.0), params)
    assert norm(few, 48, all_hours, params) is None
    assert norm(all_hours, 48, all_hours, params) is not None


def test_lambda_is_the_slope_of_changes_on_signed_flow() -> None:
    impact = Impact()
    price = 100.0
    for second in range(30):
        bought = 3.0 if second % 2 else -1.0  # USD million
        price *= exp(2.0 * bought * 1e-4)  # two bp a million
        impact.flow += bought * MILLION
        impact.price_of(second, price, PARAMS)
    assert impact.value(PARAMS) == pytest.approx(2.0, rel=1e-9)
    assert impact.value_at(30 + 3600, PARAMS) is None, "an hour later nothing of it is left"


def test_amihud_is_the_change_of_a_minute_over_its_volume() -> None:
    scope = Scope()
    two_million = (VenueTrades("bybit", "derivative", 2 * MILLION, 0),)
    scope.second(DAY0 + 1, price=100.0)
    scope.second(DAY0 + 61, price=101.0, trades=two_million)
    scope.close_until(DAY0 + 120)
    row = scope.last(None)
    assert row.amihud == pytest.approx(log(1.01) * 1e4 / 2.0, rel=1e-9)
    assert row.kyle_lambda is None


def test_a_refill_is_timed_from_the_large_second_to_half_of_what_it_took() -> None:
    refill = Refill()
    for second in range(3600):
        flow = MILLION if second % 2 else -MILLION
        large = refill.large(second, flow, PARAMS)
        assert not large
        refill.depth(second, 10e12, 10e12, large, flow > 0, PARAMS)
    large = refill.large(3600, 20 * MILLION, PARAMS)
    assert large
    refill.depth(3600, 10e12, 4e12, large, True, PARAMS)
    for second, asks in ((3601, 5e12), (3602, 6e12), (3607, 7e12)):
        assert not refill.large(second, 0, PARAMS)
        refill.depth(second, 10e12, asks, False, False, PARAMS)
    assert refill.told(3607, PARAMS) == (7.0, "")
    assert refill.told(3607 + 3601, PARAMS) == (None, "no_large_taker_second")


def test_a_state_left_halfway_does_not_come_back_at_once() -> None:
    level = Level(3, 0, [0, 0, 0])
    level.see(100, 1, PARAMS)
    level.settle(200, PARAMS)
    assert (level.state, level.since, level.turned) == ("normal", 160, [0, 0, 0])


def test_one_extreme_hour_moves_its_ordinary_value_by_a_factor_of_four_at_most() -> None:
    ordinary = Ordinary()
    for hour in range(240):
        ordinary.learn(hour, HourSum(60, 0.0, 0.0), PARAMS)
    extreme = 60 * log(1e-6)
    ordinary.learn(240, HourSum(60, extreme, extreme * log(1e-6)), PARAMS)
    own = ordinary.weights[cell_of(240)]
    bound = log(4) * (1 / own + PARAMS.shrink_h / ordinary.weight) / (1 + PARAMS.shrink_h / own)
    assert -bound * 1.01 <= ordinary.at(240, PARAMS) < 0


def test_weekends_have_cells_of_their_own() -> None:
    saturday = DAY0 // 3600 + 24 * ((5 - (DAY0 // 86400 + 3) % 7) % 7)
    assert cell_of(saturday) == 24 and cell_of(saturday - 24) == 0
    assert cell_of(saturday + 48) == 0 and cell_of(saturday + 47) == 47


def test_a_stage_restored_from_its_parts_goes_on_the_same() -> None:
    one, other = Scope(), Scope()
    start = one.ordinary_day()
    stored = {part.name: part.encode() for part in one.detector.parts()}
    other.detector.restore(stored)
    other.minutes = msgspec.msgpack.decode(msgspec.msgpack.encode(one.minutes), type=MinuteState)
    for scope in (one, other):
        scope.rows = []
        for at in range(start, start + 200, 3):
            scope.second(at, book(at, 0.5, mid=50_000.0 + at % 7), price=float(at % 11 + 1))
    assert one.rows == other.rows and one.rows


def test_the_market_tells_depth_but_no_state() -> None:
    scope = Scope("ALL")
    scope.second(DAY0, book(DAY0, 2.0))
    scope.close_until(DAY0 + 60)
    row = scope.last(None)
    assert row.bid_usd == (2 * MILLION, 2 * MILLION, 2 * MILLION, None)
    assert row.state is None and row.null_reasons["state"] == "not_defined_for_the_market"


def test_extreme_values_neither_raise_nor_give_infinities() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 26 * 3600, 30):
        mid = 1e-9 if at % 60 else 1e9
        trades = (VenueTrades("bybit", "derivative", 9 * 10**18 * (at % 90 > 0), 1),)
        depth_millions = 9e6 if at % 120 else 1e-12
        scope.second(at, book(at, depth_millions, mid=mid), price=mid, trades=trades)
        msgspec.json.encode(scope.rows)
        scope.rows = scope.rows[-4:]
    for part in scope.detector.parts():
        part.encode()
    for one in scope.rows:
        assert b"null" not in msgspec.json.encode(msgspec.structs.asdict(one).get("z_inputs", {}))


def days(number: int, **fields: object) -> list[Day]:
    return [Day(index, 1440, **fields) for index in range(number)]  # type: ignore[arg-type]


def test_growing_supply_is_expanding_and_a_missing_series_is_named() -> None:
    past = [Day(index, 1440, supply=100.0 * 1.01**index, oi=100.0) for index in range(40)]
    today = Day(40, 600, supply=100.0 * 1.01**40, oi=100.0)
    values, missing = inputs_of(past, today, PARAMS)
    assert values["stablecoins_7d"] == 3.0, "7 % over a scale of 1.5 % is clipped"
    assert values["stablecoins_30d"] == 3.0
    assert values["open_interest"] == 0.0
    assert missing == {"depth": "no_depth", "funding": "no_funding", "volatility": "no_price"}


def test_a_rally_alone_is_no_growth_of_the_markets_open_interest() -> None:
    slow, past = Slow(), list[Day]()
    for day in range(31):
        at, dollars = DAY0 + day * 86_400, round(100 * 1.05**day) * MICROS
        state, up = MinuteState(), ("bybit",)
        add(state, Moment("ALL", at, 1.0, up, up, oi_usd=dollars, oi_volume=1.0))
        conditions.add(slow, past, close(state, "ALL", ThrottleParams()), {}, PARAMS)
    assert slow.today is not None
    assert inputs_of(past, slow.today, PARAMS)[0]["open_interest"] == 0.0


def test_thinner_books_and_wilder_prices_are_tightening() -> None:
    past = days(60, depth={"bybit/50": (10, 10 * log(100.0))}, returns=(10, 40.0), funding=(5, 0.0))
    recent = [
        Day(60 + index, 1440, {"bybit/50": (10, 10 * log(50.0))}, (10, 160.0), (5, 0.001))
        for index in range(29)
    ]
    today = Day(89, 60, {"bybit/50": (1, log(50.0))}, (1, 16.0), (1, 0.0002))
    values, missing = inputs_of([*past, *recent], today, PARAMS)
    # Depth: ln 50 - (60 ln 100 + 30 ln 50) / 90 = -2/3 ln 2, over 0.15, clipped.
    assert values["depth"] == -3.0
    # Variance: 16 against (60 * 4 + 30 * 16) / 90 = 8; half its logarithm is ln 2 / 2.
    assert values["volatility"] == pytest.approx(-log(2) / 2 / 0.4)
    # Funding: 2 bp from the anchor against a third of that, over 1 bp.
    assert values["funding"] == pytest.approx(-(2.0 - 2.0 / 3))
    assert set(missing) == {"open_interest", "stablecoins_7d", "stablecoins_30d"}
    told = row(
        Origin("liquidity/1", "BTC", META).head("c", 60, 1.0), Slow(today), [*past, *recent], PARAMS
    )
    assert told.state == "tightening" and told.probability is not None and told.probability > 0.9


def test_conditions_are_told_once_an_hour() -> None:
    scope = Scope()
    for at in range(DAY0, DAY0 + 2 * 3600 + 60, 30):
        scope.second(at, price=100.0)
    told = [one for one in scope.rows if isinstance(one, Conditions)]
    assert [one.at // MICROS - DAY0 for one in told] == [60, 3600, 7200]
    assert told[-1].state is None and told[-1].null_reasons["index"] == "too_few_inputs"
    assert told[-1].missing["stablecoins_7d"] == "no_stablecoin_supply"
