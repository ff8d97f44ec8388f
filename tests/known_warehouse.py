"""Three days of a market small enough to be reckoned by hand, as messages for the warehouse.

Monday 2026-11-02 brings a cascade of BTC longs at 10:00 and its aftershock at 12:00, Tuesday a
burst of ETH shorts at 09:00. Every signal has a reading before the first onset and another at or
behind it, which nobody could know then.
"""

from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

from streams import contracts
from streams.core.events import MICROS, DeadLetter, FeedStatus, LateLiquidation
from streams.core.frames import Frame
from streams.core.results import (
    Alert,
    CascadeWindow,
    Dominance,
    Funding,
    Health,
    Imbalance,
    Liquidity,
    Milestone,
    Positioning,
    Print,
    Regime,
    RegimeResolution,
    RegimeTransition,
    Signal,
    SignalRow,
    Volatility,
    Zone,
    ZoneMap,
)
from tests.rollup_facts import EDGE_US, forced_order, framed
from tests.signal_rows import row

DAY_S = 86_400
MILLION = 1_000_000 * MICROS

K = TypeVar("K", bound=SignalRow)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """Seconds of November 2026 since its first midnight."""
    return (day - 1) * DAY_S + hour * 3_600 + minute * 60 + second


def us(seconds: int) -> int:
    return EDGE_US + seconds * MICROS


@cache
def example(kind: str, name: str) -> bytes:
    return files("schemas").joinpath("examples", kind, f"{name}.json").read_bytes()


def window(name: str, onset: int, lasts: int, usd: int, **changes: Any) -> CascadeWindow:
    base = msgspec.json.decode(example("cascade", "final-major-cascade"), type=CascadeWindow)
    begun = us(onset)
    ended = begun + lasts * MICROS
    return msgspec.structs.replace(
        base,
        id=name,
        onset=begun,
        detected_at=begun + MICROS,
        peak_at=begun + 2 * MICROS,
        end=ended,
        closed_at=ended + 300 * MICROS,
        watermark=ended + 1_800 * MICROS,
        duration_s=float(lasts),
        usd_observed=usd,
        usd_late=0,
        events_late=0,
        usd_by_venue={"bybit": usd},
        venues=("bybit",),
        propagation=(),
        null_reasons={},
        **changes,
    )


def printed(name: str, day: int, usd: int, **changes: Any) -> Print:
    base = msgspec.json.decode(example("print", "utc-day-of-one-venue"), type=Print)
    fields = {
        "id": name,
        "scope": "ALL",
        "venue": None,
        "kind": "utc_day",
        "is_final": True,
        "period_start": us(at(day, 0)),
        "as_of": us(at(day + 1, 0) - 1),
        "watermark": us(at(day + 1, 0)),
        "usd_observed": usd,
        "long_usd": usd,
        "short_usd": 0,
        "usd_by_venue": {"bybit": usd},
        "usd_estimated": None,
        "usd_upper": None,
        "usd_late": 0,
        "identifiability": "ok",
        "coverage": 1.0,
        "null_reasons": {},
    }
    return msgspec.structs.replace(base, **{**fields, **changes})


def reading(of: type[K], name: str, when: int, **fields: Any) -> K:
    return msgspec.structs.replace(row(of), id=name, at=us(when), watermark=us(when), **fields)


def traded(when: int, close: float, usd: int = MILLION, asset: str = "BTC") -> Frame:
    frame = framed(when, usd, close)
    (flow,) = frame.flows
    flow = msgspec.structs.replace(flow, open=close, high=close, low=close, close=close)
    return msgspec.structs.replace(frame, asset=asset, flows=(flow,), cells=())


ONSET = at(2, 10)

CASCADES = (
    window(
        "c1",
        ONSET,
        300,
        40 * MILLION,
        usd_estimated=60 * MILLION,
        usd_upper=90 * MILLION,
        events=100,
        impact_bp=-200.0,
        recovery_30m=0.6,
        oi_share=0.01,
        oi_change=-0.03,
        severity="major",
        origin_venue="bybit",
        price_onset=60_000.0,
        price_extreme=58_800.0,
        depth_min_ratio=0.3,
    ),
    window(
        "c2",
        at(2, 12),
        100,
        10 * MILLION,
        usd_estimated=None,
        usd_upper=None,
        events=20,
        impact_bp=-50.0,
        recovery_30m=0.2,
        oi_share=0.002,
        oi_change=-0.01,
        severity="minor",
        origin_venue=None,
        price_onset=58_000.0,
        price_extreme=57_700.0,
        depth_min_ratio=0.5,
        parent_id="c1",
    ),
    window(
        "c3",
        at(3, 9),
        50,
        2 * MILLION,
        scope="ETH",
        side="short",
        window_class="burst",
        usd_estimated=None,
        usd_upper=None,
        events=9,
        impact_bp=30.0,
        recovery_30m=1.0,
        oi_share=None,
        oi_change=None,
        severity=None,
        origin_venue="okx",
        price_onset=None,
        price_extreme=None,
        depth_min_ratio=None,
    ),
)

