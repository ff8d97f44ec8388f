"""Cuts a message of several assets into one message per asset, in the venue's own envelope.

Used where a message goes to Kafka, whose raw topic is keyed by asset. Promises that rows keep
their original bytes and their order, and that rows of one symbol stay together, so that ids
which count equal rows of a message do not change.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from streams.core.events import Raw
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import PARSERS

UNKNOWN: Final = "?"
"""Stands for the asset of rows that have none."""

Wrap = Callable[[list[bytes]], bytes]


def slices(raw: Raw, instruments: Instruments) -> list[tuple[str, bytes]]:
    """(asset, message) for each asset of the message, in order of first appearance.

    The rows are the elements of a top-level array, or of the envelope's `data` array. A message
    of another shape comes back whole under its first asset.
    """
    try:
        rows, wrap = _rows(raw.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return [(_asset(raw, instruments), raw.payload)]
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


def _rows(payload: bytes) -> tuple[list[bytes], Wrap]:
    if payload.lstrip().startswith(b"["):
        items = msgspec.json.decode(payload, type=list[msgspec.Raw])
        return [bytes(item) for item in items], lambda rows: b"[" + b",".join(rows) + b"]"
    envelope = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    items = msgspec.json.decode(envelope["data"], type=list[msgspec.Raw])

    def wrap(rows: list[bytes]) -> bytes:
        data = msgspec.Raw(b"[" + b",".join(rows) + b"]")
        return msgspec.json.encode({**envelope, "data": data})

    return [bytes(item) for item in items], wrap
