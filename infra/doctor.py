"""What a machine needs for the local stack, and what it has."""

import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from infra import libpython, timescale_tree
from infra.parts.flink import CONNECTORS
from infra.parts.java import WAY_OUT, java
from infra.parts.kafka import JARS as KAFKA_JARS
from infra.parts.part import PartError, port_answers
from infra.parts.registry import JARS as REGISTRY_JARS
from infra.ports import listeners
from infra.settings import Settings
from infra.stack import LEAST_FREE_BYTES, PARTS
from infra.supervision import Supervision
from pipelines.execution.fix import engine

MEMORY_WANTED_KB = 6 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One need. `mend` is the command or change that meets it; an optional one only costs something when missing."""

    what: str
    found: str
    well: bool
    mend: str = ""
    optional: bool = False


def examine(settings: Settings) -> Iterator[Check]:
    """Every need of the parts that the settings run locally, in the order in which they would be missed."""
    yield _python()
    yield _libpython()
    if settings.kafka.local or settings.registry.local or settings.flink.local:
        yield _java()
        yield _program("mvn", "apt-get install maven (only make setup needs it)", optional=_jars_are_there())
    yield _program("make", "apt-get install make", optional=True)
    yield _program("setpriv", "apt-get install util-linux")
    if settings.timescale.local:
        yield from _timescale()
    for name, folder in (("kafka", KAFKA_JARS), ("registry", REGISTRY_JARS), ("flink", CONNECTORS)):
        there = folder.is_dir() and any(folder.iterdir())
        yield Check(f"jars of {name}", str(folder) if there else "missing", there, "make setup")
    yield _disk(settings)
    yield _memory()
    yield from _ports(settings)
    yield _fix()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python 3.11", version, sys.version_info[:2] == (3, 11), "apt-get install python3.11 python3.11-venv")


def _libpython() -> Check:
    """Flink's JVM loads Python into itself."""
    found = libpython.found()
    return Check(
        f"{libpython.NAME}.so", found or "missing", bool(found), f"make setup, or apt-get install {libpython.NAME}"
    )


def _java() -> Check:
    try:
        return Check("JDK 17", java(), True)
    except PartError as error:
        return Check("JDK 17", str(error).partition(":")[0], False, WAY_OUT)


def _jars_are_there() -> bool:
    return all(folder.is_dir() for folder in (KAFKA_JARS, REGISTRY_JARS, CONNECTORS))


def _program(name: str, mend: str, *, optional: bool = False) -> Check:
    found = shutil.which(name)
    return Check(name, found or "missing", bool(found), mend, optional)


def _timescale() -> Iterator[Check]:
    if timescale_tree.installed():
        yield Check("TimescaleDB", str(timescale_tree.TREE), True)
        return
    yield Check("TimescaleDB", "missing", False, "make setup")
    for name in ("apt-get", "dpkg-deb"):
        yield _program(name, timescale_tree.OWN)


def _fix() -> Check:
    """Sessions of FIX alone need it."""
    if engine.installed():
        return Check("FIX engine", f"QuickFIX {importlib.metadata.version('quickfix')}", True)
    compiler = "" if shutil.which("g++") else "apt-get install g++ python3.11-dev, then "
    return Check("FIX engine", "missing", False, f"{compiler}make fix (sessions of FIX need it)", optional=True)


def _disk(settings: Settings) -> Check:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    mend = f"make room in {settings.home}, or HELIOS_HOME=/another/folder"
    return Check("free disk", f"{free >> 30} GB", free >= LEAST_FREE_BYTES, mend)


def _memory() -> Check:
    with open("/proc/meminfo") as lines:
        free_kb = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    mend = "close something, or lower flink.taskmanagers in helios.yaml"
    return Check("free memory", f"{free_kb >> 20} GB", free_kb >= MEMORY_WANTED_KB, mend, optional=True)


def _ports(settings: Settings) -> Iterator[Check]:
    mine = {process.program.partition("-")[0] for process in Supervision(settings).processes() if process.pid}
    for name, make in PARTS.items():
        try:
            part = make(settings)
        except PartError:
            continue
        for port in part.ports if part.local else ():
            taken = name not in mine and port_answers(port)
            holder = next(listeners(port), "another user's process") if taken else ""
            found = f"taken by {holder}" if taken else "in use by the stack" if name in mine else "free"
            yield Check(
                f"port {port} ({name})", found, not taken, f"stop it, or give {name} another port in helios.yaml"
            )
