"""Bybit public streams to canonical events: `bybit` (linear, inverse) and `bybit-spot`.

A venue parser: promises one outcome per row in the message's order, exact dollars for forced
orders, and partial tickers (None = unchanged). Does not fold book deltas (the collector does) and
does not tell spot from linear by the message: shapes and names are equal, the venue id decides.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://stream.bybit.com/v5/public/{linear, inverse, spot}                       |
| subscribe    | {"op":"subscribe","args":["allLiquidation.BTCUSDT", ...]}, 10 topics a request |
| keep-alive   | send {"op":"ping"} every 20 s; the answer has `pong` in ret_msg or op          |
| forced side  | `S` is the POSITION's side: Buy = a long was closed = a sell order             |
| forced price | bankruptcy price, no fill: dollars run low for longs and high for shorts       |
| trade side   | `S` is the taker's side; `BT` marks a block trade, made off the book           |
| units        | linear and spot: base coin; inverse: contracts of 1 USD; 1000X quotes 1000 X   |
| completeness | allLiquidation: all, pushed every 500 ms; retired `liquidation`: all before     |
|              | 2021-09-01, then one order a symbol and second                                 |
| open interest| singleOpenInterest (one-sided), else openInterest halved, which counts both    |
|              | sides by one source (`both_sides`); linear coins, inverse USD                  |
| volume, 24 h | `turnover24h` dollars; inverse `volume24h`, contracts of a dollar              |
| times        | ms; forced order and trade `T`, ticker `ts`, book `cts` (else `ts`)            |

Quirks: allLiquidation says `snapshot` but never repeats; it has no id, and equal rows of one
message are distinct orders. The `liquidation` topic, retired in 2025, comes in three shapes (v5
object, v2 object, list of a poller); its side was the position's too. Do not record both. Topics
of v2 and v3 that archives hold are read by `retired`, whose docstring has their facts.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.instruments import Rule
from streams.venues.bybit.messages import parse
from streams.venues.bybit.symbols import derivative, spot
from streams.venues.bybit.trades import TRADES

__all__ = ["RULES", "TRADES", "VENUES", "parse"]

VENUES: Final = frozenset({"bybit", "bybit-spot"})
"""Venue ids whose records this parser reads."""

RULES: Final[Mapping[str, Rule]] = {"bybit": derivative, "bybit-spot": spot}
"""Instruments told from the symbol alone, by venue id."""
