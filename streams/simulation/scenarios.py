"""Scenarios: seedable presets of what happens to the market and to the feeds.

Each writes a plan and says how the market stands at its opening and which constants differ. The
seed places events in time and sizes them inside the ranges written here. Promises that a scenario
uses nothing but outside events: whether a flush follows, and whether it feeds on itself, is up to
the engine. `october-2025` is a reconstruction from published figures, not a recording.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.simulation.law import Law
from streams.simulation.market import Opening
from streams.simulation.noise import chance, rooted
from streams.simulation.orders import VENUES
from streams.simulation.plan import HOUR_S, Plan, ordinary

WHERE: Final = 71
"""Stream of noise used here."""
WEDNESDAY: Final = 1_794_960_000
"""2026-11-18 00:00 UTC."""
SATURDAY: Final = 1_795_219_200
NOWHERE: Final = 1 / 14_400
"""Pull that keeps a day within about a percent of its opening."""
OCTOBER: Final = 1_760_097_600
"""2025-10-10 12:00 UTC."""


class Gap(msgspec.Struct, frozen=True):
    """A connection is down from `begin` to `end`, steps."""

    connection: str
    begin: int
    end: int


class Stage(msgspec.Struct):
    """A plan in the making: the scenario changes it in place."""

    plan: Plan
    law: Law
    opening: Opening
    gaps: list[Gap]
    seed: int
    steps: int
    phases: list[tuple[int, str]]

    def between(self, draw: int, low: float, high: float) -> float:
        """A number of the seed's in a range."""
        return low + (high - low) * chance(self.seed, WHERE, draw, 0)

    def at(self, draw: int, low: float, high: float) -> int:
        """A step between two shares of the run."""
        return int(self.between(draw, low, high) * self.steps)

    def span(self, seconds: float) -> int:
        """Steps of a time."""
        return max(1, int(seconds / self.law.step_s))

    def move(self, begin: int, seconds: float, log_return: float, beta: list[float]) -> None:
        """Move all fundamentals from step `begin`, evenly; `log_return` of beta 1."""
        steps = self.span(seconds)
        for asset, response in enumerate(beta):
            self.plan.drift[begin : begin + steps, asset] += log_return * response / steps


Author = Callable[[Stage, list[float]], None]


class Scenario(msgspec.Struct, frozen=True):
    """A preset: what `--list` shows and what `staged` needs."""

    name: str
    about: str
    hours: float
    assets: int
    author: Author
    start_s: int = WEDNESDAY
    step_s: float = 1.0
    self_reinforcing: str = "open"
    """What the author expects: yes, no, open, none (no flush at all)."""


def staged(scenario: Scenario, seed: int, beta: list[float], hours: float | None = None) -> Stage:
    """The plan of a scenario for a seed; `beta` of the assets."""
    law = Law(step_s=scenario.step_s)
    steps = int((hours or scenario.hours) * HOUR_S / scenario.step_s)
    plan = ordinary(scenario.start_s, steps, scenario.step_s, len(beta), len(VENUES))
    stage = Stage(plan, law, Opening(), [], rooted(scenario.name, seed), steps, [])
    scenario.author(stage, beta)
    return stage


def _calm(stage: Stage, beta: list[float]) -> None:
    """Nothing but an ordinary day that goes nowhere."""
    stage.law = stage.law._replace(revert_per_s=NOWHERE)


def _crowded(stage: Stage, lean: float, appetite: float, rise: float) -> None:
    """The market stands crowded at its opening and stays so."""
    stage.opening = Opening(lean, appetite, rise)
    stage.plan.lean[:] += 0.6 * lean
    stage.plan.appetite[:] *= appetite


def _build_up(stage: Stage, beta: list[float]) -> None:
    _crowded(stage, 0.9, stage.between(1, 3.0, 4.3), 0.04)
    stage.law = stage.law._replace(impact=1.1)
    stage.plan.depth[:] *= 0.7
    begin = stage.at(2, 0.5, 0.7)
    stage.move(begin, stage.between(3, 300, 900), -stage.between(4, 0.014, 0.022), beta)
    stage.plan.appetite[begin:] = 1.0
    stage.plan.lean[begin:] = 0.0


def _news(stage: Stage, beta: list[float]) -> None:
    stage.law = stage.law._replace(impact=0.12, herd=0.0, lasting=0.1, withdraw=0.9)
    sign = -1.0 if stage.between(1, 0.0, 1.0) < 0.7 else 1.0
    size = stage.between(2, 0.03, 0.05)
    stage.move(stage.at(3, 0.45, 0.75), stage.between(4, 60, 240), sign * size, beta)
    stage.opening = Opening(0.0, 2.0, 0.0)


