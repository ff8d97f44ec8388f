"""What the Flink engine keeps of a stage gives the stage back, at any point, after any change."""

from collections.abc import Iterable
from functools import partial
from random import Random

import msgspec
import pytest

from streams.config import MarginquakeError
from streams.contracts import partition_for
from streams.core.frames import Frame
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain
from streams.core.results import Output
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams
from streams.engines.flink import stage_state
from streams.engines.flink.stage_state import Begin, KeyedStages, KeyState
from tests.drive import run
from tests.scenarios import drawn

EVERY = 20
OTHER = Params(throttle=ThrottleParams(doubted=("htx",)))


class Held:
    """The three states of one key, as Flink's heap backend keeps them."""

    def __init__(self) -> None:
        self.kept: bytes | None = None
        self.pages: dict[str, bytes] = {}
        self.inputs: list[str] = []

    def state(self) -> KeyState:
        return KeyState(_Value(self), _Pages(self), _Inputs(self))


class _Value:
    def __init__(self, held: Held) -> None:
        self.held = held

    def value(self) -> bytes | None:
        return self.held.kept

    def update(self, value: bytes) -> None:
        self.held.kept = value


class _Pages:
    def __init__(self, held: Held) -> None:
        self.held = held

    def get(self, key: str) -> bytes | None:
        return self.held.pages.get(key)

    def put(self, key: str, value: bytes) -> None:
        self.held.pages[key] = value

    def remove(self, key: str) -> None:
        del self.held.pages[key]


class _Inputs:
    def __init__(self, held: Held) -> None:
        self.held = held

    def get(self) -> Iterable[str]:
        return list(self.held.inputs)

    def add(self, value: str) -> None:
        self.held.inputs.append(value)

    def clear(self) -> None:
        self.held.inputs.clear()


def create(asset: str, params: Params) -> AssetStage:
    return AssetStage(asset, params, RowMeta(params.hash(), "test", partition_for(asset)))


def apply(
    stage: AssetStage, value: str, begin: Begin | bool | None, *, resumed: bool = False
) -> Iterable[Output]:
    """`begin` true: the first frame; in a job that was `resumed` it begins a chain."""
    first = begin is Begin.AGAIN or (bool(begin) and not resumed)
    rows = stage.step(msgspec.json.decode(value, type=Frame), first=first)
    if isinstance(rows, BrokenChain):
        raise MarginquakeError(f"broken: {rows}")
    return rows


def stages(params: Params | None = None) -> KeyedStages[AssetStage]:
    return KeyedStages(params or Params(), create, apply, EVERY)


@pytest.fixture(scope="module")
def frames() -> list[str]:
    """The frames of one asset through a drawn market."""
    _, log = drawn(7)
    found = [frame for frame in run(log.arranged()).framing.frames if frame.asset == "BTC"]
    assert len(found) > 5 * EVERY
    return [msgspec.json.encode(frame).decode() for frame in found]


def outputs(given: list[str], params: Params | None = None) -> list[Output]:
    stage = create("BTC", params or Params())
    return [row for n, value in enumerate(given) for row in apply(stage, value, n == 0)]


def test_a_stage_lost_after_any_input_goes_on_as_if_it_were_not(frames: list[str]) -> None:
    whole = outputs(frames)
    assert len(whole) > 80
    chance = Random(3)  # noqa: S311
    held, ours = Held(), stages()
    given: list[Output] = []
    for value in frames:
        if chance.random() < 0.05:
            ours = stages()
        given.extend(ours.step("BTC", value, held.state()))
    assert given == whole


