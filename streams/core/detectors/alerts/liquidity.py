"""Alert `thin_liquidity` (definition 1.8): a violent move through a thin book.

    |r_10s| >= 4 sigma_10s  and  depth <= 0.5 x ordinary  and  spread >= 3 x ordinary

sigma_10s is the one-minute standard deviation scaled by the square root of time. Depth and spread
of the second are those of the last minute's liquidity row, times what the same books have changed
since that minute's end: what is ordinary is told by the liquidity detector alone. Promises
silence where price, books or ordinary values are missing.
"""

from collections.abc import Iterator
from math import log, sqrt

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.alerts.text import score
from streams.core.detectors.minutes import MINUTE, Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP, BookState
from streams.core.results import Alert, Liquidity

FIFTY_BP = DEPTH_BANDS_BP.index(50)

Depths = tuple[int | None, ...]


def reference_band(ratios: tuple[float | None, ...]) -> int | None:
    """The band whose depth speaks: 50 bp, or the widest known one inside it, or the next outside.

    >>> reference_band((0.4, 0.5, 0.6, None)), reference_band((0.4, None, None, None))
    (2, 0)
    >>> reference_band((None, None, None, 0.7)), reference_band(())
    (3, None)
    """
    order = (*range(FIFTY_BP, -1, -1), *range(FIFTY_BP + 1, len(DEPTH_BANDS_BP)))
    return next((i for i in order if i < len(ratios) and ratios[i] is not None), None)


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A book of `second`: depth of both sides by band (micro-dollars), spread over the mid."""

    second: int
    depth: Depths
    spread: float


class Tape(msgspec.Struct):
    """Prices of the last seconds, the last book of each (venue, symbol), and the cooldown (s)."""

    prices: list[tuple[int, float]] = []
    books: dict[str, Seen] = {}
    until: int = 0


class Ordinary(msgspec.Struct):
    """Of the last minute's end (`at`, s): the liquidity row's ratios, and the books behind it."""

    at: int = 0
    row: str = ""
    band: int = 0
    depth_ratio: float = 0.0
    spread_ratio: float = 0.0
    books: dict[str, Seen] = {}


class Thin(msgspec.Struct, frozen=True):
    """What was measured when the rule was passed; `sigmas` is signed."""

    sigmas: float
    move_bp: float
    depth: float
    spread: float
    row: str


def seen_of(book: BookState, second: int) -> Seen:
    """A book as the tape keeps it."""
    depth = tuple(
        None if bid is None or ask is None else bid + ask
        for bid, ask in zip(book.bid_usd, book.ask_usd, strict=True)
    )
    return Seen(second, depth, 2 * (book.ask - book.bid) / (book.ask + book.bid))


def note(tape: Tape, moment: Moment, params: AlertParams) -> None:
    """Take prices and derivative books of a second."""
    now = moment.second
    if moment.price is not None:
        tape.prices.append((now, moment.price))
        oldest = now - 2 * params.thin_return_s
        if tape.prices[0][0] < oldest:
            tape.prices = [one for one in tape.prices if one[0] >= oldest]
    for book in moment.books:
        if book.contract == "spot":
            continue
        key = f"{book.venue}|{book.symbol}"
        if key not in tape.books and len(tape.books) >= params.books_most:
            _forget(tape, now, params)
            if len(tape.books) >= params.books_most:
                continue
        tape.books[key] = seen_of(book, now)


def _forget(tape: Tape, now: int, params: AlertParams) -> None:
    stale = [key for key, seen in tape.books.items() if seen.second < now - params.book_stands_s]
    for key in stale:
        del tape.books[key]


def anchor(tape: Tape, minute: Minute, readings: Readings, params: AlertParams) -> Ordinary:
    """What is ordinary as of a minute's end; empty when the minute's liquidity row does not say."""
    _forget(tape, minute.end, params)
    row = readings.last(Liquidity)
    if row is None or row.at != minute.end * MICROS or row.spread_ratio is None:
        return Ordinary()
    band = reference_band(row.depth_ratio)
    ratio = None if band is None else row.depth_ratio[band]
    if band is None or ratio is None:
        return Ordinary()
    books = dict(sorted(tape.books.items()))
    return Ordinary(minute.end, row.id, band, ratio, row.spread_ratio, books)


def move(tape: Tape, now: int, params: AlertParams) -> float | None:
    """Log return over the last `thin_return_s`; None without a price before it."""
    if not tape.prices or tape.prices[-1][0] != now:
        return None
    before = [one for one in tape.prices if one[0] <= now - params.thin_return_s]
    return log(tape.prices[-1][1] / before[-1][1]) if before else None


def thin(
    tape: Tape, ordinary: Ordinary, sigma: float | None, now: int, params: AlertParams
) -> Thin | None:
    """What was measured, if the rule is passed.

    Args:
        tape: prices and books of the last seconds.
        ordinary: what is ordinary.
        sigma: standard deviation of one-minute log returns.
        now: second of the last price.
        params: of the rule.
    """
    if not sigma or not ordinary.books or now > ordinary.at + 2 * MINUTE:
        return None
    moved = move(tape, now, params)
    if moved is None:
        return None
    sigmas = moved / (sigma * sqrt(params.thin_return_s / 60))
    if abs(sigmas) < params.thin_sigmas:
        return None
    band, floor = ordinary.band, now - params.book_stands_s
    depth_now = depth_then = 0
    spreads: list[float] = []
    for key, then in ordinary.books.items():
        book = tape.books.get(key)
        if book is None or book.second < floor:
            continue
        here, there = book.depth[band], then.depth[band]
        if here is not None and there:
            depth_now, depth_then = depth_now + here, depth_then + there
        if then.spread > 0:
            spreads.append(book.spread / then.spread)
    if not depth_then or not spreads:
        return None
    middle = sorted(spreads)[(len(spreads) - 1) // 2]
    depth = ordinary.depth_ratio * depth_now / depth_then
    spread = ordinary.spread_ratio * middle
    if depth > params.thin_depth or spread < params.thin_spread:
        return None
    return Thin(sigmas, moved * 10_000, depth, spread, ordinary.row)


def thin_liquidity(
    tape: Tape,
    found: Thin,
    moment: Moment,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> Iterator[Alert]:
    """The alert, unless one was told too recently; the cooldown is one episode."""
    now = moment.second
    if now < tape.until:
        return
    tape.until = now + params.thin_cooldown_s
    vacuum = found.depth <= params.thin_vacuum_depth or found.spread >= params.thin_vacuum_spread
    margins = (
        abs(found.sigmas) / params.thin_sigmas,
        params.thin_depth / max(found.depth, 1e-9),
        found.spread / params.thin_spread,
    )
    windows = tuple(window.id for window in readings.open_cascades())
    yield alert(
        origin,
        Fact("thin_liquidity", now, (now,), moment.coverage),
        "critical" if vacuum else "warning",
        score(margins, 0, params.unknown_penalty),
        f"{origin.scope} moved {found.move_bp:+.0f} bp in {params.thin_return_s} s"
        f" ({abs(found.sigmas):.1f} standard deviations) through a thin book:"
        f" depth {found.depth:.2f}x, spread {found.spread:.1f}x the ordinary.",
        {
            "move_bp": found.move_bp,
            "sigmas": found.sigmas,
            "depth_ratio": found.depth,
            "spread_ratio": found.spread,
        },
        group=windows[0] if windows else None,
        evidence=(found.row, *windows),
        cooldown_s=params.thin_cooldown_s,
    )
