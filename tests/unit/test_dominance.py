"""Derivatives dominance, on minutes and seconds built by hand."""

from math import exp

import msgspec
import pytest

from streams.core.detectors.dominance.detector import DominanceDetector, Trends, state_of
from streams.core.detectors.dominance.lead import Lead, Returns
from streams.core.detectors.dominance.params import DominanceParams
from streams.core.detectors.dominance.volumes import Day, Slice, Window, silent, trend
from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS
from streams.core.frames import MacroValue, Market, VenueInterest, VenueTrades
from streams.core.results import Dominance
from streams.core.rowmeta import RowMeta

DAY0 = 1_790_035_200
"""A midnight (UTC)."""
PARAMS = DominanceParams()
META = RowMeta("test", "test", 0)
DOLLARS = {"binance-usdm/derivative": 6, "bybit/derivative": 3, "binance-spot/spot": 3}
"""Million USD a minute by member: a share of three quarters."""


def minute(
    start: int,
    dollars: dict[str, int] | None = None,
    oi: int | None = None,
    cap: float | None = None,
    scope: str = "BTC",
) -> Minute:
    """A minute with volumes in million USD by member, half of it bought."""
    trades = []
    for name, millions in sorted((DOLLARS if dollars is None else dollars).items()):
        venue, market = name.split("/")
        side = millions * MICROS * MICROS // 2
        kind: Market = "spot" if market == "spot" else "derivative"
        trades.append(VenueTrades(venue, kind, side, side))
    series = "total_market_cap" if scope == "ALL" else "market_cap"
    macro = {} if cap is None else {series: MacroValue(series, cap, start * MICROS)}
    interest = (
        ()
        if oi is None
        else (
            VenueInterest("binance-usdm", oi * MICROS, None, None, None, None),
            VenueInterest("hyperliquid", oi * MICROS, None, None, None, None),
        )
    )
    return Minute(
        scope,
        start,
        1.0,
        ("bybit",),
        ("bybit",),
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        interest,
        (),
        tuple(trades),
        (),
        (),
        (),
        macro,
    )


class Scope:
    """A detector on minutes; keeps the last row of each window."""

    def __init__(self, scope: str = "BTC") -> None:
        self.scope = scope
        self.detector = DominanceDetector(scope, PARAMS, META)
        self.last: dict[int, Dominance] = {}
        self.counts: dict[int, int] = {}

    def minutes(
        self,
        begin: int,
        number: int,
        dollars: dict[str, int] | None = None,
        oi: int | None = None,
        cap: float | None = None,
    ) -> None:
        for index in range(number):
            closed = minute(begin + 60 * index, dollars, oi, cap, self.scope)
            for row in self.detector.minute(closed, Readings()):
                assert isinstance(row, Dominance)
                nulls = {name for name in row.__struct_fields__ if getattr(row, name) is None}
                assert nulls == row.null_reasons.keys()
                self.last[row.window_s] = row
                self.counts[row.window_s] = self.counts.get(row.window_s, 0) + 1


def test_share_and_ratio_are_those_of_the_last_sixty_minutes() -> None:
    scope = Scope()
    scope.minutes(DAY0, 60, dict.fromkeys(DOLLARS, 9))
    scope.minutes(DAY0 + 3600, 60)
    row = scope.last[3600]
    assert row.derivatives_usd == 60 * 9 * MICROS * MICROS
    assert row.spot_usd == 60 * 3 * MICROS * MICROS
    assert (row.share, row.ratio) == (0.75, 3.0)
    assert row.state == "mixed"
    assert row.basket == "binance+bybit+okx/2026-11-22"
    assert row.basket_coverage == pytest.approx(3 / 7)


def test_venues_outside_the_basket_do_not_count() -> None:
    scope = Scope()
    scope.minutes(DAY0, 60, {**DOLLARS, "hyperliquid/derivative": 100})
    assert scope.last[3600].share == 0.75


def test_a_window_barely_observed_has_no_share_yet() -> None:
    scope = Scope()
    scope.minutes(DAY0, 30)
    row = scope.last[3600]
    assert row.share is None and row.null_reasons["share"] == "window_not_covered"
    assert row.null_reasons["state"] == "window_not_covered"


def test_no_spot_trades_leave_the_share_unknown_not_one() -> None:
    scope = Scope()
    scope.minutes(DAY0, 60, {"bybit/derivative": 3})
    row = scope.last[3600]
    assert row.spot_usd is None and row.share is None
    assert row.null_reasons["share"] == row.null_reasons["spot_usd"] == "no_spot_trades"


