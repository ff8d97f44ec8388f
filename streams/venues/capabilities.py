"""What each venue's public feeds tell, as data: the capability table of docs/venues.md.

Beside the parsers, whose docstrings hold the facts in words; keep-alive and limits are those of
`streams.venues.wire` where a venue has one. Promises that every parsed venue has a row; tests hold
the rows to the side matrix and to the documented messages. Nothing here was tried against a live
venue: `verified_live` says when that changes.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from streams.core.events import Completeness, Contract, PriceKind
from streams.core.throttle import FEED_SEMANTICS, Feed
from streams.venues import (
    binance,
    bitget,
    bitmex,
    bybit,
    coinbase,
    deribit,
    dydx,
    gate,
    htx,
    hyperliquid,
    kraken,
    kucoin,
    okx,
)
from streams.venues.wire import WIRES, Endpoint

Way = Literal["pushed", "polled", "recorded"]
"""Over a stream, by a REST answer, or from what others recorded."""
Side = Literal["order", "position", "taker", "flagged party"]
"""Whose side the venue's word or sign tells."""
State = Literal["trade", "mark", "index", "last", "open_interest", "funding", "volume_24h", "book"]
Lack = State | Literal["forced_orders"]
CHANNELS: Final[tuple[State, ...]] = (
    *("trade", "mark", "index", "last", "open_interest", "funding", "volume_24h", "book"),
)


class Forced(msgspec.Struct, frozen=True):
    """A source of forced orders; `completeness` as of now, `FEED_SEMANTICS` tells its history."""

    source: str
    way: Way
    completeness: Completeness
    side: Side
    price_kinds: tuple[PriceKind, ...]


class Capability(msgspec.Struct, frozen=True):
    """One venue: its sources of forced orders, how each other channel comes, and what is open.

    `none_because`: why there is no public feed of forced orders; empty when there is one.
    `lacking`: channels that contracts of a class do not have although others of the venue do;
    forced orders are lacking where their dollars are not known (`unknown_notional`).
    `verified_live`: the ISO date on which the table was checked against the venue, or None.
    """

    venue: str
    forced: tuple[Forced, ...]
    state: Mapping[State, Way]
    none_because: str = ""
    verified_live: str | None = None
    lacking: Mapping[Contract, tuple[Lack, ...]] = {}


_PUSHED: Final[Mapping[State, Way]] = dict.fromkeys(CHANNELS, "pushed")
_SPOT: Final[Mapping[State, Way]] = dict.fromkeys(("trade", "last", "volume_24h", "book"), "pushed")
_POLLED_INTEREST: Final[Mapping[State, Way]] = {**_PUSHED, "open_interest": "polled"}
_POLLED_FUNDING: Final[Mapping[State, Way]] = {**_PUSHED, "funding": "polled"}
_KUCOIN: Final[Mapping[State, Way]] = {
    **_POLLED_INTEREST,
    "funding": "polled",
    "last": "polled",
    "volume_24h": "polled",
}
_NO_VOLUME: Final[Mapping[Contract, tuple[Lack, ...]]] = {"inverse": ("volume_24h",)}
_NO_UNIT: Final[Mapping[Contract, tuple[Lack, ...]]] = {"inverse": ("forced_orders", "volume_24h")}
_IN_BITCOIN: Final[Mapping[Contract, tuple[Lack, ...]]] = {
    "quanto": ("forced_orders", "open_interest", "book")
}
_SPOT_LACKS: Final[Mapping[Contract, tuple[Lack, ...]]] = {
    "spot": ("mark", "index", "open_interest", "funding")
}
_FORCE_ORDER: Final = (Forced("forceOrder", "pushed", "sampled", "order", ("avg_fill", "order")),)
_NO_LAST: Final[Mapping[State, Way]] = {name: "pushed" for name in CHANNELS if name != "last"}

