"""Running numbers in venues' messages, by which a collector sees that something is missing.

Beside the wires, which name the rule of an endpoint. Promises to read no more than the numbers, and
nothing from a message that cannot be read: that one is dead-lettered elsewhere. Venues whose
numbers have gaps of their own, or are not documented to have none, are left out.

| venue    | number                    | rule                                                      |
|----------|---------------------------|-----------------------------------------------------------|
| Binance  | `f`..`l`, `a` of aggTrade | the next `f` follows `l`, unless `a` goes on without gap: |
|          |                           | fills of the insurance fund and ADL are in no aggTrade    |
| Deribit  | `trade_seq`               | no gap per instrument                                     |
| dYdX     | `message_id`              | no gap per connection                                     |
| Coinbase | `trade_id` of a match     | no gap per product                                        |
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec


class Numbers(NamedTuple):
    """Numbers `first` to `last` of a row of them; `message`: the running number of their message.

    Numbers that are skipped are missing only if the message's own, where it has one, skips too.
    """

    row: str
    first: int
    last: int
    message: int | None = None


class Numbering(msgspec.Struct, frozen=True):
    """How an endpoint numbers what it sends, and the channels that are not whole after a gap."""

    channels: tuple[str, ...]
    read: Callable[[bytes], Sequence[Numbers]]


class _AggTrade(msgspec.Struct):
    s: str
    a: int
    f: int
    l: int  # noqa: E741 - the venue's name


class _Stream(msgspec.Struct):
    data: _AggTrade


class _Fill(msgspec.Struct):
    instrument_name: str
    trade_seq: int


class _Fills(msgspec.Struct):
    data: list[_Fill]


class _Notice(msgspec.Struct):
    params: _Fills


class _Counted(msgspec.Struct):
    message_id: int


class _Match(msgspec.Struct):
    type: str
    product_id: str
    trade_id: int


_stream: Final = msgspec.json.Decoder(_Stream).decode
_notice: Final = msgspec.json.Decoder(_Notice).decode
_counted: Final = msgspec.json.Decoder(_Counted).decode
_match: Final = msgspec.json.Decoder(_Match).decode


def _binance(message: bytes) -> Sequence[Numbers]:
    if b'"aggTrade"' not in message:
        return ()
    trade = _stream(message).data
    return (Numbers(trade.s, trade.f, trade.l, trade.a),)


def _deribit(message: bytes) -> Sequence[Numbers]:
    if b'"trade_seq"' not in message:
        return ()
    fills = _notice(message).params.data
    return [Numbers(fill.instrument_name, fill.trade_seq, fill.trade_seq) for fill in fills]


def _dydx(message: bytes) -> Sequence[Numbers]:
    number = _counted(message).message_id
    return (Numbers("message_id", number, number),)


def _coinbase(message: bytes) -> Sequence[Numbers]:
    if b'"match"' not in message:
        return ()
    match = _match(message)
    return (Numbers(match.product_id, match.trade_id, match.trade_id),)


BINANCE: Final = Numbering(("trade",), _binance)
DERIBIT: Final = Numbering(("trade", "liquidation"), _deribit)
DYDX: Final = Numbering(("trade", "liquidation", "ticker", "book"), _dydx)
COINBASE: Final = Numbering(("trade",), _coinbase)
