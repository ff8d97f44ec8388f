"""docs/venues.md, written from `streams.venues.capabilities` by `marginquake venues --page`.

Pure text of pure data: the same code gives the same page, and a test holds the page to it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from streams.core.events import MICROS
from streams.core.throttle import FEED_SEMANTICS, Feed
from streams.venues.assumptions import DOCUMENTED, Setting, settings_of
from streams.venues.capabilities import (
    CAPABILITIES,
    CHANNELS,
    Capability,
    Forced,
    collected,
    facts,
    keep_alive,
    limits,
    semantics,
)
from streams.venues.catalog import packaged_table
from streams.venues.off_book import OFF_BOOK
from streams.venues.wire import WIRES

_NONE: Final = "none"
_INTRO: Final = """\
# Venues

Made from the code by `make docs` (`marginquake venues` prints these tables); do not edit. Channels
and forced orders: `streams/venues/capabilities.py`; contracts, keep-alive and limits:
`streams/venues/wire.py`, `wire_gate.py` and `wire_perpetuals.py`.

`all`: the feed shows every forced order; `sampled`: it leaves some out by a rule;
`unknown`: nobody says. A venue is verified when somebody has held this page against the live venue.
"""


def _day(time_us: int | None) -> str:
    if time_us is None:
        return ""
    return datetime.fromtimestamp(time_us // MICROS, UTC).date().isoformat() if time_us else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [cell.replace("|", "\\|") or "-" for cell in row]
        lines += [f"| {' | '.join(cells)} |"]
    return "\n".join(lines) + "\n"


def _of(one: Forced) -> str:
    return f"`{one.source}` ({one.way})"


def _whole(row: Capability, one: Forced) -> str:
    """How complete a source is, and the classes of contracts that it has nothing of."""
    without = [contract for contract, names in row.lacking.items() if "forced_orders" in names]
    return f"{one.completeness}; none of {', '.join(without)}" if without else one.completeness


def forced_rows() -> list[tuple[str, ...]]:
    """Rows of forced orders: venue, source, completeness, side source, price kind."""
    rows: list[tuple[str, ...]] = []
    for row in CAPABILITIES.values():
        if row.none_because:
            rows.append((row.venue, f"no public feed: {row.none_because}", _NONE, "", ""))
        rows += [
            (row.venue, _of(one), _whole(row, one), one.side, ", ".join(one.price_kinds))
            for one in row.forced
        ]
    return rows


def state_row(row: Capability) -> tuple[str, ...]:
    """How each other channel comes."""
    return (
        row.venue,
        *(row.state.get(name, "") for name in CHANNELS),
        row.verified_live or "never",
    )


def lacking_rows() -> list[tuple[str, ...]]:
    """Contracts of a class and the channels that they alone lack: venue, class, channels."""
    return [
        (row.venue, contract, ", ".join(name.replace("_", " ") for name in names))
        for row in CAPABILITIES.values()
        for contract, names in row.lacking.items()
    ]


def _connection(venue: str) -> tuple[str, ...]:
    return (venue, ", ".join(collected(venue)), keep_alive(venue), limits(venue))


def contract_rows() -> list[tuple[str, ...]]:
    """A connection a row: venue, its name, names of BTC there, topics of its forced orders."""
    rows: list[tuple[str, ...]] = []
    table = packaged_table()
    for venue in CAPABILITIES:
        for one in WIRES[venue].endpoints:
            names = [n for n in one.symbols("BTC") if not one.listed or (venue, n) in table]
            forced = one.topics(names[0], "liquidation") if "liquidation" in one.channels else ()
            rows.append((venue, one.name, _codes(names), _codes(forced)))
    return rows


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _interval(row: Feed) -> tuple[str, ...]:
    days = _day(row.valid_from_us), _day(row.valid_to_us)
    return (row.venue, row.feed_class, row.slot, *days, row.source)


def assumption_row(one: Setting) -> tuple[str, ...]:
    """An assumption: name, default, what it may be, meaning, source."""
    values = ", ".join(str(value) for value in one.values if value is not None)
    return one.name, value_text(one.default), values, one.meaning, one.source


def value_text(value: str | int | None) -> str:
    """The value of an assumption, in words."""
    return "not set" if value is None else str(value)


class Section(NamedTuple):
    """A table of the page, with the words before it."""

    title: str
    words: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def sections() -> list[Section]:
    """Everything that is told of the venues."""
    return [
        Section(
            "Forced orders",
            "`recorded`: read where somebody recorded it as it came. Of OKX and of what HTX\n"
            "answers to a poll, rows over ten minutes old at their receipt are `replayed` and do\n"
            "not count: a page of history asked for later is none of these\n"
            "([decision](decisions/replayed-rows.md)).",
            ("venue", "source", "completeness", "side told", "price kind"),
            forced_rows(),
        ),
        Section(
            "Other channels",
            "24 h volume is dollars. Books are full snapshots of the best levels. A funding\n"
            "rate counts with its cycle: `polled` where a stream tells the rate and REST how\n"
            "often it is due.",
            ("venue", *(name.replace("_", " ") for name in CHANNELS), "verified live"),
            [state_row(row) for row in CAPABILITIES.values()],
        ),
        Section(
            "What contracts of a class lack",
            "Where contracts of a class lack what others of the venue have. No source says what\n"
            "the volume of these coin-margined ones is counted in, nor the amount of Bitget's\n"
            "forced orders of them (`bitget.inverse_amount`). BitMEX's quanto contracts are worth\n"
            "bitcoin, whose price no row tells: their forced orders are dead letters, as Bitget's\n"
            "are, `unknown_notional`. OKX's spot is under `okx`.",
            ("venue", "contracts", "lacking"),
            lacking_rows(),
        ),
        Section(
            "Prints beside the book",
            "Where the message proves whose position was closed, it is an event of a kind of its\n"
            "own; else the print is counted by this reason, in a summary and in\n"
            "`marginquake_records_filtered_total`. A `..._print` tells of a venue in distress, so\n"
            "collectors keep its message too; those that are `off_book` alone they drop. `adl` is\n"
            "in no total of forced orders. Binance's stand in its stream `trade`, which is read\n"
            "where it was recorded and not collected.",
            ("venue", "print", "becomes", "because"),
            [(one.venue, one.words, one.outcome, one.because) for one in OFF_BOOK],
        ),
        Section(
            "Contracts that are collected",
            "What `collect` asks for where the asset is BTC: perpetuals and spot pairs alone, in\n"
            "these quotes. Of dated futures and of other products it hears forced orders where a\n"
            "topic carries all contracts of a kind. Parsers and archives read more kinds.",
            ("venue", "connection", "names of BTC", "topics of its forced orders"),
            contract_rows(),
        ),
        Section(
            "Keep-alive and limits",
            "",
            ("venue", "collected", "keep-alive", "limits"),
            [_connection(venue) for venue in CAPABILITIES],
        ),
        Section(
            "What the feeds of forced orders carried",
            "`largest_1s`, `latest_1s`: one order per second and slot, the symbol or its side;\n"
            "`partial`: orders are missing by a rule nobody states. Days are UTC; `to` is\n"
            "exclusive. In the warehouse: table `feed_semantics`, view `v_liquidation_feeds`.",
            ("venue", "class", "slot", "from", "to", "source"),
            [_interval(row) for row in FEED_SEMANTICS],
        ),
        Section(
            "What is assumed",
            "No venue documents these, or nobody has verified it. `MARGINQUAKE_ASSUMPTIONS` sets\n"
            "others, as `gate.negative=buy,htx.trade_sides=1`: the same for every process that\n"
            "parses (`collect`, `live`, `framer`, `import`, `adopt`, `replay`, `normalise`). All\n"
            "hold for rows of Tardis CSV and of cryptofeed too, but `gate.negative` and\n"
            "`coinbase.advanced_side`: an archive states sides of its own. `htx.completeness` is\n"
            "about the dollars behind the orders too, so `detect` and `migrate` need it as well:\n"
            "any value but `all` makes HTX's feed `partial`, at all times, in baskets, estimates,\n"
            "bounds and `feed_semantics`; `params_hash` then differs. To say from which day, or\n"
            "by which rule, change the rows of `FEED_SEMANTICS` in `streams/core/throttle.py`.",
            ("assumption", "default", "may be", "meaning", "source"),
            [assumption_row(one) for one in settings_of(DOCUMENTED)],
        ),
    ]


def page() -> str:
    """The whole page."""
    parts = [_INTRO]
    for section in sections():
        parts.append(f"## {section.title}\n")
        if section.words:
            parts.append(section.words + "\n")
        parts.append(_table(section.head, section.rows))
    return "\n".join(parts)


def as_data() -> list[dict[str, Any]]:
    """The same as JSON values, a venue an object."""
    return [
        {
            "venue": row.venue,
            "forced": [
                {name: getattr(one, name) for name in one.__struct_fields__} for one in row.forced
            ],
            "no_feed_because": row.none_because or None,
            "channels": {name: row.state.get(name) for name in CHANNELS},
            "lacking": dict(row.lacking),
            "collected": collected(row.venue),
            "keep_alive": keep_alive(row.venue),
            "limits": limits(row.venue) or None,
            "verified_live": row.verified_live or "never",
            "facts": facts(row.venue),
            "feed_semantics": [
                {name: getattr(one, name) for name in one.__struct_fields__}
                for one in semantics(row.venue)
            ],
        }
        for row in CAPABILITIES.values()
    ]
