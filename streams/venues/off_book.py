"""Prints that venues make beside the book, and what becomes of each: a table of docs/venues.md.

Auto-deleveraging, take-overs by an insurance fund and hand-overs are stages of a liquidation beyond
its forced order. One is an event of a kind of its own (`adl`, `backstop`) where the message proves
whose position was closed; else it is counted under a reason of its own, since a guessed side would
make a long of a short.
"""

from typing import Final

import msgspec


class OffBook(msgspec.Struct, frozen=True):
    """A print by the venue's words, its outcome (a kind of event or a reason), and why that."""

    venue: str
    words: str
    outcome: str
    because: str


_NO_HOLDER: Final = "two positions meet, and whose was closed by force is not told"

OFF_BOOK: Final = (
    OffBook("binance-usdm", "`X` ADL", "adl_print", _NO_HOLDER),
    OffBook("binance-usdm", "`X` INSURANCE_FUND", "insurance_print", _NO_HOLDER),
    OffBook("binance-usdm", "`X` NA", "off_book", "not documented, but for not being of the book"),
    OffBook("bybit", "`BT` true", "off_book", "a block trade, agreed between two"),
    OffBook(
        "gate",
        "`is_internal` true",
        "takeover_print",
        "the insurance fund's or auto-deleveraging's, which is not told, nor whose position it was",
    ),
    OffBook("bitmex", "`trdType` Referential", "off_book", "states a price; nobody traded"),
    OffBook("deribit", "`block_trade_id`", "off_book", "a block trade; its forced orders count"),
    OffBook("kraken", "`type` block", "off_book", "a block trade, agreed between two"),
    OffBook(
        "kraken",
        "`type` assignment",
        "assignment_print",
        "hands a position over; whether `side` is who gives or who takes is not told",
    ),
    OffBook(
        "kraken",
        "`type` termination",
        "termination_print",
        "unwinds a position; whose `side` it is is not told",
    ),
    OffBook("dydx", "`type` DELEVERAGED", "adl", "`side` is that of the position's closing order"),
    OffBook("hyperliquid", "`dir` Auto-Deleveraging", "adl", "the fill names its account"),
    OffBook("hyperliquid", "`method` backstop", "backstop", "the fill names who was liquidated"),
    OffBook("coinbase", "`type` rfq_match", "off_book", "quoted on request, beside the book"),
)
"""Of COIN-M as of USD-M. A kind `adl` counts in no total of forced orders."""
