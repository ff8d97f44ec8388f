"""Raw records and the canonical events that venue parsers make of them.

First station of the data path. Promises: plain slotted values, no I/O; every time is int64
microseconds UTC, every dollar amount int64 micro-dollars (1 USD = 1_000_000). Does not promise
order, uniqueness or health: that is the clock's and the framer's work.

Hot-path types are msgspec structs; `schemas/events.py` holds the documented pydantic models of
the same fields, and a test holds the two lists equal.
"""

import hashlib
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

import msgspec

MICROS: Final = 1_000_000
"""Microseconds in a second and micro-dollars in a dollar."""

Contract = Literal["linear", "inverse", "quanto", "spot"]
PositionSide = Literal["long", "short"]
OrderSide = Literal["buy", "sell"]
TakerSide = Literal["buy", "sell", "unknown"]
LiquidationKind = Literal["liquidation", "adl", "backstop"]
PriceKind = Literal["bankruptcy", "order", "avg_fill", "fill", "unknown"]
Completeness = Literal["all", "sampled", "aggregated", "unknown"]
StatusOp = Literal["connect", "subscribe", "heartbeat", "gap", "disconnect", "end"]

RejectReason = Literal[
    "invalid_utf8",
    "invalid_json",
    "wrong_type",
    "missing_field",
    "not_finite",
    "not_positive",
    "unknown_venue",
    "unknown_channel",
    "unknown_message",
    "unknown_instrument",
    "unknown_notional",
    "unknown_side",
    "retired_format",
    "too_large",
    "too_deep",
    "time_out_of_range",
    "future_skew",
    "out_of_range",
    "wrong_partition",
    "crossed_book",
]
"""The closed list of dead-letter reasons."""

IgnoreReason = Literal[
    "control",
    "status_only",
    "unused_channel",
    "off_book",
    "adl_print",
    "insurance_print",
    "takeover_print",
    "assignment_print",
    "termination_print",
    "replayed",
    "book_delta",
    "empty",
    "not_filled",
]
"""Why a well-formed message yields no event: it is counted as filtered, never dead-lettered.

A `..._print` is a position closed by force beside the book, of which the message does not say whose
it was: counted by itself, it tells of a venue in distress.
"""

SinkRejectReason = Literal["invalid_row", "refused_by_warehouse"]
WebhookRejectReason = Literal["invalid_row", "refused_by_receiver", "receiver_unavailable"]
DeadLetterStage = Literal["framer", "detect", "sink", "replay", "webhook"]
FeedState = Literal["up", "down"]

MAX_PAYLOAD_BYTES: Final = 1_000_000
MAX_BOOK_LEVELS: Final = 1_000
DEAD_LETTER_BYTES: Final = 4_096
"""How much of a rejected record its dead letter shows."""
EARLIEST_EVENT_US: Final = 1_262_304_000 * MICROS
"""2010-01-01 UTC: an earlier stamp is a unit error or a default, not a market event."""
MOST_EVENT_USD: Final = 10**16
"""Micro-dollars (ten billion dollars) that no order or trade reaches: a larger one is an error of
units, and sums of such would not fit 64 bits."""
MOST_INTEREST_USD: Final = 10**18
"""Micro-dollars (a trillion dollars) that no contract's open interest and no book reaches."""
MOST_VOLUME_USD: Final = 10**18
"""Micro-dollars (a trillion dollars) that no contract trades in 24 hours."""
MOST_INTEREST_COINS: Final = 1e17
"""Coins that no contract's open interest reaches: coins of a billionth of a cent exist."""
PRICE_RANGE: Final = (1e-12, 1e12)
"""USD per coin that a price lies between."""
MOST_FUNDING: Final = 1.0
"""Funding of a cycle, as a fraction, that no venue charges."""
LATEST_EVENT_US: Final = 4_070_908_800 * MICROS
"""2099-01-01 UTC: a later stamp is a unit error."""


class Raw(msgspec.Struct, frozen=True, gc=False):
    """One record of `raw.v1` or one line of a raw log: the venue's bytes and how they came.

    `channel` is a kind (`liquidation`, `trade`, `ticker`, `book`, `status`) or None when the
    log did not say; parsers dispatch on the message itself. Of channel `canonical` the payload is
    no venue's message but an event, from an archive that keeps rows of its own.
    """

    venue: str
    channel: str | None
    connection: str
    received_at_us: int
    payload: bytes


class Liquidation(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="liquidation"):
    """One forced order. `usd` is int64 micro-dollars; `price` is per one coin of `asset`."""

    venue: str
    symbol: str
    asset: str
    contract: Contract
    kind: LiquidationKind
    position_side: PositionSide
    order_side: OrderSide
    price: float
    price_kind: PriceKind
    base_qty: float | None
    usd: int
    event_time_us: int
    received_at_us: int
    completeness: Completeness
    id: str


class Trade(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="trade"):
    """One public trade; `taker_side` is the aggressor's side, `usd` int64 micro-dollars.

    The side is `unknown` where the venue tells none, or in a word that nobody documents.
    """

    venue: str
    symbol: str
    asset: str
    contract: Contract
    taker_side: TakerSide
    price: float
    base_qty: float
    usd: int
    event_time_us: int
    received_at_us: int
    id: str


