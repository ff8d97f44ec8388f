"""Conservation laws of the margin engine, and what each of its parts does by itself."""

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("numba")

from streams.config import MarginquakeError
from streams.simulation.accounts import close, enqueue, place, sweep
from streams.simulation.assets import chosen
from streams.simulation.book import displacement, median, thinned
from streams.simulation.forced import ADL, BACKSTOP, ON_BOOK, execute
from streams.simulation.funding import next_rate, pay_funding
from streams.simulation.law import Law
from streams.simulation.market import Market, Opening
from streams.simulation.plan import calm
from streams.simulation.state import Block, Floats, State, Terms, block, copied, empty, terms

ASSETS = chosen(2)
CROWDED = Opening(1.0, 3.0, 0.02)
WORD = np.uint64(12345)


def crash(seed: int = 3, steps: int = 900, **changes: float) -> Market:
    """A crowded market that is pushed down 4 % within five minutes."""
    plan = calm(steps, 2, 3)
    plan.drift[120:420] -= 0.04 / 300
    return Market(ASSETS, Law(**changes), plan, seed, 1_794_960_000, CROWDED)


def coins_of(market: Market) -> Floats:
    """Signed coins of everybody, [K, V]; zero when each long has its short."""
    state, pool = market.state, market.terms.pool
    total = state.maker[:, :, 0] + state.backstop[:, :, 0]
    for a in range(pool.shape[0]):
        for v in range(pool.shape[1]):
            part = slice(pool[a, v, 0], pool[a, v, 1])
            total[a, v] += (state.side[part] * state.coins[part]).sum()
            total[a, v] += (state.cross_coins[v] * (state.cross_asset[v] == a)).sum()
            head, length = state.waiting[a, v]
            rows = (head + np.arange(length)) % state.queue.shape[2]
            total[a, v] += state.queue[a, v, rows, 0].sum()
    return total


def dollars_of(state: State) -> float:
    """Cash of everybody, the cost of open positions taken off."""
    total = (state.margin - state.side * state.coins * state.entry)[state.coins > 0].sum()
    total += state.wallet.sum() - (state.cross_coins * state.cross_entry).sum()
    total += state.maker[:, :, 1].sum() + state.fund.sum() - state.backstop[:, :, 1].sum()
    for a in range(state.waiting.shape[0]):
        for v in range(state.waiting.shape[1]):
            head, length = state.waiting[a, v]
            rows = (head + np.arange(length)) % state.queue.shape[2]
            total -= (state.queue[a, v, rows, 0] * state.queue[a, v, rows, 1]).sum()
    return float(total)


RICH = {"fund": 1.0, "backstop": 1.0}
POOR = {"fund": 0.00002, "backstop": 0.00001}


@pytest.fixture(scope="module", params=[RICH, POOR], ids=["rich", "poor"])
def crashed(request: pytest.FixtureRequest) -> tuple[Market, list[int]]:
    market = crash(**request.param)
    kinds = [0, 0, 0]
    for _, _, orders, out in market.blocks(900):
        for kind in (ON_BOOK, BACKSTOP, ADL):
            kinds[kind] += int((out.place[:orders, 3] == kind).sum())
    return market, kinds


def test_every_long_has_its_short(crashed: tuple[Market, list[int]]) -> None:
    market, kinds = crashed
    assert kinds[ON_BOOK] > 500
    scale = market.terms.interest / market.terms.price
    assert np.abs(coins_of(market) / scale[:, None]).max() < 1e-9
    held = market.state.held
    gap = held[:, :, 0] - held[:, :, 1] + market.state.maker[:, :, 0]
    assert np.abs(gap / scale[:, None]).max() < 1e-9


def test_dollars_come_only_from_deposits_and_leave_only_by_withdrawals(
    crashed: tuple[Market, list[int]],
) -> None:
    state = crashed[0].state
    deposited, withdrawn = state.flows
    assert withdrawn > 0
    assert dollars_of(state) == pytest.approx(deposited - withdrawn, rel=1e-9)


def test_deleveraging_begins_only_where_fund_or_backstop_are_spent(
    crashed: tuple[Market, list[int]],
) -> None:
    market, kinds = crashed
    small = market.law.fund < 0.001
    assert (kinds[ADL] > 0) == small


