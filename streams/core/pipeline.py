"""The detector stages: one per asset over frames, one market-wide over contributions.

Top of the core. Every engine drives these two classes and nothing else, so results cannot
depend on the engine. Promises: a frame is applied once by logical time; a broken frame chain is
reported, never skipped; `snapshot` and `restore` at any point change nothing that follows.
State is a hot record plus immutable pages, which engines store apart.
"""

from collections.abc import Container, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

import msgspec

from streams.core import market, market_interest
from streams.core.detectors import minutes
from streams.core.detectors.cascade import detector as cascade
from streams.core.detectors.cascade.state import CascadeState, early_onsets, rest
from streams.core.detectors.cascade.state import new_state as new_cascade
from streams.core.detectors.minutes import MinuteState
from streams.core.detectors.moment import Moment, Reference, contribution_of, moment_of
from streams.core.detectors.prints import detector as prints
from streams.core.detectors.readings import Early, Readings
from streams.core.detectors.registry import REGISTRY
from streams.core.detectors.signal import HOT, Detector
from streams.core.events import MICROS
from streams.core.frames import Frame, Tick
from streams.core.market import MarketInputs
from streams.core.params import Params
from streams.core.results import MARKET, Contribution, Output, Result
from streams.core.rowmeta import RowMeta

STATE_VERSION: Final = 3


class BrokenChain(msgspec.Struct, frozen=True):
    """A frame whose `prev` is not the last applied second: frames or state were lost (µs)."""

    asset: str
    expected: int | None
    found: int | None
    second: int


class Detectors(msgspec.Struct):
    """Hot part of the detectors of a scope.

    `parts`: hot parts of the registered detectors by `detector.part`; `pages`: the versions of
    their other parts.
    """

    cascade: CascadeState
    prints: bytes = b""
    minutes: MinuteState = msgspec.field(default_factory=MinuteState)
    readings: Readings = msgspec.field(default_factory=Readings)
    parts: dict[str, bytes] = {}
    pages: dict[str, int] = {}


class AssetRecord(msgspec.Struct):
    """Hot record of one asset; `applied` is the last applied second, `learnt` the last one of the
    histories that the stage began with (µs).
    """

    asset: str
    detectors: Detectors
    applied: int | None = None
    reference: Reference = msgspec.field(default_factory=Reference)
    learnt: int | None = None
    v: int = STATE_VERSION


class MarketRecord(msgspec.Struct):
    """Hot record of the market stage; `learnt` (s): the last second of the histories that it
    began with.
    """

    detectors: Detectors
    inputs: MarketInputs = msgspec.field(default_factory=MarketInputs)
    learnt: int | None = None
    v: int = STATE_VERSION


class Snapshot(msgspec.Struct, frozen=True):
    """State as engines store it: `hot` changes each second, a page never once it is written.

    `pages` holds the pages that the caller has not stored yet; `needed` names all that `hot`
    refers to: others may be deleted once `hot` is stored.
    """

    hot: bytes
    pages: dict[str, bytes]
    needed: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_watermark = attrgetter("watermark")


