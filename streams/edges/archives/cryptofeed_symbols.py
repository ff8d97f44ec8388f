"""cryptofeed's names of exchanges and contracts, as the venues name them.

Beside `cryptofeed`. Promises a name only where it follows from cryptofeed's alone; whether there
is such a contract, the instrument table tells.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from streams.venues.fields import bad, shown

_SYMBOL: Final = re.compile(
    r"([A-Z0-9]{1,24})-([A-Z0-9]{2,8})(?:-(PERP)|-(\d\d)([FGHJKMNQUVXZ])(\d\d))?", re.ASCII
)
_MONTHS: Final = dict(zip("FGHJKMNQUVXZ", range(1, 13), strict=True))
_WORDS: Final = (
    "",
    *["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
)


class _Contract:
    """The parts of a name; `day` is `YYMMDD` of a dated future, empty of all else."""

    def __init__(self, match: re.Match[str]) -> None:
        base, quote, perpetual, year, letter, day = match.groups()
        self.base: str = base
        self.quote: str = quote
        self.perpetual = perpetual is not None
        self.spot = perpetual is None and year is None
        self.year: str = year or ""
        self.letter: str = letter or ""
        self.day = f"{year}{_MONTHS[letter]:02d}{day}" if letter else ""
        self.written = f"{int(day)}{_WORDS[_MONTHS[letter]]}{year}" if letter else ""


Naming = Callable[[_Contract], tuple[str, str] | None]


def _binance_futures(c: _Contract) -> tuple[str, str] | None:
    return None if c.spot else ("binance-usdm", c.base + c.quote + (c.day and f"_{c.day}"))


def _binance_delivery(c: _Contract) -> tuple[str, str] | None:
    return None if c.spot else ("binance-coinm", f"{c.base}{c.quote}_{c.day or 'PERP'}")


def _bybit(c: _Contract) -> tuple[str, str] | None:
    if c.spot:
        return "bybit-spot", c.base + c.quote
    if c.day:
        return ("bybit", f"{c.base}USD{c.letter}{c.year}") if c.quote == "USD" else None
    return "bybit", f"{c.base}PERP" if c.quote == "USDC" else c.base + c.quote


def _okx(c: _Contract) -> tuple[str, str]:
    pair = f"{c.base}-{c.quote}"
    return "okx", pair if c.spot else f"{pair}-{c.day or 'SWAP'}"


def _bitmex(c: _Contract) -> tuple[str, str] | None:
    base = "XBT" if c.base == "BTC" else c.base
    if c.spot:
        return None
    return "bitmex", f"{base}{c.letter}{c.year}" if c.day else base + c.quote


def _deribit(c: _Contract) -> tuple[str, str] | None:
    if c.spot:
        return None
    base = c.base if c.quote == "USD" else f"{c.base}_{c.quote}"
    return "deribit", f"{base}-{c.written or 'PERPETUAL'}"


def _gate(c: _Contract) -> tuple[str, str] | None:
    return ("gate", f"{c.base}_{c.quote}") if c.perpetual else None


def _huobi_swap(c: _Contract) -> tuple[str, str] | None:
    return ("htx", f"{c.base}-{c.quote}") if c.perpetual else None


def _bitget(c: _Contract) -> tuple[str, str] | None:
    if c.spot:
        return "bitget-spot", c.base + c.quote
    name = f"{c.base}PERP" if c.quote == "USDC" else c.base + c.quote
    return ("bitget", name) if c.perpetual else None


def _spot(venue: str, between: str) -> Naming:
    return lambda c: (venue, f"{c.base}{between}{c.quote}") if c.spot else None


EXCHANGES: Final[Mapping[str, Naming]] = {
    "BINANCE": _spot("binance-spot", ""),
    "BINANCE_DELIVERY": _binance_delivery,
    "BINANCE_FUTURES": _binance_futures,
    "BITGET": _bitget,
    "BITMEX": _bitmex,
    "BYBIT": _bybit,
    "COINBASE": _spot("coinbase", "-"),
    "DERIBIT": _deribit,
    "GATEIO": _spot("gate-spot", "_"),
    "GATEIO_FUTURES": _gate,
    "HUOBI_SWAP": _huobi_swap,
    "OKX": _okx,
}
"""Kraken is not here: cryptofeed gives PI_ and PF_ contracts, of other units, one name."""


def native(exchange: str, symbol: str) -> tuple[str, str]:
    """The venue and its own name of a contract.

    Raises:
        BadField: unknown_venue or unknown_instrument.
    """
    naming = EXCHANGES.get(exchange)
    if naming is None:
        raise bad("unknown_venue", f"exchange {shown(exchange)} is none that is read")
    match = _SYMBOL.fullmatch(symbol)
    found = None if match is None else naming(_Contract(match))
    if found is None:
        raise bad("unknown_instrument", f"{exchange} {shown(symbol)} has no name at its venue")
    return found
