"""What the scoreboard was meant to reach, and whether it did: a line for each target.

Between the score and its page. Promises that a target is met only by the figure itself, not by the
end of its interval, and that one that was not measured says so.
"""

from collections.abc import Callable, Sequence

import msgspec

from streams.scoreboard.detection import Line
from streams.scoreboard.judging import OURS
from streams.scoreboard.score import Score


class Target(msgspec.Struct, frozen=True):
    """What was wanted, what came out, and whether that is enough; None: not measured."""

    what: str
    wanted: str
    measured: str
    met: bool | None


def targets(score: Score) -> tuple[Target, ...]:
    """All of them, in the order of the page."""
    found: list[Target] = []
    for kind in ("ALL", "assets"):
        found += _detection(score, kind)
    found += _readers(score)
    regimes = score.regimes
    if regimes is not None:
        ours = regimes.rules[0]
        f1, delay = ours.macro_f1.estimate, ours.delay_h.estimate
        found.append(_target("regime macro-F1", "at least 0.80", f1, "{:.2f}", lambda x: x >= 0.80))
        found.append(
            _target("median regime delay", "at most 6 h", delay, "{:.0f} h", lambda x: x <= 6)
        )
    if score.health is not None:
        for area in score.health.areas:
            leads = [one.estimate for one in area.better.values()]
            known = [lead for lead in leads if lead is not None]
            worst = min(known) if known and len(known) == len(leads) else None
            found.append(
                _target(
                    f"health AUC less the better single factor: {area.event}, {area.hours_ahead} h",
                    "above 0",
                    worst,
                    "{:+.3f}",
                    lambda x: x > 0,
                )
            )
    return tuple(found)


def _detection(score: Score, kind: str) -> list[Target]:
    lines = [line for line in score.lines if line.scope_class == kind]
    ours = next((line for line in lines if line.rule == OURS), None)
    if ours is None:
        return []
    rivals = [line for line in lines if line.rule != OURS]
    found = [
        _target(
            f"flush F1, {kind}",
            "at least 0.93",
            ours.figures["f1"].estimate,
            "{:.3f}",
            lambda x: x >= 0.93,
        ),
        _target(
            f"side accuracy, {kind}",
            "at least 0.98",
            ours.figures["side_accuracy"].estimate,
            "{:.3f}",
            lambda x: x >= 0.98,
        ),
        _target(
            f"false alarms on steady days, {kind}",
            "none",
            ours.figures["steady_false_per_scope_day"].estimate,
            "{:.2f} a scope and day",
            lambda x: x == 0,
        ),
    ]
    if rivals:
        found.append(_above_all(ours, rivals, kind))
    return found


def _above_all(ours: Line, rivals: Sequence[Line], kind: str) -> Target:
    what, wanted = f"PR-AUC above every rival, {kind}", "above all"
    mine = ours.pr_auc.estimate
    areas = [(area, one) for one in rivals if (area := one.pr_auc.estimate) is not None]
    if mine is None or len(areas) < len(rivals):
        return Target(what, wanted, "not measured", None)
    theirs, best = max(areas, key=lambda pair: pair[0])
    measured = f"{mine:.3f} against {theirs:.3f} ({best.rule}, {best.tuned})"
    return Target(what, wanted, measured, mine > theirs)


def _readers(score: Score) -> list[Target]:
    told = score.readers
    if told is None:
        return []
    pages = {(one.where, one.severity): one for one in told.pages}
    calm = pages["calm days", "warning"].for_400
    steady = pages["steady days", "warning"]
    ok = next((one for one in told.dollars if one.identifiability == "ok"), None)
    whole = told.dollars[0]
    brackets = told.brackets[0]
    found = [
        _target(
            "median delay to publication, ALL",
            "at most 60 s",
            told.market_delay.estimate,
            "{:.0f} s",
            lambda x: x <= 60,
        ),
        _target(
            "pages a day for 400 assets, calm days, warnings too",
            "at most 2",
            calm.estimate,
            "{:.1f}",
            lambda x: x <= 2,
        ),
        _target(
            "market pages a day on steady-high days",
            "none",
            steady.per_day.estimate,
            "{:.1f}",
            lambda x: x == 0,
        ),
        _target(
            f"pages on steady-high days, all scopes ({steady.asset_days:g} asset-days)",
            "none",
            float(steady.asset_stories + steady.market_stories) if steady.asset_days else None,
            "{:.0f}",
            lambda x: x == 0,
        ),
        _target(
            "false market-level alerts a week",
            "at most 1",
            told.false_market_per_week.estimate,
            "{:.1f}",
            lambda x: x <= 1,
        ),
        _target(
            "dollar estimate, median error, all windows",
            "within 15 %",
            whole.error.estimate,
            "{:.1%}",
            lambda x: x <= 0.15,
        ),
        _target(
            f"truths inside our 80 % intervals ({whole.bounded} of {whole.windows} windows)",
            "75 to 85 %",
            whole.inside.estimate,
            "{:.0%}",
            lambda x: 0.75 <= x <= 0.85,
        ),
        _target(
            f"excess brackets that hold the truth ({brackets.bounded} of {brackets.windows})",
            "80 %",
            brackets.inside.estimate,
            "{:.0%}",
            lambda x: x >= 0.8,
        ),
        _target(
            "brackets of the Hawkes fits that hold it",
            "80 %",
            told.brackets[-1].inside.estimate,
            "{:.0%}",
            lambda x: x >= 0.8,
        ),
    ]
    if ok is not None:
        found.insert(
            5,
            _target(
                "dollar estimate, median error, label `ok`",
                "within 15 %",
                ok.error.estimate,
                "{:.1%}",
                lambda x: x <= 0.15,
            ),
        )
    return found


def _target(
    what: str,
    wanted: str,
    value: float | None,
    form: str,
    enough: Callable[[float], bool],
) -> Target:
    if value is None:
        return Target(what, wanted, "not measured", None)
    return Target(what, wanted, form.format(value), enough(value))
