"""Tardis raw replay lines: `<ISO time of receipt> <the venue's message>`.

One of the formats, and the only one beside our own logs that keeps the venue's bytes: the venue's
parser reads them. Lines do not name their exchange: the path or `--format tardis-raw:EXCHANGE`
does. An empty line is a lost connection there, and is passed over here.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from streams.core.events import Raw, Rejected
from streams.edges.archives.form import Form, Found, Source
from streams.edges.archives.tardis_csv import EXCHANGES
from streams.venues.fields import BadField, iso_us

_LINE: Final = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]{8,18}Z)[ \t](.*)", re.DOTALL)
_WORDS: Final = re.compile(r"[/_.]|(?<=\D)-(?=\d)")


def open_form(first: bytes, source: Source) -> Form | None:
    """How to read a file whose first line is `first`; None when it is no such line.

    Raises:
        MarginquakeError: the exchange is unknown or not told.
    """
    if _LINE.match(first) is None:
        return None
    named = source.detail or _exchange(source.path)
    venue = EXCHANGES.get(named)
    if venue is None:
        why = f"exchange {named!r} is none that is read" if named else "no line names its exchange"
        raise source.refuse(
            why, f"give --format tardis-raw:EXCHANGE, one of {', '.join(sorted(EXCHANGES))}"
        )
    return Form("tardis-raw", partial(_read, source.name, venue))


def _exchange(path: str) -> str:
    """The exchange that the path names last, whole between `/`, `_`, `.` or before a date."""
    return next((word for word in reversed(_WORDS.split(path.lower())) if word in EXCHANGES), "")


def _read(name: str, venue: str, line: bytes) -> Sequence[Found]:
    match = _LINE.match(line)
    if match is None:
        return (Rejected("wrong_type", "no `<ISO time> <message>`"),)
    stamp, payload = match.groups()
    try:
        received_us = iso_us({"time": stamp.decode()}, "time")
    except BadField as error:
        return (error.outcome,)
    return (Raw(venue, None, name, received_us, payload.rstrip(b"\r\n")),)
