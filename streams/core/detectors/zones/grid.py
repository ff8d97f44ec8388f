"""Columns of numbers over a moving stretch of the price grid, with one common factor.

Storage of the liquidation map. Promises that decay costs one multiplication however much stands
here, and that bins which stay inside keep their numbers when the stretch moves.
"""

from array import array
from typing import Final

_SMALLEST: Final = 1e-9
"""A scale below this is folded into what it scales."""


class Window:
    """Columns of doubles over the bins [low, low + size) of the grid."""

    def __init__(self, columns: int, size: int, low: int) -> None:
        self.low = low
        self.size = size
        self.scale = 1.0
        self.columns = [array("d", bytes(8 * size)) for _ in range(columns)]

    def move(self, low: int) -> float:
        """Begin at bin `low`; gives what fell out, the last of several columns not counted."""
        before = self.total()
        by = low - self.low
        self.low = low
        if abs(by) >= self.size:
            self.clear()
            return before
        for column in self.columns:
            if by > 0:
                del column[:by]
                column.extend(array("d", bytes(8 * by)))
            else:
                del column[by:]
                column[:0] = array("d", bytes(-8 * by))
        return max(0.0, before - self.total())

    def total(self) -> float:
        """All that stands here, the last of several columns not counted."""
        counted = self.columns[:-1] or self.columns
        return self.scale * sum(sum(column) for column in counted)

    def clear(self) -> None:
        """Empty all bins."""
        self.scale = 1.0
        self.columns = [array("d", bytes(8 * self.size)) for _ in self.columns]

    def shrink(self, factor: float) -> None:
        """Multiply all that stands here."""
        self.scale *= factor
        if self.scale <= 0.0:
            self.clear()
        elif self.scale < _SMALLEST:
            self.columns = [array("d", [v * self.scale for v in one]) for one in self.columns]
            self.scale = 1.0
