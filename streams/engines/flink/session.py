"""Where the Flink job runs: a mini-cluster in this process, or a cluster by its JobManager.

Between the command line and `job`. A mini-cluster listens on loopback alone, ends with this
process, and continues from its newest checkpoint. Promises that a job which fails for good ends
the process with the first cause, and that a stop waits for its savepoint.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import site
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from aiokafka.errors import KafkaError

from streams.config import MarginquakeError
from streams.core.params import Params
from streams.engines.flink.jobmanager import DETECT, FlinkRest, innermost
from streams.engines.flink.watch import Watch
from streams.engines.trimmed import lost_through

if TYPE_CHECKING:
    from streams.engines.flink.functions import Histories

LOOPBACK: Final = "127.0.0.1"
REST_PORT: Final = 18081
"""Of the mini-cluster; Flink's own 8081 may be a real cluster's."""
ANEW: Final = "begun-anew"
"""A file in the folder of checkpoints, touched when a job begins there without any."""
PREDECESSOR_S: Final = 20.0
"""A job that has just been told to stop goes within this."""
LATEST: Final = "latest"
NONE: Final = "none"
RESTARTS: Final = 5
RESTARTS_WITHIN: Final = "10 min"
"""More failures than RESTARTS in this time end a job; one a month never does."""
ERROR_FILE: Final = "-XX:ErrorFile="
PythonMode = Literal["thread", "process"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a job runs.

    `jobmanager`: HOST:PORT of a cluster's REST interface, None for a mini-cluster, which serves
    its own on loopback at `rest_port`. `checkpoints`: a folder, or a URI that the cluster can
    write. `restore`: a checkpoint's or savepoint's path, `latest` in `checkpoints`, or `none`.
    `connector`: the jar of `infra/flink/pom.xml`, None for looking at a job alone.
    `python_mode`: `thread` runs Python inside the JVM, which costs less, and one core per
    TaskManager; `process` beside it, one for each slot, over ports that no setting binds to
    loopback.
    """

    kafka: str
    home: Path
    checkpoints: str
    jobmanager: str | None = None
    rest_port: int = REST_PORT
    parallelism: int = 1
    checkpoint_s: float = 10.0
    restore: str = LATEST
    python_mode: PythonMode = "thread"
    connector: Path | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the REST interface."""
        return (LOOPBACK, self.rest_port) if self.jobmanager is None else host_port(self.jobmanager)


def host_port(text: str) -> tuple[str, int]:
    """A `HOST:PORT`.

    Raises:
        MarginquakeError: it is none.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise MarginquakeError(f"{text!r} is no HOST:PORT of a JobManager; write 127.0.0.1:8081")
    return host, int(port)


def uri(place: str) -> str:
    """A folder as the URI that Flink wants; a URI as it is."""
    return place if "://" in place else Path(place).resolve().as_uri()


def newest_checkpoint(place: str) -> str | None:
    """The newest complete checkpoint or savepoint below a local folder, since a job last began anew
    there; None when there is none.
    """
    if "://" in place and not place.startswith("file://"):
        raise MarginquakeError(
            f"cannot look for the latest checkpoint in {place}: name one with --restore URI, "
            "or start anew with --restore none"
        )
    folder = Path(place.removeprefix("file://"))
    anew = folder / ANEW
    since = anew.stat().st_mtime_ns if anew.exists() else 0
    found = [
        (written, meta.parent)
        for pattern in ("*/chk-*/_metadata", "savepoint-*/_metadata")
        for meta in folder.glob(pattern)
        if (written := meta.stat().st_mtime_ns) >= since
    ]
    return max(found)[1].resolve().as_uri() if found else None


@contextlib.contextmanager
def held(options: Options) -> Iterator[None]:
    """Hold a local folder of checkpoints: two jobs would delete each other's.

    Raises:
        MarginquakeError: another job of this machine holds it.
    """
    if options.jobmanager is not None or "://" in options.checkpoints:
        yield
        return
    folder = Path(options.checkpoints)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        deadline = time.monotonic() + PREDECESSOR_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise MarginquakeError(
                        f"another Flink job writes its checkpoints to {folder}: stop it, or give "
                        "another --checkpoints"
                    ) from None
            time.sleep(0.2)
        if options.restore == NONE:
            # What was saved before is given up, also when this job ends before it saves anything.
            (folder / ANEW).touch()
        yield


