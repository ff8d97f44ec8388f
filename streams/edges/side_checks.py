"""Assumed sides held against a witness while records come: counted, and told once a symbol.

Beside the data path: the framer, `live` and `replay` show it what they frame, so that the same
words come from each. Promises that nothing is altered: a contradiction calls an operator, who sets
the assumption.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from streams.core.events import Raw
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.parsing import VARIABLE
from streams.telemetry import SIDES_CHECKED
from streams.venues.assumptions import Assumptions
from streams.venues.bybit import interest
from streams.venues.coinbase_sides import AdvancedSideCheck
from streams.venues.gate import signs
from streams.venues.gate.symbols import FUTURES as GATE
from streams.venues.sides import SideCheck

ASSUMED: Final[Mapping[str, str]] = {
    GATE: "gate.negative",
    "bybit": "bybit.interest_sides",
    "coinbase": "coinbase.advanced_side",
}
"""The assumption that a venue's check judges."""

_SUBJECT: Final[Mapping[str, Callable[[bytes], str | None]]] = {
    GATE: signs.counted,
    "bybit": interest.told_of,
}
"""By venue, the symbol of a message that leads to a verdict; without it a venue is told of once."""


class SideChecks:
    """What holds the sides that parsers assume against a witness.

    Args:
        parsers: those in force, with their assumptions.
        instruments: contract sizes.
        assumed: what they assume.
        warn: given the words of each symbol's first contradiction.
    """

    def __init__(
        self,
        parsers: Mapping[str, Parser],
        instruments: Instruments,
        assumed: Assumptions,
        warn: Callable[[str], None],
    ) -> None:
        self._checks: Mapping[str, SideCheck] = {
            GATE: signs.SignCheck(parsers[GATE], instruments),
            "bybit": interest.InterestCheck(assumed.bybit.interest_sides),
            "coinbase": AdvancedSideCheck(assumed.coinbase.advanced_side),
        }
        self._warn = warn
        self._warned: set[tuple[str, str | None]] = set()

    def see(self, raw: Raw) -> None:
        """Take a record, in the order in which they came."""
        check = self._checks.get(raw.venue)
        if check is None:
            return
        for verdict in check.see(raw):
            SIDES_CHECKED.labels(venue=raw.venue, verdict=verdict).inc()
            if verdict == "contradicts":
                self._tell(raw)

    def see_all(self, raws: Iterable[Raw]) -> None:
        """Take records, in the order in which they came."""
        for raw in raws:
            self.see(raw)

    def _tell(self, raw: Raw) -> None:
        subject = _SUBJECT.get(raw.venue)
        symbol = None if subject is None else subject(raw.payload)
        if (raw.venue, symbol) in self._warned:
            return
        self._warned.add((raw.venue, symbol))
        self._warn(
            f"{raw.venue}{f' {symbol}' if symbol else ''}: what the venue says contradicts "
            f"{ASSUMED[raw.venue]}; figures are left as they are, {VARIABLE} sets another value"
        )
