"""The tables of regime, health, throttle and recordings on the results page."""

from collections.abc import Sequence

from streams.scoreboard.score import Score
from streams.scoreboard.tables import number, seed_range, spread, table


def leverage(score: Score) -> str:
    """Regime and health."""
    text: list[str] = []
    if score.regimes is not None:
        found = score.regimes
        text += [
            "## Regime",
            "",
            f"Seeds {seed_range(found.seeds)}, {found.hours:,} hours;"
            f" left out: {', '.join(f'{w} {n:,} h' for w, n in found.left_out.items())}."
            f" The true phase changes {found.true_flips_per_day:.2f} times a day.",
            "",
            table(
                (
                    "rule",
                    "macro-F1",
                    "median delay, h",
                    "entries",
                    "missed",
                    "flips a day",
                    "log loss",
                ),
                (
                    (
                        one.rule,
                        spread(one.macro_f1),
                        spread(one.delay_h, "{:.0f}"),
                        one.entries,
                        one.missed,
                        f"{one.flips_per_day:.2f}",
                        number(one.log_loss),
                    )
                    for one in found.rules
                ),
            ),
            "",
        ]
    if score.health is not None:
        text += [
            "## Health",
            "",
            f"Area under the ROC curve, seeds {seed_range(score.health.seeds)}; `less`: ours minus"
            " the better single factor, on the same resamples.",
            "",
            table(
                (
                    "what comes",
                    "within, h",
                    *(score.health.areas[0].auc),
                    *(f"less {name}" for name in score.health.areas[0].better),
                ),
                (
                    (
                        area.event,
                        area.hours_ahead,
                        *(spread(one, "{:.3f}") for one in area.auc.values()),
                        *(spread(one, "{:+.3f}") for one in area.better.values()),
                    )
                    for area in score.health.areas
                ),
            ),
            "",
        ]
    return "\n".join(text)


def throttle(score: Score) -> str:
    """Complete orders, throttled in software."""
    if not score.throttle:
        return ""
    return (
        "## A throttle in software\n\n"
        + table(
            ("source", "rule", "orders/s", "minutes", "published", "estimate", "error", "in 80 %"),
            (
                (
                    one.source,
                    one.pick,
                    "all" if one.rate is None else f"{one.rate:g}",
                    one.blocks,
                    f"{one.published:.2f}",
                    f"{one.estimate:.2f}",
                    number(one.error, "{:.0%}"),
                    number(one.covered, "{:.0%}"),
                )
                for one in score.throttle
            ),
        )
        + "\n\nOne slot inverted by itself, as without a complete feed; over true dollars.\n"
    )


def recorded(score: Score) -> str:
    """Counts on real recordings."""
    if score.recorded is None:
        return ""
    return (
        "## Real recordings\n\n"
        f"{score.recorded.bursts_apart} labelled bursts apart from each other: counts only.\n\n"
        + table(
            (
                "rule",
                "scope",
                "events",
                "found",
                "side right",
                "spans",
                "again",
                "near",
                "elsewhere",
            ),
            (
                (
                    one.rule,
                    one.scope,
                    one.events,
                    one.found,
                    one.side_right,
                    one.spans,
                    one.again,
                    one.near,
                    one.elsewhere,
                )
                for one in score.recorded.counts
            ),
        )
        + "\n"
        + _not_shown(score.recorded.without_interest)
    )


def _not_shown(rules: Sequence[str]) -> str:
    if not rules:
        return ""
    return f"\nNot shown: {', '.join(rules)}, since recordings hold no open interest.\n"
