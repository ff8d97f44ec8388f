"""Public instrument lists of the venues, as rows of the instrument table.

Stands between a venue's REST answer and `streams.venues.catalog`. Promises only rows whose asset
and contract size the venue states outright; says what it skipped and why. Fetches nothing itself.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from streams.core.events import Contract
from streams.core.instruments import Instrument
from streams.venues import kraken, kucoin
from streams.venues.catalog import Entry
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    decimal,
    flag,
    given,
    positive,
    present,
    shown,
    text,
)
from streams.venues.gate.symbols import future as gate_future
from streams.venues.multiples import listed

_DERIBIT_DOLLARS: Final = ("USDC", "USDT")
_KRAKEN_CLASSES: Final[Mapping[str, Contract]] = {
    "flexible_futures": "linear",
    "futures_inverse": "inverse",
    "perpetual_inverse": "inverse",
}


class Listing(NamedTuple):
    """Rows of one answer, and a line for each row that could not be used."""

    entries: list[Entry]
    problems: list[str]


def read_listing(venue: str, payload: bytes) -> Listing:
    """The rows of one REST answer.

    Args:
        venue: a key of `listed_at.URLS`.
        payload: the answer as it came.

    Raises:
        ValueError: the answer is not the venue's instrument list.
    """
    try:
        answer = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    path, read = _SHAPES[venue]
    rows = answer
    for key in path:
        rows = rows.get(key) if isinstance(rows, dict) else None
    if not isinstance(rows, list):
        place = f"under {'.'.join(path)!r}" if path else "of rows"
        raise ValueError(f"no array {place}; {_complaint(answer)}")
    listing = Listing([], [])
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise bad("wrong_type", f"row is {shown(row)}, expected an object")
            instrument = read(row)
        except BadField as error:
            listing.problems.append(f"{_name(row)}: {error.outcome}")
            continue
        if instrument is not None:
            listing.entries.append(Entry(instrument, "venue"))
    return listing


def _binance_coinm(row: Row) -> Instrument | None:
    size = positive(row, "contractSize")
    symbol, asset, quote = text(row, "symbol"), text(row, "baseAsset"), text(row, "quoteAsset")
    return Instrument("binance-coinm", symbol, asset, quote, "inverse", "contracts", size)


_BITMEX_CONTRACTS: Final = ("FFWCSX", "FFCCSX")
"""Perpetual and dated contracts; the list holds spot pairs, indices and currencies too."""
_BITMEX_QUOTES: Final = ("USD", "USDT", "USDC")
_SATOSHIS: Final = Decimal(10**8)


def _bitmex(row: Row) -> Instrument | None:
    if text(row, "typ") not in _BITMEX_CONTRACTS:
        return None
    symbol, underlying, quote = (
        text(row, key) for key in ("symbol", "underlying", "quoteCurrency")
    )
    if quote not in _BITMEX_QUOTES:
        raise bad("wrong_type", f"quoted in {quote[:40]}, which is no dollar")
    asset, units = listed("BTC" if underlying == "XBT" else underlying)
    if row.get("isInverse") is True:
        minor = abs(decimal(row, "underlyingToSettleMultiplier"))
        size = abs(decimal(row, "multiplier")) / minor if minor else minor
        if size <= 0:
            raise bad("not_positive", "a multiplier is zero")
        return Instrument("bitmex", symbol, asset, quote, "inverse", "contracts", size, units)
    if row.get("isQuanto") is True:
        settled = text(row, "settlCurrency")
        if settled != "XBt":
            raise bad("wrong_type", f"pays {settled[:40]} by another coin's price, no unit rule")
        size = positive(row, "multiplier") / _SATOSHIS
        return Instrument("bitmex", symbol, asset, quote, "quanto", "contracts", size, units)
    size = 1 / positive(row, "underlyingToPositionMultiplier")
    return Instrument("bitmex", symbol, asset, quote, "linear", "contracts", size, units)


_GATE_QUOTES: Final = ("USDT", "USDC", "USD1")


def _gate(row: Row) -> Instrument | None:
    symbol, kind = text(row, "name"), text(row, "type")
    inverse = gate_future(symbol)
    if inverse is not None:
        return inverse
    base, _, quote = symbol.rpartition("_")
    if kind != "direct" or quote not in _GATE_QUOTES or not base:
        raise bad("wrong_type", f"{kind[:40]} contract quoted in {quote[:40]}, no unit rule")
    asset, units = listed(base)
    size = positive(row, "quanto_multiplier")
    return Instrument("gate", symbol, asset, quote, "linear", "contracts", size, units)


def _bybit_inverse(row: Row) -> Instrument | None:
    if not text(row, "contractType").startswith("Inverse"):
        return None
    symbol, asset, quote = text(row, "symbol"), text(row, "baseCoin"), text(row, "quoteCoin")
    return Instrument("bybit", symbol, asset, quote, "inverse", "usd")


def _deribit(row: Row) -> Instrument | None:
    if text(row, "kind") != "future":
        return None
    symbol, asset = text(row, "instrument_name"), text(row, "base_currency")
    quote, kind = text(row, "quote_currency"), text(row, "instrument_type")
    if kind == "reversed" and quote == "USD":
        return Instrument("deribit", symbol, asset, quote, "inverse", "usd")
    if kind == "linear" and quote in _DERIBIT_DOLLARS:
        return Instrument("deribit", symbol, asset, quote, "linear", "base")
    raise bad("wrong_type", f"{kind} contract quoted in {quote}, which has no unit rule")


def _kraken(row: Row) -> Instrument | None:
    """A contract whose class its name and its type agree on; indices are not tradeable."""
    if row.get("tradeable") is False:
        return None
    symbol, kind = text(row, "symbol").upper(), text(row, "type")
    ruled = kraken.rule(symbol)
    if ruled is None or ruled.contract != _KRAKEN_CLASSES.get(kind):
        raise bad("wrong_type", f"{kind} contract, which its name does not say")
    size = positive(row, "contractSize")
    asset = kraken.coin(text(row, "base")) if present(row, "base") else ruled.asset
    unit = ruled.size_unit if size == 1 else "contracts"
    return Instrument("kraken", symbol, asset, "USD", ruled.contract, unit, size)


def _htx(row: Row) -> Instrument | None:
    """`contract_size` is coins of a contract against USDT, dollars of one against USD."""
    symbol, size = text(row, "contract_code"), positive(row, "contract_size")
    base, _, rest = symbol.partition("-")
    asset, units = listed(base)
    quote = rest.partition("-")[0]
    if quote == "USD":
        return Instrument("htx", symbol, asset, quote, "inverse", "contracts", size)
    if quote in ("USDT", "USDC"):
        return Instrument("htx", symbol, asset, quote, "linear", "contracts", size, units)
    raise bad("wrong_type", f"a contract against {quote!r}, which has no unit rule")


def _kucoin(row: Row) -> Instrument | None:
    """`multiplier` is coins, or dollars with the sign turned where `isInverse`."""
    symbol, quote = text(row, "symbol"), text(row, "quoteCurrency")
    asset, units = kucoin.coin(text(row, "baseCurrency"))
    size = decimal(row, "multiplier")
    if flag(row, "isInverse") and quote == "USD" and size:
        return Instrument("kucoin", symbol, asset, quote, "inverse", "contracts", abs(size))
    if not flag(row, "isInverse") and quote in ("USDT", "USDC") and size > 0:
        return Instrument("kucoin", symbol, asset, quote, "linear", "contracts", size, units)
    raise bad("wrong_type", f"a contract of {size} against {quote!r}, which has no unit rule")


def _okx(row: Row) -> Instrument | None:
    if not present(row, "ctType"):
        return None
    symbol, kind, unit = text(row, "instId"), text(row, "ctType"), text(row, "ctValCcy")
    family = text(row, "instFamily" if present(row, "instFamily") else "uly")
    asset, _, quote = family.partition("-")
    size = positive(row, "ctVal")
    if present(row, "ctMult"):
        size *= positive(row, "ctMult")
    if kind == "linear" and unit == asset:
        return Instrument("okx", symbol, asset, quote, "linear", "contracts", size)
    if kind == "inverse" and unit == "USD":
        return Instrument("okx", symbol, asset, quote, "inverse", "contracts", size)
    raise bad("wrong_type", f"{kind} contract valued in {unit}, which has no unit rule")


_SHAPES: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Row], Instrument | None]]]] = {
    "binance-coinm": (("symbols",), _binance_coinm),
    "bitmex": ((), _bitmex),
    "bybit": (("result", "list"), _bybit_inverse),
    "deribit": (("result",), _deribit),
    "gate": ((), _gate),
    "htx": (("data",), _htx),
    "kraken": (("instruments",), _kraken),
    "kucoin": (("data",), _kucoin),
    "okx": (("data",), _okx),
}


def _name(row: object) -> str:
    if isinstance(row, dict):
        for key in ("contract_code", "symbol", "instId", "instrument_name", "name"):
            if isinstance(row.get(key), str):
                return str(row[key])[:40]
    return "a row without a name"


def _complaint(answer: object) -> str:
    """What the venue said instead, for instance a refusal by country."""
    if isinstance(answer, dict):
        for key in ("msg", "retMsg", "error", "err_msg", "message"):
            if isinstance(answer.get(key), str) and answer[key]:
                return f"the venue says {shown(given(answer, key))}"
    return "is this the venue's instrument list?"
