"""The results page: a score as Markdown, every figure with its interval and its number of cases.

Last step of `marginquake score`. Promises that nothing is on the page but what the score holds.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from streams.config import MarginquakeError
from streams.scoreboard.page_flushes import flushes, points
from streams.scoreboard.page_others import leverage, recorded, throttle
from streams.scoreboard.page_readers import readers
from streams.scoreboard.score import THROTTLED, Score
from streams.scoreboard.tables import seed_range, table, values
from streams.scoreboard.targets import targets
from streams.scoreboard.tuning import Choices

LOOKS = Path(__file__).with_name("looks.json")


class Look(msgspec.Struct, frozen=True):
    """One time that figures of test seeds were seen: when, of what, and what was changed after."""

    on: str
    what: str
    then: str


def looks() -> tuple[Look, ...]:
    """Every look at test seeds so far, kept by hand.

    Raises:
        MarginquakeError: the file cannot be read.
    """
    try:
        return msgspec.json.decode(LOOKS.read_bytes(), type=tuple[Look, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise MarginquakeError(
            f"cannot read the looks at test seeds in {LOOKS}: {error}; install marginquake again"
        ) from None


def looked(score: Score) -> Look | None:
    """The look at test seeds that a score is; what follows it is added by hand.

    None where no part of the score is of seeds.
    """
    named = [name for name in ("lines", "readers", "points") if getattr(score, name)]
    what = [f"{', '.join(named)} of seeds {', '.join(map(str, score.seeds))}"] if named else []
    if score.throttle:
        what.append(f"throttle of seeds {', '.join(map(str, score.seeds[:THROTTLED]))}")
    cycles = {"regimes": score.regimes, "health": score.health}
    what += [f"{name} of cycles {seed_range(part.seeds)}" for name, part in cycles.items() if part]
    return Look(score.made_on, "; ".join(what), "") if what else None


def note(look: Look) -> None:
    """Add a look to those before it.

    Raises:
        MarginquakeError: the file cannot be written; names the record to add by hand.
    """
    part = LOOKS.with_name(f"{LOOKS.name}.part")
    try:
        data = msgspec.json.encode([*looks(), look])
        part.write_bytes(msgspec.json.format(data, indent=1) + b"\n")
        part.replace(LOOKS)
    except (OSError, MarginquakeError) as error:
        record = msgspec.json.encode(look).decode()
        raise MarginquakeError(
            f"this look at test seeds could not be noted ({error}); add it to {LOOKS} by hand: "
            f"{record}"
        ) from None


def choices(chosen: Choices) -> str:
    """The chosen settings as a table."""
    rows = (
        (one.rule, ", ".join(one.classes), values(one.setting), f"{one.train_f1:.3f}", one.tried)
        for one in chosen.chosen
    )
    return table(("rule", "scopes", "setting", "F1 on train runs", "tried"), rows)


def page(score: Score, seen: Sequence[Look]) -> str:
    """The whole page; `seen`: the looks at test seeds, this score's among them."""
    parts = [
        _head(score, seen),
        _targets(score),
        flushes(score),
        readers(score),
        points(score),
        leverage(score),
        throttle(score),
        recorded(score),
    ]
    return "\n".join(part for part in parts if part)


def _head(score: Score, seen: Sequence[Look]) -> str:
    seeds = ", ".join(map(str, score.seeds))
    lines = [
        "# Scoreboard",
        "",
        "Written by `marginquake score --page docs/scoreboard.md`; do not edit. Simulated markets",
        "([how](simulation.md)) say nothing about real ones: they show which rule is right where",
        "the truth is known. Intervals are 95 %, by resampling whole runs; with so few runs they",
        "are too narrow. Words and rules are those of [the page on scoring](scoring.md).",
        "",
        f"Made {score.made_on}, {score.split} seeds {seeds}: {score.runs} runs,"
        f" {score.asset_days:.1f} asset-days, {score.events.get('ALL', 0)} true flushes of the"
        f" market and {score.events.get('assets', 0)} of assets. Definition `{score.definition}`,"
        f" parameters `{score.params_hash}`.",
        "",
    ]
    if score.split == "train":
        lines += [
            "**These are train seeds.** Settings were chosen on them, so the figures flatter, ours",
            "and the tuned rivals' alike; `--split test` gives the others.",
            "",
        ]
    times = "once" if len(seen) == 1 else f"{len(seen)} times"
    lines.append(f"Test seeds have been looked at {times}{':' if seen else '.'}")
    for number, one in enumerate(seen, 1):
        lines.append(f"{number}. {one.on}: {one.what}{'; ' if one.then else ''}{one.then}.")
    return "\n".join([*lines, ""])


def _targets(score: Score) -> str:
    found = targets(score)
    if not found:
        return ""
    rows = (
        (one.what, one.wanted, one.measured, {True: "yes", False: "**no**", None: "-"}[one.met])
        for one in found
    )
    return (
        "## Targets\n\n"
        + table(("figure", "wanted", "measured", "met"), rows)
        + "\n\nSteady days were made without a true flush, after the first look at test seeds.\n"
    )
