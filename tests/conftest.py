"""The local services for tests marked `stack`, and trading sessions of their own on them.

By default a test run starts a stack of its own under .local/test on free ports, and stops it at the end. With
HELIOS_TEST_STACK=dev it uses the one that `helios up` started. Where something is not installed they are skipped,
saying what; with HELIOS_TEST_STACK=own, as `make test` sets it, that is an error.

With several processes, as `make test` starts them, all tests of the stack are in one of them.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import settings as hypothesis_settings

from infra.doctor import examine
from infra.flink_jobs import cancel, jobs
from infra.parts.part import PartError
from infra.ports import free_ports
from infra.settings import INSTALLED, Settings, load_settings
from infra.stack import StackError, down, state, up
from infra.supervision import Supervision
from infra.topics import create_topics, delete_topics
from pipelines.contracts.topics import Topics

OWN_HOME = INSTALLED / "test"

# No example is timed: the first compiles kernels, and machines differ.
hypothesis_settings.register_profile("helios", deadline=None)
hypothesis_settings.load_profile("helios")


def pytest_itemcollected(item: pytest.Item) -> None:
    """With several processes (-n, --dist loadgroup): one has the stack, the others the rest."""
    if "stack" in getattr(item, "fixturenames", ()) or item.get_closest_marker("stack"):
        item.add_marker(pytest.mark.xdist_group("stack"))


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with topics of its own on the stack under test."""

    settings: Settings
    prefix: str
    session_id: str

    @property
    def topics(self) -> Topics:
        return Topics(self.prefix)


OpenSessions = Callable[..., OpenSession]
"""`open_session(venues=("sim",), shards=2) -> OpenSession`."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Settings of a stack on which every part is healthy."""
    if os.environ.get("HELIOS_TEST_STACK") == "dev":
        settings = load_settings()
        if ill := [part for part in state(settings) if not part.healthy]:
            pytest.skip("; ".join(f"{part.part}: {part.fault}" for part in ill))
        yield settings
        return
    yield from _own_stack()


def _own_stack() -> Iterator[Settings]:
    ports = free_ports(6)
    environment = {
        "HELIOS_HOME": str(OWN_HOME),
        "HELIOS_KAFKA_PORT": str(ports[0]),
        "HELIOS_KAFKA_CONTROLLER_PORT": str(ports[1]),
        "HELIOS_REGISTRY_PORT": str(ports[2]),
        "HELIOS_TIMESCALE_PORT": str(ports[3]),
        "HELIOS_FLINK_PORT": str(ports[4]),
        "HELIOS_FLINK_RPC_PORT": str(ports[5]),
    }
    with pytest.MonkeyPatch.context() as patch:  # for the processes that tests start
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = load_settings()
        down(settings)  # what a run that was killed has left
        shutil.rmtree(OWN_HOME, ignore_errors=True)
        _need_what_is_installed(settings)
        try:
            up(settings)
            yield settings
        except (StackError, PartError) as error:
            pytest.fail(f"the stack does not come up: {error}", pytrace=False)
        finally:
            down(settings)


def _need_what_is_installed(settings: Settings) -> None:
    missing = [check for check in examine(settings) if not (check.well or check.optional)]
    if missing:
        said = "; ".join(f"{check.what}: {check.found} ({check.mend})" for check in missing)
        if os.environ.get("HELIOS_TEST_STACK") == "own":
            pytest.fail(f"this machine lacks: {said}", pytrace=False)
        pytest.skip(said)


@pytest.fixture
def open_session(stack: Settings) -> Iterator[OpenSessions]:
    """Opens sessions with topics of their own; at the end their jobs, services and topics are gone."""
    opened: list[tuple[OpenSession, tuple[str, ...]]] = []

    def open_one(venues: tuple[str, ...] = ("sim",), shards: int = 2) -> OpenSession:
        prefix = f"t{uuid.uuid4().hex[:8]}."
        session = create_topics(stack.kafka.bootstrap, Topics(prefix), venues, shards)
        opened.append((OpenSession(stack, prefix, session), venues))
        return opened[-1][0]

    yield open_one
    for session, venues in opened:
        _close(session, venues)


def _close(session: OpenSession, venues: tuple[str, ...]) -> None:
    settings = session.settings
    mine = [job.id for job in jobs(settings.flink.rest) if job.name.startswith(session.prefix)]
    cancel(settings.flink.rest, mine)
    supervision = Supervision(settings)
    supervision.stop({p.program for p in supervision.processes() if p.program.startswith(session.prefix)})
    delete_topics(settings.kafka.bootstrap, session.topics, venues)


@pytest.fixture
def trading_session(open_session: OpenSessions) -> OpenSession:
    """A session of one venue `sim` and two shards."""
    return open_session()