_ROWS: Final = (
    Capability("binance-usdm", _FORCE_ORDER, _POLLED_INTEREST),
    Capability("binance-coinm", _FORCE_ORDER, _POLLED_INTEREST),
    Capability(
        "bybit",
        (
            Forced("allLiquidation", "pushed", "all", "position", ("bankruptcy",)),
            Forced("liquidation", "recorded", "sampled", "position", ("bankruptcy",)),
        ),
        _PUSHED,
    ),
    Capability(
        "okx",
        (
            Forced("liquidation-orders", "pushed", "sampled", "order", ("bankruptcy",)),
            Forced("liquidation of v3", "recorded", "sampled", "position", ("order",)),
        ),
        _PUSHED,
        lacking=_SPOT_LACKS,
    ),
    Capability(
        "gate",
        (
            Forced("futures.public_liquidates", "pushed", "all", "order", ("order",)),
            Forced("liq_orders", "recorded", "all", "position", ("avg_fill", "order")),
        ),
        _POLLED_FUNDING,
    ),
    Capability(
        "bitget",
        (Forced("liquidation", "pushed", "sampled", "position", ("unknown",)),),
        _PUSHED,
        lacking=_NO_UNIT,
    ),
    Capability(
        "bitmex",
        (Forced("liquidation", "pushed", "all", "order", ("bankruptcy",)),),
        _PUSHED,
        lacking=_IN_BITCOIN,
    ),
    Capability(
        "deribit",
        (Forced("trades", "pushed", "all", "flagged party", ("fill",)),),
        _PUSHED,
    ),
    Capability(
        "kraken",
        (
            Forced("trade", "pushed", "all", "taker", ("fill",)),
            Forced("executions", "recorded", "all", "order", ("fill",)),
        ),
        _PUSHED,
    ),
    Capability(
        "htx",
        (
            Forced("liquidation_orders", "pushed", "all", "order", ("bankruptcy",)),
            Forced("swap_liquidation_orders", "recorded", "all", "order", ("bankruptcy",)),
        ),
        _POLLED_INTEREST,
        lacking=_NO_VOLUME,
    ),
    Capability(
        "dydx",
        (Forced("v4_trades", "pushed", "all", "taker", ("bankruptcy", "fill")),),
        _NO_LAST,
    ),
    Capability(
        "hyperliquid",
        (
            Forced("userFills", "recorded", "unknown", "order", ("fill",)),
            Forced("fills of a node", "recorded", "all", "order", ("fill",)),
        ),
        _NO_LAST,
        "no public stream tells whom a trade liquidated",
    ),
    Capability("kucoin", (), _KUCOIN, "no public topic", lacking=_NO_VOLUME),
    Capability("binance-spot", (), _SPOT, "spot"),
    Capability("bybit-spot", (), _SPOT, "spot"),
    Capability("gate-spot", (), _SPOT, "spot"),
    Capability("bitget-spot", (), _SPOT, "spot"),
    Capability("coinbase", (), _SPOT, "spot"),
)
CAPABILITIES: Final[Mapping[str, Capability]] = {row.venue: row for row in _ROWS}
"""Capability by venue id; OKX's spot trades come under `okx`."""

_MODULES: Final = (
    *(binance, bitget, bitmex, bybit, coinbase, deribit, dydx, gate, htx, hyperliquid, kraken),
    *(kucoin, okx),
)


def facts(venue: str) -> dict[str, str]:
    """The table of facts in the docstring of the venue's parser, by fact.

    >>> facts("okx")["forced price"]
    '`bkPx`, bankruptcy price, no fill'
    """
    (module,) = [module for module in _MODULES if venue in module.VENUES]
    found: dict[str, str] = {}
    last = ""
    for line in (module.__doc__ or "").splitlines():
        if line.startswith("|") and not line.startswith(("| fact ", "|--")):
            name, _, text = line[1:].rstrip("| ").partition("|")
            last = name.strip() or last
            found[last] = f"{found.get(last, '')} {text.strip()}".strip()
    return found


def semantics(venue: str) -> list[Feed]:
    """What the venue's feed of forced orders carried, interval by interval."""
    return [row for row in FEED_SEMANTICS if row.venue == venue]


def keep_alive(venue: str) -> str:
    """Who pings, how and how often."""
    beats = {one.heartbeat for one in WIRES[venue].endpoints}
    return "; ".join(
        f"{beat.by} sends {_asked(beat.ask, beat.kind)} every {beat.every_s:g} s"
        for beat in sorted(beats, key=lambda beat: beat.every_s)
    )


def _asked(ask: str, kind: str) -> str:
    return f"`{ask}`" if ask else "a ping frame" if kind == "frame" else "a ping"


def collected(venue: str) -> tuple[str, ...]:
    """Channels that the wire subscribes to or polls."""
    wire = WIRES[venue]
    polled = [f"{one.name} (polled)" for one in wire.polls]
    return *dict.fromkeys(name for one in wire.endpoints for name in one.channels), *polled


def limits(venue: str) -> str:
    """The wire's limits of a connection."""
    return "; ".join(dict.fromkeys(map(_limits, WIRES[venue].endpoints)))


def _limits(endpoint: Endpoint) -> str:
    given = endpoint.limits
    life = "" if given.life_s is None else f", cut after {given.life_s / 3600:g} h"
    held = [(given.topics, "topics"), (given.connections, "connections")]
    address = " and ".join(f"{most} {what}" for most, what in held if most is not None)
    life += f", {address} an address" if address else ""
    return (
        f"{given.topics_per_connection} topics a connection, {given.topics_per_message} a request, "
        f"{given.messages_per_s:g} requests a second{life}"
    )
