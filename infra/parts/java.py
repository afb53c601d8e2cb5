"""The JVM that the parts run on."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from infra.parts.part import PartError

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


QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
"""For services that have little to compute: up in half the time, with half the memory."""
