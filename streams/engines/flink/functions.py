"""The process functions of the Flink job: one asset's stage, and the market's.

Thin shells: Flink calls them with the state of the key in hand, `stage_state` does the rest. A
result leaves as a row (topic, key, value), a contribution by a side output, since it stays in the
job. Records are text: PyFlink's thread mode takes a byte array apart byte by byte.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final, TypeVar

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, KeyedProcessFunction, OutputTag
from pyflink.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ValueStateDescriptor,
)

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import encode, key_of, partition_for, topic_of
from streams.core.frames import Tick
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage, Snapshot
from streams.core.results import MARKET, Contribution, Output
from streams.core.rowmeta import RowMeta
from streams.engines.beginning import check_begin, reaches
from streams.engines.chain import broken
from streams.engines.flink.stage_state import Begin, KeyedStages, KeyState

ENGINE: Final = "flink"
TEXT: Final = Types.STRING()
KEPT: Final = Types.PICKLED_BYTE_ARRAY()
"""One bytes object, of a layout and version of our own: both modes pass it on whole."""
RESULT: Final = Types.ROW_NAMED(["topic", "record_key", "record"], [TEXT, TEXT, TEXT])
CONTRIBUTIONS: Final = OutputTag("contributions", TEXT)
FRAMES_A_SNAPSHOT: Final = 120
"""A snapshot costs about one and a half steps and 100 kB: each frame's would more than double the
work, and two minutes of frames are replayed in 30 ms a key.
"""
INPUTS_A_SNAPSHOT: Final = 4_000

T = TypeVar("T")

Histories = Callable[[], Mapping[str, Snapshot]]
"""Called where the job runs: histories are too large to travel with it."""


class AssetFunction(KeyedProcessFunction):  # type: ignore[misc]
    """The asset stage: frames of one asset in, rows out, contributions to `CONTRIBUTIONS`.

    Args:
        params: of the detectors.
        resumed: the job continues from a checkpoint, so that an asset without a state begins
            where its chain of frames begins; else it may begin in the middle.
        histories: reads what stages without a state begin with; called when the first comes.
    """

    def __init__(self, params: Params, resumed: bool, histories: Histories) -> None:
        self._params = params
        self._resumed = resumed
        self._histories = histories

    def open(self, runtime_context: Any) -> None:
        """Bind the states; called by Flink once per instance."""
        self._state = _states(runtime_context)
        warm = cache(self._histories)
        self._reached = cache(lambda: reaches(warm()))
        self._stages = KeyedStages(
            self._params, _asset_stage, self._apply, FRAMES_A_SNAPSHOT, partial(_warm, warm)
        )

    def process_element(self, value: str, ctx: Any) -> Iterator[Any]:
        """Called by Flink with each frame, in the order of its partition."""
        for message in self._stages.step(ctx.get_current_key(), value, self._state):
            if isinstance(message, Contribution):
                yield CONTRIBUTIONS, encode(message).decode()
            else:
                yield _row(message)

    def _apply(self, stage: AssetStage, value: str, begin: Begin | None) -> Iterable[Output]:
        frame = decoded(contracts.FRAMES, contracts.decode_frame, value)
        if begin is Begin.NEW:
            check_begin(frame, self._reached())
        first = begin is Begin.AGAIN or (begin is Begin.NEW and not self._resumed)
        rows = stage.step(frame, first=first)
        if isinstance(rows, BrokenChain):
            raise broken(f"{contracts.FRAMES}-{frame.partition}", rows)
        return rows


class MarketFunction(KeyedCoProcessFunction):  # type: ignore[misc]
    """The market stage: contributions of this job, ticks of market_inputs.v1, one key.

    `lost_through`: the last second (µs) of which frames.v1 lacks a frame when the job is submitted;
    a market without a state begins after it.
    """

    def __init__(self, params: Params, histories: Histories, lost_through: int | None) -> None:
        self._params = params
        self._histories = histories
        self._lost_through = lost_through

    def open(self, runtime_context: Any) -> None:
        """Bind the states; called by Flink once per instance."""
        self._state = _states(runtime_context)
        self._stages = KeyedStages(
            self._params, _market_stage, _apply_input, INPUTS_A_SNAPSHOT, self._begin
        )

    def _begin(self, key: str, stage: MarketStage) -> bool:
        warmed = _warm(self._histories, key, stage)
        if self._lost_through is not None:
            stage.begin_after(self._lost_through)
        return warmed or self._lost_through is not None

    def process_element1(self, value: str, ctx: Any) -> Iterator[Any]:
        """Called by Flink with each contribution."""
        for message in self._stages.step(MARKET, value, self._state):
            yield _row(message)

    def process_element2(self, value: str, ctx: Any) -> Iterator[Any]:
        """Called by Flink with each record of market_inputs.v1."""
        # The contributions there are those of a Faust worker; this job has its own.
        if isinstance(_market_input(value), Tick):
            yield from self.process_element1(value, ctx)


def _states(context: Any) -> KeyState:
    return KeyState(
        context.get_state(ValueStateDescriptor("kept", KEPT)),
        context.get_map_state(MapStateDescriptor("pages", TEXT, KEPT)),
        context.get_list_state(ListStateDescriptor("inputs", TEXT)),
    )


def _row(message: Any) -> Any:
    return Row(topic_of(message), key_of(message).decode(), encode(message).decode())


def _warm(histories: Histories, key: str, stage: AssetStage | MarketStage) -> bool:
    found = histories().get(key)
    if found is None:
        return False
    stage.warm(found.hot, found.pages)
    return True


def _asset_stage(asset: str, params: Params) -> AssetStage:
    return AssetStage(asset, params, RowMeta(params.hash(), ENGINE, partition_for(asset)))


def _market_stage(scope: str, params: Params) -> MarketStage:
    return MarketStage(params, RowMeta(params.hash(), ENGINE, partition_for(scope)))


def _apply_input(stage: MarketStage, value: str, begin: Begin | None) -> Iterable[Output]:
    return stage.step(_market_input(value))


def _market_input(value: str) -> Tick | Contribution:
    return decoded(contracts.MARKET_INPUTS, contracts.decode_market_input, value)


def decoded(topic: str, decode: Callable[[bytes], T], value: str) -> T:
    """What a record of a topic holds.

    Raises:
        MarginquakeError: it cannot be read. None is passed over: the topics are the framer's own.
    """
    try:
        return decode(value.encode())
    except msgspec.MsgspecError as error:
        raise MarginquakeError(
            f"a record of {topic} cannot be read ({error}): {value[:120]!r}; another program or "
            "version wrote it: make the topic again as docs/operations/recovery.md says"
        ) from None
