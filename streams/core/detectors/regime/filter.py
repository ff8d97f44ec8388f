"""Forward filter over the four phases, and when a phase is committed.

Between scores and rows. A hidden Markov chain whose stays have the expected lengths `dwell_h`;
evidence of an hour is divided by tau, since slow features are not fresh each hour. Promises work
that does not grow with a gap, and probabilities that sum to one.

>>> resting = advance(EVEN, 10_000, RegimeParams())
>>> [round(p, 2) for p in resting]
[0.45, 0.5, 0.04, 0.01]
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp
from typing import Final

import msgspec

from streams.core.detectors.regime.params import PHASES, RegimeParams
from streams.core.results.regimes import RegimeName

EVEN: Final = (0.25, 0.25, 0.25, 0.25)
FLOOR: Final = 1e-6
"""No phase is ever ruled out."""

Vector = tuple[float, ...]
_Matrix = tuple[Vector, ...]


class Change(msgspec.Struct, frozen=True):
    """A change of phase; `from_state` is None where no phase stood in the day before."""

    from_state: RegimeName | None
    to_state: RegimeName


class Phase(msgspec.Struct):
    """Filter and commitment: `p` at `at` (s); the committed `state`, or the one that was `left` at
    `left_at` (s), entered at `since` (s); `rising` has been likely enough for `evals` looks.
    """

    p: Vector = EVEN
    at: int | None = None
    state: RegimeName | None = None
    since: int | None = None
    left: RegimeName | None = None
    left_at: int | None = None
    rising: RegimeName | None = None
    evals: int = 0


@lru_cache(maxsize=8)
def _hourly(params: RegimeParams) -> _Matrix:
    rows: list[Vector] = []
    for index, exits in enumerate(params.exits):
        leave = 1 / params.dwell_h[index]
        odds = sum(exits)
        rows.append(
            tuple(
                1 - leave if other == index else leave * share / odds
                for other, share in enumerate(exits)
            )
        )
    return tuple(rows)


def _times(a: _Matrix, b: _Matrix) -> _Matrix:
    columns = tuple(zip(*b, strict=True))
    return tuple(
        tuple(sum(x * y for x, y in zip(row, column, strict=True)) for column in columns)
        for row in a
    )


def advance(p: Vector, hours: int, params: RegimeParams) -> Vector:
    """Probabilities after `hours` without evidence, by repeated squaring."""
    step = _hourly(params)
    while hours > 0:
        if hours & 1:
            p = _times((p,), step)[0]
        hours >>= 1
        if hours:
            step = _times(step, step)
    return p


def advance_part(p: Vector, share: float, params: RegimeParams) -> Vector:
    """Probabilities after a share of an hour."""
    after = advance(p, 1, params)
    return tuple(old + share * (new - old) for old, new in zip(p, after, strict=True))


def weigh(p: Vector, logits: Sequence[float]) -> Vector:
    """Probabilities given evidence, as log-likelihoods."""
    most = max(logits)
    parts = [
        max(FLOOR, one) * exp(logit - most) + 1e-300 for one, logit in zip(p, logits, strict=True)
    ]
    total = sum(parts)
    return tuple(part / total for part in parts)


def commit(phase: Phase, at: int, needed: int, params: RegimeParams) -> Change | None:
    """Look at the probabilities of `at` (s); gives the change of phase that is due, if any.

    A phase that is released and taken up again within `recall_h` has not changed.

    Args:
        phase: changed in place.
        at: second of the look.
        needed: looks in a row that a new phase needs.
        params: thresholds.
    """
    best = max(range(len(PHASES)), key=lambda index: (phase.p[index], -index))
    name = PHASES[best]
    if phase.p[best] < params.commit_p or name == phase.state:
        phase.rising, phase.evals = None, 0
    elif phase.rising == name:
        phase.evals += 1
    else:
        phase.rising, phase.evals = name, 1
    if phase.left_at is not None and at - phase.left_at > params.recall_h * 3600:
        phase.left = phase.left_at = None
    if phase.state is not None and phase.since is not None:
        own = PHASES.index(phase.state)
        if at - phase.since < params.min_dwell_h[own] * 3600:
            return None
        if phase.p[own] < params.release_p and (
            phase.rising is None or not params.exits[own][best]
        ):
            phase.left, phase.left_at, phase.state = phase.state, at, None
    if phase.rising is None or phase.evals < needed:
        return None
    before = phase.state or phase.left
    if before not in (None, name) and not params.exits[PHASES.index(before)][best]:
        return None
    phase.state, phase.left, phase.left_at = name, None, None
    phase.rising, phase.evals = None, 0
    if before == name:
        return None
    phase.since = at
    return Change(before, name)
