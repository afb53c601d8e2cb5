"""Lines of LEAN files made into numbers: strict, a million and more a second."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.feeds.protocols.decimals import LARGEST, LONGEST
from pipelines.feeds.protocols.lean.fields import GOOD, SLOW, read_dated, read_decimal, read_flags, read_time, read_word
from pipelines.feeds.protocols.lean.stream import EXPECTED, FIRST_TAG, Column, LeanStream

BAR, WIDTH, TAG = 100, 101, 102
"""What a line is, where it is not the number of the field that is wrong: a number in it wants Python's own reading; a
bar's prices contradict each other; too many or few fields; of no stream of its frame."""

MOST_KEPT = 10_000
"""Layouts, by the streams of a frame."""

Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a frame as columns by field. `whole`, shape (lines, fields): times as ns (since midnight, or dated
    as if UTC), letters, flags; `numbers`, likewise: prices in the currency, quantities; NaN for a side left empty.
    `stream`: of each line; `fault`: GOOD or what is wrong; `offset`: where each begins in the text, and one behind.
    `sound`: nothing is wrong with any of them."""

    stream: NDArray[np.int32]
    whole: Whole
    numbers: Numbers
    fault: NDArray[np.int8]
    offset: Whole
    sound: bool


class LineReader:
    """Reads frame after frame into the same arrays: fresh ones for each would take twice the time of the reading."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[LeanStream, ...], tuple[NDArray[np.int8], NDArray[np.int64]]] = {}
        self._make_room(1024)

    def read(self, text: bytes, start: int, streams: Sequence[LeanStream]) -> Lines:
        """Read the lines from `start` on. Of several streams, each line begins with the letter of its own. What is
        given holds until the next reading."""
        count = text.count(b"\n", start) + (not text.endswith(b"\n") and start < len(text))
        if count > self._room:
            self._make_room(count)
        layout, decimals = self._layout(streams)
        most = layout.shape[1]
        stream, fault, offset = self._stream[:count], self._fault[:count], self._offset[: count + 1]
        whole = self._whole[: count * most].reshape(count, most)
        numbers = self._numbers[: count * most].reshape(count, most)
        wrong = _read(
            np.frombuffer(text, np.uint8), start, layout, decimals, stream, whole, numbers, fault, offset
        )  # fmt: skip
        for i in np.flatnonzero(fault == SLOW).tolist() if wrong else ():
            line = text[offset[i] : offset[i + 1]]
            _read_slowly(numbers[i], fault, i, line, streams[int(stream[i])], len(streams) > 1)
        wrong += _check_bars(stream, layout, numbers, fault)
        return Lines(stream, whole, numbers, fault, offset, not wrong)

    def _layout(self, streams: Sequence[LeanStream]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """By stream: the columns of its lines, -1 behind the last, and the digits that its prices leave out."""
        key = tuple(streams)
        found = self._layouts.get(key)
        if found is None:
            layout = np.full((len(streams), max(len(stream.fields) for stream in streams)), -1, np.int8)
            for place, stream in enumerate(streams):
                layout[place, : len(stream.fields)] = [column for _, column in stream.fields]
            found = layout, np.array([stream.decimals for stream in streams], np.int64)
            if len(self._layouts) >= MOST_KEPT:
                self._layouts.clear()
            self._layouts[key] = found
        return found

    def _make_room(self, lines: int) -> None:
        self._room = lines
        self._stream = np.zeros(lines, np.int32)
        self._whole = np.zeros(lines * _WIDEST, np.int64)
        self._numbers = np.zeros(lines * _WIDEST)
        self._fault = np.zeros(lines, np.int8)
        self._offset = np.zeros(lines + 1, np.int64)


_WIDEST = 11
"""Fields of a quote bar: no line has more."""


def explain(lines: Lines, i: int, text: bytes, streams: Sequence[LeanStream]) -> str:
    """What is wrong with a line: field, value, what was expected."""
    fault = int(lines.fault[i])
    line = text[lines.offset[i] : lines.offset[i + 1]].rstrip(b"\r\n")
    shown = f"{line[:60]!r}{'...' if len(line) > 60 else ''}"
    if fault == TAG:
        return f"{shown}: expected a letter that names one of {len(streams)} streams"
    stream = streams[int(lines.stream[i])]
    names = [name for name, _ in stream.fields]
    if fault == WIDTH:
        return f"{shown}: {line.count(b',') + 1} fields, expected {len(names)}: {', '.join(names)}"
    if fault == BAR:
        return f"{shown}: expected low <= open, close <= high, or all four empty"
    value = _fields(line, len(streams) > 1)[fault]
    cut = f"{value[:40]!r}{'...' if len(value) > 40 else ''}"
    return f"{names[fault]}: {cut}: expected {EXPECTED[stream.fields[fault][1]]}"


def _fields(line: bytes, tagged: bool) -> list[bytes]:
    return line[tagged:].rstrip(b"\r\n").split(b",")


def _read_slowly(
    numbers: Numbers, fault: NDArray[np.int8], i: int, line: bytes, stream: LeanStream, tagged: bool
) -> None:
    """A line with a number of more digits than a double holds, by Python's own decimals, into its row of `numbers`."""
    fault[i] = GOOD
    for place, (value, (_, column)) in enumerate(zip(_fields(line, tagged), stream.fields, strict=True)):
        if column not in (Column.PRICE, Column.SIDE, Column.SIZE) or not value:
            continue
        text = value.decode("latin-1")
        if len(text) > LONGEST or not re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", text, re.ASCII):
            fault[i] = place
            return
        shift = 0 if column == Column.SIZE else stream.decimals
        number = float(Decimal(text).scaleb(-shift))
        if abs(number) > LARGEST or (column == Column.SIZE and number < 0):
            fault[i] = place
            return
        numbers[place] = number


_TIME, _DATED, _PRICE, _SIDE = int(Column.TIME), int(Column.DATED), int(Column.PRICE), int(Column.SIDE)
_SIZE, _LETTER, _WORD, _FLAGS = int(Column.SIZE), int(Column.LETTER), int(Column.WORD), int(Column.FLAGS)


@compiled
def _read(
    text: NDArray[np.uint8],
    at: int,
    layout: NDArray[np.int8],
    decimals: NDArray[np.int64],
    stream: NDArray[np.int32],
    whole: Whole,
    numbers: Numbers,
    fault: NDArray[np.int8],
    offset: Whole,
) -> int:
    """Fill the columns; how many lines are not good."""
    size = len(text)
    wrong = 0
    tagged = len(layout) > 1
    for i in range(len(stream)):
        offset[i] = at
        stream[i] = 0
        fault[i] = GOOD
        line_end = at
        while line_end < size and text[line_end] != 10:
            line_end += 1
        following = line_end + 1 if line_end < size else size
        if line_end > at and text[line_end - 1] == 13:
            line_end -= 1
        number = 0
        if tagged:
            number = int(text[at]) - FIRST_TAG if at < line_end else -1
            at += 1
        if number < 0 or number >= len(layout):
            fault[i] = TAG
            wrong += 1
            at = following
            continue
        stream[i] = number
        place = 0
        slow = False
        while True:
            end = at
            while end < line_end and text[end] != 44:
                end += 1
            if place >= layout.shape[1] or layout[number, place] < 0:
                fault[i] = WIDTH
                break
            column = layout[number, place]
            if column in (_PRICE, _SIDE, _SIZE):
                if column == _SIDE and at == end:
                    numbers[i, place] = np.nan
                else:
                    value, state = read_decimal(text, at, end, 0 if column == _SIZE else decimals[number])
                    if state == 0 or (column == _SIZE and value < 0.0):
                        fault[i] = place
                        break
                    slow = slow or state == SLOW
                    numbers[i, place] = value
            else:
                if column == _TIME:
                    read = read_time(text, at, end)
                elif column == _DATED:
                    read = read_dated(text, at, end)
                elif column == _FLAGS:
                    read = read_flags(text, at, end)
                elif column == _LETTER:
                    read = int(text[at]) if end == at + 1 and 65 <= text[at] <= 90 else -1
                elif column == _WORD:
                    read = read_word(text, at, end)
                else:
                    read = int(text[at]) - 48 if end == at + 1 and 48 <= text[at] <= 49 else -1
                if read < 0:
                    fault[i] = place
                    break
                whole[i, place] = read
            place += 1
            at = end + 1
            if end >= line_end:
                break
        if fault[i] == GOOD and (place < layout.shape[1] and layout[number, place] >= 0):
            fault[i] = WIDTH
        if fault[i] == GOOD and slow:
            fault[i] = SLOW
        if fault[i] != GOOD:
            wrong += 1
        at = following
    offset[len(stream)] = size
    return wrong


@inlined
def _in_order(numbers: Numbers, i: int, first: int) -> bool:
    """Whether open, high, low, close from a field on agree, or are all left empty."""
    opened, high, low, closed = numbers[i, first], numbers[i, first + 1], numbers[i, first + 2], numbers[i, first + 3]
    if np.isnan(opened) and np.isnan(high) and np.isnan(low) and np.isnan(closed):
        return True
    return bool(low <= opened <= high and low <= closed <= high)


@compiled
def _check_bars(stream: NDArray[np.int32], layout: NDArray[np.int8], numbers: Numbers, fault: NDArray[np.int8]) -> int:
    """Lines whose second to fifth fields are prices are bars; of quotes, where the seventh is one too. How many of them
    contradict themselves."""
    wrong = 0
    if layout.shape[1] < 6:
        return wrong
    for i in range(len(stream)):
        form = layout[stream[i]]
        if fault[i] != GOOD or form[4] == _SIZE or (form[4] != _PRICE and form[4] != _SIDE) or form[2] == _SIZE:
            continue
        good = _in_order(numbers, i, 1)
        if form[4] == _SIDE:
            good = good and _in_order(numbers, i, 6)
        if not good:
            fault[i] = BAR
            wrong += 1
    return wrong
