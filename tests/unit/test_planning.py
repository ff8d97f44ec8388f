"""What a collector asks each venue for: known names only, the largest with books."""

import pytest
from msgspec import structs

from streams.cli import collect as command
from streams.cli.collect import MOST_BOOKS, understood
from streams.collect import planning
from streams.collect.planning import Asked, Plan, plans
from streams.config import MarginquakeError
from streams.core.instruments import Instrument, Instruments
from streams.venues.assets import names
from streams.venues.catalog import Entry, default_instruments, effective_table
from streams.venues.wire import WIRES, Wire

INSTRUMENTS, TABLE = default_instruments(), effective_table()
LARGEST = {"BTC", "ETH", "SOL", "XRP", "DOGE", "BNB"}


def planned(venues: str, assets: str) -> list[Plan]:
    return command.planned(*understood(venues, assets, None, None))[0]


@pytest.mark.parametrize("venue", sorted(names()))
def test_a_listed_name_is_read_back_as_its_asset(venue: str) -> None:
    sources = [one for one in WIRES[venue].endpoints if not one.listed]
    assert sources
    for source in sources:
        for asset in names()[venue]:
            for symbol in source.symbols(asset):
                instrument = INSTRUMENTS.resolve(venue, symbol)
                assert instrument is not None, symbol
                assert instrument.asset == asset


@pytest.mark.parametrize("venue", sorted(WIRES))
def test_all_assets_can_be_asked_of_a_venue_alone(venue: str) -> None:
    assert {"BTC", "ETH"} <= {a for p in planned(venue, "all") for a in p.assets.get("trade", ())}


def test_all_asks_no_venue_for_a_name_that_nobody_says_it_lists() -> None:
    for plan in planned("", "all"):
        rows = {e.instrument.asset for (venue, _), e in TABLE.items() if venue == plan.venue}
        known = rows | names().get(plan.venue, {}).keys()
        assert {asset for held in plan.assets.values() for asset in held} <= known, plan.name


def test_a_named_asset_is_asked_for_by_its_plain_name() -> None:
    (market, _) = planned("binance-usdm", "NEWCOIN")
    assert "newcoinusdt@forceOrder" in market.topics


@pytest.mark.parametrize("assets", ["all", ",".join(sorted(names()["binance-usdm"]))])
def test_books_go_to_the_largest_assets(assets: str) -> None:
    asked, _, _ = understood("", assets, None, None)
    assert len(asked.book_assets) == MOST_BOOKS
    assert set(asked.book_assets) >= LARGEST
    held = {a for p in planned("bybit", assets) for a in p.assets.get("book", ())}
    assert held >= LARGEST


@pytest.mark.parametrize(
    ("venue", "asset", "topic"),
    [
        ("binance-usdm", "MOG", "1000000mogusdt@forceOrder"),
        ("binance-usdm", "BABYDOGE", "1mbabydogeusdt@forceOrder"),
        ("binance-spot", "SATS", "1000satsusdt@aggTrade"),
        ("bybit", "SHIB", "allLiquidation.SHIB1000USDT"),
        ("bybit", "SATS", "allLiquidation.10000SATSUSDT"),
        ("bybit", "MOG", "allLiquidation.1000000MOGUSDT"),
    ],
)
def test_a_cheap_coin_is_asked_for_by_the_name_it_is_listed_under(
    venue: str, asset: str, topic: str
) -> None:
    assert topic in {topic for plan in planned(venue, asset) for topic in plan.topics}


@pytest.mark.parametrize(
    ("venue", "kind"),
    [("okx", "SWAP"), ("okx", "FUTURES"), ("bitget", "usdc-futures"), ("bitget", "coin-futures")],
)
def test_forced_orders_are_asked_for_of_every_kind_of_contract(venue: str, kind: str) -> None:
    topics = {topic for plan in planned(venue, "BTC") for topic in plan.topics}
    assert any("liquidation" in topic and f'"{kind}"' in topic for topic in topics)


def test_all_among_other_assets_is_refused() -> None:
    with pytest.raises(MarginquakeError, match="stands alone"):
        understood("okx", "BTC,all", None, None)


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [("kucoin", "1000PEPEUSDTM"), ("htx", "1000PEPE-USDT"), ("gate", "1000000PEPE_USDT")],
)
def test_a_row_that_lists_a_multiple_is_asked_for(venue: str, symbol: str) -> None:
    coins = int(symbol[: symbol.index("P")])
    row = Instrument(venue, symbol, "PEPE", "USDT", "linear", "contracts", coins_per_unit=coins)
    instruments = Instruments({(venue, symbol): row}, {})
    found = plans(Asked([venue], ["PEPE"], []), instruments, {(venue, symbol): Entry(row, "venue")})
    assert any(symbol in topic for plan in found for topic in plan.topics)


def test_a_venue_without_a_contract_is_left_out_with_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {"binance-usdm", "okx"} <= {plan.venue for plan in planned("", "PEPE")}
    assert "deribit is left out: no known contract of PEPE" in capsys.readouterr().err


def test_assets_that_no_venue_has_are_an_error() -> None:
    with pytest.raises(
        MarginquakeError, match=r"deribit, kraken have no known contract of NEWCOIN"
    ):
        planned("deribit,kraken", "NEWCOIN")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"topics": 5}, "5 topics, and these assets need 6"),
        ({"topics_per_connection": 2, "connections": 2}, "2 connections, and these assets need 3"),
    ],
)
def test_a_plan_beyond_what_an_address_may_hold_is_refused(
    limits: dict[str, int], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (endpoint,) = WIRES["hyperliquid"].endpoints
    few = structs.replace(endpoint, limits=structs.replace(endpoint.limits, **limits))
    monkeypatch.setattr(planning, "WIRES", {"hyperliquid": Wire((few,))})
    asked = Asked(["hyperliquid"], ["BTC", "ETH"], ["BTC", "ETH"])
    with pytest.raises(MarginquakeError, match=words):
        plans(asked, INSTRUMENTS, TABLE)
    assert len(plans(Asked(["hyperliquid"], ["BTC"], []), INSTRUMENTS, TABLE)) == 1