def test_one_seed_gives_one_market_however_it_is_cut() -> None:
    whole, pieces, other = crash(), crash(), crash(seed=4)
    for _ in whole.blocks(300, 300):
        pass
    for _ in range(3):
        for _ in pieces.blocks(100, 37):
            pass
    for _ in other.blocks(300):
        pass
    # The block's own count of orders starts again with each block.
    whole.state.clock[1] = pieces.state.clock[1] = 0
    for name, one, two in zip(State._fields, whole.state, pieces.state, strict=True):
        assert np.asarray(one).tobytes() == np.asarray(two).tobytes(), name
    assert not np.array_equal(whole.state.price, other.state.price)


def test_a_fork_without_changes_repeats_its_market() -> None:
    market = crash()
    for _ in market.blocks(200):
        pass
    fork = market.fork()
    for _ in market.blocks(100):
        pass
    for _ in fork.blocks(100):
        pass
    assert np.array_equal(market.state.price, fork.state.price)
    assert np.array_equal(market.state.coins, fork.state.coins)


def test_without_impact_forced_orders_move_nothing() -> None:
    market = crash()
    for _ in market.blocks(150):
        pass
    fork = market.fork(forced_impact=0.0)
    for _ in market.blocks(300):
        pass
    for _ in fork.blocks(300):
        pass
    assert (market.state.price < fork.state.price)[:, :3].all()


def test_too_many_assets_for_long_steps_are_refused() -> None:
    with pytest.raises(MarginquakeError, match="fewer assets"):
        Market(chosen(10), Law(step_s=60.0), calm(5, 10, 3), 1, 0)


Bench = tuple[State, Terms, Law]


@pytest.fixture
def bench() -> Bench:
    law = Law(stops=0.0)
    given = terms(ASSETS, law)
    return empty(given, law), given, law


def opened(bench: Bench, side: int = 1, cls: int = 4, entry: float = 91_400.0) -> int:
    """Open an account on the first venue; gives its slot."""
    state, given, law = bench
    before = state.coins.copy()
    assert place(state, given, law, 0, 0, side, cls, entry, entry, entry, 1e9, WORD)
    return int(np.nonzero(state.coins != before)[0][0])


def test_an_account_is_called_when_the_mark_reaches_its_call_and_not_before(bench: Bench) -> None:
    state, given, _ = bench
    slot = opened(bench)
    call = state.call[slot]
    state.mark[0, 0] = state.price[0, 0] = call * 1.000001
    sweep(state, given, 0, 0, -1.0)
    assert state.coins[slot] > 0
    coins = state.coins[slot]
    bankrupt = state.entry[slot] - state.margin[slot] / coins
    state.mark[0, 0] = call
    sweep(state, given, 0, 0, -1.0)
    assert state.coins[slot] == 0
    assert state.waiting[0, 0, 1] == 1
    assert state.queue[0, 0, 0].tolist() == pytest.approx([coins, bankrupt, 0.0])


def test_the_last_price_alone_calls_nobody(bench: Bench) -> None:
    state, given, _ = bench
    slot = opened(bench)
    state.price[0, 0] = state.call[slot] * 0.9
    sweep(state, given, 0, 0, -1.0)
    assert state.coins[slot] > 0
    assert state.waiting[0, 0, 1] == 0


def test_a_closed_account_takes_its_margin_and_profit(bench: Bench) -> None:
    state, given, _ = bench
    slot = opened(bench)
    margin, coins = state.margin[slot], state.coins[slot]
    flow = close(state, given, 0, 0, slot, 92_400.0)
    assert state.flows[1] == pytest.approx(margin + coins * 1_000.0)
    assert flow == pytest.approx(-coins * 92_400.0)
    assert state.maker[0, 0, 0] == 0.0


def forced_out(bench: Bench, coins: float, bankrupt: float) -> Block:
    """Send one queued position; the book holds a hundred million."""
    state, given, law = bench
    out = block(given, 1)
    enqueue(state, 0, 0, coins, bankrupt, 0)
    execute(state, given, law, out, 0, 0, 1e8, 1e8, 1, 0)
    return out


