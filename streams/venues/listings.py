"""Public instrument lists of the venues, as rows of the instrument table.

Stands between a venue's REST answer and `streams.venues.catalog`. Promises only rows whose asset
and contract size the venue states outright; says what it skipped and why. Fetches nothing itself.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from streams.core.instruments import Instrument
from streams.venues.catalog import Entry
from streams.venues.fields import BadField, Row, bad, given, positive, present, shown, text

URLS: Final[Mapping[str, tuple[str, ...]]] = {
    "binance-coinm": ("https://dapi.binance.com/dapi/v1/exchangeInfo",),
    "bybit": ("https://api.bybit.com/v5/market/instruments-info?category=inverse&limit=1000",),
    "okx": (
        "https://www.okx.com/api/v5/public/instruments?instType=SWAP",
        "https://www.okx.com/api/v5/public/instruments?instType=FUTURES",
    ),
}
"""The answers to fetch, by venue; the other venues' symbols tell everything by their name."""


class Listing(NamedTuple):
    """Rows of one answer, and a line for each row that could not be used."""

    entries: list[Entry]
    problems: list[str]


def read_listing(venue: str, payload: bytes) -> Listing:
    """The rows of one REST answer.

    Args:
        venue: a key of URLS.
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
        raise ValueError(f"no array under {'.'.join(path)!r}; {_complaint(answer)}")
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


def _bybit_inverse(row: Row) -> Instrument | None:
    if not text(row, "contractType").startswith("Inverse"):
        return None
    symbol, asset, quote = text(row, "symbol"), text(row, "baseCoin"), text(row, "quoteCoin")
    return Instrument("bybit", symbol, asset, quote, "inverse", "usd")


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
    "bybit": (("result", "list"), _bybit_inverse),
    "okx": (("data",), _okx),
}


def _name(row: object) -> str:
    if isinstance(row, dict):
        for key in ("symbol", "instId"):
            if isinstance(row.get(key), str):
                return str(row[key])[:40]
    return "a row without a name"


def _complaint(answer: object) -> str:
    """What the venue said instead, for instance a refusal by country."""
    if isinstance(answer, dict):
        for key in ("msg", "retMsg"):
            if isinstance(answer.get(key), str) and answer[key]:
                return f"the venue says {shown(given(answer, key))}"
    return "is this the venue's instrument list?"
