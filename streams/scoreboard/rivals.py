"""Rules in use elsewhere, scored beside the cascade detector on the same published orders.

Each is a small function of one side of one scope (an asset, or all pooled as one coin) that says
in which seconds it holds; `flow` makes spans of them, alike for all. Promises that a rule sees no
order later than the second it speaks of, and that each has one threshold and one further dial, 30
settings, with its authors' values among them. Some choices lie at an edge of a grid; wider ones,
tried for five rules, gain up to 0.03 of train F1 and stay below ours (0.927 over both scopes):
`multiple` of the pool 0.881 to 0.909, `z-score` of the pool 0.877 to 0.892 and of assets 0.742 to
0.747, `interest-share` of assets 0.899 to 0.903. Chooses nothing: tuning is elsewhere. What a rule
leaves open is read in its favour; its function says how.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Final

import msgspec
import numpy as np

from streams.config import MarginquakeError
from streams.scoreboard.flow import (
    MICROS,
    Fired,
    Floats,
    Flow,
    Truths,
    lay,
    lookback,
    spans_of,
    within,
)
from streams.scoreboard.spans import Order, Span

MINUTE_S: Final = 60
CLUSTER_S: Final = 30
DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S
HALF_LIFE_S: Final = 6 * 3_600
WARM_UP_S: Final = 600
"""Rules with a baseline are silent for so long, s: without any past, every order is a burst."""


class Dial(msgspec.Struct, frozen=True):
    """What may be tuned: the authors' value and a grid from permissive to strict around it."""

    name: str
    default: float
    grid: tuple[float, ...]


class Rule(msgspec.Struct, frozen=True):
    """A rival rule.

    `source`: whose it is; `threshold`: the axis of its precision-recall curve; `further`: its
    other dial; `holds`: the rule itself, of a flow and both values; `asks_interest`: whether it
    is silent without open interest.
    """

    name: str
    about: str
    source: str
    threshold: Dial
    further: Dial
    holds: Callable[[Flow, float, float], Fired]
    asks_interest: bool = False

    def settings(self) -> list[tuple[float, float]]:
        """All (threshold, further) that tuning may try."""
        return [(a, b) for b in self.further.grid for a in self.threshold.grid]

    def over(
        self,
        flows: tuple[Flow, Flow],
        threshold: float | None = None,
        further: float | None = None,
    ) -> list[Span]:
        """Its spans on both sides of a scope, by time of detection; None is the authors' value."""
        first = self.threshold.default if threshold is None else threshold
        second = self.further.default if further is None else further
        found = [span for one in flows for span in spans_of(one, self.holds(one, first, second))]
        return sorted(found, key=lambda span: (span.detected_at, span.side))

    def spans(
        self,
        orders: Sequence[Order],
        scope: str,
        begin: int,
        end: int,
        threshold: float | None = None,
        further: float | None = None,
    ) -> list[Span]:
        """Its spans of one scope; to try many settings, `lay` the orders once and use `over`."""
        flows = lay(orders, begin, end).get(scope)
        return [] if flows is None else self.over(flows, threshold, further)


def fixed(flow: Flow, usd: float, least: float) -> Fired:
    """So many dollars and so many orders in 60 s.

    In its favour: each side by itself, so that ordinary flow of the other side neither sets it
    off nor spoils its side.
    """
    enough = within(flow.usd, MINUTE_S) >= usd * MICROS
    return Fired((within(flow.orders, MINUTE_S) >= least) & enough, lookback(flow, MINUTE_S))


def interest_share(flow: Flow, share_bp: float, least: float) -> Fired:
    """Published dollars of 60 s, so many basis points of open interest, in so many orders.

    The label asked of what is published: no estimate, no ordinary rate. It shows what the rest of
    a definition is worth on markets whose feeds hide a like share everywhere.
    """
    sums = within(flow.usd, MINUTE_S) / MICROS
    high = (flow.interest > 0) & (sums >= share_bp * 1e-4 * flow.interest)
    return Fired((within(flow.orders, MINUTE_S) >= least) & high, lookback(flow, MINUTE_S))


