"""Laws of the block estimate: ordered ends, whole micro-dollars, the same in any order of cells."""

from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import Completeness, PositionSide
from streams.core.frames import Cell
from streams.core.scaling import Scale, by_venue, estimate_block
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import ThrottleParams

AT = 1_788_220_800
"""2026-09-01 00:00 UTC."""
PARAMS = ThrottleParams()
VENUES = ("binance-coinm", "binance-usdm", "bitget", "bybit", "deribit", "elsewhere", "okx")
SIDES: tuple[PositionSide, ...] = ("long", "short")


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    venue = draw(st.sampled_from(VENUES))
    n = draw(st.integers(1, 400)) if venue in ("bybit", "deribit") else 1
    largest = draw(st.integers(1, 10**13))
    usd = largest + (0 if n == 1 else draw(st.integers(0, largest * (n - 1))))
    taker = draw(st.none() | st.integers(0, 10**14))
    whole: Completeness = "all" if n > 1 else "sampled"
    side = draw(st.sampled_from(SIDES))
    symbol = draw(st.sampled_from(("A", "B")))
    return Cell(venue, symbol, side, "liquidation", whole, n, usd, largest, taker, taker)


SECONDS = st.dictionaries(st.integers(AT, AT + 59), st.lists(cells(), min_size=1, max_size=6))
SCALES = st.builds(
    Scale,
    st.dictionaries(st.sampled_from(VENUES), st.integers(0, 10**16)),
    st.sets(st.sampled_from(VENUES)),
)


def slots_of(seconds: dict[int, list[Cell]], *, backwards: bool = False) -> Slots:
    slots: Slots = {}
    for at in sorted(seconds):
        found = seconds[at][::-1] if backwards else seconds[at]
        tally_slots(slots, tuple(found), at)
    return slots


@given(SECONDS, SCALES)
def test_every_end_lies_in_order_and_is_whole(seconds: dict[int, list[Cell]], scale: Scale) -> None:
    found = by_venue(slots_of(seconds), 60, AT, scale, PARAMS)
    for venue, estimate in found.items():
        for side in SIDES:
            dollars = estimate.of(side)
            published = sum(
                cell.usd
                for members in seconds.values()
                for cell in members
                if cell.venue == venue and cell.side == side
            )
            low, high = dollars.interval(published, PARAMS)
            assert isinstance(dollars.usd, int)
            assert isinstance(low, int)
            ends = [published, low, dollars.usd, high, dollars.upper]
            known = [end for end in ends if end is not None]
            assert known == sorted(known)
            assert dollars.upper is None or not estimate.partial
            assert high is not None or (dollars.floor and dollars.upper is None)


@given(SECONDS, SCALES)
def test_the_order_of_cells_and_of_slots_does_not_matter(
    seconds: dict[int, list[Cell]], scale: Scale
) -> None:
    slots = slots_of(seconds, backwards=True)
    backwards = dict(reversed(slots.items()))
    turned = Scale(dict(list(scale.interest.items())[::-1]), sorted(scale.up, reverse=True))
    assert estimate_block(backwards, 60, AT, turned, PARAMS) == estimate_block(
        slots_of(seconds), 60, AT, scale, PARAMS
    )


@given(SECONDS, SCALES)
def test_a_complete_feed_is_never_changed_by_another_venue(
    seconds: dict[int, list[Cell]], scale: Scale
) -> None:
    found = by_venue(slots_of(seconds), 60, AT, scale, PARAMS).get("bybit")
    own = {at: [c for c in members if c.venue == "bybit"] for at, members in seconds.items()}
    alone = by_venue(slots_of(own), 60, AT, Scale(), PARAMS).get("bybit")
    assert found == alone
