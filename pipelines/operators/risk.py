"""The risk operator: bars and positions of an account in, its risk out. What it decides is `domain/risk.py`'s."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.contracts.risk_file import load_history
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EVENT, POSITION, EventCodec, PositionCodec
from pipelines.contracts.wire import BadRecord, Codec, Record, SchemaOf
from pipelines.domain.bars import INTERVAL_NS, INTERVAL_S
from pipelines.domain.identity import risk_id
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.risk import Bar, RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_saved import dump, load
from pipelines.domain.risk_told import update
from pipelines.domain.standing import Standing
from pipelines.domain.trading import TradingEvent
from pipelines.domain.universe import Strategy
from pipelines.operators.bad_record import bad_record
from pipelines.operators.flink import Context, Emitted, KeyedProcessFunction, RawRecord, RuntimeContext, emit
from pipelines.operators.journal import Entry, Journal, Size

BAR = "helios.market.Bar"
REJECT = "helios.market.Reject"

LATEST_MS = 4_611_686_018_427
"""Year 2116: a time beyond it is none."""


@dataclass(slots=True)
class _Held:
    """The account, and how big its journal has grown."""

    state: RiskState
    size: Size = field(default_factory=Size)


class Risk(KeyedProcessFunction):
    """One record of market.bars or trading.positions in, all under the account's key; at most one event out.

    State: RiskState bytes and the records since. The window is too big to be written for each record.

    A record that cannot be read, or is of nothing that the strategy has, becomes a reject that names topic, partition
    and offset; nothing stops, and the account is as it was before.
    """

    def __init__(
        self, strategy: Strategy, topics: Topics, schema_ids: Mapping[str, int], schema_of: SchemaOf | None = None
    ) -> None:
        self._strategy = strategy
        self._config = RiskConfig.of(strategy)
        self._topics = topics
        self._bars = Codec(BAR, schema_ids[BAR], schema_of)
        self._positions = PositionCodec(schema_ids[POSITION], schema_of)
        self._events = EventCodec(schema_ids[EVENT])
        self._rejects = Codec(REJECT, schema_ids[REJECT])
        self._held: _Held | None = None

    def open(self, runtime_context: RuntimeContext) -> None:
        self._journal = Journal(runtime_context, "risk")
        self._held = None

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        held = self._load()
        data, of_account = bytes(value.value or b""), value.key == self._config.account
        try:
            due = self._take(held.state, data, of_account)
        except ValueError as error:
            yield self._bad_record(value, str(error))
            return
        self._save(held, data, of_account)
        if due:
            state, account = held.state, self._config.account
            event_id = risk_id(account, state.time_ns, state.sequence)
            event = TradingEvent(event_id, account, state.time_ns, update(state))
            yield emit(self._topics.events, account, [self._events.encode(event)], [state.time_ns // NS_PER_MS])

    def _take(self, state: RiskState, data: bytes, of_account: bool) -> bool:
        """Whether the risk is to be told. `of_account`: it lay under the account's key, so it is a position; bars lie
        under their shards'. BadRecord, ValueError: the state is as it was before."""
        read = self._position(data) if of_account else _bar_of(self._bars.decode(data))
        match read:
            case Standing():
                return state.take_position(read)
            case Bar():
                state.take_bar(read)
            case (shard, time_ns):
                state.take_beat(shard, time_ns)
            case None:
                pass
        return False

    def _position(self, data: bytes) -> Standing:
        told, account = self._positions.decode(data), self._config.account
        if told.account != account:
            raise BadRecord(f"{POSITION} {told.sequence}: account {told.account!r} under the key {account!r}")
        return told

    def _load(self) -> _Held:
        """The account. Its bytes are read once: from then on, all that changes them is what is written here."""
        if self._held is None:
            base = self._journal.base()
            if base is None:
                state = RiskState.empty(self._config)
                history = load_history(self._strategy)
                if history is not None:
                    state.fill(*history)
                base = dump(state)
                self._journal.renew(base)
            held = _Held(load(base, self._config), Size(len(base)))
            for entry in self._journal.entries():
                self._take(held.state, entry.record, bool(entry.numbers[0]))
                held.size.take(len(entry.record))
            self._held = held
        return self._held

    def _save(self, held: _Held, data: bytes, of_account: bool) -> None:
        held.size.take(self._journal.add(Entry((int(of_account), 0), data)))
        if held.size.due:
            base = dump(held.state)
            self._journal.renew(base)
            held.size = Size(len(base))

    def _bad_record(self, value: RawRecord, error: str) -> Emitted:
        """Which of its topics, the record's key tells."""
        topic = self._topics.positions if value.key == self._config.account else self._topics.bars
        return bad_record(self._rejects, self._topics.rejects, value, topic, error, "risk")


def _bar_of(record: Record) -> Bar | tuple[int, int] | None:
    """A bar at the mid of its last quote, or at its close; or a heartbeat: shard and time. Raises BadRecord."""
    if not 0 <= record["start_ms"] <= record["event_time_ms"] < LATEST_MS:
        raise BadRecord(f"{BAR}: from {record['start_ms']} ms, closed at {record['event_time_ms']}: not times")
    if record["kind"] == "heartbeat":
        return record["shard"], record["event_time_ms"] * NS_PER_MS
    if record["interval_s"] != INTERVAL_S:
        return None
    bid, ask, volume = record["bid"], record["ask"], record["volume"]
    price = 0.5 * (bid + ask) if 0 < bid <= ask else record["close"]
    start_ns = record["start_ms"] * NS_PER_MS
    where = f"{BAR} of {record['instrument']} from {record['start_ms']} ms"
    if not (math.isfinite(price) and price > 0):
        raise BadRecord(f"{where}: {price:g} is no price: one above 0 expected")
    if not (math.isfinite(volume) and volume >= 0) or start_ns % INTERVAL_NS:
        raise BadRecord(f"{where}: volume {volume:g}: full minutes and volumes from 0 on expected")
    return Bar(record["shard"], start_ns, record["instrument"], price, volume)
