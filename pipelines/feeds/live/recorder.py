"""Frames written down as they came, byte for byte: a file a connection, which the recorded source replays.

gzip, lines `<receive time, ns> <frame>`; a frame with a line break in it is `<receive time, ns> @<base64>`.
"""

import base64
import gzip
from pathlib import Path

FLUSH_FRAMES = 1000


class Recorder:
    """Writes one session's frames to `<folder>/<session>.jsonl.gz`; what was flushed can be read after a kill."""

    def __init__(self, folder: Path, session: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{session}.jsonl.gz"
        self._file = gzip.GzipFile(self.path, "wb", compresslevel=4)
        self._since = 0

    def take(self, receive_ns: int, frame: bytes) -> None:
        plain = b"\n" not in frame and b"\r" not in frame and not frame.startswith(b"@") and frame
        self._file.write(b"%d %b\n" % (receive_ns, frame if plain else b"@" + base64.b64encode(frame)))
        self._since += 1
        if self._since >= FLUSH_FRAMES:
            self._file.flush()
            self._since = 0

    def close(self) -> None:
        self._file.close()


def written(text: bytes) -> bytes:
    """The frame of a line as `Recorder` writes it. ValueError for base64 that is none."""
    return base64.b64decode(text[1:], validate=True) if text.startswith(b"@") else text
