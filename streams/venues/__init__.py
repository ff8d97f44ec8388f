"""Venue parsers: one file per venue family; facts about the venue stand in its docstring."""

from collections.abc import Mapping

from streams.core.lanes import VenueParser
from streams.core.normalise import Parser
from streams.venues import binance, bybit, okx

PARSERS: Mapping[str, Parser] = {
    **{venue: VenueParser(binance.parse, binance.TRADES[venue]) for venue in binance.VENUES},
    **dict.fromkeys(bybit.VENUES, VenueParser(bybit.parse, bybit.TRADES)),
    **dict.fromkeys(okx.VENUES, VenueParser(okx.parse, okx.TRADES)),
}
"""Parser by venue id."""
