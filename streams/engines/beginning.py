"""The check that a stage's first frame follows the histories it was given.

Between both engines and the core. Detectors never go back in time: a stage passes over the few
seconds that two archives share where one was cut. Data that lie inside the histories by more than
that would be passed over without a word, so they are refused.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS
from streams.core.frames import Frame
from streams.core.pipeline import AssetRecord, Snapshot
from streams.core.results import MARKET

MOST_SHARED_US: Final = 60 * MICROS
"""Archives are cut by receipt time: orders come late, and the later one holds the earlier's end."""


def reaches(warm: Mapping[str, Snapshot]) -> dict[str, int]:
    """The last second (µs) of the histories of each asset."""
    found: dict[str, int] = {}
    for asset, kept in warm.items():
        if asset != MARKET:
            applied = _decode_record(kept.hot).applied
            if applied is not None:
                found[asset] = applied
    return found


def check_begin(frame: Frame, reached: Mapping[str, int]) -> None:
    """Let a frame begin its asset's stage.

    Raises:
        MarginquakeError: the asset's histories go beyond the frame by over MOST_SHARED_US.
    """
    last = reached.get(frame.asset)
    if last is not None and frame.second < last - MOST_SHARED_US:
        raise MarginquakeError(
            f"the histories of {frame.asset} reach to {_clock(last)}, the data begin at "
            f"{_clock(frame.second)}: give --warm a file of archives that end before"
        )


def _clock(micros: int) -> str:
    return datetime.fromtimestamp(micros // MICROS, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


_decode_record = msgspec.msgpack.Decoder(AssetRecord).decode
