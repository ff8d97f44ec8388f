"""Open interest of frames: when it is told, and that a price move alone is no change of it."""

import pytest

from streams.core.detectors.levels import Coins
from streams.core.detectors.moment import Moment, Reference, contribution_of, moment_of
from streams.core.events import MICROS, Contract
from streams.core.frames import Frame, TickerState
from streams.core.market_interest import SETTLE_S, MarketInterest, take
from streams.core.params import Params
from streams.core.pipeline import AssetStage
from streams.core.results import Positioning
from tests.seconds import META

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
        None,
        None,
        None,
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
    assert before.oi_base == 60.0
    assert after.oi_base == 60.0
    assert after.interest is not None
    coinm, okx = after.interest
    assert (coinm.oi_base, coinm.volume) == (20.0, 10.0)
    assert (okx.oi_base, okx.volume, okx.oi_volume) == (50.0, 50.0, None)


def test_contracts_closed_after_a_move_count_at_their_share() -> None:
    *_, last = moments((100.0, 1_000.0, 50.0), (80.0, 1_000.0, 50.0), (60.0, 400.0, 50.0))
    assert last.oi_base == pytest.approx(54.0)
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
    for at in (0, 3_600, 3_601):
        lasting = ticker("okx", "linear", 100.0, BEGAN + at, coins=5.0)
        moment = moment_of(frame(at, lasting, dated), reference)
        sums.append((moment.oi_base, moment.oi_usd))
    assert sums == [(7.0, 700 * MICROS), (7.0, 700 * MICROS), (5.0, 500 * MICROS)]


def test_a_venue_that_is_silent_altogether_keeps_its_last_word() -> None:
    reference = Reference()
    silent = ticker("bybit", "linear", 100.0, BEGAN, coins=2.0)
    lasting = ticker("okx", "linear", 100.0, BEGAN + 9_000, coins=5.0)
    assert moment_of(frame(9_000, lasting, silent), reference).oi_base == 7.0


def test_neither_an_asset_nor_the_market_reads_a_price_move_as_positions() -> None:
    coins, market = Coins(), MarketInterest()
    reference = Reference()
    for at, price in ((0, 100.0), (SETTLE_S + 60, 100.0), (SETTLE_S + 120, 75.0)):
        held = ticker("binance-coinm", "inverse", price, BEGAN + at, usd=1_000.0)
        moment = moment_of(frame(at, held), reference)
        assert moment.interest is not None
        coins.take(moment.interest, at, 600)
        take(market, [contribution_of(frame(at, held), moment, ())], at)
    assert coins.total == pytest.approx(10.0)
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
