"""A signal to enter or leave, made into a move of its pair: sized, netted with what other strategies want, checked."""

from dataclasses import replace as replaced

from msgspec.structs import replace

from pipelines.domain import standing_checks, worth_checks
from pipelines.domain.account import Lots, PairState, Stance, Stop, Stops, Target, TraderState
from pipelines.domain.checks import judged
from pipelines.domain.moves import NONE, Decided, onward, reduces, send, side_of, without
from pipelines.domain.orders import MAX_LOTS
from pipelines.domain.outputs import notice, refusal
from pipelines.domain.proposal import Proposal
from pipelines.domain.sizing import Mode, kelly_share
from pipelines.domain.trader_config import TradedPair
from pipelines.domain.trading import Action, Signal, TradingEvent


def enter(state: TraderState, event: TradingEvent, pair: TradedPair, signal: Signal) -> Decided:
    """The pair moved by a unit of the signal's strategy, or one refusal that says why not."""
    strategy = state.config.strategy_of(signal.name)
    unit = size(state, pair, signal, strategy)
    state, halted = _disabled(state, event, pair.name)
    refused = standing_checks.stopped(state, pair.name, strategy)
    checks: tuple[str, ...] = ()
    if not refused:
        standing = standing_checks.standing(state, pair, signal, event.event_time_ns, strategy, unit)
        refused, checks = judged(standing)
    if refused:
        return state, (*halted, refusal(state.config, event, pair.name, refused, unit[0], strategy))
    moved = _wanted(state, pair.name, strategy, unit)
    after, orders = send(state, event, pair.name, moved, strategy)
    lots = moved.wanted[0] - moved.lots[0], moved.wanted[1] - moved.lots[1]
    new = Proposal(state, after, pair, event.event_time_ns, lots, (signal.mid_a, signal.mid_b))
    nets = reduces(moved.lots, moved.wanted)
    refused, more = judged(worth_checks.of_orders(new) if nets else worth_checks.all_checks(new))
    if refused:
        return state, (refusal(state.config, event, pair.name, refused, unit[0], strategy),)
    checked = tuple(replaced(order, checks=checks + more) for order in orders)
    return _entered(after, pair.name, event.event_time_ns), checked


def leave(state: TraderState, event: TradingEvent, name: str, signal: Signal) -> Decided:
    """The pair without what the signal's strategy wants of it. While it is moving that is remembered."""
    held = state.pairs.get(name)
    strategy = state.config.strategy_of(signal.name)
    if held is None:
        return state, ()  # flat: what is asked for is so
    targets = without(held.targets, strategy)
    if targets == held.targets and (held.moving or held.lots == held.goal):
        return state, ()  # on its way there, or of other strategies alone
    held = replace(held, targets=targets)
    if held.moving:
        held = replace(held, tries=0) if held.stance is Stance.EXITING else held
        return replace(state, pairs=state.pairs | {name: held}), ()
    if held.lots == held.goal:
        return _nothing_to_do(state, name, held), ()
    return onward(state, event, name, replace(held, tries=0), strategy)


def size(state: TraderState, pair: TradedPair, signal: Signal, strategy: str) -> Lots:
    """Signed lots by leg: money of the first leg at the signal's mid, the second by its beta.

    Long the spread buys a and sells beta of b. A leg that cannot be sized (no price, not a number, absurd) is 0.
    """
    a, b = pair.legs
    worth = signal.mid_a * a.lot_size
    lots_a = _lots(_money(state, pair, strategy, worth) / worth) if worth > 0 else 0
    lots_b = _lots(lots_a * a.lot_size * abs(signal.beta) / b.lot_size)
    sign = 1 if signal.action is Action.ENTER_LONG else -1
    return sign * lots_a, -sign * lots_b if signal.beta > 0 else sign * lots_b


def _money(state: TraderState, pair: TradedPair, strategy: str, worth: float) -> float:
    """Of the first leg, in its currency."""
    sizing = state.config.sizing
    money = pair.capital or sizing.leg_notional
    if sizing.mode is Mode.VOLATILITY:
        deviation = state.measured.deviation_per_lot.get(pair.legs[0].id, 0.0)
        return min(sizing.cap * money, sizing.risk / deviation * worth) if deviation > 0 else money
    if sizing.mode is Mode.KELLY:
        book = state.books.get(strategy, {}).get(pair.name)
        if book is not None and book.trips >= sizing.trips:
            return money * kelly_share(book.trips, book.returns, book.squares, sizing.kelly, sizing.cap)
    return money


def _lots(exact: float) -> int:
    return round(exact) if 0 < exact < MAX_LOTS else 0


def _wanted(state: TraderState, name: str, strategy: str, unit: Lots) -> PairState:
    """The pair with one unit more wanted by a strategy; the other side of what it had turns it around."""
    held = state.pairs.get(name, PairState(Stance.FLAT))
    had = held.targets.get(strategy, NONE)
    same = had[0] * unit[0] > 0
    target: Target = (had[0] + unit[0], had[1] + unit[1], had[2] + 1) if same else (*unit, 1)
    pair = replace(held, targets=held.targets | {strategy: target}, before=(strategy, had), tries=0, start=held.lots)
    stance = Stance.EXITING if reduces(held.lots, pair.goal) else Stance.ENTERING
    return replace(pair, wanted=pair.goal, stance=stance)


def _nothing_to_do(state: TraderState, name: str, pair: PairState) -> TraderState:
    """What is wanted changed, what is held need not."""
    if not pair.targets and not any(pair.lots):
        return replace(state, pairs={other: held for other, held in state.pairs.items() if other != name})
    return replace(state, pairs=state.pairs | {name: replace(pair, stance=side_of(pair.lots))})


def _disabled(state: TraderState, event: TradingEvent, pair: str) -> Decided:
    """A pair that was entered as often as it may be without a person: halted until one resumes it."""
    limit, count = state.limits.repeats, state.repeated.get(pair, 0)
    scope = f"pair:{pair}"
    if limit is None or count < limit or scope in state.stops:
        return state, ()
    why = f"repeats: {pair} was entered {count} times since a person last looked, limit {limit}"
    stops = state.stops | {scope: Stop(Stops.HALT, why, event.event_time_ns)}
    return replace(state, stops=stops), (notice(state.config, event, scope, f"halted: {why}"),)


def _entered(state: TraderState, pair: str, time_ns: int) -> TraderState:
    if state.limits.repeats is not None:
        state = replace(state, repeated=state.repeated | {pair: state.repeated.get(pair, 0) + 1})
    kept = state.limits.entries_per_minute
    if kept is None:
        return replace(state, entered_ns={}) if state.entered_ns else state
    times_ns = tuple(sorted((*state.entered_ns.get(pair, ()), time_ns))[-kept:])
    return replace(state, entered_ns=state.entered_ns | {pair: times_ns})
