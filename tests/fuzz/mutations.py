"""Spoils a JSON message in one to four places, by structure: what bytes alone seldom reach.

Values are swapped for hostile ones, rows repeated or dropped, keys renamed or borrowed from other
places of the message, numbers pushed to their edges. Reproducible: the seed decides everything.
"""

import json
from random import Random
from typing import Any, Final

HOSTILE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 5e-324, 2**53, 2**63, -(2**63), 10**30),
    *("", " ", "x", "NaN", "Infinity", "-Infinity", "1e999", "1E-400", "0", "-0", "00", "+5"),
    *("5,0", "0x10", "1_000", "\x00", "\u0660\u0661", "é", "9" * 400, "1e17", "-5", ".5", "5."),
    *([], {}, [[]], [None], {"": ""}, [5, "x"], {"p": {"p": {"p": []}}}),
    *(1790000000402, "1790000000402", "2026-09-21T13:33:20.402Z", "2026-13-41T25:61:61Z"),
    *("buy", "sell", "Buy", "BUY", "A", "B", "T", "M", "MT", "update", "snapshot", "partial"),
)
Place = tuple[Any, Any]
"""A container and the key or index of one of its values."""


def _places(value: Any, found: list[Place]) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            _places(inner, found)


def _number(text: str, drawn: Random) -> str:
    """The number with a digit, its sign or its exponent changed."""
    at = drawn.randrange(len(text) + 1)
    piece = drawn.choice(("0", "9", "-", ".", "e", "e5", "E-9", " ", "000", "\u0665"))
    return text[:at] + piece + text[at + drawn.randrange(2) :]


def _spoil(root: Any, drawn: Random) -> None:
    found: list[Place] = []
    _places(root, found)
    if not found:
        return
    where, key = drawn.choice(found)
    value = where[key]
    match drawn.randrange(9):
        case 0:
            del where[key]
        case 1 | 2:
            where[key] = drawn.choice(HOSTILE)
        case 3:
            other, name = drawn.choice(found)
            where[key] = other[name] if name in other or isinstance(other, list) else None
        case 4 if isinstance(where, list):
            where.insert(drawn.randrange(len(where) + 1), value)
        case 4 | 5 if isinstance(where, dict):
            where[drawn.choice(found)[1] if drawn.random() < 0.5 else f"{key}_"] = where.pop(key)
        case 6 if isinstance(value, int | float) and not isinstance(value, bool):
            where[key] = drawn.choice((-value, value * 1000, str(value), value / 1000, value + 0.5))
        case 7 if isinstance(value, list) and value:
            where[key] = value * drawn.choice((2, 3, 20))
        case _:
            where[key] = _number(str(value)[:60], drawn)


def spoilt(payload: bytes, seed: int) -> bytes | None:
    """The message spoilt; None when it is not JSON with anything in it."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict | list):
        return None
    drawn = Random(seed)  # noqa: S311
    try:
        for _ in range(drawn.choice((1, 1, 1, 2, 2, 4))):
            _spoil(message, drawn)
        return json.dumps(message).encode("utf-8", "surrogatepass")
    except (IndexError, KeyError, ValueError, OverflowError, RecursionError):
        return None
