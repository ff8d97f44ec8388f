"""What a picture keeps of a replay: windows by their newest revision, published dollars."""

import msgspec

from streams import contracts
from streams.core.events import MICROS, Liquidation
from streams.core.results import CascadeWindow
from streams.edges.pictured import OPEN_S, Pictured


def test_the_newest_revision_of_a_window_is_kept_in_seconds(
    examples: dict[str, list[bytes]],
) -> None:
    row = contracts.decode_result(examples["cascade"][0])
    assert isinstance(row, CascadeWindow)
    kept = Pictured()
    kept.write(msgspec.structs.replace(row, end=None))
    ((_, _, _, _, detected_at, end),) = kept.spans()
    assert end == detected_at + OPEN_S
    closed = msgspec.structs.replace(row, end=row.onset + 77 * MICROS)
    kept.write(closed)
    onset = row.onset // MICROS
    assert kept.spans() == [
        (
            row.scope,
            row.side,
            row.window_class,
            onset,
            row.detected_at // MICROS,
            onset + 77,
        )
    ]


def test_published_dollars_add_up_by_second_and_side(examples: dict[str, list[bytes]]) -> None:
    order = msgspec.json.decode(examples["liquidation"][0], type=Liquidation)
    kept = Pictured()
    kept.write(order)
    kept.write(msgspec.structs.replace(order, venue="okx"))
    second = order.event_time_us // MICROS
    assert kept.usd == {(second, order.position_side): 2 * order.usd}
