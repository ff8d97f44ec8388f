"""Binance's public dumps: one CSV of one symbol, zipped or not, with a header or without.

One of the formats. The type is told by header or shape, the symbol by the file's name
(`BTCUSDT-aggTrades-2024-08-05.zip`), the family by the path (`/um/`, `/cm/`, `/spot/`), the
symbol or the shape. Stamps are milliseconds, of spot from 2025 on microseconds, told by magnitude.
No dump says when a row was received: that is its event time. A premium and depth by distance are
no events of an exchange's feed: they become outside values, which frames carry.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from streams.core import outside
from streams.core.events import Macro, OrderSide, Outcome, Raw, stable_id
from streams.core.instruments import Instrument
from streams.edges.archives.form import Cells, Form, Source, cells_of, rows_of
from streams.venues.binance.forced import force_order
from streams.venues.binance.symbols import COINM, SPOT, USDM, is_coinm
from streams.venues.fields import (
    as_decimal,
    bad,
    decimal,
    integer,
    iso_us,
    micros,
    not_negative,
    positive,
    present,
    real,
    shown,
    text,
)
from streams.venues.quotes import book, interest, ticker
from streams.venues.rows import by_value, in_coins, known, price
from streams.venues.tape import trade

_KLINE: Final = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume"),
    *("count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)
_AGGREGATE: Final = (
    *("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time"),
    "is_buyer_maker",
)
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "liquidationSnapshot": (
        *("time", "side", "order_type", "time_in_force", "original_quantity", "price"),
        *("average_price", "order_status", "last_fill_quantity", "accumulated_fill_quantity"),
    ),
    "metrics": (
        *("create_time", "symbol", "sum_open_interest", "sum_open_interest_value"),
        *("count_toptrader_long_short_ratio", "sum_toptrader_long_short_ratio"),
        *("count_long_short_ratio", "sum_taker_long_short_vol_ratio"),
    ),
    "fundingRate": ("calc_time", "funding_interval_hours", "last_funding_rate"),
    "aggTrades": _AGGREGATE,
    "trades": ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker"),
    "klines": _KLINE,
    "markPriceKlines": _KLINE,
    "indexPriceKlines": _KLINE,
    "premiumIndexKlines": _KLINE,
    "bookDepth": ("timestamp", "percentage", "depth", "notional"),
    "bookTicker": (
        *("update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty"),
        *("transaction_time", "event_time"),
    ),
}
"""Cells of a row by type; spot's `aggTrades` and `trades` have `is_best_match` after them.

