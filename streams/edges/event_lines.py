"""Canonical events of raw logs as JSON lines, for `marginquake normalise`.

Reads files one after the other and keeps their order. Promises a line for every event and every
rejection, and a count of what was ignored. It shows what a message says: an event stamped after
its receipt, which the framer quarantines, is shown unless quarantine is asked for, since logs
without a true receive time would show nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from streams.core.events import LATEST_EVENT_US, BadLine, Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise
from streams.edges import rawlog


class Tally:
    """Counts of one run: lines read, and outcomes by type or `type:reason`."""

    def __init__(self) -> None:
        self.lines = 0
        self.skewed = 0
        self.outcomes: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        kind = str(outcome.__struct_config__.tag)
        reason = f":{outcome.reason}" if isinstance(outcome, (Rejected, Ignored)) else ""
        self.outcomes[kind + reason] += 1

    def summary(self) -> str:
        """One line for people: `12 lines: 10 liquidation, 1 rejected:wrong_type`."""
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(self.outcomes.items()))
        note = f"; {self.skewed} stamped over 5 s after receipt" if self.skewed else ""
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
) -> Iterator[bytes]:
    """JSON lines of every outcome, without line ends.

    Args:
        files: raw logs, `-` for standard input.
        parsers: parser by venue id.
        instruments: contract sizes and classes.
        tally: counts, updated as lines are drawn.
        source: add `line`, the 1-based line of the input, and `file` where there are several.
        ignored: show ignored outcomes too.
        quarantine: reject events stamped over 5 s after their receipt, as the framer does.

    Raises:
        MarginquakeError: a file cannot be opened.
    """
    encode = msgspec.json.Encoder().encode
    for file in files:
        name = b',"file":' + encode(file) if len(files) > 1 else b""
        for number, record in rawlog.read(file):
            tally.lines += 1
            if isinstance(record, BadLine):
                outcomes: list[Outcome] = [record.rejected]
            else:
                outcomes = normalise(record, parsers, instruments)
                if not quarantine:
                    outcomes = _shown(record, outcomes, parsers, instruments, tally)
            for outcome in outcomes:
                tally.add(outcome)
                if isinstance(outcome, Ignored) and not ignored:
                    continue
                line = encode(outcome)
                yield line[:-1] + b',"line":%d%b}' % (number, name) if source else line


def _shown(
    raw: Raw,
    outcomes: list[Outcome],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    tally: Tally,
) -> list[Outcome]:
    """The outcomes with the quarantined events themselves in place of their rejections."""
    skewed = [
        index
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Rejected) and outcome.reason == "future_skew"
    ]
    if not skewed:
        return outcomes
    tally.skewed += len(skewed)
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
