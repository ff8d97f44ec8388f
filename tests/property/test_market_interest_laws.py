"""The market's open interest moves with coins: no price, and nobody who joins, can move it."""

from collections.abc import Mapping
from random import Random

import msgspec
import pytest
from hypothesis import given

from streams.core import market
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.interest import SILENT_S
from streams.core.detectors.moment import Moment
from streams.core.events import MICROS
from streams.core.frames import Tick, VenueInterest
from streams.core.market import MarketInputs
from streams.core.market_interest import SETTLE_S, after
from streams.core.results import Contribution
from tests.scenarios import FEW, SEEDS, chance

PARAMS = CascadeParams()
START = 1_790_000_000
ASSETS = ("ADA", "BTC", "ETH")
VENUES = ("bybit", "okx")
Book = Mapping[tuple[str, str], float]


class Market:
    """Market inputs, fed with open interest by (asset, venue)."""

    def __init__(self) -> None:
        self.inputs = MarketInputs()

    def take(self, second: int, coins: Book, prices: Mapping[str, float]) -> Moment:
        """Apply a second in which every asset of `coins` renews its open interest."""
        stamp = (START + second) * MICROS
        assets = sorted({asset for asset, _ in coins})
        for asset in assets:
            interest = tuple(
                VenueInterest(
                    venue,
                    round(held * prices[asset] * MICROS),
                    held,
                    0.0001,
                    28_800,
                    None,
                )
                for (name, venue), held in sorted(coins.items())
                if name == asset
            )
            dollars = sum(one.oi_usd or 0 for one in interest)
            part = Contribution(
                asset, 0, stamp, None, 1.0, VENUES, VENUES, (), (), None, dollars, ()
            )
            market.receive(self.inputs, msgspec.structs.replace(part, interest=interest))
        (applied,) = market.receive(self.inputs, Tick(0, 1, stamp, None, len(assets)))
        moment = market.merge(self.inputs, applied, PARAMS)
        assert moment is not None
        return moment


def book(random: Random) -> dict[tuple[str, str], float]:
    return {(asset, venue): random.uniform(1e3, 1e6) for asset in ASSETS for venue in VENUES}


def quotes(random: Random) -> dict[str, float]:
    return {asset: 10 ** random.uniform(-3, 5) for asset in ASSETS}


def some(random: Random, coins: Book) -> dict[tuple[str, str], float]:
    """A part of the assets, whole, as a second renews them."""
    assets = {asset for asset in ASSETS if random.random() < 0.6} or {ASSETS[0]}
    return {key: held for key, held in coins.items() if key[0] in assets}


def volumes(moment: Moment) -> list[float]:
    assert moment.oi_volume is not None and moment.interest is not None
    return [moment.oi_volume, *(one.oi_base or 0.0 for one in moment.interest)]


