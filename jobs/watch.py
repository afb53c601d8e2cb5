"""Reads a session's topics as they grow and keeps what the screen and the summary tell of it."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka import KafkaConsumer, TopicPartition

from jobs.screen import FLOW, PositionLine, Snapshot, clock
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.identity import signal_id
from pipelines.domain.market import Flag, Kind
from pipelines.domain.positions import FLAT, Position
from pipelines.domain.trading import (
    Command,
    Decision,
    Marks,
    OrderRequest,
    OrderStatus,
    Report,
    Side,
    Signal,
    TradingEvent,
)
from pipelines.domain.universe import Instrument, Strategy
from pipelines.execution.open_order import NOT_SENT

RATE_WINDOW_S = 3.0


@dataclass
class Tally:
    """What has been seen, each event once, in whatever order the topics were read."""

    instruments: Mapping[str, Instrument]
    counts: Counter[str] = field(default_factory=Counter)
    rejects_by_reason: Counter[str] = field(default_factory=Counter)
    event_ns: int = 0
    ended: set[str] = field(default_factory=set)
    """Feed sessions whose end record was seen."""
    drained: set[str] = field(default_factory=set)
    """Ids of the drain commands that came through."""
    refusals: Counter[str] = field(default_factory=Counter)
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=16))
    _frames: dict[str, int] = field(default_factory=dict)
    _ticks: dict[tuple[int, str, str], int] = field(default_factory=dict)
    _numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _positions: dict[str, Position] = field(default_factory=dict)
    _marks: dict[str, float] = field(default_factory=dict)

    def used_frames(self) -> int:
        """Frames that gave a tick or were set aside: all of them, once everything is through."""
        return self.counts["ticks"] + self.counts["rejects"] - self.rejects_by_reason["gap"]

    def left(self, frames: int, ticks: int | None) -> int:
        """What is not through of so many frames; of so many ticks, where frames hold many each."""
        return frames - self.used_frames() if ticks is None else ticks - self.counts["ticks"]

    def raw(self, codec: FramesCodec, value: bytes) -> None:
        record = codec.decode(value)
        above = record.first_sequence + len(record.frames)
        seen = self._frames.get(record.session, 0)
        self.counts["frames"] += max(0, above - max(seen, record.first_sequence))
        self._frames[record.session] = max(seen, above)
        if record.end:
            self.ended.add(record.session)

    def ticks(self, codec: BlockCodec, value: bytes) -> None:
        block = codec.decode(value)
        if not len(block.ticks):
            return
        key = (block.shard, block.venue, block.session)
        mark = self._ticks.get(key, 0)
        rows = block.ticks[block.ticks["sequence"] > mark]
        if not len(rows):
            return
        self._ticks[key] = int(rows["sequence"][-1])
        traded = rows[rows["kind"] <= Kind.TRADE]
        self.counts["ticks"] += int(((traded["flags"] & Flag.HOME) != 0).sum())
        if len(traded):
            self.event_ns = max(self.event_ns, int(traded["event_ns"].max()))

    def reject(self, codec: Codec, value: bytes) -> None:
        record = codec.decode(value)
        if self._first(f"reject/{record['venue']}/{record['session']}/{record['frame']}/{record['reason']}"):
            self.counts["rejects"] += 1
            self.rejects_by_reason[record["reason"]] += 1

    def spread(self, codec: Codec, value: bytes) -> None:
        record = codec.decode(value)
        if record["kind"] == "crossing" and self._above(("crossing", record["shard"]), record["sequence"]):
            self.counts["spreads"] += 1

    def samples(self, codec: Codec, value: bytes) -> None:
        record = codec.decode(value)
        if self._above(("sample", record["shard"]), record["sequence"]):
            self.counts["spreads"] += len(record["samples"])

    def order(self, codec: OrderCodec, value: bytes) -> None:
        order = codec.decode(value)
        if order.action == Decision.DRAIN or not self._first(f"order/{order.client_order_id}/{order.action}"):
            return
        if order.action == Decision.REFUSED:
            self.counts["refused"] += 1
            self.refusals[order.reason.split(":")[0]] += 1
            self._tell(order.event_time_ns, f"refused {order.pair}: {order.reason}")
        elif order.action != Decision.NEW:
            self._tell(order.event_time_ns, f"{order.action} {order.target or order.reason}")
        else:
            self.counts["orders"] += 1
            self._tell(order.event_time_ns, f"order {order.side} {order.quantity} {order.instrument}")

    def event(self, codec: EventCodec, value: bytes) -> None:
        event = codec.decode(value)
        match event.body:
            case Marks() as marks:
                for name, bid, ask in zip(marks.instruments, marks.bid, marks.ask, strict=True):
                    self._marks[name] = 0.5 * (bid + ask)
            case Signal() as signal:
                self._signal(event, signal)
            case OrderRequest() as intent:
                self.counts["children" if intent.target else "intents"] += self._first(event.event_id)
            case Report() as report:
                self._report(event, report)
            case Command(command="drained") as command:
                self.drained.add(command.scope)

    def _signal(self, event: TradingEvent, signal: Signal) -> None:
        if self._first(signal_id(signal.name, signal.version, signal.pair, signal.last_sequence, signal.action)):
            self.counts["signals"] += 1
            self._tell(event.event_time_ns, f"signal {signal.pair} {signal.action} z {signal.z:+.2f}")

    def _report(self, event: TradingEvent, report: Report) -> None:
        if not self._first(event.event_id):
            return
        self.counts["reports"] += 1
        refused = report.status == OrderStatus.REJECTED and report.text.startswith(NOT_SENT)
        self.counts["not_sent"] += refused and not report.child
        if report.amends and report.amended_quantity:
            self._trade(report, -report.amended_quantity, report.amended_price)
            self._tell(event.event_time_ns, f"{report.venue} amends fill {report.amends} of {report.instrument}")
        if report.last_quantity:
            self.counts["fills"] += 1
            self._trade(report, report.last_quantity, report.last_price)
            told = f"fill {report.side} {report.last_quantity} {report.instrument} at {report.last_price}"
            self._tell(event.event_time_ns, told)

    def _trade(self, report: Report, lots: int, price: float) -> None:
        signed = lots if report.side == Side.BUY else -lots
        ticks = round(price / self.instruments[report.instrument].tick_size)
        self._positions[report.instrument] = self._positions.get(report.instrument, FLAT).traded(signed, ticks)

    def positions(self) -> tuple[tuple[PositionLine, ...], float, float]:
        """A line for each instrument traded, realised and unrealised P&L."""
        lines, realised, unrealised = [], 0.0, 0.0
        for name, position in sorted(self._positions.items()):
            instrument = self.instruments[name]
            money = instrument.tick_size * instrument.lot_size
            mark = self._marks.get(name, 0.0)
            open_profit = position.unrealised(mark / instrument.tick_size) * money if mark else 0.0
            average = position.cost / position.lots * instrument.tick_size if position.lots else 0.0
            lines.append(PositionLine(name, position.lots, average, mark, open_profit))
            realised += position.realised * money
            unrealised += open_profit
        return tuple(lines), realised, unrealised

    def _above(self, log: tuple[str, int], number: int) -> bool:
        """Whether it is the highest number of its log yet."""
        if number <= self._numbers.get(log, 0):
            return False
        self._numbers[log] = number
        return True

    def _first(self, event_id: str) -> bool:
        if event_id in self._taken:
            return False
        self._taken.add(event_id)
        return True

    def _tell(self, event_ns: int, line: str) -> None:
        self.latest.append(f"{clock(event_ns)} {line}")


class Watch:
    """Follows all topics of a session from their beginning."""

    def __init__(self, bootstrap: str, topics: Topics, strategy: Strategy, registry: SchemaRegistry) -> None:
        """Records of other releases of the schemas are read too: jobs may be changed while a session runs."""
        self.tally = Tally(strategy.instrument_by_id)
        ids, known = registry.ids(), registry.schema
        frames = FramesCodec(ids[RECORDS["raw"]], known)
        blocks = BlockCodec(ids[RECORDS["market.ticks"]], known)
        rejects, spreads, samples = (
            Codec(RECORDS[topic], ids[RECORDS[topic]], known)
            for topic in ("market.rejects", "market.spreads", "market.samples")
        )
        events = EventCodec(ids[RECORDS["trading.events"]], known)
        orders = OrderCodec(ids[RECORDS["trading.orders"]], known)
        self._take = {
            topics.ticks: lambda value: self.tally.ticks(blocks, value),
            topics.rejects: lambda value: self.tally.reject(rejects, value),
            topics.spreads: lambda value: self.tally.spread(spreads, value),
            topics.samples: lambda value: self.tally.samples(samples, value),
            topics.events: lambda value: self.tally.event(events, value),
            topics.orders: lambda value: self.tally.order(orders, value),
        } | {topics.raw(venue.name): lambda value: self.tally.raw(frames, value) for venue in strategy.venues}
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            # To be drawn four times a second: a few large fetches, not one for each record.
            fetch_min_bytes=1 << 20,
            fetch_max_wait_ms=100,
        )
        wide = topics.partitions(tuple(venue.name for venue in strategy.venues), strategy.shards)
        self._consumer.assign([TopicPartition(name, part) for name in self._take for part in range(wide[name])])
        self._consumer.seek_to_beginning()
        self._started = time.monotonic()
        self._history: deque[tuple[float, Counter[str]]] = deque()

    def poll(self, timeout_s: float = 0.1) -> int:
        """Take what has come; how many records that was. A record that cannot be read is its reader's to report."""
        polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=10_000)
        taken = 0
        for partition, records in polled.items():
            take = self._take[partition.topic]
            for record in records:
                try:
                    take(record.value)  # type: ignore[no-untyped-call]
                except ValueError:
                    self.tally.counts["unreadable"] += 1
                taken += 1
        return taken

    def snapshot(self, title: str, stage: str, progress: float, rows: int) -> Snapshot:
        now = time.monotonic()
        self.tally.counts["rows"] = rows
        self._history.append((now, Counter(self.tally.counts)))
        while now - self._history[0][0] > RATE_WINDOW_S:
            self._history.popleft()
        then, before = self._history[0]
        rates = {name: (self.tally.counts[name] - before[name]) / (now - then) if now > then else 0.0 for name in FLOW}
        lines, realised, unrealised = self.tally.positions()
        return Snapshot(
            title=title,
            stage=stage,
            elapsed_s=now - self._started,
            event_time_ns=self.tally.event_ns,
            progress=progress,
            counts=dict(self.tally.counts),
            rates=rates,
            lag={"ticks": f"{max(self.tally.counts['frames'] - self.tally.used_frames(), 0):,} frames"},
            rejects_by_reason=dict(self.tally.rejects_by_reason),
            positions=lines,
            realised=realised,
            unrealised=unrealised,
            latest=tuple(self.tally.latest),
        )

    def close(self) -> None:
        self._consumer.close()
