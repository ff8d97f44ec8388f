"""Laws of the detectors over random seconds: what may be skipped, what a row may say.

The sequences hold hours with gaps of any length, both kinds of feeds, outages, late orders,
prices, open interest and books. Frames are given to the stages as the framer would send them.
"""

from itertools import pairwise
from math import log
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.results import validate_result
from streams.core.detectors.cascade import detector as cascade
from streams.core.detectors.cascade.state import CascadeState
from streams.core.events import MICROS, PositionSide
from streams.core.frames import BookState, Cell, Flow, Frame, LateCell, Tick, TickerState
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage
from streams.core.results import CascadeWindow, Contribution, Result
from tests.drive import META, PARAMS, current, encoded
from tests.scenarios import FEW, SEEDS, chance
from tests.seconds import FULL, SAMPLED, START, Scope, cell, since_start

SIDES: tuple[PositionSide, PositionSide] = ("long", "short")
VENUES: tuple[str, ...] = (SAMPLED, FULL)


class Script:
    """Random frames of one asset: busy stretches, quiet ones, and empty seconds between."""

    def __init__(self, random: Random, asset: str = "BTC") -> None:
        self.random = random
        self.asset = asset
        self.frames: list[Frame] = []
        self.up = VENUES
        self.price = 100.0
        self.oi: float | None = None
        self.at = START

    def write(self, stretches: int) -> list[Frame]:
        random = self.random
        for _ in range(stretches):
            kind = random.choice(["burst", "burst", "large", "sparse", "gap", "health"])
            if kind == "burst":
                self.busy(random.randint(15, 60), random.uniform(0.5, 1.0), 5_000)
            elif kind == "large":
                self.busy(random.randint(1, 10), 0.6, 3_000_000)
            elif kind == "sparse":
                self.busy(random.randint(30, 200), 0.03, 20_000)
            elif kind == "gap":
                self.at += random.choice([5, 61, 290, 310, 700, 1900, 9000])
            else:
                self.up = random.choice([VENUES, (SAMPLED,), (FULL,), ()])
                self.emit()
        self.at += 5 * 3600
        self.emit()
        return chained(self.frames)

    def busy(self, seconds: int, chance_of_orders: float, usd: float) -> None:
        random = self.random
        side = random.choice(SIDES)
        drift = random.choice([0.0, 0.002]) * (-1 if side == "long" else 1)
        for _ in range(seconds):
            cells = []
            if random.random() < chance_of_orders:
                mostly = side if random.random() < 0.85 else random.choice(SIDES)
                cells.append(self.cell(mostly, usd))
            self.price *= 1 + drift * random.random()
            self.emit(tuple(cells), priced=random.random() < 0.7)

    def cell(self, side: PositionSide, usd: float) -> Cell:
        random = self.random
        venue = random.choice(self.up or VENUES)
        n = random.randint(1, 3)
        dollars = round(random.uniform(0.1, 1.0) * usd * MICROS)
        taker = random.choice([None, dollars * 2])
        kind = "adl" if random.random() < 0.05 else "liquidation"
        completeness = "all" if venue == FULL else "sampled"
        return msgspec.convert(
            {
                "venue": venue,
                "symbol": random.choice(["BTCUSDT", "BTCUSDC"]),
                "side": side,
                "kind": kind,
                "completeness": completeness,
                "n": n,
                "usd": dollars,
                "max_usd": dollars,
                "taker_usd": taker,
                "opposite_taker_usd": taker,
            },
            Cell,
        )

    def emit(self, cells: tuple[Cell, ...] = (), *, priced: bool = False) -> None:
        random = self.random
        second = self.at * MICROS
        late: tuple[LateCell, ...] = ()
        if random.random() < 0.04:
            when = (self.at - random.choice([1, 3, 20, 200])) * MICROS
            one = LateCell(when, FULL, "BTCUSDT", random.choice(SIDES), "liquidation", 1, 10**9)
            late = (one,)
        flows: tuple[Flow, ...] = ()
        if priced:
            price = self.price
            bought = random.randrange(10**12)
            flow = Flow(FULL, "BTCUSDT", "linear", 1, bought, 10**11, price, price, price, price)
            flows = (flow,)
        if random.random() < 0.5:
            price = self.price * 1.0001
            spot = Flow("binance-spot", "BTCUSDT", "spot", 1, 10**9, 0, price, price, price, price)
            flows += (spot,)
        if random.random() < 0.05:
            self.oi = random.uniform(1_000, 2_000)
        books: tuple[BookState, ...] = ()
        if random.random() < 0.1:
            depth = (10**12, 2 * 10**12, random.choice([None, 10**13]), None)
            books = (BookState(FULL, "BTCUSDT", "linear", 99.9, 100.1, depth, depth, second),)
        self.frames.append(
            Frame(
                self.asset,
                0,
                second,
                self.frames[-1].second if self.frames else None,
                len(self.up) / 2,
                self.up,
                VENUES,
                tuple(f"{venue}/liquidation" for venue in self.up),
                cells,
                late,
                flows,
                self.tickers(),
                books,
            )
        )
        self.at += 1

    def tickers(self) -> tuple[TickerState, ...]:
        if self.oi is None:
            return ()
        before = START * MICROS
        values = (99.0, None, None, self.oi, None, before, None, None, None, before)
        return (TickerState(FULL, "BTCUSDT", "linear", *values),)


