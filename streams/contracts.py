"""Topics, record keys and record bytes: what two processes of the data path must agree on.

Stands between the core's structs and Kafka. Promises that equal structs give equal bytes, that a
record that breaks the contract of `raw.v1` comes back as `Rejected` and never raises, and that
`partition_for` is the same in every process. `schemas/topics.yaml` is the only list of topics;
the constants below are names into it, and a test holds them equal. Does not talk to Kafka and
does not check laws across fields: `schemas.results.validate_result` does that at the edges.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, cast, get_args

import msgspec
import yaml

from streams.config import MarginquakeError
from streams.core.events import (
    DEAD_LETTER_BYTES,
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    BadLine,
    DeadLetter,
    FeedStatus,
    LateLiquidation,
    Liquidation,
    Raw,
    Rejected,
    RejectReason,
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
REGIMES: Final = "regimes.v1"
SIGNALS: Final = "signals.v1"
ZONES: Final = "zones.v1"
HEALTH: Final = "health.v1"
ALERTS: Final = "alerts.v1"
DETECTOR_CHANGELOG: Final = "marginquake-detect-detector_state-changelog"
MARKET_CHANGELOG: Final = "marginquake-detect-market_state-changelog"

CleanupPolicy = Literal["delete", "compact"]
Headers = Sequence[tuple[str, bytes]]
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


def raw_headers(
    raw: Raw, part: tuple[int, int] | None = None, message_id: str | None = None
) -> list[tuple[str, bytes]]:
    """Headers of a raw record in canonical order: venue, channel, connection, received_at.

    Args:
        raw: the record; an unknown channel (None) is written as an empty header.
        part: (i, n) when the value is row i (from 0) of a message cut into n, header `slice`.
        message_id: what the slices of one message share.
    """
    headers = [
        ("venue", raw.venue.encode()),
        ("channel", (raw.channel or "").encode()),
        ("connection", raw.connection.encode()),
        ("received_at", b"%d" % raw.received_at_us),
    ]
    if part is not None:
        headers.append(("slice", b"%d/%d" % part))
    if message_id is not None:
        headers.append(("message_id", message_id.encode()))
    return headers


def bad_line_headers(bad: BadLine) -> list[tuple[str, bytes]]:
    """Headers of a line that was no record: those of `raw_headers`, then why, where and size."""
    return [
        *raw_headers(bad.raw),
        ("rejected", bad.rejected.reason.encode()),
        ("detail", bad.rejected.detail.encode("utf-8", "replace")),
        ("source", bad.source.encode("utf-8", "replace")),
        ("size", b"%d" % bad.size),
    ]


_MAX_NAMES: Final = 10_000
_names: dict[bytes, str] = {}
_channels: dict[bytes, str | None] = {}


def raw_from_record(headers: Headers, value: bytes | None) -> Raw | Rejected | BadLine:
    """The raw record of a Kafka record of `raw.v1`, or what was no record; never raises.

    Four headers in canonical order with names seen before take the short way (about 0.35 us);
    anything else goes through `_raw_in_any_order`, with the same result. `slice` and
    `message_id` are for people who trace a message and are not part of Raw.
    """
    try:
        (first, venue), (second, channel), (third, connection), (fourth, received) = headers
        if (
            value is not None
            and first == "venue"
            and second == "channel"
            and third == "connection"
            and fourth == "received_at"
        ):
            at = int(received)
            if EARLIEST_EVENT_US <= at < LATEST_EVENT_US:
                return Raw(_names[venue], _channels[channel], _names[connection], at, value)
    except (ValueError, KeyError, TypeError):
        pass
    return _raw_in_any_order(headers, value)


def _raw_in_any_order(headers: Headers, value: bytes | None) -> Raw | Rejected | BadLine:
    if value is None:
        return Rejected("wrong_type", "the record has no value")
    # A repeated header: the first stands, as for any reader that stops at the first match.
    given = dict(reversed(headers))
    venue, channel = given.get("venue"), given.get("channel")
    connection, received = given.get("connection"), given.get("received_at")
    if venue is None or channel is None or connection is None or received is None:
        wanted = ("venue", "channel", "connection", "received_at")
        missing = [name for name in wanted if given.get(name) is None]
        return Rejected("missing_field", f"header {', '.join(missing)} is missing")
    try:
        at = int(received)
    except ValueError:
        return Rejected("wrong_type", f"header received_at is {received[:40]!r}, not microseconds")
    # A line that could not be read may stand before any that could: it has no time then.
    timeless = at == 0 and "rejected" in given
    if not (timeless or EARLIEST_EVENT_US <= at < LATEST_EVENT_US):
        return Rejected("time_out_of_range", f"received_at {at} us is outside 2010..2099")
    try:
        texts = venue.decode(), channel.decode(), connection.decode()
    except UnicodeDecodeError as error:
        return Rejected("invalid_utf8", f"a header is not UTF-8: {error}"[:300])
    if "rejected" in given:
        text = value[:DEAD_LETTER_BYTES]
        return _bad_line(given, Raw(texts[0], texts[1] or None, texts[2], at, text))
    if len(_names) > _MAX_NAMES or len(_channels) > _MAX_NAMES:
        _names.clear()
        _channels.clear()
    _names[venue], _channels[channel] = texts[0], texts[1] or None
    _names[connection] = texts[2]
    return Raw(texts[0], texts[1] or None, texts[2], at, value)


_REASONS: Final = frozenset(get_args(RejectReason))


def _bad_line(given: Mapping[str, bytes], raw: Raw) -> BadLine | Rejected:
    try:
        reason, detail, source = (given[name].decode() for name in ("rejected", "detail", "source"))
        size = int(given["size"])
    except KeyError as error:
        return Rejected("missing_field", f"header {error.args[0]} is missing of a rejected line")
    except ValueError as error:
        return Rejected("wrong_type", f"a header of a rejected line: {error}"[:300])
    if reason not in _REASONS or not len(raw.payload) <= size < 2**63:
        return Rejected("wrong_type", f"rejected line for {reason[:40]!r} of {size} bytes")
    rejected = Rejected(cast("RejectReason", reason), detail[:300])
    return BadLine(rejected, raw, size, source[:300])
