"""The trading operator: an account's log in, its decisions out. Everything it decides is `domain/trader.py`'s."""

from collections.abc import Iterator, Mapping

from pipelines.contracts.signing import trader_config
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EVENT, ORDER, POSITION, EventCodec, OrderCodec, PositionCodec
from pipelines.contracts.wire import BadRecord, Codec, SchemaOf
from pipelines.domain.account import TraderState
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.replay import take
from pipelines.domain.trading import TradingEvent
from pipelines.domain.universe import Strategy
from pipelines.operators.account_journal import AccountJournal
from pipelines.operators.bad_record import bad_record
from pipelines.operators.flink import Context, Emitted, KeyedProcessFunction, RawRecord, RuntimeContext, emit

REJECT = "helios.market.Reject"


class Trading(KeyedProcessFunction):
    """One record of trading.events in, keyed by account; at most one row of orders out, then at most one of positions.

    State: TraderState bytes, and what has changed since.

    A record that cannot be read, or is not this account's, becomes a reject that names topic, partition and offset;
    nothing stops, and the account is as it was before.
    """

    def __init__(
        self,
        strategy: Strategy,
        session_id: str,
        topics: Topics,
        schema_ids: Mapping[str, int],
        schema_of: SchemaOf | None = None,
    ) -> None:
        self._config = trader_config(strategy, session_id)
        self._topics = topics
        self._events = EventCodec(schema_ids[EVENT], schema_of)
        self._orders = OrderCodec(schema_ids[ORDER])
        self._positions = PositionCodec(schema_ids[POSITION])
        self._rejects = Codec(REJECT, schema_ids[REJECT])
        self._account: TraderState | None = None

    def open(self, runtime_context: RuntimeContext) -> None:
        self._journal = AccountJournal(runtime_context, self._config)
        self._account = None

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        try:
            event = self._read(value)
        except BadRecord as error:
            yield self._bad_record(value, str(error))
            return
        before = self._load()
        try:
            account, decided, told = take(before, event)
            orders = [self._orders.encode(order) for order in decided]
            positions = [self._positions.encode(each) for each in told]
            if account is not before:
                self._journal.save(before, account)
        except (ValueError, OverflowError) as error:  # it contradicts itself, or holds a number beyond all bounds
            yield self._bad_record(value, f"{event.event_id}: {error}")
            return
        self._account = account
        if orders:
            times_ms = [order.event_time_ns // NS_PER_MS for order in decided]
            yield emit(self._topics.orders, self._config.account, orders, times_ms)
        if positions:
            times_ms = [each.event_time_ns // NS_PER_MS for each in told]
            yield emit(self._topics.positions, self._config.account, positions, times_ms)

    def _read(self, value: RawRecord) -> TradingEvent:
        event = self._events.decode(value.value)
        key = value.key if isinstance(value.key, str) else bytes(value.key or b"").decode(errors="replace")
        if not event.account == key == self._config.account:
            raise BadRecord(
                f"{EVENT} {event.event_id}: account {event.account!r} under the key {key!r}: "
                f"{self._config.account!r} expected in both"
            )
        return event

    def _load(self) -> TraderState:
        """The account. Its bytes are read once: from then on, all that changes them is what is written here."""
        if self._account is None:
            self._account = self._journal.load()
        return self._account

    def _bad_record(self, value: RawRecord, error: str) -> Emitted:
        return bad_record(self._rejects, self._topics.rejects, value, self._topics.events, error)
