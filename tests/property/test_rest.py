"""An asset stage that rests over quiet frames gives the rows of one that looks at each of them."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.core.frames import Frame
from streams.core.pipeline import AssetStage, BrokenChain
from tests.drive import META, PARAMS, Framing
from tests.scenarios import FEW, drawn


class Wakeful(AssetStage):
    """A stage that never rests: it forgets after each frame what it saw."""

    def step(self, frame: Frame, *, first: bool = False) -> list[object] | BrokenChain:  # type: ignore[override]
        self._standing = None
        return super().step(frame, first=first)  # type: ignore[return-value]


def frames_of(seed: int) -> list[Frame]:
    """The frames of a small market and of the four hours after it."""
    random, log = drawn(seed)
    framing = Framing()
    for raw in log.arranged(random):
        framing.apply(raw, None)
    return framing.frames


@FEW
@given(seed=st.integers(0, 2**32))
def test_a_stage_that_rests_gives_the_same_rows_in_the_same_order(seed: int) -> None:
    resting: dict[str, AssetStage] = {}
    wakeful: dict[str, AssetStage] = {}
    rested = 0
    for frame in frames_of(seed):
        one = resting.setdefault(frame.asset, AssetStage(frame.asset, PARAMS, META))
        other = wakeful.setdefault(frame.asset, Wakeful(frame.asset, PARAMS, META))
        before = one._detectors.prints.applied
        assert msgspec.json.encode(one.step(frame)) == msgspec.json.encode(other.step(frame))
        assert one.applied == other.applied == frame.second
        rested += one._detectors.prints.applied == before
    assert rested > 10


@FEW
@given(seed=st.integers(0, 2**32), period=st.integers(1, 40))
def test_a_restart_while_it_rests_changes_nothing(seed: int, period: int) -> None:
    whole: dict[str, AssetStage] = {}
    parts: dict[str, AssetStage] = {}
    for index, frame in enumerate(frames_of(seed)):
        one = whole.setdefault(frame.asset, AssetStage(frame.asset, PARAMS, META))
        other = parts.setdefault(frame.asset, AssetStage(frame.asset, PARAMS, META))
        if index % period == 0:
            kept = other.snapshot()
            if other.applied is not None:
                other = parts[frame.asset] = AssetStage(frame.asset, PARAMS, META)
                other.restore(kept.hot, kept.pages)
        assert msgspec.json.encode(one.step(frame)) == msgspec.json.encode(other.step(frame))
