"""A FIX venue's process and desks that are away, cut, refused or gone; the venue is killed. No broker is needed."""

import importlib.util
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.domain.market import NS_PER_MS
from pipelines.execution.fix.engine import MISSING
from pipelines.execution.fix_time import write_time as at
from tests.support.fix_venue_alone import SECRET, START_NS, AloneSession

pytestmark = pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[AloneSession]:
    session = AloneSession(tmp_path)
    yield session
    session.close()


def test_a_desk_that_was_away_hears_what_it_missed_and_so_does_its_drop_copy(session: AloneSession) -> None:
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


def test_who_has_no_right_password_is_not_let_in_and_its_secret_is_nowhere(session: AloneSession) -> None:
    session.market(ms=20)
    session.start()
    session.until("it listens", lambda: "state=started" in session.log_of())
    desk = session.desk(password="wr0ng")
    session.until("it is refused", lambda: "state=refused" in session.log_of())
    assert not desk.on.is_set()
    desk.until("it is told", lambda: any("password is wrong" in each.get(58, "") for each in desk.refused))
    desk.stop()
    right = session.desk("SECOND")
    right.ready()
    assert session.kill(number=signal.SIGTERM) == 0
    kept = [path for path in session.folder.rglob("*") if path.is_file() and "store-" not in path.parent.name[:6]]
    assert any("messages" in path.name for path in kept)
    assert not [path for path in kept if any(word in path.read_bytes() for word in (b"wr0ng", SECRET.encode()))]


def test_a_drop_copy_takes_no_orders_and_what_is_not_known_is_refused(session: AloneSession) -> None:
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
def test_a_session_that_is_cut_hears_everything_when_it_is_back(session: AloneSession, when: str) -> None:
    session.faults(f"disconnect: {{rate: 0.5, when: {when}}}")
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    for number in range(8):
        desk.ready()
        desk.order(f"o{number}", "AUSDT", 1, START_NS + (100 + number) * NS_PER_MS)
        desk.until("it is filled", lambda name=f"o{number}": any(each[39] == "2" for each in desk.reports(name)))
    assert session.log_of().count("fault=disconnect") >= 2
    assert session.journal("SELECT DISTINCT received FROM orders") == [(1,)]
    assert session.kill(number=signal.SIGTERM) == 0


def test_words_behind_a_gap_of_numbers_are_heard(session: AloneSession) -> None:
    session.faults("sequence_gap: {rate: 1, numbers: 3}")
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    desk.ready()
    for number in range(3):
        desk.order(f"o{number}", "AUSDT", 1, START_NS + (100 + number) * NS_PER_MS)
        desk.until("it is filled", lambda name=f"o{number}": any(each[39] == "2" for each in desk.reports(name)))


def test_a_venue_killed_again_and_again_has_each_order_once_and_each_fill_told(session: AloneSession) -> None:
    dice = random.Random(5)
    session.start()
    desk = session.desk()
    sent: list[str] = []
    times_ns: list[int] = []

    def order(number: int, **more: object) -> None:
        symbol = f"{'AB'[number % 2]}USDT"
        desk.order(sent[number], symbol, 1 + number % 9, times_ns[number], **more)

    for _ in range(5):
        desk.ready()
        for _ in range(dice.randint(10, 30)):
            sent.append(f"o{len(sent)}")
            times_ns.append(session.clock_ns + 5 * NS_PER_MS)
            order(len(sent) - 1)
            session.market(ms=20)
        session.kill()
        desk.until("the desk has noticed", lambda: not desk.on.is_set())
        session.start()
        desk.ready()
        for number, name in enumerate(sent):
            if not desk.reports(name):
                order(number, _97="Y")
    session.market(0, over=True)
    query = "SELECT count(*) FROM orders WHERE open = 0"
    session.until("all are over", lambda: session.journal(query) == [(len(sent),)])
    assert [name for (name,) in session.journal("SELECT client_order_id FROM orders ORDER BY 1")] == sorted(sent)
    told = {exec_id for (exec_id,) in session.journal("SELECT exec_id FROM words WHERE message = '8'")}
    desk.until("all is heard", lambda: {each[17] for each in desk.heard if each[35] == "8"} >= told)
    for name in sent:
        fills = {each[17]: int(each[32]) for each in desk.reports(name, "F")}
        assert session.journal(f"SELECT cumulative FROM orders WHERE client_order_id = '{name}'") == [
            (sum(fills.values()),)
        ]


def test_orders_are_canceled_when_the_session_goes_where_it_wished_so(session: AloneSession) -> None:
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


def test_a_second_process_of_a_venue_is_refused_in_words(session: AloneSession) -> None:
    session.start()
    session.until("the venue is up", lambda: "state=started" in session.log_of())
    session.start("other")
    assert session.processes.pop("other").wait(20) == 1
    assert "this venue already runs, as process" in session.log_of("other")


def test_whatever_fields_hold_the_venue_answers_and_goes_on(session: AloneSession) -> None:
    session.market(ms=2_000)
    session.start()
    desk = session.desk()
    desk.ready()
    dice = random.Random(3)
    odd = (
        "",
        " ",
        "0",
        "-1",
        "1e9",
        "9" * 40,
        "nan",
        "Ω",
        "\udcff",
        "a\nb",
        "=",
        "'; DROP TABLE orders",
        "20231114-22:13:20",
    )
    tags = ("_1", "_11", "_18", "_38", "_40", "_41", "_44", "_54", "_55", "_58", "_59", "_60", "_584", "_585", "_790")
    for number in range(150):
        fields: dict[str, object] = {
            "_11": f"x{number}", "_41": f"x{number - 1}", "_38": 1, "_40": "2", "_44": "99", "_54": "1",
            "_55": "AUSDT", "_60": at(session.clock_ns), "_585": "7", "_584": f"m{number}",
        }  # fmt: skip
        fields[dice.choice(tags)] = dice.choice(odd)
        message = dice.choice(("D", "D", "F", "G", "H", "AF"))
        if message != "AF":
            fields = {tag: value for tag, value in fields.items() if tag not in ("_584", "_585")}
        try:
            desk.send(message, **{tag: value for tag, value in fields.items() if value != ""})
        except (TypeError, ValueError, NotImplementedError):
            continue  # QuickFIX's own side does not take it
    session.market(ms=100)
    desk.order("last", "AUSDT", 1, START_NS + NS_PER_MS)
    desk.until("the last is filled", lambda: any(each[39] == "2" for each in desk.reports("last")))
    assert "Traceback" not in session.log_of()
    assert session.kill(number=signal.SIGTERM) == 0