def chained(frames: list[Frame]) -> list[Frame]:
    """The frames with `prev` and `quiet` as they now follow one another."""
    linked: list[Frame] = []
    for frame in frames:
        before = linked[-1] if linked else None
        quiet = is_empty(frame, before)
        prev = before.second if before else None
        linked.append(msgspec.structs.replace(frame, prev=prev, quiet=quiet))
    return linked


def is_empty(frame: Frame, before: Frame | None) -> bool:
    """Nothing in it that the frame before, or its absence, does not say."""
    return (
        before is not None
        and not (frame.cells or frame.late or frame.flows or frame.books)
        and (frame.venues_up, frame.tickers) == (before.venues_up, before.tickers)
    )


def without_empty(frames: list[Frame], random: Random, share: float = 1.0) -> list[Frame]:
    """The frames without (a share of) those that are empty; the last one ends the sequence."""
    kept: list[Frame] = []
    for frame in frames[:-1]:
        if not (is_empty(frame, kept[-1] if kept else None) and random.random() < share):
            kept.append(frame)
    return chained([*kept, frames[-1]])


def with_empty(frames: list[Frame], random: Random) -> list[Frame]:
    """The frames, with empty ones at random places between."""
    filled: list[Frame] = []
    for frame in frames:
        if filled:
            last = filled[-1]
            free = range(last.second // MICROS + 1, frame.second // MICROS)
            chosen = sorted(random.sample(free, min(len(free), random.randint(0, 3))))
            empty = msgspec.structs.replace(last, cells=(), late=(), flows=(), books=())
            filled += [msgspec.structs.replace(empty, second=at * MICROS) for at in chosen]
        filled.append(frame)
    return chained(filled)


def applied(frames: list[Frame]) -> tuple[list[Result], list[Contribution]]:
    """Rows and contributions of an asset stage over the frames."""
    stage = AssetStage("BTC", PARAMS, META)
    rows: list[Result] = []
    contributions: list[Contribution] = []
    for frame in frames:
        given_back = stage.step(frame)
        assert not isinstance(given_back, BrokenChain), given_back
        for row in given_back:
            if isinstance(row, Contribution):
                contributions.append(row)
            else:
                rows.append(row)
    return rows, contributions


def market_rows(contributions: list[Contribution]) -> list[Result]:
    """Rows of the market stage over contributions of one partition."""
    market = MarketStage(PARAMS, META)
    by_second: dict[int, list[Contribution]] = {}
    for one in contributions:
        by_second.setdefault(one.second, []).append(one)
    rows: list[Result] = []
    previous: int | None = None
    for second, parts in sorted(by_second.items()):
        for part in parts:
            rows += market.step(part)
        rows += market.step(Tick(0, 1, second, previous, len(parts)))
        previous = second
    return rows


def told(rows: list[Result]) -> list[bytes]:
    """The rows of each detector in their order; detectors do not wait for one another."""
    by_detector = sorted(rows, key=lambda row: row.definition)
    return encoded(by_detector)


@FEW
@given(SEEDS)
def test_an_asset_may_skip_empty_seconds_or_see_more_of_them(seed: int) -> None:
    random = chance(seed)
    frames = Script(random).write(random.randint(3, 12))
    expected = told(applied(frames)[0])
    assert told(applied(without_empty(frames, random))[0]) == expected
    assert told(applied(without_empty(frames, random, 0.5))[0]) == expected
    assert told(applied(with_empty(frames, random))[0]) == expected


@FEW
@given(SEEDS)
def test_the_market_may_skip_empty_seconds_or_see_more_of_them(seed: int) -> None:
    random = chance(seed)
    scripts = [Script(random, asset).write(random.randint(2, 6)) for asset in ("BTC", "SOL")]
    given_in: list[list[Contribution]] = [[], [], []]
    for frames in scripts:
        variants = (frames, without_empty(frames, random), with_empty(frames, random))
        for contributions, variant in zip(given_in, variants, strict=True):
            contributions += applied(variant)[1]
    expected, fewer, more = (told(market_rows(one)) for one in given_in)
    assert expected
    assert fewer == expected
    assert more == expected


@FEW
@given(SEEDS)
def test_every_row_of_every_window_keeps_the_laws(seed: int) -> None:
    random = chance(seed)
    rows, contributions = applied(Script(random).write(random.randint(3, 12)))
    for row in [*rows, *market_rows(contributions)]:
        validate_result(row)
    windows = [row for row in rows if isinstance(row, CascadeWindow)]
    for name in {row.id for row in windows}:
        _life_of([row for row in windows if row.id == name])
    _apart([row for row in current(rows).values() if isinstance(row, CascadeWindow)])


def _life_of(revisions: list[CascadeWindow]) -> None:
    """What may never change from one revision of a window to the next."""
    assert [row.revision for row in revisions] == list(range(1, len(revisions) + 1))
    for before, after in pairwise(revisions):
        for name in ("onset", "detected_at", "parent_id", "baseline", "statistic"):
            assert getattr(before, name) == getattr(after, name), name
        assert not before.is_final
        assert before.watermark <= after.watermark
        assert before.window_class == "burst" or after.window_class == "cascade"
        assert before.side == after.side or after.side == "mixed"
        flared = before.end is None and after.end is not None and after.events < before.events
        # What flared inside a burst is a window of its own, and leaves the burst's last rows.
        assert before.events <= after.events or flared
        assert before.events_late <= after.events_late or flared
        if before.closed_at is not None:
            assert (before.end, before.closed_at) == (after.end, after.closed_at)
    last = revisions[-1]
    assert last.is_final
    assert last.closed_at is not None
    assert last.watermark >= last.closed_at + 600 * MICROS


def _apart(windows: list[CascadeWindow]) -> None:
    """No two windows of one side share a second, and a child names an earlier window."""
    by_id = {window.id: window for window in windows}
    for side in SIDES:
        own = sorted((w for w in windows if w.side in (side, "mixed")), key=lambda w: w.onset)
        for before, after in pairwise(own):
            assert before.end is not None
            assert before.end < after.onset
    for window in windows:
        if window.parent_id is not None:
            parent = by_id[window.parent_id]
            assert parent.closed_at is not None
            assert parent.end is not None
            # A cascade that flares inside a burst ends it in the second in which it is known.
            flared = parent.closed_at == window.detected_at
            assert flared or 0 <= window.onset - parent.closed_at <= 1800 * MICROS
            assert parent.end < window.onset


@FEW
@given(SEEDS)
def test_a_restart_from_bytes_between_any_two_seconds_changes_no_row(seed: int) -> None:
    random = chance(seed)
    plain, restarted = Scope(venues=VENUES), Scope(venues=VENUES)
    price, at = 100.0, 0
    for _ in range(random.randint(2, 4)):
        for _ in range(random.randint(90, 150)):
            price *= 1 + random.gauss(0, 0.001)
            cells = [cell(random.choice(SIDES), 5_000.0, venue=random.choice(VENUES))]
            for scope in (plain, restarted):
                scope.second(
                    at,
                    *cells,
                    price=price,
                    spot=price,
                    net_usd=price * 1_000,
                    book_usd=(10**6, 10**7),
                )
            stored = msgspec.msgpack.encode(restarted.state)
            restarted.state = msgspec.msgpack.decode(stored, type=CascadeState)
            at += 1
        at += random.choice([10, 400, 3_000])
    for scope in (plain, restarted):
        scope.second(at + 9_000, up=VENUES)
    assert encoded(restarted.rows) == encoded(plain.rows)
    assert any(row.branching_high is not None for row in plain.rows)


@pytest.mark.parametrize("gap_s", [366 * 86_400, 40 * 366 * 86_400])
def test_a_gap_of_years_costs_no_more_than_the_hours_after_the_last_order(
    gap_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[int] = []
    one_second = cascade._Run.second

    def counted(run: cascade._Run, at: int, moment: object) -> None:
        seconds.append(at)
        one_second(run, at, moment)  # type: ignore[arg-type]

    monkeypatch.setattr(cascade._Run, "second", counted)
    script = Script(chance(1))
    script.busy(60, 1.0, 5_000)
    # Feeds that are up all through send frames of their own; a gap is one of feeds, too.
    script.up = ()
    script.emit()
    script.at += gap_s
    script.up = VENUES
    script.busy(60, 1.0, 5_000)
    rows, _ = applied(script.frames)
    assert len({row.id for row in rows if isinstance(row, CascadeWindow)}) >= 2
    assert len(seconds) < 3_000


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=60))
def test_the_statistic_is_the_cusum_of_the_definition(orders: list[tuple[int, bool]]) -> None:
    scope = Scope()
    at, statistic, onset = 0, 0.0, None
    script: dict[int, int] = {}
    for wait, double in orders:
        at = min(at + wait // 4 + 1, 590)
        script[at] = 2 if double else 1
    for second in range(600):
        x = script.get(second, 0)
        if x:
            scope.second(second, cell(n=x))
        statistic = max(0.0, statistic + x * log(6) - 0.01 * 5)
        onset = (second if onset is None else onset) if statistic > 0 else None
        if statistic >= 40:
            assert since_start(scope.window().onset) == onset
            assert since_start(scope.window().detected_at) == second
            return
    assert scope.rows == []
