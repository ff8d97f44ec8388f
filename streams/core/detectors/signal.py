"""What a detector of signals is: hooks that the pipeline calls, and a state in parts.

Base of every detector in `registry`. Promises to the engines: a detector's state is the sum of
its parts, so that a restart at any point changes nothing; and to detectors: `second` is called
for each second that is not quiet, `minute` for each closed minute in order, `results` with what
cascades and prints have just published. Skipping a quiet second is therefore equal to passing it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol, TypedDict

from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS, stable_id
from streams.core.results import Result
from streams.core.rowmeta import RowMeta

HOT = -1
"""Version of a part that may change each second: it is stored with the hot record."""


class Part(NamedTuple):
    """A piece of a detector's state.

    `version` changes when the content does (the second of its last change is a good one), or is
    HOT; a part whose version is already stored is not encoded again.
    """

    name: str
    version: int
    encode: Callable[[], bytes]


class Detector(Protocol):
    """One signal of one scope; see the module's promises."""

    name: ClassVar[str]
    """Of the detector: prefix of its parts."""

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Take a second that is not quiet, after the minutes before it were closed."""
        return ()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Take a closed minute; its rows speak for `minute.end`, which is their watermark too."""
        return ()

    def results(self, rows: Sequence[Result], readings: Readings) -> Sequence[Result]:
        """Take rows of the cascade and print detectors, as they are published.

        Their time is in them (`watermark`): which second brought them may differ where quiet
        seconds were skipped.
        """
        return ()

    def parts(self) -> Sequence[Part]:
        """The whole state."""
        return ()

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts by name, as `parts` gave them."""


class RowHead(TypedDict):
    """The fields of SignalRow that have no default."""

    id: str
    revision: int
    is_final: bool
    definition: str
    params_hash: str
    engine: str
    scope: str
    partition: int
    coverage: float
    watermark: int
    at: int


class Origin(NamedTuple):
    """Where a detector's rows come from: its definition, scope and engine."""

    definition: str
    scope: str
    meta: RowMeta

    def head(self, kind: str, at: int, coverage: float, *which: object) -> RowHead:
        """The head of a row.

        Args:
            kind: tag of the row.
            at: the second (s) that it speaks for; the id is made of it.
            coverage: share of venues healthy, 0..1.
            which: what tells rows of one kind and second apart: venue, window.
        """
        return RowHead(
            id=stable_id(kind, self.scope, *which, at, self.definition),
            revision=1,
            is_final=True,
            definition=self.definition,
            params_hash=self.meta.params_hash,
            engine=self.meta.engine,
            scope=self.scope,
            partition=self.meta.partition,
            coverage=coverage,
            watermark=at * MICROS,
            at=at * MICROS,
        )
