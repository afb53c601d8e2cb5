"""What the spread kernel remembers of a shard between two rows, and that as bytes of our own format.

In three parts, by how often they change: with every row; where bars close alone (fits of pairs and closing prices, ten
times the size of the first); and hardly ever, the names. The names say what each row is of, so that state is found
again by name: a pair or instrument added to the strategy starts afresh and moves no other, one removed is forgotten,
and a pair whose legs or model changed, whose moments would be of another spread, starts afresh too. Where the levels
told of have changed, pairs go on from where z is between the new ones.

The bytes of a part: a version byte; the digest of the names (16 bytes); then the names as JSON, or the arrays as they
lie in memory.
"""

import hashlib
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
Floats = NDArray[np.float64]

VERSION = 4
DIGEST_BYTES = 16
HEAD_BYTES = 1 + DIGEST_BYTES
UNSET_NS = -(2**63)
"""Shard time before the first row."""

CLOCK = np.dtype(
    [
        ("time_ns", "i8"),
        ("next_grid_ns", "i8"),
        ("last_event_ns", "i8"),
        ("spreads", "i8"),
        ("marks", "i8"),
        ("minutes", "i8"),
        ("intervals", "i8"),
        ("changed", "i8"),
        ("waiting", "i8"),
        ("acted_ns", "i8"),
        ("slow", "i8"),
    ]
)
"""Shard time; the next boundary of the finest grid; time of the last event on the log, a heartbeat included; how many
numbers were given to spread events, to marks, to minutes of pairs and to intervals of snapshots; how many instruments'
quotes changed since the last marks; whether an event has been written since the last heartbeat; up to when corporate
actions have been applied; whether the slow part has changed."""

SESSION = np.dtype([("taken", "i8"), ("ended", "i8")])
"""A feed session's highest sequence taken (rows not above it are repeats), and whether it has ended."""

QUOTE = np.dtype(
    [
        *((name, "f8") for name in ("bid", "ask", "mid", "log")),
        *((name, "i8") for name in ("time_ns", "changed", "session", "halted", "closed", "gap")),
        ("tilt", "f8"),
        ("tilt_ns", "i8"),
        ("tilted", "f8"),
        ("tilted_from_ns", "i8"),
    ]
)
"""The last quote of an instrument, and the session that it came in; mid is NaN before the first, `log` its logarithm
where a pair needs it. What its venue says of it (`halted`: bits 1 halted, 2 its book is lost), and whether a gap lay in
its feed since the last second. `tilt`: the imbalance of its sizes since `tilt_ns`; `tilted`: the sum of that times how
long it was so (ns), from `tilted_from_ns`."""

