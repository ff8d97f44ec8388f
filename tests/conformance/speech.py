"""What a scripted venue can say; see `venue_speech`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Said = tuple[str, bytes]
"""A topic and a message of it."""


def text(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Speech:
    """`topics` of BTC; trade number `n` at a time (ms); a forced order; a book.

    `asked`: the topics of a request. `ping`: what the client's contains. `question`: the venue's
    own ping, and what the `reply` to it contains. `packed`: every message is gzip. `grant`: what a
    POST is answered, given the server's address; only clients with the `token` in it are let in.
    `greeting`: what the server says first, and before which nobody may speak.
    """

    venue: str
    topics: frozenset[str]
    trade: Callable[[int, int], Said]
    asked: Callable[[Any], list[str]]
    forced: Callable[[int, int], Said] | None = None
    book: Callable[[int, int], Said] | None = None
    ping: str | None = None
    question: bytes | None = None
    reply: str = ""
    packed: bool = False
    grant: Callable[[str, str], Any] | None = None
    greeting: bytes | None = None


def listed(key: str) -> Callable[[Any], list[str]]:
    """Topics of a request that lists them, objects as compact JSON."""

    def asked(request: Any) -> list[str]:
        items = request.get(key, ()) if isinstance(request, dict) else ()
        return [item if isinstance(item, str) else text(item).decode() for item in items]

    return asked


def iso(ms: int) -> str:
    stamp = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{ms % 1000:03d}Z"


def compact(value: object) -> str:
    return text(value).decode()


def without(*names: str) -> Any:
    """The topic of a request that is one topic and some members more."""

    def asked(request: Any) -> list[str]:
        if not isinstance(request, dict) or names[0] not in request:
            return []
        return [compact({key: value for key, value in request.items() if key not in names})]

    return asked
