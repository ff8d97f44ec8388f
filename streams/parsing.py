"""The parsers of this process, by the assumptions that its environment sets.

At the edges: `MARGINQUAKE_ASSUMPTIONS` holds `venue.field=value` pairs, and whatever parses takes
its parsers from here, so that a collector, a framer and a replay with the same variable tell the
same. The core is given parsers and never sees the variable.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from streams.config import MarginquakeError
from streams.core.normalise import Parser
from streams.venues import parsers_of
from streams.venues.assumptions import Assumptions, parsed

VARIABLE: Final = "MARGINQUAKE_ASSUMPTIONS"


def assumptions() -> Assumptions:
    """What this process assumes of venues.

    Raises:
        MarginquakeError: the variable names no assumption or a value that it cannot have.
    """
    return _read(os.environ.get(VARIABLE, ""))


def parsers() -> Mapping[str, Parser]:
    """Parser by venue id, with the assumptions of this process.

    Raises:
        MarginquakeError: as `assumptions`.
    """
    return _parsers(assumptions())


@cache
def _read(text: str) -> Assumptions:
    try:
        return parsed(text)
    except ValueError as error:
        raise MarginquakeError(
            f"{VARIABLE}: {error}; `marginquake venues --assumptions` lists names and values, "
            "written as gate.negative=buy,htx.trade_sides=1"
        ) from None


@cache
def _parsers(assumed: Assumptions) -> Mapping[str, Parser]:
    return parsers_of(assumed)
