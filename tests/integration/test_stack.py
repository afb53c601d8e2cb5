"""The local services: what `helios up` and its kin promise."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from infra.parts.part import Part
from infra.settings import Settings, load_settings
from infra.stack import PARTS, StackError, down, state, up
from infra.supervision import Supervision
from infra.topics import TopicsError, create_topics, session_id
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from tests.conftest import OpenSession

pytestmark = pytest.mark.stack


def helios(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli.main", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_status_tells_of_every_part(stack: Settings) -> None:
    told = json.loads(helios("status", "--json").stdout)
    assert {part["part"]: part["healthy"] for part in told["parts"]} == dict.fromkeys(PARTS, True)
    assert all(part["memory_bytes"] > 10 << 20 for part in told["parts"] if part["local"])


def test_up_leaves_running_services_alone(stack: Settings) -> None:
    before = {p.name: p.pid for p in Supervision(stack).processes()}
    up(stack)
    assert {p.name: p.pid for p in Supervision(stack).processes()} == before


def test_services_listen_on_this_machine_alone(stack: Settings) -> None:
    mine = {p.pid for p in Supervision(stack).processes()}
    exposed = {line for line in listening() if not line[0].endswith("127.0.0.1") and line[1] in mine}
    assert not exposed


def listening() -> set[tuple[str, int]]:
    """Addresses that are listened on, with the process that does."""
    inodes: dict[str, str] = {}
    for table, width in (("/proc/net/tcp", 8), ("/proc/net/tcp6", 32)):
        for line in Path(table).read_text().splitlines()[1:]:
            column = line.split()
            if column[3] == "0A":
                address = bytes.fromhex(column[1][:width])
                last = socket.inet_ntoa(address[-4:][::-1])
                inodes[f"socket:[{column[9]}]"] = last
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            handles = [os.readlink(handle) for handle in (process / "fd").iterdir()]
        except OSError:
            continue
        found |= {(inodes[handle], int(process.name)) for handle in handles if handle in inodes}
    return found


def test_a_killed_registry_comes_back_with_its_ids(stack: Settings) -> None:
    registry = SchemaRegistry(stack.registry.url)
    before = registry.register_all()
    (process,) = [p for p in Supervision(stack).processes() if p.program == "registry"]
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: pid_of(stack, "registry") not in (0, process.pid))
    up(stack, ["registry"])
    assert SchemaRegistry(stack.registry.url).ids() == before


def test_a_killed_database_comes_back_with_its_rows(stack: Settings) -> None:
    with psycopg.connect(stack.timescale.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivors (n int)")
        connection.execute("INSERT INTO survivors VALUES (1)")
    pid = pid_of(stack, "timescale")
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid_of(stack, "timescale") not in (0, pid))
    up(stack, ["timescale"])
    with psycopg.connect(stack.timescale.dsn, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM survivors").fetchone() == (True,)
        connection.execute("DROP TABLE survivors")


def pid_of(stack: Settings, program: str) -> int:
    return next(p.pid for p in Supervision(stack).processes() if p.program == program)


def until(condition, patience_s: float = 60) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def test_a_port_that_is_taken_is_named_with_its_holder(stack: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = helios("up", "--parts", "timescale", HELIOS_HOME=str(tmp_path), HELIOS_TIMESCALE_PORT=str(port))
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines()[-1].startswith(f"helios: timescale: port {port} is taken by pid {os.getpid()}")
    )


def test_a_part_that_dies_is_told_with_its_last_word_and_nothing_is_left(
    stack: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOS_HOME", str(tmp_path))
    monkeypatch.setenv("HELIOS_REGISTRY_PORT", "1")  # not ours to listen on, or not where a registry is
    monkeypatch.setattr("infra.stack.PARTS", {"kafka": dying_part})
    settings = load_settings()
    with pytest.raises(StackError, match="kafka: it ended as often as it was started: Error: no disk"):
        up(settings, ["kafka"])
    assert not [p for p in Supervision(settings).processes() if p.pid]
    down(settings)


def dying_part(settings: Settings) -> Part:
    from infra.parts.part import Program, Unhealthy

    def probe() -> str:
        raise Unhealthy("nothing listens")

    program = Program("kafka", ("/bin/sh", "-c", "echo Error: no disk; exit 1"))
    return Part("kafka", "nowhere", True, (program,), (), lambda: None, probe)


def test_services_named_in_the_settings_are_used_and_not_started(stack: Settings, tmp_path: Path) -> None:
    done = helios(
        "up", "--parts", "kafka,registry", HELIOS_HOME=str(tmp_path),
        HELIOS_KAFKA_BOOTSTRAP=stack.kafka.bootstrap, HELIOS_REGISTRY_URL=stack.registry.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "supervisor" / "supervisord.conf").exists()


def test_a_named_service_that_is_away_is_told_with_its_address(tmp_path: Path) -> None:
    done = helios("up", "--parts", "registry", HELIOS_HOME=str(tmp_path), HELIOS_REGISTRY_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "registry: not healthy: http://127.0.0.1:1/subjects does not answer" in done.stderr


def test_the_session_id_is_new_whenever_the_topics_are(trading_session: OpenSession) -> None:
    bootstrap, topics = trading_session.settings.kafka.bootstrap, trading_session.topics
    assert session_id(bootstrap, topics) == trading_session.session_id
    assert create_topics(bootstrap, topics, ("sim",), 2) == trading_session.session_id
    assert create_topics(bootstrap, topics, ("sim",), 2, recreate=True) != trading_session.session_id


def test_topics_with_other_partitions_are_refused(trading_session: OpenSession) -> None:
    with pytest.raises(TopicsError, match=r"market\.ticks has 2 partitions and this session wants 3"):
        create_topics(trading_session.settings.kafka.bootstrap, trading_session.topics, ("sim",), 3)


def test_topics_that_are_not_there_are_told(stack: Settings) -> None:
    with pytest.raises(TopicsError, match=r"nowhere\.trading\.events is not there"):
        session_id(stack.kafka.bootstrap, Topics("nowhere."))


def test_settings_of_the_state_never_raise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOS_HOME", str(tmp_path))
    assert [part.healthy for part in state(load_settings())] == [False] * len(PARTS)
