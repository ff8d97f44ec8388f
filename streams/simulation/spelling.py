"""Writes the sides of a book in machine code: the writer that the simulator gives to `ladder`.

Promises the bytes of `ladder.printed`, for numbers up to 2**53 / 10**decimals; a side that reaches
below zero is left to it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from streams.simulation.compiled import compiled, inlined
from streams.simulation.ladder import LEVEL_BP, LEVELS, NUMBERS, printed, quote
from streams.simulation.state import Floats

Bytes = NDArray[np.uint8]

SCALES = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)
"""By decimals."""
WHOLE_BP = 9_999.0
"""Half a spread that leaves a bid above zero, basis points."""
DIGITS = 24
"""Room for a number with its punctuation, bytes."""
ZERO, POINT, QUOTE, COMMA, OPEN, SHUT = b'0.",[]'

_quote = inlined(quote)


@inlined
def scaled(number: float, decimals: int) -> int:
    """`number` times ten to the `decimals`, its exact value rounded as `%.f` does: half to even."""
    product = number * SCALES[decimals]
    whole = math.floor(product)
    up = product - whole > 0.5
    if product - whole == 0.5:
        # What the product lost decides; both parts of the number multiply without a loss.
        head = float(np.float32(number))
        lost = head * SCALES[decimals] - product + (number - head) * SCALES[decimals]
        up = lost > 0.0 or (lost == 0.0 and whole % 2 == 1)
    return int(whole) + (1 if up else 0)


@inlined
def spell(text: Bytes, at: int, number: float, decimals: int) -> int:
    """Write a number in quotes from place `at` on; gives the place after it."""
    rest = scaled(number, decimals)
    digits, bound = decimals + 1, int(SCALES[decimals]) * 10
    while rest >= bound:
        digits += 1
        bound *= 10
    end = at + digits + 1 + (decimals > 0)
    text[at] = text[end] = QUOTE
    place = end - 1
    for digit in range(digits):
        if digit == decimals and decimals > 0:
            text[place] = POINT
            place -= 1
        text[place] = ZERO + rest % 10
        rest //= 10
        place -= 1
    return end + 1


@compiled
def _sides(
    text: Bytes,
    numbers: Floats,
    words: NDArray[np.uint32],
    price: float,
    usd: float,
    half_bp: float,
    least: float,
    price_decimals: int,
    size_decimals: int,
) -> tuple[int, int]:
    """Fill `text`; gives the ends of bids and of asks."""
    _quote(numbers, words, price, usd, half_bp, least)
    at = middle = 0
    for side in range(2):
        middle = at
        text[at] = OPEN
        for level in range(LEVELS):
            row = NUMBERS * side + 2 * level
            text[at + 1] = OPEN
            at = spell(text, at + 2, numbers[row], price_decimals)
            text[at] = COMMA
            at = spell(text, at + 1, numbers[row + 1], size_decimals)
            text[at] = SHUT
            at += 1
            text[at] = COMMA
        text[at] = SHUT
        at += 1
    return middle, at


_text = np.zeros(2 * NUMBERS * DIGITS, np.uint8)
_numbers = np.zeros(2 * NUMBERS)


def spelled(
    words: bytes,
    price: float,
    usd: float,
    half_bp: float,
    least: float,
    price_decimals: int,
    size_decimals: int,
) -> tuple[bytes, bytes]:
    """JSON of bids and of asks, as `ladder.printed`."""
    if price <= 0.0 or half_bp + (LEVELS - 1) * LEVEL_BP >= WHOLE_BP:
        return printed(words, price, usd, half_bp, least, price_decimals, size_decimals)
    middle, end = _sides(
        _text,
        _numbers,
        np.frombuffer(words, "<u4"),
        price,
        usd,
        half_bp,
        least,
        price_decimals,
        size_decimals,
    )
    return _text[:middle].tobytes(), _text[middle:end].tobytes()
