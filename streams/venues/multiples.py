"""What a base name lists: a coin, or a round number of coins that cost too little one by one.

Under the symbol rules and listings of venues that write `1000PEPE` or `SHIB1000`. Promises the
plain coin and how many of it one unit is. Does not know names that only look like a multiple.
"""

import re
from typing import Final

_MULTIPLE: Final = re.compile(
    r"(10{3,8})([A-Z][A-Z0-9]{0,19})|([A-Z][A-Z0-9]{0,19}?)(10{3,8})", re.ASCII
)


def listed(base: str) -> tuple[str, int]:
    """The coin, and how many of it one listed unit is.

    >>> listed("1000PEPE"), listed("SHIB1000"), listed("BTC"), listed("1INCH")
    (('PEPE', 1000), ('SHIB', 1000), ('BTC', 1), ('1INCH', 1))
    """
    multiple = _MULTIPLE.fullmatch(base)
    if multiple is None:
        return base, 1
    return multiple[2] or multiple[3], int(multiple[1] or multiple[4])


def spellings(coin: str) -> tuple[str, ...]:
    """Base names that may list the coin, the plain one first; `listed` gives it back from each.

    >>> spellings("PEPE")
    ('PEPE', '1000PEPE', '10000PEPE', '1000000PEPE')
    """
    return coin, *(f"{10**zeros}{coin}" for zeros in (3, 4, 6))
