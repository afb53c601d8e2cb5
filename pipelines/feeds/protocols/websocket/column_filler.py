"""Messages of one type, as msgspec reads them, into the columns of a batch: a column at a time."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pipelines.domain.level_book import CHANGE
from pipelines.feeds.protocols.decimals import LARGEST
from pipelines.feeds.protocols.websocket.fields import (
    WHOLE_COLUMNS,
    Column,
    Columns,
    Field,
    Items,
    List,
    Op,
    Plan,
    Reads,
)
from pipelines.feeds.protocols.websocket.text_columns import read_numbers, read_times

_TIMES = (Op.ISO_TIME, Op.SECONDS, Op.MICROSECONDS)
_EXPECTED = {
    Op.ISO_TIME: "a time such as 2021-04-17T16:43:30.244075Z",
    Op.SECONDS: "a time in seconds",
    Op.MICROSECONDS: "a time in microseconds",
    Op.DECIMAL: f"a decimal of at most {LARGEST:.0e}",
}


@dataclass(slots=True)
class Group:
    """The messages of a type in a batch, and the positions of their frames. `symbols`: of each, where its items name
    it."""

    messages: list[Struct]
    positions: list[int]
    sorted: bool = True
    places: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    """The positions as an array, once they are settled."""
    symbols: list[str] | None = None

    def settle(self) -> None:
        """All messages are here: those that were read later are put where they belong."""
        if not self.sorted:
            both = sorted(zip(self.positions, self.messages, strict=True), key=lambda pair: pair[0])
            self.positions, self.messages = [at for at, _ in both], [message for _, message in both]
        self.places = np.array(self.positions, np.int64)


@dataclass(frozen=True, slots=True)
class Misread:
    """A value that msgspec lets pass and that is still not what it should be."""

    position: int
    field: str
    value: object
    expected: str


class Filler:
    """The columns of a batch, filled type by type."""

    def __init__(self, frames: int) -> None:
        self.columns = Columns(np.full((frames, WHOLE_COLUMNS), -1, np.int64), np.zeros((frames, 4)))
        self.columns.whole[:, [Column.EVENT, Column.BUYER, Column.DEPTH, Column.ITEMS, Column.ITEMS_END]] = 0
        self._items: list[Items] = []
        self._count = 0

    def fill(self, shape: int, plan: Plan, group: Group) -> Iterator[Misread]:
        """Take a group in. What could not be read, by message: its row is not to be used."""
        whole, number = self.columns
        whole[group.places, Column.SHAPE] = shape
        decimals = [field for field in plan.fields if field.reads.op is Op.DECIMAL]
        if decimals:
            yield from self._fill_decimals(decimals, group, number)
        for field in plan.fields:
            if field.reads.op in (Op.DECIMAL, Op.SYMBOL):
                continue
            values = list(map(field.get, group.messages))
            read = _read(values, field.reads)
            whole[group.places, field.reads.column] = read
            for place in _wrong(read, field.reads):
                yield Misread(group.positions[place], field.name, values[place], _EXPECTED[field.reads.op])
        if plan.lists:
            yield from self._fill_items(plan.lists, group)

    def items(self) -> Items:
        """What the lists of all groups hold."""
        if not self._items:
            return Items(np.zeros(0, CHANGE), np.zeros(0, np.int64), np.zeros(0, np.int64))
        if len(self._items) == 1:
            return self._items[0]
        return Items(*(np.concatenate(column) for column in zip(*self._items, strict=True)))

    def _fill_decimals(self, fields: Sequence[Field], group: Group, number: NDArray[np.float64]) -> Iterator[Misread]:
        texts = _plain(list(chain.from_iterable(map(field.get, group.messages) for field in fields)))
        values, _ = read_numbers(texts)
        table = values.reshape(len(fields), -1)
        for field, column in zip(fields, table, strict=True):
            number[group.places, field.reads.column - Column.BID] = column
        bad = np.isnan(table)
        for place in np.flatnonzero(bad.any(axis=0)).tolist():
            which = int(np.argmax(bad[:, place]))
            text = texts[which * len(group.messages) + place]
            yield Misread(group.positions[place], fields[which].name, text, _EXPECTED[Op.DECIMAL])

    def _fill_items(self, lists: Sequence[List], group: Group) -> Iterator[Misread]:
        """The items of the lists of each message, list by list within it."""
        held = [list(map(each.get, group.messages)) for each in lists]
        sizes = np.array([[len(items) for items in of_one] for of_one in held], np.int64)
        count = int(sizes.sum())
        flat = list(chain.from_iterable(chain.from_iterable(zip(*held, strict=True))))
        ends = self._count + np.cumsum(sizes.sum(axis=0))
        whole = self.columns.whole
        whole[group.places, Column.ITEMS] = ends - sizes.sum(axis=0)
        whole[group.places, Column.ITEMS_END] = ends
        made = Items(np.zeros(count, CHANGE), np.zeros(count, np.int64), np.full(count, -1, np.int64))
        made.changes["side"] = np.repeat(np.tile([each.side for each in lists], len(group.messages)), sizes.T.ravel())
        width = lists[0].width
        source: list[Any] = list(chain.from_iterable(flat)) if width else flat
        wrong: dict[int, tuple[str, object, str]] = {}
        for field in lists[0].fields:
            values = field.get(source)
            if field.reads.op is Op.SYMBOL:
                group.symbols = []
                for names, first in _cut(values, sizes.sum(axis=0).tolist()):
                    group.symbols.append(names[0] if names else "")
                    if names.count(group.symbols[-1]) != len(names):
                        wrong[first] = (field.name, names, "one instrument in a message")
                continue
            for place, expected in _fill_item(made, field.reads, values):
                wrong.setdefault(place, (field.name, values[place], expected))
        if any(field.reads.column == Column.ITEM_TIME for field in lists[0].fields):
            self._latest(made, sizes.sum(axis=0), group)
        owners = np.repeat(np.arange(sizes.size), sizes.T.ravel())
        told: set[int] = set()
        for place, (name, value, expected) in sorted(wrong.items()):
            at, which = divmod(int(owners[place]), len(lists))
            if at not in told:
                told.add(at)
                inside = place - int(np.searchsorted(owners, owners[place]))
                yield Misread(group.positions[at], f"{lists[which].name}[{inside}]{name}", value, expected)
        self._items.append(made)
        self._count += count

    def _latest(self, made: Items, sizes: NDArray[np.int64], group: Group) -> None:
        """A message whose items tell times is of the latest of them."""
        present = np.flatnonzero(sizes)
        if len(present):
            starts = (np.cumsum(sizes) - sizes)[present]
            event = self.columns.whole[:, Column.EVENT]
            positions = group.places[present]
            event[positions] = np.maximum(event[positions], np.maximum.reduceat(made.times, starts))


def _plain(values: Sequence[Any]) -> Sequence[str]:
    """Decimals as text; those that were JSON numbers with all their zeros, and no exponent."""
    return values if not values or isinstance(values[0], str) else [f"{value:f}" for value in values]


def _cut(values: list[Any], sizes: Sequence[int]) -> Iterator[tuple[list[Any], int]]:
    """The values of each message, and the place of its first."""
    first = 0
    for size in sizes:
        yield values[first : first + size], first
        first += size


def _read(values: list[Any], reads: Reads) -> NDArray[np.int64]:
    if reads.op in _TIMES:
        return read_times(values, reads.op)
    if reads.op is Op.CHOICE:
        return np.array([value == reads.one for value in values], np.int64)
    if values and isinstance(values[0], str):
        values = [int(value[len(reads.strip[0]) :]) for value in values]
    read = np.array(values, np.int64)
    return read * 1_000_000 if reads.op is Op.MILLISECONDS else read


def _wrong(read: NDArray[np.int64], reads: Reads) -> list[int]:
    if reads.op not in _TIMES:
        return []
    places: list[int] = np.flatnonzero(read < 0).tolist()
    return places


def _fill_item(made: Items, reads: Reads, values: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Fill a column of items. The places of what could not be read, and what was expected."""
    if reads.op is Op.DECIMAL:
        numbers, digits = read_numbers(_plain(values))
        name = "price" if reads.column == Column.ITEM_PRICE else "size"
        made.changes[name] = numbers
        made.changes[f"{name}_digits"] = digits
        for place in np.flatnonzero(~(numbers >= 0.0)).tolist():
            below = numbers[place] < 0.0
            yield place, "a decimal of 0 or more" if below else _EXPECTED[Op.DECIMAL]
        return
    read = _read(list(values), reads)
    if reads.column == Column.ITEM_SIDE:
        made.changes["side"] = read
    elif reads.column == Column.ITEM_TIME:
        made.times[:] = read
    else:
        made.ids[:] = read
    for place in _wrong(read, reads):
        yield place, _EXPECTED[reads.op]
