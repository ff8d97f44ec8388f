"""The labels of the recordings are what their rule gives, and hold what counts are made of."""

import gzip
import os
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.events import MICROS
from streams.scoreboard.recorded import (
    RULE,
    LabelFile,
    Published,
    label,
    label_folder,
    published,
    read_labels,
)
from streams.scoreboard.recordings import (
    bursts_apart,
    counted,
    near_misses,
    recorded_cases,
)
from streams.scoreboard.spans import ALL, Case, Event, Order, Side, Span

LABELS = Path(__file__).parent / "recordings.labels.json"
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recordings"
START = 1_790_000_000


@pytest.fixture
def recordings() -> Path:
    if not FOLDER.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{FOLDER} is missing")
        pytest.skip("the recordings are not here")
    return FOLDER


def order(at_s: float, usd: float = 1_000.0, side: Side = "long", asset: str = "BTC") -> Published:
    return Published(int((START + at_s) * MICROS), f"{asset}USDT", asset, side, usd)


def quiet(seconds: int) -> list[Published]:
    """An order of either side every 20 s, of assets in turn."""
    return [
        order(at, 100.0, side, f"C{at // 20 % 7}")
        for at in range(0, seconds, 20)
        for side in ("long", "short")
    ]


def test_the_committed_labels_are_what_the_rule_gives(recordings: Path) -> None:
    made, kept = label_folder(recordings), read_labels(LABELS)
    assert made.about == kept.about
    assert made.rule == kept.rule
    assert made.medians == kept.medians
    assert made.stretches == kept.stretches
    assert len(made.labels) == len(kept.labels)
    for fresh, old in zip(made.labels, kept.labels, strict=True):
        assert old.note.startswith(fresh.note)
        assert (fresh.onset, fresh.end, fresh.usd, fresh.orders, fresh.verdict) == (
            old.onset,
            old.end,
            old.usd,
            old.orders,
            old.verdict,
        )


def test_labels_lie_inside_the_recorders_hours_and_reach_their_bars() -> None:
    kept = read_labels(LABELS)
    for one in kept.labels:
        share = 1.0 if one.verdict == "event" else kept.rule.near
        assert one.peak_orders >= share * one.bar_orders
        assert one.peak_usd >= share * one.bar_usd - 1
        assert one.orders >= one.peak_orders and one.usd >= one.peak_usd - 1
        assert any(
            part.recording == one.recording and part.begin <= one.onset <= one.end < part.end
            for part in kept.stretches
        )


def test_overlapping_labels_of_market_and_assets_are_one_burst() -> None:
    kept = read_labels(LABELS)
    assert bursts_apart(kept) == 13 < sum(one.verdict == "event" for one in kept.labels)


def test_a_rush_of_orders_is_labelled_from_its_first_to_its_last() -> None:
    rush = [order(1_000 + n, 2_000.0) for n in range(40)]
    found = label({"a": sorted([*quiet(2_000), *rush])})
    market = [one for one in found.labels if one.scope == ALL]
    assert [(one.side, one.verdict) for one in market] == [("long", "event")]
    assert abs(market[0].onset - (START + 1_000)) <= RULE.around_s
    assert abs(market[0].end - (START + 1_039)) <= RULE.around_s
    asset = [one for one in found.labels if one.scope == "BTC"]
    assert [(one.onset, one.end, one.orders) for one in asset] == [
        (START + 1_000, START + 1_039, 40)
    ]


def test_many_small_orders_and_few_large_ones_are_no_event() -> None:
    small = [order(500 + n / 2, 10.0) for n in range(60)]
    large = [order(1_500 + 10 * n, 50_000.0) for n in range(4)]
    assert label({"a": sorted([*quiet(2_000), *small, *large])}).labels == ()


def test_nothing_is_labelled_across_a_recorder_that_was_off() -> None:
    before = [order(100 + n, 3_000.0) for n in range(6)]
    after = [order(400 + n, 3_000.0) for n in range(6)]
    found = label({"a": [*before, *after]})
    assert len(found.stretches) == 2
    assert found.labels == ()


def test_orders_that_two_recorders_kept_count_once(recordings: Path, tmp_path: Path) -> None:
    once = recordings / "binance_usdm_2024-06-20_large.jsonl.gz"
    lines = gzip.decompress(once.read_bytes()).splitlines(keepends=True)
    twice = tmp_path / "twice.jsonl"
    twice.write_bytes(b"".join(line for line in lines for _ in range(2)))
    assert published(twice) == published(once)


def test_cases_hold_the_orders_and_labels_of_their_stretch(recordings: Path) -> None:
    name = "binance_usdm_2024-08-17"
    ((case, spans),) = recorded_cases(recordings, read_labels(LABELS), names={name})
    stretch = next(one for one in read_labels(LABELS).stretches if one.recording == name)
    assert len(case.orders) == stretch.orders
    assert case.name == f"{name}/0" and (case.begin, case.end) == (stretch.begin, stretch.end)
    assert {one.scope for one in case.events} <= {ALL, *case.assets}
    market = [one for one in case.events if one.scope == ALL]
    assert sum(one.usd for one in market) <= sum(one.usd for one in case.orders)
    for span in spans:
        assert span.onset <= span.detected_at and case.begin <= span.detected_at < case.end
    ours, assets = counted("marginquake", [(case, spans)], read_labels(LABELS))
    assert ours.events == len(market) and assets.events == len(case.events) - len(market)
    assert ours.found + ours.again + ours.near + ours.elsewhere == ours.spans


def made_case(labels: LabelFile, spans: list[Span]) -> tuple[Case, list[Span]]:
    events = tuple(
        Event(one.scope, one.side, one.onset, one.end, float(one.usd), one.orders, 0.0)
        for one in labels.labels
        if one.verdict == "event"
    )
    part = labels.stretches[0]
    orders = (Order(part.begin, "BTC", "binance-usdm", "long", 1.0),)
    return Case("a/0", "recordings", part.begin, part.end, ("BTC",), False, events, orders), spans


def test_spans_are_counted_as_found_again_near_or_elsewhere() -> None:
    rush = [order(1_000 + n, 2_000.0) for n in range(40)]
    lesser = [order(3_000 + n, 1_200.0, asset="ETH") for n in range(9)]
    labels = label({"a": sorted([*quiet(5_000), *rush, *lesser])})
    onset = START + 1_000
    case = made_case(
        labels,
        [
            Span("BTC", "long", onset + 5, onset + 25, onset + 30),
            Span("BTC", "long", onset + 32, onset + 38, onset + 39),
            Span("ETH", "long", START + 3_000, START + 3_008, START + 3_008),
            Span("BTC", "short", START + 4_000, START + 4_001, START + 4_002),
        ],
    )
    assert {one.scope for one in near_misses(labels, case[0])} == {ALL, "ETH"}
    _, assets = counted("rule", [case], labels)
    assert (assets.events, assets.found, assets.side_right) == (1, 1, 1)
    assert (assets.again, assets.near, assets.elsewhere) == (1, 1, 1)
    assert assets.delay_s == 25 and assets.onset_s == 5 and assets.end_s == -9


def test_a_missing_label_file_names_its_maker(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match=r"label_recordings\.py"):
        read_labels(tmp_path / "none.json")


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="holds no"):
        label_folder(tmp_path)
