"""Five-second returns of a scope's price at refresh times, and what windows sum of them.

Part of the volatility detector. Promises: a return ends only where a new price came, so a price
that stands still for want of trades makes no zero; a return is settled 3 s after its 5-s bin
ended, when its surroundings are known, whichever call brings that about; sums are kept by minute
and by 5 minutes and added up anew for every window.
"""

from math import log, pi, sqrt
from struct import Struct

import msgspec

from streams.core.detectors.volatility.params import VolatilityParams

STEP_S = 5
BLOCK_MIN = 5
BLOCK_S = BLOCK_MIN * 60
DAY_BLOCKS = 86400 // BLOCK_S
HOUR_MINUTES = 60
YEAR_S = 365 * 86400

_BLOCK = Struct("<q3q6d2q")
_MU43 = 0.8308609  # E|Z|^(4/3) of a standard normal Z
_THETA = pi**2 / 4 + pi - 5


class Sums(msgspec.Struct, array_like=True):
    """Sums over settled returns of a minute or a block.

    `n` returns, `moves` of them not zero, `seconds` they span; `up`, `down`: sums of squares of
    rising and falling ones; `bipower` and `quarticity` as in `jump_of`; `forced`: squares
    around forced flow less those of matched seconds, `weighed`: such squares times the part of the
    taker flow that was forced; `bare`: returns around forced flow without matched seconds, `dark`:
    returns while too few liquidation feeds were healthy.
    """

    n: int = 0
    moves: int = 0
    seconds: int = 0
    up: float = 0.0
    down: float = 0.0
    bipower: float = 0.0
    quarticity: float = 0.0
    forced: float = 0.0
    weighed: float = 0.0
    bare: int = 0
    dark: int = 0

    def add(self, other: "Sums") -> None:
        """Add another stretch of time."""
        self.n += other.n
        self.moves += other.moves
        self.seconds += other.seconds
        self.up += other.up
        self.down += other.down
        self.bipower += other.bipower
        self.quarticity += other.quarticity
        self.forced += other.forced
        self.weighed += other.weighed
        self.bare += other.bare
        self.dark += other.dark

    @property
    def realised(self) -> float:
        """Realised variance: the sum of squared returns."""
        return self.up + self.down

    def observed(self, window_s: int, params: VolatilityParams) -> bool:
        """Whether the returns cover enough of a window to speak for it."""
        return self.n >= params.min_returns and self.seconds >= params.min_observed * window_s

    def log_rate(self, params: VolatilityParams) -> float:
        """Log of the variance per second, floored."""
        return log(max(self.realised / max(self.seconds, 1), params.variance_floor))


class Step(msgspec.Struct, array_like=True, gc=False):
    """A return `r` over the seconds (`begin`, `end`], with its terms of bipower and quarticity.

    `settles`: first second at which it may be settled. `warm` is False for the first two returns
    of a chain, which only precede others.
    """

    begin: int
    end: int
    r: float
    bipower: float
    quarticity: float
    settles: int
    warm: bool


class Prices(msgspec.Struct):
    """The bin in progress (`bin`, s // 5, with its last `price` at `at`), the sample before it,
    and the one or two returns of the chain before: (r, seconds).
    """

    bin: int | None = None
    price: float = 0.0
    at: int = 0
    before: tuple[float, int] | None = None
    chain: tuple[tuple[float, int], ...] = ()

    def add(self, second: int, price: float) -> None:
        """Take a price; the bins before its own must be finished."""
        self.bin, self.price, self.at = second // STEP_S, price, second

    def finish(self, until: int, params: VolatilityParams) -> Step | None:
        """Finish the bin in progress if it ended by the second `until`; gives its return."""
        if self.bin is None or (self.bin + 1) * STEP_S > until:
            return None
        end = (self.bin + 1) * STEP_S
        sample, self.bin = (self.price, self.at), None
        before, self.before = self.before, sample
        if before is None or sample[1] - before[1] > params.max_gap_s:
            self.chain = ()
            return None
        r, d = log(sample[0]) - log(before[0]), sample[1] - before[1]
        bipower = quarticity = 0.0
        warm = len(self.chain) == 2
        if warm:
            bipower, quarticity = _terms((*self.chain, (r, d)))
        self.chain = (*self.chain[-1:], (r, d))
        settles = end + params.forced_reach_s
        return Step(before[1], sample[1], r, bipower, quarticity, settles, warm)


