"""The feed layer: what the venues publish of the market, as collectors received and logged it.

Takes the engine's blocks and writes a raw log that `replay` and `import` read. Each venue chooses
from its forced orders as its feed of that day does; messages have latency that grows in a rush,
some are late, some come twice, connections drop, and OKX repeats its last orders after a
subscription. The tape is thinner and in larger pieces than a real one: every dollar of volume is
on it, and every forced order by itself. Promises lines in order of receipt, the same for a seed.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from streams.core.events import MICROS, PositionSide
from streams.simulation import wire
from streams.simulation.assets import Asset
from streams.simulation.connections import (
    CONNECTIONS,
    DEPTH,
    LINEAR,
    MARKET,
    POLLED,
    SPOT,
    SWAP,
    Connection,
    Line,
    Sent,
)
from streams.simulation.ladder import DEPTH_SHARE, LEVEL_BP, ladder
from streams.simulation.orders import VENUES, Forced, Print
from streams.simulation.scenarios import Gap
from streams.simulation.spelling import spelled
from streams.simulation.state import Block, Floats

BINANCE_LARGEST_FROM: Final = 1_776_124_800
"""2026-04-14: the largest order of a second instead of the latest."""
BYBIT_FULL_FROM: Final = 1_740_441_600
"""2025-02-25."""
BOOK_ASSETS: Final = 6
BOOK_EVERY_S: Final = 6
"""In calm; each second while forced orders are sent or depth is below 40 %."""
TICKER_EVERY_S: Final = 3
INTEREST_EVERY_S: Final = 10
TARDY, TWICE = 0.004, 0.002
"""Shares of OKX liquidation messages that come 6 to 12 s late, and of messages that come twice."""
REPEATED: Final = 3
"""OKX's last orders that it sends again after a subscription, those of the gap among them."""
DROPS_PER_DAY: Final = 2.0
"""Ordinary disconnects of a connection, 3 to 15 s each."""
HORIZON_US: Final = 15 * MICROS
CONNECTION_OF: Final = {"binance-usdm": MARKET, "bybit": LINEAR, "okx": SWAP}


