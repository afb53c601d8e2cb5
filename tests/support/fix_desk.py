"""A desk's bare FIX session: QuickFIX as initiator, which sends what a test says and keeps what it hears."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_session import Reset
from pipelines.execution.fix.application import application
from pipelines.execution.fix.engine import FixSession, Role, identity, quickfix, settings
from pipelines.execution.fix.fields import read_fields
from pipelines.execution.fix_time import write_time

Fields = dict[int, str]
PATIENCE_S = 20.0


class FixDesk:
    """One session. `heard`: messages of the venue about orders, as they came."""

    def __init__(
        self, folder: Path, port: int, name: str = "DESK", password: str = "secret", logon: Fields | None = None
    ) -> None:
        self.heard: list[Fields] = []
        self.refused: list[Fields] = []
        self.on, self._answered = threading.Event(), threading.Event()
        self._fix = quickfix()
        session = FixSession(name, "XSIM", "127.0.0.1", port, reset=Reset.NEVER, heartbeat_s=1)
        self._logon = {553: name.lower(), 554: password} | (logon or {})
        self._identity = identity(session)
        self._settings = settings(Role.INITIATOR, [session], folder, persist=False)
        self._stores, self._logs = (
            self._fix.FileStoreFactory(self._settings),
            self._fix.ScreenLogFactory(self._settings),
        )
        self._application = application(self)
        self._initiator = self._fix.SocketInitiator(self._application, self._stores, self._settings, self._logs)
        self._initiator.start()

    def ready(self) -> None:
        """Wait until the venue answers. What is sent before both sides agree on their numbers may be lost: this side
        keeps no messages, and fills the gap over them."""
        assert self.on.wait(PATIENCE_S), "no logon"
        deadline = time.monotonic() + PATIENCE_S
        self._answered.clear()
        while not self._answered.wait(0.3):
            assert time.monotonic() < deadline, "no answer"
            self.send("H", _11="nothing", _55="nothing", _54="1", _790="ready")

    def stop(self) -> None:
        """Once and for all; a second time does nothing."""
        if self._initiator is not None:
            self._initiator.stop(True)
            self._initiator = None

    def send(self, message: str, **fields: object) -> None:
        """Fields by tag: `_55="AUSDT"`."""
        made = self._fix.Message()
        made.getHeader().setField(self._fix.StringField(35, message))
        for tag, value in fields.items():
            where = made.getHeader() if tag == "_97" else made
            where.setField(self._fix.StringField(int(tag[1:]), str(value)))
        self._fix.Session.sendToTarget(made, self._identity)

    def order(self, name: str, symbol: str, units: object, time_ns: int, **more: object) -> None:
        """A market order to buy, but for what `more` says."""
        fields: dict[str, object] = {"_54": "1", "_40": "1", "_59": "0"} | more
        self.send("D", _11=name, _55=symbol, _38=units, _60=write_time(time_ns), **fields)

    def change(
        self, message: str, name: str, of: str, symbol: str, units: object, time_ns: int, **more: object
    ) -> None:
        """A cancel (F) or a replacement (G)."""
        fields: dict[str, object] = {"_54": "1"} | more
        self.send(message, _11=name, _41=of, _55=symbol, _38=units, _60=write_time(time_ns), **fields)

    def until(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, f"{what}: heard {self.heard}"
            time.sleep(0.02)

    def reports(self, name: str, kind: str = "") -> list[Fields]:
        """Execution reports on an order by its ClOrdID, of one ExecType if given."""
        found = [each for each in self.heard if each[35] == "8" and name in (each.get(11), each.get(41))]
        return [each for each in found if not kind or each[150] == kind]

    def on_logon(self, other: str) -> None:
        self.on.set()

    def on_logout(self, other: str) -> None:
        self.on.clear()

    def to_admin(self, message: Any, other: str) -> None:
        if read_fields(message.toString())[35] == "A":
            for tag, value in self._logon.items():
                message.setField(self._fix.StringField(tag, value))

    def from_admin(self, message: Any, other: str) -> None:
        fields = read_fields(message.toString())
        if fields[35] in ("5", "3"):
            self.refused.append(fields)

    def to_app(self, message: Any, other: str) -> None: ...

    def from_app(self, message: Any, other: str) -> None:
        fields = read_fields(message.toString())
        if fields.get(790) == "ready" or fields.get(372) == "H":
            self._answered.set()
        else:
            self.heard.append(fields)

    def failed(self, message: Any, other: str) -> None: ...