def _steady(stage: Stage, beta: list[float]) -> None:
    stage.plan.volatility[:] *= 1.1
    stage.opening = Opening(0.1, 2.6, 0.0)
    stage.plan.appetite[:] *= 4.0
    # Small accounts in deep books: many orders, none of which makes the next.
    stage.law = stage.law._replace(
        tail=0.0,
        jump_sigma=0.0,
        sigma_wander=0.1,
        withdraw=0.75,
        revert_per_s=NOWHERE,
        impact=0.2,
        herd=0.0,
        size_sigma=1.4,
    )


def _grind(stage: Stage, beta: list[float]) -> None:
    begin = stage.at(1, 0.2, 0.3)
    seconds = (0.9 - 0.3) * stage.steps * stage.law.step_s
    stage.move(begin, seconds, -stage.between(2, 0.05, 0.08), beta)
    stage.opening = Opening(0.5, 2.4, 0.03)


def _squeeze(stage: Stage, beta: list[float]) -> None:
    _crowded(stage, -1.0, stage.between(1, 2.7, 3.9), -0.04)
    stage.law = stage.law._replace(impact=1.1)
    stage.plan.depth[:] *= 0.7
    begin = stage.at(2, 0.5, 0.7)
    stage.move(begin, stage.between(3, 300, 900), stage.between(4, 0.014, 0.022), beta)
    stage.plan.appetite[begin:] = 1.0
    stage.plan.lean[begin:] = 0.0


def _wick(stage: Stage, beta: list[float]) -> None:
    stage.opening = Opening(0.3, 2.4, 0.01)
    asset = int(stage.between(1, 0, len(beta)))
    begin = stage.at(2, 0.45, 0.75)
    size = stage.between(3, 2.5, 4.0)
    for step in range(stage.span(12)):
        stage.plan.push[begin + step, asset] -= size / stage.span(12)
    back = begin + stage.span(12) + stage.span(stage.between(4, 5, 25))
    for step in range(stage.span(40)):
        stage.plan.push[back + step, asset] += 0.75 * size / stage.span(40)


def _fault(stage: Stage, beta: list[float]) -> None:
    stage.opening = Opening(0.2, 3.2, 0.01)
    venue = int(stage.between(1, 0, len(VENUES)))
    begin = stage.at(2, 0.45, 0.75)
    sign = -1.0 if stage.between(3, 0.0, 1.0) < 0.7 else 1.0
    stage.plan.fault[begin : begin + stage.span(stage.between(4, 30, 90)), venue] = (
        sign * stage.between(5, 0.02, 0.045)
    )


def _gap(stage: Stage, beta: list[float]) -> None:
    _build_up(stage, beta)
    begin = stage.at(2, 0.5, 0.7)
    down = begin + stage.span(stage.between(5, 120, 420))
    stage.gaps.append(Gap("linear-0", down, down + stage.span(stage.between(6, 60, 240))))
    stage.gaps.append(Gap("usdm-market-0", down + 40, down + 40 + stage.span(45)))


def _weekend(stage: Stage, beta: list[float]) -> None:
    stage.plan.depth[:] *= 0.6
    stage.opening = Opening(0.5, 3.0, 0.02)
    for event in range(2):
        begin = stage.at(10 + event, 0.3 + 0.35 * event, 0.5 + 0.35 * event)
        sign = -1.0 if stage.between(20 + event, 0.0, 1.0) < 0.65 else 1.0
        stage.move(begin, stage.between(30 + event, 120, 900), sign * 0.012, beta)


def _october(stage: Stage, beta: list[float]) -> None:
    """A fall at 14:57 UTC, news at 20:50, the break from 21:10 in two blows, then a rebound."""
    if stage.span(10 * HOUR_S) > stage.steps:
        raise MarginquakeError("october-2025 needs at least --hours 10: it breaks at 21:10 UTC")
    _crowded(stage, 0.25, 2.4, 0.03)
    stage.law = stage.law._replace(
        fund=0.006,
        backstop=0.01,
        impact=0.37,
        withdraw=2.4,
        least_depth=0.01,
        herd=0.1,
        revert_per_s=2 * NOWHERE,
        sigma_wander=0.15,
        jump_per_s=0.0,
    )
    news = stage.span((8 * 60 + 50) * 60)
    blow = news + stage.span(1_236)
    calmer = news + stage.span(2_400)
    stage.move(stage.span((2 * 60 + 57) * 60), 2_400, -0.065, beta)
    stage.move(news, 900, -0.012, beta)
    stage.move(blow, 125, -0.045, beta)
    stage.move(news + stage.span(1_470), 60, -0.028, beta)
    stage.move(news + stage.span(1_620), 900, 0.06, beta)
    stage.move(news + stage.span(2_520), 1_200, 0.03, beta)
    stage.plan.volatility[:news] *= 0.5
    stage.plan.volatility[news:calmer] *= 1.5
    stage.plan.depth[blow:calmer] *= 0.6
    stage.plan.appetite[news:] = 2.0
    stage.plan.lean[news:] = -0.9