def _terms(last: tuple[tuple[float, int], ...]) -> tuple[float, float]:
    """Terms of the last return, for returns of unequal length.

    With returns of length d and variance v per second, |r_i r_(i-1)| has the mean
    (2/pi) v sqrt(d_i d_(i-1)): each product is scaled to the mean length of its members. For
    equal lengths these are the usual terms.
    """
    (r2, d2), (r1, d1), (r0, d0) = last
    pair = pi / 2 * abs(r0 * r1) * (d0 + d1) / (2 * sqrt(d0 * d1))
    mean = (d0 + d1 + d2) / 3
    product = (abs(r0) * abs(r1) * abs(r2)) ** (4 / 3)
    triple = product * mean**2 / (d0 * d1 * d2) ** (2 / 3)
    return pair, triple / _MU43**3


class Jump(msgspec.Struct, frozen=True):
    """Bipower variation, jump part of the variance, and the statistic of the test (None where no
    price moved).
    """

    bipower: float
    jump: float
    z: float | None


def jump_of(sums: Sums) -> Jump:
    """Ratio test of Barndorff-Nielsen & Shephard (2006) with the tripower quarticity.

    z = (1 - BV/RV) / sqrt(theta max(1/n, Q/BV^2)), theta = pi^2/4 + pi - 5; standard normal
    without jumps. BV = (pi/2) sum |r_i||r_(i-1)|, Q = sum |r_i r_(i-1) r_(i-2)|^(4/3) / mu^3.

    >>> even = Sums(n=60, moves=60, seconds=300, up=30e-8, down=30e-8, bipower=60e-8 * pi / 2)
    >>> jump_of(even).jump
    0.0
    >>> leap = Sums(n=60, moves=60, seconds=300, up=400e-8, down=0.0, bipower=100e-8)
    >>> round(jump_of(leap).jump * 1e8), round(jump_of(leap).z, 2)
    (300, 7.44)
    """
    realised = sums.realised
    jump = max(realised - sums.bipower, 0.0)
    if realised <= 0 or sums.n == 0:
        return Jump(sums.bipower, jump, None)
    spread = 1 / sums.n
    if sums.bipower > 0:
        # Divided twice: the square of a tiny variance would underflow.
        spread = max(spread, sums.quarticity / sums.bipower / sums.bipower)
    return Jump(sums.bipower, jump, (1 - sums.bipower / realised) / sqrt(_THETA * spread))


class Tallies(msgspec.Struct):
    """Sealed sums: `minutes` of the last hour, as (number, sums), and packed `blocks` of the day.

    A minute's number is second // 60, a block's second // 300; `sealed` is that of the last block,
    `block` the one in progress. `at` is the second of the last change.
    """

    minutes: list[tuple[int, Sums]] = []
    blocks: bytes = b""
    sealed: int = 0
    block: int | None = None
    block_sums: Sums = msgspec.field(default_factory=Sums)
    at: int = 0

    def seal(self, minute: int, sums: Sums) -> None:
        """Take a finished minute; blocks before its own must be rolled."""
        if self.block is None:
            self.block, self.block_sums = minute // BLOCK_MIN, Sums()
        self.block_sums.add(sums)
        self.minutes = [one for one in self.minutes if one[0] > minute - HOUR_MINUTES]
        self.minutes.append((minute, sums))

    def roll(self, block: int) -> Sums | None:
        """Seal the block in progress if it lies before `block`, and give its sums."""
        if self.block is None or self.block >= block:
            return None
        # Packed, since a day of them as objects would be most of the detector's memory.
        packed = _BLOCK.pack(self.block, *msgspec.structs.astuple(self.block_sums))
        self.blocks = self.blocks[-(DAY_BLOCKS - 1) * _BLOCK.size :] + packed
        self.sealed, self.block = self.block, None
        return self.block_sums

    def window(self, end: int, window_s: int) -> list[Sums]:
        """The stretches of the window before the second `end`, oldest first.

        Minutes up to an hour; blocks beyond, where `end` must end one.
        """
        if window_s <= HOUR_MINUTES * 60:
            low, high = (end - window_s) // 60, end // 60
            return [sums for number, sums in self.minutes if low <= number < high]
        low, high = (end - window_s) // BLOCK_S, end // BLOCK_S
        return [
            Sums(*fields)
            for number, *fields in _BLOCK.iter_unpack(self.blocks)
            if low <= number < high
        ]


def total(parts: list[Sums]) -> Sums:
    """Sums over a window."""
    whole = Sums()
    for part in parts:
        whole.add(part)
    return whole
