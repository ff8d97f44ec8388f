"""Tardis CSV datasets: liquidations, trades, derivative_ticker, book_snapshot_5 and _25.

One of the formats. A side is the forced order's (`buy` closed a short), sizes are in the venue's
own unit, stamps are microseconds; the header names the type and each row its exchange. Promises
the price kind and completeness of the venue's feed at the row's time, since the mapper keeps
neither. A trades file has lost which trades were forced.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from streams.core.events import Ignored, Outcome, PriceKind, stable_id
from streams.core.instruments import Instrument
from streams.edges.archives.form import Cells, Form, Source, cells_of, rows_of
from streams.parsing import assumptions
from streams.venues.assumptions import Assumptions, completeness, sides_counted
from streams.venues.bitget.forced import sized
from streams.venues.fields import (
    bad,
    integer,
    micros,
    not_negative,
    positive,
    present,
    real,
    shown,
    text,
)
from streams.venues.quotes import book, interest, ticker
from streams.venues.rows import (
    PLAIN_SIDES,
    Ladder,
    by_value,
    in_coins,
    index_price,
    known,
    no_side,
    taker_side,
)
from streams.venues.tape import forced, forced_with_id, trade

EXCHANGES: Final[Mapping[str, str]] = {
    "binance": "binance-spot",
    "binance-delivery": "binance-coinm",
    "binance-futures": "binance-usdm",
    "bitget": "bitget-spot",
    "bitget-futures": "bitget",
    "bitmex": "bitmex",
    "bybit": "bybit",
    "bybit-spot": "bybit-spot",
    "coinbase": "coinbase",
    "cryptofacilities": "kraken",
    "deribit": "deribit",
    "dydx-v4": "dydx",
    "gate-io": "gate-spot",
    "gate-io-futures": "gate",
    "huobi-dm": "htx",
    "huobi-dm-linear-swap": "htx",
    "huobi-dm-swap": "htx",
    "hyperliquid": "hyperliquid",
    "kucoin-futures": "kucoin",
    "okex": "okx",
    "okex-futures": "okx",
    "okex-swap": "okx",
}
"""Venue by Tardis' id of an exchange."""

PRICE_KINDS: Final[Mapping[str, PriceKind]] = {
    "binance-usdm": "order",
    "binance-coinm": "order",
    "bitmex": "bankruptcy",
    "bybit": "bankruptcy",
    "deribit": "fill",
    "dydx": "fill",
    "htx": "bankruptcy",
    "kraken": "fill",
    "okx": "bankruptcy",
}
"""What the mapper takes a forced order's price from, by venue; see `_price_kind` for others."""

_KEY: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_TAPE: Final = ("id", "side", "price", "amount")
_TICKER: Final = (
    *("funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest"),
    *("last_price", "index_price", "mark_price"),
)
_LEFT_OUT: Final[Mapping[tuple[str, ...], str]] = {
    ("ask_amount", "ask_price", "bid_price", "bid_amount"): "quotes",
    ("is_snapshot", "side", "price", "amount"): "incremental_book_L2",
}


