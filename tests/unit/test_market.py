"""A market second is applied once, complete and in order; what it says is the sum of its assets."""

from math import exp, log

import msgspec
import pytest

from streams.core import market
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.moment import Moment
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, Tick
from streams.core.market import MarketInputs
from streams.core.results import Contribution
from tests.seconds import FULL, SAMPLED, cell

PARAMS = CascadeParams()


def contribution(
    asset: str,
    second: int,
    partition: int = 0,
    cells: tuple[Cell, ...] = (),
    price: float | None = None,
    oi_usd: int | None = None,
    up: tuple[str, ...] = (FULL,),
    known: tuple[str, ...] = (FULL,),
    onsets: tuple[tuple[PositionSide, int], ...] = (),
) -> Contribution:
    coverage = len(up) / len(known)
    marks = tuple((side, onset * MICROS) for side, onset in onsets)
    stamp = second * MICROS
    return Contribution(
        asset, partition, stamp, None, coverage, up, known, cells, (), price, oi_usd, marks
    )


def tick(second: int, n: int, partition: int = 0, partitions: int = 1) -> Tick:
    return Tick(partition, partitions, second * MICROS, None, n)


class Market:
    """Market inputs and the moments they gave."""

    def __init__(self) -> None:
        self.inputs = MarketInputs()
        self.moments: list[Moment] = []
        self.applied: list[int] = []

    def take(self, *items: Tick | Contribution) -> list[int]:
        for item in items:
            for second in market.receive(self.inputs, item):
                self.applied.append(second)
                moment = market.merge(self.inputs, second, PARAMS)
                if moment is not None:
                    self.moments.append(moment)
        return self.applied

    @property
    def last(self) -> Moment:
        return self.moments[-1]


def test_a_second_waits_for_its_tick_and_for_every_contribution() -> None:
    stage = Market()
    assert stage.take(contribution("BTC", 5)) == []
    assert stage.take(tick(5, 2)) == []
    assert stage.take(contribution("SOL", 5)) == [5]
    assert stage.last.assets_known == 2


def test_a_tick_may_come_before_what_it_counts() -> None:
    stage = Market()
    assert stage.take(tick(5, 1), tick(6, 0), tick(7, 1)) == []
    assert stage.take(contribution("BTC", 7)) == []
    assert stage.take(contribution("BTC", 5)) == [5, 6, 7]


def test_the_slowest_partition_holds_the_market() -> None:
    stage = Market()
    assert stage.take(tick(5, 0, 0, 3), tick(6, 0, 0, 3), tick(5, 0, 1, 3)) == []
    assert stage.take(tick(4, 0, 2, 3)) == [4]
    assert stage.take(tick(5, 0, 2, 3)) == [4, 5]
    assert stage.take(tick(9, 0, 1, 3), tick(9, 0, 2, 3)) == [4, 5, 6]


def test_the_wait_is_from_the_last_applied_second_to_the_newest_tick() -> None:
    stage = Market()
    assert market.waits_s(stage.inputs) == 0
    stage.take(tick(5, 1, 0, 2), tick(9, 1, 0, 2))
    assert market.waits_s(stage.inputs) == 4, "nothing is applied yet: from the oldest tick"
    stage.take(tick(5, 0, 1, 2), tick(40, 0, 1, 2), contribution("BTC", 5))
    assert stage.applied == [5]
    assert market.waits_s(stage.inputs) == 35
    stage.take(contribution("BTC", 9), tick(40, 0, 0, 2))
    assert market.waits_s(stage.inputs) == 0


def test_a_market_that_begins_after_lost_frames_does_not_wait_for_them() -> None:
    stage = Market()
    stage.inputs.sealed = 6
    stage.take(*(tick(second, 1) for second in range(5, 10)))
    assert stage.take(*(contribution("BTC", second) for second in (6, 7, 8))) == [7, 8]


def test_a_partition_may_skip_seconds_that_others_have() -> None:
    stage = Market()
    stage.take(contribution("BTC", 5, 0), tick(5, 1, 0, 2), tick(9, 0, 0, 2))
    stage.take(contribution("SOL", 7, 1), tick(7, 1, 1, 2), tick(9, 0, 1, 2))
    assert stage.applied == [5, 7, 9]


def test_what_comes_again_is_applied_once() -> None:
    stage = Market()
    order = contribution("BTC", 5, cells=(cell(),))
    stage.take(order, order, tick(5, 1), order, tick(5, 1))
    assert stage.applied == [5]
    assert stage.last.cells == (cell(),)
    stage.take(order, tick(5, 1), tick(4, 0), tick(6, 0))
    assert stage.applied == [5, 6]
    assert [m.cells for m in stage.moments] == [(cell(),), ()]


def test_nothing_is_kept_of_a_second_that_was_applied() -> None:
    stage = Market()
    for second in range(100):
        stage.take(contribution("BTC", second, 0), tick(second, 1, 0, 2), tick(second, 0, 1, 2))
    for progress in stage.inputs.partitions.values():
        assert (progress.waiting, progress.ready, progress.got) == ([], [], {})


