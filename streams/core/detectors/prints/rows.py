"""The rows of a print: what a scope's sums say at one second.

Part of the print detector (definition 1.10). Promises that a row depends on the state alone and
that every null stands in `null_reasons`. Decides neither when a row is due nor what it sums.
"""

from functools import lru_cache

from streams.core.detectors.prints.days import of_venue, percentile
from streams.core.detectors.prints.milestones import Standing
from streams.core.detectors.prints.params import PrintParams
from streams.core.detectors.prints.rolling import DAY, DayTally, Totals
from streams.core.detectors.prints.state import SCOPE, PrintState
from streams.core.events import MICROS, stable_id
from streams.core.results import Identifiability, Print, PrintKind
from streams.core.rowmeta import RowMeta
from streams.core.throttle import NO_ESTIMATE, no_bound

_NOTHING = Totals()


def rolling_row(
    state: PrintState, key: str, second: int, period: int, params: PrintParams, meta: RowMeta
) -> Print:
    """The row of a minute of the rolling 24 h.

    `second` is the logical second that causes the row, `period` the first second of the row's
    minute. A row caused by a later second than its minute's last is final and speaks for that.
    """
    window = state.windows[key]
    final = second >= period + 60
    return _row(
        state,
        key,
        "rolling_24h",
        (period, period + 59 if final else second, second, final),
        window.totals,
        window.largest_usd,
        window.busiest_usd,
        state.coverage.of_24h(),
        params,
        meta,
    )


def day_row(state: PrintState, key: str, second: int, params: PrintParams, meta: RowMeta) -> Print:
    """The row of the state's UTC day; final when caused by a second after that day."""
    period = state.day * DAY
    tally = state.day_tallies.get(key) or DayTally()
    final = second >= period + DAY
    as_of = period + DAY - 1 if final else second
    return _row(
        state,
        key,
        "utc_day",
        (period, as_of, second, final),
        tally.totals,
        tally.largest_usd,
        tally.busiest_usd,
        state.coverage.of_day(as_of - period + 1),
        params,
        meta,
    )


def estimated_usd(state: PrintState, key: str, totals: Totals) -> int | None:
    """Published dollars and what the throttle hid, the open minute included; None if unknown."""
    hidden = state.hidden.get(key, _NOTHING)
    if totals.unestimated or hidden.unestimated:
        return None
    return totals.usd + totals.hidden_usd + hidden.hidden_usd


def standing(state: PrintState, params: PrintParams) -> Standing:
    """The scope's rolling total as a milestone states it."""
    window = state.windows[SCOPE]
    reasons: dict[str, str] = {}
    estimated = estimated_usd(state, SCOPE, window.totals)
    if estimated is None:
        reasons["usd_estimated"] = NO_ESTIMATE
    return Standing(
        window.totals.usd,
        estimated,
        state.coverage.of_24h(),
        _percentile(state, SCOPE, window.totals.usd, params, reasons),
        _share(window.busiest_usd, window.totals.usd, reasons),
        reasons,
    )


def _row(
    state: PrintState,
    key: str,
    kind: PrintKind,
    times: tuple[int, int, int, bool],
    totals: Totals,
    largest_usd: int,
    busiest_usd: int,
    coverage: float,
    params: PrintParams,
    meta: RowMeta,
) -> Print:
    period, as_of, second, final = times
    venue = None if key == SCOPE else key
    usd = totals.usd
    reasons: dict[str, str] = {}
    estimated = estimated_usd(state, key, totals)
    if estimated is None:
        reasons["usd_estimated"] = NO_ESTIMATE
    hidden = state.hidden.get(key, _NOTHING)
    label: Identifiability = "ok"
    if totals.unknown or hidden.unknown:
        label = "unknown"
    elif totals.saturated or hidden.saturated:
        label = "saturated"
    elif totals.extrapolated or hidden.extrapolated:
        label = "extrapolated"
    upper: int | None = None
    partial = bool(totals.partial or hidden.partial)
    if partial or totals.unbounded:
        reasons["usd_upper"] = no_bound(partial)
    else:
        upper = usd + totals.slack_usd
        # A minute leaves the window second by second. Its bound is kept by second, its estimate
        # only shared out among them, so at that edge the estimate gives way.
        estimated = None if estimated is None else min(estimated, upper)
    if kind == "utc_day" and not final:
        rank = None
        reasons["percentile_365d"] = "day_not_over"
    else:
        rank = _percentile(state, key, usd, params, reasons)
    return Print(
        id=_print_id(kind, state.scope, venue, period * MICROS, params.definition),
        revision=second - period + 1,
        is_final=final,
        definition=params.definition,
        params_hash=meta.params_hash,
        engine=meta.engine,
        scope=state.scope,
        partition=meta.partition,
        coverage=coverage,
        watermark=second * MICROS,
        kind=kind,
        venue=venue,
        period_start=period * MICROS,
        as_of=as_of * MICROS,
        events=totals.long_n + totals.short_n,
        usd_observed=usd,
        usd_estimated=estimated,
        usd_upper=upper,
        usd_late=totals.late_usd,
        long_usd=totals.long_usd,
        short_usd=totals.short_usd,
        long_events=totals.long_n,
        short_events=totals.short_n,
        identifiability=label,
        usd_by_venue=_by_venue(state, kind, venue, usd),
        largest_usd=largest_usd,
        max_hour_share=_share(busiest_usd, usd, reasons),
        percentile_365d=rank,
        n_days=len(state.ranks.get(key, ())),
        oi_share=_oi_share(state, venue, usd, reasons),
        basket=_basket(state, venue, period),
        null_reasons=dict(sorted(reasons.items())),
    )


@lru_cache(maxsize=8192)
def _print_id(kind: PrintKind, scope: str, venue: str | None, start: int, definition: str) -> str:
    return stable_id("print", kind, scope, venue, start, definition)


def _by_venue(state: PrintState, kind: PrintKind, venue: str | None, usd: int) -> dict[str, int]:
    if venue is not None:
        return {venue: usd} if usd else {}
    shares = state.usd_by_venue if kind == "rolling_24h" else state.day_usd_by_venue
    return dict(sorted(shares.items()))


def _share(busiest_usd: int, usd: int, reasons: dict[str, str]) -> float | None:
    if usd <= 0:
        reasons["max_hour_share"] = "no_liquidations"
        return None
    return busiest_usd / usd


def _percentile(
    state: PrintState, key: str, usd: int, params: PrintParams, reasons: dict[str, str]
) -> float | None:
    ranked = state.ranks.get(key, [])
    if len(ranked) < params.least_history_days:
        reasons["percentile_365d"] = f"fewer_than_{params.least_history_days}_days"
        return None
    return percentile(usd, ranked)


def _oi_share(
    state: PrintState, venue: str | None, usd: int, reasons: dict[str, str]
) -> float | None:
    if venue is not None:
        reasons["oi_share"] = "not_by_venue"
        return None
    if not state.oi_usd or state.oi_usd < 0:
        reasons["oi_share"] = "no_open_interest"
        return None
    return usd / state.oi_usd


def _basket(state: PrintState, venue: str | None, second: int) -> str:
    if venue is not None:
        return of_venue(state.basket, venue, second // DAY)
    return state.basket or "none"
