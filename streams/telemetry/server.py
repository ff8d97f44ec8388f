"""`/metrics` and `/healthz` of a process, and its orderly stop.

Promises: binds loopback unless told otherwise, answers from a thread of its own so that a busy
stage still answers, and calls a process unhealthy when its own check says so or raises. Does
not decide what healthy means: each stage passes its check.
"""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from streams.config import MarginquakeError
from streams.telemetry.metrics import BUILD, REGISTRY


@dataclass(frozen=True, slots=True)
class Health:
    """A process's own word: `ok` False answers 503 with `detail`."""

    ok: bool
    detail: str = ""


class MetricsServer:
    """`/metrics` and `/healthz` of this process, served by a daemon thread until `close`."""

    def __init__(self, host: str, port: int, health: Callable[[], Health]) -> None:
        """Bind at once; raises MarginquakeError when the port is taken."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
                elif self.path == "/healthz":
                    word = _ask(health)
                    body = {"status": "ok" if word.ok else "unhealthy", "detail": word.detail}
                    self._answer(
                        200 if word.ok else 503, "application/json", json.dumps(body).encode()
                    )
                else:
                    self._answer(404, "text/plain", b"/metrics or /healthz\n")

            def _answer(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Scrapes come every few seconds; they are not worth a log line."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise MarginquakeError(
                f"cannot serve metrics on {host}:{port} ({error.strerror}); "
                "choose another --metrics-port"
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _ask(health: Callable[[], Health]) -> Health:
    try:
        return health()
    except Exception as error:  # a broken check is an unhealthy process, not a dropped connection
        return Health(False, f"health check raised {type(error).__name__}")


def serve_metrics(
    process: str, port: int | None, health: Callable[[], Health] = lambda: Health(True)
) -> MetricsServer | None:
    """Serve this process's metrics and health; None = off, 0 = a free port (see `.port`).

    Loopback only, unless MARGINQUAKE_METRICS_HOST says otherwise (the container network of
    docker-compose.yml, where the port is not published). `health` runs on the server's thread.
    """
    BUILD.labels(version=_version(), process=process).set(1)
    if port is None:
        return None
    return MetricsServer(os.environ.get("MARGINQUAKE_METRICS_HOST", "127.0.0.1"), port, health)


def _version() -> str:
    try:
        return version("marginquake")
    except PackageNotFoundError:
        return "checkout"


def graceful_shutdown() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set on the running loop; the process then drains."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
