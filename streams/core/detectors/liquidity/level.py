"""The committed liquidity state: classes of the moment with a hysteresis in event time.

Used by the liquidity detector. Promises that a state is entered only after its condition has held
for `enter_s` and left only after it has not held for `leave_s`, told by event time: a book stands
until the next, so that skipped and empty seconds are equal.
"""

from typing import Final

import msgspec

from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.results.liquidity import LiquidityState

STATES: Final[tuple[LiquidityState, ...]] = ("abundant", "normal", "tight", "vacuum")


def severity(
    depth: float | None, spread: float | None, z: float | None, params: LiquidityParams
) -> int | None:
    """Index in STATES of the moment's class, from ratios to the ordinary and z.

    >>> [severity(*each, LiquidityParams()) for each in ((0.3, 1.0, 0.0), (0.6, 1.0, None),
    ...  (1.0, 12.0, 0.0), (1.0, 1.0, -1.2), (1.0, 1.0, 0.2), (1.4, 0.9, 0.6), (None, None, None))]
    [3, 2, 3, 2, 1, 0, None]
    """
    if depth is not None and depth <= params.vacuum_ratio:
        return 3
    if spread is not None and spread >= params.vacuum_spread:
        return 3
    if depth is not None and depth <= params.tight_ratio:
        return 2
    if z is None:
        return None if depth is None else 1
    if z <= params.tight_z:
        return 2
    return 0 if z >= params.abundant_z else 1


class Level(msgspec.Struct, array_like=True):
    """`on`: index of the committed state, -1 unknown, entered in second `since`.

    `turned[k]`: since when the moment's class disagrees with whether state k+1 or a worse one is
    on; 0 when it agrees.
    """

    on: int = -1
    since: int = 0
    turned: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])

    @property
    def state(self) -> LiquidityState | None:
        """The committed state."""
        return None if self.on < 0 else STATES[self.on]

    def settle(self, now: int, params: LiquidityParams) -> None:
        """Commit what has held long enough by `now` (s)."""
        while self.on >= 0:
            due = [
                (turned + (params.leave_s if k < self.on else params.enter_s), k)
                for k, turned in enumerate(self.turned)
                if turned
            ]
            if not due or min(due)[0] > now:
                return
            second, k = min(due)
            self.since = second
            # Where the moment is not even state k+1 it is no worse one either, and vice versa.
            if k < self.on:
                self.on, self.turned[k:] = k, [0] * (3 - k)
            else:
                self.on, self.turned[: k + 1] = k + 1, [0] * (k + 1)

    def see(self, second: int, moment: int | None, params: LiquidityParams) -> None:
        """Take the class of the moment from `second` on; `settle` comes first.

        >>> level, params = Level(), LiquidityParams()
        >>> for second, moment in ((100, 1), (110, 3), (114, 1), (120, 3), (130, 3)):
        ...     level.settle(second, params)
        ...     level.see(second, moment, params)
        >>> level.state, level.since  # four seconds were not enough, five from 120 on were
        ('vacuum', 125)
        """
        if moment is None:
            self.forget()
            return
        if self.on < 0:
            self.on, self.since, self.turned = moment, second, [0, 0, 0]
            return
        for k in range(3):
            if (moment > k) == (self.on > k):
                self.turned[k] = 0
            elif not self.turned[k]:
                self.turned[k] = second

    def forget(self) -> None:
        """The state is not known any more."""
        self.on, self.since, self.turned = -1, 0, [0, 0, 0]
