"""A trade whose side nobody knows counts in price, volume and number, and in neither side."""

from typing import Any, Final

import msgspec
import pytest

from streams.core.buckets import Bucket, cells, flows
from streams.core.detectors.venue_sums import add_trades, signed_flow, trades_of
from streams.core.events import MICROS, Outcome, Raw, Trade
from streams.core.frames import Flow, Frame, VenueTrades
from streams.core.normalise import normalise
from streams.edges.rows import TABLES, rows
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.drive import Framing, asset_of
from tests.logs import BYBIT, Event, bybit_forced, bybit_trade, end, heartbeat, subscribe
from tests.messages import bitget, bybit, forced, okx
from tests.messages.forced import MS
from tests.messages.strange import EVENTS, ORDINARY, WORD, said, strange
from tests.outcomes import encoded, kinds

INSTRUMENTS = default_instruments()

FORMS: Final[list[tuple[str, str, Any]]] = [
    *((venue, "S", said(venue, "trade")) for venue in ("bybit", "bybit-spot")),
    *((venue, "S", said(venue, "trade")) for venue in ("bitget", "bitget-spot")),
    *((venue, "side", said(venue, "trade")) for venue in ("okx", "gate-spot", "bitmex", "kraken")),
    *((venue, "side", said(venue, "trade")) for venue in ("hyperliquid", "kucoin", "dydx")),
    *((venue, "direction", said(venue, "trade")) for venue in ("deribit", "htx")),
    ("coinbase", "side", said("coinbase", "trade")),
    ("coinbase", "side", EVENTS),
    ("bybit", "side", {"topic": "trade.BTCUSD", "data": [bybit.OLD_PRINT]}),
    ("okx", "side", {"table": "swap/trade", "data": [okx.OLD_TRADE]}),
    ("bitget", "S", bitget.message("publicTrade", bitget.PRINT, {**bitget.PRINT, "i": "8"})),
    ("kraken", "direction", ORDINARY),
]
"""Venue, field of the taker's side and message, of every form in which a word tells it."""

MARKED: Final[list[tuple[str, str, Any]]] = [
    ("deribit", "direction", forced.deribit("BTC-PERPETUAL", "M", "sell", 1000.0, 61500.0)),
    ("deribit", "direction", forced.deribit("BTC-PERPETUAL", "MT", "sell", 1000.0, 61500.0)),
    ("kraken", "side", forced.kraken("PF_XBTUSD", "sell", 0.05, 61900.0)),
    ("dydx", "side", forced.dydx("SELL", "0.25", "61900")),
]
"""The same of forms that mark a forced order on the trade."""


def read(venue: str, message: object) -> list[Outcome]:
    raw = Raw(venue, None, "c0", (MS + 100) * 1000, encoded(message))
    return normalise(raw, PARSERS, INSTRUMENTS)


def put(message: Any, field: str, value: object) -> Any:
    """The message with another value in the field; without the field when it is `...`."""
    if isinstance(message, dict):
        kept = {k: put(v, field, value) for k, v in message.items() if k != field}
        return kept if value is ... or field not in message else {**kept, field: value}
    return [put(one, field, value) for one in message] if isinstance(message, list) else message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", [WORD, "unknown", "b"])
def test_a_word_that_nobody_documents_costs_a_trade_its_side_alone(
    form: tuple[str, str, Any], word: str
) -> None:
    venue, field, message = form
    told = read(venue, message)
    assert {type(one) for one in told} == {Trade}
    unsided = [msgspec.structs.replace(one, taker_side="unknown") for one in told]
    assert read(venue, put(message, field, word)) == unsided


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (..., "missing_field"),
        (None, "missing_field"),
        (5, "wrong_type"),
        ({}, "wrong_type"),
        ("x" * 101, "wrong_type"),
    ],
)
def test_what_is_no_word_costs_the_trade(
    form: tuple[str, str, Any], value: object, reason: str
) -> None:
    venue, field, message = form
    assert set(kinds(read(venue, put(message, field, value)))) == {reason}


def test_an_empty_direction_is_htxs_word_for_no_side_and_nobody_elses() -> None:
    (trade,) = read("htx", put(said("htx", "trade"), "direction", ""))
    assert isinstance(trade, Trade)
    assert trade.taker_side == "unknown"
    assert kinds(read("okx", put(said("okx", "trade"), "side", ""))) == ["missing_field"]


@pytest.mark.parametrize("form", MARKED)
def test_a_forced_order_marked_on_a_trade_needs_the_side_that_the_trade_does_not(
    form: tuple[str, str, Any],
) -> None:
    venue, field, message = form
    trade, *_ = read(venue, message)
    assert isinstance(trade, Trade)
    unsided, *rest = read(venue, strange(message, field))
    assert unsided == msgspec.structs.replace(trade, taker_side="unknown")
    assert kinds(rest) == ["unknown_side"]


