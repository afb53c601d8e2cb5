"""What was told of an order so far, as FIX counts it: executions that were taken back do not count any more."""

from dataclasses import dataclass, replace
from decimal import Decimal

from pipelines.domain.fix_words import FINAL, OrdStatus
from pipelines.domain.venue_orders import VenueReplace, VenueReport, VenueWord

_AFTER = {
    VenueWord.NEW: OrdStatus.NEW,
    VenueWord.REJECTED: OrdStatus.REJECTED,
    VenueWord.CANCELED: OrdStatus.CANCELED,
    VenueWord.EXPIRED: OrdStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Quantities in lots. `name`: the order's client order id now. `value`: lots times price of what is filled, in the
    instrument's currency. `time_ns`: of the last word."""

    name: str
    quantity: int
    price: float
    time_ns: int
    status: OrdStatus = OrdStatus.PENDING_NEW
    cumulative: int = 0
    leaves: int = 0
    value: Decimal = Decimal(0)

    @property
    def over(self) -> bool:
        return self.status in FINAL or self.status is OrdStatus.FILLED

    @property
    def average(self) -> Decimal:
        """Mean price of what is filled, to eight decimals; 0 where nothing is."""
        return round(self.value / self.cumulative, 8) if self.cumulative else Decimal(0)

    def after(self, report: VenueReport, replacement: VenueReplace | None = None) -> "Standing":
        """Once a word was told. `replacement`: what a REPLACED is the answer to."""
        now = replace(self, time_ns=report.time_ns)
        match report.word:
            case VenueWord.REQUEST_REJECTED:
                return self
            case VenueWord.FILL:
                lots, leaves = self.cumulative + report.last_quantity, report.leaves_quantity
                status = OrdStatus.PARTIALLY_FILLED if leaves else OrdStatus.FILLED
                value = self.value + _value(report)
                return replace(now, cumulative=lots, leaves=leaves, value=value, status=status)
            case VenueWord.REPLACED:
                if replacement is not None:
                    price = replacement.price
                    now = replace(now, name=replacement.client_order_id, quantity=replacement.quantity, price=price)
                status = OrdStatus.PARTIALLY_FILLED if self.cumulative else OrdStatus.NEW
                return replace(now, leaves=report.leaves_quantity, status=status)
        return replace(now, leaves=report.leaves_quantity, status=_AFTER[report.word])

    def busted(self, fill: VenueReport, time_ns: int) -> "Standing":
        """Once a fill of an order that is over was taken back: its lots are not to be had any more."""
        status = OrdStatus.CANCELED if self.status is OrdStatus.FILLED else self.status
        lots, value = self.cumulative - fill.last_quantity, self.value - _value(fill)
        return replace(self, cumulative=lots, value=value, status=status, time_ns=time_ns)

    def corrected(self, fill: VenueReport, price: float, time_ns: int) -> "Standing":
        """Once a fill got another price."""
        value = self.value - _value(fill) + fill.last_quantity * Decimal(repr(price))
        return replace(self, value=value, time_ns=time_ns)


def _value(fill: VenueReport) -> Decimal:
    return fill.last_quantity * Decimal(repr(fill.last_price))
