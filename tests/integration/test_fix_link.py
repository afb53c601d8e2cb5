"""The gateway's FIX session against a venue that says anything: what comes in, what goes out, and what never does."""

import importlib.util
import logging
import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.contracts.fix_sessions import FixSession, FixVenue
from pipelines.contracts.secret import Secret
from pipelines.domain.trading import Decision
from pipelines.execution.fix.dialect import Dialect
from pipelines.execution.fix.engine import MISSING
from pipelines.execution.fix.link import FixLinks
from pipelines.execution.notes import Notes
from pipelines.execution.plan import (
    Ask,
    Cancel,
    Doubted,
    Input,
    LinkDown,
    LinkUp,
    NotKnown,
    Refused,
    Send,
    Stated,
    Told,
)
from tests.support.raw_fix_venue import PATIENCE_S, RawFixVenue, framed
from tests.unit.gateway_world import STRATEGY, order

pytestmark = pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING)

PASSWORD = "hunter2-correct-horse"


class Session:
    """A gateway's links to one venue, and what they heard."""

    def __init__(self, folder: Path, port: int) -> None:

        (folder / "password").write_text(PASSWORD)
        session = FixSession("HELIOS", "XSIM", "127.0.0.1", port, heartbeat_s=2)
        venue = FixVenue("sim", session, "desk", Secret(folder / "password"), cancel_on_disconnect=True)
        dialect = Dialect("sim", "desk", STRATEGY.instruments)
        self.heard: queue.SimpleQueue[Input | Exception] = queue.SimpleQueue()
        self.folder = folder / "fix"
        self.log = logging.getLogger("helios.gateway")
        self._links = FixLinks([venue], {"sim": dialect}, self.folder, self.heard.put, self.heard.put, Notes(self.log))
        self._links.start()

    @property
    def link(self) -> object:
        return self._links.links()["sim"]

    def send(self, link: int, *words: Send | Ask | Cancel) -> None:
        self._links.links()["sim"].send(link, words)

    def next(self) -> Input | Exception:
        return self.heard.get(timeout=PATIENCE_S)

    def close(self) -> None:
        self._links.stop()


@pytest.fixture
def venue() -> Iterator[RawFixVenue]:
    venue = RawFixVenue()
    yield venue
    venue.close()


@pytest.fixture
def session(tmp_path: Path, venue: RawFixVenue) -> Iterator[Session]:
    session = Session(tmp_path, venue.port)
    assert session.next() == LinkUp("sim", 1)
    yield session
    session.close()


def report(identity: str = "new-1", **fields: str) -> list[tuple[int, str]]:
    """An ExecutionReport: one lot of three filled, unless told otherwise."""
    usual = {
        37: "o1", 17: "x1", 150: "F", 39: "1", 11: identity, 55: "A", 54: "1", 38: "3", 32: "1", 31: "100", 14: "1",
        151: "2", 6: "100", 60: "20260105-14:30:00.000000001",
    }  # fmt: skip
    return list((usual | {int(name[1:]): value for name, value in fields.items()}).items())


def fill_of(heard: Input | Exception) -> str:
    assert isinstance(heard, Told)
    return heard.event.event_id


def test_it_logs_on_with_its_secret_and_keeps_it_to_itself(session: Session, venue: RawFixVenue) -> None:
    (logon,) = venue.of("A")
    assert (logon[553], logon[554], logon[8013]) == ("desk", PASSWORD, "Y")
    session.send(1, Send(1, order(1)))
    venue.until("the order is there", lambda: bool(venue.of("D")))
    written = [file for file in session.folder.rglob("*") if file.is_file()]
    assert len(written) > 2
    assert [file for file in written if PASSWORD.encode() in file.read_bytes()] == []
    assert "554=***" in (session.folder / "messages.log").read_text()


def test_words_go_out_as_messages_and_reports_come_in(session: Session, venue: RawFixVenue) -> None:
    cancel = replace(order(2, Decision.CANCEL), target="new-1")
    session.send(1, Send(1, order(1)), Ask(1, order(1), 1), Cancel(1, order(1), cancel))
    venue.until("all are there", lambda: len(venue.of("F")) == 1)
    assert [each[35] for each in venue.heard if each[35] in "DHF"] == ["D", "H", "F"]
    assert (venue.of("D")[0][11], venue.of("F")[0][41], venue.of("F")[0][11]) == ("new-1", "new-1", "cancel-2")
    venue.say("8", *report())
    assert fill_of(session.next()) == "report/sim/x1"
    venue.say("8", *report(t150="I", t39="1", t790="new-1"))
    assert isinstance(session.next(), Stated)
    venue.say("8", *report(t150="I", t39="8", t103="5", t37="NONE", t790="new-1/1"))
    assert session.next() == NotKnown("sim", 1, "new-1", 1)


def test_an_order_that_its_link_did_not_take_never_goes_out_on_the_next(session: Session, venue: RawFixVenue) -> None:
    venue.drop()
    assert session.next() == LinkDown("sim", 1)
    session.send(1, Send(1, order(1)))
    assert session.next() == LinkUp("sim", 2)
    session.send(1, Send(1, order(2)))
    session.send(2, Send(2, order(3)))
    venue.until("the third is there", lambda: bool(venue.of("D")))
    # Asked for everything again, the session fills the gap: a stale order is not sent.
    venue.say("2", (7, "1"), (16, "0"))
    venue.until("the gap is filled", lambda: bool(venue.of("4")))
    assert [each[11] for each in venue.of("D")] == ["new-3"]


