"""What an account knows: its configuration, the state that its log has brought it to, and that state as bytes.

State is of msgspec structs and not dataclasses: they are built five times faster, and are their own wire form.
Everything in it is bounded by the strategy file (pairs, instruments, shards) or by a constant named here.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from pipelines.domain.identity import client_order_id
from pipelines.domain.limits import Limits
from pipelines.domain.orders import Order, reach
from pipelines.domain.positions import FLAT, Position
from pipelines.domain.universe import Instrument, Strategy

CLOSED_KEPT = 256
"""Closed orders remembered for late fills, newest last. One that is filled whole and priced is not kept: nothing that
still comes for it could count, and a report about an order that is not known does nothing."""

COMMANDS_KEPT = 256
"""Commands remembered by id: a resume that is delivered twice must not undo the kill between."""

SOURCES_KEPT = 64
"""Signal versions whose last sequences are remembered, the longest silent forgotten first."""


class Stance(StrEnum):
    """Where a pair stands. A flat pair has no entry in the state."""

    FLAT = "flat"
    ENTERING = "entering"
    LONG = "long"
    SHORT = "short"
    EXITING = "exiting"


@dataclass(frozen=True, slots=True)
class TradedPair:
    """A pair with its legs looked up."""

    name: str
    shard: int
    legs: tuple[Instrument, Instrument]


@dataclass(frozen=True, slots=True)
class TraderConfig:
    """What `step` needs to know that is not in the log."""

    account: str
    session_id: str
    leg_notional: float
    limits: Limits
    """Until a command of the log changes them."""
    shards: int
    instruments: dict[str, Instrument]
    pairs: dict[str, TradedPair]
    pairs_of: dict[str, tuple[tuple[str, int], ...]]
    """Instrument -> the (pair, leg)s that it is in."""

    @classmethod
    def of(cls, strategy: Strategy, session_id: str) -> "TraderConfig":
        instruments = {instrument.id: instrument for instrument in strategy.instruments}
        pairs_of: dict[str, list[tuple[str, int]]] = {name: [] for name in instruments}
        for pair in strategy.pairs:
            pairs_of[pair.a].append((pair.name, 0))
            pairs_of[pair.b].append((pair.name, 1))
        return cls(
            account=strategy.account,
            session_id=session_id,
            leg_notional=strategy.sizing.leg_notional,
            limits=strategy.limits,
            shards=strategy.shards,
            instruments=instruments,
            pairs={
                pair.name: TradedPair(pair.name, pair.shard, (instruments[pair.a], instruments[pair.b]))
                for pair in strategy.pairs
            },
            pairs_of={name: tuple(legs) for name, legs in pairs_of.items()},
        )

    def order_id(self, cause: str, leg: int) -> str:
        return client_order_id(self.session_id, self.account, cause, leg)


Quote = tuple[float, float, int]
"""Bid, ask, event time in ns."""


class ShardMarks(msgspec.Struct, frozen=True, array_like=True):
    """Last quotes of a shard's instruments, and the sequence of the last marks taken."""

    sequence: int
    quotes: dict[str, Quote]


class PairState(msgspec.Struct, frozen=True, array_like=True):
    """One pair that is not flat, or has an order working. Tuples are by leg (a, b); lots are signed.

    `working`: client id of each leg's open order, empty where none; never more than one a leg.
    `wanted`: what the last entry asked for. `closes`: closing tries since the pair was last held.
    """

    stance: Stance
    lots: tuple[int, int] = (0, 0)
    working: tuple[str, str] = ("", "")
    wanted: tuple[int, int] = (0, 0)
    exit_wanted: bool = False
    closes: int = 0


class Told(msgspec.Struct, frozen=True, array_like=True):
    """How far it has been told where pairs stand: the last number, the account's time then, and the latest marks'."""

    sequence: int = 0
    time_ns: int = 0
    marked_ns: int = 0


class Day(msgspec.Struct, frozen=True, array_like=True):
    """A UTC day of the account's marks, by its number since 1970, and what had been made when it began, in money."""

    number: int = -1
    made: float = 0.0


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
    """Event times of the last orders, as many as `orders_per_second`."""
    entered_ns: dict[str, tuple[int, ...]] = {}
    """Pair -> event times of its last entries, as many as `entries_per_minute`."""

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


class _Saved(msgspec.Struct, frozen=True):
    """`TraderState` without its configuration. A new field has a default: then older bytes load too."""

    killed: str
    pairs: dict[str, PairState]
    orders: dict[str, Order]
    closed: dict[str, Order]
    positions: dict[str, Position]
    marks: dict[int, ShardMarks]
    taken: dict[str, dict[str, int]]
    commands: tuple[str, ...]
    told: Told = Told()
    own_limits: Limits | None = None
    day: Day = Day()
    sent_ns: tuple[int, ...] = ()
    entered_ns: dict[str, tuple[int, ...]] = {}


VERSION = b"\x01"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode
_PARTS = _Saved.__struct_fields__


def dump(state: TraderState) -> bytes:
    """The state as bytes: a version byte, then msgpack. Equal histories give equal bytes."""
    return VERSION + _encode(_Saved(*[getattr(state, part) for part in _PARTS]))


def load(data: bytes | None, config: TraderConfig) -> TraderState:
    """The state from `dump`'s bytes; an account that has seen nothing from None. ValueError where they are no state."""
    if data is None:
        return TraderState(config)
    if data[:1] != VERSION:
        raise ValueError(
            f"state of account {config.account}: format {data[:1]!r}, this program reads {VERSION!r}: "
            "start it from a savepoint of its own version, or from the beginning of trading.events"
        )
    try:
        saved = _decode(data[1:])
    except msgspec.MsgspecError as error:
        raise ValueError(f"state of account {config.account}: not readable as format {VERSION!r}: {error}") from error
    return TraderState(config, *[getattr(saved, part) for part in _PARTS])
