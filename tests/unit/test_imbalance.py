"""Imbalance: dollars by side over exact windows, measured against what is natural for the feeds."""

from math import log

import pytest

from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.events import MICROS
from tests.imbalance_scope import BINANCE, BYBIT, DAY, MIDNIGHT, Scope, forced


def test_four_longs_for_one_short_are_measured_as_the_definition_says() -> None:
    scope = Scope(ImbalanceParams(kappa_prior_usd={"BTC": 10_000 * MICROS}))
    scope.quiet(0, 4)
    scope.minute(4, forced("long", 40_000.0, 4), forced("short", 10_000.0, 1))
    row = scope.last(300)
    assert (row.long_usd, row.short_usd, row.events) == (40_000 * MICROS, 10_000 * MICROS, 5)
    assert row.n_eff == pytest.approx(5.0)
    assert row.long_share == pytest.approx(0.8)
    assert row.lsi == pytest.approx(30 / 60)
    assert row.lsi_adjusted == pytest.approx(log(45.5 / 14.5) - log(0.55 / 0.45))
    assert row.z == pytest.approx((0.8 - 0.55) / (0.55 * 0.45 / 5) ** 0.5)
    assert (row.neutral_share, row.kappa_usd) == (0.55, 10_000 * MICROS)
    assert (row.dominant, row.label) == (None, "two_sided")


def test_one_large_order_among_small_ones_counts_as_little_more_than_one() -> None:
    scope = Scope()
    scope.minute(4, forced("long", 90_000.0, 1), forced("short", 10_000.0, 10))
    assert scope.last(300).n_eff == pytest.approx(100_000**2 / (90_000**2 + 10 * 1_000**2))


def test_a_natural_share_is_no_imbalance_however_thin_the_window() -> None:
    scope = Scope()
    scope.minute(4, forced("long", 55.0, 11), forced("short", 45.0, 9))
    assert scope.last(300).lsi_adjusted == pytest.approx(0.0)
    assert scope.last(300).z == pytest.approx(0.0)


def test_kappa_keeps_a_single_small_order_from_looking_one_sided() -> None:
    scope = Scope()
    scope.minute(4, forced("long", 100.0))
    thin = scope.last(300).lsi_adjusted
    scope.minute(5, forced("long", 10_000_000.0))
    thick = scope.last(300).lsi_adjusted
    assert thin is not None and 0 < thin < 0.05
    assert thick is not None and thick > 5


def test_windows_end_exactly_with_the_minute() -> None:
    scope = Scope()
    scope.minute(0, forced("long", 1.0))
    for at in range(1, 1441):
        scope.minute(at)
        assert (scope.last(300).events == 1) == (at <= 4)
        assert (scope.last(3600).events == 1) == (at <= 59)
    told = [row.at for row in scope.rows if row.window_s == DAY and row.events]
    assert told[0] == (MIDNIGHT + 300) * MICROS
    assert told[-1] == (MIDNIGHT + DAY) * MICROS


