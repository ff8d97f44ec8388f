"""Outside values (channel `macro`): decoded, kept as-of, and handed to the frames they concern.

Beside the framer. An outside value takes the second of its receipt, as all polled values do; a
frame carries the last one received by its second. Promises that a payload that is no value gets a
reason from the closed list. Optional everywhere: without records, frames carry none.
"""

from math import isfinite
from typing import Final

import msgspec

from streams.core.events import EARLIEST_EVENT_US, LATEST_EVENT_US, MICROS, Macro, Raw, Rejected
from streams.core.frames import MacroValue
from streams.core.normalise import rejection
from streams.core.partition import PartitionState

CHANNEL: Final = "macro"
MAX_NAME: Final = 60
MAX_SERIES: Final = 1_000
"""Series that a partition remembers; a new one beyond them is rejected."""
MAX_AHEAD: Final = 2_000
"""Values of one series that may wait for frames; without frames the oldest are forgotten."""

_decode = msgspec.json.Decoder(list[Macro] | Macro).decode


def record(value: Macro, venue: str, connection: str, received_at_us: int) -> Raw:
    """The raw record that holds a value."""
    return Raw(venue, CHANNEL, connection, received_at_us, msgspec.json.encode(value))


def read(raw: Raw) -> list[Macro] | Rejected:
    """The values of a record: one JSON object, or a list of them."""
    try:
        found = _decode(raw.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return rejection(error, raw.payload)
    values = found if isinstance(found, list) else [found]
    for value in values:
        if not 0 < len(value.series) <= MAX_NAME or len(value.asset or "") > MAX_NAME:
            return Rejected("wrong_type", f"series and asset have 1 to {MAX_NAME} characters")
        if not isfinite(value.value):
            return Rejected("not_finite", f"value of {value.series}")
        if value.at_us is not None and not EARLIEST_EVENT_US <= value.at_us < LATEST_EVENT_US:
            return Rejected("time_out_of_range", f"at_us {value.at_us} is outside 2010..2099")
    return values


def keep(state: PartitionState, value: Macro, received_at_us: int) -> Rejected | None:
    """Remember a value; drops those that no frame can need any more."""
    key = (value.asset or "", value.series)
    known = state.macro.get(key)
    if known is None:
        if len(state.macro) >= MAX_SERIES:
            return Rejected("too_large", f"more than {MAX_SERIES} series")
        known = state.macro[key] = []
    at = received_at_us if value.at_us is None else value.at_us
    known.append((received_at_us // MICROS, MacroValue(value.series, value.value, at)))
    known.sort(key=lambda entry: entry[0])
    open_from = [a.next_second for a in state.assets.values() if a.next_second is not None]
    floor = min(open_from, default=0)
    passed = sum(second <= floor for second, _ in known)
    del known[: max(0, passed - 1, len(known) - MAX_AHEAD)]
    return None


def values(state: PartitionState, asset: str, second: int) -> tuple[MacroValue, ...]:
    """Last values received by `second` (s), of the market and of the asset, by series."""
    found: dict[str, MacroValue] = {}
    for (whose, series), known in state.macro.items():
        if whose in ("", asset) and (series not in found or whose):
            entry = next((value for at, value in reversed(known) if at <= second), None)
            if entry is not None:
                found[series] = entry
    return tuple(found[series] for series in sorted(found))
