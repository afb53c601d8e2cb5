"""The spread engine alone, in this process: the kernel, and the kernel with what it reads and writes."""

import gc
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.contracts.blocks import BlockCodec
from pipelines.domain.shard import Shard
from pipelines.domain.spread_state import SpreadState
from pipelines.domain.universe import Strategy
from pipelines.operators.spread_engine import SpreadEngine


@dataclass(frozen=True, slots=True)
class Alone:
    """CPU seconds of the same blocks: the kernel over columns; with the Avro in and out; and what it gave, records."""

    kernel_s: float
    with_avro_s: float
    records: Mapping[str, int]
    """By what they are, as `Made` names them."""


def engine_alone(strategy: Strategy, codec: BlockCodec, schema_ids: dict[str, int], values: Sequence[bytes]) -> Alone:
    """Run the blocks through two engines, one after the other. The kernels are compiled before."""
    shard = Shard.of(strategy, 0)
    blocks = [codec.decode(value) for value in values]
    for block in blocks[:1]:
        SpreadEngine(shard, SpreadState(shard), strategy.account, schema_ids).take(block)
    gc.collect()
    bare = SpreadEngine(shard, SpreadState(shard), strategy.account, schema_ids)
    began = time.process_time()
    for block in blocks:
        for _ in bare.advance(block):
            pass
    kernel_s = time.process_time() - began
    del blocks
    whole = SpreadEngine(shard, SpreadState(shard), strategy.account, schema_ids)
    counts: Counter[str] = Counter()
    began = time.process_time()
    for value in values:
        for name, (made, _) in whole.take(codec.decode(value))._asdict().items():
            counts[name] += len(made)
    with_avro_s = time.process_time() - began
    return Alone(kernel_s, with_avro_s, counts)