def test_a_gap_in_what_the_venue_says_is_asked_for(session: Session, venue: RawFixVenue) -> None:
    lost = venue.body("8", *report(t17="x1"))
    venue.say("8", *report(t17="x2", t14="2", t151="1"))
    venue.until("the lost one is asked for", lambda: bool(venue.of("2")))
    again = lost.replace("\x0149=", "\x0143=Y\x0149=", 1).replace("\x0156=", "\x01122=20260101-00:00:00\x0156=", 1)
    venue.raw(framed(again))
    assert [fill_of(session.next()), fill_of(session.next())] == ["report/sim/x1", "report/sim/x2"]


def test_garbled_messages_are_passed_over_and_what_follows_counts(session: Session, venue: RawFixVenue) -> None:
    venue.raw(b"8=FIX.4.4\x019=12\x01nonsense\x0110=000\x01")
    venue.raw(framed(venue.body("8", *report(t17="x1"), number=venue.number), check=7))
    venue.raw(framed(venue.body("8", *report(t17="x1"), number=venue.number), length=4))
    venue.say("8", *report(t17="x2"))
    assert fill_of(session.next()) == "report/sim/x2"
    assert venue.connections == 1


def test_a_wrong_comp_id_ends_the_session_and_a_right_one_begins_it_again(session: Session, venue: RawFixVenue) -> None:
    venue.say("8", *report(), sender="SOMEONE")
    venue.until("it is refused", lambda: bool(venue.of("3")))
    assert "CompID" in venue.of("3")[0][58]
    assert session.next() == LinkDown("sim", 1)
    assert session.next() == LinkUp("sim", 2)


def test_a_report_that_cannot_be_counts_nothing_and_is_asked_about(session: Session, venue: RawFixVenue) -> None:
    for number, wrong in enumerate(({"t32": "-1"}, {"t31": "0"}, {"t32": "0.5"}, {"t55": "Z"}, {"t39": "Z"})):
        venue.say("8", *report(f"new-{number}", **wrong))
    told = [session.next() for _ in range(4)]
    assert [each.client_order_id for each in told if isinstance(each, Doubted)] == [f"new-{n}" for n in range(4)]
    # The last one is the engine's own to refuse: OrdStatus has no such value.
    venue.until("it is refused", lambda: bool(venue.of("3")))
    venue.say("8", *report())
    assert fill_of(session.next()) == "report/sim/x1"


def test_a_flood_is_read_to_its_end_and_told_in_few_lines(
    session: Session, venue: RawFixVenue, caplog: pytest.LogCaptureFixture
) -> None:
    count = 3_000
    for number in range(count):
        venue.say("8", *report(t17=f"x{number}", t31="100.005"))
    ids = {fill_of(session.next()) for _ in range(count)}
    assert len(ids) == count
    lines = [record for record in caplog.records if "off the tick" in record.getMessage()]
    assert 0 < len(lines) < count / 5


def test_a_message_of_a_kind_that_is_not_used_is_refused_and_nothing_stops(
    session: Session, venue: RawFixVenue
) -> None:
    venue.say("B", (148, "lunch"), (33, "1"), (58, "at noon"))
    venue.until("it is refused", lambda: bool(venue.of("j")))
    venue.say("8", *report())
    assert fill_of(session.next()) == "report/sim/x1"


def test_a_refused_order_is_known_by_its_number(session: Session, venue: RawFixVenue) -> None:
    session.send(1, Send(1, order(1)))
    venue.until("the order is there", lambda: bool(venue.of("D")))
    venue.say("3", (45, venue.of("D")[0][34]), (58, "tag 38"))
    assert session.next() == Refused("sim", "new-1", "tag 38")
    session.send(1, Send(1, replace(order(2), instrument="Z")))
    assert session.next() == Refused("sim", "new-2", "instrument 'Z' does not trade on sim")


def test_a_venue_that_knows_more_of_us_than_our_store_is_caught_up_with(tmp_path: Path, venue: RawFixVenue) -> None:
    venue.answers_logon = False
    session = Session(tmp_path, venue.port)
    try:
        venue.until("it logs on", lambda: bool(venue.of("A")))
        venue.say("5", (58, "MsgSeqNum too low, expecting 50 but received 1"))
        venue.answers_logon = True
        venue.until("it goes on from there", lambda: int(venue.of("A")[-1][34]) >= 50)
        assert session.next() == LinkUp("sim", 1)
    finally:
        session.close()


def test_a_logon_that_is_refused_is_told_once_and_tried_again(
    tmp_path: Path, venue: RawFixVenue, caplog: pytest.LogCaptureFixture
) -> None:
    venue.answers_logon = False
    session = Session(tmp_path, venue.port)
    try:
        for attempt in range(1, 3):
            venue.until("it logs on", lambda n=attempt: len(venue.of("A")) == n)  # type: ignore[misc]
            venue.say("5", (58, "not today"))
        venue.until("it logs on again", lambda: len(venue.of("A")) == 3)
        told = [record.getMessage() for record in caplog.records if "logout=" in record.getMessage()]
        assert told == ["venue=sim logout='not today'"]
    finally:
        session.close()
