"""An instrument that nobody knows is refused with a mend that works at its venue."""

import json
from pathlib import Path

import pytest

from streams.core.events import Raw, Trade
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import COLUMNS, default_instruments
from streams.venues.fields import BadField
from streams.venues.listed_at import URLS
from streams.venues.rows import known
from tests.outcomes import reasons, sole

NAMED = "run `marginquake instruments refresh --venue {}`"
OWN = "give it a row in MARGINQUAKE_HOME/instruments.csv"
NOW_US = 1_790_000_000_700_000


@pytest.mark.parametrize("venue", sorted(PARSERS))
def test_a_refresh_is_named_only_where_it_fetches(venue: str) -> None:
    with pytest.raises(BadField) as refused:
        known(default_instruments(), venue, "?")
    outcome = refused.value.outcome
    assert outcome.reason == "unknown_instrument"
    assert OWN in outcome.detail
    assert (NAMED.format(venue) in outcome.detail) == (venue in URLS)
    assert ("refresh" in outcome.detail) == (venue in URLS)


def test_a_row_of_ones_own_makes_an_instrument_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINQUAKE_HOME", str(tmp_path))
    row = {"coin": "xyz:GOLD", "side": "B", "px": "4000", "sz": "2", "time": NOW_US // 1000}
    payload = json.dumps({"channel": "trades", "data": [{**row, "tid": 7}]}).encode()
    raw = Raw("hyperliquid", None, "c", NOW_US, payload)
    assert reasons(normalise(raw, PARSERS, default_instruments())) == ["unknown_instrument"]
    cells = "hyperliquid,xyz:GOLD,GOLD,USD,linear,base,1,1,own"
    (tmp_path / "instruments.csv").write_text(f"{','.join(COLUMNS)}\n{cells}\n")
    event = sole(Trade, normalise(raw, PARSERS, default_instruments()))
    assert (event.asset, event.usd) == ("GOLD", 8_000_000_000)


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [
        ("okx", "NOSUCHCOIN-USDT-SWAP"),
        ("okx", "NOSUCHCOIN-USD-SWAP"),
        ("okx", "NOSUCHCOIN-USD-261225"),
        ("okx", "NOSUCHCOIN-USDT-261225"),
        ("htx", "NOSUCHCOIN-USDT"),
        ("kucoin", "NOSUCHCOINUSDTM"),
        ("kucoin", "NOSUCHCOINUSDM"),
        ("gate", "NOSUCHCOIN_USDT"),
        ("bitmex", "NOSUCHCOINUSDT"),
    ],
)
def test_a_contract_whose_size_no_row_states_has_none(venue: str, symbol: str) -> None:
    assert default_instruments().resolve(venue, symbol) is None
