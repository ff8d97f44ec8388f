"""Who is named as the origin of a window, who followed, and when clocks cannot tell."""

import pytest

from streams.core.detectors.cascade.params import CascadeParams, ScopePrior
from streams.core.detectors.moment import Share
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell
from streams.core.results import CascadeWindow, Lead
from tests.seconds import FULL, SAMPLED, Scope, cell, late

OTHER = "deribit"


def spread(*starts: tuple[str, int], known: tuple[str, ...] = (FULL, OTHER)) -> CascadeWindow:
    """A minute in which each venue sends an order a second from its start on."""
    scope = Scope(venues=known)
    for at in range(100, 160):
        scope.second(at, *(cell(venue=venue) for venue, start in starts if at >= start))
    return scope.window()


def test_the_venue_that_leads_by_more_than_the_clocks_is_the_origin() -> None:
    window = spread((FULL, 100), (OTHER, 110))
    assert (window.origin_venue, window.origin_asset) == (FULL, "BTC")
    # A second of the grid, half a second of Bybit's batches, a tenth of Deribit's clock.
    assert window.propagation == (Lead(OTHER, "BTC", 10.0, 1.6),)


def test_a_lead_inside_the_clocks_is_null_and_names_no_origin() -> None:
    window = spread((FULL, 100), (OTHER, 101))
    assert window.origin_venue is None
    assert window.propagation is not None
    assert [lead.lag_s for lead in window.propagation] == [None, None]
    assert window.null_reasons["origin_venue"] == "inside_clock_uncertainty"
    assert "propagation" not in window.null_reasons


@pytest.mark.parametrize(("start", "origin"), [(102, None), (103, FULL)])
def test_a_sampled_feed_is_a_second_less_certain(start: int, origin: str | None) -> None:
    window = spread((FULL, 100), (SAMPLED, start), known=(FULL, SAMPLED))
    assert window.origin_venue == origin


def test_followers_stand_in_the_order_in_which_they_began() -> None:
    window = spread((OTHER, 120), (FULL, 100), ("bitmex", 110), known=(FULL, OTHER, "bitmex"))
    assert window.propagation is not None
    assert [(lead.venue, lead.lag_s) for lead in window.propagation] == [
        ("bitmex", 10.0),
        (OTHER, 20.0),
    ]


def test_a_stray_order_is_not_a_venues_beginning() -> None:
    scope = Scope(venues=(FULL, OTHER))
    for at in range(100, 200):
        stray = at == 101
        cells = [cell()] + ([cell(venue=OTHER)] if stray or at >= 150 else [])
        scope.second(at, *cells)
    window = scope.window()
    assert window.origin_venue == FULL
    assert window.propagation == (Lead(OTHER, "BTC", 50.0, 1.6),)


def test_a_venue_that_never_joins_is_no_follower() -> None:
    window = spread((FULL, 100), (OTHER, 157))
    assert (window.origin_venue, window.propagation) == (FULL, ())


def test_of_one_venue_alone_nothing_is_told() -> None:
    window = spread((FULL, 100), known=(FULL,))
    assert (window.origin_venue, window.origin_asset, window.propagation) == (None, None, None)
    assert {window.null_reasons[name] for name in ("origin_venue", "propagation")} == {"one_venue"}


def test_late_orders_before_a_venues_beginning_take_its_place_from_it() -> None:
    scope = Scope(venues=(FULL, OTHER))
    for at in range(100, 160):
        cells = (cell(), cell(venue=OTHER)) if at >= 110 else (cell(),)
        scope.second(at, *cells, late=[late(101, venue=OTHER)] if at == 130 else ())
    window = scope.window()
    assert window.origin_venue is None
    assert window.null_reasons["origin_venue"] == "inside_clock_uncertainty"


def test_orders_of_the_other_side_begin_nothing() -> None:
    scope = Scope(venues=(FULL, OTHER))
    for at in range(100, 160):
        others: list[Cell] = [cell("short", venue=OTHER)] if at < 112 else [cell(venue=OTHER)]
        scope.second(at, cell(), *others)
    assert scope.window().origin_venue == FULL


MARKET = CascadeParams(market=ScopePrior(0.01, 0.01, 10**10, 10**12, 40.0))


def market(*onsets: tuple[str, PositionSide, int]) -> CascadeWindow:
    """A market's minute in which BTC is forced at Bybit and the others at Deribit."""
    scope = Scope(MARKET, "ALL", venues=(FULL, OTHER))
    for at in range(100, 160):
        shares = [Share("BTC", FULL, MICROS, 0)]
        shares += [Share(asset, OTHER, MICROS, 0) for asset in ("ETH", "SOL") if at >= 120]
        seen = tuple(one for one in onsets if one[2] <= at)
        scope.second(
            at, cell(), cell(venue=OTHER), onsets=seen, assets_known=3, shares=tuple(shares)
        )
    return scope.window()


def test_a_market_begins_in_the_asset_whose_own_machine_was_first() -> None:
    window = market(("BTC", "long", 95), ("ETH", "long", 120), ("SOL", "long", 140))
    assert window.origin_asset == "BTC"
    assert window.propagation == (
        Lead(OTHER, "ETH", 25.0, 1.6),
        Lead(OTHER, "SOL", 45.0, 1.6),
    )
    # Both venues began in the same second.
    assert window.origin_venue is None
    assert window.null_reasons["origin_venue"] == "inside_clock_uncertainty"


def test_an_onset_long_before_the_market_or_of_the_other_side_leads_nothing() -> None:
    window = market(("ETH", "long", -201), ("SOL", "short", 90), ("BTC", "long", 100))
    assert (window.origin_asset, window.propagation) == ("BTC", ())


def test_a_market_without_an_assets_onset_has_no_origin() -> None:
    window = market()
    assert (window.origin_asset, window.propagation) == (None, None)
    assert window.null_reasons["propagation"] == "no_asset_onset"
