"""The row that a cascade window publishes, and the figures that follow from what it absorbed.

Between an open window and its readers. Promises one revision per call, bounds in order, and a
reason for every number that cannot be known. Changes nothing of the window but its revision.
"""

from math import log, log10

from streams.core import throttle
from streams.core.detectors.cascade.counterfactual import Excess
from streams.core.detectors.cascade.impact import walk
from streams.core.detectors.cascade.measures import severity, share_interval
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.recent import unknown
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.dollars import Estimate
from streams.core.events import MICROS
from streams.core.results import MARKET, CascadeWindow, Identifiability
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams

_OPEN = unknown("window_open")


def next_row(
    window: OpenWindow,
    watermark: int,
    params: CascadeParams,
    throttled: ThrottleParams,
    meta: RowMeta,
) -> CascadeWindow:
    """The next revision of a window, as of `watermark` (s)."""
    window.revision += 1
    reasons: dict[str, str] = {}
    found = window.estimate(params, throttled)
    dollars_of = found.of(window.side)
    estimated, upper = dollars_of.usd, dollars_of.upper
    least, most = dollars_of.interval(window.usd, throttled)
    if estimated is None:
        names = ("usd_estimated", "usd_low", "usd_high")
        reasons.update(dict.fromkeys(names, throttle.NO_ESTIMATE))
    else:
        estimated = max(window.usd, estimated)
        if most is None:
            reasons["usd_high"] = throttle.NO_MEASURE
    if upper is None:
        reasons["usd_upper"] = throttle.no_bound(found.partial)
    else:
        upper = max(upper, most or estimated or window.usd)
    ends = window.last_forced if window.end is None else window.end
    known = {
        "end": None if window.end is None else window.end * MICROS,
        "closed_at": None if window.closed_at is None else window.closed_at * MICROS,
    }
    reasons.update({name: "window_open" for name, value in known.items() if value is None})
    impact = _impact(window, reasons)
    recovery = _recovery(window, reasons)
    oi_share = None if not window.oi_onset else (estimated or window.usd) / window.oi_onset
    if oi_share is None:
        reasons["oi_share"] = reasons["severity"] = "no_open_interest"
    oi_change = None
    if window.oi_volume_onset and window.oi_volume is not None:
        oi_change = window.oi_volume / window.oi_volume_onset - 1
    else:
        reasons["oi_change"] = "no_open_interest"
    depth_ratio = None
    if window.depth_onset and window.depth_min is not None:
        depth_ratio = window.depth_min / window.depth_onset
    else:
        reasons["depth_min_ratio"] = "no_depth"
    dollars = (window.usd if estimated is None else estimated) / MICROS
    if dollars < 1:
        reasons["magnitude"] = "no_dollars"
    share, low, high = _share_long(window, reasons)
    breadth = None
    if window.scope == "ALL":
        breadth = len(window.onset_assets) / max(1, window.assets_known)
    else:
        reasons["breadth"] = "market_only"
    if window.parent_id is None:
        reasons["parent_id"] = "no_parent"
    venue, asset, leads = window.spread.found(window.scope, params, reasons, throttled.doubted)
    against_book, book_share = _against_book(window, impact, reasons)
    excess = _excess(window, found, params, reasons)
    bracket = window.branching or _OPEN
    reasons.update(bracket.why)
    if window.structural.ratio is None:
        reasons["branching_structural"] = window.structural.why
    return CascadeWindow(
        id=window.id,
        revision=window.revision,
        is_final=window.final,
        definition=params.definition,
        params_hash=meta.params_hash,
        engine=meta.engine,
        scope=window.scope,
        partition=meta.partition,
        coverage=window.coverage,
        watermark=watermark * MICROS,
        side=window.side,
        window_class=window.window_class,
        phase=window.phase,
        statistic=window.statistic,
        baseline=window.baseline,
        onset=window.onset * MICROS,
        detected_at=window.detected_at * MICROS,
        peak_at=window.peak_at * MICROS,
        end=known["end"],
        closed_at=known["closed_at"],
        duration_s=float(ends - window.onset),
        events=window.events,
        usd_observed=window.usd,
        usd_low=least,
        usd_estimated=estimated,
        usd_high=most,
        usd_upper=upper,
        usd_late=window.usd_late,
        events_late=window.events_late,
        adl_usd=window.adl_usd,
        identifiability=found.identifiability,
        share_long=share,
        share_long_low=low,
        share_long_high=high,
        venues=tuple(sorted(window.by_venue)),
        usd_by_venue=dict(sorted(window.by_venue.items())),
        assets=tuple(sorted(window.by_asset)),
        breadth=breadth,
        origin_venue=venue,
        origin_asset=asset,
        propagation=leads,
        price_onset=window.price_onset,
        price_extreme=window.price_extreme,
        impact_bp=impact,
        recovery_30m=recovery,
        oi_share=oi_share,
        oi_change=oi_change,
        depth_min_ratio=depth_ratio,
        excess_low=excess.low,
        excess_high=excess.high,
        amplification=excess.amplification,
        amplification_book=against_book,
        amplification_book_share=book_share,
        branching_low=bracket.low,
        branching_high=bracket.high,
        branching_structural=window.structural.ratio,
        branching_ks_p=bracket.ks_p,
        branching_label=bracket.label,
        severity=None if oi_share is None else severity(oi_share),
        magnitude=log10(dollars) if dollars >= 1 else None,
        confidence=_confidence(window, found.identifiability),
        elevated_day=window.hour_seen and window.gates["concentration"].state == "fail",
        gates=dict(sorted(window.gates.items())),
        parent_id=window.parent_id,
        null_reasons=dict(sorted(reasons.items())),
    )


