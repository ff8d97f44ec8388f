"""The processes of a demo: commands of this program, started, watched and ended.

Promises that each writes its own log, that one that ends by itself is noticed and named with its
log, and that none outlives `end_all`, whatever happened. Each runs in a session of its own, so
that Ctrl-C reaches the parent alone, which stops them in order.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streams.config import MarginquakeError

STOP_S: Final = 40.0
"""A process that has not ended so long after SIGTERM has failed to drain."""


class Crew:
    """Runs `marginquake` commands with one environment and one folder of logs."""

    def __init__(self, logs: Path, env: Mapping[str, str]) -> None:
        """Nothing is started yet.

        Args:
            logs: folder, there already.
            env: settings laid over this process's environment.
        """
        self._logs = logs
        self._env = {**os.environ, **env}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self._logs / f"{name}.log"

    def start(self, name: str, *arguments: str) -> None:
        """Start a command that runs until it is stopped."""
        with self.log(name).open("wb") as log:
            self._running[name] = self._launch(arguments, log, log)

    def run(self, name: str, *arguments: str) -> Any:
        """Run a command with `--json` to its end and give what it printed.

        Meanwhile the others are watched.

        Raises:
            MarginquakeError: it or another one failed.
        """
        with self.log(name).open("wb") as log:
            process = self._launch((*arguments, "--json"), subprocess.PIPE, log)
            self._running[name] = process
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

    def _launch(self, arguments: tuple[str, ...], out: Any, log: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "streams.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=self._env,
            start_new_session=True,
        )

    def _failure(self, name: str, code: int) -> MarginquakeError:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        text = self.log(name).read_text(errors="replace").strip()
        last = text.splitlines()[-1][:500] if text else "its log is empty"
        return MarginquakeError(f"{name} ended with {how}: {last} (whole log: {self.log(name)})")
