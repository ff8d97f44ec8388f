"""The run as a series with an hour a row: what `marginquake regime` reads.

Columns follow the names that command documents. The first asset's market; forced dollars are those
of that asset over all venues, true ones, before the feed layer.
"""

from datetime import UTC, datetime
from typing import Final

from streams.simulation.tape import MICROS, Tape

COLUMNS: Final = (
    "time,open,high,low,close,oi_usd,oi_base,funding_8h,long_usd,short_usd,spot_usd,depth_usd"
)


def series_csv(tape: Tape, start_s: int, asset: int = 0) -> str:
    """CSV text; only whole hours."""
    rows = int(3_600 / tape.step_s)
    lines = [COLUMNS]
    for hour in range(tape.steps // rows):
        part = slice(hour * rows, (hour + 1) * rows)
        prices = tape.price[part, asset]
        close = float(prices[-1])
        coins = float(tape.interest[part, asset][-1])
        forced = tape.usd[part, asset].sum(axis=(0, 1))
        at = datetime.fromtimestamp(start_s + hour * 3_600, UTC).isoformat()
        numbers = (
            f"{float(prices[0]):.6g},{float(prices.max()):.6g},{float(prices.min()):.6g}",
            f"{close:.6g},{coins * close:.0f},{coins:.4f},{float(tape.rate[part, asset][-1]):.8f}",
            f"{int(forced[0]) / MICROS:.0f},{int(forced[1]) / MICROS:.0f}",
            f"{_total(tape.spot_usd[part, asset].tolist()):.0f}",
            f"{_total(tape.depth[part, asset].tolist()) / rows:.0f}",
        )
        lines.append(",".join((at, *numbers)))
    return "\n".join(lines) + "\n"


def _total(values: list[float]) -> float:
    """A sum in order: numpy's depends on the machine's vector width."""
    total = 0.0
    for value in values:
        total += value
    return total
