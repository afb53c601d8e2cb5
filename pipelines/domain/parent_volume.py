"""A parent that takes part in the volume (POV): what has been traded since its start, step by step of event time.

Each step of `STEP_NS` that lies after its start is seen once, in order. What was seen is not in the log: after a
restart the steps are seen again, and nothing is sent twice, as what was sent counts.
"""

from collections.abc import Mapping

from pipelines.domain.parent_rules import STEP_NS
from pipelines.domain.parent_state import Parent

Volumes = Mapping[str, float]
"""By instrument id: units traded in the step that ends at the event time that it is told with."""


def step_ns(parent: Parent) -> int | None:
    """When the next step ends that it has to see; None where it sees none any more, or has nothing left to send."""
    if parent.rule is None or parent.participation is None or parent.stopped or parent.ended:
        return None
    next_ns = parent.seen_ns + STEP_NS
    return next_ns if next_ns <= parent.deadline_ns and parent.committed < parent.order.quantity else None


def see(parent: Parent, time_ns: int, volumes: Volumes) -> int:
    """Take the volume of the step that ends now; lots to be sent of it."""
    if parent.rule is None or parent.participation is None or time_ns != step_ns(parent):
        return 0
    parent.seen_ns = time_ns
    parent.seen += sum(volumes.get(place.instrument, 0.0) for place in parent.rule.places)
    lots = parent.participation.next_lots(parent.committed, parent.seen, parent.seen_before)
    if lots or time_ns in parent.routed_ns:
        parent.seen_before = parent.seen
    return lots
