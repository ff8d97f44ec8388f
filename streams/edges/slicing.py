"""Cuts a message of several assets into one message per asset, in the venue's own envelope.

Used where a message goes to Kafka, whose raw topic is keyed by asset. Promises that rows keep
their original bytes and their order, and that rows of one symbol stay together, so that ids
which count equal rows of a message do not change.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from streams.core.events import Raw
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import PARSERS

UNKNOWN: Final = "?"
"""Stands for the asset of rows that have none."""

_PLACES: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("data",),
    ("params", "data"),
    ("result", "trades"),
    ("data", "fills"),
    ("events",),
)
"""Where the rows of a message of several assets may stand: Deribit's under `params` or, polled,
`result`, Hyperliquid's fills of an account or of a node's block under `fills` and `events`."""

Wrap = Callable[[list[bytes]], bytes]


def slices(raw: Raw, instruments: Instruments) -> list[tuple[str, bytes]]:
    """(asset, message) for each asset of the message, in order of first appearance.

    The rows are the elements of a top-level array, or of an array in the envelope (`_PLACES`). A
    message of another shape comes back whole under its first asset.
    """
    found = _rows(raw.payload)
    if found is None:
        return [(_asset(raw, instruments), raw.payload)]
    rows, wrap = found
    groups: dict[str, list[bytes]] = {}
    for row in rows:
        part = msgspec.structs.replace(raw, payload=wrap([row]))
        groups.setdefault(_asset(part, instruments), []).append(row)
    if not groups:
        return [(UNKNOWN, raw.payload)]
    return [(asset, wrap(members)) for asset, members in groups.items()]


def _asset(raw: Raw, instruments: Instruments) -> str:
    outcomes = normalise(raw, PARSERS, instruments)
    assets = (getattr(outcome, "asset", None) for outcome in outcomes)
    return next((asset for asset in assets if asset is not None), UNKNOWN)


def _rows(payload: bytes) -> tuple[list[bytes], Wrap] | None:
    for place in _PLACES:
        try:
            return _inside(payload, place)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            continue
    return None


def _inside(payload: bytes, place: Sequence[str]) -> tuple[list[bytes], Wrap]:
    """The array's elements, and what puts some of them in their place again."""
    if not place:
        items = msgspec.json.decode(payload, type=list[msgspec.Raw])
        return [bytes(item) for item in items], lambda rows: b"[" + b",".join(rows) + b"]"
    key, *rest = place
    envelope = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    rows, inner = _inside(bytes(envelope[key]), rest)

    def wrap(rows: list[bytes]) -> bytes:
        return msgspec.json.encode({**envelope, key: msgspec.Raw(inner(rows))})

    return rows, wrap
