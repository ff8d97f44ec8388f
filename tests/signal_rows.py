"""Rows and minutes of a scope, built by hand for tests of the detectors that read other rows.

`row` fills what a test does not name: None for what may be unknown, empty for the rest.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from schemas.results import validate_result
from streams.core.detectors.minutes import Forced, Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS, PositionSide
from streams.core.frames import MacroValue, VenueTrades
from streams.core.results import CascadeWindow, Result, SignalRow
from streams.core.rowmeta import RowMeta
from tests.seconds import START

META = RowMeta("test", "test", 0)

R = TypeVar("R", bound=SignalRow)


def row(kind: type[R], at: int = 0, scope: str = "BTC", **fields: Any) -> R:
    """A row of `kind` that speaks for second `at` after START."""
    tag = str(kind.__struct_config__.tag)
    head = Origin(f"{tag}/1", scope, META).head(tag, START + at, 1.0)
    return kind(**{**_blank(kind), **head, **fields})


@cache
def _blank(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: _empty(hint) for name, hint in hints.items() if name not in ("null_reasons", "v")}


def _empty(hint: Any) -> Any:
    if type(None) in get_args(hint):
        return None
    plain = get_origin(hint) or hint
    return get_args(hint)[0] if plain not in (dict, tuple, float, int, str, bool) else plain()


def readings(*rows: SignalRow) -> Readings:
    """A board on which the rows stand."""
    board = Readings()
    board.note(list[Any](rows))
    return board


def minute(
    start: int,
    price: float | None = 100.0,
    *,
    high: float | None = None,
    low: float | None = None,
    forced: dict[PositionSide, float] | None = None,
    taker: float | None = None,
    coverage: float = 1.0,
    up: tuple[str, ...] = ("bybit",),
    known: tuple[str, ...] = ("bybit",),
    oi_volume: float | None = None,
    funding_8h: float | None = None,
    macro: Sequence[MacroValue] = (),
    scope: str = "BTC",
) -> Minute:
    """A closed minute from second `start` after START; dollars in USD."""
    orders = tuple(
        Forced("bybit", side, 1, round(usd * MICROS), 0.0, 1, None, "unknown")
        for side, usd in sorted((forced or {}).items())
    )
    trades = (
        () if taker is None else (VenueTrades("bybit", "derivative", round(taker * MICROS), 0),)
    )
    return Minute(
        scope=scope,
        start=START + start,
        coverage=coverage,
        venues_up=up,
        venues_all=known,
        open=price,
        high=high if high is not None else price,
        low=low if low is not None else price,
        close=price,
        price=price,
        oi_usd=None,
        oi_volume=oi_volume,
        funding_8h=funding_8h,
        interest=(),
        forced=orders,
        trades=trades,
        bids=(),
        asks=(),
        books=(),
        macro={value.series: value for value in macro},
    )


def window(at: int, **fields: Any) -> CascadeWindow:
    """A cascade window of BTC longs as of second `at` after START, begun at 0."""
    values = {
        **_blank(CascadeWindow),
        "id": "window",
        "revision": at,
        "definition": "cascade/1",
        "scope": "BTC",
        "coverage": 1.0,
        "watermark": (START + at) * MICROS,
        "side": "long",
        "window_class": "burst",
        "phase": "acceleration",
        "onset": START * MICROS,
        "detected_at": (START + 10) * MICROS,
        "peak_at": START * MICROS,
        "usd_observed": 10**12,
        "confidence": 0.7,
        "null_reasons": {},
    }
    return CascadeWindow(**{**values, **fields})


def valid(rows: Sequence[Result]) -> list[Result]:
    """The rows, after their models have accepted them."""
    for one in rows:
        validate_result(one)
    return list(rows)
