"""Answers of a venue's REST interface: state of contracts, and the addresses of websockets.

Under polls and connections, with one client for both. Promises a whole answer or the reason why
there is none, in bounded time and memory. Does not ask again: its callers do.
"""

from typing import Final, Literal

import aiohttp

TIMEOUT_S: Final = 10.0
MOST_BYTES: Final = 4_000_000
BUSY: Final = frozenset({418, 429, 503})
"""Answers of a venue that wants to be left alone for a while."""
BUSY_S: Final = 60.0


class Unanswered(OSError):
    """A venue did not answer, or not with what was asked; `wait_s`: how long to leave it alone."""

    def __init__(self, problem: str, wait_s: float = 0.0) -> None:
        super().__init__(problem)
        self.wait_s = wait_s


def client() -> aiohttp.ClientSession:
    """A client that keeps its connections; use it as a context."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), headers={"User-Agent": "marginquake"}
    )


async def answer_of(
    session: aiohttp.ClientSession, url: str, method: Literal["GET", "POST"] = "GET"
) -> bytes:
    """The body of an answer.

    Raises:
        Unanswered: nobody answers in time, or the status is not 200, or the body is too long.
    """
    try:
        async with session.request(method, url) as answer:
            if answer.status != 200:
                wait_s = BUSY_S if answer.status in BUSY else 0.0
                raise Unanswered(f"status {answer.status}", wait_s)
            body = bytearray()
            async for part in answer.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    raise Unanswered(f"an answer of more than {MOST_BYTES:,} bytes")
            return bytes(body)
    except Unanswered:
        raise
    except (aiohttp.ClientError, OSError) as error:
        raise Unanswered(f"{type(error).__name__}: {error}") from error
