"""Venue parsers: one file per venue family; facts about the venue stand in its docstring."""

from collections.abc import Mapping

from streams.core.normalise import Parser
from streams.venues import binance, bybit, okx

PARSERS: Mapping[str, Parser] = {
    **dict.fromkeys(binance.VENUES, binance.parse),
    **dict.fromkeys(bybit.VENUES, bybit.parse),
    **dict.fromkeys(okx.VENUES, okx.parse),
}
"""Parser by venue id."""
