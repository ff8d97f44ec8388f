"""Renews the instrument table: fetches the venues' public lists, or reads a saved answer.

An edge of its own, run by hand or by a timer, never by a running engine. Promises to write the
whole table or nothing. Rows of contracts that a venue no longer lists stay, because recordings
still name them.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.venues import catalog, listings

_TIMEOUT_S: Final = 20
_MAX_ANSWER_BYTES: Final = 64 * 2**20


class Refresh(msgspec.Struct, frozen=True):
    """What changed for one venue: symbols added, changed in any field, and no longer listed."""

    venue: str
    listed: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    problems: tuple[str, ...]


def fetch(url: str) -> bytes:
    """The body of a public https answer.

    Raises:
        MarginquakeError: no connection, a refusal, or no answer in 20 s.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "marginquake"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            body: bytes = answer.read(_MAX_ANSWER_BYTES)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise MarginquakeError(
            f"{url}: {error}; check the connection, or save the answer elsewhere and pass it "
            "with --venue VENUE --from FILE"
        ) from error
    return body


def refresh(venue: str, answers: Sequence[tuple[str, bytes]]) -> Refresh:
    """Write the rows of one venue's answers into the refreshed table.

    Args:
        venue: a key of `listed_at.URLS`.
        answers: (name, body) of each answer; several answers make one list.

    Returns:
        The difference to the table that was in effect.

    Raises:
        MarginquakeError: an answer is no instrument list or holds no usable row.
        TableError: the present refreshed table cannot be used.
    """
    entries: list[catalog.Entry] = []
    problems: list[str] = []
    for name, body in answers:
        try:
            listing = listings.read_listing(venue, body)
        except ValueError as error:
            raise MarginquakeError(f"{name}: {error}; nothing was written") from error
        entries += listing.entries
        problems += listing.problems
    if not entries:
        first = f" ({problems[0]})" if problems else ""
        names = ", ".join(name for name, _ in answers)
        raise MarginquakeError(f"{names}: no usable {venue} row{first}; nothing was written")

    before = {
        symbol: entry.instrument
        for (at, symbol), entry in catalog.effective_table().items()
        if at == venue
    }
    after = {entry.instrument.symbol: entry.instrument for entry in entries}
    table = catalog.refreshed_table()
    table.update({(venue, entry.instrument.symbol): entry for entry in entries})
    _write(catalog.refreshed_path(), catalog.write_table(table.values()))
    return Refresh(
        venue=venue,
        listed=len(after),
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(s for s in after.keys() & before.keys() if after[s] != before[s])),
        removed=tuple(sorted(before.keys() - after.keys())),
        problems=tuple(problems),
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise MarginquakeError(f"{path}: {error}; set MARGINQUAKE_HOME to a writable folder") from (
            error
        )
