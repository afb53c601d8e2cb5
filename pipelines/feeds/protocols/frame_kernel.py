# STOP: see NOTE_TO_WEBSOCKET_ENGINEER.md in this folder: no JSON parser of our own.
"""The kernel that reads frames by shapes: one pass over a batch's text, columns out; what fits no shape is left."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.level_book import Changes
from pipelines.feeds.protocols.decimals import LONGEST
from pipelines.feeds.protocols.fields import Column, Op
from pipelines.feeds.protocols.frame_numbers import (
    AGAIN,
    Text,
    is_plain,
    matches,
    read_decimal_at,
    read_digits,
    read_fraction,
    read_iso,
    read_whole,
)
from pipelines.feeds.protocols.shapes import MOST_SECONDS, Program

Ints = NDArray[np.int64]

WHOLE_COLUMNS = int(Column.NAME_END) + 1
NO_SHAPE = -1
LEAST_ITEM = 4
"""Characters of the shortest item of a list, and of what parts it from the next."""


class Columns(NamedTuple):
    """Messages by frame: `whole` by the columns of `Column` below BID, `number` by those from BID to ASK_SIZE."""

    whole: Ints
    number: NDArray[np.float64]


class Items(NamedTuple):
    """What lists hold, one after the other: levels or trades. `filled`, shape (2,): items, and patches."""

    changes: Changes
    times: Ints
    ids: Ints
    patches: Ints
    """Decimals beyond the kernel's exactness, to be read again, shape (n, 4): column, row, first and last place."""
    filled: Ints


class Names(NamedTuple):
    """Symbols known, by open addressing: hash (0 for none), number in the session, first and last place in `text`."""

    hashes: NDArray[np.uint64]
    ids: Ints
    spans: Ints
    text: Text


_EVENT, _SYMBOL, _SHAPE = int(Column.EVENT), int(Column.SYMBOL), int(Column.SHAPE)
_SEQUENCE, _FIRST, _PREVIOUS = int(Column.SEQUENCE), int(Column.FIRST), int(Column.PREVIOUS)
_BUYER, _CHECKSUM, _DEPTH = int(Column.BUYER), int(Column.CHECKSUM), int(Column.DEPTH)
_ITEMS, _ITEMS_END = int(Column.ITEMS), int(Column.ITEMS_END)
_NAME_AT, _NAME_END = int(Column.NAME_AT), int(Column.NAME_END)
_BID, _NOWHERE = int(Column.BID), int(Column.NOWHERE)
_ITEM_PRICE, _ITEM_SIZE, _ITEM_TIME = int(Column.ITEM_PRICE), int(Column.ITEM_SIZE), int(Column.ITEM_TIME)
_ITEM_ID, _ITEM_SIDE = int(Column.ITEM_ID), int(Column.ITEM_SIDE)
_OP_LITERAL, _OP_TEXT, _OP_NUMBER, _OP_DECIMAL = int(Op.LITERAL), int(Op.TEXT), int(Op.NUMBER), int(Op.DECIMAL)
_OP_WHOLE, _OP_SYMBOL, _OP_WORD = int(Op.WHOLE), int(Op.SYMBOL), int(Op.WORD)
_OP_MS, _OP_US, _OP_SECONDS, _OP_ISO = int(Op.MILLISECONDS), int(Op.MICROSECONDS), int(Op.SECONDS), int(Op.ISO_TIME)
_OP_LIST, _OP_LIST_END, _OP_OPTIONAL, _OP_NAME = int(Op.LIST), int(Op.LIST_END), int(Op.OPTIONAL), int(Op.NAME)
_MOST_MS = 9_000_000_000_000
_HASH_START = np.uint64(14695981039346656037)
_HASH_STEP = np.uint64(1099511628211)


