"""A session written into Kafka by hand: blocks of ticks and events of every table, for tests of what reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from kafka import KafkaProducer

from infra.topics import create_topics
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.contracts.wire import Codec
from pipelines.domain.market import TICK, Flag, Kind, Ticks

T0_NS = 1_700_000_000_000_000_000
INSTRUMENTS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "PEPEUSDT")


def ticks(count: int, first: int = 1, *, kinds: tuple[int, ...] = (0, 0, 0, 1), flags: int = int(Flag.HOME)) -> Ticks:
    """Ticks 100 us apart, sequences from `first`, all values functions of the sequence."""
    sequence = np.arange(first, first + count)
    made = np.zeros(count, dtype=TICK)
    made["sequence"] = sequence
    made["frame"] = sequence - 1
    made["instrument"] = sequence % len(INSTRUMENTS)
    made["kind"] = np.array(kinds)[sequence % len(kinds)]
    made["flags"] = flags
    made["event_ns"] = T0_NS + sequence * 100_000 + 123
    made["receive_ns"] = made["event_ns"] + 1_000_000
    made["bid"] = 100 + sequence % 97 / 100
    made["ask"] = made["bid"] + 0.01
    made["bid_size"] = made["ask_size"] = 1.5
    time_only = made["kind"] >= Kind.HEARTBEAT
    made["instrument"][time_only] = -1
    return made


def block(rows: Ticks, *, shard: int = 0, session: str = "recording-1", venue: str = "binance") -> TickBlock:
    return TickBlock(venue, session, shard, 0, 0, INSTRUMENTS, rows)


def spread_event(sequence: int, *, kind: str = "crossing", pair: str = "BTC-ETH", **values: Any) -> dict[str, Any]:
    time_ns = T0_NS + sequence * 1_000_000
    return {
        "kind": kind,
        "shard": 0,
        "sequence": sequence,
        "pair": pair,
        "event_time_ms": time_ns // 1_000_000,
        "event_time_ns": time_ns,
        "rung": 8,
        "z": 2.1,
        "z_before": 1.7,
        "spread": 1.5,
        "mean": 1.0,
        "std": 0.25,
        "beta": 0.9,
        "mid_a": 100.5,
        "mid_b": 110.0,
        "tick_session": "recording-1",
        "tick_sequence": sequence,
        **values,
    }


def samples(sequence: int, *pairs: str) -> dict[str, Any]:
    event = spread_event(sequence)
    names = ("rung", "z", "spread", "mean", "std", "beta", "mid_a", "mid_b")
    return {name: event[name] for name in ("shard", "sequence", "event_time_ms", "event_time_ns")} | {
        "samples": [{"pair": pair, **{name: event[name] for name in names}} for pair in pairs]
    }


def bar(minute: int, instrument: str = "BTCUSDT", **values: Any) -> dict[str, Any]:
    start_ms = T0_NS // 60_000_000_000 * 60_000 + minute * 60_000
    return {
        "kind": "bar",
        "venue": "binance",
        "instrument": instrument,
        "shard": 0,
        "interval_s": 60,
        "start_ms": start_ms,
        "event_time_ms": start_ms + 60_000,
        "open": 100.0,
        "high": 101.0 + minute,
        "low": 99.0 - minute,
        "close": 100.5,
        "volume": 10.0,
        "trades": 3,
        "quotes": 20,
        "bid": 100.4,
        "ask": 100.6,
        **values,
    }


def reject(frame: int, reason: str = "undecodable", **values: Any) -> dict[str, Any]:
    return {
        "venue": "binance",
        "session": "recording-1",
        "frame": frame,
        "frames": 1,
        "reason": reason,
        "detail": "not JSON",
        "event_time_ms": T0_NS // 1_000_000,
        "raw_topic": "raw.binance",
        "raw_partition": 0,
        "raw_offset": 7,
        "payload": b"{\x00garbage",
        **values,
    }


def order(number: int, *, action: str = "new", **values: Any) -> dict[str, Any]:
    time_ns = T0_NS + number * 1_000_000
    return {
        "client_order_id": f"order-{number}",
        "action": action,
        "account": "desk",
        "event_time_ms": time_ns // 1_000_000,
        "event_time_ns": time_ns,
        "venue": "sim",
        "instrument": "BTCUSDT",
        "side": "buy",
        "quantity": 5,
        "order_type": "market",
        "limit_price": 0.0,
        "pair": "BTC-ETH",
        "leg": 0,
        "cause": f"signal/{number}",
        "reason": "",
        "strategy": "",
        "checks": [],
        "target": "",
        "amount": 0.0,
        **values,
    }


def event(kind: str, event_id: str, part: Mapping[str, Any], time_ns: int = T0_NS) -> dict[str, Any]:
    parts = dict.fromkeys(("signal", "marks", "intent", "report", "command", "risk"), None)
    head = {"event_id": event_id, "kind": kind, "account": "desk"}
    return head | {"event_time_ms": time_ns // 1_000_000, "event_time_ns": time_ns} | parts | {kind: dict(part)}


def signal(number: int, **values: Any) -> dict[str, Any]:
    part = {
        "name": "pair_reversion",
        "version": "v1",
        "pair": "BTC-ETH",
        "action": "enter_long",
        "z": -2.0,
        "spread": 0.5,
        "beta": 0.9,
        "mid_a": 100.0,
        "mid_b": 110.0,
        "shard": 0,
        "first_sequence": number,
        "last_sequence": number + 1,
    }
    return event("signal", f"signal/{number}", part | values, T0_NS + number * 1_000_000)


def risk(number: int, **values: Any) -> dict[str, Any]:
    time_ns = T0_NS + number * 1_000_000
    part = {
        "as_of_ns": time_ns,
        "var": 100.0,
        "es": 150.0,
        "method": "historical",
        "confidence": 0.99,
        "instruments": ["BTCUSDT", "ETH\x00USDT"],
        "es_per_lot": [30.0, 2.0],
        "scenarios": 500,
        "deviation_per_lot": [10.0, 1.0],
        "volume_per_day": [1e6, 0.0],
        "pairs": ["BTC-ETH"],
        "pair_es": [150.0],
        "pair_incremental": [150.0],
        "gross": 1e4,
        "net": -5.0,
        "leverage": 0.1,
        "beta": 0.0,
        "liquidity_s": 9.0,
        "stress": ["crash"],
        "stress_loss": [400.0],
        "days": 3,
        "exceptions": 0,
        "zone": "green",
        "position_sequence": number,
    }
    return event("risk", f"risk/desk/{number}", part | values, time_ns)


def report(number: int, quantity: int = 5, **values: Any) -> dict[str, Any]:
    part = {
        "venue": "sim",
        "exec_id": f"exec-{number}",
        "client_order_id": f"order-{number}",
        "status": "filled",
        "instrument": "BTCUSDT",
        "side": "buy",
        "last_quantity": quantity,
        "last_price": 100.01,
        "cumulative_quantity": quantity,
        "leaves_quantity": 0,
        "text": "",
        "amends": "",
        "amended_quantity": 0,
        "amended_price": 0.0,
        "child": "",
        "child_status": "",
        "child_cumulative": 0,
    }
    return event("report", f"report/sim/exec-{number}", part | values, T0_NS + number * 1_000_000)


def command(number: int, **values: Any) -> dict[str, Any]:
    part = {"command": "kill", "scope": "desk", "operator": "trader", "reason": "lunch", "signature": ""}
    return event("command", f"command-{number}", part | values)


def marks(sequence: int) -> dict[str, Any]:
    part = {
        "shard": 0,
        "sequence": sequence,
        "instruments": ["BTCUSDT"],
        "bid": [1.0],
        "ask": [2.0],
        "time_ns": [T0_NS],
    }
    return event("marks", f"marks/0/{sequence}", part)


@dataclass
class SessionLog:
    """A session's topics, made anew, and a producer to them."""

    bootstrap: str
    registry_url: str
    topics: Topics
    shards: int = 2
    session_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.session_id = create_topics(self.bootstrap, self.topics, ("binance",), self.shards, recreate=True)
        ids = SchemaRegistry(self.registry_url).register_all()
        self.blocks = BlockCodec(ids[RECORDS["market.ticks"]])
        self.codecs = {
            name: Codec(record, ids[record]) for name, record in RECORDS.items() if record != RECORDS["market.ticks"]
        }
        self.producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5)

    def ticks(self, *blocks: TickBlock, topic: str = "market.ticks") -> None:
        for each in blocks:
            self.send(topic, self.blocks.encode(each), shard_key(each.shard, self.shards), each.ticks["event_ns"][-1])

    def write(self, name: str, *records: Mapping[str, Any]) -> None:
        """Records of a topic, by its name in RECORDS."""
        for record in records:
            self.send(name, self.codecs[name].encode(record), shard_key(0, self.shards), T0_NS)

    def send(self, name: str, value: bytes, key: str = "", time_ns: int = T0_NS) -> None:
        """Any bytes."""
        key = key or shard_key(0, self.shards)
        self.producer.send(
            f"{self.topics.prefix}{name}", value, key=key.encode(), timestamp_ms=int(time_ns) // 1_000_000
        )

    def flush(self) -> None:
        self.producer.flush()

    def close(self) -> None:
        self.producer.close()
