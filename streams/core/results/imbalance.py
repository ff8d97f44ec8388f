"""Long/short imbalance of forced flow as it is published; definition `imbalance` (1.3).

`schemas/imbalance.py` documents the same fields.
"""

from typing import Literal

from streams.core.events import PositionSide
from streams.core.results.cascades import Identifiability
from streams.core.results.signals import SignalRow

ImbalanceLabel = Literal[
    "euphoria_unwind",
    "dip_buyers_flushed",
    "crowded_bears_squeeze",
    "short_covering_rally",
    "two_sided",
]


class Imbalance(SignalRow, frozen=True, kw_only=True, tag="imbalance"):
    """Who was closed by force over the last `window_s` seconds (300, 3600 or 86400).

    `venue` narrows the scope (None = all venues). Dollars are int64 micro-dollars, corrected for
    throttled feeds. `coverage` is the mean over the window. `lsi` is raw, `lsi_adjusted` the logit
    against the natural long share `neutral_share`; `dominant` is set when size, significance and
    share all say so. `history_days` are the observed days of the same basket behind `kappa_usd`
    and `total_percentile`. The context of a dominant side, null else: `price_change` and
    `oi_change` (in coins) over the window, `funding_percentile` of the day before it, and
    `oi_change_7d` up to its end; fractions.
    """

    venue: str | None
    window_s: int
    long_usd: int | None
    short_usd: int | None
    long_observed: int
    short_observed: int
    events: int
    n_eff: float
    kappa_usd: int
    neutral_share: float
    long_share: float | None
    lsi: float | None
    lsi_adjusted: float | None
    z: float | None
    total_percentile: float | None
    history_days: int
    dominant: PositionSide | None
    label: ImbalanceLabel | None
    price_change: float | None
    funding_percentile: float | None
    oi_change: float | None
    oi_change_7d: float | None
    identifiability: Identifiability
