"""From a target to the published value of market health: smoothing, caps, exact points.

Part of `health`. Promises event time only (one long step equals its place in time, never a count
of calls), a cap that holds at once and lets go slowly, and points that sum exactly, in
thousandths, to what is missing to 100.
"""

from collections.abc import Mapping

import msgspec

THOUSANDTHS = 1000


class Level(msgspec.Struct):
    """Smoothed value before caps, published value, and the second (s) of both.

    `held` are the caps that last held the value down, with their shares of the difference.
    """

    free: float | None = None
    value: float | None = None
    at: int = 0
    held: dict[str, float] = {}


def smooth(before: float, target: float, passed_s: float, fall_s: float, rise_s: float) -> float:
    """Exponential approach to a target with the half-life of its direction.

    >>> smooth(80.0, 40.0, 30, 30, 1800), smooth(40.0, 80.0, 1800, 30, 1800)
    (60.0, 60.0)
    """
    half_life = fall_s if target < before else rise_s
    kept: float = 0.5 ** (passed_s / half_life)
    return target + (before - target) * kept


def move(
    level: Level,
    target: float,
    caps: Mapping[str, float],
    at: int,
    fall_s: float,
    rise_s: float,
) -> None:
    """Advance to `at` (s): towards `target`, below every cap; a released cap lets go slowly.

    Args:
        level: changed in place.
        target: value of the present readings, 0..100.
        caps: highest value by the cap's name, of those now active.
        at: second of the readings.
        fall_s: half-life of falling, s.
        rise_s: half-life of rising, s.
    """
    passed = at - level.at
    free = level.free
    free = target if free is None else smooth(free, target, passed, fall_s, rise_s)
    value = free
    if level.value is not None and level.value < free and level.held:
        value = smooth(level.value, free, passed, fall_s, rise_s)
    binding = {name: cap for name, cap in caps.items() if cap < free}
    lowest = min([value, *binding.values()])
    if binding:
        level.held = _shares(free, binding)
    level.free, level.value, level.at = free, lowest, at
    if free - lowest < 0.5 / THOUSANDTHS:
        level.value, level.held = free, {}


def _shares(free: float, caps: Mapping[str, float]) -> dict[str, float]:
    """Each cap's share of the way from `free` down to the lowest, the highest cap first."""
    total = free - min(caps.values())
    shares: dict[str, float] = {}
    for name in sorted(caps, key=lambda one: (-caps[one], one)):
        shares[name] = (free - caps[name]) / total
        free = caps[name]
    return {name: share for name, share in sorted(shares.items()) if share > 0}


def apportion(total: int, parts: Mapping[str, float]) -> dict[str, int]:
    """Split a whole number in proportion to `parts`, exactly, by largest remainders.

    >>> apportion(100, {"a": 1.0, "b": 1.0, "c": 1.0})
    {'a': 34, 'b': 33, 'c': 33}
    """
    whole = sum(parts[name] for name in sorted(parts))
    if whole <= 0:
        return dict.fromkeys(sorted(parts), 0)
    exact = {name: total * (parts[name] / whole) for name in sorted(parts)}
    given = {name: int(share) for name, share in exact.items()}
    left = total - sum(given.values())
    for name in sorted(exact, key=lambda one: (given[one] - exact[one], one))[:left]:
        given[name] += 1
    return given


def points(
    level: Level, stress: Mapping[str, float]
) -> tuple[float, dict[str, float], dict[str, float]]:
    """(value, points by component, points by cap), all multiples of 0.001.

    Args:
        level: a level that has a value.
        stress: weighted stress by component, at least 0: what the points are shared by.
    """
    free, value = level.free or 0.0, level.value or 0.0
    missing = 100 * THOUSANDTHS - round(value * THOUSANDTHS)
    if not any(stress.values()):
        stress = dict.fromkeys(stress, 1.0)
    weight = sum(stress[name] for name in sorted(stress))
    shares = {("", name): (100 - free) * part / weight for name, part in stress.items()}
    shares |= {("cap", name): (free - value) * part for name, part in level.held.items()}
    whole = apportion(missing, {"|".join(key): part for key, part in shares.items()})
    components = {name: whole[f"|{name}"] / THOUSANDTHS for name in sorted(stress)}
    caps = {name: whole[f"cap|{name}"] / THOUSANDTHS for name in sorted(level.held)}
    held = {name: part for name, part in caps.items() if part > 0}
    return (100 * THOUSANDTHS - missing) / THOUSANDTHS, components, held