COIN-M's `trades` name their fourth `base_qty`.
"""

_FAMILIES: Final[Mapping[str, str]] = {"um": USDM, "cm": COINM, "spot": SPOT}
_NAME: Final = re.compile(r"([A-Z0-9_]{2,40})-[A-Za-z0-9]+-\d{4}-\d\d(?:-\d\d)?\b", re.ASCII)
_DAY_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False, "True": True, "False": False}
_MARK, _INDEX, _LAST = "markPriceKlines", "indexPriceKlines", "klines"
_PREMIUM: Final = "premiumIndexKlines"
_MOST_PREMIUM: Final = Decimal(1)
"""A premium is a fraction of the index; from here on it is a price in the wrong folder."""
_WIDEST: Final = 100
"""Percent of the price, which no bid can be further away than."""
_OTHER_NAMES: Final[Mapping[str, str]] = {"base_qty": "quote_qty"}
"""Headers of COIN-M name the same cells by what they hold there."""
_DISORDER: Final = 1_000
"""Rows of a day of `metrics` (288) may stand anywhere in their file."""


def open_form(first: bytes, source: Source) -> Form | None:
    """How to read a file whose first line is `first`; None when it is no dump.

    Raises:
        MarginquakeError: nothing tells the symbol, or the family that is forced is none.
    """
    cells = cells_of(first)
    if not isinstance(cells, list):
        return None
    kind, header = _told(cells, source.path)
    if kind is None:
        return None
    best = len(cells) == len(COLUMNS[kind]) + 1
    columns = (*COLUMNS[kind], "is_best_match") if best else COLUMNS[kind]
    match = _NAME.match(source.name)
    if match is None and kind != "metrics":
        raise source.refuse(
            f"a dump of {kind} has no column of its symbol",
            f"name the file as Binance does, e.g. BTCUSDT-{kind}-2024-08-05.csv",
        )
    symbol = match[1] if match else ""
    venue = _venue(source, symbol, spot=best)
    of = _Of(source, venue, symbol, kind)
    make: Callable[[Cells], Outcome | Raw] = partial(_MAKERS[kind], of)
    read = rows_of(source, columns, cells if header else None, make)
    disorder = _DISORDER if kind == "metrics" else 0
    return Form("binance", read, doubled=kind not in _NUMBERED, disorder=disorder)


def _told(cells: list[str], path: str) -> tuple[str | None, bool]:
    """The type of a file by its first line, and whether that is a header."""
    named = next((kind for kind in _KLINES if f"/{kind}/" in f"/{path}"), _LAST)
    if not cells[0][:1].isdigit():
        names = tuple(_OTHER_NAMES.get(cell, cell) for cell in cells)
        for kind, columns in COLUMNS.items():
            if names[: len(columns)] == columns and len(cells) <= len(columns) + 1:
                return (named if columns == _KLINE else kind), True
        return None, False
    shaped = _by_shape(cells)
    return (named if shaped == _LAST else shaped), False


def _by_shape(cells: list[str]) -> str | None:
    dated = _DAY_TEXT.fullmatch(cells[0]) is not None
    flags = sum(cell in _BOOLEANS for cell in cells[-2:])
    shapes = {
        (10, False, 0): "liquidationSnapshot",
        (8, True, 0): "metrics",
        (3, False, 0): "fundingRate",
        (7, False, 1): "aggTrades",
        (8, False, 2): "aggTrades",
        (6, False, 1): "trades",
        (7, False, 2): "trades",
        (12, False, 0): _LAST,
        (4, True, 0): "bookDepth",
        (7, False, 0): "bookTicker",
    }
    kind = shapes.get((len(cells), dated, flags)) if dated or cells[0].isdecimal() else None
    if kind == "liquidationSnapshot" and cells[1] not in ("BUY", "SELL"):
        return None
    return kind


def _venue(source: Source, symbol: str, *, spot: bool) -> str:
    if source.detail:
        venue = _FAMILIES.get(source.detail)
        if venue is None:
            raise source.refuse(
                f"--format binance:{source.detail} names no family",
                "give binance:um, binance:cm or binance:spot",
            )
        return venue
    parts = source.path.split("/")
    for part, venue in _FAMILIES.items():
        if part in parts:
            return venue
    if spot:
        return SPOT
    return COINM if is_coinm(symbol) else USDM


class _Of:
    """What a file says of all its rows."""

    def __init__(self, source: Source, venue: str, symbol: str, kind: str) -> None:
        self.source = source
        self.venue = venue
        self.symbol = symbol
        self.kind = kind
        self._mean_bids: dict[Decimal, tuple[int, Decimal]] = {}

    def value(self, series: str, value: Decimal, instrument: Instrument, at_us: int) -> Raw:
        """An outside value of the file's contract, told when it was known."""
        name = f"{series}:{instrument.venue}:{instrument.symbol}"
        told = Macro(name, float(value), instrument.asset, at_us)
        return outside.record(told, instrument.venue, self.source.name, at_us)

    def check_sides(self, distance: Decimal, mean: Decimal, at_us: int) -> None:
        """Hold the mean price of asks against that of the bids as far away.

        COIN-M's units of depth are stated nowhere for sure; taken the wrong way round, they turn
        prices into their inverse, and asks come out cheaper than bids.

        Raises:
            BadField: crossed_book, when they do.
        """
        if distance < 0:
            self._mean_bids[-distance] = at_us, mean
            return
        told_us, bids = self._mean_bids.pop(distance, (at_us, mean))
        if told_us == at_us and mean < bids:
            raise bad(
                "crossed_book",
                f"mean price {mean:.6g} of asks within {distance} % is below {bids:.6g} of bids: "
                "depth or notional is not in its unit",
            )

    def instrument(self, symbol: str = "") -> Instrument:
        """The contract of the file, or of a row that names its own."""
        named = symbol or self.symbol
        venue = COINM if self.venue == USDM and is_coinm(named) else self.venue
        if self.kind == _INDEX and self.venue == COINM and "_" not in named:
            # An index is of a pair; its perpetual carries it.
            named += "_PERP"
        return known(self.source.instruments, venue, named)


def _snapshot(of: _Of, row: Cells) -> Outcome:
    """A forced order: the fields of the stream under longer names, and its rules."""
    order = {
        "s": of.symbol,
        "S": row["side"],
        "T": row["time"],
        "q": row["original_quantity"],
        "p": row["price"],
        "ap": row["average_price"],
        "X": row["order_status"],
        "z": row["accumulated_fill_quantity"],
    }
    raw = of.source.stub(of.instrument().venue, micros(integer(row, "time")))
    # Equal rows of a dump are one order written twice: none is counted apart.
    return force_order(raw, of.source.instruments, {"o": order}, {})


def _metrics(of: _Of, row: Cells) -> Outcome:
    at_us = iso_us({"create_time": f"{text(row, 'create_time')}Z"}, "create_time")
    instrument = of.instrument(text(row, "symbol"))
    held = interest(instrument, not_negative(row, "sum_open_interest"))
    raw = of.source.stub(instrument.venue, at_us)
    return ticker(raw, instrument, "metrics", at_us, interest=held)


