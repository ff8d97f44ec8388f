"""The parsers and parameters of this process, by the assumptions that its environment sets.

At the edges: `MARGINQUAKE_ASSUMPTIONS` holds `venue.field=value` pairs. Whatever parses takes its
parsers from here and whatever detects its parameters, so that a collector, a framer and a replay
with the same variable tell the same. The core is given both and never sees the variable.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from streams.config import MarginquakeError
from streams.core.normalise import Parser
from streams.core.params import Params
from streams.core.throttle import ThrottleParams
from streams.venues import parsers_of
from streams.venues.assumptions import Assumptions, doubted, parsed

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


def parameters() -> Params:
    """Parameters of the detectors, with the feeds that are assumed to leave orders out.

    Their hash is that of the defaults unless there is such a feed.

    Raises:
        MarginquakeError: as `assumptions`.
    """
    found = doubted(assumptions())
    return Params(throttle=ThrottleParams(doubted=found)) if found else Params()


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
