"""Records, once a checkout, which classes the local JVMs load, so that each later start takes half the time.

`python -m jobs.class_archives` starts the parts in a folder and on ports of its own, submits the jobs of a small
session to them, and stops it all: also the first proof that the stack runs on this machine. A Flink client that begins
with its archive is through in 3.7 s instead of 6.1, and what cluster and jobs load is in theirs.
"""

import shutil
import sys

from infra.flink_jobs import FlinkError
from infra.parts.java import CLASSES
from infra.parts.part import PartError
from infra.ports import free_ports
from infra.settings import INSTALLED, FlinkSettings, KafkaSettings, RegistrySettings, Settings
from infra.stack import StackError, down, up
from infra.topics import TopicsError, create_topics
from jobs.submit import JOBS, submit
from pipelines.contracts.registry import RegistryError, SchemaRegistry
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.topics import Topics
from pipelines.feeds.simulated import Simulation

MARKET = Simulation(seed=1, instruments=4, seconds=1.0, ticks_per_second=10.0, shards=1)


def record() -> None:
    """Make the archives anew."""
    ports = free_ports(5)
    settings = Settings(
        home=INSTALLED / "recording",
        record_classes=True,
        kafka=KafkaSettings(port=ports[0], controller_port=ports[1]),
        registry=RegistrySettings(port=ports[2]),
        flink=FlinkSettings(port=ports[3], rpc_port=ports[4], taskmanagers=1),
    )
    shutil.rmtree(settings.home, ignore_errors=True)
    (settings.home / "classes").mkdir(parents=True)
    try:
        up(settings, ("kafka", "registry", "flink"))
        _submit(settings)
    finally:
        down(settings)
    shutil.rmtree(CLASSES, ignore_errors=True)
    (settings.home / "classes").rename(CLASSES)
    shutil.rmtree(settings.home, ignore_errors=True)


def _submit(settings: Settings) -> None:
    """The jobs of a session, as they are; nothing is fed to them."""
    strategy, bootstrap = MARKET.strategy(), settings.kafka.bootstrap
    SchemaRegistry(settings.registry.url).register_all()
    create_topics(bootstrap, Topics(""), (MARKET.venue,), strategy.shards)
    file = settings.home / "strategy.yaml"
    file.write_text(dump_strategy(strategy))
    submit(settings, JOBS, file)


if __name__ == "__main__":
    try:
        record()
    except (StackError, PartError, FlinkError, RegistryError, TopicsError) as error:
        sys.exit(f"recording classes: {error}")
