"""The cascade detector alone over a run, once for each of many parameter sets.

For thresholds: what the detector says of moments that are read once. Promises the windows that the
stages would make with these parameters; seconds that bring nothing but a price are passed over,
since no gate that a window must pass depends on prices, breadth or zones.
"""

from collections.abc import Sequence
from pathlib import Path

from streams.core.detectors.cascade import detector as cascade
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import new_state
from streams.core.detectors.moment import Moment
from streams.core.events import MICROS
from streams.core.results import CascadeWindow
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams
from streams.scoreboard.moments import Moments
from streams.scoreboard.spans import Span

_META = RowMeta("", "scoreboard", 0)
_THROTTLE = ThrottleParams()


def cascade_spans(folder: Path, settings: Sequence[CascadeParams]) -> list[list[Span]]:
    """Spans of class cascade that each setting finds in a finished run, all scopes."""
    by_scope = {
        scope: _stirred(known) for scope, known in sorted(Moments.of(folder).by_scope.items())
    }
    return [
        [span for scope, known in by_scope.items() for span in _spans(scope, known, params)]
        for params in settings
    ]


def _stirred(known: Sequence[Moment]) -> list[Moment]:
    """Moments with forced orders, and those at which a feed came or went."""
    found: list[Moment] = []
    feeds: tuple[object, ...] = ()
    for one in known:
        now = (one.coverage, one.venues_up, one.venues_all)
        if one.cells or one.late or now != feeds or one is known[-1]:
            found.append(one)
        feeds = now
    return found


def _spans(scope: str, known: Sequence[Moment], params: CascadeParams) -> list[Span]:
    state = new_state(scope)
    windows: dict[str, CascadeWindow] = {}
    qualified: dict[str, int] = {}
    for moment in known:
        for row in cascade.step(state, moment, params, _THROTTLE, _META):
            windows[row.id] = row
            if row.window_class == "cascade":
                qualified.setdefault(row.id, row.watermark)
    return [span_of(windows[key], at) for key, at in qualified.items()]


def span_of(window: CascadeWindow, qualified: int) -> Span:
    """A window of class cascade as the scoreboard compares it.

    Args:
        window: its last row.
        qualified: when it became a cascade, µs.
    """
    usd = window.usd_observed if window.usd_estimated is None else window.usd_estimated
    end = window.watermark if window.end is None else window.end
    return Span(
        window.scope,
        window.side,
        window.onset // MICROS,
        qualified // MICROS,
        end // MICROS,
        usd / MICROS,
    )
