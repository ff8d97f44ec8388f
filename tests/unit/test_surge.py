"""A cascade that flares inside a smouldering burst is a window of its own."""

import pytest

from streams.core.frames import LateCell
from streams.core.results import CascadeWindow
from tests.seconds import Scope, cell, late, since_start


def flared() -> tuple[Scope, dict[int | None, CascadeWindow]]:
    """Ten minutes of small orders, then $4M in a minute, then silence.

    The least dollars are $3M in 60 s: 10 s stand above a quarter of that rate from second 601 on.
    """
    scope = Scope()
    for at in range(0, 600, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(600, 660):
        scope.second(at, cell(usd=66_000.0, n=2), price=100.0 - (at - 600) / 60)
    scope.second(8_000, price=99.0)
    last = {row.id: row for row in scope.rows}
    return scope, {since_start(row.onset): row for row in last.values()}


def test_the_cascade_begins_with_its_flare_and_the_burst_ends_before_it() -> None:
    _, windows = flared()
    assert set(windows) == {0, 601}
    burst, cascade = windows[0], windows[601]
    assert (burst.window_class, cascade.window_class) == ("burst", "cascade")
    assert since_start(burst.end) == 600
    assert since_start(cascade.end) == 659
    assert cascade.parent_id == burst.id
    assert burst.closed_at == cascade.detected_at


def test_every_order_is_in_one_of_the_two() -> None:
    _, windows = flared()
    assert windows[0].events == 302
    assert windows[0].usd_observed == (300 * 1_000 + 66_000) * 10**6
    assert windows[601].events == 118
    assert windows[601].usd_observed == 59 * 66_000 * 10**6


def test_the_price_of_the_cascade_is_that_of_its_own_onset() -> None:
    _, windows = flared()
    assert windows[601].price_onset == 100.0 - 1 / 60
    assert windows[601].impact_bp is not None
    assert windows[601].impact_bp < -90


def test_revisions_of_the_burst_go_on_when_it_loses_its_flare() -> None:
    scope, windows = flared()
    rows = [row for row in scope.rows if row.id == windows[0].id]
    assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
    assert max(row.events for row in rows) > rows[-1].events


def test_a_flare_right_after_the_onset_stays_in_its_window() -> None:
    scope = Scope()
    for at in range(0, 40, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(40, 100):
        scope.second(at, cell(usd=66_000.0, n=2), price=99.0)
    scope.second(8_000, price=99.0)
    assert {since_start(row.onset) for row in scope.rows} == {0}


def test_a_late_order_of_the_burst_that_comes_during_the_flare_is_the_burst_s() -> None:
    scope = Scope()
    for at in range(0, 600, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(600, 660):
        tardy = (late(500, usd=7_000.0),) if at == 620 else ()
        scope.second(at, cell(usd=66_000.0, n=2), price=99.0, late=tardy)
    scope.second(8_000, price=99.0)
    last = {since_start(row.onset): row for row in scope.rows}
    assert last[0].usd_late == 7_000 * 10**6
    assert last[601].usd_late == 0


def test_a_cascade_ends_when_its_dollars_have_sunk_however_many_small_orders_follow() -> None:
    scope = Scope()
    for at in range(60):
        scope.second(at, cell(usd=66_000.0, n=2), price=100.0 - at / 60)
    for at in range(60, 900):
        scope.second(at, cell(usd=500.0), price=99.0)
    first = min((row for row in scope.rows if row.end is not None), key=lambda row: row.onset)
    assert first.window_class == "cascade"
    assert since_start(first.closed_at) is not None
    assert 340 <= (since_start(first.closed_at) or 0) <= 430


def test_an_alarm_that_only_the_flare_raises_parts_from_what_came_before() -> None:
    scope = Scope()
    for at in range(0, 200, 10):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    scope.second(200, cell(usd=4_000_000.0, n=20), price=99.0)
    scope.second(8_000, price=99.0)
    last = {since_start(row.onset): row for row in scope.rows}
    assert set(last) == {0, 200}
    assert last[0].events == 20
    assert last[0].window_class == "burst"
    assert last[200].window_class == "cascade"


def smouldering(**at_second: LateCell) -> dict[int | None, CascadeWindow]:
    """Ten minutes of small orders and a flare, with late cells that come in given seconds."""
    scope = Scope()
    for at in range(0, 600, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(600, 660):
        tardy = [one for name, one in at_second.items() if name == f"at_{at}"]
        scope.second(at, cell(usd=66_000.0, n=2), price=99.0, late=tardy)
    scope.second(8_000, price=99.0)
    return {since_start(row.onset): row for row in scope.rows}


def test_a_late_order_that_comes_with_the_flare_s_first_second_counts_once() -> None:
    last = smouldering(at_601=late(500, usd=7_000.0))
    assert (last[0].usd_late, last[0].events) == (7_000 * 10**6, 303)
    assert last[601].usd_late == 0


@pytest.mark.parametrize("comes", [605, 650], ids=["before the parting", "after it"])
def test_a_late_order_between_the_burst_and_its_flare_is_the_burst_s(comes: int) -> None:
    scope = Scope()
    for at in range(0, 600, 3):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(600, 660):
        tardy = (late(599, usd=7_000.0),) if at == comes else ()
        scope.second(at, cell(usd=140_000.0, n=2), price=99.0, late=tardy)
    scope.second(8_000, price=99.0)
    last = {since_start(row.onset): row for row in scope.rows}
    assert set(last) == {0, 600}
    assert 605 <= (since_start(last[0].closed_at) or 0) < 650
    assert (last[0].usd_late, since_start(last[0].end)) == (7_000 * 10**6, 599)
    assert last[600].usd_late == 0


def test_the_other_side_between_the_burst_and_its_flare_is_within_the_burst() -> None:
    scope = Scope()
    for at in range(0, 600, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    scope.second(630, cell("short", usd=5_000_000.0), price=100.0)
    for at in range(640, 700):
        scope.second(at, cell(usd=140_000.0, n=2), price=99.0)
    scope.second(8_000, price=99.0)
    longs = {since_start(row.onset): row for row in scope.rows if row.side == "long"}
    assert set(longs) == {0, 640}
    assert since_start(longs[0].end) == 639
    assert longs[0].share_long == 300_000 / 5_300_000
    assert longs[640].share_long == 1.0


def test_orders_of_a_gap_before_the_flare_are_the_burst_s() -> None:
    scope = Scope()
    for at in range(0, 600, 2):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in (700, 740, 780):
        scope.second(at, cell(usd=1_000.0), price=100.0)
    for at in range(820, 880):
        scope.second(at, cell(usd=140_000.0, n=2), price=99.0)
    scope.second(8_000, price=99.0)
    last = {since_start(row.onset): row for row in scope.rows}
    assert set(last) == {0, 820}
    assert (last[0].events, last[0].usd_observed) == (303, 303_000 * 10**6)
    assert last[820].usd_observed == 60 * 140_000 * 10**6


def test_ordinary_rates_learn_neither_from_the_flare_nor_from_what_came_before() -> None:
    def learnt(flare: bool) -> float:
        scope = Scope()
        for at in range(2_400):
            scope.second(at, cell(usd=1_000.0))
        for at in range(2_400, 2_460):
            scope.second(at, cell(usd=140_000.0 if flare else 1_000.0))
        scope.second(9_000)
        return scope.state.sides["long"].rates["bybit"].counts

    assert learnt(flare=True) == learnt(flare=False)


def test_a_flare_qualifies_by_the_whole_minute_before_it_was_seen() -> None:
    scope = Scope()
    for at in range(600):
        scope.second(at, cell(usd=11_000.0), price=100.0)
    for at in range(600, 606):
        scope.second(at, cell(usd=420_000.0, n=2), price=99.0)
    scope.second(8_000, price=99.0)
    last = {since_start(row.onset): row for row in scope.rows}
    assert "cascade" in {row.window_class for row in last.values()}
