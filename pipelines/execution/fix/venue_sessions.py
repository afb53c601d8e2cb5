"""A simulated venue's FIX sessions: who may log on, what comes in goes to the intake, what is said goes out."""

import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_sessions import FixSession
from pipelines.contracts.fix_venue_file import FixVenueFile, Member
from pipelines.domain.fault_plan import Fault
from pipelines.execution.fix.application import application
from pipelines.execution.fix.engine import Role, identity, quickfix, settings
from pipelines.execution.fix.fields import read_fields
from pipelines.execution.fix.message_log import MessageLog
from pipelines.execution.fix.venue_answers import Message
from pipelines.execution.fix.venue_intake import Came, Gone, Intake, TakeUp, Work, refuse
from pipelines.execution.fix.venue_journal import Key

USERNAME, PASSWORD, CANCEL_ON_DISCONNECT = 553, 554, 8013

_NOT_AUTHORIZED, _NOT_AVAILABLE = 6, 4
_FIRST_WORD_S = 1.0
_LOGOUT_S = 2.0

log = logging.getLogger("helios.venue")


class VenueSessions:
    """QuickFIX's acceptor. Secrets are read here once; raises NoSecret, NoEngine and OSError."""

    def __init__(
        self, file: FixVenueFile, intake: Intake, messages: MessageLog, work: Callable[[Work], None], store: Path
    ) -> None:
        self._file, self._intake, self._messages, self._work = file, intake, messages, work
        self._members: Mapping[str, Member] = {each.comp_id: each for each in (*file.participants, *file.drop_copies)}
        self._secrets = {name: each.password.read() for name, each in self._members.items()}
        self._fix = quickfix()
        self._waiting: dict[Key, threading.Event] = {}
        sessions = [_session(file, each) for each in self._members.values()]
        self._identities = {each.target: identity(each) for each in sessions}
        self._settings = settings(Role.ACCEPTOR, sessions, store, persist=True)
        self._store, self._log = self._fix.FileStoreFactory(self._settings), self._fix.ScreenLogFactory(self._settings)
        self._application = application(self)
        try:
            self._acceptor = self._fix.SocketAcceptor(self._application, self._store, self._settings, self._log)
        except self._fix.FIXException as error:
            raise OSError(f"QuickFIX: {error}") from error

    def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        try:
            self._acceptor.start()
        except self._fix.FIXException as error:
            raise OSError(f"port {self._file.port}: {error}: give another, or stop what listens there") from error

    def send(self, other: str, message: str, fields: Message) -> None:
        """Give a message to a session; one that is not there asks for it when it is back."""
        made = self._fix.Message()
        made.getHeader().setField(self._fix.StringField(35, message))
        for tag, value in fields.items():
            made.setField(self._fix.StringField(tag, value))
        self._fix.Session.sendToTarget(made, self._identities[other])

    def leave_out(self, other: str, numbers: int) -> None:
        """Leave message numbers out, so that the other side sees a gap."""
        session = self._of(other)
        session.setNextSenderMsgSeqNum(session.getExpectedSenderNum() + numbers)

    def spoken(self, key: Key) -> None:
        """A word of an order went out."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.set()

    def log_out(self) -> None:
        """End all sessions. QuickFIX's own way to stop an acceptor crashes: the process has to end after this."""
        for other in self._members:
            self._of(other).logout("the venue closes")
        deadline_s = time.monotonic() + _LOGOUT_S
        while time.monotonic() < deadline_s and any(self._of(other).isLoggedOn() for other in self._members):
            time.sleep(0.02)
        self._messages.close()

    # what QuickFIX calls

    def on_logon(self, other: str) -> None:
        log.info("participant=%s state=logged_on", other)

    def on_logout(self, other: str) -> None:
        log.info("participant=%s state=logged_out", other)
        self._work(Gone(other))

    def to_admin(self, message: Any, other: str) -> None:
        self._messages.sent(message.toString())

    def from_admin(self, message: Any, other: str) -> None:
        text = message.toString()
        self._messages.received(text)
        fields = read_fields(text)
        if fields[35] == "A":
            self._check(fields, other)
            self._work(Came(other, fields.get(CANCEL_ON_DISCONNECT) == "Y"))

    def to_app(self, message: Any, other: str) -> None:
        self._messages.sent(message.toString())

    def from_app(self, message: Any, other: str) -> None:
        text = message.toString()
        self._messages.received(text)
        fields = read_fields(text)
        if not _plain(text):
            self._work(refuse(other, {35: fields[35], 34: fields[34]}, "a text that is not UTF-8"))
            return
        if self._members[other].of:
            self._work(refuse(other, fields, "a drop copy session takes no requests", code=_NOT_AUTHORIZED))
            return
        work = self._intake.receive(other, fields)
        if work is None:
            raise self._fix.UnsupportedMessageType()
        if isinstance(work, TakeUp) and self._file.faults.hits(Fault.DISCONNECT, work.order.client_order_id):
            self._cut(other, work)
        else:
            self._work(work)

    def failed(self, message: Any, other: str) -> None:
        fields = read_fields(message.toString())
        fields = {tag: value for tag, value in fields.items() if _plain(value)}
        if not self._intake.has(other, fields):  # else it is done by the next process, or told to who asks
            self._work(refuse(other, fields, "the venue could not take it", fields.get(11, ""), _NOT_AVAILABLE))

    def _check(self, fields: Mapping[int, str], other: str) -> None:
        """Raises RejectLogon, in words that hold no secret."""
        member = self._members[other]
        name, secret = fields.get(USERNAME, ""), fields.get(PASSWORD, "")
        right = hmac.compare_digest(secret.encode(), self._secrets[other].encode())
        if name != member.username or not right:
            log.warning("participant=%s state=refused reason='username or password is wrong'", other)
            raise self._fix.RejectLogon("username or password is wrong")

    def _cut(self, other: str, work: TakeUp) -> None:
        """Disconnect, on QuickFIX's own thread: no other may."""
        key = work.order.key
        log.warning("fault=%s order=%s", Fault.DISCONNECT, key[1])
        if self._file.faults.after_first_word:
            self._waiting[key] = threading.Event()
            self._work(work)
            self._waiting[key].wait(_FIRST_WORD_S)
            del self._waiting[key]
            self._of(other).disconnect()
        else:
            self._of(other).disconnect()
            self._work(work)

    def _of(self, other: str) -> Any:
        return self._fix.Session.lookupSession(self._identities[other])


def _plain(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 come as lone surrogates
        return False
    return True


def _session(file: FixVenueFile, member: Member) -> FixSession:
    return FixSession(
        sender=file.comp_id,
        target=member.comp_id,
        host="",
        port=file.port,
        heartbeat_s=file.heartbeat_s,
        reset=file.reset,
        hours=file.hours,
        allowed=file.allowed,
    )
