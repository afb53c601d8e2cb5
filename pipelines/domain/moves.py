"""A pair moved from what is held of it to what its strategies want: both legs together, settled when nothing works.

A move that adds is an entry: it stands only if both legs come to where they were to go. One that does not is broken
off: its strategy wants again what it wanted before, and what that leaves too much is closed. A move that only reduces
closes: it is tried `CLOSE_TRIES` times in all, then the pair is held as it is.
"""

from bisect import bisect_right
from collections.abc import Mapping

from msgspec.structs import replace

from pipelines.domain import standing_checks, worth_checks
from pipelines.domain.account import NOBODY, Lots, PairState, Stance, Target, TraderState
from pipelines.domain.checks import Check, reason
from pipelines.domain.market import NS_PER_S
from pipelines.domain.orders import Order
from pipelines.domain.outputs import cause_of, refusal
from pipelines.domain.proposal import Proposal
from pipelines.domain.sizing import Broken
from pipelines.domain.trading import Decision, OrderRequest, Side, TradingEvent

CLOSE_TRIES = 3
"""Closing orders of a pair in a row before it is held as it is."""

Decided = tuple[TraderState, tuple[OrderRequest, ...]]
NONE: Target = (0, 0, 0)


def reduces(lots: Lots, goal: Lots) -> bool:
    """Whether no leg comes to more than it was, or to the other side."""
    return all(have * want >= 0 and abs(want) <= abs(have) for have, want in zip(lots, goal, strict=True))


def send(state: TraderState, event: TradingEvent, name: str, pair: PairState, strategy: str) -> Decided:
    """Order what lacks from `pair.lots` to `pair.wanted`, both legs at once; `pair` is what the pair becomes, but for
    the orders it waits for."""
    config = state.config
    orders = dict(state.orders)
    working = ["", ""]
    requests: list[OrderRequest] = []
    cause = cause_of(event, name)
    for leg, instrument in enumerate(config.pairs[name].legs):
        quantity = pair.wanted[leg] - pair.lots[leg]
        if not quantity:
            continue
        order_id = config.order_id(cause, leg)
        side = Side.BUY if quantity > 0 else Side.SELL
        orders[order_id] = Order(name, leg, instrument.id, side, abs(quantity), strategy=strategy)
        working[leg] = order_id
        requests.append(
            OrderRequest(
                client_order_id=order_id,
                action=Decision.NEW,
                account=config.account,
                event_time_ns=event.event_time_ns,
                venue=instrument.venue,
                instrument=instrument.id,
                side=side,
                quantity=abs(quantity),
                order_type="market",
                limit_price=0.0,
                pair=name,
                leg=leg,
                cause=event.event_id,
                reason="",
                strategy=strategy,
            )
        )
    pair = replace(pair, working=(working[0], working[1]), due=False, due_of=NOBODY)
    kept = state.limits.messages_kept > 0
    sent_ns = _sent_ns(state, event, len(requests)) if kept else ()
    return replace(state, orders=orders, pairs=state.pairs | {name: pair}, sent_ns=sent_ns), tuple(requests)


def _sent_ns(state: TraderState, event: TradingEvent, orders: int) -> tuple[int, ...]:
    """Times of the last orders, rising: those of two seconds, as events may be late."""
    times = sorted((*state.sent_ns, *(event.event_time_ns,) * orders))
    first = bisect_right(times, times[-1] - 2 * NS_PER_S) if times else 0
    return tuple(times[max(first, len(times) - state.limits.messages_kept) :])


def close(state: TraderState, event: TradingEvent, name: str, pair: PairState, strategy: str = NOBODY) -> Decided:
    """Order what is held beyond `pair.goal` back; where that may not be, hold the pair as it is and say why."""
    refused = standing_checks.killed(state, name, strategy)
    if not refused and name not in state.config.pairs:
        refused = reason(Check.UNKNOWN_PAIR, f"{name} is not in the strategy any more, {_left(pair)}")
    if not refused and pair.tries >= CLOSE_TRIES:
        refused = reason(Check.CLOSE_TRIES, f"{name} tried {pair.tries} times, limit {CLOSE_TRIES}, {_left(pair)}")
    if refused:
        held = replace(pair, stance=side_of(pair.lots), tries=0, due=False)
        why = refusal(state.config, event, name, refused, strategy=strategy)
        return replace(state, pairs=state.pairs | {name: held}), (why,)
    pair = replace(pair, stance=Stance.EXITING, start=pair.lots, wanted=pair.goal)
    if worth_checks.messages(state, event.event_time_ns, pair):
        return _put_off(state, name, pair, strategy), ()
    return send(state, event, name, replace(pair, tries=pair.tries + 1), strategy)


def _put_off(state: TraderState, name: str, pair: PairState, strategy: str) -> TraderState:
    waits = replace(pair, stance=side_of(pair.lots), due=True, due_of=strategy)
    return replace(state, pairs=state.pairs | {name: waits})


