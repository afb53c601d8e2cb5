"""A simulated venue that speaks FIX, as a process on a real broker: what a desk hears of its orders."""

import importlib.util
import os
import random
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
from tests.integration.execution_session import START_NS, ExecutionSession, _free_port
from tests.support.fix_desk import FixDesk

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING),
]

VENUE = """
comp_id: XSIM
port: {port}
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
        self.fix_port = _free_port()
        self.folder = folder
        self.desks: list[FixDesk] = []
        self.venue_file = folder / "venue.yaml"
        self.venue_file.write_text(VENUE.format(port=self.fix_port))

    def close(self) -> None:
        for desk in self.desks:
            desk.stop()
        super().close()

    def faults(self, text: str) -> None:
        """Faults that the venue puts in, as its file says them."""
        with self.venue_file.open("a") as file:
            file.write(f"faults:\n  {text}\n")

    def start(self, name: str = "venue") -> None:
        command = [sys.executable, "-m", "jobs.fix_venue", "--strategy", str(self.strategy_file), "--venue", "sim"]
        command += ["--file", str(self.venue_file), "--prefix", self.prefix, "--bootstrap", self.bootstrap]
        command += ["--registry", self.registry, "--data", str(self._folder)]
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


def test_a_desk_that_was_away_hears_what_it_missed_and_so_does_its_drop_copy(session: FixVenueSession) -> None:
    session.market(ms=2_000)
    session.start()
    desk, risk = session.desk(), session.desk("RISK")
    desk.ready()
    risk.ready()
    desk.order("o1", "AUSDT", 1, session.clock_ns + 200 * NS_PER_MS, _40="2", _44="100.02", _59="3")
    desk.until("it is acknowledged", lambda: len(desk.reports("o1")) == 1)
    desk.stop()
    risk.stop()
    session.market(ms=1_000)
    session.until("it is over", lambda: session.journal("SELECT open FROM orders") == [(0,)])
    desk, risk = session.desk(), session.desk("RISK")
    desk.until("the rest is heard", lambda: desk.reports("o1") and desk.reports("o1")[-1][151] == "0")
    risk.until("so does the copy", lambda: risk.reports("o1") and risk.reports("o1")[-1][151] == "0")
    assert {each[43] for each in desk.heard} == {"Y"}
    assert [each[17] for each in risk.reports("o1")] == [each[17] for each in desk.reports("o1")]


def test_who_has_no_right_password_is_not_let_in_and_its_secret_is_nowhere(session: FixVenueSession) -> None:
    session.market(ms=20)
    session.start()
    session.until("it listens", lambda: "state=started" in session.log_of("venue"))
    desk = session.desk(password="wr0ng")
    session.until("it is refused", lambda: "state=refused" in session.log_of("venue"))
    assert not desk.on.is_set()
    desk.until("it is told", lambda: any("password is wrong" in each.get(58, "") for each in desk.refused))
    desk.stop()
    right = session.desk("SECOND")
    right.ready()
    assert session.kill("venue", signal.SIGTERM) == 0
    kept = [path for path in session.folder.rglob("*") if path.is_file() and "store-" not in path.parent.name[:6]]
    assert any("messages" in path.name for path in kept)
    assert not [path for path in kept if any(word in path.read_bytes() for word in (b"wr0ng", b"=secret"))]


def test_a_drop_copy_takes_no_orders_and_what_is_not_known_is_refused(session: FixVenueSession) -> None:
    session.market(ms=20)
    session.start()
    desk, risk = session.desk(), session.desk("RISK")
    desk.ready()
    risk.ready()
    risk.order("o1", "AUSDT", 1, START_NS)
    risk.until("it is refused", lambda: bool(risk.heard))
    assert [risk.heard[0][tag] for tag in (35, 372, 380)] == ["j", "D", "6"]
    desk.send("Q", _37="x", _17="y", _127="A", _55="AUSDT", _54="1")
    desk.until("it is refused", lambda: bool(desk.heard))
    assert [desk.heard[0][tag] for tag in (35, 372, 380)] == ["j", "Q", "3"]
    assert session.journal("SELECT * FROM orders") == []


@pytest.mark.parametrize("when", ["before_first_word", "after_first_word"])
def test_a_session_that_is_cut_hears_everything_when_it_is_back(session: FixVenueSession, when: str) -> None:
    session.faults(f"disconnect: {{rate: 0.5, when: {when}}}")
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    for number in range(8):
        desk.ready()
        desk.order(f"o{number}", "AUSDT", 1, START_NS + (100 + number) * NS_PER_MS)
        desk.until("it is filled", lambda name=f"o{number}": any(each[39] == "2" for each in desk.reports(name)))
    assert session.log_of("venue").count("fault=disconnect") >= 2
    assert session.journal("SELECT DISTINCT received FROM orders") == [(1,)]
    assert session.kill("venue", signal.SIGTERM) == 0


def test_words_behind_a_gap_of_numbers_are_heard(session: FixVenueSession) -> None:
    session.faults("sequence_gap: {rate: 1, numbers: 3}")
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    desk.ready()
    for number in range(3):
        desk.order(f"o{number}", "AUSDT", 1, START_NS + (100 + number) * NS_PER_MS)
        desk.until("it is filled", lambda name=f"o{number}": any(each[39] == "2" for each in desk.reports(name)))


def test_a_venue_killed_again_and_again_has_each_order_once_and_each_fill_told(session: FixVenueSession) -> None:
    dice = random.Random(5)
    session.start()
    desk = session.desk()
    sent: list[str] = []
    times_ns: list[int] = []

    def order(number: int, **more: object) -> None:
        symbol = f"{'ABCD'[number % 4]}USDT"
        desk.order(sent[number], symbol, 1 + number % 9, times_ns[number], **more)

    for _ in range(5):
        desk.ready()
        for _ in range(dice.randint(10, 30)):
            sent.append(f"o{len(sent)}")
            times_ns.append(session.clock_ns + 5 * NS_PER_MS)
            order(len(sent) - 1)
            session.market(ms=20)
        session.kill("venue")
        desk.until("the desk has noticed", lambda: not desk.on.is_set())
        session.start()
        desk.ready()
        for number, name in enumerate(sent):
            if not desk.reports(name):
                order(number, _97="Y")
    session.end_market()
    session.until("all are over", lambda: session.journal("SELECT count(*) FROM orders WHERE open = 1") == [(0,)])
    assert [name for (name,) in session.journal("SELECT client_order_id FROM orders ORDER BY 1")] == sorted(sent)
    told = {exec_id for (exec_id,) in session.journal("SELECT exec_id FROM words WHERE message = '8'")}
    desk.until("all is heard", lambda: {each[17] for each in desk.heard if each[35] == "8"} >= told)
    for name in sent:
        fills = {each[17]: int(each[32]) for each in desk.reports(name, "F")}
        assert session.journal(f"SELECT cumulative FROM orders WHERE client_order_id = '{name}'") == [
            (sum(fills.values()),)
        ]


def test_orders_are_canceled_when_the_session_goes_where_it_wished_so(session: FixVenueSession) -> None:
    session.market(ms=100)
    session.start()
    desk = session.desk(logon={8013: "Y"})
    desk.ready()
    desk.order("o1", "AUSDT", 1, START_NS, _40="2", _44="50")
    desk.until("it is acknowledged", lambda: bool(desk.reports("o1")))
    desk.stop()
    session.market(ms=100)
    query = "SELECT state FROM orders"
    session.until("it is canceled", lambda: session.journal(query) == [("Canceled",)])
    session.market(ms=20)


def test_a_second_process_of_a_venue_is_refused_in_words(session: FixVenueSession) -> None:
    session.start()
    session.until("the venue is up", lambda: "state=started" in session.log_of("venue"))
    session.start("other")
    assert session.wait_for_exit("other") == 1
    assert "this venue already runs, as process" in session.log_of("other")
