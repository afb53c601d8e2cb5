"""Topic names, partitions and keys. One shard, one partition, one writer; one account, one log."""

from dataclasses import dataclass
from functools import cache
from itertools import count

from kafka.partitioner import murmur2

MAX_PARALLELISM = 128
"""Key groups of every job; part of the placement of shards, so it never changes."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics; `prefix` keeps sessions on one broker apart."""

    prefix: str = ""

    def raw(self, venue: str) -> str:
        return f"{self.prefix}raw.{venue}"

    @property
    def ticks(self) -> str:
        return f"{self.prefix}market.ticks"

    @property
    def books(self) -> str:
        return f"{self.prefix}market.books"

    @property
    def rejects(self) -> str:
        return f"{self.prefix}market.rejects"

    @property
    def spreads(self) -> str:
        return f"{self.prefix}market.spreads"

    @property
    def samples(self) -> str:
        return f"{self.prefix}market.samples"

    @property
    def bars(self) -> str:
        return f"{self.prefix}market.bars"

    @property
    def pair_bars(self) -> str:
        return f"{self.prefix}market.pair_bars"

    @property
    def snapshots(self) -> str:
        return f"{self.prefix}market.snapshots"

    @property
    def events(self) -> str:
        return f"{self.prefix}trading.events"

    @property
    def orders(self) -> str:
        return f"{self.prefix}trading.orders"

    @property
    def positions(self) -> str:
        return f"{self.prefix}trading.positions"

    @property
    def shadow(self) -> str:
        """What signal versions give outside the event time in which they are live: records of `events`."""
        return f"{self.prefix}signals.shadow"

    def named(self, name: str) -> str:
        """The topic of a name in RECORDS."""
        return f"{self.prefix}{name}"

    def partitions(self, venues: tuple[str, ...], shards: int) -> dict[str, int]:
        """Every topic of a session, with its number of partitions."""
        market = (self.ticks, self.books, self.spreads, self.samples, self.bars, self.pair_bars, self.snapshots)
        by_shard = dict.fromkeys(market, shards)
        single = dict.fromkeys((self.rejects, self.events, self.orders, self.positions, self.shadow), 1)
        return {self.raw(venue): 2 for venue in venues} | by_shard | single


RECORDS = {
    "raw": "helios.market.RawFrames",
    "market.ticks": "helios.market.TickBlock",
    "market.books": "helios.market.TickBlock",
    "market.rejects": "helios.market.Reject",
    "market.spreads": "helios.market.SpreadEvent",
    "market.samples": "helios.market.SpreadSamples",
    "market.bars": "helios.market.Bar",
    "market.pair_bars": "helios.market.PairBars",
    "market.snapshots": "helios.market.Snapshots",
    "trading.events": "helios.trading.TradingEvent",
    "trading.orders": "helios.trading.OrderRequest",
    "trading.positions": "helios.trading.Position",
    "signals.shadow": "helios.trading.TradingEvent",
}
"""Which Avro record a topic holds (`raw` stands for every raw.<venue>): its name is its subject in the registry."""


@cache
def shard_key(shard: int, shards: int) -> str:
    """The key of a shard, such that Kafka's hash puts shard k on partition k, and Flink's on subtask k of as many."""
    if not 0 <= shard < shards <= MAX_PARALLELISM:
        raise ValueError(f"no shard {shard} of {shards}: shards are numbered from 0, and are {MAX_PARALLELISM} at most")
    keys = (f"shard-{shard}-{salt}" for salt in count())
    return next(key for key in keys if flink_subtask(key, shards) == shard == kafka_partition(key.encode(), shards))


def kafka_partition(key: bytes, partitions: int) -> int:
    """Kafka's default partitioner."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def flink_subtask(key: str, parallelism: int, max_parallelism: int = MAX_PARALLELISM) -> int:
    """Flink's KeyGroupRangeAssignment for a key as PyFlink has it: a Row of one string."""
    return _murmur_int(_row_hash(key)) % max_parallelism * parallelism // max_parallelism


def _row_hash(text: str) -> int:
    """Of `Row.of(text)`: hashed as an array in an array."""
    return (31 + 31 + _java_hash(text)) & 0xFFFFFFFF


def _java_hash(text: str) -> int:
    value = 0
    for char in text:
        value = (31 * value + ord(char)) & 0xFFFFFFFF
    return value


def _murmur_int(code: int) -> int:
    """Flink's MathUtils.murmurHash: murmur3 of one 32-bit block."""
    code = code * 0xCC9E2D51 & 0xFFFFFFFF
    code = (code << 15 | code >> 17) & 0xFFFFFFFF
    code = code * 0x1B873593 & 0xFFFFFFFF
    code = (code << 13 | code >> 19) & 0xFFFFFFFF
    code = (code * 5 + 0xE6546B64) & 0xFFFFFFFF
    code ^= 4
    code ^= code >> 16
    code = code * 0x85EBCA6B & 0xFFFFFFFF
    code ^= code >> 13
    code = code * 0xC2B2AE35 & 0xFFFFFFFF
    code ^= code >> 16
    signed = code - (1 << 32) if code & 0x80000000 else code
    return 0 if signed == -(1 << 31) else abs(signed)
