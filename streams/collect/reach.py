"""Which connections of a collector were ever opened, and why the others could not be.

Told by `line`, shown by `live` and said at the end of `collect`. Promises the newest reason of each
connection that was never open; those that were have status records, which tell the rest.
"""

from collections.abc import Sequence
from typing import Final

from streams.collect.planning import Plan
from streams.config import MarginquakeError

CONNECTING: Final = "connecting"


class Reach:
    """Connections by venue and name that have not been open yet."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        """`plans`: the connections that there will be."""
        self.unopened: dict[tuple[str, str], str] = {_place(plan): CONNECTING for plan in plans}
        self._planned = len(self.unopened)

    def opened(self, plan: Plan) -> None:
        """A connection is there."""
        self.unopened.pop(_place(plan), None)

    def failed(self, plan: Plan, why: str) -> None:
        """An attempt has failed."""
        if _place(plan) in self.unopened:
            self.unopened[_place(plan)] = why

    def require_one(self) -> None:
        """Be content when a connection was open, or none has been refused yet.

        Raises:
            MarginquakeError: none was ever open.
        """
        problems = {venue: why for (venue, _), why in self.unopened.items() if why != CONNECTING}
        if problems and len(self.unopened) == self._planned:
            said = "; ".join(f"{venue}: {why}" for venue, why in problems.items())
            raise MarginquakeError(
                f"no venue could be reached, so nothing was collected ({said}); look whether this "
                "machine has a way to them, or name another host with --url VENUE=wss://HOST"
            )


def _place(plan: Plan) -> tuple[str, str]:
    return plan.venue, plan.name
