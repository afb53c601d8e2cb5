"""What the spread kernel remembers of a shard between two rows, and that as bytes of our own format.

The bytes: a version byte; the length of the names (4 bytes, little-endian); the names as JSON; then the arrays as they
lie in memory. The names say what each row is of, so that state is found again by name: a pair or instrument added to
the strategy starts afresh and moves no other, one removed is forgotten, and a pair whose legs or beta changed, whose
moments would be of another spread, starts afresh too. Where the levels told of have changed, pairs go on from where z
is between the new ones.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.bars import OPEN_BAR
from pipelines.domain.ladder import level_above, level_below, rung_of
from pipelines.domain.shard import Indices, Shard

Rows = NDArray[np.void]

VERSION = 2
UNSET_NS = -(2**63)
"""Shard time before the first row."""

CLOCK = np.dtype(
    [
        ("time_ns", "i8"),
        ("next_grid_ns", "i8"),
        ("last_event_ns", "i8"),
        ("spreads", "i8"),
        ("marks", "i8"),
        ("changed", "i8"),
        ("waiting", "i8"),
    ]
)
"""Shard time; the next boundary of the finest grid; time of the last event on the log, a heartbeat included; how many
numbers were given to spread events, and to marks; how many instruments' quotes changed since the last marks; whether an
event has been written since the last heartbeat."""

SESSION = np.dtype([("taken", "i8"), ("ended", "i8")])
"""A feed session's highest sequence taken (rows not above it are repeats), and whether it has ended."""

QUOTE = np.dtype([("bid", "f8"), ("ask", "f8"), ("mid", "f8"), ("time_ns", "i8"), ("changed", "i8")])
"""The last quote of an instrument; mid is NaN before the first."""

PAIR = np.dtype(
    [
        ("updates", "i8"),
        ("mean", "f8"),
        ("var", "f8"),
        ("ready", "i8"),
        ("lower", "f8"),
        ("upper", "f8"),
        ("z_crossed", "f8"),
        ("z", "f8"),
        ("spread", "f8"),
        ("z_mean", "f8"),
        ("z_std", "f8"),
        ("session", "i8"),
        ("sequence", "i8"),
    ]
)
"""A pair's moments, the z between which it makes no crossing, the z of its last crossing, its last z and what that was
made of. `ready` once there has been a z."""

_DTYPES: tuple[np.dtype[np.void], ...] = (CLOCK, SESSION, QUOTE, OPEN_BAR, PAIR)
"""Of the arrays of State in order, but for the last, of int64."""


class State(NamedTuple):
    """All that is remembered between rows: of CLOCK (1,), SESSION (sessions,), QUOTE and OPEN_BAR (instruments,),
    PAIR (pairs,). `changed` (instruments,): which quotes changed since the last marks, in the order they did."""

    clock: Rows
    sessions: Rows
    quotes: Rows
    bars: Rows
    pairs: Rows
    changed: Indices


def new_state(instruments: int, pairs: int) -> State:
    clock = np.zeros(1, CLOCK)
    clock[["time_ns", "last_event_ns"]] = UNSET_NS
    quotes = np.zeros(instruments, QUOTE)
    quotes["mid"] = np.nan
    return State(
        clock,
        np.zeros(0, SESSION),
        quotes,
        np.zeros(instruments, OPEN_BAR),
        np.zeros(pairs, PAIR),
        np.zeros(instruments, np.int64),
    )