def test_cells_and_shares_of_all_assets_are_brought_together() -> None:
    stage = Market()
    stage.take(
        contribution("SOL", 5, cells=(cell("short", 30.0, symbol="SOLUSDT"),)),
        contribution("BTC", 5, cells=(cell("long", 20.0), cell("long", 1.0, kind="adl"))),
        tick(5, 2),
    )
    assert [c.symbol for c in stage.last.cells] == ["BTCUSDT", "BTCUSDT", "SOLUSDT"]
    assert [(s.asset, s.long_usd, s.short_usd) for s in stage.last.shares] == [
        ("BTC", 20_000_000, 0),
        ("SOL", 0, 30_000_000),
    ]


def test_open_interest_is_the_sum_of_what_each_asset_said_last() -> None:
    stage = Market()
    stage.take(contribution("BTC", 5, oi_usd=100), contribution("SOL", 5), tick(5, 2))
    assert stage.last.oi_usd == 100
    stage.take(contribution("SOL", 6, oi_usd=7), tick(6, 1))
    assert stage.last.oi_usd == 107


def test_the_price_is_a_weighted_basket_once_all_of_it_is_known() -> None:
    stage = Market()
    prices = {"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0}
    stage.take(contribution("BTC", 5, price=prices["BTC"]), tick(5, 1))
    assert stage.last.price is None
    parts = [contribution(asset, 6, price=prices[asset]) for asset in ("ETH", "SOL", "DOGE")[:2]]
    stage.take(*parts, contribution("DOGE", 6, price=0.1), tick(6, 3))
    weights = PARAMS.basket
    expected = exp(sum(weights[asset] * log(price) for asset, price in prices.items()))
    assert stage.last.price == pytest.approx(expected)
    stage.take(contribution("DOGE", 7, price=0.2), tick(7, 1))
    assert stage.last.price is None
    stage.take(contribution("BTC", 8, price=30_000.0), tick(8, 1))
    assert stage.last.price == pytest.approx(expected * 0.5 ** weights["BTC"])


def test_spot_is_the_same_basket_and_apart_from_the_price() -> None:
    stage = Market()
    parts = [
        msgspec.structs.replace(contribution(asset, 5, price=7.0), spot=spot)
        for asset, spot in (("BTC", 60_000.0), ("ETH", 3_000.0), ("SOL", 150.0))
    ]
    stage.take(*parts, tick(5, 3))
    expected = exp(0.6 * log(60_000.0) + 0.3 * log(3_000.0) + 0.1 * log(150.0))
    assert stage.last.spot == pytest.approx(expected)
    assert stage.last.price == pytest.approx(7.0)
    stage.take(contribution("BTC", 6, price=7.0), tick(6, 1))
    assert stage.last.spot is None


def test_coverage_counts_venues_and_never_partitions() -> None:
    stage = Market()
    both = (SAMPLED, FULL)
    stage.take(contribution("BTC", 5, 0, up=both, known=both), tick(5, 1, 0, 2))
    stage.take(contribution("SOL", 5, 1, up=(FULL,), known=(FULL,)), tick(5, 1, 1, 2))
    assert (stage.last.coverage, stage.last.venues_up) == (1.0, both)
    stage.take(contribution("BTC", 6, 0, up=(FULL,), known=both), tick(6, 1, 0, 2))
    stage.take(tick(6, 0, 1, 2))
    assert (stage.last.coverage, stage.last.venues_all) == (0.5, both)


def test_onsets_are_remembered_for_twenty_minutes() -> None:
    stage = Market()
    stage.take(contribution("BTC", 1000, onsets=(("long", 990),)), tick(1000, 1))
    assert [asset for asset, _, _ in stage.last.onsets] == ["BTC"]
    stage.take(contribution("SOL", 2190, onsets=(("short", 2185),)), tick(2190, 1))
    assert list(stage.last.onsets) == [("BTC", "long", 990), ("SOL", "short", 2185)]
    stage.take(contribution("SOL", 2191), tick(2191, 1))
    assert list(stage.last.onsets) == [("SOL", "short", 2185)]


def test_a_second_before_any_asset_says_nothing() -> None:
    stage = Market()
    assert stage.take(tick(5, 0)) == [5]
    assert stage.moments == []


def test_inputs_survive_their_bytes_in_the_middle_of_a_second() -> None:
    items: list[Tick | Contribution] = [
        contribution("BTC", 5, 0, (cell(),), 100.0, 7, onsets=(("long", 3),)),
        tick(5, 1, 0, 2),
        contribution("SOL", 5, 1),
        tick(6, 0, 0, 2),
        tick(5, 1, 1, 2),
        contribution("BTC", 6, 0),
        tick(6, 0, 1, 2),
    ]
    whole = Market()
    whole.take(*items)
    for cut in range(len(items)):
        stage = Market()
        stage.take(*items[:cut])
        stored = msgspec.msgpack.encode(stage.inputs)
        stage.inputs = msgspec.msgpack.decode(stored, type=MarketInputs)
        stage.take(*items[cut:])
        assert stage.moments == whole.moments
