"""The in-process engine: framer, asset stages and market stage in one loop, no broker.

Used by replay, the live view, backtests and as the oracle of the other engines. Promises the
same rows as they give. Keeps all partitions in one framer; rows still name the partition that
the asset has on Kafka.
"""

from collections.abc import Callable, Mapping

import msgspec

from streams.core.events import BadLine, Raw
from streams.core.frames import Frame
from streams.core.framing import Emission, Framer, PartitionState
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage, Snapshot
from streams.core.results import MARKET, Contribution, Result
from streams.core.rowmeta import RowMeta
from streams.engines.beginning import check_begin, reaches

ENGINE = "inprocess"


class Batch(msgspec.Struct, frozen=True):
    """What some raw records gave: the framer's emission and the detectors' rows, in order."""

    emission: Emission
    results: tuple[Result, ...]


class InProcess:
    """The whole data path as one value. Feed records in log order; `flush` runs the detectors."""

    def __init__(
        self,
        parsers: Mapping[str, Parser],
        instruments: Instruments,
        home: Callable[[str], int],
        params: Params | None = None,
        warm: Mapping[str, Snapshot] | None = None,
    ) -> None:
        """Begin empty, or with the histories of `warm` (by asset or `ALL`).

        Args:
            parsers: parser by venue.
            instruments: contract sizes.
            home: partition of an asset.
            params: of the detectors.
            warm: from `snapshots` of an engine that has run through archives.
        """
        self._params = params or Params()
        self._hash = self._params.hash()
        self._home = home
        self.framer = Framer(PartitionState(0, 1), parsers, instruments, home, whole=True)
        self._raws: list[Raw] = []
        self._sources: list[str] = []
        self._assets: dict[str, AssetStage] = {}
        self._warm = warm or {}
        self._reached = reaches(self._warm)
        self._market = MarketStage(self._params, self._meta(home(MARKET)))
        if MARKET in self._warm:
            self._market.warm(self._warm[MARKET].hot, self._warm[MARKET].pages)

    def _meta(self, partition: int) -> RowMeta:
        return RowMeta(self._hash, ENGINE, partition)

    def feed(self, raw: Raw, source: str = "") -> None:
        """Take one raw record; it waits for the next flush."""
        self._raws.append(raw)
        self._sources.append(source)

    def reject(self, bad: BadLine) -> None:
        """Dead-letter a line that was no record."""
        self._frame()
        self.framer.reject(bad)

    def _frame(self) -> None:
        """Give the framer what waits."""
        raws, sources = self._raws, self._sources
        self._raws, self._sources = [], []
        self.framer.apply_all(raws, sources)

    def _begin(self, frame: Frame) -> AssetStage:
        stage = AssetStage(frame.asset, self._params, self._meta(frame.partition))
        kept = self._warm.get(frame.asset)
        if kept is not None:
            check_begin(frame, self._reached)
            stage.warm(kept.hot, kept.pages)
        self._assets[frame.asset] = stage
        return stage

    def snapshots(self) -> dict[str, Snapshot]:
        """The whole state of every stage, by asset or `ALL`."""
        stages = {asset: stage.snapshot() for asset, stage in sorted(self._assets.items())}
        return {**stages, MARKET: self._market.snapshot()}

    def flush(self) -> Batch:
        """Frame what was taken since the last call, and run the detectors over what is sealed."""
        self._frame()
        emission = self.framer.drain()
        return Batch(emission, self.detect(emission))

    def detect(self, emission: Emission) -> tuple[Result, ...]:
        """Run the detectors over what some framer of all partitions emitted next."""
        results: list[Result] = []
        for frame in emission.frames:
            stage = self._assets.get(frame.asset) or self._begin(frame)
            rows = stage.step(frame)
            if isinstance(rows, BrokenChain):
                raise RuntimeError(f"frame chain of {rows.asset} is broken: {rows}")
            for row in rows:
                if isinstance(row, Contribution):
                    # One framer holds every partition here, and its tick counts all frames.
                    results.extend(self._market.step(msgspec.structs.replace(row, partition=0)))
                else:
                    results.append(row)
        for tick in emission.ticks:
            results.extend(self._market.step(tick))
        return tuple(results)
