"""A small simulated market of ten assets with one long cascade, second by second.

The source behind the demo's hour; `generator` turns it into venue messages. It is a toy and says
so: prices are a common factor with noise; leveraged longs sit below the opening price at a given
density and are sold when it is passed; their sale moves the price, thins the books and reaches
more of them. It does not model margin tiers, insurance funds, auto-deleveraging, funding
payments, stop orders, arbitrage between venues or any trader's intent, and is no evidence about
markets. Promises the same seconds for the same seed.
"""

import math
import random
from collections.abc import Iterator
from typing import Final

import msgspec

from streams.core.events import MICROS, PositionSide
from streams.simulation.orders import VENUES, Forced, Print, Venue


class Asset(msgspec.Struct, frozen=True):
    """One coin: opening price in USD, response to the common factor, and its size.

    `decimals`: of prices; `interest_usd`: one-sided open interest over the venues, USD;
    `forced_share`: of the market's levered longs; `order_usd`: median forced order;
    `calls_per_s`: ordinary forced orders a second, side and venue; `prints_per_s`: trades.
    """

    name: str
    price: float
    decimals: int
    beta: float
    interest_usd: float
    forced_share: float
    order_usd: float
    calls_per_s: float
    prints_per_s: float
    okx: bool = False


ASSETS: Final = (
    Asset("BTC", 91_400.0, 1, 1.0, 14e9, 0.38, 6e3, 0.012, 2.0, okx=True),
    Asset("ETH", 3_120.0, 2, 1.25, 9e9, 0.26, 4e3, 0.012, 1.6, okx=True),
    Asset("SOL", 138.0, 3, 1.5, 3e9, 0.10, 2.5e3, 0.006, 0.8, okx=True),
    Asset("XRP", 2.21, 5, 1.4, 1.6e9, 0.07, 1.5e3, 0.004, 0.5, okx=True),
    Asset("DOGE", 0.1612, 6, 1.6, 0.9e9, 0.05, 1.2e3, 0.003, 0.4, okx=True),
    Asset("BNB", 884.0, 2, 0.9, 0.9e9, 0.04, 1.5e3, 0.002, 0.3),
    Asset("ADA", 0.482, 4, 1.5, 0.5e9, 0.025, 1.2e3, 0.002, 0.3),
    Asset("LINK", 13.9, 3, 1.5, 0.45e9, 0.025, 1.2e3, 0.002, 0.3),
    Asset("AVAX", 15.1, 3, 1.6, 0.4e9, 0.02, 1.2e3, 0.002, 0.25),
    Asset("SUI", 1.92, 4, 1.8, 0.5e9, 0.03, 1.2e3, 0.003, 0.3),
)

SHARE: Final[dict[Venue, float]] = {"binance-usdm": 0.5, "bybit": 0.32, "okx": 0.18}
"""Shares of business where an asset trades at all three."""

SIGMA_BP: Final = 0.8
"""Noise of the common factor per second; of an asset of its own the half."""
SHOCK_AT_S: Final = 35 * 60
SHOCK_S: Final = 180
SHOCK_BP: Final = 160.0
"""An outside sale: this many basis points over SHOCK_S seconds from SHOCK_AT_S on."""
ONSET_BP, FULL_BP, THIN_BP, DONE_BP = 60.0, 110.0, 220.0, 300.0
"""Levered longs begin, are densest, thin out and end so far below the opening price."""
DENSITY_USD: Final = 1.0e6
"""Forced dollars per basis point of the common factor where they are densest."""
RELEASE_S: Final = 40.0
"""A called position is sold within seconds: each second sells 1/RELEASE_S of those waiting."""
IMPACT_BP: Final = 0.35
"""Basis points that a million forced dollars moves the common factor at ordinary depth."""
LASTING: Final = 0.5
"""Share of the impact that stays; the rest fades with FADE_S."""
FADE_S: Final = 420.0
THIN_USD: Final = 18e6
"""Forced dollars a minute that take half of what the books can lose."""
LEAST_DEPTH: Final = 0.25
"""Depth that stays, against ordinary depth."""
RUSH_SIZE: Final = (1.0, 1.6, 2.5e6)
ORDINARY_SIZE: Final = (0.5, 1.2, 120e3)
"""Forced orders: median against `order_usd`, sigma of the logarithm, largest in USD."""
BANKRUPTCY_BP: Final = 35.0
"""A bankruptcy price lies so far beyond the fill."""
FOLLOWERS: Final = 2.5
"""Coins that are closed by choice for every coin that is closed by force."""


