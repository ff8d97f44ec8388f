"""Books that come as changes become full ones, or are dropped when they cannot be right."""

import json

import pytest

from streams.collect.folding import LEVELS, Fold
from streams.core.events import Book, Raw
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.book_changes import BYBIT, COINBASE, DYDX, KRAKEN, Changes
from streams.venues.catalog import default_instruments

INSTRUMENTS = default_instruments()
NOW_US = 1_790_000_001_000_000


def message(kind: str, update: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": update}
    topic = "orderbook.50.BTCUSDT"
    return json.dumps({"topic": topic, "type": kind, "ts": 5, "cts": 4, "data": data}).encode()


def told(fold: Fold) -> list[dict[str, object]]:
    return [json.loads(payload)["data"] for _, payload, _ in fold.full()]


def test_changes_set_and_delete_levels_and_the_best_come_first() -> None:
    fold = Fold(BYBIT)
    assert fold.take(message("snapshot", 1, [["9", "1"], ["10", "2"]], [["11", "1"]]), 7)
    assert fold.take(message("delta", 2, [["9", "0"], ["9.5", "4"]], [["10.5", "3"]]), 8)
    bids, asks = [["10", "2"], ["9.5", "4"]], [["10.5", "3"], ["11", "1"]]
    assert told(fold) == [{"s": "BTCUSDT", "b": bids, "a": asks, "u": 2}]
    assert told(fold) == []


def test_no_more_levels_than_needed_are_told() -> None:
    fold = Fold(BYBIT)
    many = [[str(price), "1"] for price in range(100, 200)]
    fold.take(message("snapshot", 1, many, [["201", "1"]]), 7)
    (book,) = told(fold)
    assert book["b"] == [[str(price), "1"] for price in range(199, 199 - LEVELS, -1)]


def test_a_change_that_comes_twice_spoils_the_book_until_its_next_snapshot() -> None:
    fold = Fold(BYBIT)
    fold.take(message("snapshot", 5, [["9", "1"]], [["11", "1"]]), 7)
    fold.take(message("delta", 5, [["10", "1"]], []), 8)
    assert (told(fold), fold.torn(), fold.torn()) == ([], True, False)
    fold.take(message("delta", 6, [["10", "1"]], []), 9)
    assert told(fold) == []
    fold.take(message("snapshot", 9, [["9", "1"]], [["11", "1"]]), 10)
    assert len(told(fold)) == 1


def test_what_is_no_book_is_left_to_the_parser() -> None:
    fold = Fold(BYBIT)
    for payload in (b"", b"{", b'{"topic":"publicTrade.BTCUSDT"}', b'{"topic":"orderbook.50.B"}'):
        assert not fold.take(payload, 7)
    assert not fold.take(message("snapshot", 1, [["dear", "1"]], []), 7)
    assert told(fold) == []


def book(fold: Fold, venue: str) -> Book:
    """The one book that has changed, as a framer reads it."""
    ((_, payload, at_us),) = fold.full()
    (found,) = normalise(Raw(venue, "book", "c", at_us, payload), PARSERS, INSTRUMENTS)
    assert isinstance(found, Book), found
    return found


def kraken(number: int, **more: object) -> bytes:
    head = {"product_id": "PF_XBTUSD", "seq": number, "timestamp": 1_790_000_000_000 + number}
    kind = "book" if "side" in more else "book_snapshot"
    return json.dumps({"feed": kind, **head, **more}).encode()


def kraken_fold() -> Fold:
    fold = Fold(KRAKEN)
    bids, asks = [{"price": 9.5, "qty": 2}], [{"price": 10, "qty": 1}, {"price": 11, "qty": 1.5}]
    assert fold.take(kraken(7, bids=bids, asks=asks), 5)
    return fold


def test_krakens_changes_set_one_level_each() -> None:
    fold = kraken_fold()
    assert fold.take(kraken(8, side="sell", price=10, qty=0), 6)
    assert fold.take(kraken(9, side="buy", price=9.75, qty=3), NOW_US)
    found = book(fold, "kraken")
    assert (found.bids, found.asks) == (((9.75, 3.0), (9.5, 2.0)), ((11.0, 1.5),))
    assert found.event_time_us == 1_790_000_000_009_000
    assert fold.full() == []


@pytest.mark.parametrize("number", [7, 9])
def test_a_change_of_krakens_that_is_not_the_next_spoils_the_book(number: int) -> None:
    fold = kraken_fold()
    assert fold.take(kraken(number, side="buy", price=9.75, qty=3), 6)
    assert (fold.full(), fold.torn()) == ([], True)


@pytest.mark.parametrize(
    ("changes", "payload"),
    [
        (KRAKEN, b'{"event":"subscribed","feed":"book","product_ids":["PF_XBTUSD"]}'),
        (KRAKEN, b'{"feed":"trade","product_id":"PF_XBTUSD"}'),
        (KRAKEN, b'{"feed":"book","product_id":"PF_XBTUSD","seq":1}'),
        (KRAKEN, b'{"feed":"book'),
        (DYDX, b'{"type":"unsubscribed","channel":"v4_orderbook","id":"BTC-USD","message_id":1}'),
        (DYDX, b'{"type":"channel_data","channel":"v4_trades","id":"BTC-USD","message_id":1}'),
    ],
)
def test_what_cannot_be_folded_is_left_to_the_parser(changes: Changes, payload: bytes) -> None:
    assert not Fold(changes).take(payload, 5)


def dydx(number: int, contents: object, kind: str = "channel_data") -> bytes:
    head = {"type": kind, "channel": "v4_orderbook", "id": "BTC-USD", "message_id": number}
    return json.dumps({**head, "contents": contents}).encode()


def dydx_fold() -> Fold:
    fold = Fold(DYDX)
    bids, asks = ([{"price": p, "size": "1"} for p in side] for side in (("9", "8"), ("10", "11")))
    assert fold.take(dydx(3, {"bids": bids, "asks": asks}, "subscribed"), NOW_US)
    return fold


def prices(fold: Fold) -> tuple[list[float], list[float]]:
    found = book(fold, "dydx")
    return [price for price, _ in found.bids], [price for price, _ in found.asks]


def test_of_crossing_levels_the_older_is_left_out_until_the_younger_goes() -> None:
    fold = dydx_fold()
    fold.take(dydx(5, {"bids": [["10.5", "2"]]}), NOW_US)
    assert prices(fold) == ([10.5, 9, 8], [11])
    fold.take(dydx(8, {"asks": [["9", "4"]]}), NOW_US)
    assert prices(fold) == ([8], [9, 10, 11])
    fold.take(dydx(9, [{"bids": [["10.5", "0"]]}, {"asks": [["9", "0"]]}], "channel_batch_data"), 0)
    fold.take(dydx(10, {"bids": [["7", "1"]]}), NOW_US)
    assert prices(fold) == ([9, 8, 7], [10, 11])


def test_of_levels_that_cross_within_a_message_neither_is_told() -> None:
    fold = dydx_fold()
    fold.take(dydx(5, {"bids": [["9.75", "2"]], "asks": [["9.5", "2"]]}), NOW_US)
    assert prices(fold) == ([9, 8], [10, 11])


def test_a_message_of_dydx_that_comes_twice_spoils_the_book() -> None:
    fold = dydx_fold()
    fold.take(dydx(3, {"bids": [["9", "0"]]}), NOW_US)
    assert (fold.full(), fold.torn()) == ([], True)


def coinbase(kind: str, **more: object) -> bytes:
    return json.dumps({"type": kind, "product_id": "BTC-USD", **more}).encode()


def test_coinbases_changes_name_the_side_and_the_stamp_is_the_last_one() -> None:
    fold = Fold(COINBASE)
    bids = [[str(price), "1"] for price in range(1, 100)]
    fold.take(coinbase("snapshot", bids=bids, asks=[["101", "2"]]), NOW_US)
    assert book(fold, "coinbase").event_time_us == NOW_US
    changes = [["buy", "99", "0.00000000"], ["sell", "100", "3"]]
    fold.take(coinbase("l2update", changes=changes, time="2026-09-21T12:00:00.402123Z"), NOW_US)
    found = book(fold, "coinbase")
    assert found.bids == tuple((float(price), 1.0) for price in range(98, 98 - LEVELS, -1))
    assert found.asks == ((100.0, 3.0), (101.0, 2.0))
    assert found.event_time_us == 1_789_992_000_402_123


def test_a_change_of_no_known_side_is_left_to_the_parser() -> None:
    assert not Fold(COINBASE).take(coinbase("l2update", changes=[["mid", "1", "1"]]), NOW_US)
