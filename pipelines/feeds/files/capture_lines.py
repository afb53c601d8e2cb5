"""Lines of a text file, plain, gzip or zstd, with their numbers: all that can be had of one that is cut off."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from pipelines.feeds.files.frame_file import BrokenFile

CHUNK_BYTES = 1 << 18

LONGEST_LINE = 1 << 26
"""Bytes without a line break that are no line."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line, without its end. BrokenFile, after all before it, where a compressed file
    is damaged or cut off; a half line there is not given."""
    number, rest = 0, b""
    try:
        for chunk in _chunks(path):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                number += 1
                yield number, line.rstrip(b"\r")
            if len(rest) > LONGEST_LINE:
                raise BrokenFile(path, "line", number + 1, f"no line break in {LONGEST_LINE} bytes")
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BrokenFile(path, "line", number, f"after it the file is damaged or cut off: {error}") from error
    if rest:
        yield number + 1, rest.rstrip(b"\r")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        chunk = file.read(CHUNK_BYTES)
        if chunk.startswith(_GZIP):
            yield from _inflated(file, chunk, lambda: zlib.decompressobj(wbits=31))
        elif chunk.startswith(_ZSTD):
            yield from _inflated(file, chunk, lambda: zstandard.ZstdDecompressor().decompressobj())
        else:
            while chunk:
                yield chunk
                chunk = file.read(CHUNK_BYTES)


def _inflated(file: BinaryIO, chunk: bytes, stream: Callable[[], Any]) -> Iterator[bytes]:
    """Of a file of one compressed stream or several, one after the other."""
    while chunk:
        inflating = stream()
        while not inflating.eof:
            if not chunk:
                raise EOFError("it ends in the midst of its compressed data")
            yield inflating.decompress(chunk)
            chunk = b"" if inflating.eof else file.read(CHUNK_BYTES)
        chunk = inflating.unused_data or file.read(CHUNK_BYTES)
