"""A real broker for the session, a warehouse of the test's own, one profile for property tests.

Java and Maven are needed; without them these tests skip on a laptop and fail in CI. The jars
are resolved once into the program's home and shared by every broker of the tests. chDB allows
one open path per process, so a test uses either `warehouse` (a migrated client) or
`warehouse_dsn` (for a command in another process), and every client is closed before the next.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError, settings
from streams.contracts import topics
from streams.edges.broker import Broker
from streams.edges.kafka_jars import flink_connector, java_command, resolve_jars
from streams.edges.migrate import migrate
from streams.edges.topics import reconcile
from streams.edges.warehouse import connect

BrokerMaker = Callable[[], Broker]

# Here, not beside the property tests: they are imported before a conftest of their own.
hypothesis.settings.register_profile(
    "marginquake",
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
    ],
)
hypothesis.settings.load_profile("marginquake")

_candidates = iter(range(20_000 + os.getpid() * 20 % 10_000, 32_000))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be skipped: a check that did not run has not passed."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter is not None else ()
    if os.environ.get("CI") and skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI: {len(skipped)} skipped, none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def recordings() -> list[Path]:
    """The recordings beside the project; in CI they must be there."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "recordings"
    found = sorted(folder.glob("*.jsonl.gz"))
    if not found:
        if os.environ.get("CI"):
            pytest.fail(f"no recordings in {folder}")
        pytest.skip("no recordings here")
    return found


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The folder of resolved jars, to be given to `Broker(..., jars=...)`."""
    jars = settings().home / "kafka" / "lib"
    try:
        java_command()
        resolve_jars(jars)
    except MarginquakeError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return jars


@pytest.fixture(scope="session")
def session_broker(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's broker object; use `broker` unless the test needs its status."""
    running = Broker(tmp_path_factory.mktemp("broker"), free_port(), jars=kafka_jars)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def broker(session_broker: Broker) -> str:
    """Bootstrap servers of the session's broker; shared, so use groups and keys of your own."""
    return session_broker.bootstrap


@pytest.fixture(scope="session")
def kafka_topics(broker: str) -> list[str]:
    """Every topic of topics.yaml, created on the session's broker."""
    report = asyncio.run(reconcile(broker, create=True))
    assert not report.drift
    return list(topics())


@pytest.fixture(scope="module")
def own_broker(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a broker of this module alone, with every topic: for tests whose rows
    would be found by others' sinks.
    """
    running = Broker(tmp_path_factory.mktemp("own-broker"), free_port(), jars=kafka_jars)
    running.start()
    assert not asyncio.run(reconcile(running.bootstrap, create=True)).drift
    yield running.bootstrap
    running.stop()


@pytest.fixture(scope="session")
def flink(kafka_jars: Path) -> None:
    """Asks for PyFlink and its connector; `flink_home` shares it between homes."""
    try:
        import pyflink  # noqa: F401  asked for here, where its absence can be told

        flink_connector(settings().home)
    except (ImportError, MarginquakeError) as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chart_library() -> None:
    """Asks for the dashboard's chart library, resolved once into the program's home."""
    try:
        resolve_jars(settings().home / "dashboard" / "lib", "dashboard")
    except MarginquakeError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def next_port() -> Callable[[], int]:
    """Gives free ports that no broker of the tests is given: importing `free_port` would make a
    second list of them.
    """
    return free_port


@pytest.fixture
def flink_home(flink: None, tmp_path: Path) -> Path:
    """A home with the connector that is already resolved."""
    home = tmp_path / "stack"
    (home / "flink").mkdir(parents=True)
    (home / "flink" / "lib").symlink_to(settings().home / "flink" / "lib")
    return home


@pytest.fixture
def make_broker(kafka_jars: Path, tmp_path: Path) -> Iterator[BrokerMaker]:
    """Makes a broker of this test alone, not yet started, to be stopped or killed at will."""
    made: list[Broker] = []

    def make() -> Broker:
        own = Broker(tmp_path / f"broker-{len(made)}", free_port(), jars=kafka_jars)
        made.append(own)
        return own

    yield make
    for own in made:
        own.kill()


def free_port() -> int:
    """A free loopback port, never given twice, below the range the system hands to clients."""
    for port in _candidates:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free loopback port")


@pytest.fixture
def warehouse_dsn(tmp_path: Path) -> str:
    """DSN of a store that does not exist yet."""
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    return f"chdb://{tmp_path / 'store'}?database=marginquake"


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[Client]:
    """A client of a store with all tables."""
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
        yield client


@pytest.fixture(scope="session")
def examples() -> dict[str, list[bytes]]:
    """The checked-in examples by kind, each as the bytes of a record."""
    found: dict[str, list[bytes]] = {}
    for kind in files("schemas").joinpath("examples").iterdir():
        names = sorted(kind.iterdir(), key=lambda entry: entry.name)
        found[kind.name] = [
            json.dumps(json.loads(entry.read_text("utf-8"))).encode() for entry in names
        ]
    return found
