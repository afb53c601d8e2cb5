"""Flink: a standalone cluster from the apache-flink wheel, a JobManager and TaskManagers of one slot."""

import importlib.util
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from infra.parts.java import QUICK_START, compiler, java, shared_classes
from infra.parts.part import INSTANCE, Part, PartError, Program, Unhealthy, http_get, need
from infra.settings import INSTALLED, ROOT, FlinkSettings, Settings
from infra.supervision import LIVE, Supervision

CONNECTORS = INSTALLED / "jars" / "flink"
SQL_GATEWAY = INSTALLED / "jars" / "sql"
LIB = INSTALLED / "flink-lib"
"""The wheel's jars and the connectors, as links: one a checkout, as class archives hold the path."""

JOBMANAGER, TASKMANAGER, CLIENT = "flink-jobmanager", "flink-taskmanager", "flink-client"

LOGGING = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
logger.kafka.name = org.apache.kafka
logger.kafka.level = warn
logger.pekko.name = org.apache.pekko
logger.pekko.level = warn
logger.checkpoints.name = org.apache.flink.runtime.checkpoint
logger.checkpoints.level = warn
"""


def flink_part(settings: Settings) -> Part:
    flink, folder = settings.flink, settings.home / "flink"
    programs: tuple[Program, ...] = ()
    if flink.local:
        programs = (_jobmanager(settings, folder), _taskmanager(settings, folder))
    return Part(
        name="flink",
        address=flink.rest,
        local=flink.local,
        programs=programs,
        ports=(flink.port, flink.rpc_port),
        prepare=lambda: _prepare(settings, folder),
        probe=lambda: probe(flink),
    )


def _jobmanager(settings: Settings, folder: Path) -> Program:
    entry = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
    log = f"-Dlog.file={settings.home / 'logs' / JOBMANAGER}.log"
    options = (*QUICK_START, "-Xms64m", "-Xmx512m", log, *_java_options(settings, JOBMANAGER))
    command = (java(), *options, entry, "--configDir", str(folder / "conf"), "--executionMode", "cluster")
    # It imports none of our code, and stays up when another release of it comes.
    environment = {name: value for name, value in flink_environment(settings).items() if name != "PYTHONPATH"}
    return Program(JOBMANAGER, command, environment)


def _taskmanager(settings: Settings, folder: Path) -> Program:
    heap = settings.flink.taskmanager_heap_mb
    entry = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    sizes = (
        f"-Xms{heap // 4}m",
        f"-Xmx{heap}m",
        f"-XX:MaxDirectMemorySize={256 + 32 * settings.flink.slots}m",
        "-XX:MaxMetaspaceSize=640m",
    )
    options = ("-XX:+UseSerialGC", *compiler(settings.flink.jit), *sizes, *_java_options(settings, TASKMANAGER))
    name = f"taskmanager.resource-id={taskmanager_id(INSTANCE)}"
    command = (java(), *options, entry, "--configDir", str(folder / "conf"), "-D", name)
    return Program(TASKMANAGER, command, flink_environment(settings), instances=settings.flink.taskmanagers)


def taskmanager_id(instance: int | str) -> str:
    """What Flink calls the TaskManager that supervisor calls by this number."""
    return f"{TASKMANAGER}-{instance}"


def client_command(settings: Settings, script: Path, arguments: Sequence[str]) -> tuple[str, ...]:
    """`flink run` of a Python script against the cluster, without the two JVMs that the shell script starts first."""
    _make_client_files(settings)
    options = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", *_java_options(settings, CLIENT))
    address = settings.flink.rest.removeprefix("http://")
    python = ("-pyexec", sys.executable, "-pyclientexec", sys.executable, "-py", str(script))
    frontend = "org.apache.flink.client.cli.CliFrontend"
    return (java(), *options, frontend, "run", "-m", address, *python, *arguments)


def sql_client_command(settings: Settings, arguments: Sequence[str]) -> tuple[str, ...]:
    """Flink's SQL client, its gateway embedded, the cluster being that of the settings."""
    _make_client_files(settings)
    need(SQL_GATEWAY, "Flink's SQL gateway")
    jars = [f"{LIB}/*", f"{SQL_GATEWAY}/*", *map(str, (_wheel() / "opt").glob("flink-sql-client-*.jar"))]
    options = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", *_java_options(settings, CLIENT))
    client = "org.apache.flink.table.client.SqlClient"
    return (java(), *options, "-cp", os.pathsep.join(jars), client, "embedded", *arguments)


