"""An account, or part of it, closed in stages: what adds most to its risk first, the legs of a pair together.

A stage is due at marks. It closes of each pair as much as `Unwinding` lets go, and no more pairs than it takes to come
inside. Where the limit is one of measured risk, the next stage waits until an update has seen this one.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from pipelines.domain.account import Stop, Stops, TraderState
from pipelines.domain.books import crossed
from pipelines.domain.breaches import Breach, breaches, inside, measures
from pipelines.domain.exposure import worth
from pipelines.domain.moves import Decided, close, onward, reduces
from pipelines.domain.outputs import notice
from pipelines.domain.standing_checks import killed
from pipelines.domain.trading import OrderRequest, TradingEvent
from pipelines.domain.unwind_parts import claimed, has_of, held_of, in_scope, parts_of, smaller

SESSION = "session"
"""The scope of what is closed because the day is over; it is not halted then."""

PATIENCE_STAGES = 10
"""So many stages' time is waited for a risk update, no more."""


def stages(state: TraderState, event: TradingEvent) -> Decided:
    """Every stage that is due at an event's time."""
    outputs: list[OrderRequest] = []
    for scope in tuple(state.stops):
        stop = state.stops[scope]
        if stop.kind is Stops.REDUCE and event.event_time_ns >= stop.next_ns and not state.killed:
            state, made = _stage(state, event, scope, stop)
            outputs += made
    return state, tuple(outputs)


def _stage(state: TraderState, event: TradingEvent, scope: str, stop: Stop) -> Decided:
    names = in_scope(state, scope)
    held = held_of(state, names, scope)
    moving = any(state.pairs[name].moving for name in names)
    if not stop.flat and inside(state):
        return ended(state, event, scope, f"active: {_now(state, stop)}")
    broken = None if stop.flat else _worst(state, stop)
    waits_ns = PATIENCE_STAGES * state.config.unwinding.every_ns
    unseen = broken is not None and broken.measured and state.measured.as_of_ns <= stop.staged_ns
    if unseen and event.event_time_ns < stop.staged_ns + waits_ns:
        return _noted(state, scope, replace(stop, next_ns=event.event_time_ns + 1)), ()
    if not held and not moving:
        what = _now(state, stop) if stop.limit else stop.why
        state, crossings = _flat(state, event, names, scope)
        if scope == SESSION:
            state, word = ended(state, event, scope, f"flat: {stop.why}")
        else:
            state, word = halted(state, event, scope, stop, f"halted: all is closed: {what}")
        return state, crossings + word
    # What works may still fill, however long it takes: then nobody knows yet that nothing moves.
    idle = stop.idle + 1 if held == stop.held and stop.staged_ns and not moving else 0
    if idle > state.config.unwinding.patience:
        left = f"{held} lots left, {idle} stages moved none"
        if scope == SESSION:
            return ended(state, event, scope, f"not flat: {left}: {stop.why}")
        return halted(state, event, scope, stop, f"halted: {left}: {_now(state, stop)}")
    state, orders = _slices(state, event, names, scope, broken)
    next_ns = event.event_time_ns + state.config.unwinding.every_ns
    stop = replace(stop, next_ns=next_ns, staged_ns=event.event_time_ns, held=held, idle=idle)
    return _noted(state, scope, stop), orders


def _slices(
    state: TraderState, event: TradingEvent, names: Iterable[str], scope: str, broken: Breach | None
) -> Decided:
    """Orders of one stage: of everything, or until enough is closed of what is broken."""
    outputs: list[OrderRequest] = []
    room: dict[str, int] = {}
    excess, long = _excess(state, broken), _is_long(state)
    for part in parts_of(state, names, scope):
        if excess is not None and excess <= 0:
            break
        pair, traded = state.pairs[part.pair], state.config.pairs.get(part.pair)
        if pair.moving or pair.due or traded is None or killed(state, part.pair, part.strategy):
            continue
        helps = has_of(broken, part, long)
        if broken is not None and helps <= 0:
            continue  # without it there would be more of what is broken
        pair = claimed(pair)
        target = pair.targets.get(part.strategy, (0, 0, 0))
        left_room = dict(room)
        rest = smaller(state, traded, target, left_room)
        if rest == target:
            continue
        targets = {name: each for name, each in pair.targets.items() if name != part.strategy}
        if rest[2]:
            targets[part.strategy] = rest
        left = replace(pair, targets=targets, tries=0)
        if reduces(pair.lots, left.goal):
            state, orders = close(state, event, part.pair, left, part.strategy)
        elif scope.startswith("strategy:"):  # others want the opposite, and keep it
            state, orders = onward(state, event, part.pair, left, part.strategy)
        elif any(lots * of > 0 for lots, of in zip(pair.lots, target[:2], strict=True)):  # it is less than the slice
            state, orders = close(state, event, part.pair, replace(left, targets={}), part.strategy)
        else:
            continue  # another's side of it is held
        outputs, room = outputs + list(orders), left_room
        if excess is not None and target[0]:
            excess -= helps * (1 - rest[0] / target[0])
    return state, tuple(outputs)


def _is_long(state: TraderState) -> bool:
    now = worth(state)
    return now.high > -now.low


def _excess(state: TraderState, broken: Breach | None) -> float | None:
    """How much has to go; None: everything."""
    if broken is None:
        return None
    return broken.value - broken.most * (1 - state.config.unwinding.hysteresis)


def _flat(state: TraderState, event: TradingEvent, names: Iterable[str], scope: str) -> Decided:
    """Of a scope in which nothing is held: what strategies still want the opposite of each other in, they want no
    more."""
    if scope.startswith("strategy:"):
        return state, ()
    outputs: list[OrderRequest] = []
    gone = set(names)
    state = replace(state, pairs={name: pair for name, pair in state.pairs.items() if name not in gone})
    for name in sorted(gone):
        state, told = crossed(state, event, name)
        outputs += told
    return state, tuple(outputs)


def _worst(state: TraderState, stop: Stop) -> Breach | None:
    """What has to come down most, as a share of its limit; a loss where one is broken."""
    found = [each for each in breaches(state) if not each.mends] or [
        each
        for each in measures(state)
        if each.mends and each.value > each.most * (1 - state.config.unwinding.hysteresis)
    ]
    return max(found, key=lambda each: each.value / each.most, default=None)


def _now(state: TraderState, stop: Stop) -> str:
    return ", ".join(str(each) for each in measures(state) if each.limit == stop.limit) or stop.why


def _noted(state: TraderState, scope: str, stop: Stop) -> TraderState:
    return replace(state, stops=state.stops | {scope: stop})


def ended(state: TraderState, event: TradingEvent, scope: str, text: str) -> Decided:
    stops: Mapping[str, Stop] = {name: stop for name, stop in state.stops.items() if name != scope}
    return replace(state, stops=dict(stops)), (notice(state.config, event, scope, text),)


def halted(state: TraderState, event: TradingEvent, scope: str, stop: Stop, text: str) -> Decided:
    stop = replace(stop, kind=Stops.HALT, why=text.partition(": ")[2])
    return _noted(state, scope, stop), (notice(state.config, event, scope, text),)