def test_a_silent_heavy_member_leaves_the_share_unknown() -> None:
    scope = Scope()
    scope.minutes(DAY0, 24 * 60, {**DOLLARS, "okx/spot": 3})
    scope.minutes(DAY0 + 86_400, 60, {**DOLLARS, "okx/spot": 0})
    row = scope.last[3600]
    assert row.share is None and row.null_reasons["share"] == "basket_member_silent"
    assert row.spot_usd == 60 * 3 * MICROS * MICROS


def test_a_heavy_member_lost_within_the_hour_leaves_the_share_unknown_at_once() -> None:
    scope = Scope()
    scope.minutes(DAY0, 120)
    left = {name: usd for name, usd in DOLLARS.items() if name != "binance-spot/spot"}
    scope.minutes(DAY0 + 7200, 9, left)
    assert scope.last[3600].ratio is not None, "nine quiet minutes may be nothing"
    scope.minutes(DAY0 + 7740, 1, left)
    assert scope.last[3600].ratio is None
    assert scope.last[3600].null_reasons["share"] == "basket_member_silent"
    scope.minutes(DAY0 + 7800, 40)
    assert scope.last[3600].ratio is None, "the hour still lacks ten of its minutes"
    scope.minutes(DAY0 + 10_200, 20)
    assert scope.last[3600].ratio == 3.0


def test_a_member_that_trades_now_and_then_is_not_missed_in_between() -> None:
    scope = Scope()
    rest = {name: usd for name, usd in DOLLARS.items() if name != "binance-spot/spot"}
    for at in range(0, 180, 15):
        scope.minutes(DAY0 + at * 60, 1)
        scope.minutes(DAY0 + at * 60 + 60, 14, rest)
    assert scope.last[3600].share is not None


def test_a_silent_member_that_hardly_trades_does_no_harm() -> None:
    heard = (True, True, True, True, True, False, True)
    window = Window(60, (1, 30, 99, 20, 40, 0, 20), heard, Lead())
    week = Window(60, (1, 30, 99, 20, 40, 3, 20), heard, Lead())
    assert not silent(window, week, PARAMS)
    assert silent(window, Window(60, (1, 30, 99, 20, 40, 30, 20), heard, Lead()), PARAMS)


def test_long_windows_are_told_at_the_turn_of_an_hour_over_whole_hours() -> None:
    scope = Scope()
    scope.minutes(DAY0, 26 * 60 + 30)
    assert scope.counts == {3600: 26 * 60 + 30, 86_400: 26, 604_800: 26}
    row = scope.last[86_400]
    assert row.at == (DAY0 + 26 * 3600) * MICROS
    assert row.derivatives_usd == 1440 * 9 * MICROS * MICROS
    assert row.share == 0.75
    assert scope.last[604_800].null_reasons["share"] == "window_not_covered"


def test_a_gap_of_months_leaves_nothing_of_the_old_windows() -> None:
    scope = Scope()
    scope.minutes(DAY0, 24 * 60, {"bybit/derivative": 100, "okx/spot": 1})
    scope.minutes(DAY0 + 100 * 86_400, 60)
    row = scope.last[86_400]
    assert row.derivatives_usd == 60 * 9 * MICROS * MICROS
    assert row.null_reasons["share"] == "window_not_covered"
    assert scope.last[3600].share == 0.75


def test_open_interest_is_the_baskets_over_the_average_day_of_spot() -> None:
    scope = Scope()
    scope.minutes(DAY0, 24 * 60, oi=8_640_000_000, cap=1e12)
    row = scope.last[604_800]
    # Spot: 3 million a minute is 4.32 billion a day; Hyperliquid's interest is not counted.
    assert row.oi_spot_adv == pytest.approx(2.0)
    assert row.oi_market_cap == pytest.approx(0.00864)


def test_the_market_reads_the_market_wide_capitalisation() -> None:
    scope = Scope("ALL")
    scope.minutes(DAY0, 60, oi=8_640_000_000, cap=4e12)
    assert scope.last[3600].oi_market_cap == pytest.approx(0.00216)


def test_an_old_market_cap_is_not_known_any_more() -> None:
    scope = Scope()
    old = minute(DAY0, oi=1, cap=1e12)
    macro = {"market_cap": MacroValue("market_cap", 1e12, (DAY0 - 4 * 86_400) * MICROS)}
    (row,) = scope.detector.minute(msgspec.structs.replace(old, macro=macro), Readings())
    assert isinstance(row, Dominance)
    assert row.null_reasons["oi_market_cap"] == "stale_market_cap"


