"""The bytes of a file, plain or gzip, in chunks: all that can be had of one that is cut off."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.feeds.files.frame_file import BrokenFile

CHUNK_BYTES = 1 << 20

MOST_AT_ONCE = 1 << 24
"""Bytes of one record; a length above it is none."""

_GZIP = b"\x1f\x8b"


def read_octets(path: Path) -> Iterator[bytes]:
    """Chunks of a file, uncompressed. BrokenFile, after all before it, where a gzip file is damaged or cut off."""
    with path.open("rb") as file:
        chunk = file.read(CHUNK_BYTES)
        if not chunk.startswith(_GZIP):
            while chunk:
                yield chunk
                chunk = file.read(CHUNK_BYTES)
            return
        done, stream = 0, zlib.decompressobj(wbits=31)
        while True:
            try:
                made = stream.decompress(chunk, CHUNK_BYTES)
            except zlib.error as error:
                raise BrokenFile(path, "byte", done, f"the gzip file is damaged: {error}") from error
            done += len(made)
            if made:
                yield made
            if stream.eof:
                chunk = stream.unused_data or file.read(CHUNK_BYTES)
                if not chunk.startswith(_GZIP[: len(chunk)]) or not chunk:
                    return
                stream = zlib.decompressobj(wbits=31)
                continue
            chunk = stream.unconsumed_tail or file.read(CHUNK_BYTES)
            if not chunk and not made:
                raise BrokenFile(path, "byte", done, "the gzip file is cut off here")


class OctetStream:
    """Bytes of a file in the amounts asked for. `place`: how many were read; `began`: before the last reading.
    `chunks`: where it is to take them from, if not from the file."""

    def __init__(self, path: Path, chunks: Iterator[bytes] | None = None) -> None:
        self._path = path
        self._chunks = chunks or read_octets(path)
        self._data = b""
        self._at = self.place = self.began = 0

    def read(self, size: int) -> bytes:
        """As many bytes; none at the file's end. BrokenFile where it ends in the midst of them, or they are too many to
        be meant."""
        if not 0 <= size <= MOST_AT_ONCE:
            raise BrokenFile(self._path, "byte", self.place, f"a record of {size} bytes: what is here is no length")
        while len(self._data) - self._at < size and (chunk := next(self._chunks, b"")):
            self._data, self._at = self._data[self._at :] + chunk, 0
        found = self._data[self._at : self._at + size]
        if found and len(found) < size:
            raise BrokenFile(
                self._path, "byte", self.place, f"the file is cut off: {len(found)} of {size} bytes are there"
            )
        self.began, self.place, self._at = self.place, self.place + len(found), self._at + len(found)
        return found
