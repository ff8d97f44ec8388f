"""The doctor's look at what answers: broker, warehouse, ports and the clock.

Beside the data path. Promises to change nothing (a store that is not there is not made, nothing is
produced), to wait three seconds at most for each answer, and to call unknown what has no reference:
a broker on this machine has this machine's clock and proves nothing about it.
"""

import asyncio
import ctypes
import http.client
import logging
import re
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.config import MarginquakeError, Settings
from streams.edges.broker import HOST, Broker
from streams.edges.check import Check
from streams.edges.migrate import plan, read_migrations, recorded
from streams.edges.warehouse import connect, holder_of, parse_dsn

WAIT_S: Final = 3.0
METRICS_PORTS: Final = (9101, 9102, 9103, 9104, 9105)
"""What docs/operations/running.md gives framer, detect, sink, webhook and collect."""
WAREHOUSE_PORT: Final = 8123
DASHBOARD_PORT: Final = 8090
MOST_SKEW_S: Final = 1.0
"""Event time is held to 5 s of receipt, and lateness to 2 s: a second of doubt is affordable."""
MEMORY_NEEDED_GIB: Final = 3.0
"""Broker 0.8 of heap, chDB 0.6, and framer, worker and sink with their states."""
_STA_UNSYNC: Final = 0x0040


def address_mend(kafka: str) -> str:
    """What to do about bootstrap servers that are no `HOST:PORT`, by commas; empty when they are.

    >>> address_mend("127.0.0.1:19092"), address_mend("a:9092,b:9092")
    ('', '')
    >>> address_mend("127.0.0.1:99999")
    'set MARGINQUAKE_KAFKA to HOST:PORT, e.g. 127.0.0.1:19092'
    """
    for one in kafka.split(","):
        host, _, port = one.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            return "set MARGINQUAKE_KAFKA to HOST:PORT, e.g. 127.0.0.1:19092"
    return ""


def broker_answers(settings: Settings) -> Check:
    """Whether a broker that should be there answers a metadata request."""
    name, needed_for = "broker", "every stage on Kafka"
    mend = address_mend(settings.kafka)
    if mend:
        return Check(name, False, needed_for, "cannot be asked", mend)
    host, _, port = settings.kafka.rpartition(":")
    if host in (HOST, "localhost") and port.isdigit():
        own = Broker(settings.home, int(port)).status()
        if not own.running and not _listens(int(port)):
            found = "not started (`marginquake broker start`)"
            return Check(name, True, needed_for, found)
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        topics = asyncio.run(_topics(settings.kafka))
    except (KafkaError, TimeoutError, OSError) as error:
        mend = "see MARGINQUAKE_HOME/kafka/log, restart it (`marginquake broker stop`, `start`) "
        mend += "or name another in MARGINQUAKE_KAFKA"
        found = f"{settings.kafka} does not answer ({type(error).__name__})"
        return Check(name, False, needed_for, found, mend)
    return Check(name, True, needed_for, f"{settings.kafka} answers, {topics} topics")


async def _topics(bootstrap: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(WAIT_S * 1000))
    try:
        async with asyncio.timeout(WAIT_S):
            await admin.start()
            return len(await admin.list_topics())
    finally:
        await admin.close()


def warehouse(settings: Settings) -> Check:
    """Whether the warehouse opens, and whether its migrations are all applied."""
    name, needed_for = "warehouse", "sink, query"
    # Its own line of a refused connection says less than ours.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    try:
        target = parse_dsn(settings.clickhouse_dsn)
        if target.path is not None and target.path.exists() and not target.path.is_dir():
            found = f"{target.path} is no folder"
            return Check(name, False, needed_for, found, "name another folder in CLICKHOUSE_DSN")
        if target.path is not None and not (target.path / "store").exists():
            found = f"{target.label} not made yet (`marginquake migrate`)"
            return Check(name, True, needed_for, found)
        holder = holder_of(target.path) if target.path is not None else None
        if holder is not None:
            return Check(name, True, needed_for, f"{target.label} is open in process {holder}")
        with connect(settings.clickhouse_dsn) as client:
            pending = plan(read_migrations(), recorded(client))
            version = client.server_version
    except MarginquakeError as error:
        return Check(name, False, needed_for, "cannot be used", str(error))
    if pending:
        labels = ", ".join(one.label for one in pending)
        found = f"{target.label} lacks {labels}"
        return Check(name, False, needed_for, found, "run `marginquake migrate`")
    found = f"{target.label}, ClickHouse {version}, migrated"
    return Check(name, True, needed_for, found)


def warehouse_port() -> Check:
    """The port on which a warehouse is served: free, or a ClickHouse answers there."""
    name, needed_for = "warehouse port", "a ClickHouse server here"
    if not _listens(WAREHOUSE_PORT):
        return Check(name, True, needed_for, f"{WAREHOUSE_PORT} free")
    if _asked(WAREHOUSE_PORT, "/ping").strip() == "Ok.":
        return Check(name, True, needed_for, f"{WAREHOUSE_PORT}: a ClickHouse answers")
    mend = f"end the program that holds port {WAREHOUSE_PORT}, or serve the warehouse on another"
    return Check(name, False, needed_for, f"{WAREHOUSE_PORT} taken", mend)


