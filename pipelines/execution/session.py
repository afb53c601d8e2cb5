"""The gateway's session with one venue: connects, logs on, keeps alive, and connects again."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.execution.plan import Ask, Cancel, Input, LinkDown, LinkUp, NotKnown, Refused, Send, Told
from pipelines.execution.protocol import (
    BadMessage,
    CancelOrder,
    Execution,
    FromGateway,
    Heartbeat,
    Lines,
    Logon,
    LogonAccepted,
    NewOrder,
    NotKnownHere,
    Reject,
    StatusRequest,
    encode,
    read_from_venue,
)

HEARTBEAT_S = 1.0
SILENCE_S = 5.0
"""A venue that says nothing for so long, asked every HEARTBEAT_S, is taken to be gone."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 2.0
"""Between attempts to connect: doubled each time, from and up to."""

log = logging.getLogger("helios.gateway")


@dataclass(frozen=True, slots=True)
class VenueAddress:
    name: str
    host: str
    port: int


class TakenOver(RuntimeError):
    """The venue has seen a newer gateway, or serves another trading session: this process must end."""


class VenueSession:
    """A thread that hears one venue. What it hears is given to `hear`; orders go out by `send`, from one other thread.

    Each connection has a number: what was meant for one never goes out on the next.
    """

    def __init__(
        self,
        address: VenueAddress,
        logon: Logon,
        hear: Callable[[Input], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self.address = address
        self._logon = logon
        self._hear = hear
        self._fail = fail
        self._link = 0
        self._socket: socket.socket | None = None
        self._sending = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"venue-{address.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._close()
        self._thread.join(timeout=5)

    def send(self, link: int, words: Iterable[Send | Ask | Cancel]) -> None:
        """Put words on the given link; nothing where that is gone: its LinkDown is on the way."""
        self._put(link, [_message(word) for word in words])

    def _put(self, link: int, messages: list[FromGateway]) -> None:
        with self._sending:
            if self._socket is None or link != self._link:
                return
            try:
                self._socket.sendall(encode(*messages))
            except OSError:
                self._shut(self._socket)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        said = ""
        while not self._stopped.is_set():
            try:
                if self._session():
                    wait_s, said = FIRST_WAIT_S, ""
                why = "closed by the venue"
            except OSError as error:
                why = str(error) or type(error).__name__
            except TakenOver as over:
                self._fail(over)
                return
            if why != said and not self._stopped.is_set():
                log.warning("venue=%s state=down reason=%r retry=yes", self.address.name, why)
                said = why
            self._stopped.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _session(self) -> bool:
        """One connection, from its making to its end; whether the venue took the logon."""
        accepted = False
        connection = socket.create_connection((self.address.host, self.address.port), timeout=HEARTBEAT_S)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(encode(self._logon))
            with self._sending:
                self._link += 1
                self._socket = connection
            lines = Lines()
            heard_s = time.monotonic()
            while not self._stopped.is_set():
                try:
                    data = connection.recv(65_536)
                except TimeoutError:
                    if time.monotonic() - heard_s > SILENCE_S:
                        raise TimeoutError(f"nothing heard for {SILENCE_S:.0f} s") from None
                    self._put(self._link, [Heartbeat()])
                    continue
                if not data:
                    return accepted
                heard_s = time.monotonic()
                for line in lines.feed(data):
                    accepted |= self._take(line)
            return accepted
        finally:
            with self._sending:
                self._socket = None
            connection.close()
            if accepted:
                self._hear(LinkDown(self.address.name, self._link))

    def _take(self, line: bytes | BadMessage) -> bool:
        """Pass on what the venue said; whether it was that it took our logon."""
        name = self.address.name
        try:
            if isinstance(line, BadMessage):
                raise line
            message = read_from_venue(line)
        except BadMessage as bad:
            log.warning("venue=%s bad_message=%r", name, str(bad))
            return False
        match message:
            case LogonAccepted():
                log.info("venue=%s state=up link=%d epoch=%d", name, self._link, self._logon.epoch)
                self._hear(LinkUp(name, self._link))
                return True
            case Execution():
                self._hear(Told(name, message.event()))
            case NotKnownHere(identity):
                self._hear(NotKnown(name, self._link, identity))
            case Reject(reason, _, True):
                raise TakenOver(f"venue {name} refuses this gateway: {reason}")
            case Reject(reason, identity):
                log.warning("venue=%s reject=%r order=%s", name, reason, identity or "-")
                if identity:
                    self._hear(Refused(name, identity, reason))
            case Heartbeat():
                pass
        return False

    def _close(self) -> None:
        with self._sending:
            if self._socket is not None:
                self._shut(self._socket)

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        """Wake the thread that reads it; that one closes it."""
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _message(word: Send | Ask | Cancel) -> FromGateway:
    match word:
        case Send(_, order):
            return NewOrder(order)
        case Ask(_, order):
            return StatusRequest(order.client_order_id)
        case Cancel(_, order, request):
            return CancelOrder(order.client_order_id, request.client_order_id, request.event_time_ns)
