"""What no venue documents is set in one place, listed from the code, and the same everywhere."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.core.events import Liquidation, Raw, Ticker, Trade
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.edges.side_checks import SideChecks
from streams.parsing import VARIABLE, assumptions, parsers
from streams.venues import PARSERS
from streams.venues.assumptions import DOCUMENTED, parsed, settings_of
from streams.venues.capability_page import page
from streams.venues.catalog import default_instruments
from tests.messages import forced

NOW_US = forced.MS * 1000 + 600_000
HTX = {"ch": "market.BTC-USDT.trade.detail", "ts": forced.MS, "tick": {"data": []}}


def only(venue: str, message: Any, instruments: Instruments) -> Any:
    raw = Raw(venue, None, "c", NOW_US, json.dumps(message).encode())
    (outcome,) = normalise(raw, parsers(), instruments)
    return outcome


def test_each_assumption_changes_what_its_parser_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    known = default_instruments()
    gate = forced.gate(contract="BTC_USDT", price="61500.5", size=-120)
    bitget = forced.bitget("BTCUSDT", "buy", "21525.00", "61500.0")
    htx = forced.htx("BTC-USDT", "sell", 35, 61500.0)
    row = {"amount": 22, "direction": "buy", "id": 1, "price": 62000.0, "ts": forced.MS}
    trade = {**HTX, "tick": {"data": [row]}}
    day = {"ch": "market.BTC-USDT.detail", "ts": forced.MS}
    day["tick"] = {"close": 62000.0, "trade_turnover": 1000.0}
    held = {"contract_code": "BTC-USDT", "volume": 10.0, "amount": 0.01, "value": 620.0}
    polled = {"status": "ok", "ts": forced.MS, "data": [held]}
    bybit = {"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": forced.MS}
    bybit["data"] = {"symbol": "BTCUSDT", "openInterest": "100"}
    one = {"trade_id": "1", "product_id": "BTC-USD", "price": "62000", "size": "1", "side": "BUY"}
    one["time"] = "2026-09-21T12:00:00.402Z"
    coinbase = {"channel": "market_trades", "events": [{"type": "update", "trades": [one]}]}
    read = [
        ("gate.negative=buy", "gate", gate, "order_side", "sell", "buy"),
        ("gate.price_kind=fill", "gate", gate, "price_kind", "order", "fill"),
        ("bitget.price_kind=avg_fill", "bitget", bitget, "price_kind", "unknown", "avg_fill"),
        ("htx.completeness=sampled", "htx", htx, "completeness", "all", "sampled"),
        ("htx.trade_sides=1", "htx", trade, "base_qty", 0.011, 0.022),
        ("htx.volume_sides=1", "htx", day, "volume_24h_usd", 500_000_000, 1_000_000_000),
        ("htx.interest_sides=2", "htx", polled, "open_interest_base", 0.01, 0.005),
        ("bybit.interest_sides=1", "bybit", bybit, "open_interest_base", 50.0, 100.0),
        ("coinbase.advanced_side=taker", "coinbase", coinbase, "taker_side", "sell", "buy"),
    ]
    for setting, venue, message, field, before, after in read:
        monkeypatch.delenv(VARIABLE, raising=False)
        found = only(venue, message, known)
        assert isinstance(found, Liquidation | Ticker | Trade), (setting, found)
        assert getattr(found, field) == before, setting
        monkeypatch.setenv(VARIABLE, setting)
        assert getattr(only(venue, message, known), field) == after, setting
    monkeypatch.setenv(VARIABLE, "")
    coins = forced.bitget("BTCUSD", "buy", "100", "61500.0")
    coins["arg"] = {**coins["arg"], "instType": "coin-futures"}
    assert only("bitget", coins, known).reason == "unknown_notional"
    monkeypatch.setenv(VARIABLE, "bitget.inverse_amount=quote")
    assert only("bitget", coins, known).usd == 100_000_000
    tried = {setting.partition("=")[0] for setting, *_ in read} | {"bitget.inverse_amount"}
    assert tried == {one.name for one in settings_of(DOCUMENTED)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gate.negative", "is not venue.field=value"),
        ("negative=buy", "is not venue.field=value"),
        ("gate.sign=buy", "unknown field `sign`"),
        ("mtgox.side=buy", "unknown field `mtgox`"),
        ("gate.negative=short", "Invalid enum value 'short'"),
        ("htx.trade_sides=0", "Invalid enum value 0"),
        ("htx.trade_sides=2, htx.trade_sides=1", "'htx.trade_sides' is given twice"),
    ],
)
def test_a_setting_that_there_is_not_is_refused_by_name(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(MarginquakeError, match=VARIABLE) as refused:
        parsers()
    assert said in str(refused.value)
    assert "marginquake venues --assumptions" in str(refused.value)


def test_unset_is_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert assumptions() == DOCUMENTED == parsed(" , ")
    assert parsers().keys() == PARSERS.keys()
    for one in settings_of(DOCUMENTED):
        assert one.value == one.default
        assert one.default in one.values
        assert one.meaning in page()


def test_the_command_shows_what_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "gate.negative=buy htx.trade_sides=1")
    shown = CliRunner().invoke(app, ["venues", "--assumptions", "--json"])
    assert shown.exit_code == 0, shown.output
    found = {row["name"]: row for row in json.loads(shown.stdout)}
    assert (found["gate.negative"]["value"], found["gate.negative"]["default"]) == ("buy", "sell")
    assert found["htx.trade_sides"]["values"] == [1, 2]
    table = CliRunner().invoke(app, ["venues", "--assumptions"])
    assert table.exit_code == 0
    assert "gate.negative" in table.stdout


def test_a_command_that_parses_follows_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    message = forced.gate(contract="BTC_USDT", price="61500.5", size=-120)
    line = json.dumps({"venue": "gate", "received_at_us": NOW_US, "payload": message})
    for setting, position in (("", "long"), ("gate.negative=buy", "short")):
        monkeypatch.setenv(VARIABLE, setting)
        result = CliRunner().invoke(app, ["normalise", "-"], input=line)
        assert result.exit_code == 0, result.output
        assert msgspec.json.decode(result.stdout)["position_side"] == position


@pytest.mark.parametrize(("setting", "verdict"), [("maker", "agrees"), ("taker", "contradicts")])
def test_the_check_of_sides_holds_what_the_parser_assumes(
    setting: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"coinbase.advanced_side={setting}")
    one = {"trade_id": 1, "product_id": "BTC-USD"}
    advanced = {"channel": "market_trades", "events": [{"trades": [{**one, "side": "SELL"}]}]}
    told = [{"type": "match", "side": "sell", **one}, advanced]
    raws = [Raw("coinbase", None, "c", NOW_US, json.dumps(row).encode()) for row in told]
    warned: list[str] = []
    SideChecks(parsers(), default_instruments(), assumptions(), warned.append).see_all(raws)
    assert len(warned) == (verdict == "contradicts")
    assert all("coinbase.advanced_side" in why for why in warned)


@pytest.mark.parametrize(
    "command",
    [
        ["collect", "--assets", "BTC", "--into", "no.jsonl"],
        ["live"],
        ["normalise", "-"],
        ["migrate"],
    ],
)
def test_a_command_refuses_a_wrong_setting_before_it_begins(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "gate.negative=short")
    monkeypatch.setenv("CLICKHOUSE_DSN", f"chdb://{tmp_path}/warehouse")
    result = CliRunner().invoke(app, command, input="")
    assert result.exit_code == 1
    assert isinstance(result.exception, MarginquakeError)
    assert not [*tmp_path.iterdir()]