class _Detectors:
    """The detectors of one scope, on its moments."""

    def __init__(self, scope: str, params: Params, meta: RowMeta) -> None:
        self.params = params
        self.meta = meta
        self.scope = scope
        self.cascade = new_cascade(scope)
        self.prints = prints.new_state(scope)
        self.minutes = MinuteState()
        self.readings = Readings()
        self.signals = [make(scope, params, meta) for make in REGISTRY]

    def step(self, moment: Moment) -> list[Result]:
        """Apply a second; minutes that end before it are closed first."""
        rows: list[Result] = []
        while (end := minutes.end_of(self.minutes)) is not None and end <= moment.second:
            self._forced(self._pass_to(end), rows)
            closed = minutes.close(self.minutes, self.scope, self.params.throttle)
            for signal in self.signals:
                if found := signal.minute(closed, self.readings):
                    rows += self.readings.note(found)
        self._forced(self._apply(moment), rows)
        if not moment.quiet:
            minutes.add(self.minutes, moment)
            self.readings.early = self._early()
            for signal in self.signals:
                if found := signal.second(moment, self.readings):
                    rows += self.readings.note(found)
        return rows

    def _early(self) -> tuple[Early, ...]:
        """Sides past the early tier, with the level of their statistics."""
        sides, params = self.cascade.sides, self.params.cascade
        return tuple(
            Early(name, at, min(1.0, max(sides[name].counts, sides[name].units) / params.threshold))
            for name, at in early_onsets(self.cascade, params)
        )

    def _pass_to(self, second: int) -> list[Result]:
        """Cascades and prints over the empty seconds before `second`."""
        params, meta = self.params, self.meta
        rows: list[Result] = []
        rows.extend(
            cascade.advance(
                self.cascade, second, params.cascade, params.throttle, meta, self.readings
            )
        )
        doubted = params.throttle.doubted
        rows.extend(prints.advance(self.prints, second - 1, params.prints, meta, doubted))
        return rows

    def _apply(self, moment: Moment) -> list[Result]:
        """Cascades and prints over one second."""
        params, meta = self.params, self.meta
        rows: list[Result] = []
        rows.extend(
            cascade.step(self.cascade, moment, params.cascade, params.throttle, meta, self.readings)
        )
        rows.extend(
            prints.step(
                self.prints,
                moment.second,
                moment.cells,
                moment.late,
                moment.oi_usd,
                moment.coverage,
                params.prints,
                meta,
                throttle=params.throttle,
                venues=moment.venues_all,
                up=moment.venues_up,
                oi_by_venue=moment.oi_by_venue,
            )
        )
        return rows

    def _forced(self, found: list[Result], rows: list[Result]) -> None:
        """Publish rows of cascades and prints second by second, each with what signals say to it.

        Their order is then the same however many quiet seconds are passed at once.
        """
        for _, together in groupby(sorted(found, key=_watermark), _watermark):
            second = list(together)
            rows += self.readings.note(second)
            for signal in self.signals:
                rows += self.readings.note(signal.results(second, self.readings))

    def rest(self) -> int:
        """The next second (s) at which something happens though nothing comes; 0: at once."""
        due = rest(self.cascade, self.params.cascade)
        ends = (prints.next_end(self.prints), minutes.end_of(self.minutes))
        return min([due, *(end for end in ends if end is not None)])

    def hot(self) -> Detectors:
        """What of the state may change each second."""
        hot: dict[str, bytes] = {}
        pages: dict[str, int] = {}
        for signal in self.signals:
            for part in signal.parts():
                name = f"{signal.name}.{part.name}"
                if part.version == HOT:
                    hot[name] = part.encode()
                else:
                    pages[name] = part.version
        return Detectors(
            self.cascade, prints.hot(self.prints), self.minutes, self.readings, hot, pages
        )

    def snapshot(self, hot: bytes, stored: Container[str]) -> Snapshot:
        """The encoded record with the pages that it needs and `stored` lacks."""
        pages = prints.sealed_pages(self.prints, stored)
        needed = [*prints.page_names(self.prints)]
        for signal in self.signals:
            for part in signal.parts():
                if part.version != HOT:
                    page = f"{signal.name}.{part.name}@{part.version}"
                    needed.append(page)
                    if page not in stored:
                        pages[page] = part.encode()
        return Snapshot(hot, pages, tuple(needed))

    def restore(self, record: Detectors, pages: Mapping[str, bytes]) -> None:
        """Continue from a record and its pages."""
        self.cascade = record.cascade
        self.prints = prints.restore(record.prints, pages)
        self.minutes, self.readings = record.minutes, record.readings
        parts = dict(record.parts)
        parts.update({name: pages[f"{name}@{at}"] for name, at in record.pages.items()})
        for signal in self.signals:
            prefix = f"{signal.name}."
            signal.restore(
                {
                    name.removeprefix(prefix): parts[name]
                    for name in parts
                    if name.startswith(prefix)
                }
            )


