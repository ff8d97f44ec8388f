"""Labels the bursts of real recordings by a rule of hindsight, without any detector.

Beside the data path: it reads raw logs with the venues' parsers and writes down where a person with
the whole recording before them would see a burst of forced orders. Promises that the same
recordings and the same rule give the same labels, and that no row of a recording is in them. A
label says "a burst on the scale of this feed", not "a flush": open interest is unknown here, and
no recording at hand holds a market-wide flush.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from typing import Final, Literal

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS, Liquidation, Raw
from streams.core.normalise import normalise
from streams.edges import rawlog
from streams.parsing import parsers
from streams.scoreboard.spans import ALL, Side
from streams.venues.catalog import default_instruments

SUFFIX: Final = ".jsonl.gz"
SIDES: Final[tuple[Side, Side]] = ("long", "short")
RULE_TEXT: Final = (
    "Published orders of one scope and side, exact repetitions dropped. 60 s of orders stand out "
    "where both their number and their dollars reach a bar: the larger of a floor and a multiple "
    "of the median minute of all recordings of the folder (the 60 s up to each covered second, of "
    "this scope and side). An order is in company where the 20 s around it hold orders at half the "
    "bar's pace, two at least. Orders in company no more than 30 s apart make a run, from the "
    "first to the last of them; a run of which some 60 s stand out is a burst, and bursts less "
    "than 300 s apart are one. Where the whole market is silent for over 120 s the recorder was "
    "off: nothing is joined or measured across. Verdict `event`: as said; `near`: with three "
    "quarters of both bars, where no event of this scope and side overlaps. The rule looks ahead "
    "and over all recordings: nothing that decides in time can be it."
)


class LabelRule(msgspec.Struct, frozen=True):
    """Constants of `RULE_TEXT`; seconds, USD."""

    window_s: int = 60
    orders_times: float = 4.0
    orders_least: int = 10
    usd_times: float = 5.0
    usd_least: float = 10_000.0
    around_s: int = 10
    pace: float = 0.5
    join_s: int = 30
    merge_s: int = 300
    off_s: int = 120
    near: float = 0.75


RULE: Final = LabelRule()


class Published(msgspec.Struct, frozen=True, order=True):
    """A distinct forced order of a recording: venue time in µs, what it was, USD."""

    at_us: int
    symbol: str
    asset: str
    side: Side
    usd: float


class Label(msgspec.Struct, frozen=True):
    """One burst; seconds are UNIX seconds, dollars those published.

    `bar_orders`, `bar_usd`: what 60 s had to reach; `peak_*`: of the window with most orders.
    """

    recording: str
    scope: str
    side: Side
    onset: int
    end: int
    usd: int
    orders: int
    peak_orders: int
    peak_usd: int
    bar_orders: int
    bar_usd: int
    verdict: Literal["event", "near"]
    note: str = ""


class Stretch(msgspec.Struct, frozen=True):
    """A piece of a recording in which the recorder ran; `end`: the second after its last order."""

    recording: str
    begin: int
    end: int
    orders: int


class LabelFile(msgspec.Struct, frozen=True):
    """What is committed; `medians` are those of scope ALL, (orders, USD) a minute by side."""

    version: str
    about: str
    rule: LabelRule
    medians: dict[str, tuple[float, float]]
    stretches: tuple[Stretch, ...]
    labels: tuple[Label, ...]


def recordings(folder: Path) -> list[Path]:
    """The recordings of a folder by name.

    Raises:
        MarginquakeError: there is none.
    """
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if not found:
        raise MarginquakeError(f"{folder} holds no *{SUFFIX}; name the folder of the recordings")
    return found


def published(path: Path) -> list[Published]:
    """The distinct forced orders of a recording in order of venue time.

    Raises:
        MarginquakeError: the file cannot be read.
    """
    instruments = default_instruments()
    found: set[Published] = set()
    for _, record in rawlog.read(path):
        if not isinstance(record, Raw):
            continue
        for one in normalise(record, parsers(), instruments):
            if isinstance(one, Liquidation) and one.kind != "adl":
                found.add(
                    Published(
                        one.event_time_us,
                        one.symbol,
                        one.asset,
                        one.position_side,
                        one.usd / MICROS,
                    )
                )
    return sorted(found)


def stretches(orders: Sequence[Published], off_s: int = RULE.off_s) -> list[list[Published]]:
    """Orders cut where the market was silent for longer than `off_s`."""
    return _cut(orders, off_s)


def label(logs: Mapping[str, Sequence[Published]], rule: LabelRule = RULE) -> LabelFile:
    """Labels of some recordings, by name of the recording; see `RULE_TEXT`."""
    parts = [(name, part) for name in sorted(logs) for part in stretches(logs[name], rule.off_s)]
    assets = sorted({order.asset for _, part in parts for order in part})
    labels: list[Label] = []
    medians: dict[str, tuple[float, float]] = {}
    for scope in (ALL, *assets):
        for side in SIDES:
            own = [
                (name, part, [o for o in part if o.side == side and scope in (ALL, o.asset)])
                for name, part in parts
            ]
            usual = _median_minute([(part, orders) for _, part, orders in own], rule)
            if scope == ALL:
                medians[side] = usual
            for name, part, orders in own:
                labels += _bursts(name, scope, side, part, orders, usual, rule)
    return LabelFile(
        "labels/1",
        RULE_TEXT,
        rule,
        medians,
        tuple(
            Stretch(name, _second(part[0]), _second(part[-1]) + 1, len(part))
            for name, part in parts
        ),
        tuple(sorted(labels, key=lambda one: (one.recording, one.onset, one.scope, one.side))),
    )


def label_folder(folder: Path, rule: LabelRule = RULE) -> LabelFile:
    """`label` of every recording of a folder.

    Raises:
        MarginquakeError: the folder holds no recording.
    """
    return label({p.name.removesuffix(SUFFIX): published(p) for p in recordings(folder)}, rule)


def read_labels(path: Path) -> LabelFile:
    """A committed label file.

    Raises:
        MarginquakeError: it is missing or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=LabelFile)
    except (OSError, msgspec.MsgspecError) as error:
        raise MarginquakeError(
            f"{path} is no label file ({error}); make one with tests/eval/label_recordings.py"
        ) from None


