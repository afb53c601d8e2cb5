"""What an account knows: the state that its log has brought it to.

State is of msgspec structs and not dataclasses: they are built five times faster, and are their own wire form.
Everything in it is bounded by the strategy file (pairs, instruments, shards) or by a constant named here.
"""

from enum import StrEnum

import msgspec

from pipelines.domain.limits import Limits
from pipelines.domain.orders import Order, reach
from pipelines.domain.positions import FLAT, Position
from pipelines.domain.sheet import Sheet
from pipelines.domain.trader_config import TradedPair, TraderConfig

CLOSED_KEPT = 256
"""Closed orders remembered for late fills, newest last. One that is filled whole and priced is not kept: nothing that
still comes for it could count, and a report about an order that is not known does nothing."""

COMMANDS_KEPT = 256
"""Commands remembered by id: a resume that is delivered twice must not undo the kill between."""

AMENDED_KEPT = 256
"""Amendments remembered by exec id."""

SOURCES_KEPT = 64
"""Signal versions whose last sequences are remembered, the longest silent forgotten first."""


class Stance(StrEnum):
    """Where a pair stands. A flat pair has no entry in the state."""

    FLAT = "flat"
    ENTERING = "entering"
    LONG = "long"
    SHORT = "short"
    EXITING = "exiting"


Quote = tuple[float, float, int]
"""Bid, ask, event time in ns."""


class ShardMarks(msgspec.Struct, frozen=True, array_like=True):
    """Last quotes of a shard's instruments, and the sequence of the last marks taken. `state`: of those that do not
    trade, MarkState bits."""

    sequence: int
    quotes: dict[str, Quote]
    state: dict[str, int] = {}


Lots = tuple[int, int]
"""Signed lots by leg."""

Target = tuple[int, int, int]
"""What a strategy wants of a pair: signed lots by leg, and in how many entries it came to them."""

NOBODY = ""
"""Whose lots of a pair are that no strategy claims."""


class PairState(msgspec.Struct, frozen=True, array_like=True):
    """One pair that is not flat, or has an order working. Tuples are by leg (a, b); lots are signed.

    `working`: client id of each leg's open order, empty where none; never more than one a leg. `start`, `wanted`: where
    the present move, or the last one, began and where it goes. `tries`: orders of one kind in a row that came back.
    `targets`: what each strategy wants; where they add up to something else than `wanted`, another move follows.
    `before`: of an entry, whose it is and what that strategy had before. `due`: a move waits for the message rate.
    """

    stance: Stance
    lots: Lots = (0, 0)
    working: tuple[str, str] = ("", "")
    wanted: Lots = (0, 0)
    exit_wanted: bool = False
    """Of states of format 1 alone."""
    tries: int = 0
    start: Lots = (0, 0)
    targets: dict[str, Target] = {}
    before: tuple[str, Target] = (NOBODY, (0, 0, 0))
    due: bool = False
    due_of: str = NOBODY
    """Of the move that waits: whose it is."""

    @property
    def moving(self) -> bool:
        return bool(self.working[0] or self.working[1])

    @property
    def goal(self) -> Lots:
        """What all strategies together want."""
        return sum(each[0] for each in self.targets.values()), sum(each[1] for each in self.targets.values())


class Told(msgspec.Struct, frozen=True, array_like=True):
    """How far it has been told where pairs stand: the last number, the account's time then, and the latest marks'."""

    sequence: int = 0
    time_ns: int = 0
    marked_ns: int = 0


class Day(msgspec.Struct, frozen=True, array_like=True):
    """A UTC day of the account's marks, by its number since 1970, and what had been made when it began, in money; what
    was bought and sold since, in money too."""

    number: int = -1
    made: float = 0.0
    turnover: float = 0.0


class Stops(StrEnum):
    """How part of an account is stopped. KILL: nothing leaves. REDUCE: it is being closed, nothing new is taken. HALT:
    nothing new is taken until a person resumes."""

    KILL = "kill"
    REDUCE = "reduce"
    HALT = "halt"


class Stop(msgspec.Struct, frozen=True, array_like=True):
    """Why a scope is stopped, since when, and by which limit (empty: by a person). Of REDUCE: when its next stage is
    due, when it last had one, how many lots were held then, and how many stages in a row have moved none. `flat`: it
    ends only when all is closed."""

    kind: Stops
    why: str
    since_ns: int
    limit: str = ""
    flat: bool = False
    next_ns: int = 0
    staged_ns: int = 0
    held: int = 0
    idle: int = 0


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """The last risk update: losses positive, money of the account; by instrument, by pair."""

    as_of_ns: int = -1
    sequence: int = 0
    var: float = 0.0
    es: float = 0.0
    es_per_lot: dict[str, float] = {}
    deviation_per_lot: dict[str, float] = {}
    volume_per_day: dict[str, float] = {}
    pair_es: dict[str, float] = {}


