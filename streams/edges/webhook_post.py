"""One signed POST of a row to a receiver, tried until it is taken or given up.

Second half of the webhook: HTTP, no Kafka. Promises a signature over time and body, the same
delivery id for every try of a row, pauses that grow, are jittered and never shorter than what
`Retry-After` asks; that no redirect is followed (it could lead the row anywhere); and that neither
the secret nor the path of the URL (which may be one) reaches an error or a log. Does not promise
that the receiver sees a row once: it may have taken one whose answer was lost.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential_jitter,
)

from streams.config import MarginquakeError
from streams.core.events import WebhookRejectReason
from streams.edges.console import verbatim
from streams.telemetry import WEBHOOK_RETRIES, WEBHOOK_SECONDS

SIGNATURE: Final = "X-Marginquake-Signature"
DELIVERY: Final = "X-Marginquake-Delivery"
TOPIC: Final = "X-Marginquake-Topic"
LEAST_SECRET: Final = 16
"""Characters of a secret: a shorter one can be searched for."""
PASSING: Final = frozenset({408, 425, 429})
"""Refusals that say: not now."""
LONGEST_PAUSE_S: Final = 60.0
LONGEST_RETRY_AFTER_S: Final = 3600.0
_TOLD_BYTES: Final = 200
_TOLD_S: Final = 1.0

Cause = Literal["timeout", "connection", "throttled", "server_error"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go; `url` and `secret` stay out of its repr."""

    label: str
    url: str = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row to be delivered: `id` is `<row id>.<revision>`, `body` the record's bytes."""

    id: str
    topic: str
    body: bytes


