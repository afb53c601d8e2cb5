"""The spread engine alone, in this process: the kernel, and the kernel with what it reads and writes."""

import gc
import time
from collections.abc import Sequence
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
    records: tuple[int, int, int, int]
    """Marks, bars, samples, spread events."""


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
    counts = [0, 0, 0, 0]
    began = time.process_time()
    for value in values:
        for place, (made, _) in enumerate(whole.take(codec.decode(value))):
            counts[place] += len(made)
    with_avro_s = time.process_time() - began
    marks, bars, samples, spreads = counts
    return Alone(kernel_s, with_avro_s, (marks, bars, samples, spreads))
