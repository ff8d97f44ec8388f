"""Drivers for tests: the data path over a raw log, whole, in partitions, or with restarts.

`Path` is what an engine does, without one: framers, asset stages, the market stage. It may be
torn down and rebuilt from bytes between any two records, and gives what it sent.
"""

from collections.abc import Iterable, Sequence
from random import Random
from zlib import crc32

import msgspec

from streams.core.events import DeadLetter, LateLiquidation, Liquidation, Raw
from streams.core.frames import Frame, Tick
from streams.core.framing import Framer, PartitionState
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage, Snapshot
from streams.core.results import Contribution, Result
from streams.core.rowmeta import RowMeta
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

INSTRUMENTS = default_instruments()
PARAMS = Params()
META = RowMeta(PARAMS.hash(), "test", 0)


def encoded(items: Iterable[object]) -> list[bytes]:
    """JSON of each item, for comparison byte for byte."""
    return [msgspec.json.encode(item) for item in items]


def current(rows: Iterable[Result]) -> dict[str, Result]:
    """The highest revision of each row."""
    latest: dict[str, Result] = {}
    for row in rows:
        if row.id not in latest or row.revision >= latest[row.id].revision:
            latest[row.id] = row
    return latest


def final_bytes(rows: Iterable[Result]) -> dict[str, bytes]:
    """JSON of the highest revision of each row by id, apart from the `partition` field."""
    return {
        name: msgspec.json.encode(msgspec.structs.replace(row, partition=0))
        for name, row in sorted(current(rows).items())
    }


class Framing:
    """Framers of `partitions` partitions; `restart` passes their states through bytes."""

    def __init__(self, partitions: int = 1) -> None:
        self.partitions = partitions
        self.framers = [self._framer(PartitionState(p, partitions)) for p in range(partitions)]
        self.liquidations: list[Liquidation] = []
        self.late: list[LateLiquidation] = []
        self.frames: list[Frame] = []
        self.ticks: list[Tick] = []
        self.dead: list[DeadLetter] = []

    def home(self, asset: str) -> int:
        """The partition of an asset."""
        return crc32(asset.encode()) % self.partitions

    def _framer(self, state: PartitionState) -> Framer:
        return Framer(state, PARSERS, INSTRUMENTS, self.home)

    def apply(self, raw: Raw, asset: str | None) -> tuple[list[Frame], list[Tick]]:
        """Give a record to its asset's partition, or a status record (None) to all."""
        frames: list[Frame] = []
        ticks: list[Tick] = []
        for partition, framer in enumerate(self.framers):
            if asset is not None and partition != self.home(asset):
                continue
            framer.apply(raw)
            out = framer.drain()
            self.liquidations += out.liquidations
            self.late += out.late
            self.dead += out.dead
            frames += out.frames
            ticks += out.ticks
        self.frames += frames
        self.ticks += ticks
        return frames, ticks

    def checkpoint(self) -> list[bytes]:
        """What a process would have stored."""
        return [msgspec.msgpack.encode(framer.state) for framer in self.framers]

    def restore(self, stored: Sequence[bytes]) -> None:
        """Continue from a checkpoint in a new process."""
        self.framers = [
            self._framer(msgspec.msgpack.decode(one, type=PartitionState)) for one in stored
        ]


class Detecting:
    """Asset stages and the market stage; `restart` passes their states through bytes."""

    def __init__(self, params: Params = PARAMS) -> None:
        self.params = params
        self.assets: dict[str, AssetStage] = {}
        self.market = MarketStage(params, META)
        self.pages: dict[str, dict[str, bytes]] = {}
        self.rows: list[Result] = []

    def _stage(self, asset: str) -> AssetStage:
        return AssetStage(asset, self.params, META)

    def frame(self, frame: Frame) -> list[Contribution]:
        """Apply a frame; its contribution is not passed on."""
        stage = self.assets.get(frame.asset)
        if stage is None:
            stage = self.assets[frame.asset] = self._stage(frame.asset)
        rows = stage.step(frame)
        assert not isinstance(rows, BrokenChain), rows
        self.rows += [row for row in rows if not isinstance(row, Contribution)]
        return [row for row in rows if isinstance(row, Contribution)]

    def input(self, item: Tick | Contribution) -> None:
        """Apply an input of the market stage."""
        self.rows += self.market.step(item)

    def restart(self) -> None:
        """Rebuild every stage from its hot record and the pages stored so far."""
        for asset, stage in list(self.assets.items()):
            fresh = self._stage(asset)
            snapshot = stage.snapshot(self.pages.get(asset, {}))
            fresh.restore(snapshot.hot, self._stored(asset, snapshot))
            self.assets[asset] = fresh
        snapshot = self.market.snapshot(self.pages.get("ALL", {}))
        self.market = MarketStage(self.params, META)
        self.market.restore(snapshot.hot, self._stored("ALL", snapshot))

    def _stored(self, key: str, snapshot: Snapshot) -> dict[str, bytes]:
        pages = {**self.pages.get(key, {}), **snapshot.pages}
        self.pages[key] = {name: pages[name] for name in snapshot.needed}
        return self.pages[key]


class Path:
    """The whole path over records of which the asset is known (None = a status record)."""

    def __init__(self, partitions: int = 1, params: Params = PARAMS) -> None:
        self.framing = Framing(partitions)
        self.detecting = Detecting(params)

    def feed(self, raw: Raw, asset: str | None) -> None:
        """One record, through all stages."""
        frames, ticks = self.framing.apply(raw, asset)
        for frame in frames:
            for contribution in self.detecting.frame(frame):
                self.detecting.input(contribution)
        for tick in ticks:
            self.detecting.input(tick)

    @property
    def rows(self) -> list[Result]:
        """Every row so far, in order."""
        return self.detecting.rows


def asset_of(raw: Raw) -> str | None:
    """The asset of a record built by `tests.logs`; None where it goes to every partition."""
    if raw.channel in ("status", "macro"):
        return None
    text = raw.payload.decode()
    key = '"s": "' if '"s": "' in text else '"symbol": "'
    return text.split(key, 1)[1].split("USDT", 1)[0]


def run(records: Iterable[Raw], partitions: int = 1, params: Params = PARAMS) -> Path:
    """All records through a fresh path."""
    path = Path(partitions, params)
    for raw in records:
        path.feed(raw, asset_of(raw))
    return path


def shuffled_inputs(records: Iterable[Raw], partitions: int, random: Random) -> Detecting:
    """The market stage hears partitions and assets in any order, each partition's ticks in theirs.

    Frames are applied per asset in order, as an engine does; then everything that they and the
    ticks give the market stage is interleaved at random.
    """
    framing, detecting = Framing(partitions), Detecting()
    for raw in records:
        framing.apply(raw, asset_of(raw))
    queues: dict[tuple[str, int | str], list[Tick | Contribution]] = {}
    for frame in framing.frames:
        for contribution in detecting.frame(frame):
            queues.setdefault(("asset", contribution.asset), []).append(contribution)
    for tick in framing.ticks:
        queues.setdefault(("tick", tick.partition), []).append(tick)
    order = [key for key in sorted(queues, key=str) for _ in queues[key]]
    random.shuffle(order)
    cursors = {key: iter(items) for key, items in queues.items()}
    for key in order:
        detecting.input(next(cursors[key]))
    return detecting
