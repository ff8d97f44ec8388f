"""The judge of a soak sees growth, loss, doubles and what no parser could read."""

import json

import pytest

from tests.soak.judging import MIB, memory, numbered, told


def line(number: int, channel: str | None = "trade") -> bytes:
    payload = json.loads(numbered(b'{"e":"aggTrade"}', number))
    return (
        json.dumps({"venue": "okx", "channel": channel, "payload": payload})
        .replace(" ", "")
        .encode()
    )


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0, 1, 2), []),
        ((0, 2), ["okx: number 2 where 1 was due"]),
        ((0, 1, 1, 2), ["okx: number 1 where 2 was due"]),
        ((0, 1), ["okx: sent up to 3, kept up to 2"]),
    ],
)
def test_every_number_is_due_once_and_in_order(numbers: tuple[int, ...], words: list[str]) -> None:
    assert told(map(line, numbers), {"okx": 3}).faults == words


def test_what_no_parser_read_is_a_fault() -> None:
    log = told([line(0), line(1, None)], {"okx": 2})
    assert log.faults == ["1 messages that the parsers could not read"]


@pytest.mark.parametrize(("last_mib", "flat"), [(100, True), (117, True), (119, False)])
def test_memory_may_grow_by_a_tenth_and_a_little(last_mib: int, flat: bool) -> None:
    assert memory([100 * MIB, 500 * MIB, last_mib * MIB]).flat is flat


def test_too_few_samples_are_told() -> None:
    with pytest.raises(ValueError, match="longer"):
        memory([1, 2])
