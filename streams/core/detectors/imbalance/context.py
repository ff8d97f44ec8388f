"""The context of a dominant side: what price, funding and open interest did; and its name.

State of the imbalance detector. Promises that a label rests on figures that its row shows, and
that a missing figure gives no label rather than a guess. A label describes; it predicts nothing.
"""

from typing import Final, NamedTuple

import msgspec

from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.detectors.levels import Level, Ring, change
from streams.core.detectors.minutes import Minute
from streams.core.events import PositionSide
from streams.core.results.imbalance import ImbalanceLabel

_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY

CONTEXT: Final = ("price_change", "funding_percentile", "oi_change", "oi_change_7d")
"""Fields of the row that are the context."""


class Context(NamedTuple):
    """Relative changes over the window, and of open interest over 7 days; rank of funding."""

    price_change: float | None
    funding_percentile: float | None
    oi_change: float | None
    oi_change_7d: float | None


NO_CONTEXT: Final = Context(None, None, None, None)


class FastContext(msgspec.Struct):
    """Levels of the last hour, and funding per 8 h averaged over about a day.

    `funding`: the average and when (s) it was last renewed; `changed` (s).
    """

    changed: int = 0
    hour: Ring = msgspec.field(default_factory=lambda: Ring(60, 3600))
    funding: tuple[float, int] | None = None


class SlowContext(msgspec.Struct):
    """Levels of the last day and week, and averages of funding (s, per 8 h), oldest first.

    `changed` (s).
    """

    changed: int = 0
    day: Ring = msgspec.field(default_factory=lambda: Ring(900, _DAY))
    week: Ring = msgspec.field(default_factory=lambda: Ring(6 * 3600, _WEEK))
    funding: list[tuple[int, float]] = []


class ContextState:
    """What labels need; `fast` changes each minute, `slow` a few times an hour."""

    def __init__(self) -> None:
        """Without a past."""
        self.fast = FastContext()
        self.slow = SlowContext()

    def take(self, minute: Minute, params: ImbalanceParams) -> None:
        """Take a closed minute; one without price, interest and funding says nothing."""
        fast, slow, end = self.fast, self.slow, minute.end
        if minute.price is None and not minute.interest and minute.funding_8h is None:
            return
        fast.changed = end
        level = Level(end, minute.price, None, minute.oi_volume)
        fast.hour.add(level)
        if end % slow.day.step == 0:
            slow.day.add(level)
            slow.week.add(level)
            slow.changed = end
        if minute.funding_8h is None:
            return
        average = minute.funding_8h
        if fast.funding is not None:
            before, at = fast.funding
            weight = 1 - 0.5 ** ((end - at) / params.funding_half_life_s)
            average = before + (average - before) * weight
        fast.funding = average, end
        if end % params.funding_every_s == 0:
            oldest = end - params.funding_days * _DAY
            slow.funding = [one for one in slow.funding if one[0] > oldest]
            slow.funding.append((end, average))
            slow.changed = end

    def of(
        self,
        span: int,
        minute: Minute,
        params: ImbalanceParams,
        reasons: dict[str, str],
    ) -> Context:
        """The context of a window of `span` s that ends with the minute; fills `reasons`."""
        begin = minute.end - span
        before = (self.fast.hour if span <= self.fast.hour.span else self.slow.day).at(begin)
        coins = minute.oi_volume
        price_change = change(before.price, minute.price) if before else None
        if price_change is None:
            reasons["price_change"] = "no_price" if minute.price is None else _unseen(span)
        oi_change = change(before.coins, coins) if before else None
        week = self.slow.week.at(minute.end - _WEEK)
        oi_change_7d = change(week.coins, coins) if week else None
        for name, value, since in (
            ("oi_change", oi_change, span),
            ("oi_change_7d", oi_change_7d, _WEEK),
        ):
            if value is None:
                reasons[name] = "no_open_interest" if coins is None else _unseen(since)
        rank = self._funding_rank(begin, params)
        if rank is None:
            short = f"funding_history_below_{params.least_history_days}_days"
            reasons["funding_percentile"] = "no_funding" if self.fast.funding is None else short
        return Context(price_change, rank, oi_change, oi_change_7d)

    def _funding_rank(self, second: int, params: ImbalanceParams) -> float | None:
        """Mid-rank, 0..1, of the last average at or before a second, no older than a day."""
        samples = self.slow.funding
        if len(samples) * params.funding_every_s < params.least_history_days * _DAY:
            return None
        value = next((rate for at, rate in reversed(samples) if second - _DAY < at <= second), None)
        if value is None:
            return None
        below = sum(rate < value for _, rate in samples)
        equal = sum(rate == value for _, rate in samples)
        return (below + equal / 2) / len(samples)


def _unseen(span: int) -> str:
    return f"history_below_{span}_s"


def label_of(
    side: PositionSide, context: Context, params: ImbalanceParams, reasons: dict[str, str]
) -> ImbalanceLabel | None:
    """What the dominance of a side is called; None, with the reason, when nothing fits.

    >>> reasons: dict[str, str] = {}
    >>> crowded = Context(-0.04, 0.95, -0.02, 0.10)
    >>> label_of("long", crowded, ImbalanceParams(), reasons)
    'euphoria_unwind'
    >>> label_of("long", crowded._replace(funding_percentile=0.4), ImbalanceParams(), reasons)
    'dip_buyers_flushed'
    """
    crowding = context.funding_percentile
    if side == "long":
        needed = ["funding_percentile"]
        if crowding is not None:
            if crowding < params.funding_high:
                return "dip_buyers_flushed"
            needed = ["price_change", "oi_change_7d"]
            if (context.price_change or 0.0) < 0 < (context.oi_change_7d or 0.0):
                return "euphoria_unwind"
    else:
        needed = ["price_change", "funding_percentile"]
        if (context.price_change or 0.0) > 0 and crowding is not None:
            if crowding <= params.funding_low:
                return "crowded_bears_squeeze"
            needed = ["oi_change"]
            if (context.oi_change or 0.0) < 0:
                return "short_covering_rally"
    missing = [reasons[name] for name in needed if name in reasons]
    reasons["label"] = missing[0] if missing else "no_label_fits"
    return None
