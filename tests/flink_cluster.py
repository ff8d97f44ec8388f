"""A standalone Flink cluster of this machine for tests: a JobManager and TaskManagers, one process
each, from the scripts of the PyFlink wheel. Listens on loopback alone.
"""

import os
import site
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]


class FlinkCluster:
    """Started with one JobManager; `add` starts a TaskManager of one slot."""

    def __init__(self, home: Path, next_port: Callable[[], int]) -> None:
        import pyflink

        self.flink = Path(pyflink.__file__).parent
        self.home = home
        self.rest = next_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        conf = home / "conf"
        conf.mkdir(parents=True)
        settings = {
            **yaml.safe_load((self.flink / "conf/config.yaml").read_text()),
            "jobmanager": {
                "rpc": {"address": LOOPBACK, "port": next_port()},
                "bind-host": LOOPBACK,
                "memory": {"process": {"size": "900m"}},
            },
            "blob": {"server": {"port": str(next_port())}},
            "rest": {"address": LOOPBACK, "bind-address": LOOPBACK, "port": self.rest},
            "taskmanager": {
                "host": LOOPBACK,
                "bind-host": LOOPBACK,
                "numberOfTaskSlots": 1,
                "memory": {"process": {"size": "1200m"}},
            },
            # A killed TaskManager is missed within seconds, not within the minute of the default.
            "heartbeat": {"interval": "1 s", "timeout": "6 s"},
        }
        (conf / "config.yaml").write_text(yaml.safe_dump(settings))
        for name in ("log4j-console.properties", "masters", "workers"):
            (conf / name).write_text((self.flink / "conf" / name).read_text())
        # The wheel keeps its own jar beside the others: a cluster's classpath needs it.
        self.classpath = next((self.flink / "opt").glob("flink-python-*.jar"))
        self._start("jobmanager")
        self._await_rest()

    @property
    def address(self) -> str:
        """HOST:PORT of the REST interface."""
        return f"{LOOPBACK}:{self.rest}"

    def add(self, name: str) -> None:
        """Start a TaskManager and wait until the JobManager knows it."""
        known = self.slots()
        self._start("taskmanager", name)
        deadline = time.monotonic() + 60
        while self.slots() <= known:
            assert time.monotonic() < deadline, self.log_of(name)
            time.sleep(0.5)

    def slots(self) -> int:
        """Task slots that the JobManager knows."""
        with urllib.request.urlopen(f"http://{self.address}/overview", timeout=5) as answer:
            found: int = yaml.safe_load(answer.read())["slots-total"]
            return found

    def lose(self, name: str) -> None:
        """Kill a TaskManager and wait until the JobManager misses it."""
        known = self.slots()
        self.kill(name)
        deadline = time.monotonic() + 60
        while self.slots() >= known:
            assert time.monotonic() < deadline, self.log_of("jobmanager")
            time.sleep(0.5)

    def kill(self, name: str) -> None:
        """kill -9 of a process and of what it has started."""
        process = self.running.pop(name)
        os.killpg(process.pid, 9)
        process.wait(timeout=30)

    def end(self) -> None:
        """Leave nothing behind."""
        for name in list(self.running):
            self.kill(name)

    def log_of(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text("utf-8", "replace")[-3000:]

    def _start(self, kind: str, name: str | None = None) -> None:
        name = name or kind
        environment = {
            **os.environ,
            "FLINK_CONF_DIR": str(self.home / "conf"),
            "FLINK_LOG_DIR": str(self.home),
            "FLINK_PID_DIR": str(self.home),
            "FLINK_CLASSPATH": str(self.classpath),
            "PYTHONPATH": os.pathsep.join([*site.getsitepackages(), str(ROOT)]),
        }
        with (self.home / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(self.flink / f"bin/{kind}.sh"), "start-foreground"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await_rest(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self.slots()
            except OSError:
                assert time.monotonic() < deadline, self.log_of("jobmanager")
                time.sleep(0.5)
            else:
                return
