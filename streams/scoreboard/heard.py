"""What our detectors say of a run: every detector over what its framer sealed.

Promises the rows of the in-process engine, each with the receipt time at which it left the
detectors; what Kafka and a busy worker add is not in it.
"""

from pathlib import Path

import msgspec

from streams.core.framing import Emission
from streams.core.params import Params
from streams.core.results import Alert, CascadeWindow, ZoneMap
from streams.scoreboard.framed import read_case, read_sealed
from streams.scoreboard.spans import Case


class Heard(msgspec.Struct, frozen=True):
    """What a run gave. Windows are final rows; times in µs, as rows have them.

    `published`: by window id, the receipt time at which its first row left the detectors;
    `qualified`: the same for its first row of class cascade. `zones`: the last map of each scope.
    """

    case: Case
    windows: tuple[CascadeWindow, ...]
    published: dict[str, int]
    qualified: dict[str, int]
    alerts: tuple[Alert, ...]
    zones: dict[str, ZoneMap]


def hear(folder: Path, params: Params | None = None) -> Heard:
    """Run every detector over a finished run."""
    from streams.contracts import partition_for
    from streams.engines.inprocess import InProcess
    from streams.venues.catalog import default_instruments

    engine = InProcess({}, default_instruments(), partition_for, params)
    windows: dict[str, CascadeWindow] = {}
    published: dict[str, int] = {}
    qualified: dict[str, int] = {}
    alerts: list[Alert] = []
    zones: dict[str, ZoneMap] = {}
    for sealed in read_sealed(folder):
        emission = Emission(frames=list(sealed.frames), ticks=list(sealed.ticks))
        for row in engine.detect(emission):
            if isinstance(row, Alert):
                alerts.append(row)
            elif isinstance(row, ZoneMap):
                zones[row.scope] = row
            elif isinstance(row, CascadeWindow):
                windows[row.id] = row
                published.setdefault(row.id, sealed.now_us)
                if row.window_class == "cascade":
                    qualified.setdefault(row.id, sealed.now_us)
    return Heard(
        read_case(folder), tuple(windows.values()), published, qualified, tuple(alerts), zones
    )
