"""The gateway's FIX sessions: what goes out on them, what comes in, when they are up.

Each logon of a venue has a number, as each connection of the line protocol has: what was meant for one never goes out
on the next. QuickFIX would send what it could not deliver when it is asked to resend; nothing of ours is kept for that,
so it fills such a gap, and the order's state is asked for instead.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_sessions import FixVenue
from pipelines.contracts.secret import NoSecret
from pipelines.execution.fix.application import application
from pipelines.execution.fix.dialect import Dialect, Message, NotTaken
from pipelines.execution.fix.engine import Role, identity, quickfix, settings
from pipelines.execution.fix.fields import read_fields
from pipelines.execution.fix.message_log import MessageLog
from pipelines.execution.notes import Notes
from pipelines.execution.plan import Ask, Cancel, Input, LinkDown, LinkUp, Refused, Send, Told

_REMEMBERED = 10_000
"""Messages of ours whose refusal by number is understood."""

_TOO_LOW = re.compile(r"MsgSeqNum too low, expecting (\d+)")

log = logging.getLogger("helios.gateway")


class FixLinks:
    """All FIX sessions of one gateway process. `hear` gets what comes in, from threads of the engine."""

    def __init__(
        self,
        venues: Sequence[FixVenue],
        dialects: Mapping[str, Dialect],
        folder: Path,
        hear: Callable[[Input], None],
        fail: Callable[[Exception], None],
        notes: Notes,
    ) -> None:
        self._links = {venue.name: FixLink(venue, dialects[venue.name], hear, notes) for venue in venues}
        self._folder = folder
        self._fail = fail
        self._engine: Any = None

    def start(self) -> None:
        """Begin to connect; returns at once. Raises NoEngine."""
        fix = quickfix()
        links = self._links.values()
        sessions = [each for link in links for each in (link.venue.session, link.venue.drop_copy) if each is not None]
        self._log = MessageLog(self._folder / "messages.log")
        self._settings = settings(Role.INITIATOR, sessions, self._folder / "sessions", persist=False)
        self._store, self._events = fix.FileStoreFactory(self._settings), fix.ScreenLogFactory(self._settings)
        self._application = application(_Callbacks(links, self._log, self._fail), whole=True)
        self._engine = fix.SocketInitiator(self._application, self._store, self._settings, self._events)
        self._engine.start()

    def stop(self) -> None:
        """Log out everywhere and wait for it, some seconds at most."""
        if self._engine is not None:
            self._engine.stop()
            self._log.close()

    def links(self) -> Mapping[str, "FixLink"]:
        """By venue."""
        return self._links


class FixLink:
    """One venue's session and its drop copy."""

    def __init__(self, venue: FixVenue, dialect: Dialect, hear: Callable[[Input], None], notes: Notes) -> None:
        self.venue = venue
        self.identity = identity(venue.session)
        self.dialect = dialect
        self.hear = hear
        self._notes = notes
        self._lock = threading.Lock()
        self._number = 0
        self._up = False
        self._said = ""
        self._sent: OrderedDict[int, tuple[str, str]] = OrderedDict()

    def up(self) -> None:
        with self._lock:
            self._number, self._up, self._said = self._number + 1, True, ""
        log.info("venue=%s state=up link=%d session=%s", self.venue.name, self._number, self.venue.session.name)
        self.hear(LinkUp(self.venue.name, self._number))

    def down(self) -> None:
        """Also told of attempts that came to nothing."""
        with self._lock:
            was, self._up = self._up, False
        if was:
            log.warning("venue=%s state=down link=%d retry=yes", self.venue.name, self._number)
            self.hear(LinkDown(self.venue.name, self._number))

    def refused(self, reason: str) -> None:
        """What the venue says as it logs us out; told once, however often it says so."""
        if reason and reason != self._said:
            self._said = reason
            log.warning("venue=%s logout=%r", self.venue.name, reason)

    def send(self, link: int, words: Iterable[Send | Ask | Cancel]) -> None:
        """Put words on the given link; nothing where that is gone: its LinkDown is on the way. From one thread."""
        fix = quickfix()
        for word in words:
            if not self._up or link != self._number:
                return
            try:
                message = self.dialect.message(word)
            except NotTaken as fault:
                if isinstance(word, Send):
                    self.hear(Refused(self.venue.name, word.order.client_order_id, str(fault)))
                continue
            fix.Session.sendToTarget(_built(fix, message), self.identity)

    def sent(self, number: int, kind: str, about: str) -> None:
        self._sent[number] = (kind, about)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def heard(self, fields: dict[int, str], *, copy: bool) -> None:
        """A message of the session, or of its drop copy, which tells of reports alone."""
        found = self.dialect.read(fields, self._number, self._sent)
        for note in found.notes:
            self._notes.tell(self.venue.name, note, time.monotonic())
        for each in found.inputs:
            if not copy or isinstance(each, Told):
                self.hear(each)