def open_form(first: bytes, source: Source) -> Form | None:
    """How to read a file whose first line is `first`; None when it is no Tardis CSV.

    Raises:
        MarginquakeError: it is a Tardis CSV of a type that is not read.
    """
    cells = cells_of(first)
    if not isinstance(cells, list) or tuple(cells[:4]) != _KEY:
        return None
    own = tuple(cells[4:])
    make: Callable[[Cells], Outcome]
    if own == _TAPE:
        make = _Tape(source).row
    elif own == _TICKER:
        make = partial(_ticker, source)
    elif own and own == _levels(len(own) // 4):
        make = partial(_book, source, len(own) // 4)
    else:
        what = _LEFT_OUT.get(own, f"columns {', '.join(own)[:100]}")
        raise source.refuse(
            f"a Tardis CSV of {what} is not read",
            "download liquidations, trades, derivative_ticker or book_snapshot_25",
        )
    return Form("tardis-csv", rows_of(source, cells, cells, make))


def _levels(depth: int) -> tuple[str, ...]:
    return tuple(
        f"{side}[{level}].{value}"
        for level in range(depth)
        for side in ("asks", "bids")
        for value in ("price", "amount")
    )


def venue_of(exchange: str) -> str:
    """The venue of an exchange's id.

    Raises:
        BadField: unknown_venue.
    """
    venue = EXCHANGES.get(exchange)
    if venue is None:
        raise bad("unknown_venue", f"exchange {shown(exchange)} is none that is read")
    return venue


def _place(source: Source, row: Cells) -> tuple[Instrument, int, int]:
    """Instrument, event time and receipt of a row."""
    venue = venue_of(text(row, "exchange"))
    at_us, received_us = (micros(integer(row, key)) for key in ("timestamp", "local_timestamp"))
    return known(source.instruments, venue, text(row, "symbol")), at_us, received_us


class _Tape:
    """Trades and liquidations have the same columns: the file's name tells them apart."""

    def __init__(self, source: Source) -> None:
        self._source = source
        told = source.detail or source.path.lower()
        # The name nearest to the file counts: a folder may be called after anything.
        forced_at, trades_at = told.rfind("liquidation"), told.rfind("trade")
        self._forced = forced_at > trades_at
        if forced_at == trades_at:
            raise source.refuse(
                "trades and liquidations have equal columns, and the path names neither",
                "rename the file, or give --format tardis-csv:liquidations or tardis-csv:trades",
            )
        self._message: tuple[str, int] | None = None
        self._seen: dict[object, int] = {}

    def row(self, row: Cells) -> Outcome:
        """The event of one row."""
        instrument, at_us, received_us = _place(self._source, row)
        side = taker_side(row, "side", PLAIN_SIDES)
        size, price = positive(row, "amount"), positive(row, "price")
        if instrument.contract == "quanto":
            raise bad(
                "unknown_notional",
                f"{instrument.symbol[:40]!r} is worth coin, whose price the row does not tell",
            )
        raw = self._source.stub(instrument.venue, received_us)
        # Rows of one message share their receipt: equal ones are then orders of their own.
        if self._message != (instrument.symbol, received_us):
            self._message = instrument.symbol, received_us
            self._seen.clear()
        given = row["id"]
        if not self._forced:
            size /= sides_counted(assumptions(), instrument.venue).trade
            key = (instrument.venue, instrument.symbol, at_us, side)
            identity = given or stable_id(*key, by_value(size), by_value(price), self._k(row))
            return trade(raw, instrument, side, size, price, at_us, identity)
        if side == "unknown":
            return no_side(row, "side")
        assumed = assumptions()
        kind = _price_kind(assumed, instrument.venue)
        if instrument.venue == "bitget":
            instrument = sized(instrument, assumed.bitget)
        whole = completeness(assumed, instrument.venue, at_us)
        facts = (raw, instrument, side, size, price, at_us, whole)
        if given:
            return forced_with_id(*facts, given, price_kind=kind)
        return forced(*facts, self._seen, kind)

    def _k(self, row: Cells) -> int:
        key = tuple(row.values())
        self._seen[key] = k = self._seen.get(key, -1) + 1
        return k


def _price_kind(assumed: Assumptions, venue: str) -> PriceKind:
    """What a forced order's price is of.

    Raises:
        BadField: unknown_channel, of a venue that publishes no forced orders.
    """
    if venue == "bitget":
        return assumed.bitget.price_kind
    if venue == "gate":
        return assumed.gate.price_kind
    kind = PRICE_KINDS.get(venue)
    if kind is None:
        raise bad("unknown_channel", f"{venue} publishes no forced orders")
    return kind


def _ticker(source: Source, row: Cells) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    held: tuple[float | None, int | None] = (None, None)
    if present(row, "open_interest") and instrument.contract != "quanto":
        amount = (
            not_negative(row, "open_interest")
            / sides_counted(assumptions(), instrument.venue).interest
        )
        held = interest(instrument, amount)
    rate = real(row, "funding_rate") if present(row, "funding_rate") else None
    due = None
    if present(row, "funding_timestamp"):
        due = micros(integer(row, "funding_timestamp"))
    prices = [
        index_price(row, key, instrument) for key in ("mark_price", "index_price", "last_price")
    ]
    if {*prices, *held, rate, due} == {None}:
        return Ignored("empty")
    return ticker(
        source.stub(instrument.venue, received_us),
        instrument,
        "derivative_ticker",
        at_us,
        mark=prices[0],
        index=prices[1],
        last=prices[2],
        interest=held,
        funding=(rate, due),
    )


def _book(source: Source, depth: int, row: Cells) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    if instrument.contract == "quanto":
        return Ignored("unused_channel")
    bids, asks = (_ladder(row, instrument, depth, side) for side in ("bids", "asks"))
    identity = stable_id(instrument.venue, instrument.symbol, at_us, received_us, bids, asks)
    raw = source.stub(instrument.venue, received_us)
    return book(raw, instrument, bids, asks, at_us, identity)


def _ladder(row: Cells, instrument: Instrument, depth: int, side: str) -> Ladder:
    """One side, best first; it ends at the first level that is missing."""
    pairs: list[tuple[float, float]] = []
    for level in range(depth):
        price, amount = f"{side}[{level}].price", f"{side}[{level}].amount"
        if not row[price] and not row[amount]:
            break
        size: Decimal = positive(row, amount)
        pairs.append((float(positive(row, price)), float(size)))
    return in_coins(pairs, instrument)