def _java_options(settings: Settings, program: str) -> tuple[str, ...]:
    logging = "log4j-cli.properties" if program == CLIENT else "log4j2.properties"
    log = f"-Dlog4j2.configurationFile={settings.home / 'flink' / 'conf' / logging}"
    # Not /tmp: there PyFlink's folder belongs to whoever came first.
    temporary = f"-Djava.io.tmpdir={settings.home / 'flink' / 'tmp'}"
    return (*_add_opens(), log, temporary, *shared_classes(settings, program), "-cp", f"{LIB}/*")


def flink_environment(settings: Settings) -> dict[str, str]:
    """What client and cluster processes need: where Flink is, and what Python inside the JVM imports."""
    folder = settings.home / "flink"
    return {
        "FLINK_HOME": str(_wheel()),
        "FLINK_CONF_DIR": str(folder / "conf"),
        "FLINK_LIB_DIR": str(LIB),
        "FLINK_OPT_DIR": str(_wheel() / "opt"),
        "FLINK_PLUGINS_DIR": str(_wheel() / "plugins"),
        "FLINK_LOG_DIR": str(folder / "client-logs"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{sysconfig.get_path('purelib')}",
        # One TaskManager is one slot: numerical libraries that start a thread a core would only fight.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _wheel() -> Path:
    found = importlib.util.find_spec("pyflink")
    if found is None or found.origin is None:
        raise PartError("flink: apache-flink is not in this Python: make setup")
    return Path(found.origin).parent


def _add_opens() -> tuple[str, ...]:
    """The wheel's own list of what Flink needs opened in the JDK's modules."""
    conf: Any = yaml.safe_load((_wheel() / "conf" / "config.yaml").read_text())
    options: str = conf["env"]["java"]["opts"]["all"]
    return tuple(options.split())


def _prepare(settings: Settings, folder: Path) -> None:
    live = {each.program for each in Supervision(settings).processes() if each.state in LIVE}
    if live.isdisjoint((JOBMANAGER, TASKMANAGER)):
        # 40 MB of each job that ever ran; a TaskManager that starts reads it all, to see whether it is whole.
        shutil.rmtree(folder / "tmp", ignore_errors=True)
    for made in ("checkpoints", "savepoints"):
        (folder / made).mkdir(parents=True, exist_ok=True)
    _make_client_files(settings)


def _make_client_files(settings: Settings) -> None:
    """Class path and configuration; what a client of somebody else's cluster needs too."""
    need(CONNECTORS, "Flink's Kafka connector")
    conf = settings.home / "flink" / "conf"
    for made in (LIB, conf, settings.home / "flink" / "client-logs", settings.home / "flink" / "tmp"):
        made.mkdir(parents=True, exist_ok=True)
    wanted = {jar.name: jar for jar in (*(_wheel() / "lib").glob("*.jar"), *CONNECTORS.glob("*.jar"))}
    wanted |= {jar.name: jar for jar in (_wheel() / "opt").glob("flink-python-*.jar")}
    for stale in LIB.iterdir():
        if stale.name not in wanted or stale.readlink() != wanted[stale.name]:
            stale.unlink()
    for name, jar in wanted.items():
        if not (LIB / name).exists():
            (LIB / name).symlink_to(jar)
    for file in ("log4j2.properties", "log4j.properties", "log4j-cli.properties", "log4j-session.properties"):
        quiet = LOGGING.replace("level = info", "level = warn")
        (conf / file).write_text(LOGGING if file == "log4j2.properties" else quiet)
    (conf / "config.yaml").write_text(
        yaml.safe_dump(_configuration(settings, settings.home / "flink"), sort_keys=False)
    )


def _configuration(settings: Settings, folder: Path) -> dict[str, object]:
    flink = settings.flink
    heap = flink.taskmanager_heap_mb
    return {
        "env.java.opts.all": " ".join(_add_opens()),
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": flink.rpc_port,
        "jobmanager.bind-host": "127.0.0.1",
        "jobmanager.memory.process.size": "1024m",
        "jobmanager.execution.failover-strategy": "region",
        # REST runs what it is given: it is for this machine alone.
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": flink.port,
        "rest.flamegraph.enabled": True,
        # Watermarks tell when a session has been through; the default shows them ten seconds old.
        "metrics.fetcher.update-interval": "1000",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": flink.slots,
        # Sizes that Flink's start scripts work out with a JVM of their own at each start.
        "taskmanager.cpu.cores": 1.0,
        "taskmanager.memory.framework.heap.size": "64m",
        "taskmanager.memory.task.heap.size": f"{heap - 64}m",
        "taskmanager.memory.framework.off-heap.size": "96m",
        "taskmanager.memory.task.off-heap.size": "64m",
        "taskmanager.memory.network.min": f"{64 + 16 * flink.slots}m",
        "taskmanager.memory.network.max": f"{64 + 16 * flink.slots}m",
        "taskmanager.memory.managed.size": "64m",
        "taskmanager.memory.jvm-metaspace.size": "640m",
        "taskmanager.memory.jvm-overhead.min": "128m",
        "taskmanager.memory.jvm-overhead.max": "128m",
        # A TaskManager that comes before its JobManager would wait ten seconds to knock again.
        "cluster.registration.error-delay": "500ms",
        "cluster.registration.initial-timeout": "200ms",
        "heartbeat.interval": "1000",
        "heartbeat.timeout": "10000",
        "io.tmp.dirs": str(folder / "tmp"),
        "parallelism.default": 1,
        "python.execution-mode": "thread",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        # Latency: a bundle closes at 100 elements or 1 ms; buffers leave after 1 ms; watermarks every 5 ms.
        "python.fn-execution.bundle.size": 100,
        "python.fn-execution.bundle.time": 1,
        "execution.buffer-timeout.interval": "1ms",
        "pipeline.auto-watermark-interval": "5ms",
        "pipeline.max-parallelism": 128,
        "table.exec.uid.generation": "ALWAYS",
        "state.backend.type": "hashmap",
        "execution.checkpointing.interval": "2s",
        "execution.checkpointing.storage": "filesystem",
        "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (folder / "savepoints").as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "200ms",
        "restart-strategy.exponential-delay.max-backoff": "10s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1min",
    }


def overview(rest: str) -> dict[str, Any]:
    """Flink's own count of TaskManagers, slots and jobs; Unhealthy when it does not answer."""
    try:
        answer: dict[str, Any] = json.loads(http_get(f"{rest}/overview"))
        return answer
    except ValueError:
        raise Unhealthy(f"{rest} does not answer as Flink's REST does") from None


def probe(flink: FlinkSettings) -> str:
    """Slots and jobs; Unhealthy while TaskManagers are missing."""
    now = overview(flink.rest)
    there, slots, free = now["taskmanagers"], now["slots-total"], now["slots-available"]
    if flink.local and (there < flink.taskmanagers or slots < flink.taskmanagers * flink.slots):
        raise Unhealthy(f"{there} of {flink.taskmanagers} TaskManagers are registered, with {slots} slots")
    return f"{there} TaskManagers, {free} of {slots} slots free, {now['jobs-running']} jobs"
