"""No bytes make an archive's reader raise anything but its own error, nor invent an event."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.config import MarginquakeError
from streams.core.events import BadLine, Raw
from streams.core.normalise import normalise
from streams.edges.archives.reading import NAMES, Reading
from streams.venues import PARSERS
from tests.archived import INSTRUMENTS

TAPE = b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
FIRST = (
    b"",
    TAPE,
    b"exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
    b"predicted_funding_rate,open_interest,last_price,index_price,mark_price",
    b"exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,"
    b"bids[0].amount",
    b"1790000000123,SELL,LIMIT,IOC,12,49000,50000,FILLED,2,12",
    b"2026-09-21 00:00:00,BTCUSDT,10,1,1,1,1,1",
    b"7,60000,2,1,2,1790000000123,true",
    b"1790006400004,8,-0.0001",
    b'{"exchange":"OKX","symbol":"BTC-USDT-PERP","side":"sell","quantity":1,"price":1,'
    b'"receipt_timestamp":1790000000.1,"timestamp":1790000000.1}',
    b"2026-09-21T12:13:20.135Z {}",
)
WORDS = b"bybit okex-swap BTCUSDT BTC-USDT-SWAP 1790000000123 1790000000123000 sell BUY 1 0 -1 true"
CELLS = st.sampled_from([*WORDS.split(), b"nan", b"1e99", b"9" * 40, b"", b'"', b"\xff"])
LINES = st.one_of(st.binary(max_size=200), st.lists(CELLS, max_size=14).map(b",".join))
NAMED = ("BTCUSDT-aggTrades-2026-09-21.csv", "bybit_liquidations.csv", "okex_trades.csv", "x.jsonl")


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    first=st.one_of(st.sampled_from(FIRST), LINES),
    rest=st.lists(LINES, max_size=5),
    name=st.sampled_from(NAMED),
    form=st.sampled_from(["", *NAMES, "tardis-raw:bybit", "binance:um", "tardis-csv:trades"]),
)
def test_any_bytes_end_as_records_or_reasons(
    tmp_path: Path, first: bytes, rest: list[bytes], name: str, form: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\n".join([first, *rest]))
    try:
        found = list(Reading(INSTRUMENTS, form).read(str(path)))
    except MarginquakeError as error:
        assert str(path) in str(error)
        return
    for _, item in found:
        assert isinstance(item, (Raw, BadLine))
        if isinstance(item, Raw):
            assert normalise(item, PARSERS, INSTRUMENTS)


@settings(max_examples=300, deadline=None)
@given(payload=st.one_of(st.binary(max_size=300), st.sampled_from([b"{}", b'{"type":"trade"}'])))
def test_no_payload_of_a_canonical_record_raises(payload: bytes) -> None:
    raw = Raw("okx", "canonical", "file", 1_790_000_000_000_000, payload)
    (outcome,) = normalise(raw, PARSERS, INSTRUMENTS)
    assert type(outcome).__name__ == "Rejected"
