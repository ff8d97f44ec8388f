"""Reads one field of a venue's JSON row and says precisely why it cannot be trusted.

Stands between a decoded message and a canonical event. Promises a finite, bounded value or
`BadField`, which holds the `Rejected` for that row alone; accepts a number as JSON number or as
numeric string. Does not know any venue's field names or units.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from streams.core.events import Ignored, Rejected, RejectReason

Row = Mapping[str, object]

MAX_MAGNITUDE: Final = 10**18
"""A larger price, size or stamp is no market value, and its product would not fit int64."""
MICROSECOND_STAMPS: Final = 10**14
"""Stamps from here on are already microseconds."""
SECOND_STAMPS: Final = 10**11
"""Stamps below this are seconds, where a venue sends those too."""
LARGEST: Final = 1e18
"""`MAX_MAGNITUDE`, for floats of the hot paths."""
SMALLEST: Final = 1e-29
"""A smaller float is left to `as_decimal`, which takes it for zero."""
WRITTEN: Final = "0123456789.+-eE"
"""What venues write numbers with; Python reads `1_000`, blanks and the digits of any script too."""
_LONGEST_NUMBER: Final = 64
_LONGEST_DIGITS: Final = 18
_MOST_NANOS: Final = 2**63
_ZERO: Final = Decimal(0)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:?00)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class BadField(Exception):
    """One row cannot be used; `outcome` is what the parser returns in its place."""

    def __init__(self, outcome: Rejected | Ignored) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def bad(reason: RejectReason, detail: str) -> BadField:
    """The exception for a rejected row; `detail` names the field, never the whole payload."""
    return BadField(Rejected(reason, detail))


def shown(value: object) -> str:
    """A short, safe rendering of a foreign value (a huge int cannot even be printed)."""
    return repr(value[:40]) if isinstance(value, str) else f"a JSON {type(value).__name__}"


def given(row: Row, key: str) -> object:
    """The field's value; missing_field when it is absent, null or an empty string."""
    value = row.get(key)
    if value is None or value == "":
        raise bad("missing_field", f"field {key!r} is absent or empty")
    return value


def text(row: Row, key: str) -> str:
    """A non-empty string of at most 100 characters."""
    value = given(row, key)
    if not isinstance(value, str) or len(value) > 100:
        raise bad("wrong_type", f"field {key!r} is {shown(value)}, expected a short string")
    return value


def id_text(row: Row, key: str) -> str:
    """A venue's id as text; those of digits are sent as JSON integers too.

    >>> id_text({"i": "260000001"}, "i"), id_text({"i": 260000001}, "i")
    ('260000001', '260000001')
    """
    value = row.get(key)
    if type(value) is int and 0 <= value < MAX_MAGNITUDE:
        return str(value)
    return text(row, key)


def nested(row: Row, key: str) -> Row:
    """A JSON object."""
    value = given(row, key)
    if not isinstance(value, dict):
        raise bad("wrong_type", f"field {key!r} is {shown(value)}, expected an object")
    return value


def array(row: Row, key: str) -> list[object]:
    """A JSON array."""
    value = given(row, key)
    if not isinstance(value, list):
        raise bad("wrong_type", f"field {key!r} is {shown(value)}, expected an array")
    return value


def flag(row: Row, key: str) -> bool:
    """A JSON boolean."""
    value = given(row, key)
    if not isinstance(value, bool):
        raise bad("wrong_type", f"field {key!r} is {shown(value)}, expected true or false")
    return value


def marked(row: Row, key: str) -> bool:
    """Whether a row bears a mark: a boolean, or a text or digit that typed decoders take for one.

    A row means the same whether its message takes the typed path or, for a bad neighbour, does not.
    """
    value = given(row, key)
    try:
        return msgspec.convert(value, bool, strict=False)
    except msgspec.ValidationError:
        raise bad(
            "wrong_type", f"field {key!r} is {shown(value)}, expected true or false"
        ) from None


