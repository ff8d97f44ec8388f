"""The side matrix: one table holds every venue to the side, price kind and dollars of its orders.

Through `marginquake normalise`, as a user reads a recording of them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.venues import PARSERS
from tests.messages import forced
from tests.messages.forced import MATRIX, MS

ORDER_SIDES: Final = {"long": "sell", "short": "buy"}
NAMES: Final = [f"{one.venue}: {one.case}" for one in MATRIX]
NO_FEED: Final = {
    "kucoin": "no public topic of forced orders",
    "binance-spot": "spot",
    "bitget-spot": "spot",
    "bybit-spot": "spot",
    "coinbase": "spot",
    "gate-spot": "spot",
}
"""Venues without forced orders, and why."""

UNKNOWN_WORDS: Final[list[tuple[str, Any, str]]] = [
    ("binance-usdm", forced.force_order("BTCUSDT", "X", **forced.LONG), "unknown_side"),
    ("binance-coinm", forced.force_order("BTCUSD_PERP", "X", **forced.A12), "unknown_side"),
    ("bybit", forced.all_liquidation("BTCUSDT", "X", "1", "5"), "unknown_side"),
    ("okx", forced.okx("BTC-USDT-SWAP", "X", "long", "1", "5"), "unknown_side"),
    ("bitget", forced.bitget("BTCUSDT", "X", "1", "5"), "unknown_side"),
    ("bitmex", forced.bitmex("XBTUSD", "X", 1, 5.0), "unknown_side"),
    ("deribit", forced.deribit("BTC-PERPETUAL", "X", "sell", 1.0, 5.0), "unknown_side"),
    ("deribit", forced.deribit("BTC-PERPETUAL", "T", "X", 1.0, 5.0), "unknown_side"),
    ("kraken", forced.kraken("PF_XBTUSD", "X", 1.0, 5.0), "unknown_side"),
    ("kraken", {**forced.kraken("PF_XBTUSD", "sell", 1.0, 5.0), "type": "X"}, "unknown_message"),
    ("htx", forced.htx("BTC-USDT", "X", 1, 5.0), "unknown_side"),
    ("dydx", forced.dydx("X", "1", "5"), "unknown_side"),
    ("dydx", forced.dydx("SELL", "1", "5", "X"), "unknown_message"),
    ("hyperliquid", forced.fills(forced.fill("X", "BTC", "1", "5")), "unknown_side"),
    ("hyperliquid", forced.fills(forced.fill("A", "BTC", "1", "5", "X")), "unknown_message"),
]
"""Messages with a word nobody knows where one decides what the event is. Gate's are numbers."""

UNKNOWN_INSTRUMENTS: Final[dict[str, Any]] = {
    "binance-usdm": forced.force_order("BTCEUR", "SELL", **forced.LONG),
    "binance-coinm": forced.force_order("BTCEUR", "SELL", **forced.A12),
    "bybit": forced.all_liquidation("BTCEUR", "Buy", "1", "5"),
    "okx": forced.okx("NEVERLISTED-USDT-SWAP", "sell", "long", "1", "5"),
    "gate": forced.gate(contract="NEVERLISTED_USDT", price="5", size=-1),
    "bitget": forced.bitget("BTCEUR", "buy", "1", "5"),
    "bitmex": forced.bitmex("NEVERUSD", "Sell", 1, 5.0),
    "deribit": forced.deribit("BTC_EUR-PERPETUAL", "T", "sell", 1.0, 5.0),
    "kraken": forced.kraken("XX_XBTUSD", "sell", 1.0, 5.0),
    "htx": forced.htx("NEVERLISTED-USDT", "sell", 1, 5.0),
    "dydx": {**forced.dydx("SELL", "1", "5"), "id": "COIN,dex,0X12-USD"},
    "hyperliquid": forced.fills(forced.fill("A", "dex:COIN", "1", "5")),
}
"""A forced order per venue whose contract has neither a row nor a rule."""


Row = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGINQUAKE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def plain(_home: None) -> list[list[Row]]:
    return normalised([(one.venue, one.message) for one in MATRIX])[0]


@pytest.fixture(scope="module")
def wide(_home: None) -> list[list[Row]]:
    return normalised([(one.venue, widened(one.message)) for one in MATRIX])[0]


def raw_log(messages: Iterable[tuple[str, Any]]) -> str:
    return "\n".join(
        json.dumps({"venue": venue, "received_at_us": (MS + 600) * 1000, "payload": message})
        for venue, message in messages
    )


def normalised(messages: Sequence[tuple[str, Any]]) -> tuple[list[list[Row]], str]:
    """What `marginquake normalise` prints of each message, and its summary of all."""
    arguments = ["normalise", "-", "--source"]
    result = CliRunner().invoke(app, arguments, input=raw_log(messages))
    assert result.exit_code == 0, result.output
    found: list[list[Row]] = [[] for _ in messages]
    for line in result.stdout.splitlines():
        row = json.loads(line)
        found[row.pop("line") - 1].append(row)
    return found, result.stderr


