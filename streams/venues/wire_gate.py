"""How Gate is talked to, its futures and its spot; part of `wire`.

The stream of tickers tells a funding rate and neither its cycle nor when it is due, without which
it does not count: both are polled, a contract a request. The list of all contracts in one answer
would be beyond the size of a record.
"""

from collections.abc import Mapping
from typing import Final

from streams.venues.endpoints import Endpoint, Heartbeat, Limits, Poll, Wire, each, merged, named
from streams.venues.gate.symbols import FUTURES, SPOT

_LIVELY: Final = {"trade": 120.0, "ticker": 60.0, "book": 60.0}
_TAPE: Final = ("trade", "ticker", "book")
_TETHER: Final = "{}_USDT"
_DOLLAR: Final = "{}_USD"


def _endpoint(name: str, url: str, pattern: str, kind: str, channels: tuple[str, ...]) -> Endpoint:
    every = "0" if kind == "futures" else "1000ms"
    return Endpoint(
        name=name,
        url=url,
        channels=channels,
        heartbeat=Heartbeat(
            "client", "text", 10, f'{{"time":{{time}},"channel":"{kind}.ping"}}', f"{kind}.pong"
        ),
        limits=Limits(300, 1, 10),
        symbols=named(pattern, venue="" if kind == "futures" else SPOT),
        topics=each(
            liquidation=(
                '{"channel":"futures.public_liquidates","payload":["{}"]}',
                '{"channel":"futures.contract_stats","payload":["{}","1m"]}',
            ),
            trade='{"channel":"' + kind + '.trades","payload":["{}"]}',
            ticker='{"channel":"' + kind + '.tickers","payload":["{}"]}',
            book='{"channel":"' + kind + '.order_book","payload":["{}","20","' + every + '"]}',
        ),
        subscribe=merged('{"time":{time},"event":"subscribe",'),
        refusal='"error":{',
        silent_s=_LIVELY,
        listed=kind == "futures",
    )


def _contracts(settle: str, pattern: str) -> Poll:
    """Contracts one by one, which the venue allows 20 times a second."""
    return Poll(
        name=f"{settle}-rest",
        url=f"https://api.gateio.ws/api/v4/futures/{settle}/contracts/{{symbol}}",
        every_s=60,
        spacing_s=0.1,
        symbols=named(pattern),
        listed=True,
    )


def _futures(settle: str, pattern: str) -> Endpoint:
    url = f"wss://fx-ws.gateio.ws/v4/ws/{settle}"
    return _endpoint(settle, url, pattern, "futures", ("liquidation", *_TAPE))


WIRES: Final[Mapping[str, Wire]] = {
    FUTURES: Wire(
        endpoints=(_futures("usdt", _TETHER), _futures("btc", _DOLLAR)),
        polls=(_contracts("usdt", _TETHER), _contracts("btc", _DOLLAR)),
    ),
    SPOT: Wire(
        endpoints=(_endpoint("spot", "wss://api.gateio.ws/ws/v4/", _TETHER, "spot", _TAPE),)
    ),
}
"""Wire by venue id."""
