"""The FIX engine, QuickFIX: how a session of either side is set up, and where its library is to be had.

It is an extra (`make fix`): compiled from source, a minute or two. What of Helios needs it says so where it is absent.
"""

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

MISSING = "QuickFIX is not installed: make fix (compiles for a minute or two, once)"


class NoEngine(RuntimeError):
    """QuickFIX is not installed here."""


def installed() -> bool:
    return importlib.util.find_spec("quickfix") is not None


def quickfix() -> Any:
    """The library, untyped. Raises NoEngine where it is not installed."""
    if not installed():
        raise NoEngine(MISSING)
    import quickfix

    return quickfix


class Role(StrEnum):
    INITIATOR = "initiator"
    ACCEPTOR = "acceptor"


class Reset(StrEnum):
    """When both sides begin to count their messages from 1 again."""

    NEVER = "never"
    LOGON = "logon"
    LOGOUT = "logout"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a session may be, UTC: HH:MM:SS each; with days (`monday`) once a week, else daily.
    Sequence numbers begin anew with each."""

    start: str
    end: str
    start_day: str = ""
    end_day: str = ""


@dataclass(frozen=True, slots=True)
class FixSession:
    """One session, as one of its sides has it: `sender` is that side. An acceptor listens on `port` at every address of
    its machine, as QuickFIX does, and hears those of `allowed` alone."""

    sender: str
    target: str
    host: str
    port: int
    begin: str = "FIX.4.4"
    heartbeat_s: int = 5
    reset: Reset = Reset.NEVER
    hours: Hours | None = None
    allowed: tuple[str, ...] = ("127.0.0.1",)
    reconnect_s: int = 1

    @property
    def name(self) -> str:
        return f"{self.begin}:{self.sender}->{self.target}"


def identity(session: FixSession) -> Any:
    """QuickFIX's SessionID."""
    return quickfix().SessionID(session.begin, session.sender, session.target)


def settings(role: Role, sessions: Iterable[FixSession], store: Path, *, persist: bool) -> Any:
    """QuickFIX's SessionSettings; sequence numbers are kept under `store`.

    `persist`: whether messages are kept, to be sent again on a ResendRequest. Where they are not, gaps are filled: the
    right answer for orders, as a stale one must not go out, and for a Logon, whose password must not lie on disk.
    """
    fix = quickfix()
    found = fix.SessionSettings()
    for session in sessions:
        section = fix.Dictionary()
        for key, value in _section(role, session, store, persist).items():
            section.setString(key, value)
        found.set(identity(session), section)
    return found


def _section(role: Role, session: FixSession, store: Path, persist: bool) -> dict[str, str]:
    hours = session.hours
    return {
        "ConnectionType": role.value,
        "FileStorePath": str(store),
        "PersistMessages": _flag(persist),
        "HeartBtInt": str(session.heartbeat_s),
        "ReconnectInterval": str(session.reconnect_s),
        "LogonTimeout": "5",
        "LogoutTimeout": "2",
        "SocketNodelay": "Y",
        "UseDataDictionary": "Y",
        "DataDictionary": str(dictionary(session.begin)),
        # A venue may add fields of its own to what it tells; it takes none that it does not know (definition 14a).
        "ValidateUserDefinedFields": _flag(role == Role.ACCEPTOR),
        "TimestampPrecision": "6",
        "MaxLatency": "120",
        "ResetOnLogon": _flag(session.reset == Reset.LOGON),
        "ResetOnLogout": _flag(session.reset == Reset.LOGOUT),
        "ResetOnDisconnect": _flag(session.reset == Reset.DISCONNECT),
        # Messages are in a log of our own, without their secrets (message_log); events go to standard output.
        "ScreenLogShowIncoming": "N",
        "ScreenLogShowOutgoing": "N",
        "ScreenLogShowEvents": "Y",
        **_place(role, session),
        **_hours(hours),
    }


def _place(role: Role, session: FixSession) -> dict[str, str]:
    if role == Role.INITIATOR:
        return {"SocketConnectHost": session.host, "SocketConnectPort": str(session.port)}
    return {
        "SocketAcceptPort": str(session.port),
        "SocketReuseAddress": "Y",
        "AllowedRemoteAddresses": ",".join(session.allowed),
    }


def _hours(hours: Hours | None) -> dict[str, str]:
    if hours is None:
        return {"NonStopSession": "Y", "StartTime": "00:00:00", "EndTime": "00:00:00"}
    days = {"StartDay": hours.start_day, "EndDay": hours.end_day} if hours.start_day else {}
    return {"StartTime": hours.start, "EndTime": hours.end} | days


def dictionary(begin: str) -> Path:
    """The data dictionary that is installed with QuickFIX, of a version such as `FIX.4.4`."""
    return Path(sys.prefix) / "share" / "quickfix" / f"{begin.replace('.', '')}.xml"


def _flag(value: bool) -> str:
    return "Y" if value else "N"
