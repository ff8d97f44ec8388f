"""A message of a topic as one line for people.

Between a decoded message and `marginquake tail`. Promises that every type which `contracts.decode`
returns has a line with its time, its scope and what it says, that what is null is shown as `-`
and never as a number, and that no line holds a control character. Not a format to be parsed: for
programs there is the record's JSON.
"""

import json
from dataclasses import dataclass
from typing import Literal, assert_never

from streams.contracts import Message
from streams.core.events import DeadLetter, FeedStatus, LateLiquidation, Liquidation
from streams.core.frames import Frame, Tick
from streams.core.results import (
    Alert,
    CascadeWindow,
    Conditions,
    Contribution,
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
    Result,
    Volatility,
    ZoneMap,
)
from streams.edges.console import verbatim
from streams.edges.summary import dollars, estimate, moment

Tone = Literal["calm", "note", "warn", "alarm"]
"""How urgent a line is; a terminal colours it, nothing else changes."""


@dataclass(frozen=True, slots=True)
class RowLine:
    """`at_us` is event time, µs UTC (None: the message has none); `scope` an asset, venue or ALL;
    `mark` is `final` for a row that will not be revised, `r<revision>` for one that may be.
    """

    at_us: int | None
    scope: str
    what: str
    said: str
    mark: str = ""
    tone: Tone = "calm"

    def text(self) -> str:
        """The whole line."""
        when = "-" if self.at_us is None else moment(self.at_us)
        whole = f"{when:<19}  {self.scope:<6} {self.what:<10} {self.said}"
        return verbatim(f"{whole}  {self.mark}" if self.mark else whole).replace("\n", "\\n")


def json_line(value: bytes) -> str:
    r"""A record's JSON on one line, equal as JSON, with no control character left unescaped.

    >>> json_line('{"a":\n "\x9b31m é"}'.encode())
    '{"a":  "\\u009b31m é"}'
    """
    text = value.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def row_line(message: Message) -> RowLine:
    """The line of a message."""
    match message:
        case CascadeWindow() | Print() | Milestone():
            return _window(message)
        case Regime() | RegimeTransition() | RegimeResolution():
            return _regime(message)
        case Imbalance() | Liquidity() | Conditions() | Positioning() | Funding():
            return _reading(message)
        case Dominance() | Volatility() | ZoneMap() | Health() | Alert():
            return _market(message)
        case (
            Liquidation()
            | LateLiquidation()
            | Frame()
            | Tick()
            | Contribution()
            | DeadLetter()
            | FeedStatus()
        ):
            return _path(message)
        case _:
            assert_never(message)


def _window(row: CascadeWindow | Print | Milestone) -> RowLine:
    match row:
        case CascadeWindow():
            said = (
                f"{row.side} {row.window_class}, {row.phase}: "
                f"{dollars(row.usd_observed)} observed, "
                f"{estimate(row.usd_estimated, row.identifiability)} estimated, "
                f"{_signed(row.impact_bp, ' bp')}, {row.events:,} orders, "
                f"severity {row.severity or '-'}, confidence {row.confidence:.2f}"
            )
            open_tone: Tone = "alarm" if row.window_class == "cascade" else "warn"
            tone: Tone = "note" if row.is_final else open_tone
            return RowLine(row.onset, row.scope, "cascade", said, _mark(row), tone)
        case Print():
            said = (
                f"{row.kind}{_at(row.venue)}: {dollars(row.usd_observed)} observed "
                f"(long {dollars(row.long_usd)}, short {dollars(row.short_usd)}), "
                f"{estimate(row.usd_estimated, row.identifiability)} estimated, "
                f"{row.events:,} orders, largest {dollars(row.largest_usd)}"
            )
            return RowLine(row.as_of, row.scope, "print", said, _mark(row))
        case Milestone():
            said = f"{row.basis} {dollars(row.threshold_usd)}: {row.text}"
            return RowLine(row.crossed_at, row.scope, "milestone", said, _mark(row), "note")
        case _:
            assert_never(row)


def _regime(row: Regime | RegimeTransition | RegimeResolution) -> RowLine:
    match row:
        case Regime():
            odds = " ".join(
                f"{name} {_share(value)}"
                for name, value in (
                    ("acc", row.p_accumulation),
                    ("exp", row.p_expansion),
                    ("eup", row.p_euphoria),
                    ("liq", row.p_liquidation),
                )
            )
            state = row.state or f"unknown ({_reasons(row.null_reasons, 'state')})"
            return RowLine(row.at, row.scope, "regime", f"{state}: {odds}", _mark(row))
        case RegimeTransition():
            said = f"{row.from_state or '-'} -> {row.to_state}, probability {row.probability:.2f}"
            return RowLine(row.at, row.scope, "transition", said, _mark(row), "warn")
        case RegimeResolution():
            said = f"{row.resolved or '-'} after {row.transition_id}"
            return RowLine(row.at, row.scope, "resolution", said, _mark(row), "note")
        case _:
            assert_never(row)