def test_the_day_is_told_each_fifth_minute() -> None:
    scope = Scope()
    scope.quiet(0, 20)
    ends = [row.at // MICROS - MIDNIGHT for row in scope.rows if row.window_s == DAY]
    assert ends == [300, 600, 900, 1200]


def test_windows_hold_what_their_minutes_held_whatever_the_offset() -> None:
    scope = Scope()
    for at in range(200):
        scope.minute(at, forced("long" if at % 3 else "short", at + 1.0))
        for window, span in ((300, 5), (3600, 60), (DAY, 1440)):
            if window == DAY and at < 4:
                continue
            row = scope.last(window)
            if row.at // MICROS != MIDNIGHT + (at + 1) * 60:
                continue
            inside = range(max(0, at + 1 - span), at + 1)
            longs = sum(minute + 1 for minute in inside if minute % 3)
            shorts = sum(minute + 1 for minute in inside if not minute % 3)
            assert (row.long_usd, row.short_usd) == (longs * MICROS, shorts * MICROS)


def test_a_gap_empties_the_windows_by_time() -> None:
    scope = Scope()
    scope.minute(2, forced("long", 7.0))
    scope.minute(64)
    assert (scope.last(300).events, scope.last(3600).events, scope.last(DAY).events) == (0, 0, 1)
    scope.minute(2 * 1440 + 4)
    assert scope.last(DAY).events == 0
    scope.minute(400 * 1440 + 4, forced("short", 3.0))
    assert scope.last(DAY).short_usd == 3 * MICROS


def test_coverage_is_the_mean_over_the_window_and_time_unseen_counts_as_none() -> None:
    scope = Scope(venues=(BYBIT, BINANCE))
    scope.quiet(0, 3)
    scope.minute(3, up=(BYBIT,))
    scope.minute(4, up=())
    assert scope.last(300).coverage == pytest.approx(3.5 / 5)
    assert scope.last(3600).coverage == pytest.approx(3.5 / 60)


def test_dollars_are_corrected_and_the_label_of_the_correction_stands() -> None:
    scope = Scope()
    scope.minute(4, forced("long", 100.0, estimated=250.0, identifiability="saturated"))
    row = scope.last(300)
    assert (row.long_observed, row.long_usd) == (100 * MICROS, 250 * MICROS)
    assert row.identifiability == "saturated"


def test_what_cannot_be_corrected_is_null_with_its_reason() -> None:
    scope = Scope()
    scope.minute(4, forced("long", 100.0, identifiability="unknown", known=False))
    row = scope.last(300)
    assert (row.long_observed, row.long_usd, row.lsi, row.label) == (100 * MICROS, None, None, None)
    assert row.null_reasons["lsi"] == "partial_feed"


def test_a_window_without_forced_orders_has_no_share() -> None:
    scope = Scope()
    scope.minute(4)
    row = scope.last(300)
    assert (row.long_share, row.lsi, row.z, row.label) == (None, None, None, None)
    assert row.null_reasons["lsi"] == row.null_reasons["label"] == "no_forced_orders"


def test_a_venue_has_rows_only_when_its_orders_in_the_window_changed() -> None:
    scope = Scope(venues=(BYBIT, BINANCE))
    scope.minute(0, forced("long", 5.0), forced("short", 3.0, venue=BINANCE))
    scope.quiet(1, 3)
    scope.minute(3, forced("long", 2.0))
    scope.quiet(4, 12)
    told = [
        ((row.at // MICROS - MIDNIGHT) // 60, row.venue, row.long_usd, row.short_usd)
        for row in scope.rows
        if row.window_s == 300 and row.venue is not None
    ]
    assert told == [
        (1, BINANCE, 0, 3 * MICROS),
        (1, BYBIT, 5 * MICROS, 0),
        (4, BYBIT, 7 * MICROS, 0),
        (6, BYBIT, 2 * MICROS, 0),
    ]


def test_late_orders_count_in_the_minute_they_belong_to() -> None:
    scope = Scope()
    scope.minute(0, forced("long", 1.0))
    scope.quiet(1, 20)
    scope.late(1_215, of=30)
    scope.late(1_216, of=1_201, usd=7.0)
    scope.minute(20)
    assert scope.last(300).long_observed == 7 * MICROS
    assert scope.last(3600).long_observed == 508 * MICROS
    scope.quiet(21, 25)
    assert scope.last(DAY).long_observed == 508 * MICROS
    scope.quiet(25, 65)
    assert scope.last(3600).long_observed == 7 * MICROS
    assert scope.last(DAY).long_observed == 508 * MICROS


def test_late_orders_older_than_a_day_are_left_out() -> None:
    scope = Scope()
    scope.minute(1445)
    scope.late(1446 * 60, of=100)
    scope.quiet(1446, 1450)
    assert scope.last(DAY).events == 0


def test_kappa_becomes_the_median_of_five_minutes_that_were_not_empty() -> None:
    scope = Scope()
    for at in range(0, 3 * 1440, 5):
        orders = (forced("long", 2_000.0),) if at % 10 else ()
        scope.minute(at, *orders)
        for rest in range(at + 1, at + 5):
            scope.minute(rest)
    kappa = scope.last(300).kappa_usd / MICROS
    assert 2_000 / 1.26 < kappa < 2_000 * 1.26


def test_the_natural_share_moves_slowly_towards_the_scopes_own() -> None:
    scope = Scope()
    for at in range(30 * 24):
        scope.minute(60 * at, forced("long", 900.0), forced("short", 100.0))
    assert scope.last(300).neutral_share == pytest.approx((29 * 0.9 + 30 * 0.55) / 59, abs=0.01)


def test_one_outsized_day_hardly_moves_the_natural_share() -> None:
    calm, wild = Scope(), Scope()
    for at in range(10 * 24):
        calm.minute(60 * at, forced("long", 550.0), forced("short", 450.0))
        extra = (forced("short", 10_000_000.0),) if at == 24 else ()
        wild.minute(60 * at, forced("long", 550.0), forced("short", 450.0), *extra)
    assert calm.last(300).neutral_share == pytest.approx(0.55)
    assert wild.last(300).neutral_share > 0.53


def test_a_new_venue_makes_the_past_another_basket() -> None:
    scope = Scope(ImbalanceParams(least_history_days=2))
    for at in range(2 * 1440 + 1):
        scope.minute(at, *((forced("long", 1_000.0),) if not at % 5 else ()))
    row = scope.last(300)
    assert (row.history_days, row.total_percentile) == (2, 0.5)
    scope.venues = (BINANCE, BYBIT)
    scope.minute(2 * 1440 + 1, forced("long", 1_000.0))
    row = scope.last(300)
    assert (row.history_days, row.total_percentile, row.neutral_share) == (0, None, 0.55)
    assert row.null_reasons["total_percentile"] == "history_below_2_days"
    own = scope.last(300, BYBIT)
    assert own.history_days == 2
    assert own.total_percentile is not None


def test_a_total_is_ranked_among_its_own_windows() -> None:
    scope = Scope(ImbalanceParams(least_history_days=1))
    for at in range(3 * 1440):
        usd = 10.0 ** (at // 5 % 4)
        scope.minute(at, *(() if at % 5 else (forced("long", usd),)))
    ranks = []
    for step in range(4):
        at = 3 * 1440 + 100 * (step + 1)
        scope.minute(at, forced("long", 10.0**step))
        ranks.append(scope.last(300).total_percentile)
    assert ranks == pytest.approx([0.125, 0.375, 0.625, 0.875], abs=0.01)
