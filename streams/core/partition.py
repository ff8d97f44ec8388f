"""What the framer knows of one raw partition, and what it hands out.

Plain values between the framer's parts (`framing`, `sealing`) and the edges that store and send
them. Promises that a `PartitionState` is the whole checkpoint: a framer made from its decoded
bytes continues as the one that wrote it. Holds no rule.
"""

from typing import Final

import msgspec

from streams.core.buckets import Bucket
from streams.core.clock import ClockState
from streams.core.events import (
    DeadLetter,
    FeedStatus,
    LateLiquidation,
    Liquidation,
    LiquidationKind,
    PositionSide,
)
from streams.core.frames import Frame, MacroValue, Tick, TickerState

STATE_VERSION: Final = 3


class AssetState(msgspec.Struct):
    """One asset between two seals. Seconds are in s; `prev` is the last frame's second."""

    next_second: int | None = None
    prev: int | None = None
    last_active: int | None = None
    venues_up: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    open: dict[int, Bucket] = {}
    seen: dict[str, int] = {}
    late: dict[tuple[int, str, str, PositionSide, LiquidationKind], list[int]] = {}
    tickers: dict[tuple[str, str], TickerState] = {}


class PartitionState(msgspec.Struct):
    """A checkpoint: everything the framer knows of one raw partition.

    `next_offset` is the raw offset to continue from; `frames_of` counts frames that
    are not quiet, of seconds not ticked yet; `ticked` is the last ticked second (s).
    `macro`: (asset or empty, series) -> (second of receipt, value), ascending.
    """

    partition: int
    partitions: int
    next_offset: int = 0
    clock: ClockState = msgspec.field(default_factory=ClockState)
    assets: dict[str, AssetState] = {}
    frames_of: dict[int, int] = {}
    ticked: int | None = None
    counters: dict[str, int] = {}
    macro: dict[tuple[str, str], list[tuple[int, MacroValue]]] = {}
    v: int = STATE_VERSION


class Emission(msgspec.Struct):
    """What a batch of raw records gave, in order; the edge sends each list to its topic."""

    liquidations: list[Liquidation] = []
    frames: list[Frame] = []
    ticks: list[Tick] = []
    late: list[LateLiquidation] = []
    dead: list[DeadLetter] = []
    feeds: list[FeedStatus] = []