def _reading(row: Imbalance | Liquidity | Conditions | Positioning | Funding) -> RowLine:
    match row:
        case Imbalance():
            said = (
                f"{_window_of(row.window_s)}{_at(row.venue)}: long {dollars(row.long_usd)}, "
                f"short {dollars(row.short_usd)}, LSI {_signed(row.lsi)}, {row.label or '-'}"
            )
            what = "imbalance"
        case Liquidity():
            said = (
                f"{row.state or '-'}{_at(row.venue)}: z {_signed(row.z)}, "
                f"spread {_number(row.spread_bp)} bp, refill {_number(row.refill_half_life_s)} s"
            )
            what = "liquidity"
        case Conditions():
            said = f"{row.state or '-'}: probability {_share(row.probability)}"
            what = "conditions"
        case Positioning():
            said = (
                f"{_window_of(row.window_s)}{_at(row.venue)}: {row.quadrant or '-'}, "
                f"price {_percent(row.price_change)}, "
                f"open interest {dollars(row.oi_usd)} ({_percent(row.oi_change)})"
            )
            what = "positioning"
        case Funding():
            said = (
                f"{_percent(row.annualised)} a year, highest {row.highest_venue or '-'}, "
                f"lowest {row.lowest_venue or '-'}"
            )
            what = "funding"
        case _:
            assert_never(row)
    return RowLine(row.at, row.scope, what, said, _mark(row))


def _market(row: Dominance | Volatility | ZoneMap | Health | Alert) -> RowLine:
    tone: Tone = "calm"
    match row:
        case Dominance():
            said = (
                f"{_window_of(row.window_s)}: {row.state or '-'}, derivatives {_share(row.share)}"
            )
            what = "dominance"
        case Volatility():
            said = (
                f"{_window_of(row.window_s)}: {_percent(row.annualised)} a year, "
                f"jump {'yes' if row.jump_significant else '-' if row.jump is None else 'no'}"
            )
            what = "volatility"
        case ZoneMap():
            if row.hidden or row.zones is None:
                said = f"hidden ({_reasons(row.null_reasons, 'zones')})"
            else:
                said = f"{len(row.zones)} zones, {dollars(row.map_usd)}, skill {_signed(row.skill)}"
            what = "zones"
        case Health():
            weight = f"known weight {row.weight_coverage:.0%}"
            said = f"{_number(row.health)} of 100, {row.band or '-'}, {weight}"
            what = "health"
            tone = "warn" if row.band in ("stressed", "critical") else "calm"
        case Alert():
            said = f"{row.severity} {row.kind}: {row.text}"
            what = "alert"
            tones: dict[str, Tone] = {"info": "note", "warning": "warn", "critical": "alarm"}
            tone = tones[row.severity]
        case _:
            assert_never(row)
    return RowLine(row.at, row.scope, what, said, _mark(row), tone)


def _path(
    row: Liquidation | LateLiquidation | Frame | Tick | Contribution | DeadLetter | FeedStatus,
) -> RowLine:
    match row:
        case Liquidation():
            return RowLine(row.event_time_us, row.asset, "order", _order(row))
        case LateLiquidation(liquidation=order):
            return RowLine(order.event_time_us, order.asset, "late", _order(order), tone="warn")
        case Frame():
            orders, usd = sum(c.n for c in row.cells), sum(c.usd for c in row.cells)
            said = f"{orders:,} orders of {dollars(usd)}, coverage {row.coverage:.2f}"
            return RowLine(row.second, row.asset, "frame", said)
        case Tick():
            said = f"{row.n_frames:,} frames sent"
            return RowLine(row.second, f"p{row.partition}", "tick", said)
        case Contribution():
            orders, usd = sum(c.n for c in row.cells), sum(c.usd for c in row.cells)
            said = f"{orders:,} orders of {dollars(usd)}, coverage {row.coverage:.2f}"
            return RowLine(row.second, row.asset, "contribution", said)
        case DeadLetter():
            said = f"{row.reason} at {row.stage}: {row.source}: {row.detail}"
            at_us = row.received_at_us or None
            return RowLine(at_us, row.venue or "-", "letter", said, tone="warn")
        case FeedStatus():
            said = f"{row.channel} {row.state}: {row.reason or '-'} ({row.connection})"
            tone: Tone = "note" if row.state == "up" else "warn"
            return RowLine(row.at_us, row.venue, "feed", said, tone=tone)
        case _:
            assert_never(row)


def _order(order: Liquidation) -> str:
    return (
        f"{order.position_side} {dollars(order.usd)} at {order.price:,g} "
        f"on {order.venue} {order.symbol} ({order.kind}, {order.completeness})"
    )


def _mark(row: Result) -> str:
    return "final" if row.is_final else f"r{row.revision}"


def _at(venue: str | None) -> str:
    return f" {venue}" if venue else ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:+,.3g}{unit}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2%}"


def _window_of(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _reasons(reasons: dict[str, str], field: str) -> str:
    return reasons.get(field, "no reason given")
