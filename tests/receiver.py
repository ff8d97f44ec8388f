"""A webhook receiver on loopback that checks signatures and answers as a test tells it.

The signature is checked as docs/consume.md tells receivers to, with code of its own.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the tests, long enough"  # noqa: S105
Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (204, {}, b"")


@dataclass
class Received:
    """A request whose signature held."""

    delivery: str
    topic: str
    row: dict[str, Any]
    at: float


@dataclass
class Receiver:
    """What came; `answer` is asked for each row, with how often it has come, this one included."""

    url: str = ""
    answer: Callable[[Received, int], Answer] = lambda received, times: OK
    requests: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    unsigned: int = 0

    def deliveries(self) -> list[str]:
        """Delivery ids that were answered 2xx, in order, repeats left out."""
        return list(dict.fromkeys(one.delivery for one in self.taken))


def signed(header: str, body: bytes, now: float) -> bool:
    """Whether the header signs the body, made within five minutes."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    at = parts.get("t", "")
    wanted = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = at.isdigit() and abs(now - int(at)) < 300
    return fresh and hmac.compare_digest(wanted, parts.get("v1", ""))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at `.url`, gone after the block."""
    receiver = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not signed(self.headers["X-Marginquake-Signature"], body, time.time()):
                receiver.unsigned += 1
                self._say((401, {}, b"signature"))
                return
            headers = self.headers
            received = Received(
                headers["X-Marginquake-Delivery"],
                headers["X-Marginquake-Topic"],
                json.loads(body),
                time.monotonic(),
            )
            with lock:
                receiver.requests.append(received)
                times = sum(one.delivery == received.delivery for one in receiver.requests)
            answer = receiver.answer(received, times)
            with lock:
                if 200 <= answer[0] < 300:
                    receiver.taken.append(received)
            self._say(answer)

        def _say(self, answer: Answer) -> None:
            status, headers, body = answer
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # The sender was killed, or had waited long enough.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """The test reads `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook/path-that-is-secret"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
