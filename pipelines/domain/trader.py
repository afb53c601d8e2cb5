"""The trader: one account advanced by one event of its log. Pure: no clock, no I/O; same inputs, same outputs.

The rules, plainly:

- An entry needs a flat pair with nothing working, and all checks; both legs are decided together. It stands only if
  both legs fill whole. Once both orders are closed and it does not, whatever has been filled is closed at once (the
  cause of the closing orders is the report that closed the last of them).
- An exit closes exactly what is filled. While an entry is still working it is remembered, and done when that is over.
  It is refused by the kill switch alone: closing reduces risk, and by the way limits count it cannot exceed one.
- A closing order that comes back unfilled is sent again at once, `CLOSE_TRIES` times in all; then the pair is held as
  it is, a refusal says so, and the next exit tries again.
- A fill that comes after its order was closed moves the position; if the pair is flat, it is closed at once.
- While the account is killed no order goes out, not even a closing one: what is filled meanwhile stays, and the next
  exit after `resume` closes it.
- What was taken once does nothing the second time: signals and marks by sequence, reports by exec id and cumulative
  quantity, commands by id.
- Every entry that is not a repeat gives orders or one refusal. An exit gives orders, is remembered while entering, and
  does nothing where the pair is flat or closing.
"""

from msgspec.structs import replace

from pipelines.domain import checks
from pipelines.domain.account import COMMANDS_KEPT, SOURCES_KEPT, Day, PairState, ShardMarks, Stance, TraderState
from pipelines.domain.booking import book
from pipelines.domain.checks import Check, reason
from pipelines.domain.exposure import made
from pipelines.domain.legs import close, drain_mark, refusal, send
from pipelines.domain.limits import LimitError, change
from pipelines.domain.orders import sent
from pipelines.domain.rollups import DAY_NS
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

Step = tuple[TraderState, tuple[OrderRequest, ...]]


def step(state: TraderState, event: TradingEvent) -> Step:
    """The account after one event of its log, and what it decides: orders, refusals, drain marks.

    ValueError where the event cannot be the account's: another's, or marks whose arrays differ in length.
    """
    if event.account != state.config.account:
        raise ValueError(f"event {event.event_id} is of account {event.account!r}, this is {state.config.account!r}")
    match event.body:
        case Marks() as marks:
            return _on_marks(state, event, marks), ()
        case Report() as report:
            return book(state, event, report)
        case OrderRequest() as intent:
            return _on_intent(state, intent), ()
        case Signal() as signal:
            return _on_signal(state, event, signal)
        case Command() as command:
            return _on_command(state, event, command)
        case RiskUpdate():
            return state, ()


def _on_marks(state: TraderState, event: TradingEvent, marks: Marks) -> TraderState:
    if not 0 <= marks.shard < state.config.shards:
        return state
    last = state.marks.get(marks.shard)
    if last is not None and marks.sequence <= last.sequence:
        return state
    quotes = dict(zip(marks.instruments, zip(marks.bid, marks.ask, marks.time_ns, strict=True), strict=True))
    if not state.config.instruments.keys() >= quotes.keys():
        quotes = {name: quote for name, quote in quotes.items() if name in state.config.instruments}
    if last is not None:
        quotes = last.quotes | quotes
    if event.event_time_ns // DAY_NS > state.day.number:
        state = replace(state, day=Day(event.event_time_ns // DAY_NS, made(state)))
    return replace(state, marks=state.marks | {marks.shard: ShardMarks(marks.sequence, quotes)})


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
        return _on_exit(state, event, signal.pair)
    wanted = checks.size(state.config, pair, signal)
    refused = checks.entry(state, pair, signal, event.event_time_ns, wanted)
    if refused:
        return state, (refusal(state.config, event, signal.pair, refused, wanted[0]),)
    state = _entered(state, signal.pair, event.event_time_ns)
    return send(state, event, signal.pair, PairState(Stance.ENTERING, wanted=wanted), wanted)


def _entered(state: TraderState, pair: str, time_ns: int) -> TraderState:
    kept = state.limits.entries_per_minute
    if kept is None:
        return replace(state, entered_ns={}) if state.entered_ns else state
    times_ns = tuple(sorted((*state.entered_ns.get(pair, ()), time_ns))[-kept:])
    return replace(state, entered_ns=state.entered_ns | {pair: times_ns})


def _on_exit(state: TraderState, event: TradingEvent, name: str) -> Step:
    pair = state.pairs.get(name)
    if pair is not None and pair.stance is Stance.ENTERING:
        return replace(state, pairs=state.pairs | {name: replace(pair, exit_wanted=True)}), ()
    if pair is not None and pair.stance is not Stance.EXITING:
        return close(state, event, name, replace(pair, closes=0))
    return state, ()  # flat, or on its way there: what is asked for is so


def _on_intent(state: TraderState, intent: OrderRequest) -> TraderState:
    order = state.orders.get(intent.client_order_id)
    if order is None:
        return state
    return replace(state, orders=state.orders | {intent.client_order_id: sent(order)})


def _on_command(state: TraderState, event: TradingEvent, command: Command) -> Step:
    if event.event_id in state.commands:
        return state, ()
    state = replace(state, commands=(*state.commands[1 - COMMANDS_KEPT :], event.event_id))
    match command.command:
        case "kill":  # whatever its scope: to stop more than was meant is the safe mistake
            return replace(state, killed=f"{command.operator}: {command.reason}"), ()
        case "resume" if command.scope == state.config.account:
            return replace(state, killed=""), ()
        case "limit":
            try:
                return replace(state, own_limits=change(state.limits, command.scope)), ()
            except LimitError as error:
                return state, (refusal(state.config, event, "", reason(Check.BAD_LIMIT, str(error))),)
        case "drain":
            return state, (drain_mark(state.config, event),)
        case "gateway_started" | "drained":
            return state, ()
    why = reason(Check.UNKNOWN_COMMAND, f"{command.command!r} of scope {command.scope!r} by {command.operator}")
    return state, (refusal(state.config, event, "", why),)