ORDERS = (
    forced_order(1, at(2, 10, 0, 0), 3 * MILLION, "bybit"),
    forced_order(3, at(2, 10, 0, 30), 5 * MILLION, "okx"),
    forced_order(7, at(2, 10, 5, 0), 2 * MILLION, "bybit"),
    forced_order(9, at(2, 10, 5, 1), 1 * MILLION, "bybit"),
    forced_order(11, at(2, 10, 1, 0), 4 * MILLION, "bybit", "short"),
    forced_order(5, at(2, 10, 2, 0), 7 * MILLION, "okx", "short"),
    forced_order(2, at(3, 9, 0, 0), 1 * MILLION, "okx", "short"),
)
_LATE = forced_order(13, at(2, 11, 0, 0), 1 * MILLION, "okx")
LATE = LateLiquidation(_LATE.id, _LATE, _LATE.event_time_us + 9 * MICROS)

FRAMES = (
    traded(at(2, 10, 0, 0), 60_000.0, 20 * MILLION),
    traded(at(2, 10, 5, 10), 59_000.0),
    traded(at(2, 10, 10, 0), 59_590.0),
    traded(at(2, 10, 20, 59), 59_295.0),
    traded(at(2, 11, 5, 0), 58_410.0),
    msgspec.structs.replace(traded(at(2, 12, 30, 0), 58_000.0), coverage=0.5),
    msgspec.structs.replace(traded(at(2, 12, 30, 1), 57_000.0), coverage=0.5),
    traded(at(3, 9, 0, 0), 4_000.0, asset="ETH"),
)

SIGNALS: tuple[Signal, ...] = (
    reading(
        Positioning,
        "p1",
        ONSET - 60,
        window_s=86_400,
        oi_usd=4_000 * MILLION,
        oi_change=0.05,
        quadrant="new_longs",
    ),
    reading(Positioning, "p2", ONSET, window_s=86_400, oi_usd=1 * MILLION, quadrant="long_flush"),
    reading(Positioning, "p3", ONSET - 30, window_s=900, oi_usd=2 * MILLION),
    reading(Funding, "f1", ONSET - 3_600, annualised=0.9, rate_8h=0.0008, dispersion_8h=0.0001),
    reading(Funding, "f2", ONSET + 3_600, annualised=-0.2, rate_8h=-0.0002),
    reading(
        Liquidity,
        "l1",
        ONSET - 5,
        state="thin",
        z=-1.5,
        spread_bp=2.0,
        depth_ratio=(0.4, 0.5, 0.6, 0.7),
        bid_usd=(MILLION,) * 4,
        ask_usd=(2 * MILLION,) * 4,
    ),
    reading(Liquidity, "l2", ONSET, state="vacuum", z=-4.0, depth_ratio=(0.1,) * 4),
    reading(Liquidity, "l3", ONSET - 1, venue="bybit", state="vacuum", depth_ratio=(0.05,) * 4),
    reading(Regime, "r1", ONSET - 7_200, state="euphoria", crowd_side="long", p_liquidation=0.1),
    reading(Regime, "r2", ONSET, state="liquidation", p_liquidation=0.9),
    reading(Regime, "r3", ONSET + 10_800, state="accumulation", p_liquidation=0.2),
    reading(Health, "h1", ONSET - 600, health=35.5, band="stressed"),
    reading(Health, "h2", ONSET + 1, health=5.0, band="critical"),
    reading(Imbalance, "i1", ONSET - 120, window_s=3_600, long_share=0.9, z=4.0, dominant="long"),
    reading(Imbalance, "i2", ONSET + 30, window_s=3_600, long_share=1.0, z=9.0, dominant="long"),
    reading(
        Volatility,
        "v1",
        ONSET - 60,
        window_s=3_600,
        annualised=0.5,
        realised_z=0.1,
        forced=0.1,
        forced_low=0.0,
        forced_high=0.2,
    ),
    reading(
        Volatility,
        "v2",
        ONSET + 3_000,
        window_s=3_600,
        annualised=1.5,
        realised_z=3.0,
        forced=0.7,
        forced_low=0.5,
        forced_high=0.8,
    ),
    reading(
        Dominance, "d1", ONSET - 60, window_s=86_400, state="derivatives_led", ratio=5.0, share=0.83
    ),
    reading(Dominance, "d2", ONSET, window_s=86_400, state="spot_led", ratio=1.0, share=0.5),
    reading(
        ZoneMap,
        "z1",
        ONSET - 60,
        hidden=False,
        skill=0.1,
        price=60_000.0,
        zones=(
            Zone(59_000.0, 59_200.0, "long", 30 * MILLION, 0, 0, -133.0, 1.0, {}),
            Zone(58_000.0, 58_500.0, "long", 8 * MILLION, 0, 0, -250.0, 1.0, {}),
            Zone(60_500.0, 61_000.0, "short", 9 * MILLION, 0, 0, 83.0, 1.0, {}),
        ),
    ),
    reading(
        RegimeTransition,
        "t1",
        ONSET,
        from_state="euphoria",
        to_state="liquidation",
        probability=0.8,
        trigger_cascade_id="c1",
    ),
    reading(
        RegimeResolution,
        "t1r",
        ONSET + 3 * DAY_S,
        transition_id="t1",
        resolved="consolidation",
        price_before=60_000.0,
        price_high_after=60_000.0,
    ),
    reading(Alert, "a1", ONSET - 3_600, kind="squeeze_risk", severity="warning"),
    reading(Alert, "a2", ONSET - 1_800, kind="squeeze_risk", severity="warning"),
    reading(Alert, "a3", at(2, 13), kind="squeeze_risk", severity="warning"),
    reading(Alert, "a4", at(2, 11, 59, 50), kind="cascade_alert", severity="critical"),
)

