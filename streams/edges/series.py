"""Archived series of a scope, daily or hourly, through the regime classifier.

Beside the data path: a CSV file instead of live minutes, the same classifier. Promises that an
empty cell stays unknown and that a file which is not a series is refused with its line. A daily
row counts as 24 equal hours: its prices and open interest stand all day, flows and variance are
shared out, so changes are dated by the day at best.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite, log
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.detectors.regime.classifier import Classifier
from streams.core.detectors.regime.params import RegimeParams
from streams.core.events import PositionSide
from streams.core.results import Driver
from streams.core.results.regimes import RegimeName, Resolved

DAY: Final = 24 * HOUR
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "date", "t", "timestamp"),
    "close": ("close", "btc_close"),
    "high": ("high", "btc_high"),
    "low": ("low", "btc_low"),
    "oi_usd": ("oi_usd", "oi_usd_close"),
    "oi_base": ("oi_base", "oi_btc_close"),
    "funding_8h": ("funding_8h",),
    "funding_8h_pct": ("funding_8h_pct", "funding_8h_pct_oiw"),
    "long_usd": ("long_usd", "liq_long_usd", "longUsd"),
    "short_usd": ("short_usd", "liq_short_usd", "shortUsd"),
    "spot_usd": ("spot_usd",),
    "spot_base": ("spot_base", "volume", "btc_volume"),
    "depth_usd": ("depth_usd",),
    "lsi": ("lsi",),
    "basis": ("basis",),
    "market_cap_usd": ("market_cap_usd",),
    "reserve_usd": ("reserve_usd",),
}
"""Columns by name, with the headers that are read as them; others are ignored."""
_NOT_NEGATIVE: Final = frozenset(COLUMNS) - {"time", "funding_8h", "funding_8h_pct", "lsi", "basis"}

Row = dict[str, float | None]


class Passage(msgspec.Struct, frozen=True):
    """A committed phase: entered at `at`, left at `until` (s; None: not yet), from `from_state`.

    `price` in USD; `resolved` tells of a liquidation what came of it in 72 h, from hindsight.
    """

    at: int
    until: int | None
    from_state: RegimeName | None
    to_state: RegimeName
    probability: float
    crowd_side: PositionSide | None
    price: float | None
    drivers: tuple[Driver, ...]
    resolved: Resolved | None = None


class RegimePath(msgspec.Struct, frozen=True):
    """Phases in order, and the hours spent in each; `none`: none stood out, `unknown`: too little
    history or too few inputs. `unknown`: hours by the reason.
    """

    passages: tuple[Passage, ...]
    hours: dict[str, int]
    unknown: dict[str, int] = {}


def read_series(path: Path) -> Iterator[HourBar]:
    """Hours of a CSV file with a header line; see COLUMNS.

    Raises:
        MarginquakeError: naming the file, the line and what is wrong.
    """
    rows = list(_rows(path))
    if len(rows) < 2:
        raise MarginquakeError(f"{path}: a series needs two rows or more")
    for (_, before), (line, after) in pairwise((line, start) for line, start, _ in rows):
        if after <= before:
            raise MarginquakeError(f"{path}, line {line}: time does not ascend; sort the file")
    step = min(after[1] - before[1] for before, after in pairwise(rows))
    if step not in (HOUR, DAY):
        raise MarginquakeError(f"{path}: rows are {step} s apart; a row is an hour or a day")
    for line, start, row in rows:
        if start % step:
            raise MarginquakeError(f"{path}, line {line}: time is not the start of the row's step")
        yield from _hours(start, step, row)


def regime_path(bars: Iterable[HourBar], params: RegimeParams | None = None) -> RegimePath:
    """The phases that a series of hours passes through."""
    classifier = Classifier(params or RegimeParams())
    found: list[Passage] = []
    hours: dict[str, int] = {}
    unknown: dict[str, int] = {}
    resolved: dict[str, Resolved | None] = {}
    for bar in bars:
        at = bar.start + HOUR
        change = classifier.hour(bar, at)
        state = classifier.state
        why = classifier.reading.unknown
        if why:
            unknown[why] = unknown.get(why, 0) + 1
        name = "unknown" if why else state or "none"
        hours[name] = hours.get(name, 0) + 1
        if found and (change or found[-1].to_state != state) and found[-1].until is None:
            found[-1] = msgspec.structs.replace(found[-1], until=at)
        elif found and change is None and state == found[-1].to_state:
            found[-1] = msgspec.structs.replace(found[-1], until=None)
        if change is not None:
            if change.to_state == "liquidation":
                classifier.expect(str(at), at)
            found.append(
                Passage(
                    at,
                    None,
                    change.from_state,
                    change.to_state,
                    max(classifier.standing.phase.p),
                    classifier.reading.crowd_side,
                    bar.close,
                    classifier.drivers(),
                )
            )
        for outcome in classifier.outcomes(at):
            resolved[outcome.pending.transition_id] = outcome.resolved
    told = [msgspec.structs.replace(one, resolved=resolved.get(str(one.at))) for one in found]
    return RegimePath(tuple(told), dict(sorted(hours.items())), unknown)


def cells(passage: Passage) -> tuple[str, ...]:
    """A passage as a reader sees it: entered, phase, from, left, p, crowd, price, then, why."""
    return (
        _when(passage.at),
        passage.to_state,
        passage.from_state or "-",
        "-" if passage.until is None else _when(passage.until),
        f"{passage.probability:.2f}",
        passage.crowd_side or "-",
        "-" if passage.price is None else f"{passage.price:,.6g}",
        passage.resolved or "-",
        ", ".join(f"{one.feature} {one.value:.2f} ({one.weight:+.2f})" for one in passage.drivers),
    )


def _when(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M")


def _rows(path: Path) -> Iterator[tuple[int, int, Row]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = {text.strip().lower(): text for text in reversed(reader.fieldnames or ())}
            names = {
                name: next((header[a.lower()] for a in aliases if a.lower() in header), None)
                for name, aliases in COLUMNS.items()
            }
            for needed in ("time", "close"):
                if names[needed] is None:
                    known = ", ".join(COLUMNS[needed])
                    found = ", ".join(header.values()) or "no header"
                    raise MarginquakeError(
                        f"{path}: no column {needed} (one of {known}); it has {found[:200]}"
                    )
            for cells in reader:
                if None in cells:
                    raise MarginquakeError(
                        f"{path}, line {reader.line_num}: more cells than the header has"
                    )
                yield reader.line_num, *_row(path, reader.line_num, cells, names)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MarginquakeError(f"{path}: cannot be read as CSV: {error}") from error


def _row(
    path: Path, line: int, cells: Mapping[str, str | None], names: Mapping[str, str | None]
) -> tuple[int, Row]:
    row: Row = {}
    start = 0
    for name, header in names.items():
        text = (cells.get(header) or "").strip() if header is not None else ""
        try:
            if name == "time":
                start = _seconds(text)
            else:
                row[name] = float(text) if text else None
        except (ValueError, OverflowError):
            raise MarginquakeError(f"{path}, line {line}: {name} is {text!r}") from None
        value = row.get(name)
        if value is not None and (not isfinite(value) or (value < 0 and name in _NOT_NEGATIVE)):
            raise MarginquakeError(f"{path}, line {line}: {name} is {text!r}")
    high, low = row["high"], row["low"]
    if high is not None and low is not None and high < low:
        raise MarginquakeError(f"{path}, line {line}: high {high:g} is below low {low:g}")
    return start, row


def _seconds(text: str) -> int:
    if text.isdigit():
        return int(text)
    when = datetime.fromisoformat(text)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def _hours(start: int, step: int, row: Row) -> Iterator[HourBar]:
    count = step // HOUR
    close, high, low = row["close"], row["high"], row["low"]
    # Parkinson 1980: the range of a period as an estimate of its variance.
    variance: float | None = None
    if high is not None and low is not None and 0 < low <= high:
        variance = log(high / low) ** 2 / (4 * log(2)) / count
    funding, percent = row["funding_8h"], row["funding_8h_pct"]
    spot, coins = row["spot_usd"], row["spot_base"]
    if spot is None and coins is not None and close is not None:
        spot = coins * close
    for index in range(count):
        yield HourBar(
            start=start + index * HOUR,
            close=close,
            high=high,
            low=low,
            variance=variance,
            oi_usd=row["oi_usd"],
            oi_base=row["oi_base"],
            funding_8h=percent / 100 if funding is None and percent is not None else funding,
            long_usd=_share(row["long_usd"], count),
            short_usd=_share(row["short_usd"], count),
            depth_usd=row["depth_usd"],
            lsi=row["lsi"],
            basis=row["basis"],
            market_cap_usd=row["market_cap_usd"],
            reserve_usd=row["reserve_usd"],
            spot_usd=_share(spot, count),
        )


def _share(value: float | None, count: int) -> float | None:
    return None if value is None else value / count