def test_derivatives_lead_only_if_they_move_first_too() -> None:
    assert state_of(1.9, None, PARAMS) == "spot_led"
    assert state_of(4.0, None, PARAMS) == "mixed"
    assert state_of(4.1, None, PARAMS) is None
    assert state_of(4.1, 0.6, PARAMS) == "mixed"
    assert state_of(4.1, 0.61, PARAMS) == "derivatives_led"


def moves(seed: int, number: int) -> list[float]:
    """Log moves of about a basis point without memory (a multiplicative generator)."""
    state, found = seed, []
    for _ in range(number):
        state = state * 48_271 % 2_147_483_647
        found.append((state / 2_147_483_647 - 0.5) * 2e-4)
    return found


def lead_of(derivatives: list[float], spot: list[float]) -> Lead:
    """Prices from moves, second by second, closed each minute."""
    total, returns, one, other = Lead(), Returns(), 100.0, 100.0
    for second, (move, spot_move) in enumerate(zip(derivatives, spot, strict=True)):
        if second and second % 60 == 0:
            total.add(returns.close(PARAMS))
        one, other = one * exp(move), other * exp(spot_move)
        returns.add(second, one, other, PARAMS)
    return total


def test_spot_that_follows_a_second_later_is_led() -> None:
    first = moves(7, 3600)
    lead = lead_of(first, [0.0, *first[:-1]])
    share = lead.share(PARAMS)
    assert share is not None and share > 0.95
    mirrored = lead_of([0.0, *first[:-1]], first).share(PARAMS)
    assert mirrored is not None and mirrored < 0.05


def test_markets_that_move_together_or_apart_have_no_leader() -> None:
    first = moves(7, 3600)
    assert lead_of(first, first).share(PARAMS) is None
    assert lead_of(first, moves(11, 3600)).share(PARAMS) is None


def test_sparse_spot_trades_do_not_make_derivatives_lead() -> None:
    first, total, returns, price = moves(7, 7200), Lead(), Returns(), 100.0
    for second, move in enumerate(first):
        if second and second % 60 == 0:
            total.add(returns.close(PARAMS))
        price *= exp(move)
        returns.add(second, price, price if second % 3 else None, PARAMS)
    assert total.minutes == 0 or total.share(PARAMS) is None


def test_a_trend_is_the_change_along_the_line_and_needs_two_thirds_of_its_days() -> None:
    line = [(day, 0.6 + 0.001 * day) for day in range(90)]
    assert trend(line, 90, 2 / 3) == pytest.approx(0.09)
    assert trend(line[:59], 90, 2 / 3) is None
    assert trend(line[:60], 90, 2 / 3) == pytest.approx(0.09)


def test_a_trend_compares_only_days_with_the_same_members() -> None:
    first = DAY0 // 86_400
    members = sum(1 << index for index, name in enumerate(PARAMS.members) if name in DOLLARS)
    past = [Day(first - 61 + index, 0.689 + 0.001 * index, members) for index in range(61)]
    kept = {"trends": msgspec.msgpack.encode(Trends(1, past))}
    same, other = Scope(), Scope()
    for scope, dollars in ((same, DOLLARS), (other, {**DOLLARS, "okx/derivative": 5})):
        scope.detector.restore(kept)
        scope.minutes(DAY0, 24 * 60, dollars)
    # The day's share of 0.75 lies on the line of the days before it: 0.001 a day.
    assert same.last[3600].trend_90d == pytest.approx(0.09, abs=1e-9)
    row = other.last[3600]
    assert row.trend_90d is None and row.null_reasons["trend_90d"] == "history_below_60_days"


def test_a_detector_restored_from_its_parts_goes_on_the_same() -> None:
    one, other = Scope(), Scope()
    one.minutes(DAY0, 1500, oi=1_000_000, cap=1e12)
    other.detector.restore({part.name: part.encode() for part in one.detector.parts()})
    for scope in (one, other):
        scope.last = {}
        scope.minutes(DAY0 + 1500 * 60, 1500, oi=1_000_000, cap=1e12)
    assert one.last == other.last
    assert [p.encode() for p in one.detector.parts()] == [
        p.encode() for p in other.detector.parts()
    ]


def test_sums_of_extreme_dollars_stay_within_int64() -> None:
    scope = Scope()
    huge = 9 * 10**6
    scope.minutes(DAY0, 180, {"bybit/derivative": huge, "okx/spot": huge}, oi=9 * 10**12, cap=1e-9)
    row = scope.last[3600]
    assert row.derivatives_usd is not None and row.derivatives_usd < 2**63
    assert row.share == pytest.approx(0.5)
    for part in scope.detector.parts():
        part.encode()
    assert Slice(0).usd == ()
