"""Detector stages of one topic partition over a keyed byte store, with what recovery needs.

Shared shape of the Faust tables. Promises that a saved state never runs ahead of acknowledged
outputs (a snapshot is taken before the acknowledgements are awaited), that pages are stored
before the hot record that names them, and that a marker says from which offset to read again:
the next one, or the first whose input a stage has heard and not applied, which is in no state.
Does no I/O itself: the caller gives the mapping and awaits the acknowledgements.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Protocol

import msgspec

from streams.core.pipeline import Snapshot

Store = MutableMapping[str, bytes]


class Stage(Protocol):
    """What the store keeps: an asset stage or the market stage."""

    def snapshot(self, stored: set[str]) -> Snapshot:
        """State as stored, without the pages already `stored`."""

    def restore(self, hot: bytes, pages: Mapping[str, bytes]) -> None:
        """Continue from what `snapshot` gave."""


class Unapplied:
    """Where inputs stand in the log that a stage holds for a second which is not complete.

    They are read again and not saved: a worker that is hours ahead of another makes more of them
    than a record may hold.
    """

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._applied: int | None = None

    def heard(self, second: int, offset: int, applied: int | None) -> None:
        """An input of `second` stood at `offset`; with it all through `applied` is done (s)."""
        self._first.setdefault(second, offset)
        self._applied = applied

    def begin(self, after: int) -> int:
        """The first offset to read again; `after` when nothing waits."""
        if self._applied is not None:
            done = self._applied
            self._first = {second: at for second, at in self._first.items() if second > done}
        return min(self._first.values(), default=after)


class Marker(msgspec.Struct, frozen=True):
    """All states of the partition are saved through the offset before `next_offset`, but for inputs
    from there on that seconds already applied make void.
    """

    next_offset: int


class Saved(msgspec.Struct, frozen=True):
    """A consistent cut: write it once the outputs up to it are acknowledged."""

    snapshots: dict[str, Snapshot]
    next_offset: int


class StageStore:
    """Stages by key (asset or `ALL`) of one partition, loaded when first needed.

    Args:
        partition: the source partition; part of the marker's key.
        store: key to bytes; survives restarts.
        create: makes an empty stage for a key.
    """

    def __init__(self, partition: int, store: Store, create: Callable[[str], Stage]) -> None:
        self._store = store
        self._create = create
        self._marker_key = f"@{partition}"
        self._stages: dict[str, Stage] = {}
        self._pages: dict[str, set[str]] = {}
        self._changed: set[str] = set()
        self.unapplied = Unapplied()
        marker = store.get(self._marker_key)
        self.marker = None if marker is None else _decode_marker(marker)
        self.next_offset: int | None = None if self.marker is None else self.marker.next_offset

    def stage(self, key: str) -> tuple[Stage, bool]:
        """The stage of a key, and whether it has no history in the store."""
        stage = self._stages.get(key)
        if stage is not None:
            return stage, False
        stage = self._create(key)
        hot = self._store.get(key)
        names: set[str] = set()
        if hot is not None:
            record = _decode_hot(hot)
            names = set(record.pages)
            stage.restore(record.hot, {name: self._store[f"{key}|{name}"] for name in names})
        self._stages[key] = stage
        self._pages[key] = names
        return stage, hot is None

    def applied(self, key: str, offset: int) -> None:
        """The record at `offset` has been applied to the stage of `key`."""
        self._changed.add(key)
        self.next_offset = offset + 1

    def cut(self) -> Saved | None:
        """Snapshots of what changed since the last cut; None when nothing did."""
        if not self._changed or self.next_offset is None:
            return None
        changed, self._changed = self._changed, set()
        snapshots = {key: self._stages[key].snapshot(self._pages[key]) for key in sorted(changed)}
        return Saved(snapshots, self.unapplied.begin(self.next_offset))

    def write(self, saved: Saved) -> int:
        """Write a cut: pages, hot records, the marker, then drop pages no longer needed.

        Returns:
            Bytes written.
        """
        size = 0
        stale: list[str] = []
        for key, snapshot in saved.snapshots.items():
            for name, page in snapshot.pages.items():
                self._store[f"{key}|{name}"] = page
                size += len(page)
            hot = msgspec.msgpack.encode(_Hot(snapshot.hot, list(snapshot.needed)))
            self._store[key] = hot
            size += len(hot)
            needed = set(snapshot.needed)
            stale.extend(f"{key}|{name}" for name in self._pages[key] - needed)
            self._pages[key] = needed
        self._store[self._marker_key] = msgspec.json.encode(Marker(saved.next_offset))
        for name in stale:
            del self._store[name]
        return size


class _Hot(msgspec.Struct, frozen=True):
    hot: bytes
    pages: list[str]


_decode_marker = msgspec.json.Decoder(Marker).decode
_decode_hot = msgspec.msgpack.Decoder(_Hot).decode
