"""What a venue's symbol means: asset, contract class and the unit of its sizes.

Pure lookup values; the table itself is read by `streams.venues.catalog`. Promises that a
conversion is exact in Decimal; does not guess a contract size: no row means None.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from streams.core.events import MICROS, Contract

SizeUnit = Literal["base", "contracts", "usd", "quote"]


class Instrument(msgspec.Struct, frozen=True):
    """One tradable symbol.

    `contract_size`: coins per contract (linear, unit `contracts`), dollars per contract
    (inverse), 1 otherwise. `coins_per_unit`: 1000 for `1000PEPEUSDT`, where the venue quotes a
    thousand coins; canonical prices are per coin and quantities in coins, so dollars agree.
    """

    venue: str
    symbol: str
    asset: str
    quote: str
    contract: Contract
    size_unit: SizeUnit
    contract_size: Decimal = Decimal(1)
    coins_per_unit: int = 1

    @property
    def in_dollars(self) -> bool:
        """Whether a size is dollars whatever the price, as of inverse contracts it mostly is."""
        return self.contract == "inverse" and self.size_unit != "base"

    @property
    def micros_per_unit(self) -> float:
        """Micro-dollars of one unit of size at a price of one (inverse: of one unit of size)."""
        return float(self.contract_size * MICROS)

    def price_per_coin(self, price: Decimal) -> Decimal:
        """The venue's price divided down to one coin of `asset`."""
        return price if self.coins_per_unit == 1 else price / self.coins_per_unit

    def base_qty(self, size: Decimal, price: Decimal) -> Decimal | None:
        """Coins of `asset` in a venue size; None for quanto contracts, which have none."""
        if self.contract == "quanto":
            return None
        if self.in_dollars:
            return size * self.contract_size / price
        if self.size_unit == "quote":
            return size / price * self.coins_per_unit
        return size * self.contract_size * self.coins_per_unit

    def usd(self, size: Decimal, price: Decimal) -> int:
        """Notional of a venue size at a venue price, int64 micro-dollars (see micro_usd).

        Inverse contracts are worth dollars whatever the price, unless their sizes are in coins; a
        quanto contract is valued size x price x contract_size, which the venue file must override
        where it is coin.
        """
        if self.in_dollars:
            value = size * self.contract_size
        elif self.size_unit == "quote":
            value = size
        else:
            value = size * self.contract_size * price
        return int((value * MICROS).to_integral_value())


MOST_KNOWN = 100_000
"""Names that are remembered: a flood of invented ones must not fill the memory."""

Rule = Callable[[str], Instrument | None]


class Instruments:
    """Resolves (venue, symbol): first the table, then the venue's rule, else None. Cached."""

    def __init__(
        self, table: Mapping[tuple[str, str], Instrument], rules: Mapping[str, Rule]
    ) -> None:
        self._rules = rules
        self._known: dict[tuple[str, str], Instrument | None] = dict(table)

    def resolve(self, venue: str, symbol: str) -> Instrument | None:
        """The instrument, or None when neither table nor rule knows the symbol."""
        key = (venue, symbol)
        known = self._known.get(key)
        if known is None and key not in self._known:
            rule = self._rules.get(venue)
            known = rule(symbol) if rule else None
            if len(self._known) <= MOST_KNOWN:
                self._known[key] = known
        return known
