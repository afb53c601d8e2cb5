"""Debian's signed packages, fetched by any user from the sources that the machine names. Nothing is installed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

RELEASES = frozenset({"bookworm", "trixie", "forky", "sid", "stable", "testing", "oldstable"})


class DebianError(RuntimeError):
    """What apt or dpkg lacks or says, in one line."""


def unpack(packages: Sequence[str], suite: str, folder: Path) -> list[str]:
    """Download packages of a Debian release and unpack them into a folder; names of the files that came."""
    for program in ("apt-get", "dpkg-deb", "dpkg"):
        if not shutil.which(program):
            raise DebianError(
                f"{program} is not on this machine, and {', '.join(packages[-2:])} come from Debian's packages"
            )
    work = folder.with_name(f"{folder.name}.apt")
    shutil.rmtree(work, ignore_errors=True)
    try:
        files = _download(packages, suite, work)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            run(["dpkg-deb", "-x", str(file), str(folder)], "unpacking")
        return [file.name for file in files]
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(packages: Sequence[str], suite: str, work: Path) -> list[Path]:
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    (work / "debian.sources").write_text(source(Path("/etc/apt"), suite))
    (work / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{work}/debian.sources";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State "{work}/state";\nDir::Cache "{work}/cache";\nDir::State::status "/dev/null";\n'
        'APT::Sandbox::User "";\nAcquire::Languages "none";\nAcquire::Retries "3";\n'
    )
    environment = {"APT_CONFIG": str(work / "apt.conf")}
    run(["apt-get", "-q", "update"], f"reading the list of {suite}'s packages", environment)
    run(["apt-get", "-q", "download", *packages], "downloading", environment, work / "debs")
    found = sorted((work / "debs").glob("*.deb"))
    if len(found) < len(packages):
        raise DebianError(f"apt-get gave {len(found)} of {len(packages)} packages")
    return found


def source(etc: Path, suite: str) -> str:
    """The machine's own source of Debian's main archive, with this suite: no mirror is named by us."""
    for uri, signed in _sources(etc):
        return f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}"
    raise DebianError(f"no Debian source in {etc}/sources.list or sources.list.d")


def _sources(etc: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(etc.glob("sources.list.d/*.sources")):
        for stanza in file.read_text().split("\n\n"):
            field = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*)$", stanza))
            wanted = "deb" in field.get("Types", "").split() and "main" in field.get("Components", "").split()
            uri = (field.get("URIs") or "").split()
            if wanted and uri and _is_debian(uri[0], field.get("Suites", "")):
                signed = field.get("Signed-By", "")
                yield uri[0], f"Signed-By: {signed}\n" if signed.startswith("/") else ""
    line_of = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.*)")
    for file in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in file.read_text().splitlines() if file.exists() else ():
            match = line_of.match(line)
            if match and "main" in match["components"].split() and _is_debian(match["uri"], match["suite"]):
                signed_by = re.search(r"signed-by=(/\S+)", match["options"] or "")
                yield match["uri"], f"Signed-By: {signed_by[1]}\n" if signed_by else ""


def _is_debian(uri: str, suites: str) -> bool:
    """The main archive, not its security one, nor another's packages."""
    return "security" not in uri and bool(RELEASES & set(suites.split()))


def run(
    command: Sequence[str], doing: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> None:
    """Run a program; DebianError with the line that says what went wrong."""
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        wrong = next((line for line in said if line.startswith("E:")), said[-1] if said else "no word why")
        raise DebianError(f"{doing}: {' '.join(command[:2])}: {wrong}")
