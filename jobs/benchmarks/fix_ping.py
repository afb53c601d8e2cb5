"""Bare QuickFIX: an order to a counterparty that fills it, and its fill back, with nothing of ours between."""

import threading
import time
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_sessions import FixSession
from pipelines.execution.fix.engine import Role, identity, quickfix, settings
from pipelines.execution.fix.fields import read_fields

PATIENCE_S = 30.0


class Ping:
    """An initiator that counts the fills that come back."""

    def __init__(self, session: FixSession, store: Path) -> None:
        fix = quickfix()
        self._fix = fix
        self._session = identity(session)
        self.up, self._back = threading.Event(), threading.Semaphore(0)
        made = settings(Role.INITIATOR, [session], store, persist=False)
        self._keep = (self._application(), fix.FileStoreFactory(made), made)
        self._engine = fix.SocketInitiator(*self._keep)
        self._engine.start()
        if not self.up.wait(PATIENCE_S):
            raise TimeoutError(f"no logon on {session.host}:{session.port} in {PATIENCE_S:.0f} s")

    def close(self) -> None:
        self._engine.stop()

    def one_by_one(self, count: int) -> list[int]:
        """ns there and back, each order sent when the last one is filled."""
        took = []
        for number in range(count):
            started = time.monotonic_ns()
            self._send(f"one-{number}")
            self._await()
            took.append(time.monotonic_ns() - started)
        return took

    def at_once(self, count: int) -> float:
        """Seconds until so many orders, sent as fast as they go, are filled."""
        started = time.monotonic()
        for number in range(count):
            self._send(f"all-{number}")
        for _ in range(count):
            self._await()
        return time.monotonic() - started

    def _await(self) -> None:
        if not self._back.acquire(timeout=PATIENCE_S):
            raise TimeoutError(f"no fill in {PATIENCE_S:.0f} s")

    def _send(self, name: str) -> None:
        fix = self._fix
        order = fix.Message()
        order.getHeader().setField(fix.StringField(35, "D"))
        stamp = "20260105-14:30:00.000000000"
        for tag, value in ((11, name), (55, "S"), (54, "1"), (60, stamp), (38, "1"), (40, "1")):
            order.setField(fix.StringField(tag, value))
        fix.Session.sendToTarget(order, self._session)

    def _application(self) -> Any:
        fix, up, back = self._fix, self.up, self._back

        class Application(fix.Application):  # type: ignore[name-defined]
            def onCreate(self, session: Any) -> None:
                pass

            def onLogon(self, session: Any) -> None:
                up.set()

            def onLogout(self, session: Any) -> None:
                up.clear()

            def toAdmin(self, message: Any, session: Any) -> None:
                pass

            def fromAdmin(self, message: Any, session: Any) -> None:
                pass

            def toApp(self, message: Any, session: Any) -> None:
                pass

            def fromApp(self, message: Any, session: Any) -> None:
                if read_fields(message.toString()).get(150) == "F":
                    back.release()

        return Application()
