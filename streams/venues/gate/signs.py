"""Whether the assumed sign of Gate's forced orders holds: against the venue's own count by minute.

Beside the data path: the framer shows it what it frames. Promises a verdict only on a minute that
both channels speak of and that is not the same either way; keeps ten minutes a contract. Corrects
nothing: a contradiction calls an operator, who sets `gate.negative` (`streams.venues.assumptions`).
"""

from typing import Final, Literal

import msgspec

from streams.core.events import MICROS, Liquidation, Raw
from streams.core.instruments import Instruments
from streams.core.lanes import UNREADABLE
from streams.core.normalise import Parser
from streams.venues.fields import BadField, Row, any_stamp_us, not_negative, text
from streams.venues.gate.symbols import FUTURES
from streams.venues.sides import Verdict

_PUSHED: Final = b'"futures.public_liquidates"'
_COUNTED: Final = b'"futures.contract_stats"'
_HEAD: Final = 256
_MINUTE_US: Final = 60 * MICROS
_MINUTES_KEPT: Final = 10


class _Stats(msgspec.Struct, frozen=True):
    channel: Literal["futures.contract_stats"]
    event: Literal["update"]
    result: list[dict[str, object]]


_STATS: Final = msgspec.json.Decoder(_Stats, float_hook=str)


def counted(payload: bytes) -> str | None:
    """The contract of a message that counts forced orders; None of any other."""
    if _COUNTED not in payload[:_HEAD]:
        return None
    try:
        rows = _STATS.decode(payload).result
        return text(rows[0], "contract") if rows else None
    except (*UNREADABLE, BadField):
        return None


class SignCheck:
    """Compares dollars by side of `public_liquidates` with those of `contract_stats`.

    Args:
        parse: the parser in force, with its assumption.
        instruments: contract sizes.
    """

    def __init__(self, parse: Parser, instruments: Instruments) -> None:
        self._parse = parse
        self._instruments = instruments
        self._forced: dict[str, dict[int, tuple[float, float]]] = {}
        self._counted: dict[str, tuple[int, float, float]] = {}

    def see(self, raw: Raw) -> list[Verdict]:
        """Take a record; the verdicts on the minutes that it ends, one a contract."""
        if raw.venue != FUTURES:
            return []
        head = raw.payload[:_HEAD]
        if _PUSHED in head:
            self._sum(raw)
        elif _COUNTED in head:
            return self._compare(raw)
        return []

    def _sum(self, raw: Raw) -> None:
        try:
            outcomes = self._parse(raw, self._instruments)
        except UNREADABLE:
            return
        for event in outcomes:
            if not isinstance(event, Liquidation):
                continue
            minutes = self._forced.setdefault(event.symbol, {})
            minute, usd = event.event_time_us // _MINUTE_US, event.usd / MICROS
            longs, shorts = minutes.get(minute, (0.0, 0.0))
            closed_long = event.position_side == "long"
            minutes[minute] = (longs + usd, shorts) if closed_long else (longs, shorts + usd)
            if len(minutes) > _MINUTES_KEPT:
                del minutes[min(minutes)]

    def _compare(self, raw: Raw) -> list[Verdict]:
        try:
            rows = _STATS.decode(raw.payload).result
        except UNREADABLE:
            return []
        found = []
        for row in rows:
            try:
                found.append(self._told(row))
            except BadField:
                continue
        return [verdict for verdict in found if verdict is not None]

    def _told(self, row: Row) -> Verdict | None:
        """A minute's count so far; the first of a later minute makes the one before final."""
        symbol, minute = text(row, "contract"), any_stamp_us(row, "time") // _MINUTE_US
        usd = float(not_negative(row, "long_liq_usd")), float(not_negative(row, "short_liq_usd"))
        if symbol not in self._forced:
            return None
        before = self._counted.get(symbol)
        if before is not None and minute < before[0]:
            return None
        self._counted[symbol] = (minute, *usd)
        if before is None or minute == before[0]:
            return None
        summed = self._forced[symbol].pop(before[0], None)
        return None if summed is None else _verdict(summed, before[1:])


def _verdict(summed: tuple[float, float], counted: tuple[float, float]) -> Verdict | None:
    """Which way round the two fit better; None when neither does."""
    if not any(counted):
        return None
    (longs, shorts), (told_longs, told_shorts) = summed, counted
    straight = abs(longs - told_longs) + abs(shorts - told_shorts)
    crossed = abs(longs - told_shorts) + abs(shorts - told_longs)
    if straight == crossed:
        return None
    return "agrees" if straight < crossed else "contradicts"
