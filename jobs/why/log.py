"""What the present session's logs in Kafka tell of an order."""

from collections.abc import Mapping, Sequence

from infra.topics import session_id
from jobs.why.chain import Crossing, Frame, Tick, TickOf, Words
from jobs.why.log_reader import LogReader
from jobs.why.market_log import MarketLog
from jobs.why.trading_log import TradingLog
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec, SchemaOf
from pipelines.domain.trading import OrderRequest, Signal, TradingEvent


class LogEvidence:
    """Evidence out of the topics that live under a prefix."""

    source = "log"

    def __init__(
        self, reader: LogReader, topics: Topics, session: str, ids: Mapping[str, int], schema_of: SchemaOf | None = None
    ) -> None:
        """`ids`: the registry's, by record."""
        self.session = session
        self.missing: list[str] = []
        self._reader = reader

        def codec(name: str) -> Codec:
            return Codec(RECORDS[name], ids[RECORDS[name]], schema_of)

        self._trading = TradingLog(
            reader,
            topics,
            EventCodec(ids[RECORDS["trading.events"]], schema_of),
            OrderCodec(ids[RECORDS["trading.orders"]], schema_of),
        )
        self._market = MarketLog(
            reader,
            topics,
            spreads=codec("market.spreads"),
            samples=codec("market.samples"),
            blocks=BlockCodec(ids[RECORDS["market.ticks"]], schema_of),
            frames=FramesCodec(ids[RECORDS["raw"]], schema_of),
            missing=self.missing,
        )

    @classmethod
    def open(cls, bootstrap: str, registry_url: str, prefix: str) -> "LogEvidence":
        """Of the session that lives under a prefix. Raises TopicsError where there is none, RegistryError, WhyError."""
        topics = Topics(prefix)
        session = session_id(bootstrap, topics)
        registry = SchemaRegistry(registry_url)
        return cls(LogReader(bootstrap), topics, session, registry.ids(), registry.schema)

    def close(self) -> None:
        self._reader.close()

    def decisions(self, wanted: str) -> Sequence[OrderRequest]:
        return self._trading.decisions(wanted)

    def decided_with(self, order: OrderRequest) -> Sequence[OrderRequest]:
        return self._trading.decided_with(order)

    def notices(self, order: OrderRequest) -> Sequence[OrderRequest]:
        return self._trading.notices(order)

    def legs(self, order: OrderRequest) -> dict[int, str]:
        return self._trading.legs(order)

    def event(self, event_id: str, time_ns: int) -> TradingEvent | None:
        found = self._trading.event(event_id, time_ns)
        if found is None:
            self.missing.append(f"cause: {event_id} is not in trading.events")
        return found

    def words(self, order: OrderRequest) -> Words:
        return self._trading.words(order)

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        return self._market.crossings(signal, time_ns)

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        return self._market.ticks(crossing, legs)

    def frame(self, tick: Tick) -> Frame:
        return self._market.frame(tick)
