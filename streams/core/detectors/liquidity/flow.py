"""Price impact of taker flow, and how fast a book refills after a large taker second.

Used by the liquidity detector. Promises that everything fades with event time, so that seconds
without trades may be skipped, and that a figure is None until it rests on enough of them.
Signed flow: taker buys less taker sells, USD millions. Changes: log price, basis points.
"""

from math import log, log1p

import msgspec

from streams.core.detectors.liquidity.params import LiquidityParams

_MICROS_PER_MILLION = 1e12


def change_bp(before: float, after: float) -> float:
    """Log price change in basis points, exact for small ones too.

    >>> round(change_bp(100.0, 101.0), 3)
    99.503
    """
    if 0.5 < after / before < 2.0:
        return log1p((after - before) / before) * 1e4
    return (log(after) - log(before)) * 1e4


class Impact(msgspec.Struct, array_like=True):
    """Kyle's lambda: regression of price changes on signed flow, through the origin.

    `pq`, `qq`: faded sums of change x flow and flow squared; `n`: faded count; `at`: second they
    are faded to. `price`, `price_at`: last price; `flow`: micro-dollars since.
    """

    pq: float = 0.0
    qq: float = 0.0
    n: float = 0.0
    at: int = 0
    price: float = 0.0
    price_at: int = 0
    flow: float = 0.0

    def price_of(self, second: int, price: float, params: LiquidityParams) -> None:
        """Take a price; the flow up to and with its second must have been added.

        >>> impact = Impact()
        >>> for second in range(40):
        ...     impact.flow += 2_000_000 * 1_000_000  # two million dollars bought
        ...     impact.price_of(second, 100.0 * 1.0006**second, LiquidityParams())
        >>> round(impact.value(LiquidityParams()), 3)  # 6 bp on 2 million
        2.999
        """
        if self.price > 0 and second - self.price_at <= params.price_gap_s and self.flow:
            flow = self.flow / _MICROS_PER_MILLION
            kept = 0.5 ** ((second - self.at) / params.kyle_half_life_s)
            self.pq = self.pq * kept + change_bp(self.price, price) * flow
            self.qq = self.qq * kept + flow * flow
            self.n = self.n * kept + 1.0
            self.at = second
        self.price, self.price_at, self.flow = price, second, 0.0

    def value(self, params: LiquidityParams) -> float | None:
        """Lambda, bp per million USD; None below `kyle_least` effective observations."""
        if self.n < params.kyle_least or self.qq <= 0:
            return None
        return self.pq / self.qq

    def value_at(self, second: int, params: LiquidityParams) -> float | None:
        """Lambda as known at a second: the observations go on fading."""
        kept = 0.5 ** (max(0, second - self.at) / params.kyle_half_life_s)
        return self.value(params) if self.n * kept >= params.kyle_least else None


class Refill(msgspec.Struct, array_like=True):
    """Ordinary size of a taker second, and the refill after the last large one.

    `squares`: faded sum of squared flow (USD millions), `since`: first second seen, `at`: second
    it is faded to. `bid`, `ask`: depth (micro-dollars) when last seen, at `seen`. A measurement
    in progress: `started` (0: none), `asks` or bids, its trough and the depth before. The last
    one measured: `half_life` (-1: not refilled in time) at `measured` (0: none).
    """

    squares: float = 0.0
    since: int = 0
    at: int = 0
    bid: float = 0.0
    ask: float = 0.0
    seen: int = 0
    started: int = 0
    asks: bool = False
    before: float = 0.0
    trough: float = 0.0
    half_life: int = -1
    measured: int = 0

    def large(self, second: int, flow: int, params: LiquidityParams) -> bool:
        """Take a second's signed flow (micro-dollars); is it a large one?"""
        if not self.since:
            self.since = self.at = second
        dollars = flow / _MICROS_PER_MILLION
        kept = 0.5 ** ((second - self.at) / params.flow_half_life_s)
        self.squares, self.at = self.squares * kept, second
        life = params.flow_half_life_s / 0.6931471805599453
        spent = life * (1.0 - 0.5 ** ((second - self.since) / params.flow_half_life_s))
        bound = params.shock_sigmas * params.shock_sigmas
        large: bool = (
            spent >= params.flow_least_s and dollars * dollars * spent > bound * self.squares
        )
        self.squares += dollars * dollars
        return large

    def depth(
        self,
        second: int,
        bid: float,
        ask: float,
        large: bool,
        bought: bool,
        params: LiquidityParams,
    ) -> None:
        """Take the depth at the end of a second.

        Args:
            second: s.
            bid: micro-dollars.
            ask: micro-dollars.
            large: the second was a large taker second.
            bought: its takers bought on balance.
            params: of the definition.
        """
        if self.started and second - self.started > params.refill_within_s:
            self.measured, self.half_life, self.started = second, -1, 0
        if self.started:
            now = ask if self.asks else bid
            self.trough = min(self.trough, now)
            if 2 * now >= self.before + self.trough:
                self.half_life, self.measured = second - self.started, second
                self.started = 0
        elif large and self.seen and second - self.seen <= params.enter_s:
            before, now = (self.ask, ask) if bought else (self.bid, bid)
            if now <= params.shock_dent * before:
                self.started, self.asks, self.before, self.trough = second, bought, before, now
        self.bid, self.ask, self.seen = bid, ask, second

    def told(self, second: int, params: LiquidityParams) -> tuple[float | None, str]:
        """The last half-life in s; or None and the reason."""
        if not self.measured or second - self.measured > params.refill_stands_s:
            return None, "no_large_taker_second"
        if self.half_life < 0:
            return None, "not_refilled_in_time"
        return float(self.half_life), ""