def test_a_stage_with_histories_begins_its_chain_with_the_first_frame_also_after_a_loss(
    frames: list[str],
) -> None:
    past = create("BTC", Params())
    for number, value in enumerate(frames[: 2 * EVERY]):
        list(apply(past, value, number == 0))
    histories = past.snapshot()
    later = frames[3 * EVERY :]

    def warm(key: str, stage: AssetStage) -> bool:
        stage.warm(histories.hot, histories.pages)
        return True

    def fail(key: str, stage: AssetStage) -> bool:
        raise AssertionError("a stage with a state of its own takes no histories")

    whole = create("BTC", Params())
    warm("BTC", whole)
    expected = [row for n, value in enumerate(later) for row in apply(whole, value, n == 0)]
    assert expected != outputs(later)
    for lost in (1, 2, EVERY, EVERY + 1):
        held = Held()
        ours = KeyedStages(Params(), create, apply, EVERY, warm)
        given: list[Output] = []
        for number, value in enumerate(later):
            if number == lost:
                ours = KeyedStages(Params(), create, apply, EVERY, fail)
            given.extend(ours.step("BTC", value, held.state()))
        assert given == expected


def test_the_state_is_a_snapshot_its_pages_and_the_inputs_since(frames: list[str]) -> None:
    held, ours = Held(), stages()
    for number, value in enumerate(frames, 1):
        list(ours.step("BTC", value, held.state()))
        assert len(held.inputs) == number % EVERY
        kept = msgspec.msgpack.decode(held.kept or b"")
        assert set(kept["pages"]) == set(held.pages)


@pytest.mark.parametrize("cut", [EVERY - 3, EVERY, 3 * EVERY + 7])
def test_other_parameters_hold_from_the_restore_on(frames: list[str], cut: int) -> None:
    held, ours = Held(), stages()
    before = [row for value in frames[:cut] for row in ours.step("BTC", value, held.state())]
    assert before == outputs(frames[:cut])
    ours = stages(OTHER)
    after = [row for value in frames[cut:] for row in ours.step("BTC", value, held.state())]
    old = create("BTC", Params())
    for number, value in enumerate(frames[:cut]):
        list(apply(old, value, number == 0))
    new = create("BTC", OTHER)
    snapshot = old.snapshot()
    new.restore(snapshot.hot, snapshot.pages)
    assert after == [row for value in frames[cut:] for row in apply(new, value, False)]
    again = stages(OTHER)
    assert held.kept is not None
    list(again.step("BTC", frames[-1], held.state()))
    assert msgspec.convert(msgspec.msgpack.decode(held.kept)["params"], Params) == OTHER


@pytest.mark.parametrize("cut", [1, EVERY - 1, EVERY, EVERY + 1])
def test_a_stage_that_began_within_a_chain_goes_on_after_any_restore(
    frames: list[str], cut: int
) -> None:
    """As where frames.v1 has lost its oldest: a job that goes on takes no such beginning anew."""
    cropped = frames[7:]
    held, ours = Held(), stages()
    for value in cropped[:cut]:
        list(ours.step("BTC", value, held.state()))
    ours = KeyedStages(Params(), create, partial(apply, resumed=True), EVERY)
    after = [row for value in cropped[cut:] for row in ours.step("BTC", value, held.state())]
    assert after
    assert after == outputs(cropped)[len(outputs(cropped[:cut])) :]


def test_a_missing_frame_is_told_and_a_repeated_one_is_ignored(frames: list[str]) -> None:
    held, ours = Held(), stages()
    list(ours.step("BTC", frames[0], held.state()))
    assert list(ours.step("BTC", frames[0], held.state())) == []
    with pytest.raises(MarginquakeError, match="broken"):
        list(ours.step("BTC", frames[2], held.state()))


def test_a_state_of_another_version_is_refused(
    frames: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    list(stages().step("BTC", frames[0], held.state()))
    monkeypatch.setattr(stage_state, "STATE_FORMAT", 2)
    with pytest.raises(MarginquakeError, match=r"versions 1\.3, this program has 2\.3"):
        list(stages().step("BTC", frames[1], held.state()))


def test_a_state_that_lacks_a_page_is_refused(frames: list[str]) -> None:
    held, ours = Held(), stages()
    for value in frames[: 2 * EVERY]:
        list(ours.step("BTC", value, held.state()))
    held.pages.popitem()
    with pytest.raises(MarginquakeError, match="lacks page"):
        list(stages().step("BTC", frames[2 * EVERY], held.state()))
