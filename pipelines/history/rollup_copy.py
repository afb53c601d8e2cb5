"""Bars as rows of COPY: those that are new go straight into their table, as ticks do."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipelines.domain.rollups import ROLLUP, Rollups
from pipelines.history.binary_copy import RowLayout, stored_text, timestamps

PRICES = ("open", "high", "low", "close")
QUOTE = ("bid", "ask", "bid_size", "ask_size")
NUMBERS = {
    "start_time": ">i8",
    **{name: f">{ROLLUP[name].kind}8" for name in ROLLUP.names or () if name not in ("instrument", "start_ns")},
    "of_trades": "u1",
}
COLUMNS = ("session_id", "venue", "instrument", *NUMBERS)
"""Of the tables, in the order of the rows made here."""


def bar_stream(session_id: str, instruments: Sequence[tuple[str, str]], bars: Rollups) -> Iterator[bytes]:
    """A piece for each class of equal layout: by venue, by length of the name, by what is null. Without head and tail.

    instruments: (venue, name), which the bars name by number.
    """
    names = [stored_text(name) for _, name in instruments]
    venues = list(dict.fromkeys(venue for venue, _ in instruments))
    venue_of = np.array([venues.index(venue) for venue, _ in instruments])[bars["instrument"]]
    length_of = np.array([len(name) for name in names])[bars["instrument"]]
    null_of = np.isnan(bars["open"]) + 2 * np.isnan(bars["bid"])
    class_of = (venue_of << 32) + (length_of << 2) + null_of
    for each in np.unique(class_of):
        rows = bars[class_of == each]
        venue, length, null = venues[each >> 32], int(each >> 2) & 0x3FFFFFFF, each & 3
        nulls = (*(PRICES if null & 1 else ()), *(QUOTE if null & 2 else ()))
        constants = {"session_id": stored_text(session_id), "venue": stored_text(venue), **dict.fromkeys(nulls)}
        layout = RowLayout(COLUMNS, constants, ("instrument", length), NUMBERS)
        numbers = {column: rows[column] for column in layout.numbers if column != "start_time"}
        yield layout.rows(names, rows["instrument"], numbers | {"start_time": timestamps(rows["start_ns"])})
