"""Compiles the simulator's hot functions with numba, from the extra `simulate`.

Promises IEEE arithmetic: no fast-math, so that nothing is reordered or fused and every machine
adds the same numbers in the same order. Says how to install numba where it is missing. Machine
code is kept beside the sources, so that only the first run compiles.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from streams.config import MarginquakeError

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    import numba
except ImportError as error:
    raise MarginquakeError(
        "the simulator needs numba, which is not installed: pip install 'marginquake[simulate]'"
    ) from error


def compiled(function: Function) -> Function:
    """The function as machine code; the Python original stays at `.py_func`."""
    jit = numba.njit(cache=True, error_model="numpy", fastmath=False)
    return cast("Function", jit(function))


def inlined(function: Function) -> Function:
    """The same for a small function in a hot loop: a call would copy the whole state."""
    jit = numba.njit(cache=True, error_model="numpy", fastmath=False, forceinline=True)
    return cast("Function", jit(function))
