"""The gateway and a venue that speak FIX, as processes on a real broker: wherever either dies, each order once."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import ROOT, Settings
from jobs.account_log import AccountLog
from jobs.order_books import compare
from jobs.paper_venues import PaperVenue, file_of, write_files
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Decision, OrderRequest
from pipelines.execution.fault_points import VARIABLE, Place
from pipelines.execution.fix.engine import MISSING
from tests.integration.execution_session import START_NS, ExecutionSession, free_port, repeated

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING),
]


class FixSession(ExecutionSession):
    """A session whose one venue speaks FIX."""

    def __init__(self, settings: Settings, folder: Path, prefix: str) -> None:
        super().__init__(settings, folder, prefix)
        self.settings, self.folder = settings, folder
        self.faults(None)

    def faults(self, seed: int | None) -> None:
        """Faults that the venue puts in, before it starts."""
        port = getattr(self, "fix_port", None) or free_port()
        self.fix_port = port
        self.sessions_file = write_files(self.folder / "fix", (PaperVenue("sim", port),), seed=11, fault_seed=seed)

    def start_venue(self, name: str = "venue", port: int | None = None, window_s: int = 60) -> None:
        more = ["--venue", "sim", "--file", str(file_of(self.folder / "fix", "sim")), "--data", str(self.folder)]
        self._start(name, "jobs.fix_venue", [*more, "--window-s", str(window_s)])

    def start_gateway(self, name: str = "gateway", die_at: str = "") -> None:
        command = [sys.executable, "-m", "jobs.gateway", "--strategy", str(self.strategy_file), "--prefix", self.prefix]
        command += ["--bootstrap", self.bootstrap, "--registry", self.registry, "--fix", str(self.sessions_file)]
        command += ["--data", str(self.folder / "gateway")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({VARIABLE: die_at} if die_at else {})
        with self.log_file(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def check(self, orders: list[OrderRequest]) -> None:
        """Law 4, and the same book of orders at both ends."""
        events = list(self.events())
        intents = [event.body.client_order_id for event in events if isinstance(event.body, OrderRequest)]
        assert sorted(intents) == sorted(order.client_order_id for order in orders)
        assert repeated(events) == []
        (journal,) = self.folder.glob("fix-sim-*.sqlite3")
        log = AccountLog(self.bootstrap, self.registry, self.prefix)
        found = compare(log, self.strategy, {"sim": journal})["sim"]
        assert found.differences == ()
        assert (found.orders, found.executions >= len(orders) / 2) == (len(orders), True)


@pytest.fixture
def session(stack: Settings, tmp_path: Path) -> Iterator[FixSession]:
    session = FixSession(stack, tmp_path, f"fixexec-{uuid.uuid4().hex[:8]}.")
    yield session
    session.close()


def drained(session: FixSession, number: int) -> None:
    session.order(number, START_NS, Decision.DRAIN)
    session.flush()
    session.until("all orders are settled", lambda: session.drained(number))


@pytest.mark.parametrize("place", list(Place))
def test_a_gateway_that_dies_at_a_place_sends_nothing_twice_and_loses_nothing(
    session: FixSession, place: Place
) -> None:
    session.market(ms=4_000)
    session.end_market()
    session.start_venue()
    orders: list[OrderRequest] = []
    for death in (1, 3):
        session.start_gateway(die_at=f"{place}:{death}")
        while session.processes["gateway"].poll() is None:
            orders.append(session.order(len(orders), START_NS + (50 + 5 * len(orders)) * NS_PER_MS))
            session.flush()
            assert len(orders) < 600
            time.sleep(0.05)
        assert session.wait_for_exit("gateway") == -signal.SIGKILL
    session.start_gateway()
    drained(session, len(orders))
    session.check(orders)


def test_two_gateways_at_once_send_each_order_once(session: FixSession) -> None:
    session.market(ms=8_000)
    session.end_market()
    session.start_venue()
    session.start_gateway("first")
    session.until("the first is up", lambda: "state=up" in session.log_of("first"))
    orders = [session.order(n, START_NS + (50 + 10 * n) * NS_PER_MS) for n in range(100)]
    session.flush()
    session.start_gateway("second")
    orders += [session.order(n, START_NS + (50 + 10 * n) * NS_PER_MS) for n in range(100, 300)]
    session.flush()
    assert session.wait_for_exit("first") == 3
    assert "taken over" in session.log_of("first")
    drained(session, 300)
    session.check(orders)


def test_gateway_and_venue_with_faults_killed_at_random_agree_in_the_end(session: FixSession) -> None:
    dice = random.Random(5)
    session.faults(5)
    session.start_venue()
    session.start_gateway()
    orders: list[OrderRequest] = []
    for victim in ("gateway", "venue", "gateway", "venue"):
        for _ in range(dice.randint(20, 50)):
            orders.append(session.order(len(orders), session.clock_ns + dice.randint(0, 20) * NS_PER_MS))
            session.market(ms=20, seed=5)
            time.sleep(dice.uniform(0, 0.03))
        session.kill(victim)
        session.start_venue() if victim == "venue" else session.start_gateway()
    session.end_market()
    drained(session, len(orders))
    session.check(orders)
