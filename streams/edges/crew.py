"""The processes of a demo: commands of this program, started, watched and ended.

Promises that each writes its own log, that one that ends by itself is noticed and named with its
log, and that none outlives `end_all`, whatever happened. Each runs in a session of its own, so
that Ctrl-C reaches the parent alone, which stops them in order.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from streams.config import MarginquakeError
from streams.edges.broker import HOST

READY_S: Final = 90.0
STOP_S: Final = 40.0
"""A process that has not ended so long after SIGTERM has failed to drain."""

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the user's does not know this machine's loopback."""


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into one KeyboardInterrupt, and only where it may come.

    One that came between the start of a process and the note of its id would leave it running,
    and one in the middle of cleaning up likewise: such sections are `held`.
    """

    def __init__(self) -> None:
        self._held = 0
        self._came = self._raised = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over; the handlers from before are put back at the end.

        Not after an interrupt: the process is ending, and a second signal that comes meanwhile,
        even while the interpreter shuts down, must not change how it ends.
        """
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.signal(number, self._take) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, signal.SIG_IGN if self._came else handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A section that an interrupt waits for."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._raise_if_due()

    def _take(self, number: int, frame: object) -> None:
        if not self._came:
            self._came = True
            self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._came and not self._held and not self._raised:
            self._raised = True
            raise KeyboardInterrupt


class Crew:
    """Runs `marginquake` commands with one environment and one folder of logs."""

    def __init__(self, logs: Path, env: Mapping[str, str], interrupts: Interrupts) -> None:
        """Nothing is started yet.

        Args:
            logs: folder, there already.
            env: settings laid over this process's environment.
            interrupts: held while a process is started.
        """
        self._logs = logs
        self._env = {**os.environ, **env}
        self._interrupts = interrupts
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self._logs / f"{name}.log"

    def start(self, name: str, *arguments: str) -> None:
        """Start a stage, which runs until it is stopped and serves its health."""
        self._ports[name] = port = free_port()
        with self.log(name).open("wb") as log:
            self._launch(name, (*arguments, "--metrics-port", str(port)), log, log)

    def await_ready(self, name: str) -> None:
        """Return when a stage says that it is ready: before that, SIGTERM would not drain it.

        Raises:
            MarginquakeError: it or another one has ended, or it is not ready in time.
        """
        url = f"http://{HOST}:{self._ports[name]}/healthz"
        deadline = time.monotonic() + READY_S
        while True:
            self.check()
            try:
                with _DIRECT.open(url, timeout=5):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise MarginquakeError(
                        f"{name} is not ready after {READY_S:g} s ({error}); its log is "
                        f"{self.log(name)}"
                    ) from None
            time.sleep(0.1)

    def run(self, name: str, *arguments: str) -> Any:
        """Run a command with `--json` to its end and give what it printed.

        Meanwhile the others are watched.

        Raises:
            MarginquakeError: it or another one failed.
        """
        with self.log(name).open("wb") as log:
            process = self._launch(name, (*arguments, "--json"), subprocess.PIPE, log)
            while True:
                try:
                    out, _ = process.communicate(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    self.check(besides=name)
            del self._running[name]
        if process.returncode:
            raise self._failure(name, process.returncode)
        return json.loads(out)

    def check(self, besides: str = "") -> None:
        """Raise MarginquakeError when a process has ended that nobody stopped."""
        for name, process in self._running.items():
            if name != besides and process.poll() is not None:
                raise self._failure(name, process.returncode)

    def stop(self, name: str) -> None:
        """End a process by SIGTERM and wait.

        Raises:
            MarginquakeError: it did not end with 0, or not in time.
        """
        process = self._running[name]
        self.check()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise MarginquakeError(
                f"{name} did not end within {STOP_S:g} s of SIGTERM; its log is {self.log(name)}"
            ) from None
        del self._running[name]
        if code:
            raise self._failure(name, code)

    def end_all(self) -> None:
        """End whatever still runs: SIGTERM, then SIGKILL after five seconds."""
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 5.0
        for process in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _launch(
        self, name: str, arguments: tuple[str, ...], out: Any, log: Any
    ) -> subprocess.Popen[bytes]:
        with self._interrupts.held():
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "streams.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )
            self._running[name] = process
        return process

    def _failure(self, name: str, code: int) -> MarginquakeError:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        text = self.log(name).read_text(errors="replace").strip()
        last = text.splitlines()[-1][:500] if text else "its log is empty"
        return MarginquakeError(f"{name} ended with {how}: {last} (whole log: {self.log(name)})")


def free_port() -> int:
    """A loopback port that nothing holds now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])
