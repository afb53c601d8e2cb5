"""The messages of a FIX log: found in whatever stands around them, each with its line, each held against its checksum.

simplefix takes apart what has data fields, by their length, and is asked for no more: it raises at text between
messages, knows no delimiter but SOH, no positions, and checks neither BodyLength nor CheckSum.
"""

import gzip
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from simplefix import FixParser
from simplefix.data import RAW_LEN_TAGS
from simplefix.errors import ParsingError

MAX_MESSAGE = 1 << 20
"""No message is longer: a log without an end of one is not read into memory."""

_BLOCK = 1 << 18
_SOH = b"\x01"
_DATA_LENGTHS = frozenset(str(tag).encode() for tag in RAW_LEN_TAGS)
_DELIMITERS = (_SOH, b"|", b"^A", b"\\x01", b"\\u0001", b"\\001", b"<SOH>", b"[SOH]", b"\xe2\x90\x81", b";")
_BREAK = rb"[\r\n]*"
_START = re.compile(rb"(?<![0-9])" + _BREAK.join((b"8", b"=", b"F", b"I", b"X")))
_HERE = re.compile(_BREAK.join((b"8", b"=", b"F", b"I", b"X")))
_VERSION = re.compile(
    rb"8=(FIXT?\.\d\.\d(?:SP\d)?)(" + b"|".join(re.escape(each) for each in _DELIMITERS) + rb")(?=\d)"
)
_LENGTHS = {mark: re.compile(rb"9=(\d{1,7})" + re.escape(mark)) for mark in _DELIMITERS}
_CHECK = re.compile(rb"10=(\d{3})(?!\d)")
_END = re.compile(rb"\x0110=(\d{3})(?!\d)\x01?")
_CUT = re.compile(rb"\x0110=(\d*)")


class FixLogError(RuntimeError):
    """Why a log cannot be read, and the way out."""


class FixMessage(NamedTuple):
    """A message of a log. `fields` in the order that they came, the first of each tag; `garbled` says what is amiss."""

    line: int
    """Of its first byte, from 1."""
    version: str
    fields: dict[int, str]
    garbled: str = ""