def _funding(of: _Of, row: Cells) -> Outcome:
    """The rate of the cycle that has ended; when the next is due, the dump does not tell."""
    at_us, instrument = micros(integer(row, "calc_time")), of.instrument()
    hours = integer(row, "funding_interval_hours")
    if not 0 < hours <= 24:
        raise bad("out_of_range", f"field 'funding_interval_hours' is {hours}")
    rate = real(row, "last_funding_rate")
    raw = of.source.stub(instrument.venue, at_us)
    return ticker(
        raw, instrument, "fundingRate", at_us, funding=(rate, None), interval_s=hours * 3600
    )


def _aggregate(of: _Of, row: Cells) -> Outcome:
    return _trade(of, row, "transact_time", "quantity", "agg_trade_id")


def _single(of: _Of, row: Cells) -> Outcome:
    return _trade(of, row, "time", "qty", "id")


def _trade(of: _Of, row: Cells, when: str, size: str, identity: str) -> Outcome:
    at_us, instrument = micros(integer(row, when)), of.instrument()
    maker = _BOOLEANS.get(row["is_buyer_maker"])
    if maker is None:
        raise bad("unknown_side", f"field 'is_buyer_maker' is {shown(row['is_buyer_maker'])}")
    raw = of.source.stub(instrument.venue, at_us)
    side: OrderSide = "sell" if maker else "buy"
    number = str(integer(row, identity))
    return trade(raw, instrument, side, positive(row, size), positive(row, "price"), at_us, number)


def _kline(of: _Of, row: Cells) -> Outcome:
    """The closing price, known when the interval has ended."""
    if of.kind == _LAST and not decimal(row, "volume") and integer(row, "count"):
        raise bad(
            "unknown_message",
            "updates without volume are no trades: keep the folder (markPriceKlines, "
            "indexPriceKlines, premiumIndexKlines) in the file's path, which alone names the type",
        )
    at_us, instrument = micros(integer(row, "close_time")), of.instrument()
    closed = price(row, "close", instrument)
    return ticker(
        of.source.stub(instrument.venue, at_us),
        instrument,
        of.kind,
        at_us,
        mark=closed if of.kind == _MARK else None,
        index=closed if of.kind == _INDEX else None,
        last=closed if of.kind == _LAST else None,
    )


def _premium(of: _Of, row: Cells) -> Raw:
    """The premium over the index at the close, a fraction."""
    at_us, instrument = micros(integer(row, "close_time")), of.instrument()
    premium = decimal(row, "close")
    if abs(premium) >= _MOST_PREMIUM:
        raise bad("out_of_range", f"field 'close' is {premium}: a price, and no premium")
    return of.value("premium_index", premium, instrument, at_us)


def _depth(of: _Of, row: Cells) -> Raw:
    """Dollars of one side up to a distance from the price."""
    at_us = iso_us({"timestamp": f"{text(row, 'timestamp')}Z"}, "timestamp")
    instrument = of.instrument()
    distance = as_decimal(row["percentage"].removesuffix("%"), "percentage")
    if not 0 < abs(distance) <= _WIDEST:
        raise bad("out_of_range", f"field 'percentage' is {distance}")
    depth, notional = not_negative(row, "depth"), not_negative(row, "notional")
    usd = notional
    if instrument.in_dollars:
        usd = depth * instrument.contract_size
        if notional:
            of.check_sides(distance, usd / notional, at_us)
    side = "bid" if distance < 0 else "ask"
    return of.value(f"{side}_depth_usd:{by_value(abs(distance))}%", usd, instrument, at_us)


def _best(of: _Of, row: Cells) -> Outcome:
    """A book of one level: depth beyond it stays unknown."""
    traded = "transaction_time" if present(row, "transaction_time") else "event_time"
    at_us, instrument = micros(integer(row, traded)), of.instrument()
    bid, ask = (
        in_coins([(float(positive(row, name)), float(positive(row, size)))], instrument)
        for name, size in (
            ("best_bid_price", "best_bid_qty"),
            ("best_ask_price", "best_ask_qty"),
        )
    )
    identity = stable_id(instrument.venue, instrument.symbol, integer(row, "update_id"))
    return book(of.source.stub(instrument.venue, at_us), instrument, bid, ask, at_us, identity)


_KLINES: Final = (_MARK, _INDEX, _PREMIUM)
_NUMBERED: Final = frozenset({"aggTrades", "trades", "bookTicker"})
"""Types whose rows have an id by which a framer tells what came twice."""

_MAKERS: Final[Mapping[str, Callable[[_Of, Cells], Outcome | Raw]]] = {
    "liquidationSnapshot": _snapshot,
    "metrics": _metrics,
    "fundingRate": _funding,
    "aggTrades": _aggregate,
    "trades": _single,
    "klines": _kline,
    _MARK: _kline,
    _INDEX: _kline,
    _PREMIUM: _premium,
    "bookDepth": _depth,
    "bookTicker": _best,
}