class _Callbacks:
    """What comes in goes to its link, by the session's identity."""

    def __init__(self, links: Iterable[FixLink], messages: MessageLog, fail: Callable[[Exception], None]) -> None:
        self._fix, self._messages, self._fail = quickfix(), messages, fail
        self._of: dict[str, tuple[FixLink, bool]] = {}
        for link in links:
            self._of[link.identity.toString()] = (link, False)
            if link.venue.drop_copy is not None:
                self._of[identity(link.venue.drop_copy).toString()] = (link, True)

    def on_logon(self, session: str) -> None:
        link, copy = self._of[session]
        if copy:
            log.info("venue=%s drop_copy=up", link.venue.name)
        else:
            link.up()

    def on_logout(self, session: str) -> None:
        link, copy = self._of[session]
        if not copy:
            link.down()

    def to_admin(self, message: Any, session: str) -> None:
        link, copy = self._of[session]
        try:
            if _kind(self._fix, message) == "A":
                _identify(self._fix, message, link.venue, copy)
        except NoSecret as error:
            self._fail(error)
        self._messages.sent(message.toString())

    def from_admin(self, message: Any, session: str) -> None:
        text = message.toString()
        self._messages.received(text)
        link, copy = self._of[session]
        fields = read_fields(text)
        match fields.get(35):
            case "5":
                link.refused(fields.get(58, ""))
                if found := _TOO_LOW.search(fields.get(58, "")):
                    self._catch_up(link, copy, int(found[1]))
            case "3":
                link.heard(fields, copy=copy)

    def to_app(self, message: Any, session: str) -> None:
        text = message.toString()
        self._messages.sent(text)
        fields = read_fields(text)
        link, _ = self._of[session]
        about = fields.get(41) if fields.get(35) == "F" else fields.get(11)
        link.sent(int(fields.get(34, 0)), fields.get(35, ""), about or "")

    def from_app(self, message: Any, session: str) -> None:
        text = message.toString()
        self._messages.received(text)
        link, copy = self._of[session]
        fields = read_fields(text)
        if fields.get(35) not in ("8", "9", "j"):
            log.info("venue=%s message=%s not_used", link.venue.name, fields.get(35))
            raise self._fix.UnsupportedMessageType()
        link.heard(fields, copy=copy)

    def failed(self, message: Any, session: str) -> None:
        """It is in the message log; what it said of an order is not known until its venue says it again."""
        fields = read_fields(message.toString())
        log.error("venue=%s message=%s not_taken", self._of[session][0].venue.name, fields.get(34))

    def _catch_up(self, link: FixLink, copy: bool, expected: int) -> None:
        """The venue has heard more of us than our store knows: an older life's. We go on from there."""
        log.warning("venue=%s our_next_number=%d: our store was older than the venue's", link.venue.name, expected)
        of = identity(link.venue.drop_copy) if copy and link.venue.drop_copy is not None else link.identity
        self._fix.Session.lookupSession(of).setNextSenderMsgSeqNum(expected)


def _identify(fix: Any, logon: Any, venue: FixVenue, copy: bool) -> None:
    """Raises NoSecret."""
    if venue.username:
        logon.setField(fix.StringField(553, venue.username))
    if venue.password is not None:
        logon.setField(fix.StringField(554, venue.password.read()))
    if venue.cancel_on_disconnect and not copy:
        logon.setField(fix.StringField(8013, "Y"))


def _built(fix: Any, message: Message) -> Any:
    built = fix.Message()
    header = built.getHeader()
    header.setField(fix.StringField(35, message.kind))
    for tag, value in message.fields:
        (header if tag == 97 else built).setField(fix.StringField(tag, value))
    return built


def _kind(fix: Any, message: Any) -> str:
    kind = fix.MsgType()
    message.getHeader().getField(kind)
    return str(kind.getValue())
