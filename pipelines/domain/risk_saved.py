"""The state of an account's risk as bytes: a version byte, the length of a msgpack head, the head, and raw arrays."""

import struct

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipelines.domain.risk import RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_days import Days
from pipelines.domain.risk_window import Minutes, Window

Floats = NDArray[np.float64]

VERSION = 1
_START = struct.Struct("<BI")


class _Head(msgspec.Struct, frozen=True):
    """`columns` of the arrays that follow, each of float64 and of shape (instruments, columns): prices, rows, volumes,
    then two for each minute of `pending`. Instruments go by name: a strategy may list them otherwise."""

    instruments: tuple[str, ...]
    columns: tuple[int, ...]
    lots: dict[str, tuple[int, int]]
    row_ns: int
    shard_ns: tuple[int, ...]
    closed_ns: int
    pending: tuple[int, ...]
    sequence: int
    time_ns: int
    told_ns: int
    days: Days


def dump(state: RiskState) -> bytes:
    """Equal states give equal bytes."""
    config, window, minutes = state.config, state.window, state.minutes
    ends = sorted(minutes.pending)
    arrays = [window.prices[:, None], window.rows, window.volumes]
    arrays += [values[:, None] for end_ns in ends for values in minutes.pending[end_ns]]
    held = np.flatnonzero(state.lots.any(axis=1)).tolist()
    head = _Head(
        instruments=config.instruments,
        columns=tuple(each.shape[1] for each in arrays),
        lots={config.pairs[place]: (int(state.lots[place, 0]), int(state.lots[place, 1])) for place in held},
        row_ns=window.row_ns,
        shard_ns=tuple(minutes.shard_ns.tolist()),
        closed_ns=minutes.closed_ns,
        pending=tuple(ends),
        sequence=state.sequence,
        time_ns=state.time_ns,
        told_ns=state.told_ns,
        days=state.days,
    )
    told = msgspec.msgpack.encode(head)
    return b"".join((_START.pack(VERSION, len(told)), told, *(np.ascontiguousarray(each).tobytes() for each in arrays)))


def load(data: bytes, config: RiskConfig) -> RiskState:
    """The state from `dump`'s bytes. An instrument that was not there has no price and has never moved; the lots of a
    pair that is not there any more are gone. ValueError where the bytes are no state."""
    version, size = _START.unpack_from(data) if len(data) >= _START.size else (0, 0)
    if version != VERSION:
        raise ValueError(
            f"risk of account {config.account}: state of format {data[:1]!r}, this program reads {VERSION}: start it "
            "from a savepoint of its own version, or from the beginning of its topics"
        )
    try:
        head = msgspec.msgpack.decode(data[_START.size : _START.size + size], type=_Head)
    except msgspec.MsgspecError as error:
        raise ValueError(f"risk of account {config.account}: state that cannot be read: {error}") from error
    arrays = _arrays(data[_START.size + size :], head, config)
    settings, window = config.settings, Window(arrays[0][:, 0], head.row_ns, *arrays[1:3])
    window.rows = np.ascontiguousarray(window.rows[:, -settings.window :])
    minutes = Minutes.empty(len(config.instruments), config.shards)
    if len(head.shard_ns) == config.shards:
        minutes.shard_ns = np.array(head.shard_ns, np.int64)
    minutes.closed_ns = head.closed_ns
    for number, end_ns in enumerate(head.pending):
        prices, volumes = arrays[3 + 2 * number : 5 + 2 * number]
        minutes.pending[end_ns] = prices[:, 0].copy(), volumes[:, 0].copy()
    lots = np.zeros((len(config.pairs), 2), np.int64)
    for pair, of_legs in head.lots.items():
        if pair in config.pair_places:
            lots[config.pair_places[pair]] = of_legs
    days = head.days if head.instruments == config.instruments else Days(exceeded=head.days.exceeded)
    return RiskState(config, window, minutes, lots, head.sequence, head.time_ns, head.told_ns, days)


def _arrays(data: bytes, head: _Head, config: RiskConfig) -> list[Floats]:
    """By place in `config`; what is not among those of the state is 0, of prices NaN."""
    count = len(head.instruments)
    if len(data) != 8 * count * sum(head.columns):
        raise ValueError(f"risk of account {config.account}: state of {len(data)} bytes of arrays: it was cut off")
    there = {name: place for place, name in enumerate(head.instruments)}
    known = [place for place, name in enumerate(config.instruments) if name in there]
    taken = [there[config.instruments[place]] for place in known]
    found, at = [], 0
    for number, columns in enumerate(head.columns):
        of_prices = number == 0 or (number > 2 and number % 2 == 1)
        array = np.full((len(config.instruments), columns), np.nan if of_prices else 0.0)
        read = np.frombuffer(data, np.float64, count * columns, at).reshape(count, columns)
        array[known] = read[taken]
        found.append(array)
        at += 8 * count * columns
    return found
