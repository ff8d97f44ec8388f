"""Books that come as changes become full ones, or are dropped when they cannot be right."""

import json

from streams.collect.folding import LEVELS, Fold


def message(kind: str, update: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": update}
    topic = "orderbook.50.BTCUSDT"
    return json.dumps({"topic": topic, "type": kind, "ts": 5, "cts": 4, "data": data}).encode()


def told(fold: Fold) -> list[dict[str, object]]:
    return [json.loads(payload)["data"] for _, payload, _ in fold.full()]


def test_changes_set_and_delete_levels_and_the_best_come_first() -> None:
    fold = Fold()
    assert fold.take(message("snapshot", 1, [["9", "1"], ["10", "2"]], [["11", "1"]]), 7)
    assert fold.take(message("delta", 2, [["9", "0"], ["9.5", "4"]], [["10.5", "3"]]), 8)
    bids, asks = [["10", "2"], ["9.5", "4"]], [["10.5", "3"], ["11", "1"]]
    assert told(fold) == [{"s": "BTCUSDT", "b": bids, "a": asks, "u": 2}]
    assert told(fold) == []


def test_no_more_levels_than_needed_are_told() -> None:
    fold = Fold()
    many = [[str(price), "1"] for price in range(100, 200)]
    fold.take(message("snapshot", 1, many, [["201", "1"]]), 7)
    (book,) = told(fold)
    assert book["b"] == [[str(price), "1"] for price in range(199, 199 - LEVELS, -1)]


def test_a_change_that_comes_twice_spoils_the_book_until_its_next_snapshot() -> None:
    fold = Fold()
    fold.take(message("snapshot", 5, [["9", "1"]], [["11", "1"]]), 7)
    fold.take(message("delta", 5, [["10", "1"]], []), 8)
    assert (told(fold), fold.torn(), fold.torn()) == ([], True, False)
    fold.take(message("delta", 6, [["10", "1"]], []), 9)
    assert told(fold) == []
    fold.take(message("snapshot", 9, [["9", "1"]], [["11", "1"]]), 10)
    assert len(told(fold)) == 1


def test_what_is_no_book_is_left_to_the_parser() -> None:
    fold = Fold()
    for payload in (b"", b"{", b'{"topic":"publicTrade.BTCUSDT"}', b'{"topic":"orderbook.50.B"}'):
        assert not fold.take(payload, 7)
    assert not fold.take(message("snapshot", 1, [["dear", "1"]], []), 7)
    assert told(fold) == []
