"""Every message of a FIX session, a line each, without its secrets: `helios orders replay` reads it.

`2026-11-29T15:45:17.851Z < 8=FIX.4.4|9=...|` was received, `>` sent.
"""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

SECRET_TAGS = ("96", "554", "925", "1402", "1404")
"""RawData, Password, NewPassword, EncryptedPassword, EncryptedNewPassword."""

MASK = b"***"
_SECRET = re.compile(
    rb"(?:(?<=\x01)|^)(?:(?P<of>95|1401|1403)=(?P<length>\d{1,7})\x01)?(?P<tag>"
    + "|".join(SECRET_TAGS).encode()
    + rb")="
)
_LENGTH = re.compile(rb"(?<=\x019=)\d+")
_CHECK = re.compile(rb"(?<=\x0110=)\d{3}(?=\x01$)")
_TRAILER = len(b"10=000\x01")


def masked(message: str) -> str:
    """A message as text, `***` for each of its secrets, its lengths and checksum as of that: it can be read again."""
    sent = message.encode("utf-8", "surrogateescape")
    shown = _masked(sent)
    if shown != sent:
        shown = _fitted(shown, len(shown) - len(sent), sent)
    return shown.decode("utf-8", "surrogateescape").replace("\x01", "|")


def _masked(message: bytes) -> bytes:
    """A data field is as long as the field before it says: SOH may be in it."""
    shown, at = b"", 0
    while (found := _SECRET.search(message, at)) is not None:
        length = b"%s=%d\x01" % (found["of"], len(MASK)) if found["of"] else b""
        shown += message[at : found.start()] + length + found["tag"] + b"=" + MASK
        end = message.find(b"\x01", found.end() + int(found["length"] or 0))
        at = end if end >= 0 else len(message)
    return shown + message[at:]


def _fitted(shown: bytes, longer: int, sent: bytes) -> bytes:
    """BodyLength and CheckSum moved by what the masks have changed: one that was wrong stays wrong."""
    shown = _LENGTH.sub(lambda length: b"%d" % (int(length[0]) + longer), shown, count=1)
    moved = sum(shown[:-_TRAILER]) - sum(sent[:-_TRAILER])
    return _CHECK.sub(lambda check: b"%03d" % ((int(check[0]) + moved) % 256), shown)


class MessageLog:
    """A file of messages, appended to, in whole lines. Any thread writes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a", encoding="utf-8", errors="surrogateescape")
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
