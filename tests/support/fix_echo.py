"""The counterparty that FIX's acceptance definitions talk to: a session of ours, and an application that echoes.

`python -m tests.support.fix_echo PORT STORE` listens until its standard input ends. It is a process of its own, ended
without ceremony: QuickFIX's acceptor does not survive being stopped.
"""

import os
import sys
from pathlib import Path
from typing import Any

import quickfix as fix

from pipelines.execution.fix.engine import FixSession, Reset, Role, settings

ORDER, SECURITY_DEFINITION = "D", "d"
_MSG_TYPE, _CL_ORD_ID, _POSS_RESEND = 35, 11, 97


class Echo(fix.Application):
    """Sends back orders and security definitions; an order that is possibly sent again only where it is new."""

    def __init__(self) -> None:
        super().__init__()
        self._orders: set[str] = set()

    def fromApp(self, message: Any, session: Any) -> None:
        header = message.getHeader()
        kind = header.getField(_MSG_TYPE)
        if kind not in (ORDER, SECURITY_DEFINITION):
            raise fix.UnsupportedMessageType
        if kind == ORDER:
            order = message.getField(_CL_ORD_ID)
            again = header.isSetField(_POSS_RESEND) and header.getField(_POSS_RESEND) == "Y"
            if again and order in self._orders:
                return
            self._orders.add(order)
        fix.Session.sendToTarget(fix.Message(message), session)

    def onLogout(self, session: Any) -> None:
        self._orders.clear()

    def onCreate(self, session: Any) -> None: ...
    def onLogon(self, session: Any) -> None: ...
    def toAdmin(self, message: Any, session: Any) -> None: ...
    def fromAdmin(self, message: Any, session: Any) -> None: ...
    def toApp(self, message: Any, session: Any) -> None: ...


def main(port: int, store: Path) -> None:
    """Listens on 127.0.0.1 as ISLD, for TW42; numbers begin anew with each logon."""
    session = FixSession("ISLD", "TW42", "127.0.0.1", port, begin="FIX.4.2", reset=Reset.LOGON, own_fields=False)
    found = settings(Role.ACCEPTOR, [session], store, persist=True)
    application = Echo()
    acceptor = fix.SocketAcceptor(application, fix.FileStoreFactory(found), found, fix.ScreenLogFactory(found))
    acceptor.start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
