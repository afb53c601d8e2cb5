"""What is wrong with a frame, in one line: the field, its value, what was expected, and where it is."""

import re
from typing import Any, cast

_BYTE = re.compile(r"\(byte (\d+)\)")


def byte_of(error: Exception) -> int:
    """Where in a frame an error of reading it is; 0 where it does not say."""
    if isinstance(error, UnicodeDecodeError):
        return error.start
    found = _BYTE.search(str(error))
    return int(found[1]) if found else 0


def offset_of(frame: bytes, field: str) -> int:
    """Where a field begins in a frame; 0 where it does not have it."""
    return max(frame.find(b'"' + field.encode() + b'"'), 0) if field else 0


_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def misfit(document: Any, message: str) -> tuple[str, str]:
    """`Expected `str`, got `int` - at `$.data.b`` as field b, and `b: 5: expected `str`, got `int``."""
    problem, _, path = message.partition(" - at `$")
    problem = problem[:1].lower() + problem[1:]
    path = path.rstrip("`")
    value = document
    for name, place in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(place)]
        except (LookupError, TypeError):
            return "", problem
    if not path or problem.startswith("object missing"):
        return "", problem
    field = path.removeprefix(".").removeprefix("data.")
    return field.partition("[")[0], f"{field}: {shown(value)}: {problem}"


def shown(value: object) -> str:
    """A value of a frame, short enough for a line."""
    huge = isinstance(value, int) and value.bit_length() > 128
    text = f"an integer of {cast(int, value).bit_length()} bits" if huge else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
