"""An order in one run of its instrument, and what is said of it.

A run may repeat what was told before, because an order came late or the process is a new one. Told reports stand: while
some of them are still ahead an order is `bound`: it does at their times what they say, and nothing else.
"""

from dataclasses import dataclass, replace

from pipelines.domain.limit_book import Owner
from pipelines.domain.trading import Side
from pipelines.domain.venue_orders import OVER, TimeInForce, VenueOrder, VenueReport, VenueWord

AUCTIONS = frozenset({TimeInForce.OPENING, TimeInForce.CLOSING})


@dataclass(slots=True)
class Record:
    """An order as its venue keeps it: `told`, all that was ever said of it, is shared by all runs."""

    order: VenueOrder
    meets_ns: int
    told: list[VenueReport]
    name: str
    """Its client order id now."""

    @property
    def over_ns(self) -> int | None:
        """Since when it is over; None while it is not."""
        last = next((each for each in reversed(self.told) if each.word is not VenueWord.REQUEST_REJECTED), None)
        return last.time_ns if last is not None and ended(last) else None


def ended(report: VenueReport) -> bool:
    """Whether it is the last word on its order."""
    return report.word in OVER or (report.word is VenueWord.FILL and report.leaves_quantity == 0)


@dataclass(slots=True)
class Working:
    """`price`: ticks, None where any will do. `resting`: in the book's queue. `number`: of the next report."""

    order: VenueOrder
    told: list[VenueReport]
    meets_ns: int
    name: str
    price: int | None
    quantity: int
    filled: int = 0
    number: int = 1
    over: bool = False
    resting: bool = False

    @property
    def key(self) -> Owner:
        return self.order.key

    @property
    def side(self) -> Side:
        return self.order.side

    @property
    def leaves(self) -> int:
        return self.quantity - self.filled

    @property
    def rank(self) -> tuple[int, Owner]:
        """Its place in time among orders of the venue."""
        return self.meets_ns, self.order.key

    @property
    def bound(self) -> VenueReport | None:
        """The told report that comes next; None of a free order."""
        return self.told[self.number] if self.number < len(self.told) else None

    def copy(self) -> "Working":
        return replace(self)

    def may(self, word: VenueWord, time_ns: int) -> bool:
        """Whether it may be said now: of a bound order only what was."""
        told = self.bound
        return told is None or (told.word is word and told.time_ns == time_ns)

    def fillable(self, time_ns: int, price: float, maker: bool) -> int:
        """Lots that may fill now at a price: of a bound order those that did."""
        told = self.bound
        if told is None:
            return self.leaves
        same = told.word is VenueWord.FILL and told.time_ns == time_ns and told.maker is maker
        return told.last_quantity if same and told.last_price == price else 0

    def say(
        self,
        word: VenueWord,
        time_ns: int,
        text: str = "",
        request: str = "",
        last: int = 0,
        price: float = 0.0,
        maker: bool = False,
    ) -> list[VenueReport]:
        """The report that is due, in a list; none where it was told before."""
        number = self.number
        self.number += 1
        if word in OVER or (word is VenueWord.FILL and self.leaves == 0):
            self.over = True
        if number < len(self.told):
            return []
        participant = self.order.participant
        leaves = 0 if self.over else self.leaves
        report = VenueReport(
            participant, self.name, number, word, time_ns, last, price, self.filled, leaves, text, request, maker
        )
        self.told.append(report)
        return [report]