class Undelivered(Exception):
    """The row was given up: the receiver refused it, or was away for too long."""

    def __init__(self, reason: WebhookRejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Stopped(Exception):
    """The process ends between two tries; the row is still to be delivered."""


class _Passing(Exception):
    """A failure that may be over at the next try."""

    def __init__(self, cause: Cause, detail: str, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.retry_after_s = retry_after_s


def target_of(url: str, secret: str, insecure: bool = False) -> Target:
    """A checked target.

    Args:
        url: https, or http on loopback.
        secret: the key of the signatures.
        insecure: allow http to any host.

    Raises:
        MarginquakeError: the URL is none or not allowed, or the secret is too short.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
        if not url.isprintable() or " " in url:
            raise ValueError
    except ValueError:
        raise MarginquakeError("the webhook's URL cannot be read; use https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise MarginquakeError("the webhook's URL is none; use https://host/path")
    label = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    if parts.username or parts.password:
        raise MarginquakeError(
            f"the webhook's URL for {label} holds a user or password; leave them out: the "
            "signature tells the receiver who is calling"
        )
    if parts.scheme == "http" and not insecure and not _is_loopback(host):
        raise MarginquakeError(
            f"{label} would carry alerts in the clear; use https, or --insecure in a network that "
            "is yours"
        )
    if len(secret) < LEAST_SECRET:
        raise MarginquakeError(
            f"MARGINQUAKE_WEBHOOK_SECRET has {len(secret)} characters of at least {LEAST_SECRET}; "
            "make one with `openssl rand -hex 32` and give it to the receiver too"
        )
    return Target(label, url, secret.encode())


def signature(secret: bytes, at: int, body: bytes) -> str:
    """The signature's header: HMAC-SHA256 over `<at>.<body>`, in hex.

    >>> signature(b"secret of sixteen", 1_790_000_000, b"{}")[:26]
    't=1790000000,v1=b8caaf2936'
    """
    made = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


class Poster:
    """Delivers rows over one session, which stays the caller's.

    Args:
        session: of aiohttp.
        target: where to.
        stop: once set, no further try is begun.
        timeout_s: longest wait for an answer.
        give_up_s: how long a row is tried.
        first_pause_s: pause after the first failure; each next is twice as long, up to a minute.
        clock: seconds since 1970, for signatures.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        stop: asyncio.Event,
        timeout_s: float = 10.0,
        give_up_s: float = 3600.0,
        first_pause_s: float = 0.5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._target = target
        self._stop = stop
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._give_up_s = give_up_s
        self._backoff = wait_exponential_jitter(
            multiplier=first_pause_s, max=LONGEST_PAUSE_S, jitter=first_pause_s
        )
        self._clock = clock
        self.retries = 0

    async def deliver(self, delivery: Delivery) -> None:
        """Return once the receiver has answered 2xx.

        Raises:
            Undelivered: refused for good, or given up.
            Stopped: `stop` was set between two tries.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            wait=self._pause,
            stop=stop_after_delay(self._give_up_s),
            sleep=self._sleep,
            before_sleep=lambda state: self._report(delivery, state),
            reraise=True,
        )
        try:
            await tries(self._try, delivery)
        except _Passing as error:
            raise Undelivered(
                "receiver_unavailable",
                f"{self._target.label}: {error.detail}; given up after {self._give_up_s:g} s",
            ) from None

    async def _try(self, delivery: Delivery) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "marginquake",
            SIGNATURE: signature(self._target.secret, int(self._clock()), delivery.body),
            DELIVERY: delivery.id,
            TOPIC: delivery.topic,
        }
        began = time.monotonic()
        try:
            async with self._session.post(
                self._target.url,
                data=delivery.body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                status = answer.status
                asked = answer.headers.get("Retry-After", "")
                told = b"" if answer.ok else await _told(answer)
        except TimeoutError:
            raise _Passing("timeout", f"no answer in {self._timeout.total:g} s") from None
        except aiohttp.ClientError as error:
            # The text of some of these holds the whole URL.
            raise _Passing("connection", f"no connection: {type(error).__name__}") from None
        WEBHOOK_SECONDS.labels(topic=delivery.topic).observe(time.monotonic() - began)
        if 200 <= status < 300:
            return
        detail = f"answered {status}{self._shown(told)}"
        if status in PASSING or status >= 500:
            cause: Cause = "server_error" if status >= 500 else "throttled"
            raise _Passing(cause, detail, retry_after(asked, self._clock()))
        if 300 <= status < 400:
            detail += " (redirects are not followed: name the final URL)"
        raise Undelivered("refused_by_receiver", f"{self._target.label}: {detail}")

    def _shown(self, told: bytes) -> str:
        text = told.decode("utf-8", "replace").replace(self._target.url, "<url>")
        return f": {verbatim(' '.join(text.split()))}" if text.strip() else ""

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, _Passing) else 0.0
        return max(self._backoff(state), asked)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
        raise Stopped

    def _report(self, delivery: Delivery, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Passing):
            self.retries += 1
            WEBHOOK_RETRIES.labels(topic=delivery.topic, reason=error.cause).inc()
            log.warning(
                "delivery failed, tried again",
                delivery=delivery.id,
                receiver=self._target.label,
                attempt=state.attempt_number,
                pause_s=round(state.upcoming_sleep, 2),
                error=error.detail,
            )


def retry_after(asked: str, now: float) -> float:
    """Seconds that a `Retry-After` header asks for: a number or a date; 0 when it says nothing.

    >>> retry_after("7", 0.0), retry_after("", 0.0), retry_after("soon", 0.0)
    (7.0, 0.0, 0.0)
    >>> retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 20.0), retry_after("999999", 0.0)
    (40.0, 3600.0)
    """
    if asked.isascii() and asked.isdigit():
        seconds = float(asked)
    else:
        try:
            when: datetime = parsedate_to_datetime(asked)
        except ValueError:
            return 0.0
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


async def _told(answer: aiohttp.ClientResponse) -> bytes:
    """The beginning of a refusal's text; the status stands when it breaks off or does not come."""
    try:
        async with asyncio.timeout(_TOLD_S):
            return await answer.content.read(_TOLD_BYTES)
    except (TimeoutError, aiohttp.ClientError):
        return b""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
