"""Every message of a FIX session, a line each, without its secrets: `helios orders replay` reads it.

`2026-11-29T15:45:17.851Z < 8=FIX.4.4|9=...|` was received, `>` sent.
"""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

SECRET_TAGS = ("96", "554", "925", "1402", "1404")
"""RawData, Password, NewPassword, EncryptedPassword, EncryptedNewPassword."""

_SECRET = re.compile("(?:(?<=\x01)|^)(" + "|".join(SECRET_TAGS) + ")=[^\x01]*")


def masked(message: str) -> str:
    """A message as text, `***` for each of its secrets."""
    return _SECRET.sub(r"\1=***", message).replace("\x01", "|")


class MessageLog:
    """A file of messages, appended to, in whole lines. Any thread writes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._lock = threading.Lock()

    def received(self, message: str) -> None:
        self._write("<", message)

    def sent(self, message: str) -> None:
        self._write(">", message)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _write(self, arrow: str, message: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            if not self._file.closed:
                self._file.write(f"{now} {arrow} {masked(message)}\n")
                self._file.flush()
