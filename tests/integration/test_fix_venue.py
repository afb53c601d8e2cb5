"""A simulated venue that speaks FIX, as a process on a real broker: what a desk hears of its orders."""

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import ROOT, Settings
from pipelines.domain.market import NS_PER_MS
from pipelines.execution.fix.engine import MISSING
from pipelines.execution.fix_time import read_time
from tests.integration.execution_session import START_NS, ExecutionSession, free_port
from tests.support.fix_desk import FixDesk

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING),
]

VENUE = """
comp_id: XSIM
port: {port}
impact: 0
participants:
  - {{comp_id: DESK, username: desk, password: {{environment: DESK_PASSWORD}}}}
  - {{comp_id: SECOND, username: second, password: {{environment: DESK_PASSWORD}}}}
drop_copies:
  - {{comp_id: RISK, username: risk, password: {{environment: DESK_PASSWORD}}, of: [DESK]}}
"""


class FixVenueSession(ExecutionSession):
    """A trading session with a FIX venue in it, and desks."""

    def __init__(self, settings: Settings, folder: Path, prefix: str) -> None:
        super().__init__(settings, folder, prefix)
        self.fix_port = free_port()
        self.folder = folder
        self.desks: list[FixDesk] = []
        self.venue_file = folder / "venue.yaml"
        self.venue_file.write_text(VENUE.format(port=self.fix_port))

    def close(self) -> None:
        for desk in self.desks:
            desk.stop()
        super().close()

    def start(self, name: str = "venue") -> None:
        command = [sys.executable, "-m", "jobs.fix_venue", "--strategy", str(self.strategy_file), "--venue", "sim"]
        command += ["--file", str(self.venue_file), "--prefix", self.prefix, "--bootstrap", self.bootstrap]
        command += ["--registry", self.registry, "--data", str(self._folder), "--window-s", "1"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DESK_PASSWORD": "secret"}
        with self.log_file(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def desk(self, name: str = "DESK", password: str = "secret", logon: dict[int, str] | None = None) -> FixDesk:
        desk = FixDesk(self._folder / f"store-{name}", self.fix_port, name, password, logon)
        self.desks.append(desk)
        return desk

    def journal(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(f"file:{self._folder}/fix-sim-{self.id}.sqlite3?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()


@pytest.fixture
def session(stack: Settings, tmp_path: Path) -> Iterator[FixVenueSession]:
    session = FixVenueSession(stack, tmp_path, f"fix-{uuid.uuid4().hex[:8]}.")
    yield session
    session.close()


def test_a_market_order_is_acknowledged_and_filled_at_the_quote_of_its_time(session: FixVenueSession) -> None:
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    desk.ready()
    desk.order("o1", "AUSDT", 3, START_NS + 1_000 * NS_PER_MS)
    desk.until("it is filled", lambda: bool(desk.reports("o1") and desk.reports("o1")[-1][39] == "2"))
    new, *fills = desk.reports("o1")
    assert (new[150], new[39], new[14], new[151]) == ("0", "0", "0", "3")
    assert [each[150] for each in fills] == ["F"] * len(fills)
    assert (fills[-1][14], fills[-1][151], fills[-1][851]) == ("3", "0", "2")
    assert session.kill("venue", signal.SIGTERM) == 0
    assert "secret" not in session.log_of("venue")


def test_orders_far_behind_the_market_meet_it_at_their_own_time(session: FixVenueSession) -> None:
    session.market(ms=6_000)
    session.start()
    early = session.desk()
    early.ready()
    for number in range(40):
        early.order(f"o{number}", f"{'ABCD'[number % 4]}USDT", 2, START_NS + (100 + 50 * number) * NS_PER_MS)
    early.until("all are over", lambda: all(len(early.reports(f"o{number}")) > 1 for number in range(40)))
    for number in range(40):
        new, *rest = early.reports(f"o{number}")
        assert {each[60] for each in rest} == {new[60]}
        assert float(rest[0][31]) == pytest.approx(ask(session, "ABCD"[number % 4], read_time(new[60]) or 0))
    session.end_market()
    early.order("late", "AUSDT", 1, session.clock_ns, _40="2", _44="1")
    early.until("it has expired", lambda: [each[150] for each in early.reports("late")] == ["0", "C"])
    assert session.kill("venue", signal.SIGTERM) == 0


def ask(session: FixVenueSession, instrument: str, at_ns: int) -> float:
    """What was asked for an instrument at a time."""
    found = [
        float(row["ask"])
        for block in session.blocks
        if instrument in block.instruments
        for row in block.ticks
        if row["instrument"] == block.instruments.index(instrument) and row["event_ns"] <= at_ns
    ]
    return found[-1]
