"""Both sides of a book of 20 levels, as JSON: books are most of a busy log.

Beside `wire`, for the feed layer and a benchmark. Needs no extra; the simulator gives `ladder` the
writer of `spelling`, which is compiled. Promises the same bytes with either.
"""

import random
from collections.abc import Callable
from functools import cache
from struct import unpack
from typing import Final, Protocol

import msgspec

from streams.simulation.orders import Coin
from streams.simulation.wire import Sides, size_form

LEVELS: Final = 20
NUMBERS: Final = 2 * LEVELS
"""Of a side: price and size of each level."""
LEVEL_BP: Final = 0.75
"""Distance between two levels."""
DEPTH_SHARE: Final = 0.00004
"""Ordinary dollars of one level over the asset's open interest."""

Writer = Callable[[bytes, float, float, float, float, int, int], tuple[bytes, bytes]]


class Numbers(Protocol):
    """A list or an array of floats, to be filled."""

    def __setitem__(self, place: int, number: float, /) -> None: ...


class Words(Protocol):
    """A sequence or an array of unsigned integers of 32 bits."""

    def __getitem__(self, place: int, /) -> int: ...


def quote(
    numbers: Numbers,
    words: Words,
    price: float,
    usd: float,
    half_bp: float,
    least: float,
) -> None:
    """Fill `numbers` with prices and sizes in turn, best first, all bids before all asks.

    `words`: two of 32 bits a size, of which `random()` makes one draw; `usd` of a level, about
    which sizes scatter by a third; `half_bp`: half the spread; `least`: the smallest size.
    """
    coins = usd / price
    for level in range(LEVELS):
        away = price * (level * LEVEL_BP + half_bp) / 10_000
        for side in range(2):
            at, word = NUMBERS * side + 2 * level, 4 * level + 2 * side
            chance = ((words[word] >> 5) * 67_108_864.0 + (words[word + 1] >> 6)) * 2.0**-53
            numbers[at] = price + away if side else price - away
            numbers[at + 1] = max(coins * (0.67 + 0.66 * chance), least)


def printed(
    words: bytes,
    price: float,
    usd: float,
    half_bp: float,
    least: float,
    price_decimals: int,
    size_decimals: int,
) -> tuple[bytes, bytes]:
    """JSON of bids and of asks, in Python's own formatting; see `quote`."""
    numbers = [0.0] * (2 * NUMBERS)
    quote(numbers, unpack(f"<{2 * NUMBERS}I", words), price, usd, half_bp, least)
    form = _side_form(price_decimals, size_decimals)
    return form % tuple(numbers[:NUMBERS]), form % tuple(numbers[NUMBERS:])


def ladder(
    asset: Coin,
    price: float,
    depth: float,
    rng: random.Random,
    half_bp: float = LEVEL_BP / 2,
    writer: Writer = printed,
) -> Sides:
    """Bids and asks about `price` (USD); `depth`: over the ordinary one."""
    usd = asset.interest_usd * DEPTH_SHARE * depth
    decimals, least = size_form(asset)
    words = rng.randbytes(8 * NUMBERS)
    bids, asks = writer(words, price, usd, half_bp, least, asset.decimals, decimals)
    return msgspec.Raw(bids), msgspec.Raw(asks)


@cache
def _side_form(price_decimals: int, size_decimals: int) -> bytes:
    """JSON of a side, for one formatting of all its numbers."""
    level = f'["%.{price_decimals}f","%.{size_decimals}f"]'
    return f"[{','.join([level] * LEVELS)}]".encode()
