"""Binance: USD-M futures, COIN-M futures and spot.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | USD-M wss://fstream.binance.com/{market, public}, COIN-M wss://dstream.binance |
|              | .com, spot wss://stream.binance.com:9443; streams as /stream?streams=          |
| subscribe    | {"method":"SUBSCRIBE","params":["btcusdt@forceOrder"],"id":7}, symbols small   |
| keep-alive   | answer the server's ping frames (futures one in 3 min, spot in 20 s); cut at   |
|              | 24 h                                                                           |
| forced side  | `o.S` is the forced ORDER's side: SELL = a long was closed                     |
| forced price | `ap`, average of the fills, else `p`, the order's limit                        |
| trade side   | `m`: the buyer was the maker, so the taker sold                                |
| units        | USD-M and spot: base coin; COIN-M: contracts of 100 USD (BTC) or 10 USD        |
| completeness | forceOrder: since April 2021 at most one order a symbol and second, before: all |
| open interest| polled: USD-M coins, COIN-M contracts                                          |
| volume, 24 h | `q` dollars; COIN-M: `v` contracts of 24hrTicker                               |
| times        | ms; forced order `o.T`, trade `T`, others the engine's `T` or the push's `E`   |

Feeds: `forceOrder` is a sample, at most one order a symbol and second on each stream. Since
2026-06-30 all-market streams carry both futures families on both hosts; `st` (or, before, the
symbol) tells them apart, and a COIN-M row on a USD-M connection becomes a `binance-coinm` event.
`aggTrade` and `trade` tell the same volume with different ids: record one of them.
Does not know hosts or subscriptions; those stand with the collector.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.instruments import Rule
from streams.core.lanes import TradeFormat
from streams.venues.binance.messages import parse
from streams.venues.binance.symbols import (
    COINM,
    SPOT,
    USDM,
    coinm_rule,
    spot_rule,
    usdm_rule,
)
from streams.venues.binance.trades import COIN_LOTS, LOTS

__all__ = ["RULES", "TRADES", "VENUES", "parse"]

VENUES: Final = frozenset({USDM, COINM, SPOT})
"""Venue ids whose records this parser reads."""

RULES: Final[Mapping[str, Rule]] = {USDM: usdm_rule, COINM: coinm_rule, SPOT: spot_rule}
"""Instruments told from the symbol alone, by venue id."""

TRADES: Final[Mapping[str, TradeFormat]] = {USDM: LOTS, COINM: COIN_LOTS, SPOT: LOTS}
"""What can be read in lots, by venue id."""
