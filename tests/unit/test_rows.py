"""What the mapping from messages to rows promises."""

import msgspec
import pytest

from streams import contracts
from streams.core.events import (
    EARLIEST_EVENT_US,
    DeadLetter,
    FeedStatus,
    LateLiquidation,
    Liquidation,
)
from streams.core.frames import BookState, Cell, Flow, Frame, LateCell, MacroValue, TickerState
from streams.core.results import CascadeWindow, Milestone, Print
from streams.edges.intake import InvalidRow, letter, read
from streams.edges.rows import TABLES, BadRow, rows
from streams.edges.signal_rows import SIGNAL_TABLES, members

GROUPS: dict[str, type[msgspec.Struct]] = {
    "cells": Cell,
    "late": LateCell,
    "flows": Flow,
    "tickers": TickerState,
    "books": BookState,
    "macro": MacroValue,
}
STRUCTS: dict[str, type[msgspec.Struct]] = {
    "liquidations": Liquidation,
    "late_events": Liquidation,
    "dead_letters": DeadLetter,
    "feed_status": FeedStatus,
    "frames": Frame,
    "cascades": CascadeWindow,
    "prints": Print,
    "milestones": Milestone,
    **{table: struct for struct, table in SIGNAL_TABLES.items()},
}
SIGNALS = frozenset(SIGNAL_TABLES.values())
OURS = {
    "liquidations": {"is_late", "revision"},
    "late_events": {"sealed_through_us", "revision"},
    "dead_letters": {"revision"},
    "feed_status": {"revision"},
    "frames": {"revision"},
}


def fields(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_the_fields_of_the_struct_and_our_bookkeeping(table: str) -> None:
    wanted = fields(STRUCTS[table]) | OURS.get(table, set())
    if table == "frames":
        wanted -= GROUPS.keys()
        wanted |= {f"{g}.{name}" for g, member in GROUPS.items() for name in fields(member)}
    for group, member in members(STRUCTS[table]).items() if table in SIGNALS else ():
        wanted -= {group}
        wanted |= {f"{group}.{name}" for name in fields(member)}
    columns = TABLES[table].columns
    assert set(columns) == wanted
    assert len(columns) == len(wanted)


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("liquidation", contracts.LIQUIDATIONS),
        ("late", contracts.LATE),
        ("frame", contracts.FRAMES),
        ("cascade", contracts.CASCADES),
        ("print", contracts.PRINTS),
        ("milestone", contracts.PRINTS),
        ("regime", contracts.REGIMES),
        ("regime_transition", contracts.REGIMES),
        ("regime_resolution", contracts.REGIMES),
        ("imbalance", contracts.SIGNALS),
        ("liquidity", contracts.SIGNALS),
        ("conditions", contracts.SIGNALS),
        ("positioning", contracts.SIGNALS),
        ("funding", contracts.SIGNALS),
        ("dominance", contracts.SIGNALS),
        ("volatility", contracts.SIGNALS),
        ("zones", contracts.ZONES),
        ("health", contracts.HEALTH),
        ("alert", contracts.ALERTS),
        ("dead_letter", contracts.DEADLETTERS),
        ("feed_status", contracts.FEEDS),
    ],
)
def test_every_example_gives_rows_as_wide_as_their_table(
    examples: dict[str, list[bytes]], kind: str, topic: str
) -> None:
    assert examples[kind]
    for example in examples[kind]:
        made = rows(read(topic, example))
        assert made
        for table, row in made:
            assert len(row) == len(TABLES[table].columns)


def column(table: str, row: tuple[object, ...], name: str) -> object:
    return row[TABLES[table].columns.index(name)]


def test_a_late_liquidation_is_marked_and_ranks_below_the_copy_in_time(
    examples: dict[str, list[bytes]],
) -> None:
    late = msgspec.json.decode(examples["late"][0], type=LateLiquidation)
    late_rows = dict(rows(late))
    assert set(late_rows) == {"liquidations", "late_events"}
    ((table, in_time),) = rows(late.liquidation)
    marked = late_rows["liquidations"]
    assert column(table, marked, "is_late") is True
    assert column(table, in_time, "is_late") is False
    assert column(table, marked, "revision") == 0
    assert column(table, in_time, "revision") == 1


