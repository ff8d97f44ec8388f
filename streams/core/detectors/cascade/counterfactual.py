"""How far the price would have gone had a window's forced orders not moved it (definition 1.1).

Beside an open window: fed second by second, asked for its rows. What forced orders of the window's
side push the price is taken to be their dollars over the depth of that second, times a slope, and
to fade; the path less that push is the counterfactual one. Where liquidation prices lie evenly
along the way, the share of forced dollars that would not have come is the share of the move that
would not have. The slope is not known, hence a bracket. Promises bounded state and equal figures
for equal seconds. Says nothing where a fault of a venue's index, not the price, called positions.
"""

from math import log
from typing import Final

import msgspec

_BP = 10_000
_SLOPES: Final = tuple(1.5 * (1 << step) for step in range(12))
"""Slopes that are followed, bp for forced dollars equal to the depth within 10 bp."""


class CounterfactualParams(msgspec.Struct, frozen=True):
    """`least`, `usual`, `most`: slopes, bp of push for forced dollars equal to the depth within
    10 bp (a book of even density gives 10); `half_life_s`: of a push; `slack`: what the evenness
    of liquidation prices may be wrong by, on either side of the bracket; `rest`: at least this
    share of the move is left without the push; `least_bp`: a smaller move says nothing;
    `thinnest`: a book is taken for no thinner than this share of the thickest since the onset,
    for an emptied one says that the price has left it; `stale_s`: older books are unknown.
    Slopes and half-life were chosen by `streams/scoreboard/bracket_tuning.py` on train seeds of the
    simulator, so that four brackets in five hold the truth; the slack by hand.
    """

    least: float = 4.0
    usual: float = 8.0
    most: float = 50.0
    half_life_s: float = 15.0
    slack: float = 0.1
    rest: float = 0.005
    least_bp: float = 5.0
    thinnest: float = 0.01
    stale_s: int = 60


class Excess(msgspec.Struct, frozen=True):
    """Bracket of the share of forced dollars that the forced orders' own push called forth, and
    the move to the extreme over the move without that push; `why` names the nulls.
    """

    low: float | None
    high: float | None
    amplification: float | None
    why: str = ""


class Bare(msgspec.Struct):
    """The path without the push, for each slope at once.

    `push`: forced dollars over depth, faded, as of second `at`; `thick`: most depth met so far;
    `blind`: some forced dollars met a depth that is not known; `onset`: first price; `moved`:
    largest move, bp, in the forced direction; `left`: by slope, the largest move without the push;
    `forced`, `taken`: the side's forced and net taker dollars (micro) as of that largest move.
    """

    at: int = 0
    push: float = 0.0
    thick: int = 0
    blind: bool = False
    onset: float | None = None
    moved: float = 0.0
    left: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(_SLOPES))
    forced: int = 0
    taken: int = 0

    def absorb(
        self,
        second: int,
        usd: int,
        depth: int | None,
        price: float | None,
        falling: bool,
        so_far: tuple[int, int],
        params: CounterfactualParams,
    ) -> None:
        """Take a second.

        Args:
            second: s; seconds must not descend.
            usd: published forced dollars of the side in it, micro-dollars.
            depth: micro-dollars within 10 bp that stood before them, None if not known.
            price: USD, None without a new one.
            falling: longs are forced.
            so_far: the side's forced and net taker dollars since the onset, this second included.
            params: of the definition.
        """
        if self.push:
            self.push *= 0.5 ** ((second - self.at) / params.half_life_s)
        self.at = second
        self.thick = max(self.thick, depth or 0)
        if usd:
            met = max(depth or 0, int(self.thick * params.thinnest))
            if depth is None or not met:
                self.blind = True
            else:
                self.push += usd / met
        if price is None:
            return
        if self.onset is None:
            self.onset = price
        moved = _BP * log(price / self.onset) * (-1 if falling else 1)
        if moved > self.moved:
            self.moved = moved
            self.forced, self.taken = so_far
        self.left = [
            max(left, moved - slope * self.push)
            for left, slope in zip(self.left, _SLOPES, strict=True)
        ]

    def excess(self, published: int, estimated: int, params: CounterfactualParams) -> Excess:
        """The bracket.

        Args:
            published: forced dollars of the window and of the side whose pushes were followed, as
                published, micro-dollars.
            estimated: the same as estimated; pushes are larger by the same ratio.
            params: of the definition.
        """
        if self.onset is None:
            return Excess(None, None, None, "no_price")
        if self.blind:
            return Excess(None, None, None, "no_book")
        if self.moved < params.least_bp:
            return Excess(None, None, None, "no_displacement")
        ratio = max(1.0, estimated / published) if published else 1.0
        forced = self.forced * ratio
        share = forced / self.taken if self.taken > forced else 1.0
        low = max(0.0, min(self._share(params.least * ratio), share) - params.slack)
        high = min(1.0, self._share(params.most * ratio) + params.slack)
        usual = min(1 - params.rest, self._share(params.usual * ratio))
        return Excess(round(low, 4), round(max(low, high), 4), round(1 / (1 - usual), 4))

    def _share(self, slope: float) -> float:
        """The share of the move that is gone without a push of that slope.

        What is left of the move falls with the slope along a convex curve; between two slopes the
        chord is a little above it.
        """
        before, left = 0.0, self.moved
        for one, there in zip(_SLOPES, self.left, strict=True):
            if slope <= one:
                part = (slope - before) / (one - before)
                return 1 - (left + (there - left) * part) / self.moved
            before, left = one, there
        return 1 - left / self.moved
