"""State of the cascade detector of one scope, and how a second is counted.

The structs are what a checkpoint stores (msgpack); `cascade` advances them.
"""

from collections.abc import Iterator
from math import sqrt

import msgspec

from streams.core.detectors.cascade.baseline import Interval, Uptime, VenueRate
from streams.core.detectors.cascade.impact import FlowSlope
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.recent import Recent
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.minute_returns import MinuteReturns
from streams.core.detectors.moment import Moment, Trace
from streams.core.events import PositionSide
from streams.core.frames import Cell

SIDES: tuple[PositionSide, PositionSide] = ("long", "short")

FAST, SLOW = 0.5 ** (1 / 10), 0.5 ** (1 / 60)
"""Weight that the 10-s and the 60-s intensity keep after a second."""

Counted = dict[tuple[PositionSide, str], tuple[float, float]]
"""(side, venue) -> (count proxy, standard orders) of one second."""


class SideState(msgspec.Struct):
    """One side's statistics with their 10-s and 60-s intensities.

    Onsets are the first second (s) of the present excursion; `windows` the intervals not to learn
    from, `latest` the id and closing second of the last window, `cascades` onset and last order
    of the cascades of the last hours.
    """

    counts: float = 0.0
    units: float = 0.0
    counts_onset: int | None = None
    units_onset: int | None = None
    fast: float = 0.0
    slow: float = 0.0
    slow_units: float = 0.0
    rates: dict[str, VenueRate] = {}
    windows: list[Interval] = []
    window: OpenWindow | None = None
    closed: list[OpenWindow] = []
    latest: tuple[str, int] | None = None
    cascades: list[tuple[int, int]] = []

    @property
    def running(self) -> bool:
        """Whether a statistic is above zero."""
        return self.counts > 0 or self.units > 0

    def reset(self) -> None:
        """Start the statistics and the intensities afresh."""
        self.counts = self.units = self.fast = self.slow = self.slow_units = 0.0
        self.counts_onset = self.units_onset = None


class CascadeState(msgspec.Struct):
    """State of one scope. `last` is the last processed second (s), `seen` the seconds that
    learning has not passed yet: side -> venue -> [(second, counts, units)]; `recent` and `slope`
    are what the branching estimates ask for. `stood`: bid and ask depth (micro-dollars) of the last
    books, told at `stood_at` (s).
    """

    scope: str
    last: int | None = None
    venues_up: tuple[str, ...] = ()
    uptime: Uptime = msgspec.field(default_factory=Uptime)
    seen: dict[str, dict[str, list[tuple[int, float, float]]]] = {}
    sides: dict[str, SideState] = {}
    minutes: dict[int, dict[str, float]] = {}
    trail: list[Trace] = []
    returns: MinuteReturns = msgspec.field(default_factory=MinuteReturns)
    moment: Moment | None = None
    recent: Recent = msgspec.field(default_factory=Recent)
    slope: FlowSlope = msgspec.field(default_factory=FlowSlope)
    stood: tuple[int | None, int | None] = (None, None)
    stood_at: int = 0


def new_state(scope: str) -> CascadeState:
    """The state before the first second."""
    return CascadeState(
        scope, sides={side: SideState() for side in SIDES}, seen={side: {} for side in SIDES}
    )


def remember(
    state: CascadeState,
    at: int,
    moment: Moment,
    trace: Trace | None,
    counted: Counted,
    params: CascadeParams,
) -> None:
    """Keep what later seconds ask of this one: orders, spot, books, flow and price."""
    recent = state.recent
    if recent.began is None:
        recent.began = at
    if counted:
        sums = dict.fromkeys(SIDES, (0.0, 0.0))
        for (name, _), (x, q) in counted.items():
            # Impact grows about with the root of the size, so n orders of mean size q / n
            # weigh n sqrt(q / n).
            orders, mass = sums[name]
            sums[name] = (orders + x, mass + sqrt(x * q))
        recent.add_orders(at, sums["long"], sums["short"])
    if moment.spot is not None:
        recent.add_spot(at, moment.spot, params.branching)
    if moment.bid_usd is not None or moment.ask_usd is not None:
        state.stood, state.stood_at = (moment.bid_usd, moment.ask_usd), at
    if trace is not None:
        state.slope.add(at, trace.price, trace.flow, params.flow_half_life_s)


def stood(state: CascadeState, at: int, params: CascadeParams) -> tuple[int | None, int | None]:
    """Bid and ask depth that orders of second `at` met: of the last books before it, if fresh."""
    fresh = at - state.stood_at <= params.counterfactual.stale_s
    return state.stood if fresh else (None, None)


def owner(state: CascadeState, name: PositionSide) -> OpenWindow | None:
    """The open window that counts a side: its own, or the other side's once that is mixed."""
    for machine in (name, *SIDES):
        window = state.sides[machine].window
        if window is not None and window.counts(name):
            return window
    return None


def final_at(window: OpenWindow, params: CascadeParams) -> int:
    """Second at which a closed window becomes final: 10 minutes after its close, and not
    before the price 30 minutes after its extreme is known.
    """
    closed = (window.closed_at or 0) + params.final_after_s
    return closed if window.extreme_at is None else max(closed, recovery_at(window, params))


def recovery_at(window: OpenWindow, params: CascadeParams) -> int:
    """Second at which the price is compared with the extreme of a window that has one."""
    return (window.extreme_at or 0) + params.recovery_s


def count(cells: tuple[Cell, ...], unit_usd: int, params: CascadeParams) -> Counted:
    """(side, venue) -> (count proxy, standard orders) of one second.

    A complete feed counts orders, any other counts occupied (symbol, side) cells, so a message
    recorded twice changes nothing. Auto-deleveraging is not forced market flow.
    """
    sums: Counted = {}
    for cell in cells:
        if cell.kind == "adl":
            continue
        x, q = sums.get((cell.side, cell.venue), (0.0, 0.0))
        x += cell.n if cell.completeness == "all" else 1
        q = min(params.dollar_units_cap, q + cell.usd / unit_usd)
        sums[cell.side, cell.venue] = (x, q)
    return sums


def due_of(side: SideState, params: CascadeParams) -> Iterator[int]:
    """Seconds at which a closed window of the side changes by itself."""
    for window in side.closed:
        yield final_at(window, params)
        if window.extreme_at is not None and window.price_recovered is None:
            yield recovery_at(window, params)


def rest(state: CascadeState, params: CascadeParams) -> int:
    """The next second (s) at which a row changes though nothing comes; 0: a window is open.

    Without one, statistics only fall while nothing comes: they can be caught up with later.
    """
    due = 1 << 62
    for side in state.sides.values():
        if side.window is not None:
            return 0
        due = min([due, *due_of(side, params)])
    return due


def early_onsets(
    state: CascadeState, params: CascadeParams
) -> tuple[tuple[PositionSide, int], ...]:
    """Sides whose statistic is past the early tier or whose window is open, with the onset (s)."""
    found: list[tuple[PositionSide, int]] = []
    for name in SIDES:
        side = state.sides[name]
        if side.window is not None:
            found.append((name, side.window.onset))
        elif side.counts >= params.early and side.counts_onset is not None:
            found.append((name, side.counts_onset))
        elif side.units >= params.early and side.units_onset is not None:
            found.append((name, side.units_onset))
    return tuple(found)
