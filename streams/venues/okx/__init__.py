"""OKX public streams to canonical events, venue `okx` (swaps, futures and spot).

A venue parser: promises one outcome per row and per liquidation detail, exact dollars for forced
orders, and sizes in coins, by the contract values of the instrument table; an instrument without
a row is rejected, never guessed. Does not fold book updates (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://ws.okx.com:8443/ws/v5/public (trades-all: /ws/v5/business)               |
| subscribe    | {"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]} |
| keep-alive   | the text `ping` before 30 s of silence; the answer is the text `pong`, no JSON |
| forced side  | `side` is the forced ORDER's side: sell = a long was closed                    |
| forced price | `bkPx`, bankruptcy price, no fill                                              |
| trade side   | `side` is the taker's side                                                     |
| units        | swaps, futures: contracts x ctVal (coins, or dollars of -USD- inverse);        |
|              | spot: base coin; prices always per coin                                        |
| completeness | liquidation-orders: sampled, about one order a contract and second             |
| open interest| `oiCcy` coins, `oiUsd` dollars                                                 |
| volume, 24 h | spot `volCcy24h` dollars; contracts `volCcy24h` coins at `last`, inverse       |
|              | `vol24h` x ctVal                                                               |
| funding      | `fundingTime` is the next settlement, its rate `fundingRate`                   |
| times        | ms strings; a funding rate without `ts` (2021) takes the time of receipt       |

Quirks: `posSide` only repeats the side (long with sell, short with buy) or says `net`; where it
contradicts, nobody knows what was closed and the order is rejected; a word that nobody knows leaves
it to `side`, as `net` does. Answers of `/api/v5/public/liquidation-orders` are read too, where the
stamp may be called `time`; they do not say whether `state` asked for filled or unfilled orders: ask
for filled. The first liquidation-orders message after a subscribe repeats old entries: those older
than 10 minutes are ignored as `replayed`, younger ones carry the id they had and fall to
deduplication. `trades` and `trades-all` tell the same volume with different ids: record one of
them. An index ticker belongs to no contract: it comes as a ticker of its index name (`BTC-USDT`,
contract spot) with the index price alone. Margin and option liquidations are not used. Tables
of the v3 API, which archives hold, are read by `tables`, whose docstring has their facts.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.instruments import Rule
from streams.venues.okx.messages import TRADES, parse
from streams.venues.okx.symbols import spot

__all__ = ["RULES", "TRADES", "VENUES", "parse"]

VENUES: Final = frozenset({"okx"})
"""Venue ids whose records this parser reads."""

RULES: Final[Mapping[str, Rule]] = {"okx": spot}
"""Instruments told from the symbol alone, by venue id."""
