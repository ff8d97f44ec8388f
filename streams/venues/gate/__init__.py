"""Gate: perpetual futures settled in USDT, USD1 and BTC (venue `gate`), and `gate-spot`.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://fx-ws.gateio.ws/v4/ws/{usdt, btc, usd1}; spot wss://api.gateio.ws/ws/v4/ |
| subscribe    | {"time":s,"channel":"futures.trades","event":"subscribe","payload":[..]};      |
|              | `public_liquidates` takes ["!all"], books ["BTC_USDT","20","0"], the counts    |
|              | that sides are checked by, `contract_stats`, ["BTC_USDT","1m"]                 |
| keep-alive   | {"time":s,"channel":"futures.ping"}; the answer is of channel `futures.pong`   |
| forced side  | pushed: sign of `size` is the ORDER's, negative = sell = a long was closed     |
|              | (weakly documented: `Assumed`); polled `liq_orders`: `size` is the POSITION's, |
|              | positive = long, and `order_size` the order's, of the other sign               |
| forced price | pushed: `price` of the order, kind not documented (`Assumed`); polled: average |
|              | of the fills, else the order's                                                 |
| trade side   | sign of `size` is the taker's; spot: `side`                                    |
| units        | contracts x quanto_multiplier (coins); BTC_USD: 1 USD; spot: base coin         |
| completeness | pushed: one order a contract and second, from 2026-08-20 on all in batches;    |
|              | polled: all of a window of an hour at most                                     |
| open interest| `total_size`, polled `position_size`: contracts, of the long side              |
| volume, 24 h | `volume_24h_quote` dollars; spot `quote_volume`                                |
| funding      | `funding_rate` of tickers; when and how often: polled, a contract a request,   |
|              | GET /futures/{usdt, btc}/contracts/<name>, 200 in 10 s                         |
| times        | ms or s, told by magnitude; `time` of a pushed forced order is ms in spite of  |
|              | its name, that of a polled one s; trades may have a fraction of a ms           |

Quirks: sizes are integers, or decimal strings when the handshake asked for `X-Gate-Size-Decimal`.
`result` may be an object, an array or an array in an array. Forced orders have no id, and a pushed
and a polled copy share no stamp: record one of the two; before the change a polled one is corrected
as if orders were missing. Trades with `is_internal` are positions that the insurance fund or
auto-deleveraging took over: off the book, and not told as forced orders, since they do not say
whose position ended nor which of the two it was; they are counted as `takeover_print`.
`futures.liquidates` is of one's own account.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.instruments import Rule
from streams.core.lanes import TradeFormat
from streams.venues.gate.forced import Assumed
from streams.venues.gate.messages import parse
from streams.venues.gate.signs import counted
from streams.venues.gate.symbols import FUTURES, SPOT, future, pair
from streams.venues.gate.trades import LOTS, taken_over

__all__ = ["RULES", "TRADES", "VENUES", "Assumed", "parse", "witness"]

VENUES: Final = frozenset({FUTURES, SPOT})
"""Venue ids whose records this parser reads."""

RULES: Final[Mapping[str, Rule]] = {FUTURES: future, SPOT: pair}
"""Instruments told from the symbol alone, by venue id."""

TRADES: Final[Mapping[str, TradeFormat | None]] = {FUTURES: LOTS, SPOT: None}
"""What can be read in lots, by venue id; spot stamps its trades finer than lots know."""


def witness(payload: bytes) -> str | None:
    """The contract of a message without an event that is kept: a count, or a take-over."""
    return counted(payload) or taken_over(payload)
