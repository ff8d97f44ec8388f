"""Judges every rule at every setting on one run: ours and the rivals on the same orders.

Between runs and figures. Promises that all a table needs of a run is the counts given here, so that
tuning, leaving families out and resampling never touch a run again. Ours sees what its stages see;
rivals see the published orders.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.core.detectors.cascade.params import CascadeParams
from streams.scoreboard.flow import lay
from streams.scoreboard.framed import MARK, read_case
from streams.scoreboard.keeping import code, kept
from streams.scoreboard.matching import match
from streams.scoreboard.metrics import Counts, ScopeClass, counts
from streams.scoreboard.rivals import RIVALS
from streams.scoreboard.spans import Case, Event, Span
from streams.scoreboard.sweeps import cascade_spans

OURS: Final = "marginquake"
CLASSES: Final[tuple[ScopeClass, ...]] = ("ALL", "assets")
SHARES_BP: Final = (1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 4.0, 5.6, 8.0)
"""Our threshold: dollars of 60 s over open interest, basis points; from permissive to strict."""

Setting = tuple[float, ...]
"""Values of a rule's dials: (threshold, further) of a rival, (threshold,) of ours."""


class Judged(msgspec.Struct, frozen=True):
    """One run: counts by rule, setting and scope class. `family`, `steady` of its case.

    `at_rates`: ours, against the events of other rates of the label (basis points).
    """

    name: str
    family: str
    steady: bool
    asset_days: float
    events: dict[ScopeClass, int]
    counts: dict[str, dict[Setting, dict[ScopeClass, Counts]]]
    at_rates: dict[float, dict[Setting, dict[ScopeClass, Counts]]] = {}


def ours(share_bp: float) -> CascadeParams:
    """Our definition with another threshold."""
    return msgspec.structs.replace(CascadeParams(), size_oi_share=share_bp * 1e-4)


def default_of(rule: str) -> Setting:
    """What the rule is published with: its authors' values, or our definition's."""
    if rule == OURS:
        return (round(CascadeParams().size_oi_share * 1e4, 6),)
    rival = RIVALS[rule]
    return (rival.threshold.default, rival.further.default)


def settings_of(rule: str) -> list[Setting]:
    """All settings that are tried, the default among them."""
    if rule == OURS:
        return [(share,) for share in SHARES_BP]
    rival = RIVALS[rule]
    tried: list[Setting] = list(rival.settings())
    default = default_of(rule)
    return tried if default in tried else [default, *tried]


RIVAL_CODE: Final = tuple(
    f"scoreboard/{name}.py" for name in ("flow", "matching", "metrics", "rivals", "spans")
)
OUR_CODE: Final = (
    "core",
    *(f"scoreboard/{name}.py" for name in ("matching", "metrics", "moments", "spans", "sweeps")),
)
"""Code whose change makes what was judged stale."""

Told = dict[str, dict[Setting, dict[ScopeClass, Counts]]]
ByRate = dict[float, dict[Setting, dict[ScopeClass, Counts]]]


class OwnTold(msgspec.Struct, frozen=True):
    """Ours of one run: against the label, and against that of other rates."""

    counts: dict[Setting, dict[ScopeClass, Counts]]
    at_rates: ByRate


def judge(folder: Path, rules: Sequence[str] = (OURS, *RIVALS)) -> Judged:
    """Judge rules on a finished run; kept in its folder."""
    made = (folder / MARK).read_text()
    case = read_case(folder)
    found: Told = {}
    at_rates: ByRate = {}
    if OURS in rules:
        mark = f"{made} {code(OUR_CODE)} {SHARES_BP}"
        own = kept(folder / "ours.msgpack.zst", mark, OwnTold, lambda: _ours(folder, case))
        found[OURS], at_rates = own.counts, own.at_rates
    rivals = [rule for rule in rules if rule != OURS]
    if rivals:
        mark = f"{made} {code(RIVAL_CODE)} {' '.join(rivals)}"
        name = folder / "rivals.msgpack.zst"
        found |= kept(name, mark, Told, lambda: _rivals(case, rivals))
    return Judged(
        case.name,
        case.family,
        case.steady,
        case.asset_days,
        {
            kind: sum((event.scope == "ALL") == (kind == "ALL") for event in case.events)
            for kind in CLASSES
        },
        found,
        at_rates,
    )


def _ours(folder: Path, case: Case) -> OwnTold:
    settings = settings_of(OURS)
    spans = cascade_spans(folder, [ours(share) for (share,) in settings])
    said = dict(zip(settings, spans, strict=True))

    def against(events: tuple[Event, ...]) -> dict[Setting, dict[ScopeClass, Counts]]:
        other = msgspec.structs.replace(case, events=events)
        return {setting: _judged(other, spans) for setting, spans in said.items()}

    at_rates = {rate: against(events) for rate, events in case.at_rates.items()}
    return OwnTold(against(case.events), at_rates)


def _rivals(case: Case, rules: Sequence[str]) -> Told:
    flows = lay(case.orders, case.begin, case.end, case.interest)
    found: Told = {}
    for rule in rules:
        rival = RIVALS[rule]
        found[rule] = {
            setting: _judged(
                case, [span for scope in flows for span in rival.over(flows[scope], *setting)]
            )
            for setting in settings_of(rule)
        }
    return found


def _judged(case: Case, said: Sequence[Span]) -> dict[ScopeClass, Counts]:
    matched = match(case.events, [span for span in said if span.end >= case.begin])
    return {kind: counts(case, matched, kind) for kind in CLASSES}


def column(judged: Sequence[Judged], rule: str, setting: Setting, kind: ScopeClass) -> list[Counts]:
    """Counts of each run under one setting."""
    return [one.counts[rule][setting][kind] for one in judged]


Choice = Mapping[str, Mapping[ScopeClass, Setting]]
"""The chosen setting of each rule and scope class."""
