"""What checks of sides have in common: the sides that a parser assumes, held against a witness.

Under the checks of single venues. Promises nothing of its own: a check names its witness, judges
only what both speak of, and corrects nothing.
"""

from typing import Literal, Protocol

from streams.core.events import Raw

Verdict = Literal["agrees", "contradicts"]


class SideCheck(Protocol):
    """A check of one venue's sides; it is shown the venue's records in the order they came."""

    def see(self, raw: Raw) -> list[Verdict]:
        """Take a record; the verdicts that it leads to."""
