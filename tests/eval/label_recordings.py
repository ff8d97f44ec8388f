"""Writes tests/eval/recordings.labels.json from the recordings: rule, bars, bursts, remarks.

Run by hand when a recording or the rule changes: `python -m tests.eval.label_recordings FOLDER`.
The rule is `streams.scoreboard.recorded.RULE_TEXT`; remarks below are a reader's, made on the
orders alone before any detector was run on them, and change no verdict.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec

from streams.scoreboard.recorded import LabelFile, label_folder

TARGET: Final = Path(__file__).parent / "recordings.labels.json"

REVIEW: Final[dict[tuple[str, str, str, int], str]] = {
    ("binance_usdm_2024-06-20_large", "ALL", "long", 1718902948): (
        "borderline: 22 orders of 20 assets"
    ),
    ("binance_usdm_2024-06-20_liqs", "ALL", "short", 1718901694): (
        "borderline: thin, half of its dollars are one order"
    ),
    ("binance_usdm_2024-08-18_bigliqs", "TLM", "short", 1723971641): (
        "borderline: an order every few seconds, no rush"
    ),
    ("binance_usdm_2024-08-18_bigliqs", "ALL", "short", 1723971881): (
        "was still growing when the recorder stopped"
    ),
    ("binance_usdm_2025-12-27", "ALL", "long", 1766850103): (
        "borderline: several small waves, just above the bar of dollars"
    ),
    ("binance_usdm_2025-12-27", "ALL", "short", 1766850601): (
        "borderline: a few orders of one asset"
    ),
    ("binance_usdm_2025-12-27", "ALL", "short", 1766953693): "borderline: one asset's burst",
}


def reviewed(made: LabelFile) -> LabelFile:
    """The labels with the reader's remarks.

    Raises:
        KeyError: a remark is about a burst that is not there.
    """
    left = dict(REVIEW)
    labels = []
    for one in made.labels:
        remark = left.pop((one.recording, one.scope, one.side, one.onset), "")
        note = "; ".join(part for part in (one.note, remark) if part)
        labels.append(msgspec.structs.replace(one, note=note))
    if left:
        raise KeyError(f"no burst for the remarks {sorted(left)}")
    return msgspec.structs.replace(made, labels=tuple(labels))


if __name__ == "__main__":
    found = reviewed(label_folder(Path(sys.argv[1])))
    TARGET.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
