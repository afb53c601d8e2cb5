"""Limits watched as marks, fills and risk updates come: one that breaks takes the account down, in order."""

from msgspec.structs import replace

from pipelines.domain.account import Stance, Stop, Stops, TraderState
from pipelines.domain.breaches import Breach, breaches, watches
from pipelines.domain.exposure import made
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.moves import Decided, as_before
from pipelines.domain.orders import Order
from pipelines.domain.outputs import cancel, notice
from pipelines.domain.trading import Marks, OrderRequest, TradingEvent
from pipelines.domain.unwind import SESSION, stages
from pipelines.domain.unwind_parts import in_scope

EVERY_NS = 100 * NS_PER_MS
"""How often marks are held against the limits: shards tell theirs apart, each as often as this."""


def watch(state: TraderState, event: TradingEvent) -> Decided:
    """The account after an event that may have broken a limit, made a stage due or ended the day."""
    outputs: tuple[OrderRequest, ...] = ()
    marked = isinstance(event.body, Marks)
    if watches(state) and not (marked and event.event_time_ns < state.watched_ns + EVERY_NS):
        state, outputs = _held_against(state, event, marked)
    if not marked:
        return state, outputs
    state, ended = _day_over(state, event)
    if not state.stops:
        return state, outputs + ended
    state, unwound = stages(state, event)
    return state, outputs + ended + unwound


def _held_against(state: TraderState, event: TradingEvent, marked: bool) -> Decided:
    if state.limits.drawdown is not None:
        state = replace(state, peak=max(state.peak or 0.0, made(state)))
    if marked:
        state = replace(state, watched_ns=event.event_time_ns)
    account = state.config.account
    stop = state.stops.get(account)
    if stop is not None and (stop.kind is Stops.HALT or stop.flat):
        return state, ()
    broken = breaches(state)
    if not broken or (stop is not None and broken[0].mends):
        return state, ()
    return _reduced(state, event, broken[0])


def _reduced(state: TraderState, event: TradingEvent, breach: Breach) -> Decided:
    """REDUCING: what works and adds is canceled, what it was to add is not wanted any more, the stages begin."""
    account = state.config.account
    stop = Stop(Stops.REDUCE, str(breach), event.event_time_ns, breach.limit, not breach.mends)
    state = replace(state, stops=state.stops | {account: stop})
    word = notice(state.config, event, account, f"reducing: {breach}")
    state, cancels = called_off(state, event, account)
    return state, (word, *cancels)


def called_off(state: TraderState, event: TradingEvent, scope: str, *, exits: bool = False) -> Decided:
    """Cancels of what works in a scope: of entries, whose strategies then want what they did before, and of `exits`."""
    outputs: list[OrderRequest] = []
    orders, pairs = dict(state.orders), dict(state.pairs)
    whose = scope.removeprefix("strategy:") if scope.startswith("strategy:") else None
    for name in in_scope(state, scope):
        pair = pairs[name]
        if not pair.moving or not (exits or pair.stance is Stance.ENTERING):
            continue
        if pair.stance is Stance.ENTERING and whose in (None, pair.before[0]):
            pairs[name] = as_before(pair)
        for order_id in filter(None, pair.working):
            order = orders[order_id]
            if order.cancel or whose not in (None, order.strategy):
                continue
            asked = cancel(state.config, event, order_id, order)
            orders[order_id] = _asked(order, asked)
            outputs.append(asked)
    kept = state.limits.messages_per_second
    asked_ns = (*state.canceled_ns, *(event.event_time_ns for _ in outputs))
    times_ns = tuple(sorted(asked_ns))[-kept:] if kept else ()
    return replace(state, orders=orders, pairs=pairs, canceled_ns=times_ns), tuple(outputs)


def _asked(order: Order, asked: OrderRequest) -> Order:
    return replace(order, cancel=asked.client_order_id)


def _day_over(state: TraderState, event: TradingEvent) -> Decided:
    """At the time of day at which everything is to be closed, once a day."""
    day = state.config.times.flattens(event.event_time_ns)
    if day < 0 or day == state.flattened:
        return state, ()
    state = replace(state, flattened=day)
    if not state.pairs:
        return state, ()
    times = state.config.times
    why = f"everything is closed at {times.flatten_at} {times.zone}"
    stop = Stop(Stops.REDUCE, why, event.event_time_ns, flat=True)
    state = replace(state, stops=state.stops | {SESSION: stop})
    state, cancels = called_off(state, event, SESSION)
    return state, (notice(state.config, event, SESSION, f"flattening: {why}"), *cancels)
