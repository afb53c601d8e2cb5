"""The two legs of a pair: sent together, settled when nothing of them works any more, closed when they must be."""

from msgspec.structs import replace

from pipelines.domain import checks
from pipelines.domain.account import PairState, Stance, TraderConfig, TraderState
from pipelines.domain.checks import Check, reason
from pipelines.domain.orders import Order
from pipelines.domain.trading import Decision, OrderRequest, Side, TradingEvent

CLOSE_TRIES = 3
"""Closing orders of a pair in a row before it is held as it is."""

Decided = tuple[TraderState, tuple[OrderRequest, ...]]
Lots = tuple[int, int]
"""Signed lots by leg."""


def send(state: TraderState, event: TradingEvent, name: str, pair: PairState, lots: Lots) -> Decided:
    """Order signed lots by leg, both legs at once; `pair` is what the pair becomes, but for the orders it waits for."""
    config = state.config
    legs = config.pairs[name].legs
    orders = dict(state.orders)
    working = ["", ""]
    requests: list[OrderRequest] = []
    for leg, quantity in enumerate(lots):
        if not quantity:
            continue
        order_id = config.order_id(event.event_id, leg)
        instrument = legs[leg]
        side = Side.BUY if quantity > 0 else Side.SELL
        orders[order_id] = Order(name, leg, instrument.id, side, abs(quantity))
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
            )
        )
    pair = replace(pair, working=(working[0], working[1]))
    kept = state.limits.orders_per_second or 0
    sent_ns = tuple(sorted((*state.sent_ns, *(event.event_time_ns for _ in requests)))[-kept:]) if kept else ()
    return replace(state, orders=orders, pairs=state.pairs | {name: pair}, sent_ns=sent_ns), tuple(requests)


def close(state: TraderState, event: TradingEvent, name: str, pair: PairState) -> Decided:
    """Order back exactly what is filled of both legs; where that may not be, hold the pair as it is and say why."""
    refused = checks.killed(state)
    if not refused and name not in state.config.pairs:
        refused = reason(Check.UNKNOWN_PAIR, f"{name} is not in the strategy any more, {_left(pair)}")
    if not refused and pair.closes >= CLOSE_TRIES:
        refused = reason(Check.CLOSE_TRIES, f"{name} tried {pair.closes} times, limit {CLOSE_TRIES}, {_left(pair)}")
    if refused:
        held = replace(pair, stance=_side_of(pair.lots), exit_wanted=False, closes=0)
        return replace(state, pairs=state.pairs | {name: held}), (refusal(state.config, event, name, refused),)
    pair = replace(pair, stance=Stance.EXITING, exit_wanted=False, closes=pair.closes + 1)
    return send(state, event, name, pair, (-pair.lots[0], -pair.lots[1]))


def settle(state: TraderState, event: TradingEvent, order_id: str, order: Order, lots: int) -> Decided:
    """The order's pair after signed `lots` more of it were filled, or after it closed."""
    name, leg = order.pair, order.leg
    pair = state.pairs.get(name, PairState(Stance.FLAT))
    filled, working = list(pair.lots), list(pair.working)
    filled[leg] += lots
    if order.closed and working[leg] == order_id:
        working[leg] = ""
    pair = replace(pair, lots=(filled[0], filled[1]), working=(working[0], working[1]))
    if any(working):
        return replace(state, pairs=state.pairs | {name: pair}), ()
    if not any(filled):
        return replace(state, pairs={other: held for other, held in state.pairs.items() if other != name}), ()
    if pair.stance is Stance.ENTERING and _whole(pair) and not pair.exit_wanted:
        return replace(state, pairs=state.pairs | {name: replace(pair, stance=_side_of(pair.lots))}), ()
    if pair.stance in (Stance.LONG, Stance.SHORT):
        return replace(state, pairs=state.pairs | {name: pair}), ()
    return close(state, event, name, pair)


def refusal(config: TraderConfig, event: TradingEvent, pair: str, why: str, lots: int = 0) -> OrderRequest:
    """The one word that a refused event gives: of the pair's first leg, with the signed lots it would have been."""
    traded = config.pairs.get(pair)
    return OrderRequest(
        client_order_id=config.order_id(event.event_id, 0),
        action=Decision.REFUSED,
        account=config.account,
        event_time_ns=event.event_time_ns,
        venue=traded.legs[0].venue if traded else "",
        instrument=traded.legs[0].id if traded else "",
        side=Side.SELL if lots < 0 else Side.BUY,
        quantity=abs(lots),
        order_type="market",
        limit_price=0.0,
        pair=pair,
        leg=0,
        cause=event.event_id,
        reason=why,
    )


def drain_mark(config: TraderConfig, event: TradingEvent) -> OrderRequest:
    """A drain command passed on: the gateway answers it when every order before it has its last report."""
    mark = refusal(config, event, "", "")
    return OrderRequest(
        client_order_id=event.event_id,
        action=Decision.DRAIN,
        account=mark.account,
        event_time_ns=mark.event_time_ns,
        venue="",
        instrument="",
        side=mark.side,
        quantity=0,
        order_type=mark.order_type,
        limit_price=0.0,
        pair="",
        leg=0,
        cause=event.event_id,
        reason="",
    )


def _whole(pair: PairState) -> bool:
    """Each leg is filled as the entry wanted it, or beyond."""
    return all(have * want > 0 and abs(have) >= abs(want) for have, want in zip(pair.lots, pair.wanted, strict=True))


def _side_of(lots: Lots) -> Stance:
    return Stance.LONG if (lots[0] or -lots[1]) > 0 else Stance.SHORT


def _left(pair: PairState) -> str:
    return f"{pair.lots[0]}/{pair.lots[1]} lots left open"
