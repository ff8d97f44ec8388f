"""Where the Faust engine keeps states: a table whose partition is said and not taken from an event.

Under the shell of `faust_app`, which writes all of a partition's states at once. Promises the
changelog partition that the shell names, and to say when the broker has all that was written;
knows nothing of what it keeps.
"""

import asyncio
from typing import Any

import faust


class StateTable(faust.Table[str, bytes]):
    """A table whose changelog partition is the partition of the stage that owns the key.

    Faust takes it from the event in hand; states are saved later than their events.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writing_to = 0
        self._unacknowledged: list[Any] = []
        self._lost: Exception | None = None

    def partition_for_key(self, key: Any) -> int:
        """The partition whose states are being written."""
        return self.writing_to

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        """As Faust does, keeping the future of its acknowledgement."""
        sent = super().send_changelog(*args, **kwargs)
        self._unacknowledged.append(sent)
        return sent

    async def acknowledged(self) -> None:
        """Return when the broker has everything written before this call.

        Faust's own flush gives up after a tenth of a second without progress.

        Raises:
            Exception: something written has been refused, now or at an earlier call.
        """
        if self._lost is not None:
            raise self._lost
        sent, self._unacknowledged = self._unacknowledged, []
        try:
            await asyncio.gather(*sent)
        except Exception as error:
            self._lost = error
            raise
