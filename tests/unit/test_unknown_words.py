"""Every row of the page of unknown words is what the code makes of such a word."""

import re
from pathlib import Path

import pytest

from streams.core.events import Outcome, Raw, Rejected, Trade
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.messages.forced import MS
from tests.messages.strange import CASES, DERIBIT, WORD, strange
from tests.outcomes import encoded, kinds

PAGE = Path(__file__).resolve().parents[2] / "docs/decisions/unknown-words.md"
INSTRUMENTS = default_instruments()
ROW = re.compile(r"\| ([a-z-]+) \| ([\w ]+) \| `(\w+)` \| (.+) \|")


def listed() -> dict[tuple[str, str, str], list[str]]:
    """The page's table: outcomes by venue, message and field."""
    rows = map(ROW.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {
        (row[1], row[2], row[3]): [one.strip("`") for one in row[4].split(", ")]
        for row in rows
        if row is not None
    }


def read(venue: str, message: object) -> list[Outcome]:
    raw = Raw(venue, None, "c0", (MS + 100) * 1000, encoded(message))
    return normalise(raw, PARSERS, INSTRUMENTS)


def test_the_page_has_the_fields_of_every_venue_and_no_others() -> None:
    assert listed().keys() == CASES.keys()
    others = {"binance-coinm", "binance-spot", "bybit-spot", "bitget-spot"}
    assert {venue for venue, _, _ in CASES} | others == PARSERS.keys()


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_an_unknown_word_gives_what_the_page_says(case: tuple[str, str, str]) -> None:
    message = CASES[case](case[2])
    assert WORD.encode() in encoded(message)
    assert kinds(read(case[0], message)) == listed()[case]


@pytest.mark.parametrize("word", ["none", "Strange", 5])
def test_a_flag_that_nobody_knows_costs_the_forced_order_and_not_the_trade(word: object) -> None:
    message = strange(DERIBIT, "liquidation")
    message["params"]["data"][0]["liquidation"] = word
    trade, told = read("deribit", message)
    assert isinstance(trade, Trade)
    assert trade.usd == 1_000_000_000
    assert isinstance(told, Rejected)
    assert told.reason == "unknown_side"
