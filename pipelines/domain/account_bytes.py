"""An account's state as bytes, and back: what is kept in Flink's state, and in its savepoints.

It is kept whole, and as what has changed of it since: an event changes little of what hundreds of pairs are.
"""

from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec

from pipelines.domain.account import NOBODY, Book, ShardMarks, Stance, TraderState
from pipelines.domain.booking import marked_ticks
from pipelines.domain.differences import Fields
from pipelines.domain.positions import Position
from pipelines.domain.trader_config import TraderConfig

VERSION = b"\x03"
"""Of the whole and of changes alike. Another is due where a field's type changes, or where its dict is told apart."""
WITHOUT_CHANGES = b"\x02"
"""Of bytes that are all there is: a program that knows no changes would lose them."""
WITHOUT_TARGETS = b"\x01"
"""Of bytes in which a pair did not say who wants what of it."""

NOT_KEPT = frozenset({"config", "sheet"})
ALWAYS = frozenset({"killed", "pairs", "orders", "closed", "positions", "marks", "taken", "commands"})
"""In bytes of every format. A field that is not has a default: then older bytes load too."""


def _saved() -> Any:
    """The type of what is kept: `TraderState` without what is not."""
    kinds = get_type_hints(TraderState)
    fields = [each for each in msgspec.structs.fields(TraderState) if each.name not in NOT_KEPT]
    told = [
        (each.name, kinds[each.name]) if each.name in ALWAYS else (each.name, kinds[each.name], _default(each))
        for each in fields
    ]
    return msgspec.defstruct("Saved", told, frozen=True, kw_only=True)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    given = field.default is not msgspec.NODEFAULT
    return field.default if given else msgspec.field(default_factory=field.default_factory)


_Saved = _saved()
_PARTS = _Saved.__struct_fields__
_CHANGES = Fields(TraderState, apart={ShardMarks}, without=NOT_KEPT)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode
_decode_changes = msgspec.msgpack.Decoder(_CHANGES.wire).decode


def dump(state: TraderState) -> bytes:
    """The state as bytes: a version byte, then msgpack. Equal histories give equal bytes."""
    return VERSION + _encode({part: getattr(state, part) for part in _PARTS})


def load(data: bytes | None, config: TraderConfig) -> TraderState:
    """The state from `dump`'s bytes; an account that has seen nothing from None. ValueError where they are no state."""
    if data is None:
        return TraderState(config)
    saved = _read(data, config, _decode, (VERSION, WITHOUT_CHANGES, WITHOUT_TARGETS))
    state = TraderState(config, **{part: getattr(saved, part) for part in _PARTS})
    return _with_targets(state) if data[:1] == WITHOUT_TARGETS else state


def dump_changes(then: TraderState, now: TraderState) -> bytes:
    """What is another object in `now` than in the state that it came from, as bytes; a version byte before it."""
    return VERSION + _encode(_CHANGES.between(then, now))


def load_changes(state: TraderState, data: bytes) -> TraderState:
    """The state after changes of it, equal to that which `dump_changes` was given: its bytes are the same, and so are
    its decisions. ValueError where `data` are no changes."""
    told = _read(data, state.config, _decode_changes, (VERSION,))
    after: TraderState = _CHANGES.applied(state, told)
    return after


def _read(data: bytes, config: TraderConfig, decode: Callable[[bytes], Any], formats: tuple[bytes, ...]) -> Any:
    if data[:1] not in formats:
        raise ValueError(
            f"state of account {config.account}: format {data[:1]!r}, this program reads {VERSION!r}: "
            "start it from a savepoint of its own version, or from the beginning of trading.events"
        )
    try:
        return decode(data[1:])
    except msgspec.MsgspecError as error:
        raise ValueError(f"state of account {config.account}: not readable as format {VERSION!r}: {error}") from error


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
    # Corporate actions until then have been seen to: by hand, as that program knew none.
    marked_ns = max((quote[2] for marks in state.marks.values() for quote in marks.quotes.values()), default=0)
    return msgspec.structs.replace(state, pairs=found, books={NOBODY: _books(state)}, marked_ns=marked_ns)


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
