"""Canonical events of raw logs as JSON lines, for `marginquake normalise`.

Reads files one after the other and keeps their order. Promises a line for every event and every
rejection, and a count of what was ignored. It shows what a message says: an event stamped over 5 s
after its receipt, which the framer dead-letters, is shown with `"quarantine":"future_skew"` unless
quarantine is asked for, since logs without a true receive time would show nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from streams.core import outside
from streams.core.events import LATEST_EVENT_US, BadLine, Ignored, Macro, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise
from streams.edges.archives.reading import Reading

_QUARANTINED: Final = b',"quarantine":"future_skew"}'


class Tally:
    """Counts of one run: lines read, and outcomes by type or `type:reason`."""

    def __init__(self) -> None:
        self.lines = 0
        self.skewed = 0
        self.outcomes: Counter[str] = Counter()

    def add(self, outcome: Outcome | Macro) -> None:
        """Count one outcome, or outside value."""
        kind = str(outcome.__struct_config__.tag or outside.CHANNEL)
        reason = f":{outcome.reason}" if isinstance(outcome, (Rejected, Ignored)) else ""
        self.outcomes[kind + reason] += 1

    def summary(self) -> str:
        """One line for people: `12 lines: 10 liquidation, 1 rejected:wrong_type`."""
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(self.outcomes.items()))
        note = ""
        if self.skewed:
            note = f"; {self.skewed} stamped over 5 s after receipt, which a framer dead-letters"
        return f"{self.lines} lines: {counts or 'nothing'}{note}"


def event_lines(
    files: Sequence[str],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    tally: Tally,
    *,
    source: bool = False,
    ignored: bool = False,
    quarantine: bool = False,
    reading: Reading | None = None,
) -> Iterator[bytes]:
    """JSON lines of every outcome and outside value, without line ends.

    Args:
        files: raw logs, `-` for standard input.
        parsers: parser by venue id.
        instruments: contract sizes and classes.
        tally: counts, updated as lines are drawn.
        source: add `line`, the 1-based line of the input, and `file` where there are several.
        ignored: show ignored outcomes too.
        quarantine: reject events stamped over 5 s after their receipt, as the framer does;
            otherwise they are shown and marked.
        reading: how files are read; by default each as its content tells.

    Raises:
        MarginquakeError: a file cannot be opened or read.
    """
    encode = msgspec.json.Encoder().encode
    reading = reading or Reading(instruments)
    reading.check()
    for file in files:
        name = b',"file":' + encode(file) if len(files) > 1 else b""
        for number, record in reading.read(file):
            tally.lines += 1
            if isinstance(record, BadLine):
                outcomes: list[Outcome | Macro] = [record.rejected]
            elif record.channel == outside.CHANNEL:
                values = outside.read(record)
                outcomes = [values] if isinstance(values, Rejected) else [*values]
            else:
                outcomes = [*normalise(record, parsers, instruments)]
            skewed = [] if quarantine else _skewed(outcomes)
            if skewed and isinstance(record, Raw):
                outcomes = _shown(record, outcomes, skewed, parsers, instruments)
                tally.skewed += len(skewed)
            for index, outcome in enumerate(outcomes):
                tally.add(outcome)
                if isinstance(outcome, Ignored) and not ignored:
                    continue
                line = encode(_described(outcome))
                if index in skewed:
                    line = line[:-1] + _QUARANTINED
                yield line[:-1] + b',"line":%d%b}' % (number, name) if source else line


def _described(outcome: Outcome | Macro) -> Outcome | dict[str, object]:
    """What is printed of an outcome: outside values name no type themselves."""
    if isinstance(outcome, Macro):
        return {"type": outside.CHANNEL, **msgspec.structs.asdict(outcome)}
    return outcome


def _skewed(outcomes: Sequence[Outcome | Macro]) -> list[int]:
    """Which outcomes are rejections of events stamped after their receipt."""
    return [
        index
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Rejected) and outcome.reason == "future_skew"
    ]


def _shown(
    raw: Raw,
    outcomes: Sequence[Outcome | Macro],
    skewed: list[int],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
) -> list[Outcome | Macro]:
    """The outcomes with the quarantined events themselves in place of their rejections."""
    # A receipt later than any event passes the check; the true one is put back afterwards.
    later = msgspec.structs.replace(raw, received_at_us=LATEST_EVENT_US)
    relaxed = normalise(later, parsers, instruments)
    shown = list(outcomes)
    for index in skewed:
        outcome = relaxed[index]
        if not isinstance(outcome, (Rejected, Ignored)):
            outcome = msgspec.structs.replace(outcome, received_at_us=raw.received_at_us)
        shown[index] = outcome
    return shown
