"""The software-throttle test: what the correction promises holds where its assumptions do."""

import os
from pathlib import Path

import numpy as np
import pytest

from streams.core.throttle import Pick
from streams.scoreboard.throttling import (
    PICKS,
    RATES,
    Tape,
    ThrottleRow,
    interval,
    poisson,
    pooled,
    row_of,
    rows_of,
    throttle_table,
    throttled,
)

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recordings"
FRESH = 7
"""A seed that no interval was made of."""


def drawn(rate: float, pick: Pick, blocks: int = 600) -> ThrottleRow:
    return row_of("poisson", pick, rate, throttled(poisson(rate, blocks, seed=FRESH), pick))


@pytest.mark.parametrize(
    ("rate", "largest", "latest"),
    [
        (0.2, 0.98, 0.91),
        (1, 0.92, 0.63),
        (3, 0.82, 0.32),
        (5, 0.74, 0.20),
        (10, 0.63, 0.10),
        (60, 0.36, 0.017),
    ],
)
def test_a_throttle_leaves_the_documented_share(rate: float, largest: float, latest: float) -> None:
    assert drawn(rate, "largest").published == pytest.approx(largest, abs=0.02)
    assert drawn(rate, "latest").published == pytest.approx(latest, abs=0.05)


@pytest.mark.parametrize("rate", [0.2, 1.0, 3.0])
def test_the_estimate_is_right_on_the_whole_below_saturation(rate: float) -> None:
    assert drawn(rate, "largest").estimate == pytest.approx(1.0, abs=0.02)
    assert drawn(rate, "latest").estimate == pytest.approx(1.0, abs=0.12)
    error = drawn(rate, "largest").error
    assert error is not None and error < 0.15


@pytest.mark.parametrize("pick", PICKS)
@pytest.mark.parametrize("rate", [10.0, 60.0])
def test_a_saturated_slot_says_so_and_gives_a_floor(rate: float, pick: Pick) -> None:
    row = drawn(rate, pick)
    assert row.identifiable == 0 and row.error is None and row.covered is None
    assert row.published < row.estimate < 1.0


@pytest.mark.parametrize("pick", PICKS)
@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_eight_of_ten_minutes_lie_inside_the_interval(rate: float, pick: Pick) -> None:
    covered = drawn(rate, pick).covered
    assert covered is not None and 0.74 <= covered <= 0.86


@pytest.mark.parametrize("pick", PICKS)
def test_intervals_rise_with_the_occupied_seconds(pick: Pick) -> None:
    ends = [interval(pick, occupied) for occupied in range(0, 58, 8)]
    assert all(1.0 <= low <= high for low, high in ends)
    assert ends == sorted(ends, key=lambda pair: pair[1])
    assert interval(pick, 60) == interval(pick, 57)


@pytest.mark.parametrize("pick", PICKS)
def test_one_order_a_second_passes_whole(pick: Pick) -> None:
    tape = Tape(np.arange(0, 600, 7), np.linspace(1_000.0, 9_000.0, 86))
    for block in throttled(tape, pick):
        assert block.published == pytest.approx(block.true)
        assert block.occupied == block.orders
        assert block.estimate >= block.published


def test_the_largest_or_the_latest_order_of_a_second_is_left() -> None:
    tape = Tape(np.array([5, 5, 5, 8]), np.array([100.0, 700.0, 200.0, 50.0]), 0, np.full(60, 2e3))
    (largest,), (latest,) = throttled(tape, "largest"), throttled(tape, "latest")
    assert (largest.published, latest.published) == (750.0, 250.0)
    assert largest.true == latest.true == 1_050.0
    assert (largest.orders, largest.occupied, largest.bound) == (4, 2, 4_000.0)


@pytest.mark.parametrize("pick", PICKS)
def test_clusters_inside_a_second_leave_the_estimate_too_low(pick: Pick) -> None:
    """The known limit: occupied seconds say nothing of how many orders share one."""
    calm = poisson(0.2, 600, seed=FRESH)
    rng = np.random.default_rng(FRESH)
    bunched = Tape(np.repeat(calm.seconds, 6), rng.lognormal(7.0, 1.9, 6 * len(calm.seconds)))
    row = row_of("poisson", pick, None, throttled(bunched, pick))
    assert row.identifiable == row.blocks
    assert row.estimate < 0.8
    assert row.covered is not None and row.covered < 0.5


def test_minutes_are_sorted_into_the_nearest_rate_by_ratio() -> None:
    tape = Tape(np.repeat(np.arange(120), [1] * 60 + [4] * 60), np.ones(300))
    rows = rows_of("bybit", "largest", throttled(tape, "largest"))
    assert [(row.rate, row.blocks) for row in rows] == [(1.0, 1), (5.0, 1), (None, 2)]


def test_the_table_holds_every_source_and_class_it_found() -> None:
    rows = throttle_table([1], None, [("build-up", 1, 1.0)])
    assert [(row.pick, row.rate) for row in rows if row.source == "poisson"] == [
        (pick, rate) for pick in PICKS for rate in RATES
    ]
    for source in ("bybit", "venues"):
        found = [row for row in rows if row.source == source]
        assert {row.pick for row in found} == set(PICKS)
        for row in found:
            assert 0 < row.published <= row.estimate
            assert row.published <= 1.0 and 0 < row.occupied <= 1.0
            assert (row.bound is None) == (source == "bybit")
            assert row.bound is None or row.bound >= 1.0
    assert rows == throttle_table([1], None, [("build-up", 1, 1.0)])


def test_real_orders_of_sparse_minutes_come_back() -> None:
    """All symbols of a recording as one slot: real sizes and gaps, known truth."""
    if not FOLDER.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{FOLDER} is missing")
        pytest.skip("the recordings are not here")
    tapes = [pooled(path) for path in sorted(FOLDER.glob("*.jsonl.gz"))]
    blocks = [block for tape in tapes for block in throttled(tape, "largest")]
    sparse = next(row for row in rows_of("recordings", "largest", blocks) if row.rate == 0.2)
    assert sparse.blocks > 100
    assert sparse.error is not None and sparse.error < 0.05
    assert sparse.published < sparse.estimate <= 1.05
