"""How the chain of an order is put together from what its evidence tells. Pure: the evidence looks things up."""

from collections.abc import Sequence

from jobs.why.chain import Cause, Chain, Crossing, Evidence, Frame, NotThere, TickOf, WhyError
from pipelines.domain.trading import Decision, OrderRequest, Report, Signal, TradingEvent

SHORTEST_ID = 8
"""Characters of an order's id that are enough to look for it by."""

LONGEST_PATH = 10
"""Reports between an order and its signal that are followed."""


def explain(evidence: Evidence, wanted: str, at_most: int) -> Chain:
    """The chain of the order whose id begins with `wanted`; ticks and frames of the last `at_most` crossings.

    Raises WhyError for an id that is too short or of several orders, NotThere for one of none.
    """
    decisions = evidence.decisions(wanted)
    order = chosen(decisions, wanted, evidence.session)
    causes = _causes(evidence, order)
    root = causes[-1].event
    signal = root if root is not None and isinstance(root.body, Signal) else None
    together = evidence.decided_with(order)
    crossings: Sequence[Crossing] = ()
    if signal is not None and isinstance(signal.body, Signal):
        crossings = evidence.crossings(signal.body, signal.event_time_ns)
    legs = evidence.legs(order) if crossings else {}
    ticks = _ticks(evidence, crossings, legs | _legs(order, *together), at_most)
    words = evidence.words(order)
    return Chain(
        session=evidence.session,
        source=evidence.source,
        order=order,
        siblings=tuple(each for each in together if _id(each) != _id(order) and each.action != Decision.NOTICE),
        causes=causes,
        notices=_notices(evidence, order, signal),
        signal=signal,
        crossings=tuple(crossings),
        ticks=ticks,
        frames=_frames(evidence, ticks),
        intent=words.intent,
        reports=tuple(words.reports),
        children=tuple(words.children),
        cancels=tuple(each for each in decisions if each.target == order.client_order_id),
        missing=tuple(dict.fromkeys(evidence.missing)),
    )


def chosen(decisions: Sequence[OrderRequest], wanted: str, session: str) -> OrderRequest:
    """The one order whose id begins so: sent, if it was; else refused; else what else it is."""
    if len(wanted) < SHORTEST_ID:
        raise WhyError(f"{wanted!r} is too short to look for: give {SHORTEST_ID} characters or more of the order's id")
    found = [each for each in decisions if each.client_order_id.startswith(wanted)]
    ids = sorted({each.client_order_id for each in found})
    if not ids:
        raise NotThere(f"no order with an id that begins with {wanted!r} in session {session}")
    if len(ids) > 1:
        raise WhyError(f"{len(ids)} orders have ids that begin with {wanted!r}: {', '.join(ids[:5])}: give more of it")
    order = [
        Decision.NEW,
        Decision.REFUSED,
        Decision.BOOKED,
        Decision.CANCEL,
        Decision.DRAIN,
        Decision.NOTICE,
    ]
    return min(found, key=lambda each: order.index(each.action))


def _causes(evidence: Evidence, order: OrderRequest) -> tuple[Cause, ...]:
    """From the order's cause back to its root: a report leads to its order, and that to its own cause."""
    causes: list[Cause] = []
    of: OrderRequest | None = order
    while of is not None and len(causes) < LONGEST_PATH and of.cause not in {each.event_id for each in causes}:
        event = evidence.event(of.cause, of.event_time_ns)
        cause, of = of.cause, None
        if event is not None and isinstance(event.body, Report):
            reported = event.body.client_order_id
            found = [each for each in evidence.decisions(reported) if each.client_order_id == reported]
            of = next((each for each in found if each.action == Decision.NEW), None)
        causes.append(Cause(cause, event, of))
    return tuple(causes)


def _notices(evidence: Evidence, order: OrderRequest, signal: TradingEvent | None) -> tuple[OrderRequest, ...]:
    """What the account said of itself with the order; where nothing but it explains the order, the last it said."""
    said = evidence.notices(order)
    with_it = tuple(each for each in said if each.cause == order.cause)
    return with_it or (() if signal is not None else tuple(said[-1:]))


def _legs(*orders: OrderRequest) -> dict[int, str]:
    return {each.leg: each.instrument for each in orders if each.instrument}


def _ticks(evidence: Evidence, crossings: Sequence[Crossing], legs: dict[int, str], at_most: int) -> tuple[TickOf, ...]:
    of = [each for each in crossings if each.tick_session]
    if len(of) > at_most:
        evidence.missing.append(f"ticks: of the last {at_most} of {len(of)} crossings; --crossings asks for more")
    return tuple(tick for each in of[max(0, len(of) - at_most) :] for tick in evidence.ticks(each, legs))


def _frames(evidence: Evidence, ticks: Sequence[TickOf]) -> tuple[Frame, ...]:
    """Each once, in the order of the ticks."""
    wanted = {(of.tick.venue, of.tick.session, of.tick.frame): of.tick for of in ticks}
    return tuple(evidence.frame(tick) for tick in wanted.values())


def _id(order: OrderRequest) -> tuple[str, str]:
    return order.client_order_id, order.action
