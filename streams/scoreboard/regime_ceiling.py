"""What a logit fitted to the truth tells of simulated cycles from the regime's features.

Beside the scores of the regime, in use nowhere else. All features of the classifier and some
products of them enter a multinomial logit that is fitted to the true phases of train seeds; its
evidence goes through the regime's own chain. Promises that a seed is never judged by a fit that
saw it, and the same fit for the same seeds. A richer model may reach a little more; weights that
know no simulator reach less.
"""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from streams.core.detectors.regime.features import Features
from streams.core.detectors.regime.filter import EVEN, advance, weigh
from streams.core.detectors.regime.params import PHASES, RegimeParams
from streams.scoreboard.cycles import Cycle
from streams.scoreboard.regime_tuning import Measured
from streams.scoreboard.regimes import Telling

Floats = NDArray[np.float64]

TAU_H = 3.0
"""The evidence of an hour is divided by this; 6, 12 and 24 gave less on train seeds."""
PENALTY = 1e-3
STEPS, RATE, INERTIA = 600, 0.5, 0.9
BALANCE = 0.5
"""Hours of a phase weigh the root of how rare it is."""
FOLDS = 4
_RANKED = (
    *("oi_growth", "oi_drop", "leverage", "funding", "volatility", "liquidations", "drawdown"),
    *("rally", "trend_size"),
)


class Logit:
    """A fitted logit: features are scaled as they were on the seeds that it saw."""

    def __init__(self, rows: Floats, phases: NDArray[np.int64]) -> None:
        self.mean, self.scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        scaled = self._scaled(rows)
        counts = np.bincount(phases, minlength=len(PHASES)).clip(1)
        weights = (len(phases) / counts[phases]) ** BALANCE
        weights /= weights.mean()
        truth = np.eye(len(PHASES))[phases]
        self.table = np.zeros((scaled.shape[1], len(PHASES)))
        pace = np.zeros_like(self.table)
        for _ in range(STEPS):
            odds = scaled @ self.table
            chances = np.exp(odds - odds.max(axis=1, keepdims=True))
            chances /= chances.sum(axis=1, keepdims=True)
            slope = scaled.T @ ((chances - truth) * weights[:, None]) / len(phases)
            pace = INERTIA * pace - RATE * (slope + PENALTY * self.table)
            self.table = self.table + pace

    def logits(self, rows: Floats) -> Floats:
        """[hours, phases]."""
        found: Floats = self._scaled(rows) @ self.table
        return found

    def _scaled(self, rows: Floats) -> Floats:
        scaled = (rows - self.mean) / self.scale
        return np.hstack([scaled, np.ones((len(rows), 1))])


def ceiling(
    judged: Sequence[Measured], train: Sequence[Measured], params: RegimeParams
) -> list[Telling]:
    """What the fit says of each seed judged.

    Args:
        judged: seeds to be told of.
        train: seeds to fit; those judged are left out, a fold of them at a time.
        params: of the chain.
    """
    told: list[Telling] = []
    for first in range(0, len(judged), max(1, len(judged) // FOLDS)):
        fold = judged[first : first + max(1, len(judged) // FOLDS)]
        unseen = {one.run.seed for one in fold}
        known = [one for one in train if one.run.seed not in unseen]
        fitted = Logit(
            np.concatenate([_rows(one.features)[_usable(one)] for one in known]),
            np.concatenate([_truth(one.run)[_usable(one)] for one in known]),
        )
        told += [_told(one, fitted.logits(_rows(one.features)), params) for one in fold]
    return told


def _told(seed: Measured, logits: Floats, params: RegimeParams) -> Telling:
    p: tuple[float, ...] = EVEN
    said, chances = [], []
    for evidence, unknown in zip(logits / TAU_H, seed.unknown, strict=True):
        p = advance(p, 1, params)
        if not unknown:
            p = weigh(p, evidence.tolist())
        said.append(None if unknown else PHASES[p.index(max(p))])
        chances.append(None if unknown else p)
    return Telling(tuple(said), tuple(chances))


def _usable(seed: Measured) -> NDArray[np.bool_]:
    return np.array([why is None for why in seed.unknown])


def _truth(run: Cycle) -> NDArray[np.int64]:
    return np.array([PHASES.index(run.phase_at(at - 1)) for at in run.ends()])


def _rows(hours: Sequence[Features]) -> Floats:
    return np.array([_row(one) for one in hours])


def _row(hour: Features) -> list[float]:
    ranks = [2 * hour.ranks.get(name, 0.5) - 1 for name in _RANKED]
    growth, drop, leverage, _, volatility, liquidations, *_ = ranks
    trend = float(np.tanh(hour.values.get("trend", 0.0)))
    funding = float(np.clip(hour.values.get("funding", 0.0) * 1e4, -8, 8)) / 4
    return [
        *ranks,
        trend,
        abs(trend),
        float(np.clip(5 * hour.values.get("oi_growth", 0.0), -2, 2)),
        funding,
        abs(funding),
        funding if trend >= 0 else -funding,
        max(0.0, growth),
        max(0.0, drop),
        max(0.0, liquidations),
        max(0.0, liquidations - 0.8),
        growth * leverage,
        leverage * abs(trend),
        volatility * volatility,
        min(4.0, hour.values.get("volatility", 1.0)),
        max(-4.0, min(4.0, log(max(1e-6, hour.values.get("liquidations", 1e-4))) + 7)),
    ]
