"""Which connections a set of venues and assets needs, and what each subscribes.

First step of a collector. Promises that no connection holds more topics than its venue allows,
that no topic is asked for twice, and that an asset nobody carries is an error and not silence.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS
from streams.core.instruments import Instruments
from streams.parsing import assumptions
from streams.venues.assets import by_size, names
from streams.venues.assumptions import doubted
from streams.venues.catalog import Table
from streams.venues.multiples import spellings
from streams.venues.wire import WIRES, Endpoint, Limits, Poll

ALL: Final = "all"
LATENESS_US: Final = {False: 2 * MICROS, True: 3 * MICROS}
"""How long after its time an event of a complete or of a sampled feed may come."""


class Plan(msgspec.Struct, frozen=True):
    """One connection: `assets` by channel, all that were `wanted`, and lateness by channel."""

    venue: str
    name: str
    endpoint: Endpoint
    topics: tuple[str, ...]
    assets: Mapping[str, tuple[str, ...]]
    wanted: frozenset[str]
    lateness_us: Mapping[str, int]


class Polled(msgspec.Struct, frozen=True):
    """One poll of a venue and the symbols that it asks for."""

    venue: str
    poll: Poll
    symbols: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """What a user wants: venues, assets, those of them with books, and addresses instead.

    `name` begins the names of the connections: collectors of the same feeds differ in it.
    `known_only`: an asset that is not known to be listed at a venue is not asked for there.
    """

    venues: Sequence[str]
    assets: Sequence[str]
    book_assets: Sequence[str]
    urls: Mapping[str, str] = {}
    name: str = ""
    known_only: bool = False


class _Draft:
    def __init__(self) -> None:
        self.topics: list[str] = []
        self.assets: dict[str, set[str]] = {}


def expand(venues: Sequence[str], assets: Sequence[str], table: Table) -> tuple[str, ...]:
    """The assets meant; `all` is every one known to be listed at these venues, the largest first.

    Raises:
        MarginquakeError: `all` stands among others.
    """
    if ALL not in assets:
        return tuple(dict.fromkeys(asset.upper() for asset in assets))
    if len(assets) > 1:
        raise MarginquakeError("--assets: `all` stands alone, or name the assets")
    known = {entry.instrument.asset for (venue, _), entry in table.items() if venue in venues}
    return by_size(known.union(*(names().get(venue, {}) for venue in venues)))


def plans(asked: Asked, instruments: Instruments, table: Table) -> list[Plan]:
    """The connections to open; a venue without a known contract of any asset has none.

    Raises:
        MarginquakeError: a venue has no wire, or no venue has a contract of these assets, or
            they are more than a venue lets one address hold.
    """
    unknown = [venue for venue in asked.venues if venue not in WIRES]
    if unknown:
        raise MarginquakeError(f"venue {unknown[0]!r} is none of {', '.join(sorted(WIRES))}")
    found = [
        plan
        for venue in asked.venues
        for endpoint in WIRES[venue].endpoints
        for plan in _of_endpoint(venue, endpoint, asked, instruments, table)
    ]
    if not found:
        several = len(asked.venues) > 1
        raise MarginquakeError(
            f"{', '.join(asked.venues)} {'have' if several else 'has'} no known contract of "
            f"{', '.join(asked.assets)}; look with `marginquake instruments list`"
        )
    return found


def left_out(asked: Asked, found: Sequence[Plan]) -> tuple[str, ...]:
    """Venues that were asked for and have no connection."""
    served = {plan.venue for plan in found}
    return tuple(venue for venue in asked.venues if venue not in served)


def polls(asked: Asked, instruments: Instruments, table: Table) -> list[Polled]:
    """The REST answers to ask for, of venues whose streams lack them."""
    found = []
    for venue in asked.venues:
        for poll in WIRES[venue].polls:
            symbols = tuple(
                symbol
                for asset in asked.assets
                for symbol in _symbols(venue, poll, asset, asked, instruments, table)
            )
            base = asked.urls.get(f"{venue}-rest")
            if symbols:
                there = msgspec.structs.replace(
                    poll, name=f"{asked.name}{poll.name}", url=_moved(poll.url, base)
                )
                found.append(Polled(venue, there, symbols))
    return found


def _of_endpoint(
    venue: str, endpoint: Endpoint, asked: Asked, instruments: Instruments, table: Table
) -> list[Plan]:
    drafts = [_Draft()]
    placed: dict[str, _Draft] = {}
    for asset in asked.assets:
        for symbol in _symbols(venue, endpoint, asset, asked, instruments, table):
            for channel in endpoint.channels:
                if channel != "book" or asset in asked.book_assets:
                    topics = endpoint.topics(symbol, channel)
                    _place(drafts, placed, topics, channel, asset, endpoint)
    _within(venue, endpoint.limits, drafts)
    sampled = WIRES[venue].sampled or venue in doubted(assumptions())
    base = asked.urls.get(venue if endpoint.granted is None else f"{venue}-rest")
    url = _moved(endpoint.url, base)
    there = msgspec.structs.replace(endpoint, url=url)
    return [
        Plan(
            venue,
            f"{asked.name}{endpoint.name}-{number}",
            there,
            tuple(draft.topics),
            {channel: tuple(sorted(assets)) for channel, assets in draft.assets.items()},
            frozenset(asked.assets),
            {name: LATENESS_US[sampled and name == "liquidation"] for name in draft.assets},
        )
        for number, draft in enumerate(drafts)
        if draft.topics
    ]


def _within(venue: str, limits: Limits, drafts: Sequence[_Draft]) -> None:
    """Raises MarginquakeError where a venue would not let one address hold all of this."""
    topics = sum(len(draft.topics) for draft in drafts)
    for asked, most, what in (
        (topics, limits.topics, "topics"),
        (len(drafts), limits.connections, "connections"),
    ):
        if most is not None and asked > most:
            raise MarginquakeError(
                f"{venue} lets an address hold {most:,} {what}, and these assets need {asked:,}; "
                "name fewer of them, or share them among collectors at several addresses"
            )


def _place(
    drafts: list[_Draft],
    placed: dict[str, _Draft],
    topics: Sequence[str],
    channel: str,
    asset: str,
    endpoint: Endpoint,
) -> None:
    for topic in topics:
        draft = placed.get(topic)
        if draft is None:
            if len(drafts[-1].topics) >= endpoint.limits.topics_per_connection:
                drafts.append(_Draft())
            draft = placed[topic] = drafts[-1]
            draft.topics.append(topic)
        draft.assets.setdefault(channel, set()).add(asset)


def _symbols(
    venue: str,
    source: Endpoint | Poll,
    asset: str,
    asked: Asked,
    instruments: Instruments,
    table: Table,
) -> list[str]:
    """The names of an asset that the venue has, as far as we can know.

    Where rows decide, a row may list the coin by any multiple.
    """
    rows_only = source.listed or (asked.known_only and asset not in names().get(venue, {}))
    bases = spellings(asset) if source.listed else (asset,)
    found = []
    for symbol in (symbol for base in bases for symbol in source.symbols(base)):
        instrument = instruments.resolve(venue, symbol)
        known = instrument is not None and instrument.asset == asset
        if known and (not rows_only or (venue, symbol) in table):
            found.append(symbol)
    return found


def _moved(url: str, base: str | None) -> str:
    """The address at another host, with its own path."""
    if base is None:
        return url
    there, own = urlsplit(base), urlsplit(url)
    return urlunsplit(
        (there.scheme, there.netloc, there.path.rstrip("/") + own.path, own.query, "")
    )