def chosen_orders(venue: str, second: int, orders: Sequence[Forced]) -> list[list[Forced]]:
    """The messages in which a venue publishes one symbol's forced orders of a second.

    `orders` in order of time. Full feeds batch all orders of half a second; throttled feeds tell
    the largest (Binance USD-M since April 2026) or the latest order of a second, either side.
    """
    if not orders:
        return []
    if venue == "bybit" and second >= BYBIT_FULL_FROM:
        halves: dict[int, list[Forced]] = {}
        for order in orders:
            halves.setdefault(order.at_us * 2 // MICROS, []).append(order)
        return list(halves.values())
    if venue == "binance-usdm" and second >= BINANCE_LARGEST_FROM:
        return [[max(orders, key=lambda order: order.usd)]]
    return [[orders[-1]]]


class Feed:
    """Turns blocks into lines, and tallies what was published."""

    def __init__(
        self,
        assets: tuple[Asset, ...],
        share: Floats,
        ordinary_depth: Floats,
        start_s: int,
        steps: int,
        seed: int,
        gaps: Sequence[Gap],
    ) -> None:
        """`share` [K, V], `ordinary_depth` [K, V+1]; `gaps` are the scenario's own."""
        self.assets = assets
        self.published = 0
        self._share = share
        self._ordinary = ordinary_depth
        self._start_s = start_s
        self._rng = random.Random(seed * 2 + 1)  # noqa: S311  a simulation, not a secret
        self._number = 0
        self._queue_us = 0
        self._waiting: list[Sent] = []
        self._bought = np.zeros((len(assets), len(VENUES) + 1))
        self._sold = np.zeros((len(assets), len(VENUES) + 1))
        self._last_okx: list[Forced] = []
        self._lines = {c.name: self._opened(c, steps, gaps) for c in CONNECTIONS}
        self._replays = {end + 200_000 for _, end in self._lines[SWAP.name].gaps}

    def lines(
        self,
        blocks: Iterable[tuple[int, int, int, Block]],
        told: Callable[[int, int, int, Block], None] = lambda first, steps, orders, block: None,
    ) -> Iterator[bytes]:
        """Lines of the log in order of receipt; `told` sees each block first."""
        begin_us = self._start_s * MICROS - 900_000
        for line in self._lines.values():
            for at_us, text in line.opening(begin_us + line.connection.beat_us):
                self._queue(at_us, text)
        end_s = self._start_s
        for first, steps, orders, block in blocks:
            told(first, steps, orders, block)
            yield from self._block(first, steps, orders, block)
            end_s = self._start_s + first + steps
        for second in range(end_s, end_s + HORIZON_US // MICROS):
            self._beats(second)
        self._waiting.sort()
        for _, _, text in self._waiting:
            yield text

    def _opened(self, connection: Connection, steps: int, gaps: Sequence[Gap]) -> Line:
        names = tuple(
            asset.name
            for row, asset in enumerate(self.assets)
            if connection is SPOT or self._share[row, VENUES.index(connection.venue)] > 0
        )
        books = tuple(n for n in names if n in {a.name for a in self.assets[:BOOK_ASSETS]})
        covered = {c: books if c == "book" else names for c in connection.channels}
        down = [
            ((self._start_s + gap.begin) * MICROS, (self._start_s + gap.end) * MICROS)
            for gap in gaps
            if gap.connection == connection.name
        ]
        drops = int(DROPS_PER_DAY * steps / 86_400 + self._rng.random())
        for _ in range(drops if connection.channels else 0):
            begin = int((self._start_s + self._rng.random() * steps) * MICROS)
            length = int((3 + 12 * self._rng.random()) * MICROS)
            if all(begin + length < a - MICROS or begin > b + MICROS for a, b in down):
                down.append((begin, begin + length))
        return Line(connection, covered, down)

    def _block(self, first: int, steps: int, orders: int, block: Block) -> Iterator[bytes]:
        order_of = np.argsort(block.when[:orders], kind="stable")
        when = block.when[order_of].tolist()
        places = block.place[order_of].tolist()
        values = block.order[order_of].tolist()
        cursor = 0
        for n in range(steps):
            second = self._start_s + first + n
            limit = (first + n + 1) * MICROS
            forced: list[tuple[Forced, int]] = []
            while cursor < orders and (when[cursor] < limit or n == steps - 1):
                row, venue, side, kind = places[cursor]
                coins, fill, bankrupt = values[cursor]
                name: PositionSide = "long" if side > 0 else "short"
                at_us = self._start_s * MICROS + when[cursor]
                where = VENUES[venue]
                order = Forced(at_us, where, self.assets[row], name, coins, fill, bankrupt)
                forced.append((order, kind))
                cursor += 1
            busy = sum(order.usd for order, _ in forced)
            self._queue_us += int((min(1.2, busy / 1e6) * MICROS - self._queue_us) / 8)
            self._second(second, n, block, forced)
            self._beats(second)
            yield from self._settled(second)

    def _settled(self, second: int) -> Iterator[bytes]:
        """Lines that nothing later can precede."""
        self._waiting.sort()
        cut = bisect_left(self._waiting, (second * MICROS, 0, b""))
        for _, _, text in self._waiting[:cut]:
            yield text
        del self._waiting[:cut]

    def _beats(self, second: int) -> None:
        for line in self._lines.values():
            if not line.connection.channels:
                continue
            at_us = second * MICROS + line.connection.beat_us
            if line.up(at_us):
                self._queue(at_us, line.beat(at_us))
            for event_us, text in line.events(second * MICROS, (second + 1) * MICROS):
                self._queue(event_us, text)

    def _second(self, second: int, n: int, block: Block, forced: list[tuple[Forced, int]]) -> None:
        # Only Bybit's feed is of positions; the others' is of orders that reached the book.
        told = [order for order, kind in forced if kind == 0 or order.venue == "bybit"]
        self._liquidations(second, told)
        stirred = {order.asset.name for order, _ in forced}
        for order, kind in forced:
            if kind == 0:
                # A forced order is on the tape as a taker.
                self._trade(
                    Print(
                        order.at_us,
                        order.venue,
                        order.asset,
                        order.side == "short",
                        order.coins,
                        order.fill,
                    )
                )
        self._bought += block.bought[n]
        self._sold += block.sold[n]
        prices = block.price[n]
        for row, asset in enumerate(self.assets):
            hot = asset.name in stirred
            for venue, _ in enumerate(VENUES):
                if self._share[row, venue] <= 0:
                    continue
                stride = 2 + 2 * venue if row < 2 else 5 + 2 * venue
                if hot or (second + row) % stride == 0:
                    self._tape(row, venue, second, float(prices[row, venue]))
            if (second + row) % 6 == 0:
                self._tape(row, len(VENUES), second, float(prices[row, len(VENUES)]))
            if (second + row) % TICKER_EVERY_S == 0:
                self._tickers(row, asset, second, n, block)
            if (second + row) % INTEREST_EVERY_S == 0:
                self._interest(row, asset, second, n, block)
            if row < BOOK_ASSETS:
                thin = float(block.depth[n, row, 0]) < 0.4 * self._ordinary[row, 0]
                if hot or thin or (second + row) % BOOK_EVERY_S == 0:
                    self._books(row, asset, second, n, block)

    def _liquidations(self, second: int, orders: list[Forced]) -> None:
        slots: dict[tuple[str, str], list[Forced]] = {}
        for order in orders:
            slots.setdefault((order.venue, order.asset.name), []).append(order)
        for (venue, _), found in slots.items():
            for message in chosen_orders(venue, second, found):
                self.published += len(message)
                self._publish(venue, second, message)
        for at_us in sorted(self._replays):
            if at_us < (second + 1) * MICROS:
                self._replays.discard(at_us)
                for order in [one for one in self._last_okx if one.at_us <= at_us][-REPEATED:]:
                    self._send(SWAP, "liquidation", order.at_us, wire.okx_forced(order), at_us)
        del self._last_okx[:-REPEATED]

    def _publish(self, venue: str, second: int, message: list[Forced]) -> None:
        order = message[-1]
        connection = CONNECTION_OF[venue]
        if venue == "bybit":
            pushed_us = (order.at_us * 2 // MICROS + 1) * MICROS // 2
            payload = wire.bybit_forced(message, pushed_us)
            order = message[0]
        elif venue == "binance-usdm":
            pushed_us = (second + 1) * MICROS
            payload = wire.binance_forced(order, pushed_us)
        else:
            pushed_us = order.at_us
            if self._rng.random() < TARDY:
                pushed_us += int((6 + 6 * self._rng.random()) * MICROS)
            payload = wire.okx_forced(order)
            insort(self._last_okx, order, key=lambda one: one.at_us)
        self._send(connection, "liquidation", order.at_us, payload, pushed_us)
        if self._rng.random() < TWICE:
            self._send(connection, "liquidation", order.at_us, payload, pushed_us + 40_000)

    def _tape(self, row: int, venue: int, second: int, price: float) -> None:
        """What has been traded by choice since the last time, as one print a side."""
        asset = self.assets[row]
        for buys, pot in ((True, self._bought), (False, self._sold)):
            usd = float(pot[row, venue])
            if usd <= 0:
                continue
            pot[row, venue] = 0.0
            at_us = second * MICROS + int(self._rng.random() * 1000) * 1000
            paid = price * (1.00004 if buys else 0.99996)
            if venue == len(VENUES):
                self._number += 1
                payload = wire.spot_trade(
                    asset, paid, usd, buys=buys, at_us=at_us, number=self._number
                )
                self._send(SPOT, "trade", at_us, payload)
            else:
                self._trade(Print(at_us, VENUES[venue], asset, buys, usd / paid, paid))

    def _trade(self, trade: Print) -> None:
        self._number += 1
        if trade.venue == "binance-usdm":
            payload = wire.binance_trade(trade, self._number)
        elif trade.venue == "bybit":
            payload = wire.bybit_trade(trade, self._number)
        else:
            payload = wire.okx_trade(trade, self._number)
        self._send(CONNECTION_OF[trade.venue], "trade", trade.at_us, payload)

    def _tickers(self, row: int, asset: Asset, second: int, n: int, block: Block) -> None:
        at_us = second * MICROS + 900_000
        mark, index, rates = block.mark[n, row], block.reference[n, row], block.rate[n, row]
        payload = wire.binance_mark(
            asset, float(mark[0]), at_us, float(index[0]), f"{rates[0]:.8f}"
        )
        self._send(MARKET, "ticker", at_us, payload)
        if self._share[row, 1] > 0:
            payload = wire.bybit_ticker(
                asset,
                float(block.price[n, row, 1]),
                float(block.interest[n, row, 1]),
                at_us,
                float(mark[1]),
                float(index[1]),
                f"{rates[1]:.8f}",
            )
            self._send(LINEAR, "ticker", at_us, payload)
        if self._share[row, 2] > 0:
            self._send(SWAP, "ticker", at_us, wire.okx_mark(asset, float(mark[2]), at_us))
            if (second + row) % 60 < TICKER_EVERY_S:
                payload = wire.okx_funding(asset, f"{rates[2]:.8f}", at_us)
                self._send(SWAP, "ticker", at_us, payload)

    def _interest(self, row: int, asset: Asset, second: int, n: int, block: Block) -> None:
        at_us = second * MICROS + 950_000
        coins = block.interest[n, row]
        payload = wire.binance_interest(asset, float(coins[0]), at_us)
        self._send(POLLED, "ticker", at_us, payload)
        if self._share[row, 2] > 0:
            price = float(block.mark[n, row, 2])
            payload = wire.okx_interest(asset, float(coins[2]), price, at_us)
            self._send(SWAP, "ticker", at_us, payload)

    def _books(self, row: int, asset: Asset, second: int, n: int, block: Block) -> None:
        at_us = second * MICROS + 600_000
        usual = asset.interest_usd * DEPTH_SHARE
        for venue, connection, write in (
            (0, DEPTH, wire.binance_book),
            (1, LINEAR, wire.bybit_book),
        ):
            depth = float(block.depth[n, row, venue])
            times = depth * LEVEL_BP / 100 / usual
            half_bp = 0.4 * max(1.0, float(self._ordinary[row, venue]) / depth)
            price = float(block.price[n, row, venue])
            self._number += 1
            sides = ladder(asset, price, times, self._rng, half_bp, spelled)
            payload = write(asset, sides, at_us, self._number)
            self._send(connection, "book", at_us, payload)

    def _send(
        self,
        connection: Connection,
        channel: str,
        event_us: int,
        payload: bytes,
        pushed_us: int | None = None,
    ) -> None:
        """Queue a message with the time of its receipt, unless its connection is down then."""
        u = self._rng.random()
        jitter = int(48_000 * u * u * u) + int(self._rng.random() * self._queue_us)
        at_us = (event_us if pushed_us is None else pushed_us) + connection.latency_us + jitter
        line = self._lines[connection.name]
        if not line.gaps or line.up(at_us):
            line.note(channel, at_us, event_us)
            self._queue(at_us, line.line(channel, at_us, payload))

    def _queue(self, at_us: int, text: bytes) -> None:
        self._number += 1
        self._waiting.append((at_us, self._number, text))