def _cycles(stage: Stage, beta: list[float]) -> None:
    """Accumulation, expansion, euphoria, a break; dwell times and mirrors are drawn."""
    day = stage.span(86_400)
    stage.law = stage.law._replace(
        orders_per_s=60.0,
        size_times=12.0,
        cross_accounts=120.0,
        fund=0.2,
        backstop=0.3,
        basis=0.002,
        basis_at=0.1,
    )
    begin, draw = 0, 100
    phase = "accumulation"
    mirror = 1.0
    while begin < stage.steps:
        dwell, drift, lean, hot, growth, wild = _PHASES[phase]
        length = int(day * dwell * (0.4 - 0.9 * _log(stage.between(draw, 0.02, 1.0))))
        length = max(length, stage.span(6 * HOUR_S))
        end = min(stage.steps, begin + length)
        stage.phases.append((begin, phase))
        plan = stage.plan
        plan.lean[begin:end] += mirror * lean
        plan.appetite[begin:end] *= hot
        plan.growth[begin:end] *= growth
        plan.volatility[begin:end] *= wild
        if phase == "liquidation":
            fall = stage.between(draw + 1, 0.06, 0.12)
            hours = stage.between(draw + 2, 1.0, 5.0)
            stage.move(begin, min(hours * HOUR_S, (end - begin) * 60), -mirror * fall, beta)
        else:
            stage.move(begin, (end - begin) * 60, mirror * drift * (end - begin) / day, beta)
        turn = stage.between(draw + 3, 0.0, 1.0)
        mirror_turn = stage.between(draw + 4, 0.0, 1.0)
        phase = _after(phase, turn)
        if phase == "expansion":
            mirror = 1.0 if mirror_turn < 0.8 else -1.0
        begin, draw = end, draw + 8


_PHASES: Final = {
    "accumulation": (12.0, 0.0, 0.0, 0.7, 0.7, 0.75),
    "expansion": (12.0, 0.009, 0.35, 1.2, 1.4, 1.0),
    "euphoria": (5.0, 0.012, 1.0, 2.5, 2.2, 0.95),
    "liquidation": (0.7, 0.0, -0.4, 0.4, 0.4, 2.2),
}
"""Mean days, log drift a day, lean, appetite, growth, volatility."""


def _after(phase: str, turn: float) -> str:
    """The next phase; mostly the cycle's own order, with shortcuts."""
    if phase == "accumulation":
        return "expansion" if turn < 0.9 else "liquidation"
    if phase == "expansion":
        return "euphoria" if turn < 0.7 else "liquidation" if turn < 0.85 else "accumulation"
    if phase == "euphoria":
        return "liquidation" if turn < 0.85 else "expansion"
    return "accumulation" if turn < 0.75 else "expansion"


def _log(x: float) -> float:
    from streams.simulation.noise import ln

    return ln(x)


SCENARIOS: Final = {
    one.name: one
    for one in (
        Scenario("calm", "an ordinary working day", 24, 4, _calm, self_reinforcing="none"),
        Scenario(
            "build-up",
            "crowded longs with high leverage, then a modest push",
            12,
            6,
            _build_up,
            self_reinforcing="yes",
        ),
        Scenario(
            "news-shock",
            "a large move of the fundamental into deep books: forced orders, no feedback",
            12,
            6,
            _news,
            self_reinforcing="no",
        ),
        Scenario(
            "steady-high",
            "a day of high forced flow without concentration; hardly a flush in it",
            24,
            4,
            _steady,
            self_reinforcing="none",
        ),
        Scenario("slow-grind", "down 5 to 8 % over hours without a jump", 12, 6, _grind),
        Scenario(
            "short-squeeze",
            "crowded shorts, then a modest rise",
            12,
            6,
            _squeeze,
            self_reinforcing="yes",
        ),
        Scenario(
            "flash-wick", "one large market order sweeps stops and is bought back", 8, 4, _wick
        ),
        Scenario("index-fault", "one venue's index is wrong for a minute", 8, 4, _fault),
        Scenario(
            "feed-gap",
            "build-up, and two connections drop in the middle of it",
            12,
            6,
            _gap,
            self_reinforcing="yes",
        ),
        Scenario(
            "weekend", "thin books on a Saturday and two small shocks", 24, 6, _weekend, SATURDAY
        ),
        Scenario(
            "october-2025",
            "two waves after 20:50 UTC with auto-deleveraging, from published figures",
            12,
            10,
            _october,
            OCTOBER,
            self_reinforcing="yes",
        ),
        Scenario(
            "cycles",
            "leverage cycles of months in steps of a minute: hourly series, no feeds",
            24 * 150,
            2,
            _cycles,
            step_s=60.0,
        ),
    )
}


def scenario(name: str) -> Scenario:
    """The preset of a name.

    Raises:
        MarginquakeError: there is none.
    """
    found = SCENARIOS.get(name)
    if found is None:
        raise MarginquakeError(f"no scenario {name!r}; take one of {', '.join(SCENARIOS)}")
    return found