class Second(msgspec.Struct, frozen=True):
    """One second (`second`, s): prices at its end, depth against ordinary, what happened.

    `interest`: coins of open interest by (venue, asset name); `busy`: forced dollars a minute.
    """

    second: int
    prices: dict[str, float]
    depth: float
    busy: float
    forced: list[Forced]
    prints: list[Print]
    interest: dict[tuple[Venue, str], float]


def trades_on(asset: Asset, venue: Venue) -> bool:
    """Whether the venue lists the asset here."""
    return venue != "okx" or asset.okx


def venue_share(asset: Asset, venue: Venue) -> float:
    """The venue's part of the asset's business."""
    if not trades_on(asset, venue):
        return 0.0
    return SHARE[venue] / sum(SHARE[v] for v in VENUES if trades_on(asset, v))


class Market:
    """The market's state between two seconds."""

    def __init__(self, seed: int, began: int) -> None:
        """Open the market at second `began` (s)."""
        self._rng = random.Random(seed)  # noqa: S311  a simulation, not a secret
        self._second = began
        self._began = began
        self._factor = 0.0
        self._lowest = -ONSET_BP
        self._fading = 0.0
        self._waiting = 0.0
        self._busy = 0.0
        self._sold = 0.0
        self._own = {asset.name: 0.0 for asset in ASSETS}
        self._owed = {asset.name: 0.0 for asset in ASSETS}
        self._prices = {asset.name: asset.price for asset in ASSETS}
        self._interest: dict[tuple[Venue, str], float] = {
            (venue, asset.name): asset.interest_usd / asset.price * venue_share(asset, venue)
            for asset in ASSETS
            for venue in VENUES
            if trades_on(asset, venue)
        }

    def seconds(self, count: int) -> Iterator[Second]:
        """The next `count` seconds."""
        for _ in range(count):
            yield self._next()

    def _next(self) -> Second:
        before = self._prices
        depth = LEAST_DEPTH + (1 - LEAST_DEPTH) / (1 + self._busy / THIN_USD)
        step = self._move(depth)
        self._prices = self._quote()
        forced = self._sales(before) + self._ordinary(before)
        self._sold = sum(order.usd for order in forced if order.side == "long")
        self._sold -= sum(order.usd for order in forced if order.side == "short")
        self._busy += (60 * max(0.0, self._sold) - self._busy) / 45
        prints = [*self._tape(before, step), *map(_print_of, forced)]
        self._settle(forced)
        second, self._second = self._second, self._second + 1
        return Second(second, self._prices, depth, self._busy, forced, prints, dict(self._interest))

    def _move(self, depth: float) -> float:
        """Advance the common factor (basis points from the opening); gives the step."""
        elapsed = self._second - self._began
        impact = -IMPACT_BP * self._sold / 1e6 / depth
        fade = self._fading / FADE_S
        self._fading += (1 - LASTING) * impact - fade
        step = self._rng.gauss(0.0, SIGMA_BP * min(2.0, 1 / math.sqrt(depth))) + impact - fade
        if SHOCK_AT_S <= elapsed < SHOCK_AT_S + SHOCK_S:
            step -= SHOCK_BP / SHOCK_S
        self._factor += step
        if self._factor < self._lowest:
            self._waiting += _stock(-self._lowest, -self._factor)
            self._lowest = self._factor
        return step

    def _quote(self) -> dict[str, float]:
        quotes = {}
        for asset in ASSETS:
            own = self._own[asset.name] * 0.999 + self._rng.gauss(0.0, SIGMA_BP / 2)
            self._own[asset.name] = own
            bp = asset.beta * self._factor + own
            quotes[asset.name] = asset.price * math.exp(bp / 10_000)
        return quotes

    def _sales(self, before: dict[str, float]) -> list[Forced]:
        """Called longs that are sold this second, cut into orders."""
        budget = self._waiting / RELEASE_S
        self._waiting -= budget
        orders: list[Forced] = []
        for asset in ASSETS:
            self._owed[asset.name] += budget * asset.forced_share
            while self._owed[asset.name] > 0:
                order = self._order(asset, self._pick(asset), "long", before)
                self._owed[asset.name] -= order.usd
                orders.append(order)
        return orders

    def _ordinary(self, before: dict[str, float]) -> list[Forced]:
        """Single calls of either side that have no common cause."""
        orders: list[Forced] = []
        sides: tuple[PositionSide, ...] = ("long", "short")
        for asset in ASSETS:
            for venue in VENUES:
                rate = 3 * asset.calls_per_s * venue_share(asset, venue)
                for side in sides:
                    orders += [
                        self._order(asset, venue, side, before, ORDINARY_SIZE)
                        for _ in range(self._count(rate))
                    ]
        return orders

    def _order(
        self,
        asset: Asset,
        venue: Venue,
        side: PositionSide,
        before: dict[str, float],
        size: tuple[float, float, float] = RUSH_SIZE,
    ) -> Forced:
        median, sigma, largest = size
        usd = min(largest, median * asset.order_usd * math.exp(self._rng.gauss(0.0, sigma)))
        at_us, price = self._when(asset, before)
        slip = -1 if side == "long" else 1
        fill = price * (1 + slip * self._rng.uniform(1, 6) / 10_000)
        bankruptcy = fill * (1 + slip * self._rng.uniform(0.5, 1.5) * BANKRUPTCY_BP / 10_000)
        return Forced(at_us, venue, asset, side, usd / fill, fill, bankruptcy)

    def _tape(self, before: dict[str, float], step: float) -> Iterator[Print]:
        """Trades by choice: thinner and larger than real ones, leaning with the move."""
        lively = 1 + min(5.0, self._busy / 6e6)
        lean = 0.5 + 0.3 * math.tanh(step / 2)
        for asset in ASSETS:
            for venue in VENUES:
                rate = asset.prints_per_s * venue_share(asset, venue) * lively
                for _ in range(self._count(rate)):
                    at_us, price = self._when(asset, before)
                    buys = self._rng.random() < lean
                    price *= 1 + (0.5 if buys else -0.5) / 10_000
                    usd = 2 * asset.order_usd * math.exp(self._rng.gauss(0.0, 1.2))
                    yield Print(at_us, venue, asset, buys, usd / price, price)

    def _when(self, asset: Asset, before: dict[str, float]) -> tuple[int, float]:
        """A time of this second and the price then."""
        part = self._rng.random()
        opened, closed = before[asset.name], self._prices[asset.name]
        at_us = self._second * MICROS + int(part * 1000) * 1000
        return at_us, opened + (closed - opened) * part

    def _pick(self, asset: Asset) -> Venue:
        draw = self._rng.random()
        for venue in VENUES:
            draw -= venue_share(asset, venue)
            if draw < 0:
                return venue
        return "binance-usdm"

    def _settle(self, forced: list[Forced]) -> None:
        for order in forced:
            closed = order.coins * (1 + FOLLOWERS)
            self._interest[order.venue, order.asset.name] -= closed if self._busy > 1e6 else 0.0
        for key, coins in self._interest.items():
            self._interest[key] = coins * (1 + self._rng.gauss(0.0, 1e-6))

    def _count(self, rate: float) -> int:
        """A Poisson number (rate well below ten)."""
        limit, product, count = math.exp(-rate), self._rng.random(), 0
        while product > limit:
            product *= self._rng.random()
            count += 1
        return count


def _print_of(order: Forced) -> Print:
    """A forced order is on the tape as a taker."""
    return Print(
        order.at_us, order.venue, order.asset, order.side == "short", order.coins, order.fill
    )


def _stock(above: float, below: float) -> float:
    """Dollars of levered longs between two distances under the opening price, bp."""
    return DENSITY_USD * (_area(below) - _area(above))


def _area(bp: float) -> float:
    """Integral of the density's shape from 0 to `bp`: a ramp, a plateau, a ramp down."""
    rise = min(max(bp - ONSET_BP, 0.0), FULL_BP - ONSET_BP)
    flat = min(max(bp - FULL_BP, 0.0), THIN_BP - FULL_BP)
    fall = min(max(bp - THIN_BP, 0.0), DONE_BP - THIN_BP)
    return (
        rise * rise / (2 * (FULL_BP - ONSET_BP))
        + flat
        + fall
        - fall * fall / (2 * (DONE_BP - THIN_BP))
    )
