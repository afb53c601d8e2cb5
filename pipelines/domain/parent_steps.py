"""When a parent is looked at next, whether more of it may be sent, and what. Functions of its state, books and time."""

from pipelines.domain.parent_legs import Legs
from pipelines.domain.parent_posts import posted_ns
from pipelines.domain.parent_routes import routed
from pipelines.domain.parent_rules import Books
from pipelines.domain.parent_state import Parent
from pipelines.domain.parent_volume import Volumes, see, step_ns
from pipelines.domain.trading import OrderRequest


def more(parent: Parent, legs: Legs | None) -> bool:
    """Whether more of it may still be sent, whatever comes."""
    if parent.rule is None or parent.schedule is None or parent.stopped or parent.ended:
        return False
    if parent.committed >= parent.order.quantity:
        return False
    if parent.participation is not None:
        return step_ns(parent) is not None
    if legs is None:
        return parent.next_slice_ns(parent.acted_ns) is not None or not _tried(parent, None)
    other = legs.other(parent)
    if legs.hedges(parent):
        wanted = legs.earned(parent) > parent.committed
        return not _tried(parent, legs) if wanted else other.ended is None
    if other.ended:
        return False  # a leg that leads without one that follows would be alone
    return parent.next_slice_ns(parent.acted_ns) is not None or not _tried(parent, legs)


def next_ns(parent: Parent, legs: Legs | None) -> int | None:
    """The event time as of which something is to be decided of it; None while it waits for its children."""
    times = [each for each in (send_ns(parent, legs), posted_ns(parent)) if each is not None]
    return min(times, default=None)


def send_ns(parent: Parent, legs: Legs | None) -> int | None:
    """The event time as of which it is to be decided what is sent of it."""
    if parent.rule is None or not more(parent, legs):
        return None
    if parent.participation is not None:
        return step_ns(parent)
    first_ns = parent.order.event_time_ns
    if parent.rule.legs_in_step and legs is None:
        first_ns += parent.rule.together_ns
    found = parent.fruitless_ns[-1:] != [parent.acted_ns]
    again_ns = parent.acted_ns + (1 if found else parent.rule.retry_ns)
    if legs is not None and legs.hedges(parent):
        if parent.taking or legs.earned(parent) <= parent.committed:
            return None
        return max(again_ns, first_ns, legs.other(parent).changed_ns, parent.changed_ns)
    times = []
    slice_ns = parent.next_slice_ns(parent.acted_ns)
    if slice_ns is not None:
        times.append(slice_ns)
    if parent.due(parent.acted_ns) > parent.committed and not parent.taking and not _tried(parent, legs):
        times.append(max(again_ns, parent.changed_ns))
    if not times:
        return None
    if legs is None:
        return max(first_ns, min(times), parent.changed_ns)
    other = legs.other(parent)
    if legs.hedges(other) and (other.taking or legs.earned(other) > other.committed):
        return None
    return max(first_ns, min(times), parent.changed_ns, other.changed_ns, other.order.event_time_ns)


def act(parent: Parent, legs: Legs | None, time_ns: int, books: Books, volumes: Volumes) -> list[OrderRequest]:
    """Decide, as of an event time, what of it is sent: its children, which are not among its own yet."""
    parent.acted_ns = max(parent.acted_ns, time_ns)
    pov = parent.participation is not None
    lots = see(parent, time_ns, volumes) if pov else _lots(parent, legs, time_ns, books)
    found: list[OrderRequest] = []
    if lots > 0 and parent.rule is not None:
        last = parent.next_slice_ns(time_ns) is None and parent.rounds(_since_ns(parent, legs)) >= parent.rule.tries
        urgency = parent.rule.urgency if time_ns < parent.deadline_ns else 1.0
        rest = parent.rule.rest and (last or legs is not None) and urgency == 1.0 and not pov
        found = routed(parent, lots, time_ns, books, rest=rest, urgency=urgency)
    return found


def _lots(parent: Parent, legs: Legs | None, time_ns: int, books: Books) -> int:
    """Lots to be sent now."""
    if legs is not None and legs.hedges(parent):
        return legs.earned(parent) - parent.committed
    wanted = min(parent.due(time_ns), parent.order.quantity) - parent.committed
    if legs is None or wanted <= 0:
        return wanted
    lead = legs.lead(wanted, books)
    return min(wanted, lead.lots) if lead.instrument == parent.order.client_order_id else 0


def _tried(parent: Parent, legs: Legs | None) -> bool:
    """Whether it was routed as often as its rule has it: since its slice began, of legs in step since either filled."""
    return parent.rule is None or parent.rounds(_since_ns(parent, legs)) > parent.rule.tries


def _since_ns(parent: Parent, legs: Legs | None) -> int:
    since_ns = parent.slice_ns(parent.acted_ns)
    return since_ns if legs is None else max(since_ns, legs.first.filled_ns, legs.second.filled_ns)