class AssetStage:
    """All detectors of one asset."""

    def __init__(self, asset: str, params: Params, meta: RowMeta) -> None:
        self.asset = asset
        self.applied: int | None = None
        self._learnt: int | None = None
        self._reference = Reference()
        self._detectors = _Detectors(asset, params, meta)
        self._standing: tuple[object, ...] | None = None
        self._rest: int | None = None

    @property
    def signals(self) -> list[Detector]:
        """The registered detectors in their order, for whoever measures them."""
        return self._detectors.signals

    def step(self, frame: Frame, *, first: bool = False) -> list[Output] | BrokenChain:
        """Apply one frame.

        Args:
            frame: the asset's next frame; one at or before the last applied second is ignored.
            first: the stage has no history and may begin in the middle of a chain.

        Returns:
            Results, then the contribution to the market stage unless the frame is quiet; or the
            broken chain, with the state untouched.
        """
        if self.applied is not None and frame.second <= self.applied:
            return []
        if frame.prev != self.applied and not (first and self.applied is None):
            return BrokenChain(self.asset, self.applied, frame.prev, frame.second)
        standing = (frame.coverage, frame.venues_up, frame.venues_all, frame.tickers)
        if frame.quiet and standing == self._standing:
            # An empty second that detectors would have passed by themselves, were it left out.
            if self._rest is None:
                self._rest = self._detectors.rest()
            if frame.second < self._rest * MICROS:
                self.applied = frame.second
                return []
        self._standing, self._rest = standing, None
        moment = moment_of(frame, self._reference)
        rows: list[Output] = []
        if self._learnt is None or frame.second > self._learnt:
            rows.extend(self._detectors.step(moment))
        if not frame.quiet:
            early = self._detectors.readings.early
            in_micros = tuple((one.side, one.onset * MICROS) for one in early)
            rows.append(contribution_of(frame, moment, in_micros))
        self.applied = frame.second
        return rows

    def snapshot(self, stored: Container[str] = ()) -> Snapshot:
        """The whole state, without the pages already `stored`."""
        hot = self._detectors.hot()
        record = AssetRecord(self.asset, hot, self.applied, self._reference, self._learnt)
        return self._detectors.snapshot(_encode(record), stored)

    def restore(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Continue from a snapshot of the same asset and the pages that it needs."""
        record = _decode_asset(hot)
        self.applied, self._learnt = record.applied, record.learnt
        self._reference = record.reference
        self._detectors.restore(record.detectors, pages)
        self._standing, self._rest = None, None

    def warm(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Begin with the histories of another stage of the asset, at the start of a chain.

        Detectors pass over frames of seconds that the histories hold already.
        """
        record = _decode_asset(hot)
        self._learnt = record.applied
        self._detectors.restore(record.detectors, pages)
        # Past volumes stand in its units.
        self._reference.interest = record.reference.interest


class MarketStage:
    """All detectors of scope `ALL`, over the contributions of every asset.

    `keeps_inputs`: whether snapshots hold the inputs of seconds that are not complete. An engine
    that gives them again after a restore needs none.
    """

    def __init__(self, params: Params, meta: RowMeta, *, keeps_inputs: bool = True) -> None:
        self._inputs = MarketInputs()
        self._keeps_inputs = keeps_inputs
        self._learnt: int | None = None
        self._detectors = _Detectors(MARKET, params, meta)

    @property
    def sealed(self) -> int | None:
        """The last applied market second (s)."""
        return self._inputs.sealed

    @property
    def waits_s(self) -> int:
        """Seconds between the newest tick and the last applied market second, before one is the
        oldest tick.
        """
        return market.waits_s(self._inputs)

    def begin_after(self, second: int) -> None:
        """Pass over inputs through a second (µs): before the first input, where some are lost."""
        self._inputs.sealed = second // MICROS

    def step(self, item: Tick | Contribution) -> list[Result]:
        """Take one input; returns the rows of the market seconds that it completed."""
        rows: list[Result] = []
        for second in market.receive(self._inputs, item):
            moment = market.merge(self._inputs, second, self._detectors.params.cascade)
            if moment is not None and (self._learnt is None or second > self._learnt):
                rows.extend(self._detectors.step(moment))
        return rows

    def snapshot(self, stored: Container[str] = ()) -> Snapshot:
        """The whole state, without `stored` pages; inputs of unfinished seconds where kept."""
        hot = self._detectors.hot()
        inputs = self._inputs if self._keeps_inputs else market.applied_alone(self._inputs)
        return self._detectors.snapshot(_encode(MarketRecord(hot, inputs, self._learnt)), stored)

    def restore(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Continue from a snapshot and the pages that it needs."""
        record = _decode_market(hot)
        self._inputs, self._learnt = record.inputs, record.learnt
        self._detectors.restore(record.detectors, pages)

    def warm(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Begin with the histories of another market stage, before the first input."""
        record = _decode_market(hot)
        self._learnt = record.inputs.sealed
        self._detectors.restore(record.detectors, pages)
        # Past volumes stand in its units.
        self._inputs.holdings = market_interest.after(record.inputs.holdings)


_decode_asset = msgspec.msgpack.Decoder(AssetRecord).decode
_decode_market = msgspec.msgpack.Decoder(MarketRecord).decode
