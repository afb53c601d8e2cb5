"""Acceptance definitions of FIX sessions, as QuickFIX publishes them, run against an acceptor.

    iCONNECT                        connect; iDISCONNECT: hang up
    I8=FIX.4.2|35=A|34=1|52=<TIME>  send; BodyLength, CheckSum and times are filled in, unless they are given
    E8=FIX.4.2|9=63|35=A|34=1|...   expect, field by field, times by their form
    eDISCONNECT                     expect to be hung up on

SOH stands between fields; `I2,...` is of the second connection.
"""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

PATIENCE_S = 15
"""For an answer: the definitions' own heartbeats are 6 s apart."""

_SOH = "\x01"
_LINE = re.compile(r"([IEie])(?:(\d),)?(.+)")
_TIME = re.compile(r"<TIME([+-]\d+)?>")
_LENGTH = re.compile(rb"8=[^\x01]+\x019=(\d+)\x01")
_TRAILER = re.compile(r"(?<=\x01)10=[^\x01]*\x01$")
_STAMP = re.compile(r"\d{8}-\d\d:\d\d:\d\d(\.\d{3}(\d{3})?)?")
_BEGIN, _BODY_LENGTH, _CHECKSUM, _SENDING_TIME, _TRANSACT_TIME, _ORIG_SENDING_TIME = "8", "9", "10", "52", "60", "122"
_STAMPS = (_SENDING_TIME, _TRANSACT_TIME, _ORIG_SENDING_TIME)


class Act(Enum):
    SEND = "I"
    EXPECT = "E"
    DO = "i"
    AWAIT = "e"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a definition: what, on which connection."""

    line: int
    act: Act
    connection: int
    text: str


class Unexpected(AssertionError):
    """What an acceptor did otherwise than its definition has it."""


def steps(definition: str) -> Iterator[Step]:
    """Raises ValueError for a line that says nothing known."""
    for number, line in enumerate(definition.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number}: {line!r} is none of I, E, i, e")
        yield Step(number, Act(found[1]), int(found[2] or 1), found[3])


def filled(text: str, now: datetime) -> str:
    """A message with its times, and BodyLength and CheckSum where it has none; else as it is if it begins wrongly."""
    text = _TIME.sub(lambda at: f"{now + timedelta(seconds=int(at[1] or 0)):%Y%m%d-%H:%M:%S}", text)
    if not text.startswith(f"{_BEGIN}="):
        return text
    begin, _, body = text.partition(_SOH)
    given = _TRAILER.search(body)
    body = _TRAILER.sub("", body)
    if f"{_SOH}{_BODY_LENGTH}=" not in _SOH + body:
        body = f"{_BODY_LENGTH}={len(body)}{_SOH}{body}"
    whole = f"{begin}{_SOH}{body}"
    return whole + (given[0] if given else f"{_CHECKSUM}={_sum(whole)}{_SOH}")


def difference(expected: str, received: str) -> str:
    """What is not as expected, by QuickFIX's own rules: the same fields in the same order, equal but for times."""
    wanted, found = _fields(expected), _fields(_to_the_millisecond(received))
    if [tag for tag, _ in wanted] != [tag for tag, _ in found]:
        return "other fields"
    for (tag, value), (_, got) in zip(wanted, found, strict=True):
        if tag == _CHECKSUM:
            continue  # of what was sent, and checked as it was read
        if not (_STAMP.fullmatch(got) if tag in _STAMPS else got == value):
            return f"field {tag} is {got!r} instead of {value!r}"
    return ""


class Counterparty:
    """The definitions' side of a session."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: dict[int, socket.socket] = {}
        self._unread: dict[int, bytes] = {}

    def run(self, definition: str) -> None:
        """Raises Unexpected at the first step that goes otherwise; all connections are closed in the end."""
        try:
            for step in steps(definition):
                try:
                    self._take(step)
                except (Unexpected, OSError) as error:
                    shown = step.text.replace(_SOH, "|")
                    raise Unexpected(f"line {step.line}, {step.act.value}{shown}\n{error}") from error
        finally:
            for connection in list(self._connections):
                self._hang_up(connection)

    def _take(self, step: Step) -> None:
        match step.act, step.text:
            case Act.DO, "CONNECT":
                self._connections[step.connection] = socket.create_connection(("127.0.0.1", self._port), PATIENCE_S)
                self._unread[step.connection] = b""
            case Act.DO, "DISCONNECT":
                self._hang_up(step.connection)
            case Act.AWAIT, "DISCONNECT":
                self._expect_to_be_hung_up_on(step.connection)
            case Act.SEND, text:
                self._connections[step.connection].sendall(filled(text, datetime.now(UTC)).encode("latin-1"))
            case Act.EXPECT, text:
                received = self._receive(step.connection)
                if wrong := difference(filled(text, datetime.now(UTC)), received):
                    raise Unexpected(f"{wrong}: {received.replace(_SOH, '|')}")
            case _:
                raise ValueError(f"line {step.line}: {step.act.value}{step.text} is no step")

    def _receive(self, connection: int) -> str:
        """The next message, its length and checksum right."""
        while (found := _LENGTH.match(self._unread[connection])) is None:
            self._read(connection)
        size = found.end() + int(found[1]) + len("10=000|")
        while len(self._unread[connection]) < size:
            self._read(connection)
        message = self._unread[connection][:size].decode("latin-1")
        self._unread[connection] = self._unread[connection][size:]
        head, mark, trailer = message[:-7], message[-7:-4], message[-4:]
        if mark != f"{_CHECKSUM}=" or trailer != f"{_sum(head)}{_SOH}":
            raise Unexpected(f"BodyLength or CheckSum is wrong: {message.replace(_SOH, '|')}")
        return message

    def _read(self, connection: int) -> None:
        block = self._connections[connection].recv(1 << 16)
        if not block:
            raise Unexpected(f"hung up; before it: {self._unread[connection]!r}")
        self._unread[connection] += block

    def _expect_to_be_hung_up_on(self, connection: int) -> None:
        unread = self._unread[connection] or _rest(self._connections[connection])
        if unread:
            raise Unexpected(f"not hung up, but: {unread.decode('latin-1').replace(_SOH, '|')}")
        self._connections.pop(connection).close()

    def _hang_up(self, connection: int) -> None:
        """And wait until the acceptor has noticed: the session is free then for whoever comes next."""
        ours = self._connections.pop(connection)
        with ours:
            ours.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + PATIENCE_S
            while _rest(ours) and time.monotonic() < deadline:
                pass


def _rest(connection: socket.socket) -> bytes:
    """What comes next, nothing where the other side has closed, by a reset too."""
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


def _fields(message: str) -> list[tuple[str, str]]:
    parts = (field.partition("=") for field in message.split(_SOH) if field)
    return [(tag, value) for tag, _, value in parts]


def _to_the_millisecond(message: str) -> str:
    """Our sessions tell microseconds, the definitions' milliseconds: BodyLength as it would be with these."""
    fields = _fields(message)
    cut = sum(3 for tag, value in fields if tag in _STAMPS and (found := _STAMP.fullmatch(value)) and found[2])
    return "".join(f"{tag}={int(value) - cut if tag == _BODY_LENGTH else value}{_SOH}" for tag, value in fields)


def _sum(text: str) -> str:
    return f"{sum(text.encode('latin-1')) % 256:03d}"