class Book(msgspec.Struct, frozen=True, array_like=True):
    """What a strategy has of a pair: a position a leg, its costs (fees and borrowing less dividends) in money of the
    account; and of the round trips that it closed, how many, the sum of what they made to what they took, and of the
    squares."""

    legs: tuple[Position, Position] = (FLAT, FLAT)
    costs: float = 0.0
    trips: int = 0
    returns: float = 0.0
    squares: float = 0.0
    begun: float = 0.0
    """What had been made when the present trip began, and the most that its legs were worth."""
    worth: float = 0.0


class TraderState(msgspec.Struct, frozen=True):
    """An account after some prefix of its log. Never changed: `step` gives a new one that shares what stayed."""

    config: TraderConfig
    killed: str = ""
    """Who killed the account, and why; empty while it trades."""
    pairs: dict[str, PairState] = {}
    orders: dict[str, Order] = {}
    """Open orders by client id."""
    closed: dict[str, Order] = {}
    positions: dict[str, Position] = {}
    marks: dict[int, ShardMarks] = {}
    taken: dict[str, dict[str, int]] = {}
    """Signal source (name/version) -> action/pair -> last sequence taken."""
    commands: tuple[str, ...] = ()
    told: Told = Told()
    own_limits: Limits | None = None
    """As commands have changed them; None before the first."""
    day: Day = Day()
    sent_ns: tuple[int, ...] = ()
    """Event times of the last orders, as many as are limited a second."""
    entered_ns: dict[str, tuple[int, ...]] = {}
    """Pair -> event times of its last entries, as many as `entries_per_minute`."""
    stops: dict[str, Stop] = {}
    """Scope -> why it is stopped. What `killed` says of the whole account comes before."""
    books: dict[str, dict[str, Book]] = {}
    """Strategy -> pair -> what it has of it."""
    costs: float = 0.0
    """Fees and borrowing less dividends in all, in money of the account."""
    measured: Measured = Measured()
    unmeasured: tuple[tuple[int, str, int], ...] = ()
    """Fills that the last risk update did not know: number of the position told after it, instrument, lots."""
    marked_ns: int = 0
    """The latest of the marks."""
    watched_ns: int = 0
    """When limits were last held against what is held."""
    peak: float | None = None
    """The most that had ever been made, in money."""
    amended: tuple[str, ...] = ()
    """Exec ids of the last reports that amended a fill."""
    flattened: int = -1
    """The last day that was flattened by time, by its number."""
    repeated: dict[str, int] = {}
    """Pair -> how often it was entered since a person resumed it, or the account."""
    canceled_ns: tuple[int, ...] = ()
    """Event times of the last cancels, as many as `messages_per_second`."""
    sheet: Sheet = msgspec.field(default_factory=Sheet)
    """What follows from the rest, worked out as it is asked for; not kept."""

    @property
    def limits(self) -> Limits:
        return self.config.limits if self.own_limits is None else self.own_limits

    def position(self, instrument: str) -> Position:
        return self.positions.get(instrument, FLAT)

    def mark(self, pair: TradedPair, leg: int) -> Quote | None:
        """The last quote of a pair's leg, as its shard told it."""
        marks = self.marks.get(pair.shard)
        return marks.quotes.get(pair.legs[leg].id) if marks else None

    def exposure(self, instrument: str) -> "Exposure":
        """The most that the account may find itself long and short of an instrument, in lots.

        Long and short legs are counted apart, each leg with all that its working or unknown order may still fill. So
        closing one pair can never carry the account past its limit on the other side, and need never be refused.
        """
        held = working = long = short = 0
        for name, leg in self.config.pairs_of.get(instrument, ()):
            pair = self.pairs.get(name)
            if pair is None:
                continue
            held += pair.lots[leg]
            order = self.orders.get(pair.working[leg])
            working += order.leaves if order is not None else 0
            low, high = reach(pair.lots[leg], order)
            long += max(high, 0)
            short -= min(low, 0)
        elsewhere = self.position(instrument).lots - held  # of pairs that the strategy no longer names
        return Exposure(long + max(elsewhere, 0), short - min(elsewhere, 0), self.position(instrument).lots, working)


class Exposure(msgspec.Struct, frozen=True, array_like=True):
    """Lots of one instrument: the worst case each way (both positive), the net filled, and what works or is unknown."""

    long: int
    short: int
    filled: int
    working: int
