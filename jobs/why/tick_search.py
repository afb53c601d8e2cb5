"""Ticks found in a block: one by its number, and the last quotes of instruments by a row. Pure."""

import numpy as np

from jobs.why.chain import Tick
from pipelines.contracts.blocks import TickBlock
from pipelines.domain.eligible import SPOILED
from pipelines.domain.market import Kind


def tick_of(block: TickBlock, sequence: int) -> int | None:
    """The row of a number in the feed session; None where it is not in the block."""
    rows = np.flatnonzero(block.ticks["sequence"] == sequence)
    return int(rows[0]) if len(rows) else None


def last_quotes(block: TickBlock, before: int, instruments: set[str]) -> dict[str, Tick]:
    """The last quote of each instrument above a row, those left out that no spread is made of."""
    ticks = block.ticks[:before]
    quotes = (ticks["kind"] == Kind.QUOTE) & ((ticks["flags"] & SPOILED) == 0)
    found = {}
    for name in instruments & set(block.instruments):
        rows = np.flatnonzero(quotes & (ticks["instrument"] == block.instruments.index(name)))
        if len(rows):
            found[name] = tick_at(block, int(rows[-1]))
    return found


def tick_at(block: TickBlock, row: int) -> Tick:
    """A row of a block, and where its frames lie."""
    it = block.ticks[row]
    kind = int(it["kind"])
    return Tick(
        venue=block.venue,
        session=block.session,
        sequence=int(it["sequence"]),
        frame=int(it["frame"]),
        instrument=block.instruments[int(it["instrument"])] if it["instrument"] >= 0 else "",
        kind=Kind(kind).name.lower() if kind in set(Kind) else str(kind),
        flags=int(it["flags"]),
        event_ns=int(it["event_ns"]),
        receive_ns=int(it["receive_ns"]),
        bid=float(it["bid"]),
        bid_size=float(it["bid_size"]),
        ask=float(it["ask"]),
        ask_size=float(it["ask_size"]),
        raw_partition=block.raw_partition,
        raw_offset=block.raw_offset,
    )
