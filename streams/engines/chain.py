"""What an engine says when the chain of an asset's frames is broken."""

from streams.config import MarginquakeError
from streams.core.pipeline import BrokenChain


def broken(place: str, chain: BrokenChain) -> MarginquakeError:
    """The error that ends an engine: it must not go on over a gap.

    Args:
        place: topic, partition and offset, as far as the engine knows them.
        chain: what the stage refused.
    """
    return MarginquakeError(
        f"{place}: the frame of {chain.asset} follows {chain.found}, its state has "
        f"{chain.expected}: frames or states were lost"
    )
