"""QuickFIX's callbacks. An exception that leaves one would end the process: whatever fails is logged here."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from pipelines.execution.fix.engine import quickfix

log = logging.getLogger("helios.fix")

Message = Any
"""QuickFIX's, untyped."""


class Callbacks(Protocol):
    """What a side does when its sessions speak, on QuickFIX's thread; `other` names the session, as `application` says.

    Admin and `to_app` callbacks, and `on_logout`, may come while the session is locked: they wait for nobody.
    """

    def on_logon(self, other: str) -> None: ...

    def on_logout(self, other: str) -> None: ...

    def to_admin(self, message: Message, other: str) -> None: ...

    def from_admin(self, message: Message, other: str) -> None:
        """May raise QuickFIX's RejectLogon."""

    def to_app(self, message: Message, other: str) -> None:
        """May raise QuickFIX's DoNotSend."""

    def from_app(self, message: Message, other: str) -> None:
        """May raise QuickFIX's UnsupportedMessageType."""

    def failed(self, message: Message, other: str) -> None:
        """`from_app` failed: the message was heard, and nobody will hear it again."""


def application(callbacks: Callbacks, *, whole: bool = False) -> Any:
    """An Application of QuickFIX around callbacks: keep it for as long as its acceptor or initiator runs. A session is
    named by the comp id of the other side, or by its `whole` identity, where several have one other side."""
    fix = quickfix()
    name_of = _whole if whole else _other
    meant = (fix.RejectLogon, fix.DoNotSend, fix.UnsupportedMessageType)

    def guarded(name: str, call: Callable[..., None], *of: object) -> bool:
        try:
            call(*of)
        except meant:
            raise
        except Exception:
            log.exception("callback=%s state=failed", name)
            return False
        return True

    def about_session(name: str) -> Callable[..., None]:
        def call(_: object, session: Any) -> None:
            guarded(name, getattr(callbacks, name), name_of(session))

        return call

    def about_message(name: str) -> Callable[..., None]:
        def call(_: object, message: Message, session: Any) -> None:
            guarded(name, getattr(callbacks, name), message, name_of(session))

        return call

    def from_app(_: object, message: Message, session: Any) -> None:
        if not guarded("from_app", callbacks.from_app, message, name_of(session)):
            guarded("failed", callbacks.failed, message, name_of(session))

    made = {
        "onCreate": lambda _, session: None,
        "onLogon": about_session("on_logon"),
        "onLogout": about_session("on_logout"),
        "toAdmin": about_message("to_admin"),
        "fromAdmin": about_message("from_admin"),
        "toApp": about_message("to_app"),
        "fromApp": from_app,
    }
    return type("Application", (fix.Application,), made)()


def _other(session: Any) -> str:
    return str(session.getTargetCompID().getValue())


def _whole(session: Any) -> str:
    return str(session.toString())
