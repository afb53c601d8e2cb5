"""A venue's end of a FIX session, byte by byte, for tests: it says whatever it is told to say, right or wrong."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

SOH = "\x01"
PATIENCE_S = 20.0


def framed(body: str, begin: str = "FIX.4.4", check: int | None = None, length: int | None = None) -> bytes:
    """A message of what stands between BodyLength and CheckSum; both right unless given."""
    head = f"8={begin}{SOH}9={len(body) if length is None else length}{SOH}"
    total = sum((head + body).encode()) % 256 if check is None else check
    return f"{head}{body}10={total:03d}{SOH}".encode()


def fields_of(message: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in message.split(SOH):
        tag, _, value = part.partition("=")
        if tag.isdigit():
            found.setdefault(int(tag), value)
    return found


class RawFixVenue:
    """Listens on a free port; takes one connection after another. Answers logons and test requests by itself."""

    def __init__(self, comp_id: str = "XSIM", counterparty: str = "HELIOS") -> None:
        self.comp_id, self.counterparty = comp_id, counterparty
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.heard: list[dict[int, str]] = []
        self.number = 1
        self.answers_logon = True
        self.connections = 0
        self._connection: socket.socket | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        self._server.close()
        self.drop()
        self._thread.join(timeout=5)

    def drop(self) -> None:
        """Cut the line."""
        connection = self._connection
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def say(self, kind: str, *fields: tuple[int, str], number: int | None = None, **more: str) -> None:
        """A whole message, with the next number unless one is given. `sender`, `target`: other CompIDs."""
        self.raw(framed(self.body(kind, *fields, number=number, **more)))

    def body(self, kind: str, *fields: tuple[int, str], number: int | None = None, **more: str) -> str:
        with self._lock:
            if number is None:
                number, self.number = self.number, self.number + 1
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")
        sender, target = more.get("sender", self.comp_id), more.get("target", self.counterparty)
        head = [(35, kind), (34, str(number)), (49, sender), (52, now), (56, target)]
        return "".join(f"{tag}={value}{SOH}" for tag, value in [*head, *fields])

    def raw(self, data: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(data)

    def until(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, f"{what}: heard {self.heard[-5:]}"
            time.sleep(0.01)

    def of(self, kind: str) -> list[dict[int, str]]:
        """Messages of a type that were heard."""
        return [each for each in list(self.heard) if each.get(35) == kind]

    def _run(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connection = connection
            self.connections += 1
            rest = ""
            try:
                while data := connection.recv(65_536):
                    rest = self._take(rest + data.decode("latin-1"))
            except OSError:
                pass
            connection.close()

    def _take(self, text: str) -> str:
        while (end := text.find(f"{SOH}10=")) >= 0 and len(text) >= end + 8:
            message, text = text[: end + 8], text[end + 8 :]
            fields = fields_of(message)
            self.heard.append(fields)
            if fields.get(35) == "A" and self.answers_logon:
                self.say("A", (98, "0"), (108, fields.get(108, "30")))
            elif fields.get(35) == "1":
                self.say("0", (112, fields[112]))
        return text
