"""Open interest of frames: when it is told, and that a price move alone is no change of it."""

import msgspec
import pytest

from streams.core.detectors.interest import SILENT_S, Cycle, turn
from streams.core.detectors.minutes import MinuteState, add, close
from streams.core.detectors.moment import Moment, Reference, contribution_of, moment_of
from streams.core.events import MICROS, Contract
from streams.core.frames import Frame, TickerState, VenueInterest
from streams.core.market_interest import SETTLE_S, MarketInterest, take
from streams.core.params import Params
from streams.core.pipeline import AssetStage
from streams.core.results import CascadeWindow, Funding, Positioning
from tests.seconds import META, THROTTLE, cell

BEGAN = 1_790_035_200
UP = ("binance-coinm", "okx")


def ticker(
    venue: str,
    contract: Contract,
    mark: float,
    at: int,
    *,
    usd: float = 0.0,
    coins: float = 0.0,
    until: str = "",
    rate: float | None = None,
    cycle: int | None = 28_800,
) -> TickerState:
    """Open interest of a contract: dollars of an inverse one, coins of a linear one."""
    inverse = contract == "inverse"
    return TickerState(
        venue,
        f"BTC-{contract}{until}",
        contract,
        mark,
        mark,
        mark,
        None if inverse else coins,
        round(usd * MICROS) if inverse else None,
        at * MICROS,
        rate,
        None,
        cycle,
        at * MICROS,
    )


def frame(at: int, *tickers: TickerState, prev: int | None = None) -> Frame:
    """A frame of second `at` after midnight."""
    second = (BEGAN + at) * MICROS
    before = None if prev is None else (BEGAN + prev) * MICROS
    return Frame(
        "BTC", 0, second, before, 1.0, UP, UP, (), (), (), (), tickers=tuple(tickers), books=()
    )


def moments(*steps: tuple[float, float, float]) -> list[Moment]:
    """Moments of (price, dollars in inverse contracts, coins in linear ones), by the second."""
    reference = Reference()
    found = []
    for at, (price, usd, coins) in enumerate(steps):
        now = BEGAN + at
        held = ticker("binance-coinm", "inverse", price, now, usd=usd)
        linear = ticker("okx", "linear", price, now, coins=coins)
        found.append(moment_of(frame(at, held, linear), reference))
    return found


def test_a_falling_price_alone_opens_no_inverse_contract() -> None:
    before, after = moments((100.0, 1_000.0, 50.0), (50.0, 1_000.0, 50.0))
    assert before.oi_volume == 60.0
    assert after.oi_volume == 60.0
    assert after.interest is not None
    coinm, okx = after.interest
    assert (coinm.oi_base, coinm.volume) == (20.0, 10.0)
    assert (okx.oi_base, okx.volume, okx.oi_volume) == (50.0, 50.0, None)


def test_contracts_closed_after_a_move_count_at_the_price_before_it() -> None:
    *_, last = moments((100.0, 1_000.0, 50.0), (80.0, 1_000.0, 50.0), (60.0, 400.0, 50.0))
    # 12.5 coins at 80, of which 60 % were closed, of 62.5 in all.
    assert last.oi_volume == pytest.approx(60.0 * (1 - 7.5 / 62.5))
    assert last.oi_usd == round(3_400 * MICROS)


def test_interest_that_came_in_a_second_without_a_frame_is_told_with_the_next() -> None:
    reference = Reference()
    moment_of(frame(0, ticker("okx", "linear", 100.0, BEGAN, coins=1.0)), reference)
    # The ticker of second 3 makes no frame of its own: nothing was traded.
    later = ticker("okx", "linear", 100.0, BEGAN + 3, coins=2.0)
    told = moment_of(frame(10, later), reference)
    assert told.interest is not None
    assert [one.oi_base for one in told.interest] == [2.0]
    assert moment_of(frame(11, later), reference).interest is None


def test_an_expired_contract_leaves_open_interest() -> None:
    reference, sums = Reference(), []
    dated = ticker("okx", "linear", 100.0, BEGAN, coins=2.0, until="-261225")
    for at in (0, *range(600, 3_601, 600), 3_601):
        lasting = ticker("okx", "linear", 100.0, BEGAN + at, coins=5.0)
        moment = moment_of(frame(at, lasting, dated), reference)
        sums.append((moment.oi_usd, moment.oi_volume))
    # The sum lets it go; nobody closed anything.
    assert sums == [(700 * MICROS, 7.0)] * 7 + [(500 * MICROS, 7.0)]


def silence(until: int, *, quiet: bool = False) -> list[Moment]:
    """Moments each minute, of OKX and of a venue that speaks for the first minute only."""
    reference, found = Reference(), []
    for at in range(0, until + 1, 60):
        lasting = ticker("okx", "linear", 100.0, BEGAN + at, coins=5.0, rate=0.0001)
        silent = ticker("bybit", "linear", 100.0, BEGAN, coins=2.0, rate=0.0008)
        now = frame(at, silent) if quiet else frame(at, lasting, silent)
        found.append(moment_of(now, reference))
    return found