class SpreadState:
    """The state of one shard: `kernel` is what the kernel reads and writes; sessions are (venue, session)."""

    def __init__(self, shard: Shard) -> None:
        self.kernel = new_state(len(shard.instruments), len(shard.pairs))
        self.sessions: list[tuple[str, str]] = []
        self._pairs = [[pair.name, pair.a, pair.b, pair.beta] for pair in shard.pairs]
        self._instruments = [instrument.id for instrument in shard.instruments]
        self._levels, self._ladder = str(shard.levels), shard.legs.ladder
        self._place_of_session: dict[tuple[str, str], int] = {}
        self._head = self._names()

    def session(self, venue: str, session: str) -> int:
        """The place of a feed session in `sessions`; one not heard of before is added."""
        found = self._place_of_session.get((venue, session))
        if found is None:
            found = self._add_sessions([(venue, session)], np.zeros(1, SESSION))
        return found

    def dump(self) -> bytes:
        """Everything, as bytes; `load` of them goes on to the same output, byte for byte."""
        self.kernel.changed[int(self.kernel.clock["changed"][0]) :] = 0
        return b"".join((self._head, *(array.tobytes() for array in self.kernel)))

    @classmethod
    def load(cls, data: bytes | None, shard: Shard) -> "SpreadState":
        """State of `shard` from its bytes, or its first state from None. Raises ValueError for bytes not of `dump`."""
        state = cls(shard)
        if data is None:
            return state
        if data[:1] != bytes([VERSION]):
            raise ValueError(f"spread state: version {VERSION} expected, not {data[0] if data else 'nothing'}")
        start = 5 + int.from_bytes(data[1:5], "little")
        try:
            names = json.loads(data[5:start])
        except ValueError as error:
            raise ValueError(f"spread state: its names cannot be read: {error}") from error
        old = _arrays(data, start, len(names["sessions"]), len(names["instruments"]), len(names["pairs"]))
        state._take(old, names)
        return state

    def _take(self, old: State, names: dict[str, Any]) -> None:
        """Copy what `old` has of our pairs, instruments and sessions to where they are now."""
        ours = self.kernel
        self._add_sessions([(str(venue), str(session)) for venue, session in names["sessions"]], old.sessions)
        pairs = _moves([tuple(each) for each in names["pairs"]], [tuple(each) for each in self._pairs])
        ours.pairs[list(pairs.values())] = old.pairs[list(pairs)]
        if names["levels"] != self._levels:
            for pair in ours.pairs:
                rung = rung_of(pair["z"])
                pair["lower"], pair["upper"] = level_below(self._ladder, rung), level_above(self._ladder, rung)
        instruments = _moves(names["instruments"], self._instruments)
        for mine, theirs in ((ours.quotes, old.quotes), (ours.bars, old.bars)):
            mine[list(instruments.values())] = theirs[list(instruments)]
        ours.clock[:] = old.clock
        changed = [instruments[place] for place in old.changed[: int(old.clock["changed"][0])] if place in instruments]
        ours.changed[: len(changed)] = changed
        ours.clock["changed"] = len(changed)

    def _add_sessions(self, sessions: list[tuple[str, str]], rows: Rows) -> int:
        first = len(self.sessions)
        self.sessions += sessions
        self._place_of_session = {session: place for place, session in enumerate(self.sessions)}
        self.kernel = self.kernel._replace(sessions=np.concatenate([self.kernel.sessions, rows]))
        self._head = self._names()
        return first

    def _names(self) -> bytes:
        names = {"pairs": self._pairs, "instruments": self._instruments, "sessions": self.sessions}
        names["levels"] = self._levels
        text = json.dumps(names, separators=(",", ":")).encode()
        return bytes([VERSION]) + len(text).to_bytes(4, "little") + text


def _arrays(data: bytes, start: int, sessions: int, instruments: int, pairs: int) -> State:
    """The arrays of a State of that many sessions, instruments and pairs, read-only, from `start` of `data`."""
    counts = (1, sessions, instruments, instruments, pairs, instruments)
    sizes = (*(dtype.itemsize for dtype in _DTYPES), 8)
    ends = np.cumsum([start, *(size * count for size, count in zip(sizes, counts, strict=True))])
    if ends[-1] != len(data):
        raise ValueError(f"spread state: {ends[-1]} bytes expected, not {len(data)}")
    rows = [data[first:last] for first, last in pairwise(ends)]
    clock, taken, quotes, bars, moments = (
        np.frombuffer(part, dtype) for part, dtype in zip(rows, _DTYPES, strict=False)
    )
    return State(clock, taken, quotes, bars, moments, np.frombuffer(rows[-1], np.int64))


def _moves(old: Sequence[object], new: Sequence[object]) -> dict[int, int]:
    """Old place to new place of each name that is in both."""
    place = {name: at for at, name in enumerate(new)}
    return {at: place[name] for at, name in enumerate(old) if name in place}
