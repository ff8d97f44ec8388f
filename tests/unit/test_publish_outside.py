"""Where an import writes outside values: to every partition that they concern, and to no other."""

import json

import pytest

from streams.contracts import partition_for, partitions
from streams.core import outside
from streams.core.events import Raw
from streams.edges.archives import Line
from streams.edges.publish import records
from streams.venues.catalog import default_instruments

EVERY = list(range(partitions()))
DXY = {"series": "DXY", "value": 104.2}
BTC = {"series": "premium_index:binance-usdm:BTCUSDT", "value": 0.0003, "asset": "BTC"}
SOL = {**BTC, "asset": "SOL"}


@pytest.mark.parametrize(
    ("payload", "written_to"),
    [
        (DXY, EVERY),
        (BTC, [partition_for("BTC")]),
        ([SOL, BTC, SOL], sorted({partition_for("BTC"), partition_for("SOL")})),
        ([BTC, DXY], EVERY),
        ([], EVERY),
        ({"series": "DXY"}, EVERY),
    ],
)
def test_a_value_of_one_asset_is_written_to_its_partition_alone(
    payload: object, written_to: list[int]
) -> None:
    value = json.dumps(payload).encode()
    line = Line(Raw("macro", outside.CHANNEL, "dump", 1_790_000_000_000_000, value), "dump:1")
    found = [*records(line, default_instruments())]
    assert [partition for _, partition, _, _ in found] == written_to
    assert {sent for _, _, sent, _ in found} == {value}
