"""Bitget public streams to canonical events, venues `bitget` (futures) and `bitget-spot`.

A venue parser: promises one outcome per row, exact dollars for forced orders, partial tickers, and
books from full snapshots. Reads the unified API (v3) and, of the older one (v2), everything but
forced orders, which it does not have. Does not fold book updates (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://ws.bitget.com/v3/ws/public (v2: /v2/ws/public)                           |
| subscribe    | {"op":"subscribe","args":[{"instType":"usdt-futures","topic":"liquidation"}]}; |
|              | other topics with "symbol"; v2 says "channel", "instId" and USDT-FUTURES       |
| keep-alive   | the text `ping` every 30 s; the answer is the text `pong`, no JSON             |
| forced side  | `side` is the POSITION's side: buy = a long was closed = a sell order          |
| forced price | not documented (`Assumed`); its many decimals look computed                    |
| trade side   | the taker's                                                                    |
| units        | base coin, of all products; a forced order's `amount` is the QUOTE's, price x  |
|              | quantity; 1000X quotes 1000 X                                                  |
| completeness | sampled: the largest long and the largest short of a pair and second           |
| open interest| v3 `openInterest`, v2 `holdingAmount`: base coin (inverse: presumably)         |
| volume, 24 h | v3 `turnover24h`, v2 `quoteVolume`: dollars; coin-futures: not documented,     |
|              | hence none                                                                     |
| funding      | `fundingRate`, due at `nextFundingTime`; the cycle only where the contracts    |
|              | (/api/v2/mix/market/contracts, `fundInterval` in hours) are polled             |
| times        | ms strings; v3 tickers: the message's `ts`; a forced order is up to 20 s old   |

Quirks: the unit of a forced order's amount is not verified for coin-futures. Such an order is
rejected as of unknown notional, so that the dead letters keep it, unless `Assumed` names the unit.
The first trades after a subscribe are a `snapshot` of recent ones, which are `replayed`: they were
made before anybody watched. An empty side of a book may be a level of zeros. The product of a
message (`instType`) tells spot from futures, not the connection.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.instruments import Rule
from streams.venues.bitget.forced import Assumed
from streams.venues.bitget.messages import parse
from streams.venues.bitget.symbols import FUTURES, SPOT, future, pair
from streams.venues.bitget.trades import TRADES

__all__ = ["RULES", "TRADES", "VENUES", "Assumed", "parse"]

VENUES: Final = frozenset({FUTURES, SPOT})
"""Venue ids whose records this parser reads."""

RULES: Final[Mapping[str, Rule]] = {FUTURES: future, SPOT: pair}
"""Instruments told from the symbol alone, by venue id."""