def test_each_forced_order_of_an_execution_has_a_side_of_its_own() -> None:
    order = {"tradeable": "PF_XBTUSD", "orderType": "Liquidation", "direction": "Sell"}
    odd = {**order, "direction": WORD}
    one = {"uid": "u", "timestamp": MS, "quantity": "5", "price": "6"}
    for taker, maker, expected in (
        (odd, order, ["Trade", "unknown_side", "Liquidation"]),
        (order, odd, ["Trade", "Liquidation", "unknown_side"]),
    ):
        execution = {**one, "takerOrder": taker, "makerOrder": maker}
        page = {"elements": [{"event": {"Execution": {"execution": execution}}}]}
        assert kinds(read("kraken", page)) == expected


def test_a_block_trade_without_a_side_is_off_the_book_and_no_dead_letter() -> None:
    (row,) = said("deribit", "trade")["params"]["data"]
    block = {**row, "block_trade_id": "b", "direction": WORD}
    pushed = {"method": "subscription", "params": {"channel": "trades.x", "data": [block]}}
    assert kinds(read("deribit", pushed)) == ["off_book"]


def sealed(*events: Event) -> tuple[Frame, Framing]:
    """The frame of second 1, in which the events are."""
    framing = Framing()
    beats = [heartbeat(BYBIT, at) for at in range(1, 9)]
    for raw in (subscribe(BYBIT, 0), *(event.raw for event in events), *beats, end(9)):
        framing.apply(raw, asset_of(raw))
    return next(frame for frame in framing.frames if frame.flows), framing


def test_a_frame_tells_bought_sold_and_unknown_apart_and_all_of_the_prices() -> None:
    bought, sold = bybit_trade(1.1, side="Buy"), bybit_trade(1.2, side="Sell", size=2.0)
    odd = bybit_trade(1.3, side=WORD, size=4.0, price=110.0)
    frame, framing = sealed(bought, odd, sold, odd)
    assert frame.flows == (
        Flow(
            *(BYBIT, "BTCUSDT", "linear", 3, 100 * MICROS, 200 * MICROS),
            *(100.0, 110.0, 100.0, 110.0, 440 * MICROS),
        ),
    )
    counters = framing.framers[0].state.counters
    assert {k: v for k, v in counters.items() if "trade" in k or "unsided" in k} == {
        "received:bybit/trade": 4,
        "accepted:trade": 3,
        "duplicates:trade": 1,
        "unsided:bybit": 1,
    }
    ((_, row),) = rows(frame)
    assert row[TABLES["frames"].columns.index("flows.unknown_usd")] == (440 * MICROS,)


def test_a_frame_without_such_trades_does_not_name_the_field() -> None:
    frame, framing = sealed(bybit_trade(1.1, side="Buy"), bybit_trade(1.2, side="Sell"))
    assert b"unknown_usd" not in msgspec.json.encode(frame)
    assert not any("unsided" in name for name in framing.framers[0].state.counters)
    assert b"unknown_usd" not in msgspec.json.encode(VenueTrades(BYBIT, "derivative", 1, 2))


@pytest.mark.parametrize("unsided_first", [True, False])
def test_a_copy_that_tells_the_side_counts_whichever_came_first(unsided_first: bool) -> None:
    told = bybit_trade(1.1, side="Buy", name="7")
    untold = bybit_trade(1.1, side=WORD, name="7")
    frame, framing = sealed(*([untold, told] if unsided_first else [told, untold]))
    (flow,) = frame.flows
    assert (flow.n, flow.buy_usd, flow.sell_usd, flow.unknown_usd) == (1, 100 * MICROS, 0, 0)
    assert not any("unsided" in name for name in framing.framers[0].state.counters)


def test_what_bounds_a_forced_order_holds_the_unknown_dollars_on_either_side() -> None:
    bucket = Bucket()
    for number, side in enumerate(("Buy", "Sell", WORD)):
        (trade,) = read("bybit", bybit_trade(1.1, side=side, size=2.0**number).raw.payload)
        assert isinstance(trade, Trade)
        assert bucket.add_trade(trade)
    for side in ("long", "short"):
        (order,) = read("bybit", bybit_forced(1.2, side=side).raw.payload)
        bucket.add_liquidation(order)  # type: ignore[arg-type]
    found = [
        (one.side, one.taker_usd, one.opposite_taker_usd) for one in cells(bucket, ["bybit/trade"])
    ]
    assert found == [
        ("long", 600 * MICROS, 500 * MICROS),
        ("short", 500 * MICROS, 600 * MICROS),
    ]
    (flow,) = flows(bucket)
    assert flow.buy_usd + flow.sell_usd + flow.unknown_usd == 700 * MICROS


def test_sums_keep_the_three_apart_and_signed_flow_takes_what_is_known() -> None:
    one = Flow(BYBIT, "BTCUSDT", "linear", 3, 10, 4, 1.0, 1.0, 1.0, 1.0, 5)
    (sums,) = trades_of((one, msgspec.structs.replace(one, symbol="BTCPERP")))
    assert sums == VenueTrades(BYBIT, "derivative", 20, 8, 10)
    assert sums.usd == 38
    assert add_trades((sums, sums)) == (VenueTrades(BYBIT, "derivative", 40, 16, 20),)
    assert signed_flow((sums,)) == 12
    assert signed_flow((VenueTrades(BYBIT, "derivative", 0, 0, 10),)) is None
    assert signed_flow((VenueTrades(BYBIT, "derivative", 0, 0),)) == 0
