"""What the trader gives besides orders: refusals, cancels, notices, drain marks."""

from pipelines.domain.orders import Order
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Booked, Decision, OrderRequest, Report, Side, Signal, TradingEvent
from pipelines.domain.universe import Instrument

NOTICE_LEG = 9
"""Where a leg is hashed into the id of an order, this is in that of a notice: an event may give both."""


def refusal(
    config: TraderConfig, event: TradingEvent, pair: str, why: str, lots: int = 0, strategy: str = ""
) -> OrderRequest:
    """A decision against orders: `why` begins with the name of a check."""
    traded = config.pairs.get(pair)
    return OrderRequest(
        client_order_id=config.order_id(cause_of(event, pair), 0),
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
        strategy=strategy,
    )


def cause_of(event: TradingEvent, pair: str) -> str:
    """What a pair's orders are hashed from: one signal or report moves one pair; marks, risk and commands may move
    many."""
    return event.event_id if isinstance(event.body, Signal | Report) or not pair else f"{event.event_id}/{pair}"


def notice(config: TraderConfig, event: TradingEvent, scope: str, text: str) -> OrderRequest:
    """A change of what an account does: it is told where its orders are. `scope` as commands name it; an event
    may change one twice."""
    client_order_id = config.order_id(f"{event.event_id}/{scope}/{text.partition(':')[0]}", NOTICE_LEG)
    return _word(config, event, Decision.NOTICE, client_order_id, reason=text, pair=scope.partition("pair:")[2])


def cancel(config: TraderConfig, event: TradingEvent, order_id: str, order: Order) -> OrderRequest:
    """A request that an order be canceled. What of it fills before that stays filled."""
    instrument = config.instruments.get(order.instrument)  # the strategy may not have it any more
    return OrderRequest(
        client_order_id=config.order_id(f"{event.event_id}/{order_id}", order.leg),
        action=Decision.CANCEL,
        account=config.account,
        event_time_ns=event.event_time_ns,
        venue=instrument.venue if instrument else "",
        instrument=order.instrument,
        side=order.side,
        quantity=order.leaves,
        order_type="market",
        limit_price=0.0,
        pair=order.pair,
        leg=order.leg,
        cause=event.event_id,
        reason="",
        strategy=order.strategy,
        target=order_id,
    )


def booking(
    config: TraderConfig,
    event: TradingEvent,
    kind: Booked,
    instrument: Instrument,
    of: tuple[str, str, int],
    lots: int,
    price: float,
    amount: float,
    text: str,
) -> OrderRequest:
    """What no venue fills: signed lots that came at a price, and money with them. `of`: strategy, pair, leg."""
    strategy, pair, leg = of
    cause = f"{event.event_id}/{kind}/{strategy}/{pair}/{instrument.id}"
    return OrderRequest(
        client_order_id=config.order_id(cause, leg),
        action=Decision.BOOKED,
        account=config.account,
        event_time_ns=event.event_time_ns,
        venue=instrument.venue,
        instrument=instrument.id,
        side=Side.SELL if lots < 0 else Side.BUY,
        quantity=abs(lots),
        order_type="",
        limit_price=price,
        pair=pair,
        leg=leg,
        cause=event.event_id,
        reason=f"{kind}: {text}",
        strategy=strategy,
        amount=amount,
    )


def drain_mark(config: TraderConfig, event: TradingEvent) -> OrderRequest:
    """A drain command passed on: the gateway answers it when every order before it has its last report."""
    return _word(config, event, Decision.DRAIN, event.event_id)


def _word(
    config: TraderConfig, event: TradingEvent, action: Decision, client_order_id: str, reason: str = "", pair: str = ""
) -> OrderRequest:
    return OrderRequest(
        client_order_id=client_order_id,
        action=action,
        account=config.account,
        event_time_ns=event.event_time_ns,
        venue="",
        instrument="",
        side=Side.BUY,
        quantity=0,
        order_type="market",
        limit_price=0.0,
        pair=pair,
        leg=0,
        cause=event.event_id,
        reason=reason,
    )
