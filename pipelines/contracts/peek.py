"""The leading fields of a framed Avro value, read without the rest: how a long log is searched for one record.

An Avro text is its length as a zigzag varint and its bytes, a long is the varint (Avro 1.11, "Binary encoding").
"""

from pipelines.contracts.wire import HEAD_BYTES


def long_at(data: bytes, at: int) -> tuple[int, int]:
    """A long and where it ends. Raises IndexError where the bytes end first."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def text_at(data: bytes, at: int) -> tuple[bytes, int]:
    """A text's UTF-8 and where it ends. Raises IndexError where the bytes end first."""
    size, at = long_at(data, at)
    if size < 0 or at + size > len(data):
        raise IndexError(f"a text of {size} bytes at byte {at} of {len(data)}")
    return data[at : at + size], at + size


def leading_texts(value: bytes | None, count: int) -> tuple[bytes, ...]:
    """The first fields of a record, which are texts; empty where they cannot be read."""
    found, at = [], HEAD_BYTES
    try:
        for _ in range(count):
            text, at = text_at(value or b"", at)
            found.append(text)
    except IndexError:
        return ()
    return tuple(found)


def spread_place(value: bytes | None) -> tuple[bytes, int, bytes]:
    """Kind, sequence and pair of a SpreadEvent; ("", -1, "") where they cannot be read."""
    data = value or b""
    try:
        kind, at = text_at(data, HEAD_BYTES)
        _, at = long_at(data, at)
        sequence, at = long_at(data, at)
        pair, _ = text_at(data, at)
    except IndexError:
        return b"", -1, b""
    return kind, sequence, pair


def samples_place(value: bytes | None) -> int:
    """The sequence of SpreadSamples; -1 where it cannot be read."""
    data = value or b""
    try:
        _, at = long_at(data, HEAD_BYTES)
        return long_at(data, at)[0]
    except IndexError:
        return -1