def test_what_is_left_above_bankruptcy_goes_to_the_fund(bench: Bench) -> None:
    state = bench[0]
    before = state.fund[0]
    out = forced_out(bench, 0.05, 90_000.0)
    assert out.place[0].tolist() == [0, 0, 1, ON_BOOK]
    coins, fill, bankrupt = out.order[0]
    assert (coins, bankrupt) == (0.05, 90_000.0)
    assert 91_000 < fill < 91_400
    assert state.fund[0] - before == pytest.approx(coins * (fill - bankrupt))
    assert state.imbalance[0, 0] == pytest.approx(-coins * 91_400.0)


def test_an_order_beyond_its_bankruptcy_price_goes_to_the_backstop(bench: Bench) -> None:
    state = bench[0]
    out = forced_out(bench, 0.05, 91_500.0)
    assert out.place[0, 3] == BACKSTOP
    assert state.backstop[0, 0].tolist() == pytest.approx([0.05, 0.05 * 91_500.0])
    assert state.imbalance[0, 0] == 0.0


def test_without_a_fund_the_best_opposite_account_is_deleveraged(bench: Bench) -> None:
    state = bench[0]
    poor = opened(bench, side=-1, cls=2, entry=92_000.0)
    rich = opened(bench, side=-1, cls=6, entry=96_000.0)
    state.fund[0] = 0.0
    held = state.coins[rich]
    out = forced_out(bench, 0.5 * held, 91_500.0)
    assert out.place[0, 3] == ADL
    assert state.coins[rich] == pytest.approx(0.5 * held)
    assert state.coins[poor] > 0
    assert state.imbalance[0, 0] == 0.0


def test_funding_moves_dollars_from_longs_to_the_other_side(bench: Bench) -> None:
    state, given, law = bench
    slot = opened(bench)
    margin, call = state.margin[slot], state.call[slot]
    state.rate[:] = 0.0003
    maker = state.maker[0, 0, 1]
    pay_funding(state, given, law)
    paid = state.coins[slot] * 91_400.0 * 0.0003
    assert margin - state.margin[slot] == pytest.approx(paid)
    assert state.maker[0, 0, 1] - maker == pytest.approx(paid)
    assert state.call[slot] > call


@pytest.mark.parametrize(
    ("premium", "rate"), [(0.0, 0.0001), (0.0003, 0.0001), (0.002, 0.0015), (-0.001, -0.0005)]
)
def test_the_next_funding_rate_follows_the_venues_rule(premium: float, rate: float) -> None:
    assert next_rate(premium, 0.0001) == pytest.approx(rate)


def test_impact_is_concave_and_odd() -> None:
    law = Law(impact=1.0)
    assert displacement(law, 1e8, 1e8) == pytest.approx(0.01)
    assert displacement(law, 2e8, 1e8) == pytest.approx(0.01 * 2**0.87)
    assert displacement(law, -1e8, 1e8) == -displacement(law, 1e8, 1e8)
    assert displacement(law, 0.0, 1e8) == 0.0


def test_depth_withdraws_faster_than_it_returns() -> None:
    law = Law()
    down = thinned(law, 0.0, 100.0)
    up = thinned(law, -1.0, 1.0) + 1.0
    assert down < 0 < up < -down


def test_depth_comes_near_its_least_and_never_below() -> None:
    law = Law(withdraw=2.0, least_depth=0.05)
    thin, lowest = 0.0, 0.0
    for _ in range(600):
        thin = thinned(law, thin, 1e9)
        lowest = min(lowest, thin)
    assert np.log(0.05) < lowest < np.log(0.051)
    mild = 0.0
    for _ in range(600):
        mild = thinned(law, mild, 1.1)
    assert mild == pytest.approx(-np.log(1.1), rel=0.02)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1), (2, 2, 1)])
def test_a_mark_is_the_middle_of_three(order: tuple[float, float, float]) -> None:
    assert median(*order) == sorted(order)[1]


def test_a_snapshot_shares_nothing(bench: Bench) -> None:
    state = bench[0]
    snapshot: Callable[[State], State] = copied
    other = snapshot(state)
    other.price[0, 0] = 1.0
    assert state.price[0, 0] == 91_400.0


def test_a_call_that_finds_a_full_queue_goes_to_the_backstop_and_is_counted() -> None:
    market = crash()
    market.state.waiting[0, 0, 1] = market.state.queue.shape[2]
    assert market.turned_away == 0
    enqueue(market.state, 0, 0, -1.0, 100.0, 0)
    assert market.turned_away == 1
    assert market.state.backstop[0, 0].tolist() == [-1.0, -100.0]
