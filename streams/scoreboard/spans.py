"""What is compared: true events, detected spans, and the published orders that rules may see.

The contract between truth, rules and metrics. Seconds are UNIX seconds; dollars are floats of
USD here, since they are compared and never summed into a published total. Pure data.
"""

from typing import Final, Literal

import msgspec

ALL: Final = "ALL"
"""The scope that pools every asset."""

Side = Literal["long", "short"]


class Event(msgspec.Struct, frozen=True):
    """A true flush of one scope and side, from its first to its last forced order.

    `usd`: true forced dollars of the interval; `orders`: their number; `size_bp`: the largest
    dollars of 60 s over open interest, basis points (size class); `self_reinforcing`,
    `excess_share`, `amplification`: the second label, None where no counterfactual was run.
    """

    scope: str
    side: Side
    onset: int
    end: int
    usd: float
    orders: int
    size_bp: float
    self_reinforcing: bool | None = None
    excess_share: float | None = None
    amplification: float | None = None


class Span(msgspec.Struct, frozen=True):
    """What a rule says: forced flow of one scope and side, or of both.

    `onset`: where the rule puts the beginning; `detected_at`: the second whose data made it say so;
    `end`: the last order that it counts in. `usd`: its estimate of the dollars, if it has one.
    """

    scope: str
    side: Side | Literal["mixed"]
    onset: int
    detected_at: int
    end: int
    usd: float | None = None


class Order(msgspec.Struct, frozen=True, gc=False):
    """A forced order as a venue published it, duplicates removed; `second` of its venue time."""

    second: int
    asset: str
    venue: str
    side: Side
    usd: float


class Case(msgspec.Struct, frozen=True):
    """One run of a scenario, or one recording: what rules see and what was true.

    `name` is also the cluster of the bootstrap (scenarios are at most a day long); `steady`: a
    day of high flow without concentration. `orders` are in order of `second`. `interest`: by
    asset, open interest as the venues told it last, USD, a value a minute from `begin`.
    `at_rates`: the events that other rates of the label, basis points, would make.
    """

    name: str
    family: str
    begin: int
    end: int
    assets: tuple[str, ...]
    steady: bool
    events: tuple[Event, ...]
    orders: tuple[Order, ...]
    interest: dict[str, tuple[float, ...]] = {}
    at_rates: dict[float, tuple[Event, ...]] = {}

    @property
    def asset_days(self) -> float:
        """Assets times days."""
        return len(self.assets) * (self.end - self.begin) / 86_400