def settle(state: TraderState, event: TradingEvent, order_id: str, order: Order, lots: int) -> Decided:
    """The order's pair after signed `lots` more of it were filled, or after it closed."""
    name, leg = order.pair, order.leg
    pair = state.pairs.get(name, PairState(Stance.FLAT))
    filled, working = list(pair.lots), list(pair.working)
    filled[leg] += lots
    if order.closed and working[leg] == order_id:
        working[leg] = ""
    pair = replace(pair, lots=(filled[0], filled[1]), working=(working[0], working[1]))
    if pair.moving:
        return replace(state, pairs=state.pairs | {name: pair}), ()
    return settled(state, event, name, pair, order.strategy)


def settled(state: TraderState, event: TradingEvent, name: str, pair: PairState, strategy: str) -> Decided:
    """A pair of which nothing works: held, dropped where it is flat, or moved on."""
    entering = pair.stance is Stance.ENTERING
    if entering and not _whole(pair) and pair.targets:
        if _completes(state, event, name, pair):
            return send(state, event, name, replace(pair, tries=pair.tries + 1), strategy)
        pair = replace(as_before(pair), tries=0)
    if not any(pair.lots) and not pair.targets:
        return replace(state, pairs={other: held for other, held in state.pairs.items() if other != name}), ()
    rests = pair.lots == pair.goal or (entering and _whole(pair) and pair.goal == pair.wanted)
    # A late fill of a pair that is held stays with it.
    if rests or pair.stance in (Stance.LONG, Stance.SHORT):
        pair = replace(pair, stance=side_of(pair.lots), tries=0)
        return replace(state, pairs=state.pairs | {name: pair}), ()
    return onward(state, event, name, pair, strategy)


def onward(state: TraderState, event: TradingEvent, name: str, pair: PairState, strategy: str) -> Decided:
    """A pair of which nothing works and that is not where its strategies want it. Where what others want of it is more
    than limits allow, all of it goes."""
    if reduces(pair.lots, pair.goal):
        return close(state, event, name, pair, strategy)
    adding = replace(pair, stance=Stance.ENTERING, start=pair.lots, wanted=pair.goal, tries=0)
    traded = state.config.pairs.get(name)
    if traded is None or standing_checks.killed(state, name, strategy):
        return close(state, event, name, pair, strategy)
    # What others want of it is not new to a strategy that is stopped.
    refused = standing_checks.stopped(state, name, NOBODY)
    if not refused:
        after, orders = send(state, event, name, adding, strategy)
        refused = worth_checks.beyond(Proposal(state, after, traded, event.event_time_ns, _delta(adding)))
        if not refused:
            return after, orders
    state, orders = close(state, event, name, replace(pair, targets={}), strategy)
    why = refusal(state.config, event, name, refused, strategy=strategy)
    # A closing order and its refusal would have the same id: the refusal goes where no order is of that leg.
    return state, orders or (why,)


def without(targets: Mapping[str, Target], strategy: str) -> dict[str, Target]:
    """What is wanted once a strategy wants nothing any more, nor anybody whatever nobody claims."""
    return {name: target for name, target in targets.items() if name not in (strategy, NOBODY)}


def side_of(lots: Lots) -> Stance:
    if not any(lots):  # of strategies that want the opposite of each other
        return Stance.FLAT
    return Stance.LONG if (lots[0] or -lots[1]) > 0 else Stance.SHORT


def as_before(pair: PairState) -> PairState:
    """Its strategy wants what it wanted before the entry; nothing, where that was the other side."""
    strategy, target = pair.before
    targets = {name: each for name, each in pair.targets.items() if name != strategy}
    if target[0] * pair.targets.get(strategy, NONE)[0] > 0:
        targets[strategy] = target
    return replace(pair, targets=targets)


def _completes(state: TraderState, event: TradingEvent, name: str, pair: PairState) -> bool:
    """Whether what lacks of an entry is ordered again, `CLOSE_TRIES` times at most."""
    traded = state.config.pairs.get(name)
    wanted = state.config.sizing.broken is Broken.COMPLETE and pair.goal == pair.wanted and any(pair.lots)
    if not wanted or traded is None or pair.tries >= CLOSE_TRIES:
        return False
    if standing_checks.stopped(state, name, pair.before[0]):
        return False
    after, _ = send(state, event, name, pair, pair.before[0])
    return not worth_checks.beyond(Proposal(state, after, traded, event.event_time_ns, _delta(pair)))


def _delta(pair: PairState) -> Lots:
    return pair.wanted[0] - pair.lots[0], pair.wanted[1] - pair.lots[1]


def _whole(pair: PairState) -> bool:
    """Each leg is where the move was to bring it, or beyond."""
    return all(
        (have - want) * (want - began) >= 0 and (want != began or have == want)
        for have, want, began in zip(pair.lots, pair.wanted, pair.start, strict=True)
    )


def _left(pair: PairState) -> str:
    return f"{pair.lots[0]}/{pair.lots[1]} lots left open"
