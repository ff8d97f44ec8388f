"""Parameters of the print and of its milestones (definition 1.10)."""

import msgspec

_USD_MILLION = 1_000_000_000_000


class PrintParams(msgspec.Struct, frozen=True):
    """Definitions `print` and `milestone`, version 1. Dollars are int64 micro-dollars.

    `emit_every_s`: rows are published at multiples of it after a change; a divisor of 60.
    `venue_rows_of_assets`: rows by venue also for single assets (the market has them always).
    `milestones_usd`: round sums, rising; one that was crossed is armed again once the total is
    below `rearm_percent` of it. `history_days`: days a total is ranked among, at least
    `least_history_days` of them; a day counts when at least `least_day_coverage` of it was seen.
    """

    definition: str = "print/1"
    milestone_definition: str = "milestone/1"
    emit_every_s: int = 1
    venue_rows_of_assets: bool = False
    milestones_usd: tuple[int, ...] = (
        100 * _USD_MILLION,
        250 * _USD_MILLION,
        400 * _USD_MILLION,
        500 * _USD_MILLION,
        750 * _USD_MILLION,
        1_000 * _USD_MILLION,
        2_000 * _USD_MILLION,
        5_000 * _USD_MILLION,
        10_000 * _USD_MILLION,
    )
    rearm_percent: int = 80
    history_days: int = 365
    least_history_days: int = 30
    least_day_coverage: float = 0.9

    def __post_init__(self) -> None:
        """Refuse an interval that would carry a minute's row past its minute."""
        if self.emit_every_s < 1 or 60 % self.emit_every_s:
            raise ValueError(f"emit_every_s={self.emit_every_s} does not divide 60")
