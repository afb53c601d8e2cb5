"""The JVM that the parts run on."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from infra.parts.part import PartError
from infra.settings import INSTALLED, Jit, Settings

WAY_OUT = "install JDK 17 (Debian: apt-get install openjdk-17-jdk-headless) or point JAVA_HOME at one"


@cache
def java() -> str:
    """The path of a java of version 17 or later; PartError says how to get one."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not found or not Path(found).exists():
        raise PartError(f"no java found ({'JAVA_HOME=' + home if home else 'not on PATH'}): {WAY_OUT}")
    said = subprocess.run([found, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < 17:
        raise PartError(
            f"{found} is Java {version[1] if version else 'of no known version'}, and 17 is needed: {WAY_OUT}"
        )
    return found


SMALL = ("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
"""With half the memory."""


def compiler(jit: Jit) -> tuple[str, ...]:
    """Options of the compiler."""
    return ("-XX:TieredStopAtLevel=1",) if jit == Jit.QUICK else ()


QUICK_START = (*SMALL, *compiler(Jit.QUICK))
"""For services that have little to compute: up in half the time."""


CLASSES = INSTALLED / "classes"


def shared_classes(settings: Settings, program: str) -> tuple[str, ...]:
    """Options by which a JVM maps the classes it loaded the last time: half the processor time of a start.

    An archive of other jars or another Java is passed over by the JVM, without a word.
    """
    if settings.record_classes:
        return (
            f"-XX:ArchiveClassesAtExit={settings.home / 'classes' / program}.jsa",
            "-Xlog:cds=off",
            "-Xlog:cds+dynamic=off",
        )
    archive = CLASSES / f"{program}.jsa"
    return (f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off") if archive.exists() else ()