def orders(rows: list[Row]) -> list[Row]:
    assert not [row for row in rows if row["type"] == "rejected"], rows
    return [row for row in rows if row["type"] == "liquidation"]


def widened(value: Any) -> Any:
    """The message with a field that nobody knows in each of its objects."""
    if isinstance(value, dict):
        return {key: widened(inner) for key, inner in value.items()} | {"neverSeen": {"a": [1]}}
    return [widened(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("at", range(len(MATRIX)), ids=NAMES.__getitem__)
def test_a_forced_order_comes_out_on_its_side_in_exact_dollars(
    at: int, plain: list[list[Row]]
) -> None:
    closed, found = MATRIX[at], orders(plain[at])
    sides = closed.sides.split()
    assert [(row["position_side"], row["order_side"]) for row in found] == [
        (side, ORDER_SIDES[side]) for side in sides
    ]
    for row in found:
        assert row["usd"] == closed.usd
        assert row["price"] == pytest.approx(closed.price, rel=1e-15)
        assert row["price_kind"] == closed.price_kind
        assert (row["venue"], row["kind"]) == (closed.venue, closed.kind)
        assert row["completeness"] == closed.completeness
    assert len({row["id"] for row in found}) == len(sides)


@pytest.mark.parametrize("at", range(len(MATRIX)), ids=NAMES.__getitem__)
def test_fields_that_nobody_knows_change_nothing(
    at: int, plain: list[list[Row]], wide: list[list[Row]]
) -> None:
    assert wide[at] == plain[at]


def test_every_venue_has_a_long_and_a_short_or_a_reason_for_having_none() -> None:
    sides = {(one.venue, side) for one in MATRIX for side in one.sides.split()}
    venues = PARSERS.keys() - NO_FEED.keys()
    assert sides == {(venue, side) for venue in venues for side in ORDER_SIDES}
    assert PARSERS.keys() >= NO_FEED.keys()


def test_an_order_of_coin_margined_contracts_on_a_linear_connection_is_worth_its_face() -> None:
    (rows,), _ = normalised([("binance-usdm", forced.COINM_AMONG_USDM)])
    (order,) = orders(rows)
    assert (order["venue"], order["usd"]) == ("binance-coinm", 1_200_000_000)


def test_a_word_that_nobody_knows_is_told_as_unknown_and_never_guessed() -> None:
    found, summary = normalised([(venue, message) for venue, message, _ in UNKNOWN_WORDS])
    assert not [row for rows in found for row in rows if row["type"] == "liquidation"]
    told = [[row["reason"] for row in rows if row["type"] == "rejected"] for rows in found]
    assert told == [[reason] for *_, reason in UNKNOWN_WORDS]
    for reason, times in Counter(reason for *_, reason in UNKNOWN_WORDS).items():
        assert f"{times} rejected:{reason}" in summary


def test_a_word_that_decides_nothing_may_be_unknown() -> None:
    messages: list[tuple[str, Any]] = [
        ("binance-usdm", forced.force_order("BTCUSDT", "SELL", **forced.LONG, X="X", o="X", f="X")),
        ("okx", forced.okx("BTC-USDT-SWAP", "sell", "X", "35", "61500.0")),
        ("htx", {**forced.htx("BTC-USDT", "sell", 35, 61500.0), "business_type": "X"}),
    ]
    for rows in normalised(messages)[0]:
        assert [row["position_side"] for row in orders(rows)] == ["long"]


def test_an_instrument_that_nobody_knows_is_a_dead_letter_and_counted(tmp_path: Path) -> None:
    assert UNKNOWN_INSTRUMENTS.keys() == {one.venue for one in MATRIX}
    found, summary = normalised([*UNKNOWN_INSTRUMENTS.items()])
    assert [[row["reason"] for row in rows] for rows in found] == [["unknown_instrument"]] * 12
    assert "12 rejected:unknown_instrument" in summary

    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    log.write_text(raw_log(UNKNOWN_INSTRUMENTS.items()), encoding="utf-8")
    replayed = CliRunner().invoke(app, ["replay", str(log), "--jsonl", str(out)])
    assert replayed.exit_code == 0, replayed.output
    written = (out / "deadletters.v1.jsonl").read_text(encoding="utf-8")
    letters = [json.loads(line) for line in written.splitlines()]
    assert Counter((one["venue"], one["reason"]) for one in letters) == Counter(
        (venue, "unknown_instrument") for venue in UNKNOWN_INSTRUMENTS
    )
    assert "unknown_instrument" in replayed.output
