"""Where positions would be liquidated: coins by side, liquidation price and leverage.

Engine of the detector `zones`. A map advances by steps, one a minute, each of which names all that
it depends on: equal steps give equal maps to the last bit, so that a map is stored as an hourly
image and the steps since. Positions stand in bins of an absolute grid of log price; a step adds to
few bins, and nothing else moves. Does not judge whether it is right: that is `zones_score`.
Definition: docs/definitions/zones.md.
"""

from array import array
from math import exp, floor, log
from typing import Final, NamedTuple

import msgspec

from streams.core.detectors.zones.grid import Window
from streams.core.detectors.zones.image import Image, decode_image
from streams.core.detectors.zones.margin import VenueMargin, liquidation_ratio, margin_of
from streams.core.detectors.zones.params import ZoneParams
from streams.core.detectors.zones.step import Step
from streams.core.events import PositionSide

SIDES: Final[tuple[PositionSide, ...]] = ("long", "short")
SLACK: Final = 32
"""Bins that the price may move before the windows of the grid follow it."""


class Flow(NamedTuple):
    """What a venue's open interest did in a step, in coins."""

    venue: str
    change: float
    share: float


class LiquidationMap:
    """The positions of one asset; see the module's promises."""

    def __init__(self, scope: str, params: ZoneParams) -> None:
        self.params = params
        self.width = params.width(scope)
        self._assets = params.assets(scope)
        self._notional = params.notional(scope)
        self._leverages = params.leverages
        self._shares = params.leverage_shares
        self._margins: dict[str, VenueMargin] = {}
        self._offsets: dict[tuple[str, PositionSide], list[float | None]] = {}
        self._below = floor(params.keep_below / self.width)
        self._above = floor(params.keep_above / self.width)
        self._profile_reach = floor(-log(1 - params.reach) / self.width) + 2
        self.at: int | None = None
        self.centre: int | None = None
        self.interest: dict[str, float] = {}
        self.unknown = [0.0, 0.0]
        n = len(self._leverages)
        self.crossed = [0.0] * n
        self.forced = [0.0] * n
        self._make_windows(0)

    def _make_windows(self, centre: int) -> None:
        wide = 2 * SLACK
        # One column a leverage, and one of coins times the hour in which they were opened.
        columns = len(self._leverages) + 1
        self.sides = (
            Window(columns, self._below + 2 * wide, centre - self._below - wide),
            Window(columns, self._above + 2 * wide, centre - wide),
        )
        reach = self._profile_reach + SLACK
        self.profile = Window(1, 2 * reach, centre - reach)

    def bin_of(self, price: float) -> int:
        """The bin of a price."""
        return floor(log(price) / self.width)

    def edge(self, index: int) -> float:
        """Lower edge of a bin, USD."""
        return exp(index * self.width)

    def apply(self, step: Step) -> None:
        """Advance by a minute."""
        elapsed = 60 if self.at is None else max(0, step.end - self.at)
        gap = elapsed > self.params.gap_s
        self.at = step.end
        keep = 0.5 ** (elapsed / self.params.turnover_half_life_s)
        if not self.interest and not step.interest:
            # No open interest was ever told: there is nothing to cross, to close or to open.
            if step.price is not None:
                self._follow(step.price)
            for index in range(len(SIDES)):
                self._thin(index, keep)
            self._trade(step, elapsed)
            return
        # What is crossed goes before the windows leave it behind.
        crossed = self._cross(step)
        if step.price is not None:
            self._follow(step.price)
        flows, joined, whole = self._flows(step)
        self._learn(step, crossed, whole, elapsed)
        place = step.price if not gap else None
        for index, side in enumerate(SIDES):
            self.unknown[index] += joined
            rest = self.known(index) + self.unknown[index]
            back = sum(crossed[index]) + rest * (1 - keep)
            self._thin(index, keep)
            self._flow(index, side, flows, back, rest * keep, place, step)
        self._trade(step, elapsed)

    def _follow(self, price: float) -> None:
        """Let the windows follow the price; what falls out of them has no known place."""
        at = self.bin_of(price)
        if self.centre is None:
            self._make_windows(at)
            self.centre = at
        elif abs(at - self.centre) > SLACK:
            wide, reach = 2 * SLACK, self._profile_reach + SLACK
            for index, low in enumerate((at - self._below - wide, at - wide)):
                self.unknown[index] += self.sides[index].move(low)
            self.profile.move(at - reach)
            self.centre = at

    def _margin(self, venue: str) -> VenueMargin:
        if venue not in self._margins:
            self._margins[venue] = margin_of(self.params.margins, venue, self._assets)
        return self._margins[venue]

    def inverse(self, venue: str) -> bool:
        """Whether the venue's open interest is followed in dollars."""
        return self._margin(venue).inverse

    def _flows(self, step: Step) -> tuple[list[Flow], float, float]:
        """Changes by venue; coins whose entry is unknown; coins of all venues."""
        changes: dict[str, float] = {}
        joined = 0.0
        for venue in sorted(step.interest):
            coins = self._coins(venue, step.interest[venue], step.price)
            if coins is None:
                continue
            before = self.interest.get(venue)
            self.interest[venue] = step.interest[venue]
            held = None if before is None else self._coins(venue, before, step.price)
            if held is None or coins - held > self.params.most_growth * held:
                joined += coins - (held or 0.0)
            else:
                changes[venue] = coins - held
        held_by = {v: self._coins(v, self.interest[v], step.price) for v in sorted(self.interest)}
        whole = sum(coins for coins in held_by.values() if coins)
        flows = [
            Flow(venue, changes.get(venue, 0.0), coins / whole)
            for venue, coins in held_by.items()
            if coins is not None and whole > 0
        ]
        return flows, joined, whole

    def _coins(self, venue: str, stated: float, price: float | None) -> float | None:
        if not self.inverse(venue):
            return stated
        return None if price is None else stated / price

    def _cross(self, step: Step) -> tuple[list[float], list[float]]:
        """Take out what the price has crossed; coins by side and leverage."""
        taken: list[list[float]] = [[0.0] * len(self._leverages) for _ in SIDES]
        bounds = (step.low, step.high)
        for index, window in enumerate(self.sides):
            bound = bounds[index]
            if bound is None or self.centre is None:
                continue
            at = self.bin_of(bound) - window.low
            begin, end = (at + 1, window.size) if index == 0 else (0, at)
            begin, end = max(0, begin), min(window.size, end)
            if begin >= end:
                continue
            for number, column in enumerate(window.columns):
                part = sum(column[begin:end])
                if part:
                    column[begin:end] = array("d", bytes(8 * (end - begin)))
                    if number < len(self._leverages):
                        taken[index][number] = part * window.scale
        return taken[0], taken[1]

    def _learn(
        self, step: Step, crossed: tuple[list[float], list[float]], whole: float, elapsed: int
    ) -> None:
        """Learn from what full feeds liquidated where the map was crossed, in bp of interest."""
        keep = 0.5 ** (elapsed / self.params.mixture_half_life_s)
        self.crossed = [value * keep for value in self.crossed]
        self.forced = [value * keep for value in self.forced]
        if step.forced is None or step.price is None or whole <= 0:
            return
        factors = self.factors()
        for index, coins in enumerate(crossed):
            weighed = [factor * part for factor, part in zip(factors, coins, strict=True)]
            expected = sum(weighed)
            if expected <= 0:
                continue
            seen = min(1.0, step.forced[index] / step.price / whole) * 1e4
            for number, part in enumerate(coins):
                self.crossed[number] += 1e4 * part / whole
                self.forced[number] += seen * weighed[number] / expected

    def _thin(self, index: int, factor: float) -> None:
        """Close the same share of every position."""
        self.sides[index].shrink(factor)
        self.unknown[index] *= factor

    def _flow(
        self,
        index: int,
        side: PositionSide,
        flows: list[Flow],
        back: float,
        rest: float,
        place: float | None,
        step: Step,
    ) -> None:
        """Close and open so that a side, now of `rest` coins, follows open interest.

        `back` coins have been closed in this step already.
        """
        opened = [(flow.venue, flow.change + flow.share * back) for flow in flows]
        closed = -sum(coins for _, coins in opened if coins < 0)
        if closed > 0:
            self._thin(index, max(0.0, 1 - closed / rest) if rest > 0 else 0.0)
        tilt = step.tilt if side == "long" else -step.tilt
        shares = self._tilted(tilt)
        for venue, coins in opened:
            if coins <= 0:
                continue
            if place is None:
                self.unknown[index] += coins
            else:
                self._open(index, side, venue, coins, place, shares, step.end)

    def _tilted(self, tilt: float) -> list[float]:
        weights = [
            share * leverage**tilt
            for share, leverage in zip(self._shares, self._leverages, strict=True)
        ]
        total = sum(weights)
        return [weight / total for weight in weights]

    def _open(
        self,
        index: int,
        side: PositionSide,
        venue: str,
        coins: float,
        price: float,
        shares: list[float],
        now: int,
    ) -> None:
        """Put new positions into the bins of their liquidation prices."""
        window = self.sides[index]
        ages = window.columns[-1]
        hour = now / 3600
        at = log(price)
        for number, offset in enumerate(self._offset(venue, side)):
            part = coins * shares[number]
            place = -1 if offset is None else floor((at + offset) / self.width) - window.low
            if 0 <= place < window.size:
                part /= window.scale
                window.columns[number][place] += part
                ages[place] += part * hour
            else:
                self.unknown[index] += part

    def _offset(self, venue: str, side: PositionSide) -> list[float | None]:
        """Log of liquidation over entry price by leverage; None: never liquidated."""
        known = self._offsets.get((venue, side))
        if known is None:
            margin = self._margin(venue)
            ratios = [
                liquidation_ratio(margin, side, leverage, self._notional)
                for leverage in self._leverages
            ]
            known = [None if ratio is None else log(ratio) for ratio in ratios]
            self._offsets[venue, side] = known
        return known

    def _trade(self, step: Step, elapsed: int) -> None:
        profile = self.profile
        profile.shrink(0.5 ** (elapsed / self.params.volume_half_life_s))
        if step.traded > 0 and step.price is not None:
            place = self.bin_of(step.price) - profile.low
            if 0 <= place < profile.size:
                profile.columns[0][place] += step.traded / profile.scale

    def known(self, index: int) -> float:
        """Coins of a side whose liquidation price is on the map."""
        return self.sides[index].total()

    def mapped_share(self) -> float | None:
        """Share of the positions whose liquidation price is on the map; None without any."""
        known = self.known(0) + self.known(1)
        total = known + sum(self.unknown)
        return known / total if total > 0 else None

    def factors(self) -> list[float]:
        """What liquidations have taught: by leverage, true over assumed positions.

        Liquidated over crossed interest, both with a prior of the assumed mixture; their common
        ratio (cross margin, venues that publish no feed) cancels.
        """
        params = self.params
        crossed, forced = sum(self.crossed), sum(self.forced)
        if crossed <= 0 or forced <= 0:
            return [1.0] * len(self._shares)
        ratio = forced / crossed
        raw: list[float] = []
        for number, share in enumerate(self._shares):
            prior = params.mixture_prior_bp * share
            seen = prior + self.forced[number] / ratio
            factor = seen / (prior + self.crossed[number])
            raw.append(min(params.mixture_bound, max(1 / params.mixture_bound, factor)))
        mean = sum(share * factor for share, factor in zip(self._shares, raw, strict=True))
        return [factor / mean for factor in raw]

    def evidence(self) -> float:
        """Dirichlet weight of the mixture: that of the prior and what was learned."""
        params = self.params
        learned = min(sum(self.crossed), 1e6) if sum(self.forced) > 0 else 0.0
        return params.mixture_prior_orders * (1 + learned / params.mixture_prior_bp)

    def weights(self, index: int) -> list[float]:
        """Factors times scale, such that they leave the coins of the side what they are."""
        window = self.sides[index]
        sums = [sum(column) for column in window.columns[:-1]]
        factors = self.factors()
        weighed = sum(factor * part for factor, part in zip(factors, sums, strict=True))
        if weighed <= 0:
            return [window.scale] * len(factors)
        common = window.scale * sum(sums) / weighed
        return [factor * common for factor in factors]

    def rows(self, index: int, price: float, bins: int) -> list[tuple[float, ...]]:
        """Stored columns of the bins from the price outwards: downwards for longs, else upwards.

        Empty where the map does not reach, because the price has just left it.
        """
        window = self.sides[index]
        at = self.bin_of(price) - window.low
        step = -1 if index == 0 else 1
        last = at + step * (bins - 1)
        if min(at, last) < 0 or max(at, last) >= window.size:
            return []
        stop = last + step if last + step >= 0 else None
        return list(zip(*(column[at:stop:step] for column in window.columns), strict=True))

    def volume(self, index: int, price: float, bins: int) -> list[float]:
        """Volume profile of the same bins, USD."""
        profile = self.profile
        at = self.bin_of(price) - profile.low
        step = -1 if index == 0 else 1
        column = profile.columns[0]
        return [
            column[place] * profile.scale if 0 <= place < profile.size else 0.0
            for place in range(at, at + step * bins, step)
        ]

    def encode(self) -> bytes:
        """The whole map."""
        windows = (*self.sides, self.profile)
        return msgspec.msgpack.encode(
            Image(
                self.at,
                self.centre,
                self.interest,
                [window.scale for window in windows],
                self.unknown,
                self.crossed,
                self.forced,
                b"".join(column.tobytes() for window in windows for column in window.columns),
            )
        )

    def restore(self, stored: bytes) -> None:
        """Continue from `encode`."""
        image = decode_image(stored)
        self.at, self.centre, self.interest = image.at, image.centre, image.interest
        self.unknown, self.crossed, self.forced = image.unknown, image.crossed, image.forced
        self._make_windows(image.centre or 0)
        begin = 0
        for window, scale in zip((*self.sides, self.profile), image.scales, strict=True):
            window.scale = scale
            for column in window.columns:
                end = begin + 8 * window.size
                column[:] = array("d", image.columns[begin:end])
                begin = end
