"""One detector stage per key, kept in Flink's keyed state and in memory.

Between Flink's process functions and `streams.core.pipeline`; imports nothing of Flink. A snapshot
costs more than a step, so the state holds the last snapshot and the inputs since: what a restore
finds is replayed with its outputs dropped, and gives the stage as it was. Promises that a stage
restored under other parameters has taken each input under those that were in force when it came.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum, auto
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from streams.config import MarginquakeError
from streams.core.params import Params
from streams.core.pipeline import STATE_VERSION, Snapshot
from streams.core.results import Output

STATE_FORMAT: Final = 1
"""Of `_Kept`; the core's own records carry `pipeline.STATE_VERSION`."""


class Begin(Enum):
    """How a stage takes its first input: it comes now, or it came before a restore."""

    NEW = auto()
    AGAIN = auto()


class Stage(Protocol):
    """An asset stage or the market stage."""

    def snapshot(self, stored: set[str]) -> Snapshot:
        """State as stored, without the pages already `stored`."""

    def restore(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Continue from what `snapshot` gave."""


S = TypeVar("S", bound=Stage)


class Value(Protocol):
    """Flink's ValueState of bytes."""

    def value(self) -> bytes | None:
        """What the key holds."""

    def update(self, value: bytes) -> None:
        """Replace it."""


class Pages(Protocol):
    """Flink's MapState of bytes by name."""

    def get(self, key: str) -> bytes | None:
        """One page."""

    def put(self, key: str, value: bytes) -> None:
        """Store one page."""

    def remove(self, key: str) -> None:
        """Drop one page."""


class Inputs(Protocol):
    """Flink's ListState of texts."""

    def get(self) -> Iterable[str]:
        """All of them, in the order they were added."""

    def add(self, value: str) -> None:
        """Append one."""

    def clear(self) -> None:
        """Drop all."""


class KeyState(msgspec.Struct, frozen=True):
    """The three states of a keyed operator; Flink binds them to the key in hand."""

    kept: Value
    pages: Pages
    inputs: Inputs


class _Kept(msgspec.Struct, frozen=True):
    """`hot`: of the last snapshot, None before the first; `pages`: those it needs; `params`: in
    force for it and for the inputs since; `begun`: it has taken an input, which one of histories
    alone has not.
    """

    hot: bytes | None
    pages: tuple[str, ...]
    params: Params
    begun: bool = False
    stages: int = STATE_VERSION
    v: int = STATE_FORMAT


class _Live(msgspec.Struct, Generic[S]):
    stage: S
    pages: set[str]
    begun: bool
    waiting: int = 0


def _no_histories(key: str, stage: Stage) -> bool:
    return False


class KeyedStages(Generic[S]):
    """The stages of one operator instance, by key.

    Args:
        params: in force now.
        create: an empty stage of a key under some parameters.
        apply: one input to a stage; how the stage begins with it, None when it goes on.
        every: inputs between two snapshots of a key.
        warm: gives an empty stage of a key the histories there are; whether there were any.
    """

    def __init__(
        self,
        params: Params,
        create: Callable[[str, Params], S],
        apply: Callable[[S, str, Begin | None], Iterable[Output]],
        every: int,
        warm: Callable[[str, S], bool] = _no_histories,
    ) -> None:
        self._params = params
        self._create = create
        self._apply = apply
        self._every = every
        self._warm = warm
        self._live: dict[str, _Live[S]] = {}

    def step(self, key: str, value: str, state: KeyState) -> Iterator[Output]:
        """Apply one input to the stage of `key`, whose state Flink has in hand; its outputs.

        Raises:
            MarginquakeError: the state is of another version of the program, or the input breaks
                the chain.
        """
        live = self._live.get(key)
        if live is None:
            live = self._live[key] = self._load(key, state)
        yield from self._take(live, value)
        state.inputs.add(value)
        live.waiting += 1
        if live.waiting >= self._every:
            self._save(live, state)

    def _take(self, live: _Live[S], value: str) -> Iterable[Output]:
        begin = None if live.begun else Begin.NEW
        live.begun = True
        return self._apply(live.stage, value, begin)

    def _load(self, key: str, state: KeyState) -> _Live[S]:
        """The stage of a key as its state has it."""
        found = state.kept.value()
        if found is None:
            live = _Live(self._create(key, self._params), set(), begun=False)
            if self._warm(key, live.stage):
                self._save(live, state)
            else:
                state.kept.update(_encode(_Kept(None, (), self._params)))
            return live
        kept = _decode(found, key)
        changed = kept.params != self._params
        # Equal ones are taken as they are: numbers that a reader retypes give another hash.
        stage = self._create(key, kept.params if changed else self._params)
        if kept.hot is not None:
            stage.restore(kept.hot, {name: _page(state, name) for name in kept.pages})
        live = _Live(stage, set(kept.pages), kept.begun)
        for value in state.inputs.get():
            # It was let in when it came, whatever is asked of one that begins a stage now.
            begin = None if live.begun else Begin.AGAIN
            live.begun = True
            for _ in self._apply(live.stage, value, begin):
                pass
            live.waiting += 1
        if changed:
            self._save(live, state)
            whole = stage.snapshot(set())
            live.stage = self._create(key, self._params)
            live.stage.restore(whole.hot, whole.pages)
        return live

    def _save(self, live: _Live[S], state: KeyState) -> None:
        snapshot = live.stage.snapshot(live.pages)
        for name, page in snapshot.pages.items():
            state.pages.put(name, page)
        needed = set(snapshot.needed)
        for name in sorted(live.pages - needed):
            state.pages.remove(name)
        kept = _Kept(snapshot.hot, snapshot.needed, self._params, live.begun)
        state.kept.update(_encode(kept))
        state.inputs.clear()
        live.pages, live.waiting = needed, 0


def _page(state: KeyState, name: str) -> bytes:
    page = state.pages.get(name)
    if page is None:
        raise MarginquakeError(f"the checkpoint lacks page {name} of a stage; restore an older one")
    return page


def _decode(found: bytes, key: str) -> _Kept:
    try:
        kept = _kept.decode(found)
    except msgspec.DecodeError as error:
        raise MarginquakeError(f"the kept state of {key} cannot be read: {error}") from None
    if (kept.v, kept.stages) != (STATE_FORMAT, STATE_VERSION):
        raise MarginquakeError(
            f"the state of {key} has versions {kept.v}.{kept.stages}, this program has "
            f"{STATE_FORMAT}.{STATE_VERSION}: start without --restore and read frames.v1 again"
        )
    return kept


_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(_Kept)
