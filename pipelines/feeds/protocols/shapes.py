"""Message types made into shapes: the very text in which a venue writes a type, as steps for the reading kernel."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pipelines.feeds.protocols.decimals import LARGEST, read_decimal
from pipelines.feeds.protocols.fields import Column, Op, Reads

MOST_SECONDS = 9_000_000_000
"""Until the year 2255: beyond it, nanoseconds do not fit in 64 bits."""

_PLAIN = re.compile(r"[ !#-\[\]-~]+")
_ITEMS = (Column.ITEM_PRICE, Column.ITEM_SIZE)


class Program(NamedTuple):
    """Shapes for the kernel. `steps`, shape (n, 6): op, column, and four numbers that hang on the op; `shapes`, shape
    (m, 2): the first step of each, and the one after its last; `literals`: their characters."""

    steps: NDArray[np.int64]
    shapes: NDArray[np.int64]
    literals: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Misread:
    """A value that a type does not allow, and what it does."""

    field: str
    value: object
    expected: str


def program(types: Sequence[type[Struct]]) -> Program:
    """The shapes of types, in their order."""
    writer = _Writer()
    bounds = []
    for each in types:
        first = len(writer.steps)
        writer.write(each)
        writer.flush()
        bounds.append((first, len(writer.steps)))
    literals = np.frombuffer(bytes(writer.literals), np.uint8)
    return Program(np.array(writer.steps, np.int64), np.array(bounds, np.int64), literals)


class _Writer:
    """Writes steps; literals that meet become one."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, int, int, int]] = []
        self.literals = bytearray()
        self._text = ""

    def flush(self) -> None:
        if self._text:
            place, size = self._kept(self._text)
            self._text = ""
            self.steps.append((Op.LITERAL, Column.NOWHERE, place, size, 0, 0))

    def write(self, kind: Any) -> None:
        base, reads = _described(kind)
        if isinstance(base, type) and issubclass(base, Struct):
            self._struct(base)
        elif get_origin(base) is list:
            self._list(get_args(base)[0], reads.side if reads else 0)
        elif get_origin(base) is tuple:
            self._sequence("[", [("", part) for part in get_args(base)], "]")
        elif get_origin(base) is Literal:
            self._text += msgspec.json.encode(get_args(base)[0]).decode()
        else:
            assert reads is not None, f"{kind}: a field that does not say how it is read"
            self._field(base, reads)

    def _struct(self, struct: type[Struct]) -> None:
        hints = get_type_hints(struct, include_extras=True)
        kinds = [hints[name] for name in struct.__struct_fields__]
        if struct.__struct_config__.array_like:
            self._sequence("[", [("", kind) for kind in kinds], "]")
        else:
            names = [f'"{name}":' for name in struct.__struct_encode_fields__]
            self._sequence("{", list(zip(names, kinds, strict=True)), "}")

    def _sequence(self, opens: str, parts: Sequence[tuple[str, Any]], closes: str) -> None:
        self._text += opens
        for place, (name, kind) in enumerate(parts):
            self._text += ("," if place else "") + name
            self.write(kind)
        self._text += closes

    def _list(self, item: Any, side: int) -> None:
        self._text += "["
        self.flush()
        start = len(self.steps)
        self.steps.append((Op.LIST, Column.NOWHERE, side, 0, 0, 0))
        self.write(item)
        self.flush()
        self.steps.append((Op.LIST_END, Column.NOWHERE, start + 1, side, 0, 0))
        self.steps[start] = (Op.LIST, Column.NOWHERE, side, len(self.steps), 0, 0)

    def _field(self, base: Any, reads: Reads) -> None:
        quote = '"' if base is str else ""
        self._text += quote + reads.before
        self.flush()
        numbers = [int(reads.upper), 0, 0, 0]
        if reads.op is Op.WORD:
            numbers = [*self._kept(reads.words[0]), *self._kept(reads.words[1])]
        self.steps.append((reads.op, reads.column, *numbers))  # type: ignore[arg-type]
        for tail in reads.tail:
            self.steps.append((Op.OPTIONAL, Column.NOWHERE, *self._kept(tail), 0, 0))
        self._text += quote

    def _kept(self, text: str) -> tuple[int, int]:
        place = len(self.literals)
        self.literals += text.encode()
        return place, len(text)


def _described(kind: Any) -> tuple[Any, Reads | None]:
    if get_origin(kind) is not Annotated:
        return kind, None
    base, *notes = get_args(kind)
    return base, next((note for note in notes if isinstance(note, Reads)), None)


def misread(value: Any, kind: Any, field: str = "") -> Misread | None:
    """The first value in a message, which msgspec has taken as its type, that is not what the type's words say. Text
    that is passed over is emptied on the way."""
    base, reads = _described(kind)
    if isinstance(value, Struct):
        hints = get_type_hints(type(value), include_extras=True)
        for name, written in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            part, part_reads = _described(hints[name])
            if part_reads is not None and part_reads.op is Op.TEXT and not part_reads.before and part is str:
                setattr(value, name, "")
                continue
            found = misread(getattr(value, name), hints[name], written)
            if found is not None:
                return found
        return None
    if isinstance(value, list | tuple):
        parts = get_args(base)
        kinds = parts if get_origin(base) is tuple else parts * len(value)
        found_in = (
            misread(each, part, f"{field}[{i}]") for i, (each, part) in enumerate(zip(value, kinds, strict=True))
        )
        return next((found for found in found_in if found is not None), None)
    expected = _wrong(value, reads) if reads is not None else ""
    return Misread(field, value, expected) if expected else None


def _wrong(value: Any, reads: Reads) -> str:
    """What was expected of a field where its value is something else; empty where it is that."""
    match reads.op:
        case Op.DECIMAL:
            number = read_decimal(str(value))
            if not number <= LARGEST:
                return f"a decimal of at most {LARGEST:.0e}"
            return "a decimal of 0 or more" if number < 0 and reads.column in _ITEMS else ""
        case Op.SYMBOL | Op.TEXT:
            return "" if _PLAIN.fullmatch(str(value)) or value == "" else "plain letters, digits and signs"
        case Op.WORD if isinstance(value, str | int) and not isinstance(value, bool):
            return "" if str(value) in reads.words else " or ".join(reads.words)
        case Op.SECONDS:
            return "" if Decimal(value) <= MOST_SECONDS else f"at most {MOST_SECONDS} seconds"
        case Op.MICROSECONDS:
            return "" if int(value) <= MOST_SECONDS * 1_000_000 else f"at most {MOST_SECONDS} seconds"
        case Op.ISO_TIME:
            try:
                year = datetime.fromisoformat(value[:19]).year
            except ValueError as error:
                return f"a time ({error})"
            return "" if 1970 <= year <= 2250 else "a time of the years 1970 to 2250"
    return ""