def same_side(flow: Flow, least: float, other: float) -> Fired:
    """So many orders of a side in a minute, and none of the other.

    In its favour: `other` lets the other side have a share of the side's own orders when it is
    tuned, since in all assets together some order of the other side is nearly always there.
    """
    own = within(flow.orders, MINUTE_S)
    alone = within(flow.other, MINUTE_S) <= other * own
    return Fired((own >= least) & alone, lookback(flow, MINUTE_S))


def small_cluster(flow: Flow, least: float, venues: float) -> Fired:
    """So many orders of a side at one venue in 30 s.

    In its favour: when tuned it may ask for the cluster at two or three venues at once.
    """
    clusters = np.zeros(flow.seconds, np.int64)
    for orders in flow.by_venue:
        clusters += within(orders, CLUSTER_S) >= least
    return Fired(clusters >= venues, lookback(flow, CLUSTER_S))


def z_score(flow: Flow, z: float, usd: float) -> Fired:
    """Dollars of 60 s, so many deviations above their exponential mean (half-life 6 h).

    In its favour: taken each second and not once a minute; mean and variance are weighted by what
    there is, without a zero to start from, and end before the minute under judgement; when tuned
    it may ask for dollars too, since the first order after a silence is any number of deviations.
    Spans of up to 200 days.
    """
    sums = within(flow.usd, MINUTE_S)
    dollars = sums / MICROS
    growth = np.exp2(np.arange(flow.seconds) / HALF_LIFE_S)
    weight = np.cumsum(growth)
    mean = _before(np.cumsum(growth * dollars) / weight, MINUTE_S)
    square = _before(np.cumsum(growth * dollars**2) / weight, MINUTE_S)
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
    high = (sums > 0) & (dollars - mean > z * deviation) & (dollars >= usd)
    return Fired(_warm(high), lookback(flow, MINUTE_S))


def multiple(flow: Flow, times: float, floor: float) -> Fired:
    """Dollars of 60 s, so many times the coin's own normal minute of the last 7 days.

    The normal minute is the mean of what there is of the 7 days before the minute under
    judgement, and `floor` dollars at least. In its favour: the mean, since the median minute of a
    small coin is empty and any order would be many times of it; the floor for the same reason.
    """
    total = np.concatenate(([0], np.cumsum(flow.usd)))
    until = np.maximum(np.arange(flow.seconds) + 1 - MINUTE_S, 0)
    after = np.maximum(until - WEEK_S, 0)
    minutes = np.maximum(until - after, 1) / MINUTE_S
    normal = np.maximum((total[until] - total[after]) / minutes, floor * MICROS)
    high = within(flow.usd, MINUTE_S) >= times * normal
    return Fired(_warm(high), lookback(flow, MINUTE_S))


def kleinberg(flow: Flow, gamma: float, s: float) -> Fired:
    """The burst state of Kleinberg's two-state automaton, run forward.

    States emit at the base rate and at `s` times it; entering the burst costs `gamma` ln n,
    leaving is free. A second holds when the burst is the cheaper state of the best path so far;
    it looks back to where that path entered. An exponential gap's cost, rate x gap - ln rate, is
    the sum over its seconds, so seconds of any number of orders need no order among them. Offline
    the base rate is that of the whole tape and n its orders; here the rate is that of the tape
    before the second.

    In its favour: n is the number of orders that this rate gives in a day, so that entering is
    not cheap early in the tape; grouping bridges the return to base that every empty second is.
    """
    counts = flow.orders
    occupied = np.flatnonzero(counts)
    before = np.cumsum(counts) - counts
    rate = before / np.maximum(np.arange(flow.seconds), 1)
    expected = np.cumsum(rate)
    entry = gamma * np.log(np.maximum(rate * DAY_S, 2.0))
    true = np.zeros(flow.seconds, np.bool_)
    since = np.zeros(flow.seconds, np.int64)
    per_order = log(s)
    # `lead`: by how much the path that ends in the base state is the cheaper one.
    lead, entered, passed = np.inf, 0, 0.0
    for at, orders, due, cost in zip(
        occupied.tolist(),
        counts[occupied].tolist(),
        expected[occupied].tolist(),
        entry[occupied].tolist(),
        strict=True,
    ):
        here = float(rate[at])
        quiet = due - here - passed
        lead = max(lead, 0.0) + (s - 1) * quiet
        if lead >= cost:
            lead, entered = cost, at
        lead += (s - 1) * here - orders * per_order
        passed = due
        true[at], since[at] = lead < 0, entered
    return Fired(_warm(true), since)


