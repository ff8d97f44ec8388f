"""Label paths: macro-F1, how late a change is said, and how often the label flips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.scoreboard.paths import (
    DAY,
    HOUR,
    Step,
    Transition,
    confusion,
    f1_by_label,
    flips_per_day,
    macro_f1,
    pool_confusions,
    transitions,
)

TRUE: list[Step] = [(0, "calm"), (6 * HOUR, "rush"), (8 * HOUR, "calm")]
SAID: list[Step] = [(0, None), (HOUR, "calm"), (7 * HOUR, "rush"), (9 * HOUR, "calm")]


def test_macro_f1_of_a_hand_counted_path() -> None:
    found = confusion(TRUE, SAID, 0, 10 * HOUR)
    # Calm: true 8 hours, said 7, both 6; rush: true 2, said 2, both 1.
    assert macro_f1(found) == pytest.approx(0.65)
    assert f1_by_label(found) == {"calm": 12 / 15, "rush": 2 / 4}


def test_hours_without_an_answer_are_wrong() -> None:
    found = confusion([(0, "calm")], [], 0, 4 * HOUR)
    assert found.samples == (("calm", None, 4),)
    assert macro_f1(found) == 0.0


def test_hours_without_a_truth_are_left_out() -> None:
    found = confusion([(0, None), (2 * HOUR, "calm")], [(0, "calm")], 0, 5 * HOUR)
    assert found.samples == (("calm", "calm", 3),)
    assert macro_f1(confusion([], [], 0, DAY)) is None


def test_a_label_that_is_never_true_costs_only_those_it_was_said_for() -> None:
    found = confusion([(0, "calm")], [(0, "calm"), (3 * HOUR, "storm")], 0, 4 * HOUR)
    assert f1_by_label(found) == {"calm": pytest.approx(6 / 7)}


def test_hourly_samples_and_changes_alone_mean_the_same_path() -> None:
    hourly: list[Step] = [(h * HOUR, "rush" if 7 <= h < 9 else "calm") for h in range(1, 10)]
    assert confusion(TRUE, hourly, 0, 10 * HOUR) == confusion(TRUE, SAID, 0, 10 * HOUR)
    assert transitions(TRUE, hourly, 0, DAY) == transitions(TRUE, SAID, 0, DAY)
    assert flips_per_day(hourly, 0, DAY) == flips_per_day(SAID, 0, DAY) == 2.0


def test_confusions_pool_to_that_of_the_whole() -> None:
    parts = [confusion(TRUE, SAID, 0, 5 * HOUR), confusion(TRUE, SAID, 5 * HOUR, 10 * HOUR)]
    whole = confusion(TRUE, SAID, 0, 10 * HOUR)
    assert pool_confusions(parts) == parts[0] + parts[1] == whole


labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=30)


@given(labels, st.data())
def test_macro_f1_agrees_with_counting_by_hand(true: list[str], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(true), max_size=len(true)))
    end = len(true) * HOUR
    found = confusion(
        [(i * HOUR, one) for i, one in enumerate(true)],
        [(i * HOUR, one) for i, one in enumerate(said)],
        0,
        end,
    )
    both = list(zip(true, said, strict=True))
    each = [2 * both.count((one, one)) / (true.count(one) + said.count(one)) for one in set(true)]
    assert macro_f1(found) == pytest.approx(sum(each) / len(each))


def test_a_change_is_late_by_the_time_until_it_is_said() -> None:
    assert transitions(TRUE, SAID, 0, DAY) == (
        Transition("rush", HOUR),
        Transition("calm", HOUR),
    )


def test_a_change_said_only_after_the_phase_is_over_is_missed() -> None:
    late: list[Step] = [(0, "calm"), (8 * HOUR, "rush")]
    assert transitions(TRUE, late, 0, DAY)[0] == Transition("rush", None)


def test_a_phase_that_was_being_said_already_has_no_delay() -> None:
    early: list[Step] = [(0, "rush"), (7 * HOUR, "calm")]
    assert transitions(TRUE, early, 0, DAY) == (Transition("rush", 0), Transition("calm", 0))


def test_the_first_phase_and_repeated_steps_are_no_changes() -> None:
    steps: list[Step] = [(0, "calm"), (HOUR, "calm"), (2 * HOUR, "rush"), (3 * HOUR, "rush")]
    assert transitions(steps, steps, 0, DAY) == (Transition("rush", 0),)
    assert transitions(steps, steps, 2 * HOUR, DAY) == ()


def test_a_pause_is_no_flip_and_coming_back_changed_is_one() -> None:
    paused: list[Step] = [(0, "a"), (10, None), (20, "a"), (30, None), (40, "b")]
    assert flips_per_day(paused, 0, DAY // 2) == 2.0


def test_flips_are_those_inside_the_interval_against_the_label_in_force() -> None:
    path: list[Step] = [(0, "a"), (100, "b"), (200, "a")]
    assert flips_per_day(path, 100, 100 + DAY) == 1.0
    assert flips_per_day(path, 150, 150 + DAY) == 1.0
    assert flips_per_day(path, 200, 200 + DAY) == 0.0
    assert flips_per_day(path, 200, 200) is None


def test_a_path_out_of_order_is_refused() -> None:
    backwards: list[Step] = [(10, "a"), (0, "b")]
    with pytest.raises(ValueError, match="order of time"):
        confusion(TRUE, backwards, 0, DAY)
    with pytest.raises(ValueError, match="order of time"):
        transitions(backwards, SAID, 0, DAY)
