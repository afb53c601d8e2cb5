"""Records, once a checkout, which classes the local JVMs load, so that each later start takes half the time.

`python -m infra.class_archives` starts the parts in a folder and on ports of its own, and stops them: also the first
proof that the stack runs on this machine.
"""

import shutil
import sys

from infra.parts.java import CLASSES
from infra.parts.part import PartError
from infra.ports import free_ports
from infra.settings import INSTALLED, FlinkSettings, KafkaSettings, RegistrySettings, Settings
from infra.stack import StackError, down, up


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
    finally:
        down(settings)
    shutil.rmtree(CLASSES, ignore_errors=True)
    (settings.home / "classes").rename(CLASSES)
    shutil.rmtree(settings.home, ignore_errors=True)


if __name__ == "__main__":
    try:
        record()
    except (StackError, PartError) as error:
        sys.exit(f"recording classes: {error}")