PRINTS = (
    printed(
        "d2",
        2,
        50 * MILLION,
        usd_estimated=75 * MILLION,
        usd_upper=100 * MILLION,
        long_usd=40 * MILLION,
        short_usd=10 * MILLION,
    ),
    printed("d3", 3, 20 * MILLION),
    printed("d4", 4, 90 * MILLION, is_final=False),
    printed("b2", 2, 30 * MILLION, venue="bybit", usd_estimated=30 * MILLION),
    printed("b3", 3, 10 * MILLION, venue="bybit", usd_estimated=15 * MILLION),
    printed("o2", 2, 20 * MILLION, venue="okx", usd_estimated=None),
    printed(
        "m1", 2, 55 * MILLION, kind="rolling_24h", period_start=us(ONSET), percentile_365d=0.97
    ),
    printed(
        "m2", 2, 57 * MILLION, kind="rolling_24h", period_start=us(ONSET + 60), percentile_365d=0.98
    ),
    printed(
        "m3", 2, 10 * MILLION, kind="rolling_24h", period_start=us(at(2, 13)), percentile_365d=0.2
    ),
)

MILESTONES = tuple(
    msgspec.structs.replace(
        msgspec.json.decode(example("milestone", "observed-400-million"), type=Milestone),
        id=name,
        crossed_at=us(when),
        watermark=us(when),
        threshold_usd=threshold * MILLION,
    )
    for name, when, threshold in (("x1", ONSET, 400), ("x2", at(2, 12), 500))
)


def _status(name: str, state: Any, when: int, venue: str = "bybit") -> FeedStatus:
    base = msgspec.json.decode(example("feed_status", "up"), type=FeedStatus)
    return msgspec.structs.replace(base, id=name, venue=venue, state=state, at_us=us(when))


STATUS = (
    _status("s1", "up", at(2, 0)),
    _status("s2", "down", at(2, 6)),
    _status("s3", "up", at(2, 8)),
    _status("s4", "up", at(2, 0), "okx"),
    _status("s5", "down", at(2, 10), "okx"),
)


def _letter(name: str, when: int, detail: str) -> DeadLetter:
    base = msgspec.json.decode(example("dead_letter", "unknown-instrument"), type=DeadLetter)
    return msgspec.structs.replace(base, id=name, received_at_us=us(when), detail=detail)


LETTERS = (_letter("e1", ONSET, "first"), _letter("e2", ONSET + 60, "second"))

MESSAGES: tuple[contracts.Message, ...] = (
    *CASCADES,
    *ORDERS,
    LATE,
    *FRAMES,
    *SIGNALS,
    *PRINTS,
    *MILESTONES,
    *STATUS,
    *LETTERS,
)

OF_EXAMPLES = frozenset(
    [
        "alerts",
        "amplification",
        "cascades",
        "conditions",
        "dominance",
        "feeds",
        "funding",
        "health",
        "imbalance",
        "liquidity",
        "positioning",
        "print",
        "propagation",
        "regime",
        "regime-transitions",
        "volatility",
        "zones",
    ]
)
"""Named queries that are tried on the checked-in examples instead."""
