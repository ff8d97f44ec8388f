"""Own UTC days of a scope, and where a total ranks among them.

Part of the print detector (definition 1.10). Promises that only whole, observed days of the very
same basket are compared: a venue more, a venue less or a break in a feed's meaning starts anew.
"""

from bisect import bisect_left, bisect_right

import msgspec

from streams.core.throttle import DAY_US, basket


class PastDay(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One UTC day: its number since 1970, the index of its basket, published micro-dollars."""

    day: int
    basket: int
    usd: int
    usd_by_venue: dict[str, int]


class History(msgspec.Struct):
    """Past days, oldest first, and the names of their baskets.

    `through` is the newest day; days more than `keep` days old are forgotten.
    """

    through: int = 0
    keep: int = 365
    baskets: list[str] = []
    days: list[PastDay] = []

    def add(self, day: int, name: str, usd: int, by_venue: dict[str, int], keep: int) -> None:
        """Append a day; from then on days more than `keep` days older are forgotten."""
        self.keep = keep
        if name not in self.baskets:
            self.baskets.append(name)
        self.days = [past for past in self.days if past.day > day - keep]
        self.days.append(PastDay(day, self.baskets.index(name), usd, by_venue))
        self.through = day

    def ranks(self, today: int, name: str, venues: list[str]) -> dict[str, list[int]]:
        """Sorted daily totals comparable with today: by venue, and under "" for the basket.

        A venue's days need only its own feed to mean the same, whatever the other venues.
        """
        days = [past for past in self.days if past.day >= today - self.keep]
        members = [frozenset(one.split("+")) for one in self.baskets]
        result = {"": sorted(past.usd for past in days if self.baskets[past.basket] == name)}
        for venue in venues:
            own = of_venue(name, venue, today)
            result[venue] = sorted(
                past.usd_by_venue[venue]
                for past in days
                if venue in past.usd_by_venue and own in members[past.basket]
            )
        return result


def of_venue(name: str, venue: str, day: int) -> str:
    """What the venue's feed is called in a basket; of one that is not in it, by the table.

    >>> of_venue("bybit:full+htx:partial", "htx", 20_000)
    'htx:partial'
    """
    own = (member for member in name.split("+") if member.startswith(f"{venue}:"))
    return next(own, None) or basket((venue,), day * DAY_US)


def percentile(usd: int, ranked: list[int]) -> float:
    """Mid-rank of a total in sorted totals, 0..1.

    >>> percentile(3, [1, 2, 3, 4])
    0.625
    """
    return (bisect_left(ranked, usd) + bisect_right(ranked, usd)) / (2 * len(ranked))
