"""The words in which `wire` says how a venue is talked to: plain data and patterns of names.

Beside the parsers, which know what a message means. Promises values that open nothing and know no
clock; does not say which of an asset's names exist: the instrument table and the venue do.
`{time}` in a text that is sent stands for the second (UTC) of sending.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from streams.venues.assets import base_name
from streams.venues.book_changes import Changes
from streams.venues.numbering import Numbering

Names = Callable[[str], tuple[str, ...]]
"""What an asset is called."""


class Heartbeat(msgspec.Struct, frozen=True):
    """Who keeps the connection alive, and how.

    `by`: who asks. `kind`: a text message or a websocket control frame, which every peer answers
    by itself. `every_s`: how often. `ask`: the text that the client sends. `answer`: what is found
    in the answer to it. `reply`: the client's answer to a message in which the server asks, None
    for any other message.
    """

    by: Literal["client", "server"]
    kind: Literal["text", "frame"]
    every_s: float
    ask: str = ""
    answer: str = ""
    reply: Callable[[bytes], str | None] | None = None


class Limits(msgspec.Struct, frozen=True):
    """What the venue allows.

    `topics_per_connection`, `topics_per_message`: numbers of topics. `messages_per_s`: messages
    that the client may send. `life_s`: the venue cuts a connection of this age; None if it does
    not say so. `connections`, `topics`: how many of either an address may hold at once; None if
    the venue does not say.
    """

    topics_per_connection: int
    topics_per_message: int
    messages_per_s: float
    life_s: float | None = None
    connections: int | None = None
    topics: int | None = None


class Granted(msgspec.Struct, frozen=True):
    """The address that a venue gives out for one connection, and the interval of its pings."""

    url: str
    ping_s: float


class Endpoint(msgspec.Struct, frozen=True):
    """One address and what is subscribed there.

    `channels`: kinds of events that come from it. `symbols`: an asset's likely names there.
    `listed`: only names with a row in the instrument table are asked for, since the venue refuses
    others. `topics`: what a symbol and a channel are called; a topic that holds several channels,
    or all symbols, is named by each of them. `subscribe`: the text that asks for some topics.
    `opening`: texts sent before the first subscription. `refusal`: what is found in a message
    that refuses one. `silent_s`: how long a channel may be silent while the connection lives; a
    channel that is not named may be silent as long as the others are not. `folded`: how books come
    as a snapshot and changes, which the collector folds; None where messages hold full ones.
    `granted`: `url` is no address of websockets; each connection's comes from the answer to a POST
    there, which this reads (ValueError: it is no grant). `greeting`: what is found in the message
    that the client must wait for before it sends. `numbering`: how messages are numbered without
    gaps, where the venue does.
    """

    name: str
    url: str
    channels: tuple[str, ...]
    heartbeat: Heartbeat
    limits: Limits
    symbols: Names
    topics: Callable[[str, str], tuple[str, ...]]
    subscribe: Callable[[Sequence[str]], str]
    refusal: str
    silent_s: Mapping[str, float]
    listed: bool = False
    opening: tuple[str, ...] = ()
    folded: Changes | None = None
    granted: Callable[[bytes], Granted] | None = None
    greeting: str = ""
    numbering: Numbering | None = None


class Poll(msgspec.Struct, frozen=True):
    """A REST answer that a stream lacks: `url` with `{symbol}`, asked for each `every_s` seconds.

    `spacing_s`: the least time between two requests, by the venue's limit of weight.
    """

    name: str
    url: str
    every_s: float
    spacing_s: float
    symbols: Names
    listed: bool = False


class Wire(msgspec.Struct, frozen=True):
    """A venue's endpoints and polls; `sampled`: its feed of forced orders is a sample."""

    endpoints: tuple[Endpoint, ...]
    polls: tuple[Poll, ...] = ()
    sampled: bool = False


def named(*patterns: str, codes: Mapping[str, str] | None = None, venue: str = "") -> Names:
    """An asset's names by pattern; `codes`: what the venue calls some of the coins.

    `venue`: whose column of `assets.csv` says what it lists instead of a cheap coin.

    >>> named("PF_{}USD", "PI_{}USD", codes={"BTC": "XBT"})("BTC")
    ('PF_XBTUSD', 'PI_XBTUSD')
    >>> named("{}USDT", venue="binance-usdm")("PEPE")
    ('1000PEPEUSDT',)
    """

    def symbols(asset: str) -> tuple[str, ...]:
        code = (codes or {}).get(asset) or base_name(venue, asset)
        return tuple(pattern.format(code) for pattern in patterns)

    return symbols


def batch(head: str, tail: str, *, quoted: bool = True) -> Callable[[Sequence[str]], str]:
    """A request with a list of topics, as JSON strings or as the JSON values that they are.

    >>> batch('{"op":"subscribe","args":[', "]}")(["a", "b"])
    '{"op":"subscribe","args":["a","b"]}'
    """
    quote = '"' if quoted else ""
    return lambda topics: head + ",".join(f"{quote}{topic}{quote}" for topic in topics) + tail


def merged(head: str) -> Callable[[Sequence[str]], str]:
    """A request for one topic that is a JSON object: its members follow `head`.

    >>> merged('{"event":"subscribe",')(['{"feed":"trade"}'])
    '{"event":"subscribe","feed":"trade"}'
    """
    return lambda topics: head + topics[0][1:]


def each(**patterns: str | tuple[str, ...]) -> Callable[[str, str], tuple[str, ...]]:
    """Topics of a symbol by channel, from patterns with `{}` (lower case: `{low}`) for the symbol.

    >>> each(trade="publicTrade.{}")("BTCUSDT", "trade")
    ('publicTrade.BTCUSDT',)
    """

    def topics(symbol: str, channel: str) -> tuple[str, ...]:
        found = patterns[channel]
        several = (found,) if isinstance(found, str) else found
        return tuple(
            pattern.replace("{}", symbol).replace("{low}", symbol.lower()) for pattern in several
        )

    return topics
