"""The tables of flush detection on the results page."""

from collections.abc import Sequence

from streams.scoreboard.detection import Line
from streams.scoreboard.score import Score
from streams.scoreboard.tables import figure, number, spread, table, values

_TITLES = (("ALL", "The market as one scope"), ("assets", "Assets"))


def flushes(score: Score) -> str:
    """Every rule, for the market and for assets."""
    if not score.lines:
        return ""
    text = ["## Flushes", ""]
    for kind, title in _TITLES:
        own = [line for line in score.lines if line.scope_class == kind]
        text += [f"### {title}", "", _rules(own), "", _more(own), ""]
    text += [
        "### Recall by size",
        "",
        "Largest dollars of 60 s over open interest, basis points; ours.",
        "",
        table(
            ("scope", *(f"from {size.from_bp:g}" for size in score.lines[0].sizes)),
            (
                (
                    line.scope_class,
                    *(
                        "-" if size.recall is None else f"{size.recall:.2f} of {size.events}"
                        for size in line.sizes
                    ),
                )
                for line in _ours(score.lines)
            ),
        ),
        "",
        "### F1 by family",
        "",
        _families(score),
    ]
    if score.left_out:
        text += [
            "",
            "### A family left out of tuning",
            "",
            "Each family judged by the setting that is best on the train runs of the others.",
            "",
            table(
                ("rule", "scope", "F1"),
                ((one.rule, one.scope_class, spread(one.f1)) for one in score.left_out),
            ),
        ]
    text += [
        "",
        "### Another flush, another share",
        "",
        "Ours, the label made anew with another rate, at the setting nearest in proportion.",
        "",
        table(
            ("rate, bp", "our threshold", "scope", "events", "recall", "F1"),
            (
                (
                    one.rate_bp,
                    values(one.setting),
                    one.scope_class,
                    one.events,
                    number(one.recall),
                    number(one.f1),
                )
                for one in score.sensitivity
            ),
        ),
        "",
        "Self-reinforcing flushes at an excess share of at least "
        + ", ".join(f"{share}: {count}" for share, count in score.self_reinforcing.items())
        + f" (of {sum(score.events.values())}).",
        "",
    ]
    return "\n".join(text)


def _ours(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.lead is None]


def _rules(lines: Sequence[Line]) -> str:
    return (
        table(
            (
                "rule",
                "setting",
                "tp",
                "fp",
                "missed",
                "precision",
                "recall",
                "F1",
                "PR-AUC",
                "F1 less",
                "PR-AUC less",
            ),
            (
                (
                    line.rule,
                    f"{line.tuned}: {values(line.setting)}",
                    line.true_positives,
                    line.false_positives,
                    line.missed,
                    figure(line, "precision"),
                    figure(line, "recall"),
                    spread(line.figures["f1"]),
                    spread(line.pr_auc),
                    *(_lead(line, figure_of) for figure_of in ("f1", "pr_auc")),
                )
                for line in lines
            ),
        )
        + "\n\n`less`: ours minus this rule's, on the same resamples."
    )


def _lead(line: Line, of: str) -> str:
    return "" if line.lead is None else spread(line.lead[of], "{:+.2f}")


def _more(lines: Sequence[Line]) -> str:
    return table(
        (
            "rule",
            "setting",
            "delay, s",
            "p90",
            "false a scope and day",
            "on steady days",
            "side",
            "onset error, s",
            "end error, s",
            "dollar error",
            "magnitude error",
        ),
        (
            (
                line.rule,
                line.tuned,
                figure(line, "delay_median_s", "{:.0f}"),
                figure(line, "delay_p90_s", "{:.0f}"),
                spread(line.figures["false_per_scope_day"]),
                figure(line, "steady_false_per_scope_day"),
                figure(line, "side_accuracy"),
                figure(line, "onset_error_s", "{:.0f}"),
                figure(line, "end_error_s", "{:.0f}"),
                figure(line, "usd_error", "{:.0%}"),
                figure(line, "magnitude_error"),
            )
            for line in lines
        ),
    )


def _families(score: Score) -> str:
    best: dict[str, Line] = {}
    for line in score.lines:
        if line.lead is not None and line.tuned == "tuned":
            known = best.get(line.scope_class)
            if known is None or (line.pr_auc.estimate or 0) > (known.pr_auc.estimate or 0):
                best[line.scope_class] = line
    shown = [*_ours(score.lines), *best.values()]
    families = list(shown[0].f1_by_family)
    return table(
        ("family", *(f"{line.rule}, {line.scope_class}" for line in shown)),
        (
            (
                family,
                *(
                    "-" if line.f1_by_family[family] is None else f"{line.f1_by_family[family]:.2f}"
                    for line in shown
                ),
            )
            for family in families
        ),
    )


def points(score: Score) -> str:
    """The same on the second generator."""
    if not score.points:
        return ""
    text = ["## The second generator", ""]
    for kind, title in _TITLES:
        own = [line for line in score.points if line.scope_class == kind]
        text += [f"### {title}", "", _rules(own), ""]
    return "\n".join(text)
