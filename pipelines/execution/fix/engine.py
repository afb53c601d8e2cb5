"""The FIX engine, QuickFIX: how a session of either side is set up, and where its library is to be had.

It is an extra (`make fix`): compiled from source, a minute or two. What of Helios needs it says so where it is absent.
"""

import importlib.util
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipelines.contracts.fix_sessions import FixSession, Hours, Reset

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
        "LogoutTimeout": "1",  # counted from what was sent last: shorter than the shortest heartbeat that makes sense
        "SocketNodelay": "Y",
        "UseDataDictionary": "Y",
        "DataDictionary": str(dictionary(session.begin)),
        "ValidateUserDefinedFields": _flag(not session.own_fields),
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
