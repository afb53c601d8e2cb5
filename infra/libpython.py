"""The shared library of the Python in use, which Flink's JVM loads. Debian's python3.11 alone does not bring it.

`python -m infra.libpython` puts it, if it is missing, where Flink's Python bridge looks: the environment's own lib.
"""

import platform
import shutil
import sys
import tempfile
from pathlib import Path

from infra.debian import DebianError, unpack

NAME = f"libpython{sys.version_info.major}.{sys.version_info.minor}"


def found() -> str:
    """Where it is; empty if it is nowhere that the bridge looks."""
    from find_libpython import find_libpython

    return find_libpython() or ""


def bring() -> None:
    """Take it from Debian's package, of the release that the machine is of."""
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    with tempfile.TemporaryDirectory() as folder:
        unpack([NAME], suite, Path(folder) / "tree")
        library = next(iter(sorted(Path(folder).glob(f"tree/usr/lib/*/{NAME}.so.1.0"))), None)
        if library is None:
            raise DebianError(f"{NAME}.so.1.0 is not in Debian's package {NAME}")
        shutil.copy(library, Path(sys.prefix) / "lib")


if __name__ == "__main__":
    try:
        if not found():
            bring()
        if not found():
            sys.exit(f"{NAME}.so is missing: apt-get install {NAME}, or a Python that was built with --enable-shared")
    except DebianError as error:
        sys.exit(f"{NAME}.so is missing: {error}; apt-get install {NAME}")
