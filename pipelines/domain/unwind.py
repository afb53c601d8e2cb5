"""An account, or part of it, closed in stages: what adds most to its risk first, the legs of a pair together.

A stage is due at marks. It closes of each pair as much as `Unwinding` lets go, and no more pairs than it takes to come
inside. Where the limit is one of measured risk, the next stage waits until an update has seen this one.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from pipelines.domain.account import NOBODY, PairState, Stop, Stops, Target, TraderState
from pipelines.domain.books import crossed
from pipelines.domain.breaches import Breach, breaches, inside, measures
from pipelines.domain.exposure import one_lot, worth
from pipelines.domain.moves import Decided, close, onward, reduces
from pipelines.domain.outputs import notice
from pipelines.domain.standing_checks import killed
from pipelines.domain.trader_config import TradedPair
from pipelines.domain.trading import OrderRequest, TradingEvent
from pipelines.domain.unwinding import slice_lots

SESSION = "session"
"""The scope of what is closed because the day is over; it is not halted then."""

PATIENCE_STAGES = 10
"""So many stages' time is waited for a risk update, no more."""


class Part(NamedTuple):
    """What a strategy wants of a pair, how much of the risk that is, and what it is worth net."""

    pair: str
    strategy: str
    risk: float
    worth: float
    net: float


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
    held = _held(state, names, scope)
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
        state = _flat(state, names, scope)
        if scope == SESSION:
            return ended(state, event, scope, f"flat: {stop.why}")
        return halted(state, event, scope, stop, f"halted: all is closed: {what}")
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
    for part in _parts(state, names, scope):
        if excess is not None and excess <= 0:
            break
        pair, traded = state.pairs[part.pair], state.config.pairs.get(part.pair)
        if pair.moving or pair.due or traded is None or killed(state, part.pair, part.strategy):
            continue
        helps = _of(broken, part, long)
        if broken is not None and helps <= 0:
            continue  # without it there would be more of what is broken
        pair = _claimed(pair)
        target = pair.targets.get(part.strategy, (0, 0, 0))
        left_room = dict(room)
        smaller = _smaller(state, traded, target, left_room)
        if smaller == target:
            continue
        targets = {name: each for name, each in pair.targets.items() if name != part.strategy}
        if smaller[2]:
            targets[part.strategy] = smaller
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
            excess -= helps * (1 - smaller[0] / target[0])
    return state, tuple(outputs)


def _excess(state: TraderState, broken: Breach | None) -> float | None:
    """How much has to go; None: everything."""
    if broken is None:
        return None
    return broken.value - broken.most * (1 - state.config.unwinding.hysteresis)


def _of(broken: Breach | None, part: Part, long: bool) -> float:
    """What a part has in what is broken; less than none where it is against it. `long`: whether the account is."""
    if broken is None:
        return 0.0
    net = part.net if long else -part.net
    return {"es": part.risk, "var": part.risk, "net_notional": net}.get(broken.limit, part.worth)


def _is_long(state: TraderState) -> bool:
    now = worth(state)
    return now.high > -now.low


def _held(state: TraderState, names: Iterable[str], scope: str) -> int:
    """Lots that a scope still has. What a strategy has others may have the opposite of."""
    if scope.startswith("strategy:"):
        books = state.books.get(scope.removeprefix("strategy:"), {})
        return sum(abs(leg.lots) for name in names if name in books for leg in books[name].legs)
    return sum(abs(lots) for name in names for lots in state.pairs[name].lots)


def _flat(state: TraderState, names: Iterable[str], scope: str) -> TraderState:
    """Of a scope in which nothing is held: what strategies still want the opposite of each other in, they want no
    more."""
    if scope.startswith("strategy:"):
        return state
    gone = set(names)
    state = replace(state, pairs={name: pair for name, pair in state.pairs.items() if name not in gone})
    for name in sorted(gone):
        state = crossed(state, name)
    return state


def _parts(state: TraderState, names: Iterable[str], scope: str) -> list[Part]:
    """What adds most to the risk first; what was never measured by its worth, before all that was."""
    found: list[tuple[bool, Part]] = []
    for name in names:
        traded = state.config.pairs.get(name)
        if traded is None:
            continue
        pair = _claimed(state.pairs[name])
        risk = state.measured.pair_es.get(name)
        each = [one_lot(state, instrument) for instrument in traded.legs]
        whole = sum(abs(lots) * value for lots, value in zip(pair.lots, each, strict=True)) or 1.0
        for strategy, (a, b, _) in pair.targets.items():
            if scope.startswith("strategy:") and strategy and scope != f"strategy:{strategy}":
                continue
            value, net = abs(a) * each[0] + abs(b) * each[1], a * each[0] + b * each[1]
            share = value if risk is None else risk * value / whole
            found.append((risk is None, Part(name, strategy, share, value, net)))
    return [part for _, part in sorted(found, key=lambda each: (not each[0], -each[1].risk, each[1].pair))]


def _smaller(state: TraderState, traded: TradedPair, target: Target, room: dict[str, int]) -> Target:
    """A target after a stage: both legs by the same share, at most what may go of each in it. `room`: what may still go
    of an instrument in this stage."""
    how, known = state.config.unwinding, state.measured
    share = 1.0
    for instrument, lots in zip(traded.legs, target[:2], strict=True):
        if not lots:
            continue
        each, volume = one_lot(state, instrument), known.volume_per_day.get(instrument.id, 0.0)
        deviation = known.deviation_per_lot.get(instrument.id, 0.0) / each if each else 0.0
        held = [
            state.pairs[name].lots[leg] for name, leg in state.config.pairs_of[instrument.id] if name in state.pairs
        ]
        whole = slice_lots(max(sum(map(abs, held)), abs(lots)), volume, deviation, how)
        most = min(slice_lots(lots, volume, deviation, how), room.setdefault(instrument.id, whole))
        share = min(share, most / abs(lots))
    first = max(abs(target[0]), abs(target[1]))
    gone = int(share * first + 1e-9)
    if not gone:
        return target
    rest = first - gone
    left = [max(1, round(abs(lots) * rest / first)) if lots and rest else 0 for lots in target[:2]]  # both end at once
    for instrument, lots, stays in zip(traded.legs, target[:2], left, strict=True):
        if lots:
            room[instrument.id] = max(0, room[instrument.id] - (abs(lots) - stays))
    a, b = (stays if lots > 0 else -stays for lots, stays in zip(target[:2], left, strict=True))
    return a, b, target[2] if a or b else 0


def _claimed(pair: PairState) -> PairState:
    """With what nobody wants of it as nobody's target, so that it goes too."""
    a, b = pair.lots[0] - pair.goal[0], pair.lots[1] - pair.goal[1]
    if not (a or b) or pair.moving:
        return pair
    had = pair.targets.get(NOBODY, (0, 0, 0))
    return replace(pair, targets=pair.targets | {NOBODY: (had[0] + a, had[1] + b, 1)})


def in_scope(state: TraderState, scope: str) -> list[str]:
    """Pairs that are not flat and that a scope covers."""
    kind, _, name = scope.partition(":")
    if kind == "pair":
        return [name] if name in state.pairs else []
    if kind == "venue":
        of = state.config.pairs
        return [each for each in state.pairs if each in of and any(leg.venue == name for leg in of[each].legs)]
    if kind == "strategy":
        books = state.books.get(name, {})
        return [
            each
            for each, pair in state.pairs.items()
            if name in pair.targets or (each in books and any(leg.lots for leg in books[each].legs))
        ]
    return list(state.pairs)


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
