"""The statistics that are laid beside recordings, on orders of known make."""

from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.edges.likeness import Order, likeness, orders_of
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments


def regular(count: int, gap: float, long_every: int = 2) -> list[Order]:
    return [(gap * n, "BTCUSDT", n % long_every == 0, 100.0 + n) for n in range(count)]


def test_regular_orders_have_equal_gaps_and_no_bunching() -> None:
    found = likeness("regular", regular(600, 2.0))
    assert found.per_minute == pytest.approx(30.0, rel=0.01)
    assert found.gap_cv == pytest.approx(0.0, abs=1e-9)
    assert found.gap_p99 == pytest.approx(1.0)
    assert found.fano_60s == pytest.approx(0.0, abs=1e-9)
    assert found.long_share_orders == 0.5


def test_bunches_raise_over_dispersion_and_memory() -> None:
    orders = [(600.0 * b / 5 + n, "X", True, 100.0) for b in range(40) for n in range(30)]
    found = likeness("bunched", orders)
    assert found.fano_60s is not None and found.fano_60s > 5
    assert found.memory_10s is not None and found.memory_10s > 0.3
    assert found.half_life_s is None or found.half_life_s > 0


def test_a_recorder_that_was_off_is_left_out_of_covered_time() -> None:
    later = [(at + 7_200, symbol, long, usd) for at, symbol, long, usd in regular(300, 2.0)]
    found = likeness("gap", [*regular(300, 2.0), *later])
    assert found.hours == pytest.approx(2 * 598 / 3_600)
    assert found.gap_p99 == pytest.approx(1.0)


def test_a_pareto_tail_gives_back_its_index() -> None:
    orders = [(float(n), "X", True, 100.0 * (1 - n / 5_000) ** (-1 / 1.5)) for n in range(5_000)]
    assert likeness("pareto", orders).hill == pytest.approx(1.5, rel=0.1)


def test_few_orders_are_told_without_statistics() -> None:
    found = likeness("few", regular(5, 1.0))
    assert found.orders == 5
    assert found.gap_cv is None


def test_a_log_without_forced_orders_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(MarginquakeError, match="no forced orders of okx"):
        orders_of(empty, PARSERS, default_instruments(), "okx")
