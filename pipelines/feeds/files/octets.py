"""The bytes of a file, plain, gzip or zstd, in chunks: all that can be had of one that is cut off."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from pipelines.feeds.files.frame_file import BrokenFile

CHUNK_BYTES = 1 << 20

PACKED_BYTES = 1 << 14
"""Packed bytes taken at once: what is packed in the last ones before damage is lost."""

MOST_AT_ONCE = 1 << 24
"""Bytes of one record; a length above it is none."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def read_octets(path: Path) -> Iterator[bytes]:
    """Chunks of a file, uncompressed. BrokenFile, after all before it, where a packed file is damaged or cut off."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith(_GZIP):
            yield from _unpacked(path, file, "gzip", _GZIP, lambda: zlib.decompressobj(wbits=31))
        elif head == _ZSTD:
            yield from _unpacked(path, file, "zstd", _ZSTD, zstandard.ZstdDecompressor().decompressobj)
        else:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def _unpacked(path: Path, file: BinaryIO, name: str, magic: bytes, opened: Callable[[], Any]) -> Iterator[bytes]:
    """What is packed, stream after stream where there are several; what follows the last one is no part of it."""
    done, stream, chunk = 0, opened(), file.read(PACKED_BYTES)
    while chunk:
        try:
            made = stream.decompress(chunk)
        except (zlib.error, zstandard.ZstdError) as error:
            raise BrokenFile(path, "byte", done, f"the {name} file is damaged: {error}") from error
        done += len(made)
        if made:
            yield made
        chunk = b""
        if stream.eof:
            chunk = stream.unused_data
            chunk += file.read(PACKED_BYTES - len(chunk)) if len(chunk) < PACKED_BYTES else b""
            if not chunk.startswith(magic):
                return
            stream = opened()
        chunk = chunk or file.read(PACKED_BYTES)
    raise BrokenFile(path, "byte", done, f"the {name} file is cut off here")


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