def test_a_venue_leaves_ten_minutes_after_its_last_word_and_closes_nothing() -> None:
    *_, stands, left = silence(SILENT_S + 60)
    assert (stands.oi_usd, stands.oi_volume) == (700 * MICROS, 7.0)
    assert stands.funding_8h == pytest.approx((5 * 0.0001 + 2 * 0.0008) / 7)
    assert (left.oi_usd, left.oi_volume) == (500 * MICROS, 7.0)
    assert left.funding_8h == pytest.approx(0.0001)
    assert left.interest is not None
    assert [one.venue for one in left.interest] == ["okx"]


def test_of_an_asset_whose_venues_are_all_silent_nothing_is_known() -> None:
    *_, stands, left, after = silence(SILENT_S + 120, quiet=True)
    assert (stands.oi_usd, stands.interest) == (200 * MICROS, None)
    assert (left.oi_usd, left.oi_volume, left.funding_8h, left.interest) == (None, None, None, ())
    assert (after.oi_usd, after.interest) == (None, None)


def test_a_venue_that_comes_back_opens_and_closes_nothing() -> None:
    reference = Reference()
    for at in range(0, 2_401, 60):
        lasting = ticker("okx", "linear", 100.0, BEGAN + at, coins=5.0)
        # It is silent from 300 s on, and has half of its coins when it speaks at 1,800 s.
        heard = at if at < 300 or at >= 1_800 else 240
        other = ticker("bybit", "linear", 100.0, BEGAN + heard, coins=4.0 if at < 1_800 else 2.0)
        moment = moment_of(frame(at, lasting, other), reference)
        assert moment.oi_volume == 9.0
    assert moment.oi_usd == 700 * MICROS


def test_open_interest_that_is_not_asked_for_any_more_leaves_though_prices_come() -> None:
    reference = Reference()
    for at in range(0, SILENT_S + 61, 60):
        asked = msgspec.structs.replace(
            ticker("binance-usdm", "linear", 100.0, BEGAN + at, coins=2.0, rate=0.0001),
            open_interest_as_of_us=BEGAN * MICROS,
        )
        moment = moment_of(frame(at, asked), reference)
        assert (moment.oi_usd is None) == (at > SILENT_S)
    assert moment.interest is not None
    assert [(one.oi_usd, one.funding_rate) for one in moment.interest] == [(None, 0.0001)]


def test_quiet_seconds_tell_and_leave_nothing() -> None:
    reference = Reference()
    moment_of(frame(0, ticker("okx", "linear", 100.0, BEGAN, coins=5.0)), reference)
    before = msgspec.msgpack.encode(reference)
    late = ticker("okx", "linear", 100.0, BEGAN + 900, coins=9.0)
    quiet = msgspec.structs.replace(frame(900), quiet=True)
    assert moment_of(quiet, reference).oi_usd == 500 * MICROS
    assert msgspec.msgpack.encode(reference) == before
    assert moment_of(frame(901, late), reference).oi_usd == 900 * MICROS


