"""Records of `raw.v1`: the venue's bytes as the value, all else in headers.

Between collectors, archives and the framer, beside `contracts`. Promises that a record that breaks
the contract comes back as `Rejected` and never raises, and that a line that was no record keeps
its reason and its place. Does not look into the value.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast, get_args

from streams.core.events import (
    DEAD_LETTER_BYTES,
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    BadLine,
    Raw,
    Rejected,
    RejectReason,
)

Headers = Sequence[tuple[str, bytes]]


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
