"""Kafka: one broker that is its own controller (KRaft)."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.flink_jobs import root_cause
from infra.parts.java import QUICK_START, SMALL, compiler, java, shared_classes
from infra.parts.part import Part, PartError, Program, Unhealthy, need, port_answers
from infra.settings import INSTALLED, Settings

JARS = INSTALLED / "jars" / "kafka"

LOGGING = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server
logger.server.level = info
"""


def kafka_part(settings: Settings) -> Part:
    kafka, folder = settings.kafka, settings.home / "kafka"
    sizes = ("-Xms128m", f"-Xmx{kafka.heap_mb}m")
    command = (java(), *SMALL, *compiler(kafka.jit), *sizes, *shared_classes(settings, "kafka")) if kafka.local else ()
    logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    broker = Program("kafka", (*command, logging, "-cp", f"{JARS}/*", "kafka.Kafka", str(folder / "server.properties")))
    return Part(
        name="kafka",
        address=kafka.bootstrap,
        local=kafka.local,
        programs=(broker,),
        ports=(kafka.port, kafka.controller_port),
        prepare=lambda: _prepare(settings, folder),
        probe=lambda: probe(settings),
    )


def _prepare(settings: Settings, folder: Path) -> None:
    need(JARS, "the Kafka broker")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(LOGGING)
    (folder / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in _properties(settings, folder).items()))
    if not (folder / "data" / "meta.properties").exists():
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if cluster.startswith("-"):
            cluster = "H" + cluster[1:]
        tool = (java(), *QUICK_START, f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-cp", f"{JARS}/*")
        format_ = ("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(folder / "server.properties"))
        done = subprocess.run([*tool, *format_], capture_output=True, text=True)
        if done.returncode:
            raise PartError(f"kafka: formatting {folder / 'data'}: {root_cause(done.stderr or done.stdout)}")


def _properties(settings: Settings, folder: Path) -> dict[str, object]:
    kafka = settings.kafka
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{kafka.controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{kafka.port},CONTROLLER://127.0.0.1:{kafka.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{kafka.port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": folder / "data",
        # Topics are made by create_topics, each with its partitions: a misspelt name is an error.
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": 16 << 20,
        "replica.fetch.max.bytes": 16 << 20,
        # Timestamps are event times: an end-of-session mark lies a day ahead, and the broker's default allows an hour.
        "log.message.timestamp.after.max.ms": (1 << 63) - 1,
        "log.retention.ms": -1,
        "log.segment.bytes": 256 << 20,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 4 << 20,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }


def probe(settings: Settings) -> str:
    """What the broker says of itself; Unhealthy when it does not."""
    kafka = settings.kafka
    if kafka.local and not port_answers(kafka.port):
        raise Unhealthy(f"nothing listens on {kafka.bootstrap}")
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=kafka.bootstrap.split(","), request_timeout_ms=5000, bootstrap_timeout_ms=3000
        )
    except (KafkaError, ValueError, OSError) as error:
        raise Unhealthy(f"{kafka.bootstrap} does not answer as a Kafka broker ({type(error).__name__})") from None
    try:
        topics = [name for name in admin.list_topics() if not name.startswith("__")]
    except (KafkaError, OSError) as error:
        raise Unhealthy(f"{kafka.bootstrap} does not list its topics ({type(error).__name__})") from None
    finally:
        admin.close()
    return f"{len(topics)} topics"
