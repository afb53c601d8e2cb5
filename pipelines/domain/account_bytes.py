"""An account's state as bytes, and back: what is kept in Flink's state, and in its savepoints."""

import msgspec

from pipelines.domain.account import NOBODY, Book, Day, Measured, PairState, ShardMarks, Stance, Stop, Told, TraderState
from pipelines.domain.booking import marked_ticks
from pipelines.domain.limits import Limits
from pipelines.domain.orders import Order
from pipelines.domain.positions import Position
from pipelines.domain.trader_config import TraderConfig


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
    stops: dict[str, Stop] = {}
    books: dict[str, dict[str, Book]] = {}
    costs: float = 0.0
    measured: Measured = Measured()
    unmeasured: tuple[tuple[int, str, int], ...] = ()
    marked_ns: int = 0
    watched_ns: int = 0
    peak: float | None = None
    amended: tuple[str, ...] = ()
    flattened: int = -1
    repeated: dict[str, int] = {}
    canceled_ns: tuple[int, ...] = ()


VERSION = b"\x02"
WITHOUT_TARGETS = b"\x01"
"""Of bytes in which a pair did not say who wants what of it."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode
_PARTS = _Saved.__struct_fields__


def dump(state: TraderState) -> bytes:
    """The state as bytes: a version byte, then msgpack. Equal histories give equal bytes."""
    return VERSION + _encode(_Saved(**{part: getattr(state, part) for part in _PARTS}))


def load(data: bytes | None, config: TraderConfig) -> TraderState:
    """The state from `dump`'s bytes; an account that has seen nothing from None. ValueError where they are no state."""
    if data is None:
        return TraderState(config)
    if data[:1] not in (VERSION, WITHOUT_TARGETS):
        raise ValueError(
            f"state of account {config.account}: format {data[:1]!r}, this program reads {VERSION!r}: "
            "start it from a savepoint of its own version, or from the beginning of trading.events"
        )
    try:
        saved = _decode(data[1:])
    except msgspec.MsgspecError as error:
        raise ValueError(f"state of account {config.account}: not readable as format {VERSION!r}: {error}") from error
    state = TraderState(config, **{part: getattr(saved, part) for part in _PARTS})
    return state if data[:1] == VERSION else _with_targets(state)


def _with_targets(state: TraderState) -> TraderState:
    """What was entered and not on its way out again is wanted, by nobody in particular."""
    found = {}
    for name, pair in state.pairs.items():
        stays = pair.stance in (Stance.LONG, Stance.SHORT)
        lots = pair.lots if stays else pair.wanted
        wanted = stays or (pair.stance is Stance.ENTERING and not pair.exit_wanted)
        found[name] = msgspec.structs.replace(
            pair,
            targets={NOBODY: (*lots, 1)} if wanted else {},
            before=(NOBODY, (0, 0, 0)),
            wanted=(0, 0) if pair.stance is Stance.EXITING else pair.wanted,
        )
    return msgspec.structs.replace(state, pairs=found, books={NOBODY: _books(state)})


def _books(state: TraderState) -> dict[str, Book]:
    """Nobody's books of what was held: lots at their average cost. What had been made of an instrument by then is in
    the book of the first pair that has it, so that books add up to positions."""
    books: dict[str, Book] = {}
    for id, of in state.config.pairs_of.items():
        rest = state.position(id)
        for name, leg in reversed(of):
            lots = state.pairs[name].lots[leg] if name in state.pairs else 0
            mine = Position(lots, -lots * _average(state, id), lots * _average(state, id))
            rest = Position(rest.lots - mine.lots, rest.cash - mine.cash)
            if (name, leg) == of[0]:
                mine = Position(mine.lots + rest.lots, mine.cash + rest.cash, mine.cost)
            if mine != Position():
                legs = list(books.get(name, Book()).legs)
                legs[leg] = mine
                books[name] = Book((legs[0], legs[1]))
    return books


def _average(state: TraderState, id: str) -> int:
    """What a lot was paid for, in ticks; where long and short lots of pairs are even, what it is marked at."""
    position = state.position(id)
    if position.lots:
        return round(position.cost / position.lots)
    return marked_ticks(state, id)
