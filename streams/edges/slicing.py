"""Cuts a message of several assets into one message per asset, in the venue's own envelope.

Used where a message goes to Kafka, whose raw topic is keyed by asset. Promises that rows keep
their original bytes and their order, and that rows of one symbol stay together, so that ids
which count equal rows of a message do not change. A packed message leaves as its text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from streams.core.events import Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.parsing import parsers
from streams.venues.packed import unpacked

UNKNOWN: Final = "?"
"""Stands for the asset of rows that have none."""

_MEMBERS: Final = None
_PLACES: Final[Mapping[str, Any]] = {
    "data": {"fills": {}},
    "params": {"data": {}},
    "result": {"trades": {}},
    "events": {"trades": {}, "tickers": {}},
    "markets": _MEMBERS,
    "contents": dict.fromkeys(("markets", "trading", "oraclePrices"), _MEMBERS),
}
"""Where rows stand, by name: under one is an array of rows, or of objects with places of their own;
or, where `_MEMBERS` says so, an object whose members are rows."""


class _Meta(msgspec.Struct, frozen=True):
    """The first half of Hyperliquid's `metaAndAssetCtxs`; the second are their contexts."""

    universe: list[msgspec.Raw]


Around = Callable[[Sequence[int]], bytes]
"""What leaves a value around some of its rows, by ascending index."""


class _Parts:
    """Values that have rows, one after another, and whose row is which."""

    def __init__(self) -> None:
        self.owners: list[int] = []
        self._parts: list[tuple[int, Around]] = []

    def add(self, count: int, around: Around) -> None:
        """The next value; it has `count` rows."""
        self.owners += [len(self._parts)] * count
        self._parts.append((len(self.owners) - count, around))

    def around(self, kept: Sequence[int]) -> dict[int, bytes]:
        """By number, the values that have rows to keep, around these."""
        own: dict[int, list[int]] = {}
        for index in kept:
            number = self.owners[index]
            own.setdefault(number, []).append(index - self._parts[number][0])
        return {number: self._parts[number][1](rows) for number, rows in own.items()}


def slices(raw: Raw, instruments: Instruments) -> list[tuple[str, bytes]]:
    """(asset, message) for each asset of the message, in order of first appearance.

    The rows are the elements of a top-level array, or stand in the envelope where `_PLACES` says,
    or in two arrays side by side (`_Meta`). A message of another shape comes back whole under its
    first asset.
    """
    text = unpacked(raw.payload)
    payload = raw.payload if isinstance(text, Rejected) else text
    try:
        count, around = _beside(payload) or _cut(payload, _PLACES)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        count = 0
    if not count:
        return [(_asset(raw, payload, instruments), payload)]
    groups: dict[str, list[int]] = {}
    for index in range(count):
        groups.setdefault(_asset(raw, around([index]), instruments), []).append(index)
    return [(asset, around(kept)) for asset, kept in groups.items()]


def _asset(raw: Raw, payload: bytes, instruments: Instruments) -> str:
    part = msgspec.structs.replace(raw, payload=payload)
    outcomes = normalise(part, parsers(), instruments)
    assets = (getattr(outcome, "asset", None) for outcome in outcomes)
    return next((asset for asset in assets if asset is not None), UNKNOWN)


def _beside(payload: bytes) -> tuple[int, Around] | None:
    """How many coins a polled answer of Hyperliquid tells of, and what leaves it of some of them.

    What else `_Meta` holds stays out: repeated for each coin it would be most of every part.
    """
    if not payload.lstrip().startswith(b"[") or b'"universe"' not in payload:
        return None
    meta, contexts = msgspec.json.decode(payload, type=tuple[_Meta, list[msgspec.Raw]])
    coins = meta.universe
    if len(coins) != len(contexts):
        return None
    return len(coins), lambda kept: msgspec.json.encode(
        [{"universe": [coins[i] for i in kept]}, [contexts[i] for i in kept]]
    )


def _cut(value: bytes, places: Mapping[str, Any] | None) -> tuple[int, Around]:
    """How many rows a value has, and what leaves it around some of them."""
    start = value.lstrip()[:1]
    if start == b"[" and places is not None:
        return _cut_array(msgspec.json.decode(value, type=list[msgspec.Raw]), places)
    if start == b"{":
        members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        if places is not None:
            return _cut_object(members, places)
        names = list(members)
        return len(names), lambda kept: msgspec.json.encode(
            {names[i]: members[names[i]] for i in kept}
        )
    msgspec.json.decode(value)
    return 0, lambda _kept: value


def _row(item: bytes) -> tuple[int, Around]:
    return 1, lambda _kept: item


def _cut_array(items: list[msgspec.Raw], places: Mapping[str, Any]) -> tuple[int, Around]:
    """Its elements are rows, but for objects that have rows of their own."""
    parts = _Parts()
    for item in map(bytes, items):
        count, around = _cut(item, places) if places and item[:1] == b"{" else _row(item)
        parts.add(*((count, around) if count else _row(item)))
    return len(parts.owners), lambda kept: b"[" + b",".join(parts.around(kept).values()) + b"]"


def _cut_object(members: dict[str, msgspec.Raw], places: Mapping[str, Any]) -> tuple[int, Around]:
    """Of its places, those that have rows."""
    parts, names = _Parts(), list[str]()
    for name in [name for name in members if name in places]:
        count, around = _cut(bytes(members[name]), places[name])
        if count:
            parts.add(count, around)
            names.append(name)
    rest = {name: value for name, value in members.items() if name not in names}

    def whole(kept: Sequence[int]) -> bytes:
        found = parts.around(kept)
        return msgspec.json.encode(
            {**rest, **{names[number]: msgspec.Raw(part) for number, part in found.items()}}
        )

    return len(parts.owners), whole