def test_minutes_know_no_interest_once_nothing_came_for_ten_of_them() -> None:
    stage = AssetStage("BTC", Params(), META)
    rows: list[Positioning | Funding] = []
    prev: int | None = None
    for at in range(0, 3_601, 10):
        held = ticker("okx", "linear", 100.0, BEGAN + min(at, 600), coins=5e6, rate=0.0001)
        quiet = msgspec.structs.replace(frame(at, held, prev=prev), quiet=at > 600)
        given = stage.step(quiet, first=prev is None)
        assert isinstance(given, list)
        rows += [row for row in given if isinstance(row, Positioning | Funding)]
        prev = at
    whole = [row for row in rows if isinstance(row, Positioning) and row.venue is None]
    last = whole[-1]
    assert (last.oi_usd, last.quadrant) == (None, None)
    assert last.null_reasons["oi_change"] == "silent_for_600_s"
    of_venue = [row for row in rows if isinstance(row, Positioning) and row.venue == "okx"][-1]
    assert (of_venue.at // MICROS - BEGAN, of_venue.oi_usd) == (3_600, None)
    assert of_venue.null_reasons["quadrant"] == "silent_for_600_s"
    funding = [row for row in rows if isinstance(row, Funding)][-1]
    assert (funding.rate_8h, funding.null_reasons["rate_8h"]) == (None, "silent_for_600_s")


def test_open_interest_of_a_minute_stands_for_ten_of_them() -> None:
    state = MinuteState()
    add(state, Moment("BTC", BEGAN + 600, 1.0, UP, UP, oi_usd=7, oi_volume=7.0, funding_8h=0.1))
    known = []
    for _ in range(12):
        minute = close(state, "BTC", THROTTLE)
        assert (minute.oi_usd is None) == (minute.funding_8h is None) == (minute.oi_volume is None)
        known.append(minute.oi_usd is not None)
    assert known == [True] * 10 + [False] * 2


def test_a_cycle_that_nobody_knows_has_no_part_in_the_funding_of_a_moment() -> None:
    reference = Reference()
    told = ticker("okx", "linear", 100.0, BEGAN, coins=5.0, rate=0.0001)
    untold = ticker("bybit", "linear", 100.0, BEGAN, coins=5.0, rate=0.0001, cycle=None)
    assert moment_of(frame(0, told, untold), reference).funding_8h == pytest.approx(0.0001)
    only = msgspec.structs.replace(untold, as_of_us=(BEGAN + 1) * MICROS)
    assert moment_of(frame(1, only), reference).funding_8h is None


def test_a_cycle_seen_between_two_due_times_counts_in_moments_too() -> None:
    reference = Reference()
    rates = []
    for at, due in ((0, 600), (700, 600 + 4 * 3_600)):
        now = ticker("bybit", "linear", 100.0, BEGAN + at, coins=5.0, rate=0.0001, cycle=None)
        dated = msgspec.structs.replace(now, next_funding_us=(BEGAN + due) * MICROS)
        moment = moment_of(frame(at, dated), reference)
        rates.append(moment.funding_8h)
    assert rates == [None, pytest.approx(0.0002)]
    assert moment.interest is not None
    assert moment.interest[0].funding_interval_s == 4 * 3_600


def test_due_times_on_both_sides_of_a_gap_are_no_cycle() -> None:
    cycles: dict[str, Cycle] = {}
    for at, due in ((0, 4), (36_000, 12)):
        due_us = due * 3_600 * MICROS
        turn(cycles, VenueInterest("okx", None, None, 0.0001, None, due_us), at)
    assert cycles["okx"].seen_s is None


def test_a_contract_listed_later_opens_only_what_it_opens() -> None:
    reference, volumes = Reference(), []
    for at, coins in enumerate((None, 0.0, 1.0, 5.0)):
        listed = [ticker("okx", "linear", 100.0, BEGAN + at, coins=10.0)]
        if coins is not None:
            listed.append(ticker("okx", "linear", 100.0, BEGAN + at, coins=coins, until="-270326"))
        volumes.append(moment_of(frame(at, *listed), reference).oi_volume)
    assert volumes == [10.0, 10.0, pytest.approx(11.0), pytest.approx(15.0)]


def test_neither_an_asset_nor_the_market_reads_a_price_move_as_positions() -> None:
    market = MarketInterest()
    reference = Reference()
    for at, price in ((0, 100.0), (SETTLE_S, 100.0), (SETTLE_S + 60, 75.0)):
        held = ticker("binance-coinm", "inverse", price, BEGAN + at, usd=1_000.0)
        moment = moment_of(frame(at, held), reference)
        assert moment.oi_volume == pytest.approx(10.0)
        take(market, [contribution_of(frame(at, held), moment, ())], at)
    assert market.every.volume == pytest.approx(1.0)


def test_a_venue_of_inverse_contracts_is_flat_while_only_the_price_moves() -> None:
    stage = AssetStage("BTC", Params(), META)
    rows: list[Positioning] = []
    prev: int | None = None
    for at in range(0, 7_261, 60):
        price = 100.0 if at < 3_600 else 90.0
        held = ticker("binance-coinm", "inverse", price, BEGAN + at, usd=100_000_000.0)
        linear = ticker("okx", "linear", price, BEGAN + at, coins=1_000.0)
        given = stage.step(frame(at, held, linear, prev=prev), first=prev is None)
        assert isinstance(given, list)
        rows += [row for row in given if isinstance(row, Positioning)]
        prev = at
    quarter = [row for row in rows if row.window_s == 900 and row.venue == "binance-coinm"]
    moved = [row for row in quarter if row.price_change is not None and row.price_change < 0]
    assert moved
    assert [row.oi_change for row in moved] == [pytest.approx(0.0, abs=1e-12)] * len(moved)
    assert {row.quadrant for row in moved} == {"flat"}
    told = {row.price: row.oi_base for row in quarter}
    assert told[100.0] == pytest.approx(1_000_000.0)
    assert told[90.0] == pytest.approx(1_111_111.1, rel=1e-6)


def test_a_venue_that_falls_silent_in_a_cascade_deleverages_nobody() -> None:
    stage = AssetStage("BTC", Params(), META)
    rows: list[CascadeWindow] = []
    prev: int | None = None
    forced = msgspec.structs.replace(cell(usd=500_000.0), venue="okx")
    for at in range(4_200):
        if at % 10 and at < 4_000:
            continue
        okx = ticker("okx", "linear", 100.0, BEGAN + at, coins=1e6)
        # Bybit's last word is 10 minutes before the middle of the burst.
        bybit = ticker("bybit", "linear", 100.0, BEGAN + min(at, 3_440), coins=1e6)
        cells = (forced,) if at >= 4_000 else ()
        given = stage.step(
            msgspec.structs.replace(frame(at, okx, bybit, prev=prev), cells=cells),
            first=prev is None,
        )
        assert isinstance(given, list)
        rows += [row for row in given if isinstance(row, CascadeWindow)]
        prev = at
    assert rows[-1].onset is not None and rows[-1].onset < (BEGAN + 4_041) * MICROS
    assert rows[-1].oi_change == 0.0
    assert rows[-1].gates["deleveraging"].state == "unknown"
