"""What participants send, in its place in time, and the answer to what comes after its order's end."""

from dataclasses import dataclass, field

from pipelines.domain.limit_book import Owner
from pipelines.domain.venue_orders import VenueCancel, VenueReplace, VenueReport, VenueWord
from pipelines.domain.venue_working import Record


@dataclass(order=True, slots=True)
class Step:
    """Something a participant sent, at the time at which it meets the book. `depth`: requests come after what they are
    about."""

    time_ns: int
    depth: int
    sent: Owner
    record: Record = field(compare=False)
    request: VenueCancel | VenueReplace | None = field(compare=False, default=None)

    @property
    def done(self) -> bool:
        """Whether nothing more will be said because of it."""
        if self.record.over_ns is None:
            return False
        return self.request is None or answered(self.record, self.request)


def answered(record: Record, request: VenueCancel | VenueReplace) -> bool:
    return any(report.request == request.client_order_id for report in record.told)


def too_late(record: Record, request: VenueCancel | VenueReplace, time_ns: int) -> list[VenueReport]:
    """The answer to a request about an order that is over, once."""
    told = record.told
    if answered(record, request):
        return []
    last = told[-1]
    report = VenueReport(
        record.order.participant,
        record.name,
        len(told),
        VenueWord.REQUEST_REJECTED,
        max(time_ns, last.time_ns),
        cumulative_quantity=last.cumulative_quantity,
        text=f"too late: the order is {'filled' if last.word is VenueWord.FILL else last.word.value}",
        request=request.client_order_id,
    )
    told.append(report)
    return [report]