def restored_from(options: Options) -> str | None:
    """The URI that the job continues from, None when it begins anew.

    Raises:
        MarginquakeError: the path named holds no checkpoint.
    """
    if options.restore == NONE:
        return None
    if options.restore == LATEST:
        return newest_checkpoint(options.checkpoints)
    if "://" not in options.restore and not Path(options.restore, "_metadata").exists():
        raise MarginquakeError(
            f"{options.restore} is no checkpoint: a file _metadata is missing; "
            "`marginquake flink status` shows the last one"
        )
    return uri(options.restore)


def configuration(options: Options, restore: str | None) -> dict[str, str]:
    """Flink's settings for these options."""
    host, port = options.address
    found = {
        "parallelism.default": str(options.parallelism),
        "execution.checkpointing.interval": f"{round(options.checkpoint_s * 1000)} ms",
        "execution.checkpointing.dir": uri(options.checkpoints),
        "execution.checkpointing.savepoint-dir": uri(options.checkpoints),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.num-retained": "2",
        "execution.checkpointing.tolerable-failed-checkpoints": "10",
        "restart-strategy.type": "failure-rate",
        "restart-strategy.failure-rate.max-failures-per-interval": str(RESTARTS),
        "restart-strategy.failure-rate.failure-rate-interval": RESTARTS_WITHIN,
        "restart-strategy.failure-rate.delay": "2 s",
        "state.backend.type": "hashmap",
        "python.execution-mode": options.python_mode,
        "python.fn-execution.bundle.time": "50",
        "rest.address": host,
        "rest.port": str(port),
    }
    if options.jobmanager is None:
        found |= {
            "execution.target": "local",
            "rest.bind-address": LOOPBACK,
            "rest.bind-port": str(port),
            "jobmanager.bind-host": LOOPBACK,
            "taskmanager.bind-host": LOOPBACK,
            "taskmanager.host": LOOPBACK,
            "web.submit.enable": "false",
            "python.executable": sys.executable,
            "python.client.executable": sys.executable,
        }
        if options.connector is not None:
            found["pipeline.jars"] = options.connector.as_uri()
    if restore is not None:
        # What Flink may delete is what it wrote for itself: never a savepoint, nor what one named.
        ours = options.restore == LATEST and "/chk-" in restore
        found["execution.state-recovery.path"] = restore
        found["execution.state-recovery.claim-mode"] = "CLAIM" if ours else "NO_CLAIM"
    return found


def environment(options: Options) -> tuple[Any, str | None]:
    """A Flink environment with these options, and what its job continues from; starts its JVM."""
    if options.jobmanager is None:
        # What is saved last is known once the one before has ended: it saves as it goes, and
        # removes what is older.
        await_port(options.rest_port)
    restore = restored_from(options)
    settings = configuration(options, restore)
    if options.python_mode == "process" and options.jobmanager is None:
        log.warning("process mode listens on every interface, with ports that Flink chooses")
    prepare(options.home, options.python_mode)
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment

    held = Configuration()
    for name, value in settings.items():
        held.set_string(name, value)
    if options.jobmanager is None:
        return StreamExecutionEnvironment.get_execution_environment(held), restore
    # Outside of `flink run` Flink makes a local environment whatever the target says.
    from pyflink.java_gateway import get_gateway
    from pyflink.util.java_utils import to_jarray

    jvm = get_gateway().jvm
    java = jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    host, port = options.address
    env = StreamExecutionEnvironment(
        java.createRemoteEnvironment(host, port, held._j_configuration, to_jarray(jvm.String, []))  # noqa: SLF001
    )
    env.add_jars(*(jar.as_uri() for jar in (options.connector, python_jar()) if jar is not None))
    return env, restore


def python_jar() -> Path:
    """Flink's jar of what runs Python, which a cluster's own folder of jars lacks."""
    import pyflink

    return next((Path(pyflink.__file__).parent / "opt").glob("flink-python-*.jar"))