class Ticker(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="ticker"):
    """A partial ticker: None means unchanged. Open interest is one-sided.

    `open_interest_usd` is int64 micro-dollars and set where the venue states dollars (inverse);
    `open_interest_base` is coins. `funding_rate` is the fraction due at `next_funding_us`.
    `volume_24h_usd` is int64 micro-dollars of the venue's own rolling 24 hours, each trade once.
    """

    venue: str
    symbol: str
    asset: str
    contract: Contract
    mark_price: float | None
    index_price: float | None
    last_price: float | None
    open_interest_base: float | None
    open_interest_usd: int | None
    funding_rate: float | None
    next_funding_us: int | None
    funding_interval_s: int | None
    event_time_us: int
    received_at_us: int
    id: str
    volume_24h_usd: int | None = None


class Book(msgspec.Struct, frozen=True, tag_field="type", tag="book"):
    """A full top-of-book snapshot, best level first; a level is (price, quantity in base coin)."""

    venue: str
    symbol: str
    asset: str
    contract: Contract
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    event_time_us: int
    received_at_us: int
    id: str


class Status(msgspec.Struct, frozen=True, tag_field="type", tag="status"):
    """What a collector says of one connection; the only records that move watermarks.

    `channels`: the channels concerned (None = all of the connection). `assets`: the assets a
    `subscribe` covers (None = every asset of the venue). `through_us`: per channel, the event
    time up to which everything has been written (heartbeat only). `advance_us`: how far an
    `end` record advances the clock beyond the last second.
    """

    op: StatusOp
    channels: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    through_us: dict[str, int] = {}
    advance_us: int = 0
    detail: str = ""


class Macro(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """One value of an outside series: the payload of a record of channel `macro`.

    `asset` narrows it to one asset. `at_us` is the time it speaks for; None is the record's
    receipt. A series `event:NAME` announces a scheduled event at `at_us`.
    """

    series: str
    value: float
    asset: str | None = None
    at_us: int | None = None


class Rejected(msgspec.Struct, frozen=True, tag_field="type", tag="rejected"):
    """A message or row that cannot be trusted: goes to the dead letters with its reason."""

    reason: RejectReason
    detail: str


class BadLine(msgspec.Struct, frozen=True):
    """A record or a line of a raw log that could not be read at all.

    `raw` holds what is known of it, `raw.payload` its first `DEAD_LETTER_BYTES`; `size` is the
    true size in bytes, `source` where it stood (`file:line`, or `raw.v1-3@1742`).
    """

    rejected: Rejected
    raw: Raw
    size: int
    source: str


class Ignored(msgspec.Struct, frozen=True, tag_field="type", tag="ignored"):
    """A message that is fine and carries nothing for us (acks, pongs, unused channels)."""

    reason: IgnoreReason


class LateLiquidation(msgspec.Struct, frozen=True, tag_field="type", tag="late"):
    """A liquidation whose second was sealed before it came (`late.v1`); same id space.

    `sealed_through_us`: the event time that had been passed when it arrived.
    """

    id: str
    liquidation: Liquidation
    sealed_through_us: int


class DeadLetter(msgspec.Struct, frozen=True, tag_field="type", tag="dead_letter"):
    """A record that could not be used (`deadletters.v1`), with at most 4 KiB of its payload.

    `source` names where it stood (`raw.v1-3@1742`, or `file:line`); `row` is the rejected row's
    index inside the message. `payload` is the UTF-8 text with undecodable bytes replaced,
    `payload_bytes` the full size.
    """

    id: str
    reason: RejectReason | SinkRejectReason | WebhookRejectReason
    detail: str
    stage: DeadLetterStage
    source: str
    row: int
    venue: str
    channel: str | None
    connection: str
    received_at_us: int
    payload: str
    payload_bytes: int


class FeedStatus(msgspec.Struct, frozen=True, tag_field="type", tag="feed_status"):
    """A channel of a connection joined or left the joint watermark (`feeds.v1`)."""

    id: str
    venue: str
    channel: str
    connection: str
    state: FeedState
    reason: str
    at_us: int
    through_us: int | None


Event = Liquidation | Trade | Ticker | Book
Outcome = Liquidation | Trade | Ticker | Book | Rejected | Ignored


def micro_usd(price: Decimal | str, quantity: Decimal | str) -> int:
    """Notional in int64 micro-dollars, rounded half-even from the exact decimal product.

    >>> micro_usd("62011.40", "0.250")
    15502850000
    """
    return int((Decimal(price) * Decimal(quantity) * MICROS).to_integral_value())


def decimal_or_none(text: object) -> Decimal | None:
    """A finite Decimal from a venue's number or numeric string; None when it is neither.

    >>> decimal_or_none("0.0100"), decimal_or_none("NaN"), decimal_or_none("")
    (Decimal('0.0100'), None, None)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float, Decimal)):
        return None
    try:
        value = Decimal(str(text)) if isinstance(text, float) else Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def stable_id(*parts: object) -> str:
    """128-bit hex id of the parts, the same in every process and on every machine.

    >>> stable_id("binance-usdm", "BTCUSDT", 1)
    '1aab7b8d2363056a025e2010abefa01b'
    """
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
