"""Small markets for property tests: two venues, three assets, bursts, trades, books, an outage.

Binance publishes a sample of its liquidations; Bybit all of them, with trades, tickers and books.
"""

from random import Random
from typing import NamedTuple

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st

from streams.core.events import MICROS, Raw, Status
from tests.logs import (
    BINANCE,
    BYBIT,
    ORIGIN,
    Event,
    Log,
    binance_forced,
    bybit_book,
    bybit_forced,
    bybit_ticker,
    bybit_trade,
    end,
    status,
    steady,
)

ASSETS = ("BTC", "SOL", "XRP")
BYBIT_CHANNELS = ("liquidation", "trade", "ticker", "book")
HORIZON_S = 150
PRICES = {"BTC": 60_000.0, "SOL": 150.0, "XRP": 2.0}


FEW = settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
"""A market takes a fifth of a second, and shrinking a seed tells nothing."""


SEEDS = st.integers(0, 2**32)
"""A seed stands for every choice of a test: a failure names it."""


def chance(seed: int) -> Random:
    """The only source of chance in these tests."""
    return Random(seed)  # noqa: S311


class Outage(NamedTuple):
    """Bybit's connection is away in [start, stop)."""

    start: int
    stop: int

    def hides(self, event: Event) -> bool:
        """Whether the venue could not have sent the event."""
        second = event.time_us // MICROS - ORIGIN
        return event.raw.venue == BYBIT and self.start - 1 <= second < self.stop


def drawn(seed: int) -> tuple[Random, Log]:
    """A market and the chance that is left, in two of five seeds with an outage of Bybit."""
    random = chance(seed)
    outage = random.choice([None, None, None, Outage(60, 61), Outage(50, 75)])
    return random, market(random, outage)


def market(random: Random, outage: Outage | None = None) -> Log:
    """A market of `HORIZON_S` seconds and the end of its recording."""
    events: list[Event] = []
    for asset in ASSETS:
        events += background(random, asset)
        if random.random() < 0.7:
            events += burst(random, asset)
    if random.random() < 0.5:
        start, side = random.uniform(30, 80), random.choice(["long", "short"])
        for asset in ASSETS:
            events += burst(random, asset, start + random.uniform(0, 5), side)
    if outage is not None:
        events = [event for event in events if not outage.hides(event)]
    return Log(statuses(outage), events)


def statuses(outage: Outage | None = None) -> list[Raw]:
    """Both connections' records over the horizon in order of receipt, then the end."""
    beats = steady(BINANCE, 0, HORIZON_S + 10)
    if outage is None:
        beats += steady(BYBIT, 0, HORIZON_S + 10, BYBIT_CHANNELS)
    else:
        beats += steady(BYBIT, 0, outage.start, BYBIT_CHANNELS)
        beats.append(status(BYBIT, outage.start, Status("disconnect")))
        beats += steady(BYBIT, outage.stop, HORIZON_S + 10, BYBIT_CHANNELS)
    beats.sort(key=lambda raw: raw.received_at_us)
    return [*beats, end(HORIZON_S + 10)]


def background(random: Random, asset: str) -> list[Event]:
    """Ordinary times: some forced orders, trades, tickers and books."""
    events: list[Event] = []
    price = PRICES[asset]
    for _ in range(random.randint(0, 6)):
        make = random.choice([binance_forced, bybit_forced])
        side, usd = random.choice(["long", "short"]), random.uniform(50, 20_000)
        events.append(make(random.uniform(1, HORIZON_S), asset, side, usd, price))
    for _ in range(random.randint(5, 25)):
        at = random.uniform(1, HORIZON_S)
        near = price * random.uniform(0.999, 1.001)
        taker = random.choice(["Buy", "Sell"])
        events.append(bybit_trade(at, asset, near, random.uniform(0.1, 3), taker))
        if random.random() < 0.3:
            # A second trade of the same millisecond, so that first and last need the id.
            events.append(bybit_trade(at, asset, near * 1.0001, 1.0, taker))
    for _ in range(random.randint(0, 8)):
        at = random.uniform(1, HORIZON_S)
        values = {
            "markPrice": f"{price * random.uniform(0.99, 1.01):.4f}",
            "openInterest": f"{random.uniform(1_000, 2_000):.3f}",
            "fundingRate": "0.0001",
        }
        name = random.choice(sorted(values))
        events.append(bybit_ticker(at, asset, **{name: values[name]}))
        if random.random() < 0.5:
            other = random.choice(sorted(values))
            events.append(bybit_ticker(at, asset, **{other: values[other]}))
    for _ in range(random.randint(0, 12)):
        at = random.uniform(1, HORIZON_S)
        events.append(bybit_book(at, asset, price, random.uniform(1, 50)))
    return events


def burst(
    random: Random, asset: str, start: float | None = None, side: str | None = None
) -> list[Event]:
    """Forced orders of one side within half a minute, and trades that follow the price."""
    begin = random.uniform(20, 100) if start is None else start
    forced = side or random.choice(["long", "short"])
    direction = -1 if forced == "long" else 1
    large = random.random() < 0.5
    events: list[Event] = []
    for _ in range(random.randint(15, 45)):
        at = begin + random.uniform(0, 25)
        price = PRICES[asset] * (1 + direction * 0.0006 * (at - begin))
        usd = random.uniform(1_000, 400_000 if large else 5_000)
        make = random.choice([binance_forced, bybit_forced, bybit_forced])
        events.append(make(at, asset, forced, usd, price))
        if random.random() < 0.3:
            taker = "Sell" if forced == "long" else "Buy"
            events.append(bybit_trade(at, asset, price, 0.5, taker))
    return events


def second_collector(log: Log, random: Random) -> Log:
    """The log as two collectors write it: every message twice, the copy a little later."""
    copies = []
    for event in log.events:
        received = event.raw.received_at_us + random.randint(-30_000, 700_000)
        copies.append(event._replace(raw=_heard_by_b(event.raw, received)))
    beats: list[Raw] = []
    for raw in log.statuses:
        beats.append(raw)
        if raw.venue in (BINANCE, BYBIT):
            beats.append(_heard_by_b(raw, raw.received_at_us))
    return Log(beats, [*log.events, *copies])


def _heard_by_b(raw: Raw, received_at_us: int) -> Raw:
    return msgspec.structs.replace(raw, connection=f"{raw.venue}/b", received_at_us=received_at_us)
