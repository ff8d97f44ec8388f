"""The instrument table: contract sizes that a symbol does not tell.

Read when a program starts, before the first record. The checked-in `instruments.csv` holds the
contracts that need a row (COIN-M, Bybit inverse, BitMEX, swaps of OKX, HTX, KuCoin and Gate); a
table that `marginquake instruments refresh` wrote to MARGINQUAKE_HOME overrides it row by row.
Promises to refuse a table with a doubtful row; keeps one size a symbol, not the history of sizes a
venue has changed.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple, get_args

import msgspec

from streams.core.events import Contract
from streams.core.instruments import Instrument, Instruments, Rule, SizeUnit
from streams.venues import RULES

COLUMNS: Final = (
    "venue",
    "symbol",
    "asset",
    "quote",
    "contract",
    "size_unit",
    "contract_size",
    "coins_per_unit",
    "basis",
)
REFRESHED_NAME: Final = "instruments.csv"


class TableError(ValueError):
    """An instrument table cannot be used; the text names the file, the line and the mend."""


class Entry(NamedTuple):
    """A row: the instrument and what its size rests on.

    `basis`: `documented` (the venue's documentation), `public code` (agreeing tables of public
    clients, not checked against the venue) or `venue` (fetched from the venue itself).
    """

    instrument: Instrument
    basis: str


Table = dict[tuple[str, str], Entry]
"""Entries by (venue, symbol)."""


def read_table(text: str, source: str) -> Table:
    """Entries of a CSV table with a header of COLUMNS.

    Args:
        text: the whole table.
        source: its name for errors.

    Raises:
        TableError: a column is missing or a row is not usable.
    """
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise TableError(f"{source}: columns {', '.join(missing)} are missing; {_MEND}")
    table: Table = {}
    for row in reader:
        try:
            entry = _entry(row)
        except (ValueError, InvalidOperation, TypeError) as error:
            raise TableError(f"{source}:{reader.line_num}: {error}; {_MEND}") from error
        table[entry.instrument.venue, entry.instrument.symbol] = entry
    return table


def write_table(entries: Iterable[Entry]) -> str:
    """The CSV text of the entries, sorted by venue and symbol; `read_table` gives them back."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in sorted(entries, key=_place):
        i = entry.instrument
        size = format(i.contract_size.normalize(), "f")
        cells = (i.venue, i.symbol, i.asset, i.quote, i.contract, i.size_unit, size)
        writer.writerow((*cells, i.coins_per_unit, entry.basis))
    return out.getvalue()


def refreshed_path() -> Path:
    """Where the refreshed table stands: MARGINQUAKE_HOME, `.local` unless set."""
    return Path(os.environ.get("MARGINQUAKE_HOME", ".local")) / REFRESHED_NAME


def packaged_table() -> Table:
    """The checked-in table."""
    file = resources.files("streams.venues") / "instruments.csv"
    return read_table(file.read_text(encoding="utf-8"), "the packaged instruments.csv")


def refreshed_table() -> Table:
    """The table in MARGINQUAKE_HOME, empty when there is none.

    Raises:
        TableError: the file is there and cannot be used.
    """
    path = refreshed_path()
    try:
        return read_table(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: {error}; {_MEND}") from error


def effective_table() -> Table:
    """The packaged rows, overridden by the refreshed ones."""
    return {**packaged_table(), **refreshed_table()}


def default_instruments() -> Instruments:
    """What every part of the program resolves symbols with: the table, then the venues' rules.

    Raises:
        TableError: the refreshed table cannot be used.
    """
    table = {key: entry.instrument for key, entry in effective_table().items()}
    return Instruments(table, {**RULES, "okx": _okx_rule(table)})


_MEND: Final = "delete it and run `marginquake instruments refresh`"
_OKX: Final = re.compile(r"([A-Z0-9]+)-(USDT?|USDC)-(SWAP|\d{6})", re.ASCII)


def _okx_rule(table: Mapping[tuple[str, str], Instrument]) -> Rule:
    """Dated futures of OKX without a row of their own, then spot.

    They take the size of their family's swap, which held for every family looked at; a refresh
    replaces the assumption. A family without a swap in the table has no size.
    """

    def rule(symbol: str) -> Instrument | None:
        match = _OKX.fullmatch(symbol)
        if match is None:
            return RULES["okx"](symbol)
        swap = table.get(("okx", f"{match[1]}-{match[2]}-SWAP"))
        return swap and msgspec.structs.replace(swap, symbol=symbol)

    return rule


def _place(entry: Entry) -> tuple[str, str]:
    return entry.instrument.venue, entry.instrument.symbol


def _entry(row: Mapping[str, str | None]) -> Entry:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    empty = [name for name, cell in cells.items() if not cell]
    if empty:
        raise ValueError(f"{', '.join(empty)} is empty")
    size = Decimal(cells["contract_size"])
    coins = int(cells["coins_per_unit"])
    if not size.is_finite() or size <= 0 or coins <= 0:
        raise ValueError(f"contract_size {size} and coins_per_unit {coins} must be above zero")
    contract, unit = cells["contract"], cells["size_unit"]
    for name, cell, allowed in (
        ("contract", contract, get_args(Contract)),
        ("size_unit", unit, get_args(SizeUnit)),
    ):
        if cell not in allowed:
            raise ValueError(f"{name} is {cell!r}, expected one of {', '.join(allowed)}")
    instrument = Instrument(
        cells["venue"],
        cells["symbol"],
        cells["asset"],
        cells["quote"],
        contract,  # type: ignore[arg-type]
        unit,  # type: ignore[arg-type]
        size,
        coins,
    )
    return Entry(instrument, cells["basis"])
