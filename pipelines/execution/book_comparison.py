"""Two books of orders, the trading log's and a venue's, line by line: what one has and the other has not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pipelines.domain.parent_words import as_child
from pipelines.domain.trading import TERMINAL, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.open_order import is_own_last_word
from pipelines.execution.told_reports import STATED


@dataclass(slots=True)
class BookedOrder:
    """An order as one side has it. `executions`: lots and price by exec id, as they stand after busts and corrections.
    `whole` False: some were told by their sum alone."""

    status: OrderStatus
    received: int = 1
    """How often the venue was given it."""
    executions: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    whole: bool = True

    @property
    def lots(self) -> int:
        return sum(lots for lots, _ in self.executions.values())

    @property
    def worth(self) -> Decimal:
        """Lots times their prices."""
        return sum((lots * price for lots, price in self.executions.values()), Decimal(0))


Book = Mapping[str, BookedOrder]


def book_of_log(events: Iterable[TradingEvent], venue: str) -> dict[str, BookedOrder]:
    """Orders of a venue that were sent, by client order id, from the log's intents and reports; of an order that is
    worked, its children."""
    book: dict[str, BookedOrder] = {}
    worked: set[str] = set()
    for event in events:
        match as_child(event).body:
            case OrderRequest(order_type="worked") as order:
                worked.add(order.client_order_id)
            case Report() as report if report.client_order_id in worked:
                pass  # the gateway's own word about it
            case OrderRequest() as order if order.venue == venue:
                book.setdefault(order.client_order_id, BookedOrder(OrderStatus.UNKNOWN))
            case Report() as report if report.venue == venue and is_own_last_word(report):
                book.pop(report.client_order_id, None)
            case Report() as report if report.venue == venue:
                _report(book.setdefault(report.client_order_id, BookedOrder(OrderStatus.UNKNOWN)), report)
    return book


def _report(order: BookedOrder, report: Report) -> None:
    price = Decimal(str(report.last_price))
    if report.exec_id.startswith(STATED):
        order.whole = False
    if report.amends:
        lots, was = order.executions.pop(report.amends, (0, Decimal(0)))
        if lots > report.amended_quantity:  # of a sum, a part
            order.executions[report.amends] = (lots - report.amended_quantity, was)
    if report.last_quantity:
        order.executions[report.exec_id] = (report.last_quantity, price)
    if order.status not in TERMINAL or (report.amends and report.status in TERMINAL):
        order.status = report.status


def differences(log: Book, venue: Book) -> Iterator[str]:
    """A line for each order that the two sides do not have alike."""
    for identity in sorted(log.keys() | venue.keys()):
        ours, theirs = log.get(identity), venue.get(identity)
        if ours is None:
            yield f"{identity}: the venue has it, the log has not"
        elif theirs is None:
            yield f"{identity}: the log has it, {ours.status.value}, the venue has not"
        else:
            yield from (f"{identity}: {told}" for told in _unlike(ours, theirs))


def _unlike(ours: BookedOrder, theirs: BookedOrder) -> Iterator[str]:
    if theirs.received != 1:
        yield f"the venue was given it {theirs.received} times"
    if ours.status != theirs.status:
        yield f"{ours.status.value} in the log, {theirs.status.value} at the venue"
    if ours.lots != theirs.lots:
        yield f"{ours.lots} lots filled in the log, {theirs.lots} at the venue"
    elif not ours.whole:
        if abs(ours.worth - theirs.worth) > Decimal("0.000001") * max(Decimal(1), abs(theirs.worth)):
            yield f"fills worth {ours.worth} in the log, {theirs.worth} at the venue"
    elif ours.executions != theirs.executions:
        for exec_id in sorted(ours.executions.keys() | theirs.executions.keys()):
            one, other = ours.executions.get(exec_id), theirs.executions.get(exec_id)
            if one != other:
                yield f"execution {exec_id}: {_told(one)} in the log, {_told(other)} at the venue"


def _told(execution: tuple[int, Decimal] | None) -> str:
    return "none" if execution is None else f"{execution[0]} lots at {execution[1]}"