def dashboard_port() -> Check:
    """The port of the live page: free, or our page answers there."""
    name, needed_for = "dashboard port", "dashboard"
    if not _listens(DASHBOARD_PORT):
        return Check(name, True, needed_for, f"{DASHBOARD_PORT} free")
    if "<title>Marginquake" in _asked(DASHBOARD_PORT, "/"):
        return Check(name, True, needed_for, f"{DASHBOARD_PORT}: our dashboard answers")
    mend = (
        f"end the program that holds port {DASHBOARD_PORT}, or give `marginquake dashboard --port`"
    )
    return Check(name, False, needed_for, f"{DASHBOARD_PORT} taken", mend)


def metrics_ports() -> Check:
    """The ports that the documentation gives the stages: free, or a stage of ours answers."""
    name, needed_for = "metrics ports", "--metrics-port as documented"
    free: list[int] = []
    ours: list[str] = []
    taken: list[int] = []
    for port in METRICS_PORTS:
        if not _listens(port):
            free.append(port)
            continue
        stage = re.search(r'marginquake_build{process="(\w+)"', _asked(port, "/metrics"))
        if stage is None:
            taken.append(port)
        else:
            ours.append(f"{port} {stage[1]}")
    found = ", ".join([*ours, *(f"{port} free" for port in free)])
    if taken:
        numbers = ", ".join(map(str, taken))
        mend = f"give other --metrics-port than {numbers}, and tell Prometheus"
        return Check(name, False, needed_for, f"{numbers} taken; {found}", mend)
    return Check(name, True, needed_for, found)


def clock(settings: Settings) -> Check:
    """How far this machine's clock may be off, by a ClickHouse server's clock or by the kernel."""
    name, needed_for = "clock", "collect, framer"
    mend = "set the clock by NTP (Debian: apt-get install chrony)"
    skew = _server_skew(settings.clickhouse_dsn)
    if skew is not None:
        found = f"{skew:+.3f} s against {parse_dsn(settings.clickhouse_dsn).label}"
        ok = abs(skew) <= MOST_SKEW_S
        return Check(name, ok, needed_for, found, "" if ok else mend)
    error_s = kernel_clock_error()
    if error_s is None:
        return Check(name, True, needed_for, "not checked: no reference")
    ok = error_s <= MOST_SKEW_S
    found = f"synchronised, within {error_s:.3f} s by the kernel's word"
    return Check(name, ok, needed_for, found, "" if ok else mend)


def _server_skew(dsn: str) -> float | None:
    """Seconds that this clock is ahead of the server's; None without a server elsewhere that
    answers: one on this machine has this machine's clock.
    """
    try:
        target = parse_dsn(dsn)
        if target.path is not None or target.host in (HOST, "localhost", "::1"):
            return None
        with connect(dsn) as client:
            began = time.time()
            told = client.query("SELECT now64(6, 'UTC')").result_rows[0][0]
            ended = time.time()
    except (MarginquakeError, ClickHouseError):
        return None
    if not isinstance(told, datetime):
        return None
    return (began + ended) / 2 - told.timestamp()


class _Timex(ctypes.Structure):
    """`struct timex` of Linux; `modes` 0 only reads. Padded: the kernel writes what it has."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def kernel_clock_error() -> float | None:
    """Seconds that the clock may be off by the kernel's word; None when it is not synchronised."""
    try:
        told = _Timex()
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return None
    if state < 0 or told.status & _STA_UNSYNC:
        return None
    return float(told.maxerror) / 1e6


def memory() -> Check:
    """Memory that is free for the stages, within this process's own limit."""
    name, needed_for = "memory", "broker, framer, detect, sink at once"
    free = _memory_gib()
    if free is None:
        return Check(name, True, needed_for, "not checked: no /proc/meminfo")
    ok = free >= MEMORY_NEEDED_GIB
    mend = "" if ok else f"free {MEMORY_NEEDED_GIB:g} GiB, or put stages on machines of their own"
    return Check(name, ok, needed_for, f"{free:.1f} GiB available", mend)


def _memory_gib() -> float | None:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    found = re.search(r"MemAvailable:\s+(\d+) kB", text)
    if found is None:
        return None
    free = int(found[1]) * 1024
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):
        limit, used = "max", 0
    if limit.isdigit():
        free = min(free, int(limit) - used)
    return free / 2**30


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(WAIT_S)
        return probe.connect_ex((HOST, port)) == 0


def _asked(port: int, path: str) -> str:
    """The beginning of an answer over HTTP; empty when there is none."""
    connection = http.client.HTTPConnection(HOST, port, timeout=WAIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read(1_000_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