def _before(values: Floats, seconds: int) -> Floats:
    """Each value `seconds` later; zero where there is none."""
    moved = np.zeros(len(values))
    moved[seconds:] = values[: max(len(values) - seconds, 0)]
    return moved


def _warm(true: Truths) -> Truths:
    """The same, silent while there is next to no past."""
    true[:WARM_UP_S] = False
    return true


_LISTED: Final = "in use in public liquidation monitors; author not known to us"

RIVALS: Final = {
    one.name: one
    for one in (
        Rule(
            "fixed",
            "at least 5 orders and $100k in 60 s",
            _LISTED,
            Dial("USD in 60 s", 1e5, (3e4, 1e5, 3e5, 1e6, 2e6, 4e6, 8e6, 1.6e7, 3.2e7, 6.4e7)),
            Dial("orders in 60 s", 5, (5, 270, 600)),
            fixed,
        ),
        Rule(
            "interest-share",
            "published dollars of 60 s at least 4 bp of open interest, in 10 orders",
            "ours: the label, asked of published orders; a yardstick, in use nowhere we know of",
            Dial("dollars of 60 s, bp", 4, (0.7, 1, 1.4, 1.8, 2.2, 2.6, 3.2, 4, 5.6, 8)),
            Dial("orders in 60 s", 10, (1, 10, 30)),
            interest_share,
            asks_interest=True,
        ),
        Rule(
            "same-side",
            "at least 7 orders of a side in 60 s and none of the other",
            _LISTED,
            Dial("orders in 60 s", 7, (3, 7, 25, 80, 180, 330, 600, 1_000, 1_600, 2_500)),
            Dial("orders of the other side over the side's own", 0, (0, 0.1, 0.5)),
            same_side,
        ),
        Rule(
            "small-cluster",
            "at least 3 orders of a side at one venue in 30 s",
            _LISTED,
            Dial("orders in 30 s", 3, (2, 3, 8, 16, 30, 60, 160, 350, 700, 1_400)),
            Dial("venues at once", 1, (1, 2, 3)),
            small_cluster,
        ),
        Rule(
            "z-score",
            "dollars of 60 s more than 4 deviations above their 6-h mean",
            _LISTED,
            Dial("deviations", 4, (1, 2, 3, 4, 6, 9, 13, 20, 30, 45)),
            Dial("USD in 60 s", 0, (0, 2_000_000, 8_000_000)),
            z_score,
        ),
        Rule(
            "multiple",
            "dollars of 60 s at least 10 times the coin's normal minute of 7 days",
            _LISTED,
            Dial("times the normal minute", 10, (2, 3, 5, 10, 20, 40, 80, 160, 320, 640)),
            Dial("least normal minute, USD", 1_000, (1_000, 300_000, 1_000_000)),
            multiple,
        ),
        Rule(
            "kleinberg",
            "two-state burst automaton, s = 2, gamma = 1, run forward",
            "Kleinberg 2002, Bursty and Hierarchical Structure in Streams; defaults of R `bursts`",
            Dial("gamma", 1, (0.5, 1, 3, 10, 30, 60, 100, 170, 300, 500)),
            Dial("s", 2, (2, 60, 300)),
            kleinberg,
        ),
    )
}


def rival(name: str) -> Rule:
    """The rule of a name.

    Raises:
        MarginquakeError: there is none.
    """
    if name not in RIVALS:
        raise MarginquakeError(f"no rival rule {name!r}; take of {', '.join(RIVALS)}")
    return RIVALS[name]