@FEW
@given(SEEDS)
def test_prices_alone_never_move_the_volume(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins = book(random)
    before = volumes(stage.take(0, coins, quotes(random)))
    for second in range(SETTLE_S, SETTLE_S + 50):
        moment = stage.take(second, some(random, coins), quotes(random))
        assert volumes(moment) == before
        assert moment.oi_usd == sum(one.oi_usd or 0 for one in moment.interest or ())


@FEW
@given(SEEDS)
def test_every_position_scaled_alike_scales_the_volume_alike(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins = book(random)
    stage.take(0, coins, quotes(random))
    before = volumes(stage.take(SETTLE_S, coins, quotes(random)))
    factor = 1.0
    for second in range(SETTLE_S + 1, SETTLE_S + 40):
        step = random.uniform(0.5, 1.5)
        factor *= step
        coins = {key: held * step for key, held in coins.items()}
        moment = stage.take(second, coins, quotes(random))
        assert volumes(moment) == pytest.approx([one * factor for one in before], rel=1e-5)


@FEW
@given(SEEDS)
def test_a_market_of_one_asset_moves_as_its_coins_do(seed: int) -> None:
    random, stage = chance(seed), Market()
    held = start = random.uniform(1e3, 1e6)
    for second in (0, SETTLE_S, *range(SETTLE_S + 1, SETTLE_S + 60)):
        if second > SETTLE_S:
            held *= random.uniform(0.7, 1.4)
        moment = stage.take(second, {("BTC", "okx"): held}, quotes(random))
    assert moment.oi_volume == pytest.approx(held / start, rel=1e-5)


@FEW
@given(SEEDS)
def test_at_standing_prices_the_volume_moves_as_the_dollars_do(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins, prices = book(random), quotes(random)
    first = stage.take(0, coins, prices)
    stage.take(SETTLE_S, coins, prices)
    for second in range(SETTLE_S + 1, SETTLE_S + 40):
        coins = {key: held * random.uniform(0.8, 1.2) for key, held in coins.items()}
        moment = stage.take(second, coins, prices)
    assert moment.oi_usd is not None and first.oi_usd is not None
    assert moment.oi_volume == pytest.approx(moment.oi_usd / first.oi_usd, rel=1e-6)


@FEW
@given(SEEDS)
def test_an_asset_that_joins_moves_nothing(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins, prices = book(random), quotes(random)
    few = {key: held for key, held in coins.items() if key[0] == "BTC"}
    before = stage.take(0, few, prices).oi_volume
    for second in range(SETTLE_S, 2 * SETTLE_S - 1, 50):
        # Contracts of the others come in one by one: their sums grow, nobody opened them.
        part = {key: held * random.random() for key, held in coins.items() if key[0] != "BTC"}
        assert stage.take(second, {**few, **part}, quotes(random)).oi_volume == before


@FEW
@given(SEEDS)
def test_a_venue_that_says_zero_for_a_while_leaves_no_trace(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins, prices = book(random), quotes(random)
    stage.take(0, coins, prices)
    before = stage.take(SETTLE_S, coins, prices).oi_volume
    silent = {key: 0.0 if key == ("BTC", "okx") else held for key, held in coins.items()}
    stage.take(SETTLE_S + 1, silent, prices)
    assert stage.take(SETTLE_S + 2, coins, prices).oi_volume == pytest.approx(before, rel=1e-9)


def test_funding_by_venue_is_weighted_over_assets() -> None:
    stage = Market()
    first = Contribution("BTC", 0, START * MICROS, None, 1.0, VENUES, VENUES, (), (), None, 4, ())
    btc = VenueInterest("okx", 3 * MICROS, 1.0, 0.0001, 3_600, None)
    eth = VenueInterest("okx", MICROS, 1.0, 0.0004, 28_800, None)
    untold = VenueInterest("okx", 6 * MICROS, 1.0, 0.5, None, None)
    for asset, held in (("BTC", btc), ("ETH", eth), ("SOL", untold)):
        part = msgspec.structs.replace(first, asset=asset, interest=(held,))
        market.receive(stage.inputs, part)
    (applied,) = market.receive(stage.inputs, Tick(0, 1, START * MICROS, None, 3))
    moment = market.merge(stage.inputs, applied, PARAMS)
    assert moment is not None and moment.interest is not None
    (okx,) = moment.interest
    assert (okx.venue, okx.oi_usd, okx.funding_interval_s) == ("okx", 10 * MICROS, 28_800)
    assert okx.funding_rate == pytest.approx((3 * 0.0008 + 0.0004) / 4)
    assert moment.funding_8h == okx.funding_rate


@FEW
@given(SEEDS)
def test_a_venue_that_falls_silent_leaves_the_sums_and_moves_nothing(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins, prices = book(random), quotes(random)
    stage.take(0, coins, prices)
    before = stage.take(SETTLE_S, coins, prices)
    heard = {key: held for key, held in coins.items() if key[1] == "okx"}
    left = stage.take(SETTLE_S + 1, heard, quotes(random))
    assert left.oi_volume == before.oi_volume
    assert left.interest is not None and [one.venue for one in left.interest] == ["okx"]
    # Back with other coins: it joins, and is settling for as long as at first.
    other = {key: held * random.uniform(0.5, 2) for key, held in coins.items() if key not in heard}
    for second in (SETTLE_S + 900, SETTLE_S + 901):
        back = stage.take(second, {**heard, **other}, quotes(random))
        assert back.oi_volume == pytest.approx(before.oi_volume, rel=1e-12)
    assert back.interest is not None and len(back.interest) == 2


@FEW
@given(SEEDS)
def test_an_asset_of_which_nothing_comes_leaves_the_sums_and_moves_nothing(seed: int) -> None:
    random, stage = chance(seed), Market()
    coins, prices = book(random), quotes(random)
    stage.take(0, coins, prices)
    before = stage.take(SETTLE_S, coins, prices)
    heard = {key: held for key, held in coins.items() if key[0] == "BTC"}
    stands = stage.take(SETTLE_S + SILENT_S, heard, prices)
    assert stands.oi_usd == before.oi_usd
    left = stage.take(SETTLE_S + SILENT_S + 60, heard, prices)
    assert left.oi_volume == before.oi_volume
    alone = sum(round(held * prices["BTC"] * MICROS) for held in heard.values())
    assert left.oi_usd == alone == sum(one.oi_usd or 0 for one in left.interest or ())


@FEW
@given(SEEDS)
def test_a_market_that_begins_with_histories_goes_on_from_their_volume(seed: int) -> None:
    random, stage, later = chance(seed), Market(), Market()
    coins, prices = book(random), quotes(random)
    stage.take(0, coins, prices)
    stage.take(SETTLE_S, coins, prices)
    last = stage.take(SETTLE_S + 1, {key: 2 * held for key, held in coins.items()}, prices)
    later.inputs.holdings = after(stage.inputs.holdings)
    assert volumes(later.take(9_000, book(random), quotes(random))) == volumes(last)
