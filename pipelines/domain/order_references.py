"""Where each order of a venue lies in memory, by its reference number: a hash table in one array.

Open addressing with linear probing; what is taken out closes the gap behind it (Knuth, TAOCP 3, 6.4, algorithm R), so
that a day of orders coming and going leaves no marks to search through. Numbers that differ in their last three bits
lie side by side: a venue counts upwards, and what came together is mostly asked for together.
"""

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined

SLOT = np.dtype([("reference", "i8"), ("order", "i8")])
"""`order`: where it lies; -1 for a free slot."""

Slots = NDArray[np.void]
"""A structured array of `SLOT`; its length is a power of two, and at most half of it is in use."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def free_slots(count: int) -> Slots:
    """A table of `count` slots, a power of two, all free."""
    slots = np.zeros(count, SLOT)
    slots["order"] = -1
    return slots


@inlined
def _home(slots: Slots, reference: int) -> int:
    mixed = np.uint64(reference >> 3) * _GOLDEN
    return int((np.int64(mixed >> np.uint64(32)) << 3) | (reference & 7)) & (len(slots) - 1)


@inlined
def find_slot(slots: Slots, reference: int) -> int:
    """The slot of a reference number; -1 where it is not there."""
    mask = len(slots) - 1
    at = _home(slots, reference)
    while slots[at].order >= 0:
        if slots[at].reference == reference:
            return at
        at = (at + 1) & mask
    return -1


@inlined
def put(slots: Slots, reference: int, order: int) -> None:
    """Take in a reference number that is not there yet."""
    mask = len(slots) - 1
    at = _home(slots, reference)
    while slots[at].order >= 0:
        at = (at + 1) & mask
    slots[at].reference = reference
    slots[at].order = order


@inlined
def drop(slots: Slots, at: int) -> None:
    """Free a slot, and move up those behind it that it kept from their home."""
    mask = len(slots) - 1
    after = (at + 1) & mask
    while slots[after].order >= 0:
        home = _home(slots, slots[after].reference)
        if ((after - home) & mask) >= ((after - at) & mask):
            slots[at].reference = slots[after].reference
            slots[at].order = slots[after].order
            at = after
        after = (after + 1) & mask
    slots[at].order = -1


@compiled
def move(old: Slots, new: Slots) -> None:
    """Take all of a table into another, larger one."""
    for at in range(len(old)):
        if old[at].order >= 0:
            put(new, old[at].reference, old[at].order)
