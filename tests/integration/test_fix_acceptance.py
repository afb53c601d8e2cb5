"""The acceptance definitions of FIX 4.2 that QuickFIX publishes, against a session as ours are set up. All 58 apply."""

import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest

from infra.parts.part import port_answers
from infra.ports import free_ports
from pipelines.execution.fix.engine import MISSING, installed
from tests.support.fix_definitions import Counterparty

ARCHIVE = Path(__file__).parents[3] / "shared/data/fix/quickfix_acceptance_fix42_defs.tar.gz"
ACCEPTORS = 3
HEARTBEATS = "\x01108=6\x01"
"""Every 6 s, in the definitions that wait for them."""

pytestmark = [
    pytest.mark.skipif(not ARCHIVE.exists(), reason=f"{ARCHIVE} is not there"),
    pytest.mark.skipif(not installed(), reason=MISSING),
    pytest.mark.xdist_group("fix"),
]


def _definitions() -> dict[str, str]:
    """Of each its text, by name."""
    if not ARCHIVE.exists():
        return {}
    with tarfile.open(ARCHIVE) as archive:
        files = {Path(each.name).stem: archive.extractfile(each) for each in archive if each.name.endswith(".def")}
        return {name: file.read().decode("latin-1") for name, file in sorted(files.items()) if file is not None}


DEFINITIONS = _definitions()


@contextmanager
def acceptor(folder: Path) -> Iterator[int]:
    """The port of an acceptor of ours that echoes, its numbers and what it says in a folder."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "tests.support.fix_echo", str(port), str(folder)]
    with (folder / "echo.log").open("wb") as log:
        echo = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not port_answers(port):
                assert echo.poll() is None, f"the acceptor ended, see {log.name}"
                time.sleep(0.05)
            yield port
        finally:
            echo.kill()
            echo.communicate()


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """Every definition that was asked for, under way, a few at a time: some wait for many heartbeats."""
    tests = [item.name for item in request.session.items if item.path == request.path]
    asked = [name for name in DEFINITIONS if f"{test_session_keeps_to_the_definition.__name__}[{name}]" in tests]
    with ExitStack() as acceptors, ThreadPoolExecutor(ACCEPTORS) as pool:
        ports: SimpleQueue[int] = SimpleQueue()
        for _ in range(ACCEPTORS):
            ports.put(acceptors.enter_context(acceptor(tmp_path_factory.mktemp("fix"))))

        def run(name: str) -> None:
            port = ports.get()
            try:
                Counterparty(port).run(DEFINITIONS[name])
            finally:
                ports.put(port)

        longest_first = sorted(asked, key=lambda name: HEARTBEATS not in DEFINITIONS[name])
        yield {name: pool.submit(run, name) for name in longest_first}
        pool.shutdown(cancel_futures=True)


def test_all_definitions_are_run() -> None:
    assert len(DEFINITIONS) == 58


@pytest.mark.parametrize("name", DEFINITIONS)
def test_session_keeps_to_the_definition(name: str, runs: dict[str, Future[None]]) -> None:
    runs[name].result()