def _impact(window: OpenWindow, reasons: dict[str, str]) -> float | None:
    if window.price_onset is None or window.price_extreme is None:
        reasons.update(dict.fromkeys(("price_onset", "price_extreme", "impact_bp"), "no_price"))
        return None
    return 10_000 * log(window.price_extreme / window.price_onset)


def _recovery(window: OpenWindow, reasons: dict[str, str]) -> float | None:
    onset, extreme, later = window.price_onset, window.price_extreme, window.price_recovered
    if onset is None or extreme is None or onset == extreme:
        reasons["recovery_30m"] = "no_price" if onset is None else "no_displacement"
        return None
    if later is None:
        reasons["recovery_30m"] = "no_price" if window.final else "not_elapsed"
        return None
    return 1 - abs(later - onset) / abs(extreme - onset)


def _share_long(
    window: OpenWindow, reasons: dict[str, str]
) -> tuple[float | None, float | None, float | None]:
    """Long share of observed dollars with its interval."""
    total = window.long_usd + window.short_usd
    if total == 0 or window.squares == 0:
        names = ("share_long", "share_long_low", "share_long_high")
        reasons.update(dict.fromkeys(names, "no_dollars"))
        return None, None, None
    share = window.long_usd / total
    return share, *share_interval(share, max(1.0, (total / MICROS) ** 2 / window.squares))


def _confidence(window: OpenWindow, identifiability: Identifiability) -> float:
    """Uncalibrated 0..1: each failed or unknown gate, prior or lone sampled feed lowers it."""
    score = 1.0
    for gate in window.gates.values():
        score *= {"pass": 1.0, "unknown": 0.85, "fail": 0.5}[gate.state]
    score *= {"observed": 1.0, "blended": 0.9, "prior": 0.75}[window.baseline]
    score *= {"ok": 1.0, "extrapolated": 0.95, "saturated": 0.9, "unknown": 0.8}[identifiability]
    if window.sampled_only and len(window.by_venue) <= 1:
        score *= 0.9
    return round(score, 6)


def _against_book(
    window: OpenWindow, impact: float | None, reasons: dict[str, str]
) -> tuple[float | None, float | None]:
    """The move to the extreme over what the onset's book predicts for the dollars behind it, and
    the share of these dollars that the book was seen to hold.
    """
    predicted = walk(window.book, window.pushed) if window.book else None
    if window.scope == MARKET:
        why = "assets_only"
    elif impact is None:
        why = "no_price"
    elif predicted is None:
        why = "no_book"
    elif predicted.bp <= 0:
        why = "no_flow"
    else:
        return abs(impact) / predicted.bp, predicted.share
    reasons["amplification_book"] = reasons["amplification_book_share"] = why
    return None, None


def _excess(
    window: OpenWindow, dollars: Estimate, params: CascadeParams, reasons: dict[str, str]
) -> Excess:
    """What the window's own push did, once it has ended."""
    if window.scope == MARKET:
        found = Excess(None, None, None, "assets_only")
    elif window.end is None:
        found = Excess(None, None, None, "window_open")
    else:
        published = window.long_usd if window.machine == "long" else window.short_usd
        estimated = dollars.of(window.machine).usd
        usd = published if estimated is None else estimated
        found = window.bare.excess(published, usd, params.counterfactual)
    if found.why:
        names = ("excess_low", "excess_high", "amplification")
        reasons.update(dict.fromkeys(names, found.why))
    return found