@inlined
def _known(text: Text, at: int, size: int, upper: bool, names: Names) -> int:
    """The session's number of a symbol; -1 where it has none yet."""
    value = _HASH_START
    for j in range(at, at + size):
        character = text[j]
        if upper and 97 <= character <= 122:
            character -= np.uint8(32)
        value = (value ^ np.uint64(character)) * _HASH_STEP
    value |= np.uint64(1)
    mask = np.uint64(len(names.hashes) - 1)
    slot = (value >> np.uint64(8)) & mask
    while names.hashes[slot] != np.uint64(0):
        if names.hashes[slot] == value and names.spans[slot, 1] - names.spans[slot, 0] == size:
            same = True
            for j in range(size):
                character = text[at + j]
                if upper and 97 <= character <= 122:
                    character -= np.uint8(32)
                same &= character == names.text[names.spans[slot, 0] + j]
            if same:
                return int(names.ids[slot])
        slot = (slot + np.uint64(1)) & mask
    return -1


@inlined
def _patch(items: Items, column: int, row: int, first: int, last: int) -> None:
    """Note a decimal for Python to read."""
    count = items.filled[1]
    items.patches[count, 0] = column
    items.patches[count, 1] = row
    items.patches[count, 2] = first
    items.patches[count, 3] = last
    items.filled[1] = count + 1


@inlined
def _begin(whole: Ints, number: NDArray[np.float64], row: int, item: int) -> None:
    """A message of which nothing is read yet."""
    for column in range(WHOLE_COLUMNS):
        whole[row, column] = -1
    whole[row, _EVENT] = 0
    whole[row, _BUYER] = 0
    whole[row, _DEPTH] = 0
    whole[row, _ITEMS] = whole[row, _ITEMS_END] = item
    for column in range(4):
        number[row, column] = 0.0


@inlined
def _begin_item(items: Items, item: int, side: int) -> None:
    """An item of which nothing is read yet."""
    items.changes[item].side = side
    items.times[item] = 0
    items.ids[item] = -1


