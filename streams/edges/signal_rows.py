"""Signals to rows: one table a kind of signal, its columns told by the struct.

Part of the mapping from messages to rows. Promises one column per field under its name; members
of a list of structs are parallel arrays named `field.member`; a list that is null gives empty
arrays. Knows no table by hand: a new signal needs its line in `SIGNAL_TABLES` and its SQL.
"""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from streams.core.results import (
    Alert,
    Conditions,
    Dominance,
    Funding,
    Health,
    Imbalance,
    Liquidity,
    Positioning,
    Regime,
    RegimeResolution,
    RegimeTransition,
    SignalRow,
    Volatility,
    ZoneMap,
)

Row = tuple[Any, ...]

SIGNAL_TABLES: Final[dict[type[SignalRow], str]] = {
    Regime: "regimes",
    RegimeTransition: "regime_transitions",
    RegimeResolution: "regime_resolutions",
    Imbalance: "imbalance",
    Liquidity: "liquidity",
    Conditions: "conditions",
    ZoneMap: "zones",
    Positioning: "positioning",
    Funding: "funding",
    Dominance: "dominance",
    Volatility: "volatility",
    Health: "health",
    Alert: "alerts",
}
"""The table of each kind of signal."""

WIDE: Final = frozenset({"derivatives_usd", "spot_usd"})
"""Sums that pass a trillion dollars: wider decimals than those of single rows."""


def members(struct: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Fields that hold a list of structs, with the struct."""
    found: dict[str, type[msgspec.Struct]] = {}
    for name, hint in get_type_hints(struct).items():
        for arm in (hint, *get_args(hint)):
            inner = get_args(arm)[0] if get_origin(arm) is tuple else None
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                found[name] = inner
    return found


def columns(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Column names of a signal's table, in the order of its rows."""
    nested = members(struct)
    names: list[str] = []
    for field in msgspec.structs.fields(struct):
        inner = nested.get(field.name)
        if inner is None:
            names.append(field.encode_name)
        else:
            names.extend(f"{field.name}.{part.name}" for part in msgspec.structs.fields(inner))
    return tuple(names)


def _maker(struct: type[msgspec.Struct]) -> Callable[[Any], Row]:
    nested = {name: msgspec.structs.fields(inner) for name, inner in members(struct).items()}
    names = [field.name for field in msgspec.structs.fields(struct)]
    values: Callable[[Any], Row] = attrgetter(*names)

    def row(message: Any) -> Row:
        made: list[Any] = []
        for name, value in zip(names, values(message), strict=True):
            if name in nested:
                held = value or ()
                made.extend(tuple(getattr(one, part.name) for one in held) for part in nested[name])
            elif name in WIDE:
                made.append(None if value is None else Decimal(value).scaleb(-6))
            else:
                # An optional list has no null in a column.
                made.append(() if value is None and name in _LISTS else value)
        return tuple(made)

    return row


_LISTS: Final = frozenset({"fuel_below_usd", "fuel_above_usd"})
_makers: Final = {struct: _maker(struct) for struct in SIGNAL_TABLES}


def signal_row(message: SignalRow) -> Row:
    """The row of a signal, in the order of `columns` of its struct."""
    return _makers[type(message)](message)
