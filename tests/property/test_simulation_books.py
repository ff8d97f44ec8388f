"""A book's sides in machine code are those of Python's own formatting, digit by digit."""

import json
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("numba")

from streams.simulation.assets import ASSETS, Asset
from streams.simulation.ladder import LEVELS, ladder, printed, quote
from streams.simulation.spelling import SCALES, scaled, spell, spelled

DECIMALS = st.integers(0, len(SCALES) - 1)


def spelt(number: float, decimals: int) -> str:
    text = np.zeros(64, np.uint8)
    return bytes(text[: spell(text, 0, number, decimals)]).decode()


@given(st.floats(0, 1e7), DECIMALS)
@example(0.0, 0)
@example(0.5, 0)
@example(9.995, 2)
def test_a_number_has_the_digits_of_the_library(number: float, decimals: int) -> None:
    assert spelt(number, decimals) == f'"{number:.{decimals}f}"'


@given(st.integers(0, 10**9), DECIMALS, st.integers(-2, 2))
def test_a_number_near_the_middle_goes_the_way_of_its_exact_value(
    whole: int, decimals: int, ulps: int
) -> None:
    number = (whole + 0.5) / SCALES[decimals]
    for _ in range(abs(ulps)):
        number = float(np.nextafter(number, np.inf * ulps))
    assert scaled(number, decimals) == int(f"{number:.{decimals}f}".replace(".", ""))


@given(
    st.sampled_from(ASSETS),
    st.floats(0.2, 5.0),
    st.floats(1e-6, 50.0),
    st.floats(0.1, 20_000.0),
    st.integers(0, 2**32),
)
def test_a_compiled_book_has_the_bytes_of_a_plain_one(
    asset: Asset, times: float, depth: float, half_bp: float, seed: int
) -> None:
    price = asset.price * times
    plain = ladder(asset, price, depth, random.Random(seed), half_bp, printed)  # noqa: S311
    quick = ladder(asset, price, depth, random.Random(seed), half_bp, spelled)  # noqa: S311
    assert [bytes(side) for side in quick] == [bytes(side) for side in plain]
    assert [len(json.loads(bytes(side))) for side in quick] == [LEVELS, LEVELS]


def test_sizes_scatter_by_the_draws_that_random_gives() -> None:
    ours, theirs = random.Random(7), random.Random(7)  # noqa: S311
    numbers = [0.0] * (4 * LEVELS)
    words = np.frombuffer(ours.randbytes(16 * LEVELS), "<u4").tolist()
    quote(numbers, words, 1.0, 1.0, 0.4, 0.0)
    bids, asks = numbers[1 : 2 * LEVELS : 2], numbers[2 * LEVELS + 1 :: 2]
    drawn = [0.67 + 0.66 * theirs.random() for _ in range(2 * LEVELS)]
    assert [size for pair in zip(bids, asks, strict=True) for size in pair] == drawn
    assert ours.random() == theirs.random()
