"""Parameters of positioning and funding."""

import msgspec

from streams.core.events import MICROS


class PositioningWindow(msgspec.Struct, frozen=True):
    """One window of `span_s` seconds, told every `every_s` seconds (multiples of a minute).

    `price_band`, `interest_band`: a relative change smaller than this is no direction. Priors: an
    ordinary quarter of an hour, growing with the square root of the window.
    """

    span_s: int
    every_s: int
    price_band: float
    interest_band: float

    def __post_init__(self) -> None:
        """Refuse steps that no closed minute or ring of levels meets."""
        if self.every_s % 60 or self.span_s % self.every_s:
            raise ValueError(f"every_s={self.every_s} is no part of span_s={self.span_s}")


class PositioningParams(msgspec.Struct, frozen=True):
    """Definitions `positioning` and `funding`, version 1; durations in seconds.

    `venues_every_s`: rows by venue; `funding_every_s`: funding rows. `settle_s`: in rows by
    venue open interest is compared from so long after the first reading, when all contracts are in.
    `least_interest_usd`: micro-dollars of open interest below which a change has no direction
    worth a name.
    """

    definition: str = "positioning/1"
    funding_definition: str = "funding/1"
    windows: tuple[PositioningWindow, ...] = (
        PositioningWindow(900, 60, 0.001, 0.001),
        PositioningWindow(14_400, 300, 0.004, 0.004),
        PositioningWindow(86_400, 900, 0.01, 0.01),
    )
    venues_every_s: int = 900
    funding_every_s: int = 300
    settle_s: int = 600
    least_interest_usd: int = 10_000 * MICROS