def as_decimal(value: object, name: str) -> Decimal:
    """A finite Decimal of a JSON number or numeric string.

    >>> as_decimal("0.250", "q"), as_decimal(3, "q")
    (Decimal('0.250'), Decimal('3'))
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise bad("wrong_type", f"field {name!r} is {shown(value)}, expected a number")
    if isinstance(value, int) and not -MAX_MAGNITUDE < value < MAX_MAGNITUDE:
        raise bad("not_finite", f"field {name!r} is beyond 1e18")
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise bad("wrong_type", f"field {name!r} has {len(value)} characters, expected a number")
    written = str(value)
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise bad("wrong_type", f"field {name!r} is {shown(value)}, expected a number") from None
    if number.is_finite() and written.strip(WRITTEN):
        raise bad("wrong_type", f"field {name!r} is {shown(value)}, expected a number")
    if not number.is_finite() or number.adjusted() >= 18:
        raise bad("not_finite", f"field {name!r} is {shown(str(value))}")
    return number if number.adjusted() > -30 else _ZERO


def quick_float(value: object) -> float | None:
    """The float of `as_decimal` for a plain string of a number above zero, at a tenth of its time.

    >>> quick_float("0.250"), quick_float("0"), quick_float("x"), quick_float(3)
    (0.25, None, None, None)
    """
    if type(value) is not str or len(value) > _LONGEST_NUMBER or value.strip(WRITTEN):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if SMALLEST < number < LARGEST else None


def decimal(row: Row, key: str) -> Decimal:
    """A required finite number of any sign."""
    return as_decimal(given(row, key), key)


def real(row: Row, key: str) -> float:
    """A required finite number of any sign, as a float."""
    quick = quick_float(row.get(key))
    return float(decimal(row, key)) if quick is None else quick


def positive(row: Row, key: str) -> Decimal:
    """A required finite number above zero."""
    number = decimal(row, key)
    if number <= 0:
        raise bad("not_positive", f"field {key!r} is {number}")
    return number


def not_negative(row: Row, key: str) -> Decimal:
    """A required finite number, zero allowed."""
    number = decimal(row, key)
    if number < 0:
        raise bad("not_positive", f"field {key!r} is {number}")
    return number


def present(row: Row, key: str) -> bool:
    """Whether the venue filled the field in (neither absent, null nor an empty string)."""
    value = row.get(key)
    return value is not None and value != ""


def integer(row: Row, key: str) -> int:
    """A whole number from 0 up to 1e18, as JSON integer or digits."""
    value = row.get(key)
    if type(value) is int and 0 <= value < MAX_MAGNITUDE:
        return value
    if type(value) is str and len(value) <= _LONGEST_DIGITS and value.isdigit() and value.isascii():
        return int(value)
    number = decimal(row, key)
    if number < 0 or number != number.to_integral_value():
        raise bad("wrong_type", f"field {key!r} is {number}, expected a whole number")
    return int(number)


def stamp_us(row: Row, key: str) -> int:
    """A venue stamp in milliseconds (or microseconds, told by magnitude) as microseconds."""
    return micros(integer(row, key))


def micros(stamp: int) -> int:
    """A stamp in milliseconds (or microseconds, told by magnitude) as microseconds."""
    return stamp if stamp >= MICROSECOND_STAMPS else stamp * 1000


def any_stamp_us(row: Row, key: str) -> int:
    """A stamp of a venue that is not consistent, as microseconds; its unit is told by magnitude.

    Seconds, milliseconds or microseconds, whole or with a fraction.

    >>> any_stamp_us({"t": 1790000000}, "t"), any_stamp_us({"t": "1790000000402.25"}, "t")
    (1790000000000000, 1790000000402250)
    """
    stamp = not_negative(row, key)
    if stamp < SECOND_STAMPS:
        return int(stamp * 1_000_000)
    return int(stamp if stamp >= MICROSECOND_STAMPS else stamp * 1000)


def nanos_us(row: Row, key: str) -> int:
    """A venue stamp in nanoseconds as microseconds; nanoseconds of our time are above 1e18.

    >>> nanos_us({"ts": 1790000000402000999}, "ts")
    1790000000402000
    """
    value = given(row, key)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
        value = int(value)
    if type(value) is not int or not 0 <= value < _MOST_NANOS:
        raise bad("wrong_type", f"field {key!r} is {shown(value)}, expected nanoseconds")
    return value // 1000


def iso_us(row: Row, key: str) -> int:
    """A UTC time of ISO 8601 as microseconds; digits beyond the sixth are cut.

    >>> iso_us({"time": "2026-09-21T12:00:00.402123855Z"}, "time")
    1789992000402123
    """
    written = text(row, key)
    match = _ISO.fullmatch(written)
    if match is None:
        raise bad("wrong_type", f"field {key!r} is {shown(written)}, expected a time in UTC")
    *parts, fraction = match.groups(default="")
    year, month, day, hour, minute, second = map(int, parts)
    part = int(fraction[:6].ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second, part, UTC)
    except ValueError:
        raise bad("wrong_type", f"field {key!r} is {shown(written)}, no such time") from None
    return (moment - _EPOCH) // _MICROSECOND