@contextmanager
def open_log(name: str) -> Iterator[BinaryIO]:
    """A log's bytes: of a file, plain or gzip, or of standard input (`-`)."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError) as error:
        raise FixLogError(f"{name}: its gzip is broken ({error}): unpack what is left of it with zcat") from error
    except OSError as error:
        raise FixLogError(f"{name}: {error.strerror}: give the path of a FIX log, or - for standard input") from error


def read_log(source: BinaryIO) -> Iterator[FixMessage]:
    """Every message of a log, garbled ones too. A message is told of as soon as it is whole."""
    window, line, ended = b"", 1, False
    while True:
        at = 0
        for found, end in _messages(window, ended):
            line += window.count(b"\n", at, found.line)
            yield found._replace(line=line)
            line += window.count(b"\n", found.line, end)
            at = end
        if ended:
            return
        kept = _undecided(window, at)
        line += window.count(b"\n", at, kept)
        block = source.read1(_BLOCK) if isinstance(source, io.BufferedReader) else source.read(_BLOCK)
        window, ended = window[kept:] + block, not block


def _undecided(window: bytes, at: int) -> int:
    """Where the message begins that is not whole yet; else all but what may be a first field cut in two."""
    start = _begin(window, at)
    return start if start is not None else max(at, len(window) - 16)


def _begin(window: bytes, at: int) -> int | None:
    """Where the next message begins: at `at` itself, right behind another, or where a first field stands alone."""
    if _HERE.match(window, at):
        return at
    found = _START.search(window, at)
    return None if found is None else found.start()


def _messages(window: bytes, ended: bool) -> Iterator[tuple[FixMessage, int]]:
    """Messages of a window, with where they begin for their line, and where each ends."""
    at = 0
    while (start := _begin(window, at)) is not None:
        whole = _whole(window, start)
        if whole is not None:
            message, length = whole
            at = start + length
            yield message._replace(line=start), at
            continue
        after = _START.search(window, start + 5)
        if after is None and not ended and len(window) - start < MAX_MESSAGE:
            return
        at = after.start() if after is not None else len(window)
        garbled = _garbled(window[start:at])
        if garbled is not None:
            yield garbled._replace(line=start), at


def _whole(window: bytes, start: int) -> tuple[FixMessage, int] | None:
    """The message that begins there and its length, if its BodyLength and CheckSum are right.

    As it stands, or with line breaks taken out, which a log may have put anywhere. A checksum may be of the
    delimiters as they stand.
    """
    return _checked(window, start, flat=False) or _checked(window, start, flat=True)


def _checked(window: bytes, start: int, flat: bool) -> tuple[FixMessage, int] | None:
    head = _text(window, start, 64, flat)
    begun = _VERSION.match(head)
    length = _LENGTHS[begun[2]].match(head, begun.end()) if begun is not None else None
    if begun is None or length is None or int(length[1]) > MAX_MESSAGE:
        return None
    mark, body = begun[2], int(length[1])
    raw = _text(window, start, 128 + body * max(len(mark), 3), flat)
    end = _body_end(raw, length.end(), body, mark)
    check = _CHECK.match(raw, end) if end is not None else None
    if end is None or check is None:
        return None
    message = raw[:end].replace(mark, _SOH)
    if int(check[1]) not in (sum(message) % 256, sum(raw[:end]) % 256):
        return None
    close = check.end() + (len(mark) if raw.startswith(mark, check.end()) else 0)
    parsed = _parsed(message + b"10=" + check[1] + _SOH, begun[1].decode())
    return parsed, _stretched(window[start : start + 2 * len(raw)], close) if flat else close


def _text(window: bytes, start: int, size: int, flat: bool) -> bytes:
    """So many bytes of a window from `start` on, or twice as many with the line breaks taken out of them."""
    return window[start : start + 2 * size].translate(None, b"\r\n") if flat else window[start : start + size]


def _body_end(raw: bytes, at: int, body: int, mark: bytes) -> int | None:
    """Where a body of so many bytes ends, each delimiter counted as one."""
    if len(mark) == 1:
        return at + body if raw[at + body - 1 : at + body] == mark else None
    pieces = raw[at : at + body * len(mark)].split(mark)
    left, end = body, at
    for piece in pieces:
        left -= len(piece) + 1
        end += len(piece) + len(mark)
        if left <= 0:
            return end if not left else None
    return None


def _stretched(text: bytes, length: int) -> int:
    """How long the first `length` bytes are with the line breaks among them."""
    end = 0
    for piece in re.finditer(rb"[^\r\n]+", text):
        size = piece.end() - piece.start()
        if size >= length:
            return piece.start() + length
        length -= size
        end = piece.end()
    return end


def _garbled(text: bytes) -> FixMessage | None:
    """A message that is not right, with what is amiss; None where a text only looks like the start of one."""
    flat = text[:MAX_MESSAGE].translate(None, b"\r\n")
    begun = _VERSION.match(flat)
    if begun is None:
        return None
    version = begun[1].decode()
    line_end = re.search(rb"[\r\n]", text)
    flat = flat.replace(begun[2], _SOH)
    end = _END.search(flat)
    if end is None:
        cut = _CUT.search(flat)
        shown = text[: line_end.start()] if line_end else text
        why = f"CheckSum (10) '{cut[1].decode()}' is not of three digits" if cut else "cut off: no CheckSum (10)"
        return _parsed(shown.replace(begun[2], _SOH), version, why)
    message = flat[: end.start() + 1]
    length = _LENGTHS[_SOH].match(message, len(version) + 3)
    if length is None:
        why = "BodyLength (9) is not the second field, or not a number"
    elif int(length[1]) != len(message) - length.end():
        why = f"BodyLength (9) {int(length[1])}, found {len(message) - length.end()} bytes"
    else:
        why = f"CheckSum (10) {end[1].decode()}, computed {sum(message) % 256:03d}"
    return _parsed(message, version, why)


def _parsed(message: bytes, version: str, garbled: str = "") -> FixMessage:
    fields: dict[int, str] = {}
    wrong = ""
    for tag, value in _pairs(message):
        if not tag.isdigit() or len(tag) > 9:
            wrong = wrong or f"tag {tag.decode('utf-8', 'replace')[:20]!r} is not a number"
        elif not value:
            wrong = wrong or f"tag {int(tag)} has no value"
        else:
            fields.setdefault(int(tag), value.decode("utf-8", "replace"))
    if not wrong and list(fields)[1:3] != [9, 35]:
        wrong = "BodyLength (9) and MsgType (35) are not the second and third fields"
    return FixMessage(0, version, fields, garbled or wrong)


def _pairs(message: bytes) -> list[tuple[bytes, bytes]]:
    """Tags and values. Without data fields a split will do, at ten times the speed."""
    parts = [part.partition(b"=") for part in message.split(_SOH) if part]
    if not any(tag in _DATA_LENGTHS for tag, _, _ in parts):
        return [(tag, value) for tag, _, value in parts]
    parser = FixParser(stop_tag=-1, allow_empty_values=True)
    parser.append_buffer(message)
    try:
        parser.get_message()
    except ParsingError as error:
        return [*((str(tag).encode(), value) for tag, value in parser.pairs), (str(error).encode(), b"")]
    return [(str(tag).encode(), value) for tag, value in parser.pairs]
