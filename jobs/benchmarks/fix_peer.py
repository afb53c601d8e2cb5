"""A counterparty that fills every order at once: `python -m jobs.benchmarks.fix_peer PORT STORE TIMES CLIENT...`.

It says `ready` when it listens. On SIGTERM it writes when it had each order, steady ns by client order id, to TIMES.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_sessions import FixSession
from pipelines.execution.fix.engine import Role, quickfix, settings
from pipelines.execution.fix.fields import read_fields

PEER = "PEER"


def peer(times: dict[str, int]) -> Any:
    """QuickFIX's callbacks: each NewOrderSingle is noted and filled at once, at 100."""
    fix = quickfix()

    class Peer(fix.Application):  # type: ignore[name-defined]
        def onCreate(self, session: Any) -> None:
            pass

        def onLogon(self, session: Any) -> None:
            pass

        def onLogout(self, session: Any) -> None:
            pass

        def toAdmin(self, message: Any, session: Any) -> None:
            pass

        def fromAdmin(self, message: Any, session: Any) -> None:
            pass

        def toApp(self, message: Any, session: Any) -> None:
            pass

        def fromApp(self, message: Any, session: Any) -> None:
            at = time.monotonic_ns()
            fields = read_fields(message.toString())
            if fields.get(35) == "D":
                times[fields[11]] = at
                fix.Session.sendToTarget(filled(fix, fields), session)

    return Peer()


def filled(fix: Any, order: dict[int, str]) -> Any:
    """The ExecutionReport of an order that is filled whole."""
    report = fix.Message()
    report.getHeader().setField(fix.StringField(35, "8"))
    quantity = order[38]
    for tag, value in (
        *((37, order[11]), (17, f"x{order[11]}"), (150, "F"), (39, "2"), (11, order[11]), (55, order[55])),
        *((54, order[54]), (38, quantity), (32, quantity), (31, "100"), (14, quantity), (151, "0"), (6, "100")),
        (60, order[60]),
    ):
        report.setField(fix.StringField(tag, value))
    return report


def main() -> None:
    """Listen until SIGTERM."""
    port, store, out, *clients = sys.argv[1:]
    fix = quickfix()
    times: dict[str, int] = {}
    sessions = [FixSession(PEER, client, "127.0.0.1", int(port), heartbeat_s=30) for client in clients]
    made = settings(Role.ACCEPTOR, sessions, Path(store), persist=True)
    application, stores = peer(times), fix.FileStoreFactory(made)
    acceptor = fix.SocketAcceptor(application, stores, made)
    acceptor.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print("ready", flush=True)
    ended.wait()
    Path(out).write_text(json.dumps(times))
    os._exit(0)  # QuickFIX's own stop of an acceptor can crash


if __name__ == "__main__":
    main()