def _cut(orders: Sequence[Published], silence_s: float) -> list[list[Published]]:
    parts: list[list[Published]] = []
    for order in orders:
        if parts and order.at_us - parts[-1][-1].at_us <= silence_s * MICROS:
            parts[-1].append(order)
        else:
            parts.append([order])
    return parts


def _second(order: Published) -> int:
    return order.at_us // MICROS


def _median_minute(
    parts: Sequence[tuple[Sequence[Published], Sequence[Published]]], rule: LabelRule
) -> tuple[float, float]:
    """Median (orders, USD) of the windows that end in each covered second of (part, own orders)."""
    counts: list[int] = []
    dollars: list[float] = []
    for part, own in parts:
        begin, last = _second(part[0]), _second(part[-1])
        first = after = 0
        usd = 0.0
        for second in range(begin + rule.window_s - 1, last + 1):
            while after < len(own) and _second(own[after]) <= second:
                usd += own[after].usd
                after += 1
            while first < after and _second(own[first]) <= second - rule.window_s:
                usd -= own[first].usd
                first += 1
            counts.append(after - first)
            dollars.append(usd if after > first else 0.0)
    return (float(median(counts)), round(median(dollars), 2)) if counts else (0.0, 0.0)


def _bursts(
    recording: str,
    scope: str,
    side: Side,
    part: Sequence[Published],
    orders: Sequence[Published],
    usual: tuple[float, float],
    rule: LabelRule,
) -> list[Label]:
    """The bursts of one stretch, scope and side."""
    bar_orders = max(rule.orders_least, ceil(rule.orders_times * usual[0]))
    bar_usd = max(rule.usd_least, rule.usd_times * usual[1])
    company = max(2, ceil(rule.pace * bar_orders * 2 * rule.around_s / rule.window_s))
    runs = [(run, _windows(run, rule)) for run in _in_company(orders, company, rule)]

    def found(verdict: Literal["event", "near"], share: float) -> list[Label]:
        bursts: list[list[Published]] = []
        for run, windows in runs:
            if any(n >= share * bar_orders and usd >= share * bar_usd for n, usd in windows):
                if bursts and run[0].at_us - bursts[-1][-1].at_us < rule.merge_s * MICROS:
                    begin = orders.index(bursts.pop()[0])
                    run = list(orders[begin : orders.index(run[-1]) + 1])
                bursts.append(run)
        return [labelled(burst, verdict) for burst in bursts]

    def labelled(burst: list[Published], verdict: Literal["event", "near"]) -> Label:
        peak_orders, peak_usd = max(_windows(burst, rule))
        return Label(
            recording,
            scope,
            side,
            _second(burst[0]),
            _second(burst[-1]),
            round(sum(one.usd for one in burst)),
            len(burst),
            peak_orders,
            round(peak_usd),
            bar_orders,
            round(bar_usd),
            verdict,
            _note(burst, part, rule),
        )

    events = found("event", 1.0)
    near = [
        one
        for one in found("near", rule.near)
        if all(one.end < event.onset or one.onset > event.end for event in events)
    ]
    return events + near


def _note(burst: Sequence[Published], part: Sequence[Published], rule: LabelRule) -> str:
    """What a reader should know of a burst: cut by the recorder, or mostly one asset's."""
    said = []
    if _second(burst[0]) - _second(part[0]) < rule.window_s:
        said.append("within a minute of the recorder's start")
    if _second(part[-1]) - _second(burst[-1]) < rule.window_s:
        said.append("within a minute of the recorder's stop")
    shares: dict[str, float] = {}
    for one in burst:
        shares[one.asset] = shares.get(one.asset, 0.0) + one.usd
    most = max(shares, key=lambda asset: (shares[asset], asset))
    share = shares[most] / sum(shares.values())
    if len(shares) > 1 and share >= 0.5:
        said.append(f"{share:.0%} of dollars are {most}'s")
    return "; ".join(said)


def _in_company(orders: Sequence[Published], least: int, rule: LabelRule) -> list[list[Published]]:
    """Runs of orders from the first to the last that stands in company."""
    around_us = rule.around_s * MICROS
    times = [order.at_us for order in orders]
    runs: list[list[int]] = []
    for place, at_us in enumerate(times):
        if bisect_right(times, at_us + around_us) - bisect_left(times, at_us - around_us) < least:
            continue
        if runs and at_us - times[runs[-1][-1]] <= rule.join_s * MICROS:
            runs[-1].append(place)
        else:
            runs.append([place])
    return [list(orders[run[0] : run[-1] + 1]) for run in runs]


def _windows(orders: Sequence[Published], rule: LabelRule) -> list[tuple[int, float]]:
    """(orders, USD) of the 60 s up to and including each order."""
    made: list[tuple[int, float]] = []
    first = 0
    for last, order in enumerate(orders):
        while orders[first].at_us <= order.at_us - rule.window_s * MICROS:
            first += 1
        part = orders[first : last + 1]
        made.append((len(part), sum(one.usd for one in part)))
    return made
