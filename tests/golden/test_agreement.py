"""All lines of the shared fixtures agree with an independent normaliser, or deviate by name."""

import os

import pytest

from tests.golden.agreement import AGREES, DEVIATIONS, FIXTURES, lines, table, verdicts

pytestmark = pytest.mark.skipif(
    not FIXTURES.exists() and "CI" not in os.environ, reason="shared fixtures are not here"
)


def test_every_line_agrees_or_deviates_by_a_name_that_has_a_reason() -> None:
    found = [(line["fixture_id"], verdict, why) for line, verdict, why in verdicts()]
    known = {AGREES, *DEVIATIONS}
    assert [one for one in found if one[1] not in known] == []
    assert len(found) == len(lines()) >= 168
    assert {verdict for _, verdict, _ in found} == known, "a deviation that no line needs"
    assert {line["venue"] for line in lines()} == {"binance-usdm", "binance-coinm", "bybit", "okx"}


def test_only_what_cannot_be_counted_is_refused() -> None:
    """A trade whose id was lost in the recording, and pairs that are quoted in a coin."""
    refused = [line for line, verdict, _ in verdicts() if verdict in ("no_dollar", "without_id")]
    symbols = [{one["symbol"] for one in line["expected"]} for line in refused]
    assert symbols.count(set()) == 1
    assert {"BITBTC"} in symbols


def test_the_agreement_is_told_per_venue(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table()}")
    assert all(" agree; " in row for row in table().splitlines())
