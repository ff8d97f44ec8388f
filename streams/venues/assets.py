"""Which assets count as large, and what venues whose symbols need no size row list them as.

Read by the wires and by the planner of a collector. `assets.csv` has an asset a row, the largest
first, and in a venue's column the base name of its contract there (`1000PEPE`), empty where none
is known. Both are a prior of `AS_OF`, written down from general knowledge of the markets: neither
was fetched from a venue or measured. Promises that the parsers read each name back as its asset;
does not know what was listed or renamed since, and an asset without a row keeps its plain name.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final

AS_OF: Final = "2025-06"


def _rows() -> list[dict[str, str]]:
    text = (resources.files("streams.venues") / "assets.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def names() -> Mapping[str, Mapping[str, str]]:
    """Base names by venue and asset, assets from the largest."""
    rows = _rows()
    return {
        venue: {row["asset"]: row[venue] for row in rows if row[venue]}
        for venue in rows[0]
        if venue != "asset"
    }


@cache
def _ranks() -> Mapping[str, int]:
    return {row["asset"]: rank for rank, row in enumerate(_rows())}


def by_size(assets: Iterable[str]) -> tuple[str, ...]:
    """The assets from the largest; those without a rank follow in the order of the alphabet.

    >>> by_size(["1INCH", "SOL", "ZZZ", "BTC"])
    ('BTC', 'SOL', '1INCH', 'ZZZ')
    """
    ranks = _ranks()
    return tuple(sorted(assets, key=lambda asset: (ranks.get(asset, len(ranks)), asset)))


def base_name(venue: str, asset: str) -> str:
    """What the venue lists instead of the coin itself, or the coin.

    >>> base_name("binance-usdm", "MOG"), base_name("bybit", "SHIB"), base_name("okx", "SHIB")
    ('1000000MOG', 'SHIB1000', 'SHIB')
    """
    return names().get(venue, {}).get(asset, asset)
