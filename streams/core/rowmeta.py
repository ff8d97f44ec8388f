"""What every result row says of its origin: parameters, engine and partition."""

import msgspec


class RowMeta(msgspec.Struct, frozen=True):
    """Stamped on each row a detector publishes.

    `params_hash` names the parameter set, `engine` the engine (outside the parity comparison),
    `partition` the raw partition of the asset (0 for the market stage).
    """

    params_hash: str
    engine: str
    partition: int
