"""The tables of what readers are told, on the results page."""

from streams.scoreboard.score import Score
from streams.scoreboard.tables import number, spread, table

_BRACKETS = {
    "excess": "`excess_low`, `excess_high`",
    "hawkes": "`branching_low`, `branching_high`",
}
_AMPLIFIED = {"amplification": "`amplification`", "against_book": "`amplification_book`"}


def readers(score: Score) -> str:
    """Delay, move, dollars, brackets, pages."""
    told = score.readers
    if told is None:
        return ""
    text = [
        "## What readers are told",
        "",
        "From the true onset to the receipt time at which the row leaves the detectors: market"
        f" {spread(told.market_delay, '{:.0f}')} s (median),"
        f" {spread(told.market_delay_p90, '{:.0f}')} s (p90);"
        f" assets {spread(told.asset_delay, '{:.0f}')} s. Kafka and the sink come on top.",
        "",
        "### Move done, and still to come",
        "",
        "Shares of the move from the second before the onset to the extreme (done and left need not"
        " add up to one); placebo: the same geometry at random times.",
        "",
        table(
            (
                "scope",
                "alarms",
                "done",
                "p90",
                "left",
                "p90",
                "left, bp",
                "placebo done",
                "placebo left",
                "placebo left, bp",
            ),
            (
                (
                    one.scope,
                    one.alarms,
                    spread(one.done),
                    number(one.done_p90),
                    spread(one.left),
                    number(one.left_p90),
                    spread(one.left_bp, "{:.0f}"),
                    spread(one.placebo_done),
                    spread(one.placebo_left),
                    spread(one.placebo_left_bp, "{:.0f}"),
                )
                for one in told.moves
            ),
        ),
        "",
        "### Dollars",
        "",
        table(
            (
                "label",
                "windows",
                "median error",
                "bias",
                "with interval",
                "inside",
                "below",
                "above",
            ),
            (
                (
                    one.identifiability,
                    one.windows,
                    spread(one.error, "{:.0%}"),
                    number(one.bias, "{:+.0%}"),
                    one.bounded,
                    spread(one.inside, "{:.0%}"),
                    one.below,
                    one.above,
                )
                for one in told.dollars
            ),
        ),
        "",
        "### Excess and amplification",
        "",
        table(
            (
                "bracket",
                "excess share at least",
                "brackets",
                "hold the truth",
                "truth below",
                "above",
                "width",
                "decide 0.2",
                "rightly",
            ),
            (
                (
                    _BRACKETS[one.bracket],
                    "any" if one.least_share is None else one.least_share,
                    one.bounded,
                    spread(one.inside, "{:.0%}"),
                    one.below,
                    one.above,
                    number(one.width),
                    one.decided,
                    one.right,
                )
                for one in told.brackets
            ),
        ),
        "",
        "Amplification: median distance from the truth in log (0.69 is a factor of two).",
        "",
        table(
            ("ours", "windows", "distance"),
            (
                (_AMPLIFIED[name], windows, spread(distance))
                for name, (windows, distance) in told.amplification.items()
            ),
        ),
        "",
        "### Pages",
        "",
        table(
            (
                "where",
                "at least",
                "asset-days",
                "asset stories",
                "market stories",
                "per asset-day",
                "per day, market",
                "a day for 400 assets",
                "kinds",
            ),
            (
                (
                    one.where,
                    one.severity,
                    f"{one.asset_days:.1f}",
                    one.asset_stories,
                    one.market_stories,
                    spread(one.per_asset_day),
                    spread(one.per_day),
                    spread(one.for_400, "{:.1f}"),
                    ", ".join(f"{kind} {count}" for kind, count in one.kinds.items()),
                )
                for one in told.pages
            ),
        ),
        "",
        f"False market-level cascade alerts a week: {spread(told.false_market_per_week)}.",
        "",
        f"Liquidation maps: {told.zones.maps}, of which {told.zones.scored} have scored an hour and"
        f" {told.zones.shown} are shown (the others have no proven skill). Median log-score skill"
        f" against a volume profile {spread(told.zones.skill, '{:.3f}')}, median AUC"
        f" {spread(told.zones.auc)}.",
        "",
    ]
    return "\n".join(text)
