"""Continuous matching of one instrument: arrivals, the recorded market, and what they make of the orders in the book.

Steps come in order of time: rows of the market, and what participants send. Told fills of bound orders are imposed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Self

from pipelines.domain.limit_book import OPPOSITE, Entry, Level, LimitBook, Owner, reaches
from pipelines.domain.market import Status
from pipelines.domain.trading import Side
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_display import Hole, VenueDisplay
from pipelines.domain.venue_orders import VenueReport, VenueWord
from pipelines.domain.venue_rows import LastSaid
from pipelines.domain.venue_working import Working

SIDES = (Side.BUY, Side.SELL)
MET_ITS_OWN = "it met an order of its own participant: the newer is canceled"


@dataclass(frozen=True, slots=True)
class Offer:
    """Lots that an order could trade with at a price. `owner` None: shown by the recorded market, `level` None: at a
    price at which nobody of ours stands. `own`: of the same participant."""

    price: int
    lots: int
    owner: Owner | None = None
    level: Level | None = None
    entry: Entry | None = None
    own: bool = False


class Matching:
    """One instrument's book, orders and clock. What is said gathers in `out`."""

    def __init__(
        self, config: EngineConfig, instrument: Instrument, said: LastSaid, time_ns: int, holes: dict[Side, Hole]
    ) -> None:
        self.config, self.instrument = config, instrument
        self.display = VenueDisplay(config, instrument, said, holes)
        self.phase = said.phase
        self.time_ns = time_ns
        self.ordinal = (said.time_ns, said.ordinal)
        self.book = LimitBook()
        self.orders: dict[Owner, Working] = {}
        self.released = True
        """False from the end of a halt until the queue that it left has traded."""
        self.bound = True
        """Whether an order may be bound."""
        self.out: list[VenueReport] = []

    def copy(self) -> Self:
        made = object.__new__(type(self))
        made.config, made.instrument = self.config, self.instrument
        made.display, made.book = self.display.copy(), self.book.copy()
        made.phase, made.time_ns, made.ordinal, made.released = self.phase, self.time_ns, self.ordinal, self.released
        made.orders = {key: order.copy() for key, order in self.orders.items()}
        made.out, made.bound = [], True
        return made

    @property
    def trading(self) -> bool:
        return self.phase == Status.TRADING

    def say(self, order: Working, word: VenueWord, text: str = "", request: str = "") -> None:
        """Words but fills. One that ends an order takes it out of the book."""
        self.out += order.say(word, self.time_ns, text, request)
        if order.over:
            self.drop(order)

    def fill(self, order: Working, lots: int, ticks: float, maker: bool) -> None:
        """Trade lots of an order; those of a resting one leave the queue."""
        order.filled += lots
        if order.resting and order.price is not None:
            self.book.reduce(order.side, order.price, order.key, lots)
            order.resting = order.leaves > 0
        self.out += order.say(VenueWord.FILL, self.time_ns, last=lots, price=self.display.price(ticks), maker=maker)
        if order.over:
            self.drop(order)

    def drop(self, order: Working) -> None:
        self.unrest(order)
        self.orders.pop(order.key, None)

    def rest(self, order: Working) -> None:
        """Join the queue at the order's price, behind what is shown there."""
        assert order.price is not None
        if self.book.level(order.side, order.price) is not None:
            self.refresh(order.side, order.price)
        ahead = self.display.shown(order.side, order.price, self.time_ns)
        self.book.add(order.side, order.price, order.key, order.leaves, ahead)
        order.resting = True

    def unrest(self, order: Working) -> None:
        if order.resting and order.price is not None:
            self.book.remove(order.side, order.price, order.key)
            order.resting = False

    def refresh(self, side: Side, price: int) -> None:
        """Show at a price of ours what the recorded market now has there; where it says nothing, what was there."""
        level = self.book.level(side, price)
        if level is not None and self.display.recorded(side, price) is not None:
            level.show(self.display.shown(side, price, self.time_ns))

    def refresh_all(self) -> None:
        for side in SIDES:
            for price in list(self.book.prices(side)):
                self.refresh(side, price)

    def offers(self, order: Working, limit: int | None) -> Iterator[Offer]:
        """What an order could trade with up to a limit, in priority; nothing behind an order of its own participant."""
        side = OPPOSITE[order.side]
        worse = (-1).__mul__ if side is Side.BUY else int
        ours = ((price, 0) for price in sorted(self.book.prices(side), key=worse))
        # Levels are shown one by one as they are reached: most orders need no more than the touch.
        both = merge(self.display.profile(side, self.time_ns), ours, key=lambda each: worse(each[0]))
        for price, at_price in groupby(both, key=itemgetter(0)):
            if not reaches(order.side, limit, price):
                return
            level = self.book.level(side, price)
            if level is None:
                if shown := max(lots for _, lots in at_price):
                    yield Offer(price, shown)
                continue
            for entry in list(level.queue):
                if entry.owner is None:
                    yield Offer(price, entry.lots, None, level, entry)
                    continue
                other = self.orders[entry.owner]
                own = other.order.participant == order.order.participant
                lots = other.fillable(self.time_ns, self.display.price(price), True)
                if own and (other.bound is None or order.bound is not None):
                    yield Offer(price, 0, entry.owner, level, entry, own=True)
                    return
                if lots and not own:
                    yield Offer(price, lots, entry.owner, level, entry)

    def take(self, order: Working, limit: int | None) -> int:
        """Trade an arriving order with what is offered, a fill a price. The number of prices that it traded at."""
        prices = 0
        for ticks, offers in groupby(self.offers(order, limit), key=lambda offer: offer.price):
            price = self.display.price(ticks)
            wanted, got, met = order.fillable(self.time_ns, price, False), 0, False
            for offer in offers:
                if offer.own:
                    met = True
                    break
                if got == wanted:
                    break
                got += self.trade(offer, OPPOSITE[order.side], wanted - got)
            if order.bound is not None:
                got = wanted
            if got:
                self.fill(order, got, ticks, maker=False)
                prices += 1
            if met and not order.over and order.may(VenueWord.CANCELED, self.time_ns):
                self.say(order, VenueWord.CANCELED, MET_ITS_OWN)
            if order.over:
                break
        return prices

    def trade(self, offer: Offer, side: Side, most: int) -> int:
        """Take lots of an offer: how many."""
        lots = min(offer.lots, most)
        if offer.owner is not None:
            other = self.orders[offer.owner]
            if other.bound is not None and lots < offer.lots:
                return 0
            self.fill(other, lots, offer.price, maker=True)
            return lots
        if offer.entry is not None and offer.level is not None:
            offer.entry.lots -= lots
            offer.level.tidy()
        self.display.took(side, lots, self.time_ns)
        return lots
