"""What this machine has and lacks for each part of the program, each lack with its mend.

Beside the data path, behind `marginquake doctor`. Promises: changes nothing, starts nothing,
and checks by doing (a bind, an import, `java -version`) and not by guessing from names.
"""

import importlib
import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from streams.config import MarginquakeError, Settings
from streams.edges import doctor_services
from streams.edges.broker import HOST, Broker, check_free
from streams.edges.check import Check
from streams.edges.kafka_jars import java_command, maven_command
from streams.parsing import VARIABLE, assumptions
from streams.venues.assumptions import settings_of

DISTRIBUTIONS: Final = {"faust": "faust-streaming", "pyflink": "apache-flink"}
DISK_NEEDED_GIB: Final = 2.0
"""Jars, a day of raw records of the default assets, and the warehouse's merges."""


def examine(settings: Settings) -> list[Check]:
    """Every check, in the order in which a new user meets the need."""
    return [
        _python(),
        _package("chdb", "warehouse on this machine", "warehouse"),
        _package("numba", "simulate, demo", "simulate"),
        _package("faust", "detect --engine faust", "faust"),
        _package("pyflink", "detect --engine flink (optional)", "flink", optional=True),
        _tried("java", "broker, detect --engine flink", java_command),
        _tried("maven", "broker, flink, dashboard (first start)", maven_command),
        _port(settings),
        doctor_services.broker_answers(settings),
        doctor_services.warehouse(settings),
        doctor_services.warehouse_port(),
        doctor_services.dashboard_port(),
        doctor_services.metrics_ports(),
        doctor_services.clock(settings),
        doctor_services.memory(),
        _disk(settings.home),
        _assumptions(),
    ]


def _python() -> Check:
    here = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] < (3, 13)
    mend = "" if ok else "use Python 3.11 or 3.12 (uv python install 3.12), then `make env`"
    return Check("python", ok, "everything", here, mend)


def _package(name: str, needed_for: str, extra: str, *, optional: bool = False) -> Check:
    try:
        importlib.import_module(name)
        found = version(DISTRIBUTIONS.get(name, name))
    except Exception as error:  # a native library that does not load raises what it likes
        reason = f"{type(error).__name__}: {error}"[:120]
        found = "not installed" if optional else reason
        return Check(name, optional, needed_for, found, f"pip install 'marginquake[{extra}]'")
    return Check(name, True, needed_for, found)


def _tried(name: str, needed_for: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, needed_for, look())
    except MarginquakeError as error:
        return Check(name, False, needed_for, "missing or too old", str(error))


def _port(settings: Settings) -> Check:
    name, needed_for = "kafka port", "broker"
    mend = doctor_services.address_mend(settings.kafka)
    if mend:
        return Check(name, False, needed_for, f"MARGINQUAKE_KAFKA is {settings.kafka!r}", mend)
    host, _, port = settings.kafka.rpartition(":")
    if host not in (HOST, "localhost") or not port.isdigit():
        return Check(name, True, needed_for, f"{settings.kafka} (not on this machine)")
    status = Broker(settings.home, int(port)).status()
    if status.running and status.bootstrap == f"{HOST}:{port}":
        return Check(name, True, needed_for, f"{port}: our broker, process {status.pid}")
    try:
        check_free(int(port))
    except MarginquakeError as error:
        return Check(name, False, needed_for, f"{port} taken", str(error))
    return Check(name, True, needed_for, f"{port} free")


def _disk(home: Path) -> Check:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        mend = "set MARGINQUAKE_HOME to a folder that you may write"
        return Check("disk", False, "everything", f"{there} is no writable folder", mend)
    free = shutil.disk_usage(there).free / 2**30
    ok = free >= DISK_NEEDED_GIB
    mend = "" if ok else f"free {DISK_NEEDED_GIB:g} GiB or set MARGINQUAKE_HOME to a larger disk"
    return Check("disk", ok, "everything", f"{free:.1f} GiB free at {home}", mend)


def _assumptions() -> Check:
    name, needed_for = "assumptions", "whatever parses"
    try:
        held = settings_of(assumptions())
    except MarginquakeError as error:
        return Check(name, False, needed_for, f"{VARIABLE} cannot be read", str(error))
    others = [f"{one.name}={one.value}" for one in held if one.value != one.default]
    return Check(name, True, needed_for, ", ".join(others) or "as documented")
