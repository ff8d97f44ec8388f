"""An inverse contract whose sizes are coins is counted in coins, though it settles in the coin."""

from decimal import Decimal

import pytest

from streams.core.events import Raw
from streams.core.instruments import Instrument, Instruments
from streams.core.lanes import Lane, TradeFormat
from streams.venues.quotes import interest
from streams.venues.rows import in_coins
from streams.venues.tape import forced, forced_with_id, trade

RAW = Raw("v", None, "c", 1_790_000_001_000_000, b"{}")
COINS = Instrument("v", "BTCUSD", "BTC", "USD", "inverse", "base")
CONTRACTS = Instrument("v", "XBTUSD", "BTC", "USD", "inverse", "contracts", Decimal(100))
DOLLARS = Instrument("v", "BTCUSD_", "BTC", "USD", "inverse", "usd")
QUOTED = Instrument("v", "BTCUSDT", "BTC", "USDT", "linear", "quote")


@pytest.mark.parametrize(
    ("instrument", "usd", "coins"),
    [
        (COINS, 100_000_000_000, Decimal(2)),
        (CONTRACTS, 200_000_000, Decimal("0.004")),
        (DOLLARS, 2_000_000, Decimal("0.00004")),
        (QUOTED, 2_000_000, Decimal("0.00004")),
    ],
)
def test_a_size_is_worth_what_its_unit_says(
    instrument: Instrument, usd: int, coins: Decimal
) -> None:
    size, price = Decimal(2), Decimal(50_000)
    assert instrument.usd(size, price) == usd
    assert instrument.base_qty(size, price) == coins
    event = trade(RAW, instrument, "buy", size, price, 0, "1")
    assert (event.usd, event.base_qty) == (usd, float(coins))


def test_books_and_open_interest_follow() -> None:
    assert in_coins([(50_000.0, 2.0)], COINS) == ((50_000.0, 2.0),)
    assert in_coins([(50_000.0, 2.0)], CONTRACTS) == ((50_000.0, 0.004),)
    assert interest(COINS, Decimal(2)) == (2.0, None)
    assert interest(CONTRACTS, Decimal(2)) == (None, 200_000_000)


def test_lots_leave_such_a_contract_to_the_single_path() -> None:
    known = {("v", one.symbol): one for one in (COINS, CONTRACTS, DOLLARS, QUOTED)}
    form = TradeFormat((bytes,), many=True, buy="buy", sell="sell")
    lane = Lane("v", form, Instruments(known, {}))
    assert lane.terms("BTCUSD") is None
    assert lane.terms("BTCUSDT") is None
    assert lane.terms("XBTUSD") is not None
    assert lane.terms("BTCUSD_") is not None


def test_a_forced_order_has_the_kind_of_price_and_the_id_that_its_venue_gives() -> None:
    size, price = Decimal(2), Decimal(50_000)
    plain = forced(RAW, COINS, "sell", size, price, 5, "all", {})
    other = forced(RAW, COINS, "sell", size, price, 5, "all", {}, "order")
    assert (plain.price_kind, other.price_kind) == ("bankruptcy", "order")
    assert plain.id == other.id
    named = forced_with_id(RAW, COINS, "sell", size, price, 5, "all", "a")
    moved = forced_with_id(RAW, COINS, "sell", size, price + 1, 9, "all", "a")
    assert (named.id, named.price_kind, named.usd) == (moved.id, "fill", 100_000_000_000)
    assert forced_with_id(RAW, COINS, "sell", size, price, 5, "all", "b").id != named.id
    kind = forced_with_id(RAW, COINS, "sell", size, price, 5, "all", "a", price_kind="bankruptcy")
    assert (kind.id, kind.price_kind) == (named.id, "bankruptcy")