def test_members_of_a_frame_become_parallel_arrays_in_their_order(
    examples: dict[str, list[bytes]],
) -> None:
    for example in examples["frame"]:
        frame = contracts.decode_frame(example)
        ((table, row),) = rows(frame)
        assert column(table, row, "cells.usd") == tuple(cell.usd for cell in frame.cells)
        assert column(table, row, "books.bid_usd") == tuple(b.bid_usd for b in frame.books)
        assert column(table, row, "late.second") == tuple(cell.second for cell in frame.late)
        for name in TABLES[table].columns:
            group = name.partition(".")[0]
            if group in GROUPS:
                members: tuple[object, ...] = getattr(frame, group)
                values = column(table, row, name)
                assert isinstance(values, tuple)
                assert len(values) == len(members)


def test_dollars_and_times_stay_integers(examples: dict[str, list[bytes]]) -> None:
    order = msgspec.json.decode(examples["liquidation"][0], type=Liquidation)
    ((table, row),) = rows(order)
    assert column(table, row, "usd") == order.usd
    assert column(table, row, "event_time_us") == order.event_time_us


@pytest.mark.parametrize("event_time_us", [0, -1, EARLIEST_EVENT_US - 1, 2**63, 10**19])
def test_a_time_outside_the_calendar_is_a_bad_row(
    examples: dict[str, list[bytes]], event_time_us: int
) -> None:
    order = msgspec.json.decode(examples["liquidation"][0], type=Liquidation)
    with pytest.raises(BadRow, match="event_time_us"):
        rows(msgspec.structs.replace(order, event_time_us=event_time_us))


def test_a_frame_between_two_seconds_is_a_bad_row(examples: dict[str, list[bytes]]) -> None:
    frame = contracts.decode_frame(examples["frame"][0])
    with pytest.raises(BadRow, match="not a whole second"):
        rows(msgspec.structs.replace(frame, second=frame.second + 1))


def test_a_negative_revision_is_a_bad_row(examples: dict[str, list[bytes]]) -> None:
    window = msgspec.json.decode(examples["cascade"][0], type=CascadeWindow)
    with pytest.raises(BadRow, match="revision -1"):
        rows(msgspec.structs.replace(window, revision=-1))


@pytest.mark.parametrize(
    "value", [None, b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"type":"cascade"}', b'"\\ud800"']
)
@pytest.mark.parametrize("topic", [contracts.FRAMES, contracts.PRINTS, contracts.LATE])
def test_what_is_no_message_is_named_and_never_raises_anything_else(
    topic: str, value: bytes | None
) -> None:
    with pytest.raises(InvalidRow):
        read(topic, value)


def test_a_result_that_breaks_a_law_is_an_invalid_row(examples: dict[str, list[bytes]]) -> None:
    window = msgspec.json.decode(examples["cascade"][0], type=CascadeWindow)
    broken = msgspec.structs.replace(window, usd_late=window.usd_observed + 1)
    with pytest.raises(InvalidRow, match="usd_late"):
        read(contracts.CASCADES, contracts.encode(broken))


class Place:
    """A consumer record as far as the sink looks at it."""

    topic = "frames.v1"
    partition = 3
    offset = 1742
    timestamp = 1_793_620_812_371

    def __init__(self, value: bytes | None) -> None:
        self.value = value


def test_the_letter_about_a_record_is_the_same_at_every_reading() -> None:
    record = Place(b"\xff" * 5000)
    first = letter(record, "invalid_row", "not UTF-8")
    assert first == letter(record, "invalid_row", "not UTF-8")
    assert first.source == "frames.v1-3@1742"
    assert first.payload_bytes == 5000
    assert len(first.payload) == 4096
    assert first.received_at_us == 1_793_620_812_371_000
    assert rows(msgspec.json.decode(contracts.encode(first), type=DeadLetter))
