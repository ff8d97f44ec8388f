"""A real Kafka broker on this machine, without Docker: resolved, started, stopped.

Below the whole data path on a laptop, in CI and in the tests. Promises: Apache Kafka in KRaft
combined mode, on 127.0.0.1 only, data kept across restarts, one broker per home folder, and no
signal to a process that is not this broker. Does not promise durability against power loss or
any access control: it is a single node for one user's machine.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.config import MarginquakeError
from streams.edges.kafka_jars import java_command, resolve_jars

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 19092
CLUSTER_ID: Final = "bWFyZ2lucXVha2UtdjEuMA"
"""Fixed, so that a data folder can be moved between checkouts."""
FORMAT: Final = ("kafka.tools.StorageTool", "format")

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dir=data
auto.create.topics.enable=false
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
log.message.timestamp.type=LogAppendTime
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""

LOGGING: Final = """\
status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=log/server.log
appender.file.filePattern=log/server.%i.log
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=4
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
"""

METADATA_REQUEST: Final = struct.pack(">hhihi", 3, 1, 1, -1, 0)
"""Metadata, version 1, correlation 1, no client id, no topics."""


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """What is known of the broker of a home folder; `ready` = it answered a metadata request."""

    running: bool
    ready: bool
    pid: int | None
    bootstrap: str
    data: str
    log: str


class Broker:
    """The one broker of `home`; safe to make anew in another process, which finds it again.

    Args:
        home: folder of the program (MARGINQUAKE_HOME); everything lies in `home/kafka`.
        port: loopback port of the Kafka protocol; the controller takes the next free one.
        jars: folder for resolved jars, shared between homes by the tests.
        heap_mib: upper bound of the Java heap.
    """

    def __init__(
        self,
        home: Path,
        port: int = DEFAULT_PORT,
        *,
        jars: Path | None = None,
        heap_mib: int = 768,
    ) -> None:
        self.folder = home.resolve() / "kafka"
        self.port = port
        self.jars = (jars or self.folder / "lib").resolve()
        self.heap_mib = heap_mib
        self.log = self.folder / "log"
        self._record = self.folder / "broker.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers for a Kafka client."""
        return f"{HOST}:{self.port}"

    def start(self, timeout_s: float = 60.0) -> str:
        """Start the broker unless it runs; returns the bootstrap servers once it answers.

        Raises:
            MarginquakeError: Java or Maven is missing, the port is taken, the jars cannot be
                resolved, or the broker did not answer in time (with the tail of its log).
        """
        with self._locked():
            pid, port = self._recorded()
            if pid is not None and port != self.port:
                raise MarginquakeError(
                    f"the broker of {self.folder} already runs on port {port}; "
                    f"use --port {port} or stop it with `marginquake broker stop`"
                )
            if pid is None:
                java = java_command()
                check_free(self.port)
                self._launch(java, resolve_jars(self.jars))
            self._await_ready(timeout_s)
        return self.bootstrap

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Ask the broker to stop (SIGTERM) and wait for its end; False when none ran."""
        return self._end(signal.SIGTERM, timeout_s)

    def kill(self, timeout_s: float = 10.0) -> bool:
        """End the broker at once (SIGKILL), as a crash would; False when none ran."""
        return self._end(signal.SIGKILL, timeout_s)

    def status(self) -> BrokerStatus:
        """The broker's state now; never raises for a broker that is down or half started."""
        pid, port = self._recorded()
        port = port or self.port
        return BrokerStatus(
            running=pid is not None,
            ready=pid is not None and answers(port),
            pid=pid,
            bootstrap=f"{HOST}:{port}",
            data=str(self.folder / "data"),
            log=str(self.log / "server.log"),
        )

    def _launch(self, java: str, classpath: Path) -> None:
        """Start Kafka; the quick compiler alone halves the start and costs no throughput here."""
        self.log.mkdir(parents=True, exist_ok=True)
        controller_port = _free_port(preferred=self.port + 1)
        (self.folder / "server.properties").write_text(
            PROPERTIES.format(host=HOST, port=self.port, controller_port=controller_port)
        )
        (self.folder / "log4j2.properties").write_text(LOGGING)
        command = [
            java,
            f"-Xmx{self.heap_mib}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dlog4j2.configurationFile=log4j2.properties",
            self._mark,
            "-cp",
            f"{classpath}/*",
        ]
        with (self.log / "console.log").open("wb") as console:
            if not (self.folder / "data" / "meta.properties").exists():
                self._format(command, console.fileno())
            self._process = subprocess.Popen(  # noqa: S603
                [*command, "kafka.Kafka", "server.properties"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._record.write_text(json.dumps({"pid": self._process.pid, "port": self.port}))

    def _format(self, command: list[str], console: int) -> None:
        done = subprocess.run(  # noqa: S603
            [*command, *FORMAT, "--cluster-id", CLUSTER_ID, "--config", "server.properties"],
            cwd=self.folder,
            stdout=console,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise MarginquakeError(
                f"Kafka could not format {self.folder / 'data'}: {self._log_tail()}"
            )

    def _await_ready(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not answers(self.port):
            pid, _ = self._recorded()
            if pid is None or time.monotonic() > deadline:
                said = (
                    "ended while starting" if pid is None else f"gave no answer in {timeout_s:g} s"
                )
                if pid is not None:
                    self._signal_and_wait(pid, signal.SIGKILL, 10.0)
                raise MarginquakeError(
                    f"the Kafka broker on {self.bootstrap} {said}: {self._log_tail()} "
                    f"(whole log: {self.log})"
                )
            time.sleep(0.1)

    def _end(self, number: signal.Signals, timeout_s: float) -> bool:
        with self._locked():
            pid, _ = self._recorded()
            if pid is not None and not self._signal_and_wait(pid, number, timeout_s):
                raise MarginquakeError(
                    f"the Kafka broker (process {pid}) did not end within {timeout_s:g} s; "
                    f"see {self.log / 'server.log'}"
                )
            self._record.unlink(missing_ok=True)
            return pid is not None

    def _signal_and_wait(self, pid: int, number: signal.Signals, timeout_s: float) -> bool:
        os.kill(pid, number)
        deadline = time.monotonic() + timeout_s
        while self._is_ours(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    @property
    def _mark(self) -> str:
        return f"-Dmarginquake.kafka={self.folder}"

    def _is_ours(self, pid: int) -> bool:
        """A recorded pid may belong to another program by now: its arguments decide.

        Not for a child of this object, whose arguments are empty for a moment after its start
        and which stays in the process table until it is waited for.
        """
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return self._mark in _arguments(pid)

    def _recorded(self) -> tuple[int | None, int | None]:
        try:
            record = json.loads(self._record.read_text())
            pid, port = int(record["pid"]), int(record["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, None
        return (pid, port) if self._is_ours(pid) else (None, None)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _log_tail(self, lines: int = 5) -> str:
        """The last telling lines of the server's log, else of the console, on one line."""
        for name in ("server.log", "console.log"):
            path = self.log / name
            text = path.read_text(errors="replace").strip() if path.exists() else ""
            told = [line for line in text.splitlines() if not line.startswith(("\t", "    "))]
            grave = [line for line in told if re.search(r"\b(ERROR|FATAL)\b|Exception", line)]
            if told:
                return " | ".join(line.strip() for line in (grave or told)[-lines:])[:1500]
        return "its log is empty"


def _arguments(pid: int) -> list[str]:
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    ps = shutil.which("ps") or "/bin/ps"
    done = subprocess.run(  # noqa: S603
        [ps, "-o", "command=", "-ww", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def answers(port: int, timeout_s: float = 1.0) -> bool:
    """Whether a Kafka broker on this loopback port answers a metadata request, itself listed.

    A broker that is up but not yet admitted by its controller lists no brokers: not ready.
    """
    try:
        with socket.create_connection((HOST, port), timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(METADATA_REQUEST)) + METADATA_REQUEST)
            answer = connection.makefile("rb").read(12)
    except OSError:
        return False
    if len(answer) < 12:
        return False
    _, correlation, brokers = struct.unpack(">iii", answer)
    return bool(correlation == 1 and brokers > 0)


def check_free(port: int) -> None:
    """Raise MarginquakeError, naming the mend, when the loopback port is held by a program."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise MarginquakeError(
                f"port {port} on {HOST} is taken ({error.strerror}); choose another with --port "
                "(and set MARGINQUAKE_KAFKA to match) or end the program that holds it"
            ) from None


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        try:
            with socket.create_server((HOST, port)) as probe:
                return int(probe.getsockname()[1])
        except (OSError, OverflowError):
            continue
    raise MarginquakeError(f"no free port on {HOST} for Kafka's controller")
