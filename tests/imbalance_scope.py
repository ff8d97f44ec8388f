"""A scope whose minutes are given by hand, for the tests of imbalance."""

from collections.abc import Sequence

from schemas.results import validate_result
from streams.core.detectors.imbalance.detector import ImbalanceDetector
from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.detectors.minutes import Forced, Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS, PositionSide
from streams.core.frames import LateCell, VenueInterest
from streams.core.results import Identifiability, Imbalance
from tests.seconds import META

DAY = 86_400
MIDNIGHT = 1_790_035_200
BYBIT, BINANCE = "bybit", "binance-usdm"
PARAMS = ImbalanceParams()


def forced(
    side: PositionSide = "long",
    usd: float = 1_000.0,
    n: int = 1,
    venue: str = BYBIT,
    estimated: float | None = None,
    identifiability: Identifiability = "ok",
    known: bool = True,
) -> Forced:
    """`n` equal orders of one venue and side; dollars."""
    corrected = round((usd if estimated is None else estimated) * MICROS) if known else None
    each = usd / n
    dollars = round(usd * MICROS)
    squares = n * each**2
    return Forced(venue, side, n, dollars, squares, dollars // n, corrected, identifiability)


class Scope:
    """A detector fed minute by minute from midnight on; keeps the rows, all validated."""

    def __init__(
        self, params: ImbalanceParams = PARAMS, scope: str = "BTC", venues: Sequence[str] = (BYBIT,)
    ) -> None:
        self.scope = scope
        self.params = params
        self.venues = tuple(venues)
        self.detector = ImbalanceDetector(scope, params, META)
        self.rows: list[Imbalance] = []

    def minute(
        self,
        at: int,
        *orders: Forced,
        up: tuple[str, ...] | None = None,
        price: float | None = None,
        coins: float | None = None,
        funding: float | None = None,
    ) -> list[Imbalance]:
        """Close the minute `at` (minutes since midnight)."""
        up = self.venues if up is None else up
        interest = () if coins is None else (VenueInterest(BYBIT, None, coins, None, None, None),)
        minute = Minute(
            self.scope,
            MIDNIGHT + at * 60,
            len(up) / len(self.venues),
            up,
            self.venues,
            *(price,) * 5,
            None,
            coins,
            funding,
            interest,
            orders,
            (),
            (),
            (),
            (),
            {},
        )
        found: list[Imbalance] = []
        for row in self.detector.minute(minute, Readings()):
            validate_result(row)
            assert isinstance(row, Imbalance)
            found.append(row)
        self.rows += found
        return found

    def quiet(self, begin: int, end: int) -> None:
        """Minutes [begin, end) without forced orders."""
        for at in range(begin, end):
            self.minute(at)

    def late(self, second: int, of: int, usd: float = 500.0) -> None:
        """Hand over late longs of the second `of` in `second` (since midnight)."""
        cell = LateCell(
            (MIDNIGHT + of) * MICROS,
            BYBIT,
            "BTCUSDT",
            "long",
            "liquidation",
            1,
            round(usd * MICROS),
        )
        moment = Moment(self.scope, MIDNIGHT + second, 1.0, self.venues, self.venues, late=(cell,))
        assert self.detector.second(moment, Readings()) == ()

    def last(self, window_s: int, venue: str | None = None) -> Imbalance:
        """The last row of a window."""
        rows = [row for row in self.rows if (row.window_s, row.venue) == (window_s, venue)]
        return rows[-1]

    def restart(self) -> None:
        """Pass the state through its parts."""
        stored = {part.name: part.encode() for part in self.detector.parts()}
        self.detector = ImbalanceDetector(self.scope, self.params, META)
        self.detector.restore(stored)
