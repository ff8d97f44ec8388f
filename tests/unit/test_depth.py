"""Depth over books that come at their own pace."""

from streams.core.detectors.moment import Reference, contribution_of, moment_of
from streams.core.events import MICROS
from streams.core.frames import BookState, Frame, Tick
from streams.core.market import MarketInputs, merge, receive
from streams.core.params import Params

BEGAN = 1_790_035_200
UP = ("bybit", "okx")
NOTHING = (None, None, None, None)


def book(venue: str, at: int, usd: int = 100) -> BookState:
    """A book of `usd` dollars on either side within 10 bp, twice as much within 25."""
    sides = (usd * MICROS, 2 * usd * MICROS, None, None)
    return BookState(venue, "BTCUSDT", "linear", 99.0, 101.0, sides, sides, (BEGAN + at) * MICROS)


def frame(at: int, *books: BookState, asset: str = "BTC", prev: int | None = None) -> Frame:
    """A frame of second `at` after midnight."""
    second = (BEGAN + at) * MICROS
    before = None if prev is None else (BEGAN + prev) * MICROS
    return Frame(asset, 0, second, before, 1.0, UP, UP, (), (), (), (), (), books)


def test_a_book_that_skips_a_second_takes_no_depth_away() -> None:
    reference = Reference()
    both = moment_of(frame(0, book("bybit", 0), book("okx", 0)), reference)
    one = moment_of(frame(1, book("bybit", 1)), reference)
    assert both.bids[:2] == one.bids[:2] == (200 * MICROS, 400 * MICROS)
    assert one.bid_usd == one.ask_usd == 200 * MICROS


def test_a_book_that_has_stopped_leaves_depth_unknown_until_it_is_gone() -> None:
    reference = Reference()
    moment_of(frame(0, book("bybit", 0), book("okx", 0)), reference)
    assert moment_of(frame(30, book("bybit", 30)), reference).bid_usd == 200 * MICROS
    stopped = moment_of(frame(31, book("bybit", 31)), reference)
    assert (stopped.bids, stopped.bid_usd) == (NOTHING, None)
    gone = moment_of(frame(3_601, book("bybit", 3_601)), reference)
    assert gone.bid_usd == 100 * MICROS


def test_a_second_without_books_renews_no_depth() -> None:
    reference = Reference()
    moment_of(frame(0, book("bybit", 0)), reference)
    assert moment_of(frame(1), reference).bids == ()


def test_the_market_keeps_the_depth_of_an_asset_whose_book_did_not_come() -> None:
    inputs, references = MarketInputs(), {"BTC": Reference(), "ETH": Reference()}
    found = []
    for at, assets in ((0, ("BTC", "ETH")), (1, ("BTC",)), (40, ("BTC",))):
        for asset in assets:
            one = frame(at, book("bybit", at), asset=asset)
            receive(inputs, contribution_of(one, moment_of(one, references[asset]), ()))
        second = (BEGAN + at) * MICROS
        for ready in receive(inputs, Tick(0, 1, second, None, len(assets))):
            moment = merge(inputs, ready, Params().cascade)
            assert moment is not None
            found.append(moment.bid_usd or moment.bids[0])
    assert found == [200 * MICROS, 200 * MICROS, 100 * MICROS]
