"""Venue parsers by venue id: of each family a module, or a package where a file would be too long.

Facts about a venue stand in its docstring, how it is talked to in `wire` and beside it
(docs/decisions/venue-files.md).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from msgspec.structs import asdict

from streams.core.instruments import Rule
from streams.core.lanes import VenueParser
from streams.core.normalise import Parser
from streams.venues import (
    binance,
    bitget,
    bitmex,
    bybit,
    coinbase,
    deribit,
    dydx,
    gate,
    htx,
    hyperliquid,
    kraken,
    kucoin,
    okx,
)
from streams.venues.assumptions import DOCUMENTED, Assumptions


def parsers_of(assumed: Assumptions) -> Mapping[str, Parser]:
    """Parser by venue id, with what is assumed where no venue documents it."""
    return {
        **{venue: VenueParser(binance.parse, binance.TRADES[venue]) for venue in binance.VENUES},
        **{
            venue: VenueParser(partial(bitget.parse, assumed=assumed.bitget), bitget.TRADES[venue])
            for venue in bitget.VENUES
        },
        **dict.fromkeys(bitmex.VENUES, VenueParser(bitmex.parse)),
        **dict.fromkeys(
            bybit.VENUES, VenueParser(partial(bybit.parse, **asdict(assumed.bybit)), bybit.TRADES)
        ),
        **dict.fromkeys(
            coinbase.VENUES, VenueParser(partial(coinbase.parse, **asdict(assumed.coinbase)))
        ),
        **dict.fromkeys(deribit.VENUES, VenueParser(deribit.parse, deribit.TRADES)),
        **dict.fromkeys(dydx.VENUES, VenueParser(dydx.parse)),
        **{
            venue: VenueParser(partial(gate.parse, assumed=assumed.gate), gate.TRADES[venue])
            for venue in gate.VENUES
        },
        **dict.fromkeys(htx.VENUES, VenueParser(partial(htx.parse, **asdict(assumed.htx)))),
        **dict.fromkeys(hyperliquid.VENUES, VenueParser(hyperliquid.parse, hyperliquid.TRADES)),
        **dict.fromkeys(kraken.VENUES, VenueParser(kraken.parse, kraken.TRADES)),
        **dict.fromkeys(kucoin.VENUES, VenueParser(kucoin.parse)),
        **dict.fromkeys(okx.VENUES, VenueParser(okx.parse, okx.TRADES)),
    }


PARSERS: Final[Mapping[str, Parser]] = parsers_of(DOCUMENTED)
"""Parser by venue id, as documented; a process takes its own from `streams.parsing`."""

RULES: Final[Mapping[str, Rule]] = {
    **binance.RULES,
    **bitget.RULES,
    **bitmex.RULES,
    **bybit.RULES,
    **coinbase.RULES,
    **deribit.RULES,
    **dydx.RULES,
    **gate.RULES,
    **htx.RULES,
    **hyperliquid.RULES,
    **kraken.RULES,
    **okx.RULES,
}
"""What symbols tell by their name alone, by venue id; those of KuCoin tell no size."""

FORCED_ON_TAPE: Final = frozenset({"deribit", "kraken", "dydx"})
"""Venues that mark forced fills among their trades: who has all their trades has those too."""

WITNESSES: Final[Mapping[str, Callable[[bytes], str | None]]] = {
    gate.symbols.FUTURES: gate.witness,
    "kraken": kraken.witness,
}
"""By venue, the symbol of a message that has no event and that is kept all the same: a check of the
framer reads it, or it is counted as a position closed by force beside the book."""
