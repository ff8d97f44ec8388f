"""What parsers assume because no venue documents it, as settings with a meaning each.

Beside the parsers: promises that every assumption which another value would change is a field here,
with its default, and that a value which it cannot have is refused. `marginquake venues
--assumptions` and docs/venues.md list the fields. Does not read the environment.
"""

from typing import Annotated, Final, cast

import msgspec
from msgspec import inspect

from streams.core.events import Completeness
from streams.core.throttle import completeness_at
from streams.venues.bitget import Assumed as Bitget
from streams.venues.both_sides import BYBIT, HTX, Count, Sides
from streams.venues.coinbase import ADVANCED_SIDE, Party
from streams.venues.gate import Assumed as Gate


class _Assumed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Bybit(_Assumed, frozen=True):
    """What Bybit's pages contradict each other in."""

    interest_sides: Annotated[
        Count,
        msgspec.Meta(
            description="sides that `openInterest` counts where no `singleOpenInterest` is told",
            extra={"source": "`tickers`"},
        ),
    ] = BYBIT.interest


class Coinbase(_Assumed, frozen=True):
    """What Coinbase does not document of its newer feed."""

    advanced_side: Annotated[
        Party,
        msgspec.Meta(
            description="whose side a trade's `side` is",
            extra={"source": "`market_trades` of the Advanced feed"},
        ),
    ] = ADVANCED_SIDE


class Htx(_Assumed, frozen=True):
    """What HTX documents and nobody has verified."""

    completeness: Annotated[
        Completeness,
        msgspec.Meta(
            description="what the feed of forced orders carries; any but `all`: a partial feed",
            extra={"source": "`public.*.liquidation_orders`"},
        ),
    ] = "all"
    trade_sides: Annotated[
        Count,
        msgspec.Meta(
            description="sides of a trade that `amount` counts",
            extra={"source": "`market.*.trade.detail`"},
        ),
    ] = HTX.trade
    interest_sides: Annotated[
        Count,
        msgspec.Meta(
            description="sides of a position that `volume` counts",
            extra={"source": "`swap_open_interest`, polled"},
        ),
    ] = HTX.interest
    volume_sides: Annotated[
        Count,
        msgspec.Meta(
            description="sides of a trade that `trade_turnover` counts",
            extra={"source": "`market.*.detail`, `swap_open_interest`"},
        ),
    ] = HTX.volume


class Assumptions(_Assumed, frozen=True):
    """Every assumption, by venue."""

    bitget: Bitget = Bitget()
    bybit: Bybit = Bybit()
    coinbase: Coinbase = Coinbase()
    gate: Gate = Gate()
    htx: Htx = Htx()


DOCUMENTED: Final = Assumptions()
"""The defaults: what documentation and recordings speak for."""


class Setting(msgspec.Struct, frozen=True):
    """One assumption. `name`: venue and field; `values`: what it may be, None for not verified."""

    name: str
    value: str | int | None
    default: str | int | None
    values: tuple[str | int | None, ...]
    meaning: str
    source: str


def parsed(text: str) -> Assumptions:
    """Assumptions of `venue.field=value` pairs between blanks or commas; all others as documented.

    Raises:
        ValueError: a pair is none, comes twice, or names a field or a value that there is not.

    >>> parsed("gate.negative=buy, htx.trade_sides=1").gate.negative
    'buy'
    """
    given: dict[str, dict[str, str]] = {}
    for pair in text.replace(",", " ").split():
        name, sign, value = pair.partition("=")
        venue, dot, field = name.partition(".")
        if not (sign and dot):
            raise ValueError(f"{pair!r} is not venue.field=value")
        fields = given.setdefault(venue, {})
        if field in fields:
            raise ValueError(f"{name!r} is given twice")
        fields[field] = value
    try:
        return msgspec.convert(given, Assumptions, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def sides_counted(assumed: Assumptions, venue: str) -> Sides:
    """How many sides the figures of a venue count.

    >>> sides_counted(DOCUMENTED, "htx").trade, sides_counted(DOCUMENTED, "okx").trade
    (2, 1)
    """
    if venue == "htx":
        htx = assumed.htx
        return Sides(htx.trade_sides, htx.interest_sides, htx.volume_sides)
    if venue == "bybit":
        return Sides(interest=assumed.bybit.interest_sides)
    return Sides()


def completeness(assumed: Assumptions, venue: str, event_time_us: int) -> Completeness:
    """What an order of a venue's public feed says of the others at its time.

    >>> completeness(parsed("htx.completeness=sampled"), "htx", 0)
    'sampled'
    """
    if venue == "htx":
        return assumed.htx.completeness
    return completeness_at(venue, event_time_us)


def doubted(assumed: Assumptions) -> tuple[str, ...]:
    """Venues whose feeds are assumed to leave orders out, against what `throttle` has of them.

    >>> doubted(DOCUMENTED), doubted(parsed("htx.completeness=unknown"))
    ((), ('htx',))
    """
    return () if assumed.htx.completeness == "all" else ("htx",)


def settings_of(assumed: Assumptions) -> list[Setting]:
    """Every assumption with its value, by venue."""
    found: list[Setting] = []
    for venue in msgspec.structs.fields(Assumptions):
        described = cast("inspect.StructType", inspect.type_info(venue.type))
        held = getattr(assumed, venue.name)
        for field in described.fields:
            kind = cast("inspect.Metadata", field.type)
            found.append(
                Setting(
                    name=f"{venue.name}.{field.name}",
                    value=getattr(held, field.name),
                    default=field.default,
                    values=_values(kind.type),
                    meaning=(kind.extra_json_schema or {})["description"],
                    source=(kind.extra or {})["source"],
                )
            )
    return found


def _values(kind: inspect.Type) -> tuple[str | int | None, ...]:
    if isinstance(kind, inspect.UnionType):
        return tuple(value for part in kind.types for value in _values(part))
    return kind.values if isinstance(kind, inspect.LiteralType) else (None,)
