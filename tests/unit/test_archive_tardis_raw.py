"""Tardis raw replay lines: the venue's bytes under the venue that the path or a flag names."""

import json
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.events import Liquidation, Raw
from tests.archived import events, items, rejected

STAMP = "2026-09-21T12:13:20.1352101Z"


def forced(side: str) -> str:
    order = {"s": "BTCUSDT", "S": side, "q": "2", "p": "1", "ap": "50000", "X": "FILLED"}
    event = {"e": "forceOrder", "E": 1, "o": {**order, "z": "2", "T": 1_789_992_800_123}}
    return json.dumps({"stream": "btcusdt@forceOrder", "data": event})


def written(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(("side", "closed"), [("SELL", "long"), ("BUY", "short")])
@pytest.mark.parametrize(
    "name",
    [
        "binance-futures/2026-09-21.txt",
        "binance-futures_2026-09-21.raw",
        "feeds/binance-futures-2026-09-21.raw",
    ],
)
def test_the_path_names_the_exchange(tmp_path: Path, name: str, side: str, closed: str) -> None:
    path = written(tmp_path / name, f"{STAMP} {forced(side)}")
    (event,) = events(path)
    assert isinstance(event, Liquidation)
    assert (event.venue, event.position_side) == ("binance-usdm", closed)
    assert event.received_at_us == 1_789_992_800_135_210


def test_the_payload_is_the_venues_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "log.txt", f'{STAMP} {{"op":"pong"}}', "", f"{STAMP} pong")
    found = items(path, "tardis-raw:okex-swap")
    assert [(n, r.venue, r.payload) for n, r in found if isinstance(r, Raw)] == [
        (1, "okx", b'{"op":"pong"}'),
        (3, "okx", b"pong"),
    ]


def test_an_exchange_that_is_not_told_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "log.txt", f"{STAMP} {forced('SELL')}")
    with pytest.raises(MarginquakeError, match=r"txt: line 1: no line names .* --format tardis"):
        items(path)
    with pytest.raises(MarginquakeError, match="exchange 'ftx' is none that is read"):
        items(path, "tardis-raw:ftx")


def test_a_bad_line_harms_no_other(tmp_path: Path) -> None:
    good = f"{STAMP} {forced('SELL')}"
    path = written(tmp_path / "bybit" / "a.txt", good, "2026-13-45T00:00:00.000Z {}", "x", good)
    assert [number for number, _ in items(path)] == [1, 2, 3, 4]
    assert rejected(path) == ["wrong_type", "wrong_type"]


@pytest.mark.parametrize(
    ("bybit_word", "okx_word", "closed"), [("Buy", "3", "long"), ("Sell", "4", "short")]
)
def test_formats_that_a_venue_no_longer_sends_are_read(
    tmp_path: Path, bybit_word: str, okx_word: str, closed: str
) -> None:
    order = {"symbol": "ETHUSD", "side": bybit_word, "price": "1200.5", "qty": "640"}
    order |= {"time": "1610000000402"}
    row = {"instrument_id": "ETH-USD-SWAP", "size": "64", "price": "1200.5", "loss": "0"}
    row |= {"created_at": "2021-01-07T06:13:20.402Z", "type": okx_word}
    lines = {
        "bybit": {"topic": "liquidation.ETHUSD", "data": order},
        "okex-swap": {"table": "swap/liquidation", "data": [row]},
    }
    for exchange, message in lines.items():
        stamp = "2021-01-07T06:13:21.0000000Z"
        path = written(tmp_path / exchange / "2021-01-07.txt", f"{stamp} {json.dumps(message)}")
        (event,) = events(path)
        assert isinstance(event, Liquidation)
        assert (event.position_side, event.usd) == (closed, 640_000_000)