PAIR = np.dtype(
    [
        ("updates", "i8"),
        ("mean", "f8"),
        ("var", "f8"),
        ("std", "f8"),
        ("slope", "f8"),
        ("formed", "i8"),
        ("out", "i8"),
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
"""A pair's moments and hedge ratio, whether there are enough for a z, and whether its legs cannot be compared now; the
z between which it makes no crossing, the z of its last crossing, its last z and what that was made of. `ready` once
there has been a z."""

FIT = np.dtype(
    [
        *((name, "f8") for name in ("mean_x", "mean_y", "xx", "xy", "yy", "p00", "p01", "p11", "beta")),
        *((name, "i8") for name in ("settling", "adjusting", "gap", "bars")),
        *((name, "f8") for name in ("half_life_s", "adf_t", "adf_critical", "correlation")),
        ("breaks", "i8"),
    ]
)
"""What an estimator has of a pair besides slope and mean, and the beta that it is held against; for how many bars more
it is flagged as reopened, as adjusted; whether a gap lay in its last bar; its health at the last minute."""

INTERVAL = np.dtype(
    [
        *((name, "i8") for name in ("quotes", "trades")),
        *((name, "f8") for name in ("bid_size", "ask_size", "last", "high", "low", "value", "volume", "buy_volume")),
        *((name, "i8") for name in ("status", "status_ns", "status_changed")),
        ("tilted", "f8"),
        ("tilt_ns", "i8"),
        ("tilted_from_ns", "i8"),
    ]
)
"""An instrument's interval as far as it has come. Sizes, `last` and `status` stay; `value`: sum of price times
quantity; the imbalance as QUOTE has it."""

FAST = ("clock", "sessions", "quotes", "bars", "pairs", "intervals", "changed")
SLOW = ("fits", "second_times", "second_mids", "minute_times", "minute_mids", "closed")


class State(NamedTuple):
    """All that is remembered between rows: of CLOCK (1,), SESSION (sessions,), QUOTE and OPEN_BAR (instruments,),
    PAIR (pairs,), INTERVAL (instruments,), none where no snapshots are told. `changed` (instruments,): which quotes
    changed since the last marks, in the order they did.

    And what changes with bars: FIT (pairs,); of seconds and of minutes, when the last bars closed (bars,) and each
    instrument's mid then (instruments, bars), NaN where it was stale, halted or closed: rings, of which `closed` says
    how many were ever put in (2,).
    """

    clock: Rows
    sessions: Rows
    quotes: Rows
    bars: Rows
    pairs: Rows
    intervals: Rows
    changed: Indices
    fits: Rows
    second_times: Indices
    second_mids: Floats
    minute_times: Indices
    minute_mids: Floats
    closed: Indices


def new_state(shard: Shard) -> State:
    instruments, pairs = len(shard.instruments), len(shard.pairs)
    clock = np.zeros(1, CLOCK)
    clock[["time_ns", "last_event_ns", "acted_ns"]] = UNSET_NS
    quotes = np.zeros(instruments, QUOTE)
    quotes["mid"] = quotes["log"] = np.nan
    moments = np.zeros(pairs, PAIR)
    fits = np.zeros(pairs, FIT)
    moments["slope"] = fits["beta"] = shard.legs.models["beta"]
    return State(
        clock,
        np.zeros(0, SESSION),
        quotes,
        np.zeros(instruments, OPEN_BAR),
        moments,
        np.zeros(instruments if shard.legs.snapshots_ns else 0, INTERVAL),
        np.zeros(instruments, np.int64),
        fits,
        np.zeros(shard.second_bars, np.int64),
        np.full((instruments, shard.second_bars), np.nan),
        np.zeros(shard.minute_bars, np.int64),
        np.full((instruments, shard.minute_bars), np.nan),
        np.zeros(2, np.int64),
    )


class Saved(NamedTuple):
    """A state as bytes, in its parts."""

    names: bytes
    fast: bytes
    slow: bytes


class SpreadState:
    """The state of one shard: `kernel` is what the kernel reads and writes; sessions are (venue, session).
    `names_changed`: whether the names are others than `dump_names` gave last."""

    names_changed: bool

    def __init__(self, shard: Shard) -> None:
        self.kernel = new_state(shard)
        self.sessions: list[tuple[str, str]] = []
        self._pairs = [
            [pair.name, pair.a, pair.b, pair.beta, repr(model)]
            for pair, model in zip(shard.pairs, shard.models, strict=True)
        ]
        self._instruments = [instrument.id for instrument in shard.instruments]
        self._levels, self._ladder = str(shard.levels), shard.legs.ladder
        self._place_of_session: dict[tuple[str, str], int] = {}
        self._name()

    def session(self, venue: str, session: str) -> int:
        """The place of a feed session in `sessions`; one not heard of before is added."""
        found = self._place_of_session.get((venue, session))
        if found is None:
            found = self._add_sessions([(venue, session)], np.zeros(1, SESSION))
        return found

    def dump(self) -> bytes:
        """What changes with rows, as bytes; `load` of them, with those of `dump_slow` and of `dump_names`, goes on to
        the same output, byte for byte."""
        self.kernel.changed[int(self.kernel.clock["changed"][0]) :] = 0
        self.kernel.clock["slow"] = 0
        return b"".join((self._head, *(getattr(self.kernel, name).tobytes() for name in FAST)))

    def dump_slow(self) -> bytes:
        """What changes with bars."""
        return b"".join((self._head, *(getattr(self.kernel, name).tobytes() for name in SLOW)))

    def dump_names(self) -> bytes:
        """What the rows are of."""
        self.names_changed = False
        return self._head + self._names

    @property
    def slow_changed(self) -> bool:
        """Whether the slow part has changed since the last `dump`: to be asked before the next. Of other names it is
        another too."""
        return self.names_changed or bool(self.kernel.clock["slow"][0])

    @classmethod
    def load(cls, saved: Saved | None, shard: Shard) -> "SpreadState":
        """State of `shard` from its bytes, or its first state from None.
        Raises ValueError for bytes not of `dump`, `dump_slow` and `dump_names`, or of different times."""
        state = cls(shard)
        if saved is None:
            return state
        names = _read_names(saved.names)
        state._take(_arrays(saved.names, saved.fast, names, FAST), names)
        state._take_slow(_arrays(saved.names, saved.slow, names, SLOW), names)
        return state

    def _take(self, old: dict[str, Any], names: dict[str, Any]) -> None:
        """Copy what `old` has of our pairs, instruments and sessions to where they are now."""
        ours = self.kernel
        self._add_sessions([(str(venue), str(session)) for venue, session in names["sessions"]], old["sessions"])
        pairs = self._moved_pairs(names)
        ours.pairs[list(pairs.values())] = old["pairs"][list(pairs)]
        if names["levels"] != self._levels:
            for pair in ours.pairs:
                rung = rung_of(pair["z"])
                pair["lower"], pair["upper"] = level_below(self._ladder, rung), level_above(self._ladder, rung)
        instruments = _moves(names["instruments"], self._instruments)
        for mine, theirs in (
            (ours.quotes, old["quotes"]),
            (ours.bars, old["bars"]),
            (ours.intervals, old["intervals"]),
        ):
            if mine.size and theirs.size:
                mine[list(instruments.values())] = theirs[list(instruments)]
        ours.clock[:] = old["clock"]
        owed = old["changed"][: int(old["clock"]["changed"][0])]
        changed = [instruments[place] for place in owed if place in instruments]
        ours.changed[: len(changed)] = changed
        ours.clock["changed"] = len(changed)

    def _take_slow(self, old: dict[str, Any], names: dict[str, Any]) -> None:
        pairs = self._moved_pairs(names)
        self.kernel.fits[list(pairs.values())] = old["fits"][list(pairs)]
        instruments = _moves(names["instruments"], self._instruments)
        for number, name in enumerate(("second", "minute")):
            times, mids = getattr(self.kernel, f"{name}_times"), getattr(self.kernel, f"{name}_mids")
            old_times, old_mids = old[f"{name}_times"], old[f"{name}_mids"]
            ever = int(old["closed"][number])
            kept = min(ever, old_times.size, times.size)
            if not kept:
                continue
            self.kernel.closed[number] = ever
            theirs, mine = (np.arange(ever - kept, ever) % size for size in (old_times.size, times.size))
            times[mine] = old_times[theirs]
            for was, now in instruments.items():
                mids[now, mine] = old_mids[was, theirs]

    def _moved_pairs(self, names: dict[str, Any]) -> dict[int, int]:
        return _moves([tuple(each) for each in names["pairs"]], [tuple(each) for each in self._pairs])

    def _add_sessions(self, sessions: list[tuple[str, str]], rows: Rows) -> int:
        first = len(self.sessions)
        self.sessions += sessions
        self._place_of_session = {session: place for place, session in enumerate(self.sessions)}
        self.kernel = self.kernel._replace(sessions=np.concatenate([self.kernel.sessions, rows]))
        self._name()
        return first

    def _name(self) -> None:
        names = {"pairs": self._pairs, "instruments": self._instruments, "sessions": self.sessions}
        bars = [self.kernel.second_times.size, self.kernel.minute_times.size]
        named = names | {"levels": self._levels, "bars": bars, "intervals": self.kernel.intervals.size}
        self._names = json.dumps(named, separators=(",", ":")).encode()
        self._head = bytes([VERSION]) + hashlib.blake2b(self._names, digest_size=DIGEST_BYTES).digest()
        self.names_changed = True


def _read_names(data: bytes) -> dict[str, Any]:
    if data[:1] != bytes([VERSION]):
        raise ValueError(f"spread state: version {VERSION} expected, not {data[0] if data else 'nothing'}")
    try:
        return dict(json.loads(data[HEAD_BYTES:]))
    except ValueError as error:
        raise ValueError(f"spread state: its names cannot be read: {error}") from error


def _arrays(of: bytes, data: bytes, names: dict[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Those arrays of a State, read-only, from `data`; `of`: the bytes of its names."""
    if data[:HEAD_BYTES] != of[:HEAD_BYTES]:
        raise ValueError(f"spread state: {', '.join(wanted[:2])} and more are of other names, or of another version")
    sessions, instruments, pairs = (len(names[each]) for each in ("sessions", "instruments", "pairs"))
    seconds, minutes = names["bars"]
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "clock": (CLOCK, (1,)),
        "sessions": (SESSION, (sessions,)),
        "quotes": (QUOTE, (instruments,)),
        "bars": (OPEN_BAR, (instruments,)),
        "pairs": (PAIR, (pairs,)),
        "intervals": (INTERVAL, (names["intervals"],)),
        "changed": (np.dtype("i8"), (instruments,)),
        "fits": (FIT, (pairs,)),
        "second_times": (np.dtype("i8"), (seconds,)),
        "second_mids": (np.dtype("f8"), (instruments, seconds)),
        "minute_times": (np.dtype("i8"), (minutes,)),
        "minute_mids": (np.dtype("f8"), (instruments, minutes)),
        "closed": (np.dtype("i8"), (2,)),
    }
    sizes = [shapes[name][0].itemsize * int(np.prod(shapes[name][1])) for name in wanted]
    ends = np.cumsum([HEAD_BYTES, *sizes]).tolist()
    if ends[-1] != len(data):
        raise ValueError(f"spread state: {ends[-1]} bytes expected, not {len(data)}")
    return {
        name: np.frombuffer(data[first:last], shapes[name][0]).reshape(shapes[name][1])
        for name, (first, last) in zip(wanted, pairwise(ends), strict=True)
    }


def _moves(old: Sequence[object], new: Sequence[object]) -> dict[int, int]:
    """Old place to new place of each name that is in both."""
    place = {name: at for at, name in enumerate(new)}
    return {at: place[name] for at, name in enumerate(old) if name in place}
