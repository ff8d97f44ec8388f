"""Topics, record keys and record bytes: what two processes of the data path must agree on.

Stands between the core's structs and Kafka; `raw_records` has the one topic whose bytes are not
ours. Promises that equal structs give equal bytes and that `partition_for` is the same in every
process. `schemas/topics.yaml` is the only list of topics; the constants below are names into it,
and a test holds them equal. Does not talk to Kafka and does not check laws across fields:
`schemas.results.validate_result` does that at the edges.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from threading import Lock
from typing import Any, Final, Literal

import msgspec
import yaml

from streams.config import MarginquakeError
from streams.core.events import (
    DeadLetter,
    FeedStatus,
    LateLiquidation,
    Liquidation,
    Status,
)
from streams.core.frames import Frame, Tick
from streams.core.results import (
    Alert,
    CascadeWindow,
    Conditions,
    Contribution,
    Dominance,
    Funding,
    Health,
    Imbalance,
    Liquidity,
    Milestone,
    Positioning,
    Print,
    Regime,
    RegimeResolution,
    RegimeTransition,
    Result,
    Volatility,
    ZoneMap,
)

RAW: Final = "raw.v1"
LIQUIDATIONS: Final = "liquidations.v1"
FRAMES: Final = "frames.v1"
MARKET_INPUTS: Final = "market_inputs.v1"
LATE: Final = "late.v1"
DEADLETTERS: Final = "deadletters.v1"
FEEDS: Final = "feeds.v1"
FRAMER_STATE: Final = "framer_state.v1"
CASCADES: Final = "cascades.v1"
PRINTS: Final = "prints.v1"
PRINTS_SQL: Final = "prints_sql.v1"
REGIMES: Final = "regimes.v1"
SIGNALS: Final = "signals.v1"
ZONES: Final = "zones.v1"
HEALTH: Final = "health.v1"
ALERTS: Final = "alerts.v1"
DETECTOR_CHANGELOG: Final = "marginquake-detect-detector_state-changelog"
MARKET_CHANGELOG: Final = "marginquake-detect-market_state-changelog"

CleanupPolicy = Literal["delete", "compact"]
Message = (
    Liquidation | Frame | Tick | LateLiquidation | DeadLetter | FeedStatus | Result | Contribution
)
"""What our own processes put on topics as JSON (`raw.v1` holds the venue's bytes instead)."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic of `schemas/topics.yaml`.

    `retention_ms` is None exactly for compacted topics; `max_message_bytes` bounds one record;
    `schema` names a file of `schemas/generated`; `key` says in words what the record key is.
    """

    name: str
    owner: str
    schema: str
    key: str
    partitions: int
    retention_ms: int | None
    cleanup_policy: CleanupPolicy
    max_message_bytes: int
    description: str


class _Partitioning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    partitions: int
    pinned: dict[str, int]


class _Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    schema: str
    key: str
    partitions: int
    max_message_bytes: int
    description: str
    retention_ms: int | None = None
    cleanup_policy: CleanupPolicy = "delete"


class _Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    partitioning: _Partitioning
    topics: dict[str, _Topic]


_first_reading = Lock()


def read_registry(text: str) -> tuple[dict[str, TopicSpec], int, dict[str, int]]:
    """Topics by name, the shared partition count and the pinned assets of a topics.yaml text.

    Raises:
        MarginquakeError: naming the topic or field that breaks a rule of the file.
    """
    try:
        registry = msgspec.convert(yaml.safe_load(text), _Registry)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise MarginquakeError(f"topics.yaml cannot be read: {error}; mend that entry") from None
    count, pinned = registry.partitioning.partitions, registry.partitioning.pinned
    taken = sorted(pinned.values())
    if len(set(taken)) != len(taken) or not all(0 <= number < count for number in taken):
        raise MarginquakeError(
            f"topics.yaml pins {pinned}: give each pinned asset its own partition below {count}"
        )
    if len(taken) >= count:
        raise MarginquakeError(
            f"topics.yaml pins {len(taken)} of {count} partitions: leave one for other assets"
        )
    for name, topic in registry.topics.items():
        if topic.partitions not in (1, count):
            raise MarginquakeError(
                f"topics.yaml gives {name} {topic.partitions} partitions: use 1 or {count}"
            )
        if (topic.retention_ms is None) != (topic.cleanup_policy == "compact"):
            raise MarginquakeError(
                f"topics.yaml: {name} needs either retention_ms or cleanup_policy: compact"
            )
    specs = {
        name: TopicSpec(name=name, **msgspec.structs.asdict(topic))
        for name, topic in registry.topics.items()
    }
    return specs, count, pinned


@cache
def _registry() -> tuple[dict[str, TopicSpec], int, dict[str, int]]:
    # msgspec describes the structs at their first use, which two threads must not make at once.
    with _first_reading:
        return read_registry(files("schemas").joinpath("topics.yaml").read_text("utf-8"))


def topics() -> dict[str, TopicSpec]:
    """Every topic by name, in the order of `schemas/topics.yaml`; a fresh dict."""
    return dict(_registry()[0])


def partitions() -> int:
    """How many partitions `raw.v1`, `frames.v1` and the result topics have; fixed for v1."""
    return _registry()[1]


@lru_cache(maxsize=8192)
def partition_for(asset: str) -> int:
    """The partition of an asset (or scope) on every topic keyed by it; pure.

    A pinned asset has a partition to itself. Any other goes to the k-th unpinned partition in
    ascending order, k = CRC-32 of the UTF-8 name modulo their number. Kafka's own murmur2
    partitioner is not used: it cannot pin, and clients differ in it.

    >>> partition_for("BTC"), partition_for("ETH"), partition_for("SOL")
    (0, 1, 4)
    """
    _, count, pinned = _registry()
    if asset in pinned:
        return pinned[asset]
    taken = set(pinned.values())
    free = [number for number in range(count) if number not in taken]
    return free[zlib.crc32(asset.encode()) % len(free)]


_TOPIC_OF: Final[Mapping[type, str]] = {
    Liquidation: LIQUIDATIONS,
    Frame: FRAMES,
    Tick: MARKET_INPUTS,
    Contribution: MARKET_INPUTS,
    LateLiquidation: LATE,
    DeadLetter: DEADLETTERS,
    FeedStatus: FEEDS,
    CascadeWindow: CASCADES,
    Print: PRINTS,
    Milestone: PRINTS,
    Regime: REGIMES,
    RegimeTransition: REGIMES,
    RegimeResolution: REGIMES,
    Imbalance: SIGNALS,
    Liquidity: SIGNALS,
    Conditions: SIGNALS,
    Positioning: SIGNALS,
    Funding: SIGNALS,
    Dominance: SIGNALS,
    Volatility: SIGNALS,
    ZoneMap: ZONES,
    Health: HEALTH,
    Alert: ALERTS,
}

RESULT_TOPICS: Final = (CASCADES, PRINTS, REGIMES, SIGNALS, ZONES, HEALTH, ALERTS)
"""What detectors publish: every record there is a result, validated at the edges."""


def topic_of(message: Message) -> str:
    """The topic that carries a message of this type."""
    return _TOPIC_OF[type(message)]


def key_of(message: Message) -> bytes:
    """The record key of a message: what `key` says of its topic in topics.yaml, as UTF-8."""
    match message:
        case Liquidation() | Frame() | Contribution():
            key = message.asset
        case LateLiquidation():
            key = message.liquidation.asset
        case Tick():
            key = str(message.partition)
        case DeadLetter():
            key = message.source
        case FeedStatus():
            key = message.venue
        case _:
            key = message.scope
    return key.encode()


_encoder = msgspec.json.Encoder(order="deterministic")
encode = _encoder.encode
"""JSON bytes of a struct: fields in declared order, map keys sorted, so equal gives equal.

Raises OverflowError for an integer past 64 bits. A NaN or infinity becomes null, which the
models of `schemas/` refuse wherever the field has no null.
"""

_frame = msgspec.json.Decoder(Frame)
_status = msgspec.json.Decoder(Status)
_market_input: msgspec.json.Decoder[Tick | Contribution] = msgspec.json.Decoder(Tick | Contribution)
_result: msgspec.json.Decoder[Result] = msgspec.json.Decoder(Result)
_by_topic: Final[Mapping[str, msgspec.json.Decoder[Any]]] = {
    LIQUIDATIONS: msgspec.json.Decoder(Liquidation),
    FRAMES: _frame,
    MARKET_INPUTS: _market_input,
    LATE: msgspec.json.Decoder(LateLiquidation),
    DEADLETTERS: msgspec.json.Decoder(DeadLetter),
    FEEDS: msgspec.json.Decoder(FeedStatus),
    CASCADES: msgspec.json.Decoder(CascadeWindow),
    PRINTS: msgspec.json.Decoder(Print | Milestone),
    REGIMES: msgspec.json.Decoder(Regime | RegimeTransition | RegimeResolution),
    SIGNALS: msgspec.json.Decoder(
        Imbalance | Liquidity | Conditions | Positioning | Funding | Dominance | Volatility
    ),
    ZONES: msgspec.json.Decoder(ZoneMap),
    HEALTH: msgspec.json.Decoder(Health),
    ALERTS: msgspec.json.Decoder(Alert),
}


def json_topics() -> tuple[str, ...]:
    """Topics that `decode` reads, in its order."""
    return tuple(_by_topic)


def decode_frame(value: bytes) -> Frame:
    """A record of `frames.v1`; raises msgspec.DecodeError when it is not one."""
    return _frame.decode(value)


def decode_status(value: bytes) -> Status:
    """The value of a raw record whose channel is `status`; raises msgspec.DecodeError."""
    return _status.decode(value)


def decode_market_input(value: bytes) -> Tick | Contribution:
    """A record of `market_inputs.v1`; raises msgspec.DecodeError when it is not one."""
    return _market_input.decode(value)


def decode_result(value: bytes) -> Result:
    """A record of one of RESULT_TOPICS; raises msgspec.DecodeError."""
    return _result.decode(value)


def decode(topic: str, value: bytes) -> Message:
    """A record of any topic in JSON; raises msgspec.DecodeError when it is not of that topic.

    Raises:
        MarginquakeError: the topic holds opaque bytes (raw.v1, states) or is not ours.
    """
    decoder = _by_topic.get(topic)
    if decoder is None:
        raise MarginquakeError(f"topic {topic!r} has no JSON messages; use one of {[*_by_topic]}")
    message: Message = decoder.decode(value)
    return message
