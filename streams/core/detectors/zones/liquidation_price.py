"""The price at which an isolated position is liquidated: exact, for linear and inverse contracts.

Beside the data path: the liquidation map projects positions with it. A venue closes a position
when its margin falls to `rate * notional - amount` (maintenance margin, by notional tier). Promises
the exact root of that equation, checked by its residual in tests/property. Cross margin, funding
paid and added margin are not in public data and not in here. Definition: docs/definitions/zones.md.
"""

import msgspec

from streams.core.events import PositionSide


class MarginTier(msgspec.Struct, frozen=True):
    """Maintenance margin of positions from `floor_usd` of notional up to the next tier.

    `rate`: maintenance margin over notional. `amount`: USD taken off, which makes the margin
    continuous where tiers meet (Binance: maintenance amount, `cum`; Bybit: deduction).
    `max_leverage`: the most that the venue grants in the tier.
    """

    floor_usd: float
    rate: float
    amount: float
    max_leverage: float


def margin_tiers(*rows: tuple[float, float, float]) -> tuple[MarginTier, ...]:
    """Tiers from (floor in USD, rate, maximal leverage); their amounts follow from continuity.

    >>> rows = (0, 0.004, 125), (50_000, 0.005, 100), (600_000, 0.0065, 75)
    >>> [round(tier.amount, 6) for tier in margin_tiers(*rows)]
    [0.0, 50.0, 950.0]
    """
    tiers: list[MarginTier] = []
    rate = amount = 0.0
    for floor, next_rate, leverage in rows:
        amount += floor * (next_rate - rate)
        rate = next_rate
        tiers.append(MarginTier(floor, rate, amount, leverage))
    return tuple(tiers)


def tier_of(tiers: tuple[MarginTier, ...], notional_usd: float) -> MarginTier:
    """The tier of a notional: the last whose floor it reaches."""
    return next((tier for tier in reversed(tiers) if tier.floor_usd <= notional_usd), tiers[0])


def linear_price(
    side: PositionSide,
    entry: float,
    leverage: float,
    rate: float,
    amount: float = 0.0,
    quantity: float = 1.0,
) -> float | None:
    """Liquidation price of a contract that is margined and settled in its quote currency.

    Args:
        side: of the position.
        entry: entry price, USD per coin.
        leverage: entry notional over margin.
        rate: maintenance margin over notional.
        amount: maintenance amount, USD.
        quantity: coins.

    Returns:
        USD per coin; None where no positive price liquidates the position.

    >>> [round(linear_price("long", 60_000, 10, 0.005, amount), 3) for amount in (0, 50)]
    [54271.357, 54221.106]
    >>> round(linear_price("short", 60_000, 10, 0.005), 6)
    65671.641791
    >>> linear_price("long", 60_000, 1, 0.005) is None
    True
    """
    given = amount / (quantity * entry)
    if side == "long":
        price = entry * (1 - 1 / leverage - given) / (1 - rate)
    else:
        price = entry * (1 + 1 / leverage + given) / (1 + rate)
    return price if price > 0 else None


def inverse_price(
    side: PositionSide,
    entry: float,
    leverage: float,
    rate: float,
    amount: float = 0.0,
    notional_usd: float = 1.0,
) -> float | None:
    """Liquidation price of a contract worth fixed dollars that is margined in its coin.

    `amount` is in coins, `notional_usd` the dollars of all contracts held; the other arguments and
    the result are those of `linear_price`.

    >>> round(inverse_price("long", 60_000, 10, 0.005), 6)
    54818.181818
    >>> round(inverse_price("short", 60_000, 10, 0.005), 6)
    66333.333333
    >>> inverse_price("short", 60_000, 1, 0.005) is None
    True
    """
    given = amount * entry / notional_usd
    if side == "long":
        return entry * (1 + rate) / (1 + 1 / leverage + given)
    margin = 1 - 1 / leverage - given
    return entry * (1 - rate) / margin if margin > 0 else None
