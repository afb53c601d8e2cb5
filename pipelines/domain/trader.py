"""The trader: one account advanced by one event of its log. Pure: no clock, no I/O; same inputs, same outputs.

The rules, plainly:

- A pair is moved from what is held of it to what the account's strategies want of it together, both legs at once, by
  one order a leg at most. An entry needs a pair of which nothing works, and all checks; it stands only if both legs
  fill whole. Once both orders are closed and it does not, whatever has been filled is closed at once (the cause of the
  closing orders is the report that closed the last of them), or ordered again first where the sizing says so.
- An exit closes exactly what is filled. While an entry is still working it is remembered, and done when that is over.
  It is refused by a kill alone: closing reduces risk, and by the way limits count it cannot exceed one.
- A closing order that comes back unfilled is sent again at once, `CLOSE_TRIES` times in all; then the pair is held as
  it is, a refusal says so, and the next exit tries again.
- A fill that comes after its order was closed moves the position; if the pair is flat, it is closed at once.
- While a scope is killed no order of it goes out, not even a closing one: what is filled meanwhile stays, and the next
  exit after `resume` closes it. What works is asked to be canceled.
- Limits are watched as marks, fills and risk updates come. One that breaks makes the account REDUCE: entries are
  refused, those that work are canceled, and pairs are closed in stages, until it is inside again, or HALTED.
- Orders of marks that are on both sides of an instrument are crossed inside the account first, at the mark.
- A split or a dividend holds from the first marks whose time has come to it: lots and money are booked by it.
- What was taken once does nothing the second time: signals and marks by sequence, reports by exec id and cumulative
  quantity, commands by id, risk updates by their time.
- Every entry that is not a repeat gives orders or one refusal. An exit gives orders, is remembered while entering, and
  does nothing where the pair is flat or closing.
"""

from msgspec.structs import replace

from pipelines.domain.account import SOURCES_KEPT, PairState, ShardMarks, TraderState
from pipelines.domain.amendments import amend
from pipelines.domain.booking import book
from pipelines.domain.checks import Check, reason
from pipelines.domain.commands import obey
from pipelines.domain.corporate import acted, caught_up
from pipelines.domain.day import day_of
from pipelines.domain.entries import enter, leave
from pipelines.domain.measure import measured
from pipelines.domain.moves import close
from pipelines.domain.netting import netted
from pipelines.domain.orders import sent
from pipelines.domain.outputs import refusal
from pipelines.domain.trading import (
    Action,
    Command,
    Marks,
    OrderRequest,
    Report,
    RiskUpdate,
    Signal,
    TradingEvent,
)
from pipelines.domain.watch import watch

Step = tuple[TraderState, tuple[OrderRequest, ...]]


def step(state: TraderState, event: TradingEvent) -> Step:
    """The account after one event of its log, and what it decides: orders, cancels, refusals, notices, drain marks.

    ValueError where the event cannot be the account's: another's, or marks whose arrays differ in length.
    """
    if event.account != state.config.account:
        raise ValueError(f"event {event.event_id} is of account {event.account!r}, this is {state.config.account!r}")
    match event.body:
        case Marks() as marks:
            return _on_marks(state, event, marks)
        case Report() as report:
            after, outputs = (amend if report.amends else book)(state, event, report)
            moved = after.positions is not state.positions
            return _then_watch(after, event, outputs) if moved else (after, outputs)
        case OrderRequest() as intent:
            return _on_intent(state, intent), ()
        case Signal() as signal:
            return _on_signal(state, event, signal)
        case Command() as command:
            return obey(state, event, command)
        case RiskUpdate() as update:
            after = measured(state, update)
            return (state, ()) if after is state else _then_watch(after, event, ())


def _then_watch(state: TraderState, event: TradingEvent, outputs: tuple[OrderRequest, ...]) -> Step:
    state, more = watch(state, event)
    return state, outputs + more


def _on_marks(state: TraderState, event: TradingEvent, marks: Marks) -> Step:
    if not 0 <= marks.shard < state.config.shards:
        return state, ()
    last = state.marks.get(marks.shard)
    if last is not None and marks.sequence <= last.sequence:
        return state, ()
    quotes = dict(zip(marks.instruments, zip(marks.bid, marks.ask, marks.time_ns, strict=True), strict=True))
    if not state.config.instruments.keys() >= quotes.keys():
        quotes = {name: quote for name, quote in quotes.items() if name in state.config.instruments}
    silent = last.state if last is not None else {}
    if silent or any(marks.state):
        told = dict(zip(marks.instruments, marks.state or (0,) * len(marks.instruments), strict=True))
        silent = {name: bits for name, bits in (silent | told).items() if bits and name in state.config.instruments}
    quotes = caught_up(state, event, quotes)
    state, booked = acted(state, event)
    last = state.marks.get(marks.shard)
    if last is not None:
        new, quotes = quotes, last.quotes | quotes
        state.sheet.quoted(last.quotes, quotes, new)
    state = day_of(state, event)
    marked = state.marks | {marks.shard: ShardMarks(marks.sequence, quotes, silent)}
    state = replace(state, marks=marked, marked_ns=max(state.marked_ns, event.event_time_ns))
    state, late = _put_off(state, event)
    state, decided = _then_watch(state, event, late)
    state, decided = netted(state, event, decided)
    return state, booked + decided


def _put_off(state: TraderState, event: TradingEvent) -> Step:
    """Closing orders that waited for the message rate."""
    outputs: list[OrderRequest] = []
    for name in [name for name, pair in state.pairs.items() if pair.due]:
        pair: PairState = state.pairs[name]
        state, orders = close(state, event, name, replace(pair, due=False), pair.due_of)
        outputs += orders
    return state, tuple(outputs)


def _on_signal(state: TraderState, event: TradingEvent, signal: Signal) -> Step:
    pair = state.config.pairs.get(signal.pair)
    if pair is None:
        why = f"{signal.pair!r} is not one of the strategy's {len(state.config.pairs)} pairs"
        return state, (refusal(state.config, event, signal.pair, reason(Check.UNKNOWN_PAIR, why)),)
    source, what = f"{signal.name}/{signal.version}", f"{signal.action.value}/{signal.pair}"
    sequences = state.taken.get(source, {})
    if signal.last_sequence <= sequences.get(what, -1):
        return state, ()
    taken = {name: others for name, others in state.taken.items() if name != source}
    if len(taken) >= SOURCES_KEPT:
        del taken[next(iter(taken))]
    taken[source] = sequences | {what: signal.last_sequence}
    state = replace(state, taken=taken)
    if signal.action is Action.EXIT:
        return leave(state, event, signal.pair, signal)
    return enter(state, event, pair, signal)


def _on_intent(state: TraderState, intent: OrderRequest) -> TraderState:
    order = state.orders.get(intent.client_order_id)
    if order is None:
        return state
    return replace(state, orders=state.orders | {intent.client_order_id: sent(order)})
