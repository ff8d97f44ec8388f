"""A stage applies a frame once, in its chain, and tells when the chain is broken."""

import msgspec

from streams.core.events import MICROS
from streams.core.frames import Frame
from streams.core.pipeline import AssetStage, BrokenChain
from streams.core.results import CascadeWindow, Contribution
from tests.drive import META, PARAMS, encoded
from tests.seconds import FULL, START, cell


def frame(at: int, prev: int | None, **changes: object) -> Frame:
    """A frame of BTC with one forced order; seconds since `START`."""
    plain = Frame(
        "BTC",
        0,
        (START + at) * MICROS,
        None if prev is None else (START + prev) * MICROS,
        1.0,
        (FULL,),
        (FULL,),
        (f"{FULL}/liquidation",),
        (cell(),),
        (),
        (),
        (),
        (),
    )
    return msgspec.structs.replace(plain, **changes)


def stage() -> AssetStage:
    return AssetStage("BTC", PARAMS, META)


def test_each_frame_gives_one_contribution_last() -> None:
    one = stage()
    for at in range(100, 130):
        rows = one.step(frame(at, at - 1 if at > 100 else None))
        assert isinstance(rows, list)
        assert [isinstance(row, Contribution) for row in rows] == [False] * (len(rows) - 1) + [True]
        assert one.applied == (START + at) * MICROS


def test_a_quiet_frame_gives_the_market_nothing() -> None:
    one = stage()
    one.step(frame(100, None))
    rows = one.step(frame(101, 100, cells=(), quiet=True))
    assert isinstance(rows, list)
    assert not [row for row in rows if isinstance(row, Contribution)]


def test_a_frame_is_applied_once() -> None:
    one = stage()
    frames = [frame(at, at - 1 if at > 100 else None) for at in range(100, 150)]
    rows = [row for item in frames for row in _rows(one, item)]
    assert any(isinstance(row, CascadeWindow) for row in rows)
    before = one.snapshot().hot
    for item in frames:
        assert one.step(item) == []
    assert one.snapshot().hot == before


def test_a_broken_chain_is_told_and_changes_nothing() -> None:
    one = stage()
    one.step(frame(100, None))
    before = one.snapshot().hot
    broken = one.step(frame(105, 103))
    stamps = [(START + at) * MICROS for at in (100, 103, 105)]
    assert broken == BrokenChain("BTC", *stamps)
    assert one.snapshot().hot == before
    assert isinstance(one.step(frame(103, 100)), list)


def test_a_stage_without_history_may_begin_inside_a_chain_only_when_told_so() -> None:
    assert isinstance(stage().step(frame(105, 103)), BrokenChain)
    one = stage()
    assert isinstance(one.step(frame(105, 103), first=True), list)
    assert isinstance(one.step(frame(109, 107), first=True), BrokenChain)


def test_a_snapshot_is_the_whole_stage() -> None:
    one, other = stage(), stage()
    frames = [frame(at, at - 1 if at > 100 else None) for at in range(100, 160)]
    for item in frames[:30]:
        one.step(item)
    snapshot = one.snapshot()
    other.restore(snapshot.hot, snapshot.pages)
    assert set(snapshot.needed) <= set(snapshot.pages)
    for item in frames[30:]:
        assert encoded(_rows(other, item)) == encoded(_rows(one, item))


def _rows(one: AssetStage, item: Frame) -> list[object]:
    rows = one.step(item)
    assert isinstance(rows, list)
    return list(rows)