def await_port(port: int, timeout_s: float = PREDECESSOR_S) -> None:
    """Return when the mini-cluster can have its REST port: the JVM of one that has just ended goes
    a moment after its process.

    Raises:
        MarginquakeError: another program keeps it.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                if time.monotonic() > deadline:
                    raise MarginquakeError(
                        f"port {port} is taken: a Flink job runs here already (`marginquake flink "
                        "status`), or give another --rest-port"
                    ) from None
            else:
                return
        time.sleep(0.2)


def log_folder(home: Path) -> Path:
    """Where the JVM logs, and reports its crash."""
    return Path(os.environ.get("FLINK_LOG_DIR") or home / "flink" / "log")


def prepare(home: Path, python_mode: PythonMode = "thread") -> None:
    """Tell the JVM, before it starts, where to log and where its Python finds modules."""
    if python_mode == "thread":
        # Else PyFlink opens Beam's worker pool in this process, which thread mode has no use for:
        # on every interface, and it runs what it is sent.
        os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112  PyFlink's name
    logs = log_folder(home)
    logs.mkdir(parents=True, exist_ok=True)
    os.environ["FLINK_LOG_DIR"] = str(logs)
    told = os.environ.get("JVM_ARGS", "")
    if ERROR_FILE not in told and not any(letter.isspace() for letter in str(logs)):
        # PyFlink cuts these words at spaces; else a crash is reported in the working directory.
        os.environ["JVM_ARGS"] = f"{ERROR_FILE}{logs}/hs_err_pid%p.log {told}".strip()
    # What py4j logs it raises too; of a JVM that has gone it logs each object it still names.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    root = str(Path(__file__).parents[3])
    held = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    wanted = [*site.getsitepackages(), root, *held]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path for path in wanted if path))


def submit(options: Options, params: Params, histories: "Histories") -> Any:
    """Start the job; Flink's JobClient of it. `histories` is called where the job runs."""
    from py4j.protocol import Py4JJavaError

    from streams.engines.flink.job import build

    env, restore = environment(options)
    build(env, options.kafka, params, restore is not None, histories, _lost(options))
    try:
        client = env.execute_async(DETECT)
    except Py4JJavaError as error:
        raise MarginquakeError(f"the Flink job cannot start: {innermost(str(error))}") from None
    log.info("submitted", job=id_of(client), restored_from=restore, mode=options.python_mode)
    return client


def _lost(options: Options) -> int | None:
    try:
        return asyncio.run(lost_through(options.kafka))
    except KafkaError as error:
        if options.jobmanager is None:
            raise MarginquakeError(
                f"Kafka at {options.kafka}: {error}; start it (`marginquake broker start`), create "
                "the topics (`marginquake topics --create`) or name another with --kafka"
            ) from None
        # The cluster may reach a broker that this machine does not.
        log.warning("what frames.v1 has lost is not known here", error=repr(error))
        return None


def id_of(client: Any) -> str:
    """The job's id."""
    return str(client.get_job_id())


async def follow(options: Options, client: Any, stop: asyncio.Event, watch: Watch) -> None:
    """Stay with a job of the mini-cluster until it ends, or `stop` is set: then a savepoint first.

    Meanwhile `watch` is told of it.

    Raises:
        MarginquakeError: the job failed for good; names its first cause.
    """
    from py4j.protocol import Py4JError, Py4JJavaError

    ended = asyncio.ensure_future(
        asyncio.to_thread(lambda: client.get_job_execution_result().result())
    )
    stopped = asyncio.ensure_future(stop.wait())
    watched = asyncio.ensure_future(watch.follow(*options.address, id_of(client)))
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    watched.cancel()
    if not ended.done():
        try:
            async with FlinkRest(*options.address) as rest:
                saved = await rest.stop(id_of(client), uri(options.checkpoints))
        except MarginquakeError:
            # Its last checkpoint stays; a job that went on would hold this process for ever.
            with contextlib.suppress(Py4JError):
                await asyncio.to_thread(lambda: client.cancel().result())
            raise
        log.info("stopped", job=id_of(client), savepoint=saved)
    try:
        await ended
    except Py4JJavaError as error:
        # The mini-cluster goes with its job, and its REST interface with it.
        raise MarginquakeError(f"the Flink job failed: {innermost(str(error))}") from None
    except Py4JError as error:
        again = "; start again, it goes on from its last checkpoint, if it has one"
        raise MarginquakeError(
            f"the JVM of the Flink job has ended ({error}); what it told last is in "
            f"{log_folder(options.home)}{again if options.restore == LATEST else ''}"
        ) from None
