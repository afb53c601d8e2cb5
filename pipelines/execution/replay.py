"""What the simulated venue must have done, computed again from the logs alone: its fills are a function of them."""

import heapq
from collections import defaultdict
from collections.abc import Iterable

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.matching import MatchConfig, fault, match, match_time_ns
from pipelines.domain.trading import Decision, OrderRequest, Report, TradingEvent
from pipelines.domain.universe import Strategy
from pipelines.execution.books import ShardBooks


def expected_fills(
    orders: Iterable[OrderRequest], ticks: Iterable[TickBlock], strategy: Strategy, config: MatchConfig
) -> list[TradingEvent]:
    """Every fill that these orders have on these ticks, in order of match time; orders past the ticks' end have none.

    `ticks` is market.ticks, each shard's blocks in the order of its log, shards in any; repeated blocks and repeated
    orders change nothing. Holds in memory what lies between the oldest unmatched order and the newest block.
    """
    waiting: dict[int, list[tuple[int, str, OrderRequest]]] = defaultdict(list)
    new = {order.client_order_id: order for order in orders if order.action == Decision.NEW}
    for order in new.values():
        if not fault(order, strategy.instrument_by_id.get(order.instrument)):
            shard = strategy.shards_by_instrument[order.instrument][0]
            heapq.heappush(waiting[shard], (match_time_ns(order, config), order.client_order_id, order))
    books = {shard: ShardBooks({order.instrument for _, _, order in heap}) for shard, heap in waiting.items()}
    fills: list[TradingEvent] = []
    for block in ticks:
        heap = waiting.get(block.shard)
        if not heap:
            continue
        shard_books = books[block.shard]
        shard_books.take(block)
        while heap and heap[0][0] < shard_books.time_ns:
            at_ns, _, order = heapq.heappop(heap)
            quote = shard_books.quote(order.instrument, at_ns)
            reports = match(order, strategy.instrument_by_id[order.instrument], quote, config)
            fills += [event for event in reports if isinstance(event.body, Report) and event.body.last_quantity]
        if heap:
            shard_books.forget(heap[0][0])
    return sorted(fills, key=lambda event: event.event_time_ns)
