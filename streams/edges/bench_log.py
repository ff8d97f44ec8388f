"""A raw log for the benchmarks: a cascade's busiest minutes as three venues would send them.

Made, not recorded: the venues' documented messages with every field, at the rate and in the mix
of `MIX`. Promises the same records for the same arguments, in order of receipt, with the status
records of design section 2. Prices only wander; it says nothing about markets.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from streams.core.events import MICROS, Raw, Status
from streams.simulation.ladder import ladder
from streams.simulation.orders import VENUES, Forced, Print, Venue
from streams.simulation.wire import (
    binance_book,
    binance_forced,
    binance_mark,
    bybit_book,
    bybit_forced,
    bybit_ticker,
    bybit_trade,
    okx_forced,
    okx_mark,
    okx_trade,
)

MIX: Final = """\
A second holds 4,000 trade messages of 4 assets (BTC 40 %, ETH 30 %, SOL 20 %, XRP 10 %): 72 %
Binance aggTrade on the combined stream (204 bytes), 14 % OKX trades (193 bytes), 14 % Bybit
publicTrade of 1 to 3 rows (mean 1.5); 12 forced orders; and for each asset and venue one ticker
and one book of 20 levels (OKX: tickers only). Nine connections send a heartbeat each second."""

BEGAN_S: Final = 1_795_006_800
TRADES_PER_S: Final = 4_000
WEIGHT: Final = {"BTC": 0.4, "ETH": 0.3, "SOL": 0.2, "XRP": 0.1}
MESSAGES: Final[dict[Venue, float]] = {"binance-usdm": 0.72, "okx": 0.14, "bybit": 0.14}
ROWS: Final = ((1, 0.65), (2, 0.2), (3, 0.15))
FORCED_PER_S: Final = 12
LATENCY_US: Final[dict[Venue, int]] = {"binance-usdm": 60_000, "bybit": 80_000, "okx": 70_000}
LATENESS_US: Final = 2 * MICROS
CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "trades": ("trade",),
    "forced": ("liquidation",),
    "state": ("ticker", "book"),
}


class Asset(msgspec.Struct, frozen=True):
    """A coin: prices and `interest_usd` in USD; `order_usd`: of an order, about."""

    name: str
    price: float
    decimals: int
    interest_usd: float
    order_usd: float


ASSETS: Final = (
    Asset("BTC", 91_400.0, 1, 14e9, 6e3),
    Asset("ETH", 3_120.0, 2, 9e9, 4e3),
    Asset("SOL", 138.0, 3, 3e9, 2.5e3),
    Asset("XRP", 2.21, 5, 1.6e9, 1.5e3),
)


class Item(msgspec.Struct, frozen=True, gc=False):
    """A record, the asset it is keyed by (None: a status record, for all), and its events."""

    raw: Raw
    asset: str | None
    rows: int


def raw_log(events: int, seed: int = 1) -> list[Item]:
    """About `events` events (rows), a whole number of seconds, then a second of heartbeats."""
    rng = random.Random(seed)  # noqa: S311
    market = _Market(ASSETS, rng)
    items = [_status(c, BEGAN_S * MICROS, Status("subscribe", CHANNELS[c[1]])) for c in _all()]
    made, second = 0, BEGAN_S
    while made < events:
        now = [*market.messages(second), *_beats(second)]
        items += now
        made += sum(item.rows for item in now)
        second += 1
    items += _beats(second + LATENESS_US // MICROS + 1)
    return sorted(items, key=_received)


def _received(item: Item) -> int:
    return item.raw.received_at_us


def _all() -> list[tuple[Venue, str]]:
    return [(venue, kind) for venue in VENUES for kind in CHANNELS]


def _beats(second: int) -> Iterator[Item]:
    for index, connection in enumerate(_all()):
        at = second * MICROS + index * 111_000
        through = dict.fromkeys(CHANNELS[connection[1]], at - LATENESS_US)
        yield _status(connection, at, Status("heartbeat", through_us=through))


def _status(connection: tuple[Venue, str], at_us: int, status: Status) -> Item:
    venue, kind = connection
    payload = msgspec.json.encode(status)
    return Item(Raw(venue, "status", f"{venue}/{kind}", at_us, payload), None, 0)


class _Market:
    """Prices that wander, and the running numbers of each venue's messages."""

    def __init__(self, assets: Sequence[Asset], rng: random.Random) -> None:
        self.assets = assets
        self.rng = rng
        self.prices = {asset.name: asset.price for asset in assets}
        self.number = 3_000_000_000

    def messages(self, second: int) -> Iterator[Item]:
        rng, start = self.rng, second * MICROS
        weights = [WEIGHT[asset.name] for asset in self.assets]
        venues = list(MESSAGES)
        for at in sorted(rng.randrange(start, start + MICROS) for _ in range(TRADES_PER_S)):
            asset = rng.choices(self.assets, weights)[0]
            yield self._trade(at, asset, rng.choices(venues, list(MESSAGES.values()))[0])
        for _ in range(FORCED_PER_S):
            at = rng.randrange(start, start + MICROS)
            yield self._forced(at, rng.choices(self.assets, weights)[0], rng.choice(venues))
        for asset in self.assets:
            yield from self._state(rng.randrange(start, start + MICROS), asset)

    def _item(self, venue: Venue, channel: str, at: int, asset: Asset, text: bytes) -> Item:
        kind = {"trade": "trades", "liquidation": "forced"}.get(channel, "state")
        received = at + LATENCY_US[venue] + self.rng.randrange(5_000)
        rows = text.count(b'"S":') if venue == "bybit" and channel == "trade" else 1
        return Item(Raw(venue, channel, f"{venue}/{kind}", received, text), asset.name, rows)

    def _trade(self, at: int, asset: Asset, venue: Venue) -> Item:
        rng = self.rng
        self.number += 1
        price = self.prices[asset.name] = self.prices[asset.name] * (1 + rng.gauss(0, 1e-6))
        coins = asset.order_usd * rng.lognormvariate(-1, 1.2) / price
        one = Print(at, venue, asset, rng.random() < 0.48, coins, price)
        if venue == "binance-usdm":
            text = _aggregate(one, self.number)
        elif venue == "okx":
            text = okx_trade(one, self.number)
        else:
            counts, weights = zip(*ROWS, strict=True)
            text = bybit_trade(one, self.number)
            for _ in range(int(rng.choices(counts, weights)[0]) - 1):
                self.number += 1
                text = _joined(text, bybit_trade(one, self.number))
        return self._item(venue, "trade", at, asset, text)

    def _forced(self, at: int, asset: Asset, venue: Venue) -> Item:
        price = self.prices[asset.name]
        coins = asset.order_usd * self.rng.lognormvariate(0, 1.2) / price
        order = Forced(at, venue, asset, "long", coins, price, price * 0.997)
        if venue == "binance-usdm":
            text = binance_forced(order, at)
        elif venue == "okx":
            text = okx_forced(order)
        else:
            text = bybit_forced([order], at)
        return self._item(venue, "liquidation", at, asset, text)

    def _state(self, at: int, asset: Asset) -> Iterator[Item]:
        price, coins = self.prices[asset.name], asset.interest_usd / asset.price
        self.number += 1
        number, rng = self.number, self.rng
        ticker, book = "ticker", "book"
        yield self._item("binance-usdm", ticker, at, asset, binance_mark(asset, price, at))
        yield self._item("bybit", ticker, at, asset, bybit_ticker(asset, price, coins, at))
        yield self._item("okx", ticker, at, asset, okx_mark(asset, price, at))
        text = binance_book(asset, ladder(asset, price, 1.0, rng), at, number)
        yield self._item("binance-usdm", book, at, asset, text)
        text = bybit_book(asset, ladder(asset, price, 1.0, rng), at, number)
        yield self._item("bybit", book, at, asset, text)


def _aggregate(one: Print, number: int) -> bytes:
    """`aggTrade` on the combined stream, with every field that the venue sends."""
    symbol, stamp = f"{one.asset.name}USDT", one.at_us // 1000
    price = f"{one.price:.{one.asset.decimals}f}"
    size = f"{max(one.coins, 0.001):.3f}"
    return (
        f'{{"stream":"{symbol.lower()}@aggTrade","data":{{"e":"aggTrade","E":{stamp + 2},"st":1,'
        f'"s":"{symbol}","a":{number},"p":"{price}","q":"{size}","nq":"{size}",'
        f'"f":{number * 3},"l":{number * 3 + 2},"T":{stamp},"m":{str(one.buys).lower()}}}}}'
    ).encode()


def _joined(first: bytes, second: bytes) -> bytes:
    """Two messages of one topic as one message."""
    return first[:-2] + b"," + second[second.index(b"[") + 1 :]