@compiled
def read_shape(
    text: Text, at: int, end: int, shape: int, row: int, program: Program, columns: Columns, items: Items, names: Names
) -> bool:
    """Read text as a shape, all of it; whether it is one. What it is not leaves no trace but in its own row."""
    steps, literals = program.steps, program.literals
    whole, number = columns.whole, columns.number
    step, last_step = program.shapes[shape, 0], program.shapes[shape, 1]
    item = items.filled[0]
    _begin(whole, number, row, item)
    while step < last_step:
        op, column, x, y = steps[step, 0], steps[step, 1], steps[step, 2], steps[step, 3]
        step += 1
        if op == _OP_LITERAL:
            if not matches(text, at, end, literals, x, y):
                return False
            at += y
        elif op == _OP_DECIMAL:
            start = at
            read, value, digits, at = read_decimal_at(text, at, end)
            if read == 0:
                return False
            if column >= _ITEM_PRICE:
                if text[start] == 45:
                    return False
                if column == _ITEM_PRICE:
                    items.changes[item].price = value
                    items.changes[item].price_digits = digits
                else:
                    items.changes[item].size = value
                    items.changes[item].size_digits = digits
                if read == AGAIN:
                    _patch(items, column, item, start, at)
            elif column != _NOWHERE:
                number[row, column - _BID] = value
                if read == AGAIN:
                    _patch(items, column, row, start, at)
        elif op == _OP_LIST:
            if at < end and text[at] == 93:
                at += 1
                step = y
            else:
                _begin_item(items, item, x)
        elif op == _OP_LIST_END:
            item += 1
            if at < end and text[at] == 44:
                at += 1
                step = x
                _begin_item(items, item, y)
            elif at < end and text[at] == 93:
                at += 1
            else:
                return False
        elif op == _OP_TEXT:
            while at < end and is_plain(text[at]):
                at += 1
        elif op == _OP_NAME:
            while at < end and is_plain(text[at]) and text[at] != 64:
                at += 1
        elif op == _OP_SYMBOL:
            start = at
            while at < end and is_plain(text[at]) and text[at] != 64:
                at += 1
            if at == start or at - start > LONGEST:
                return False
            if whole[row, _NAME_AT] >= 0:
                size = at - start
                if size != whole[row, _NAME_END] - whole[row, _NAME_AT]:
                    return False
                for j in range(size):
                    if text[start + j] != text[whole[row, _NAME_AT] + j]:
                        return False
            else:
                whole[row, _NAME_AT] = start
                whole[row, _NAME_END] = at
                whole[row, _SYMBOL] = _known(text, start, at - start, x != 0, names)
        elif op == _OP_OPTIONAL:
            if matches(text, at, end, literals, x, y):
                at += y
        elif op == _OP_NUMBER:
            if at < end and text[at] == 45:
                at += 1
            start = at
            value, _, digits, at = 0.0, 0, 0, at
            digits, at = read_digits(text, at, end, 40)
            if at == start or (text[start] == 48 and at - start > 1):
                return False
            if at < end and text[at] == 46:
                start = at + 1
                digits, at = read_digits(text, start, end, 40)
                if at == start:
                    return False
        else:
            if op == _OP_WHOLE:
                found, at = read_whole(text, at, end)
            elif op == _OP_MS:
                found, at = read_whole(text, at, end)
                found = found * 1_000_000 if 0 < found <= _MOST_MS else -1
            elif op == _OP_WORD:
                if matches(text, at, end, literals, x, y):
                    found, at = 0, at + y
                elif matches(text, at, end, literals, steps[step - 1, 4], steps[step - 1, 5]):
                    found, at = 1, at + steps[step - 1, 5]
                else:
                    return False
            elif op == _OP_ISO:
                found, at = read_iso(text, at, end)
            elif op == _OP_US:
                found, at = read_whole(text, at, end)
                found = found * 1000 if 0 < found <= MOST_SECONDS * 1_000_000 else -1
            else:
                found, at = read_digits(text, at, end, 10)
                fraction, at = read_fraction(text, at, end)
                if fraction < 0 or found > MOST_SECONDS:
                    return False
                found = found * 1_000_000_000 + fraction if found >= 0 else found
            if found < 0:
                return False
            if column == _ITEM_TIME:
                items.times[item] = found
                whole[row, _EVENT] = max(whole[row, _EVENT], found)
            elif column == _ITEM_ID:
                items.ids[item] = found
            elif column == _ITEM_SIDE:
                items.changes[item].side = found
            elif column != _NOWHERE:
                whole[row, column] = found
    if at != end:
        return False
    whole[row, _SHAPE] = shape
    whole[row, _ITEMS_END] = item
    items.filled[0] = item
    return True


@compiled
def read_frames(
    text: Text,
    bounds: Ints,
    rows: Ints,
    first: int,
    program: Program,
    columns: Columns,
    items: Items,
    names: Names,
) -> int:
    """Read frames, each by the shape that it fits; one that fits none has NO_SHAPE. `bounds`: places in `text`, frame i
    from i to i + 1 less the line break between them; `rows`: where each goes. The first that there is no room for, or
    their number."""
    shapes = len(program.shapes)
    last = 0
    for frame in range(first, len(bounds) - 1):
        start, end = bounds[frame], bounds[frame + 1] - 1
        size = end - start
        filled, patched = items.filled[0], items.filled[1]
        if filled + size // LEAST_ITEM + 2 > len(items.changes) or patched + size // 18 + 2 > len(items.patches):
            return frame
        row = rows[frame]
        found = NO_SHAPE
        for turn in range(shapes):
            shape = last if turn == 0 else (turn - 1 if turn <= last else turn)
            if read_shape(text, start, end, shape, row, program, columns, items, names):
                found = shape
                last = shape
                break
            items.filled[1] = patched
        if found < 0:
            _begin(columns.whole, columns.number, row, filled)
    return len(bounds) - 1
