"""One instrument of a simulated venue: what each row of the market, and each word of a participant, does."""

from pipelines.domain import venue_midpoint as dark
from pipelines.domain.market import Condition, Flag, Kind, Status
from pipelines.domain.trading import Side
from pipelines.domain.venue_auctions import AUCTION, uncross
from pipelines.domain.venue_changes import Change, change
from pipelines.domain.venue_matching import Matching
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueCancel, VenueReplace, VenueReport, VenueWord
from pipelines.domain.venue_resting import cross, printed
from pipelines.domain.venue_rows import PHASES, Row
from pipelines.domain.venue_working import AUCTIONS, Working, ended

UNSEEN = int(Condition.HIDDEN | Condition.CROSS | Condition.OUT_OF_SEQUENCE | Condition.NOT_LAST | Condition.SUSPICIOUS)
"""Trades that took nothing from a displayed queue."""


class InstrumentVenue(Matching):
    """Steps in order of time. A step at a later time first imposes what was told of the time before."""

    def row(self, row: Row) -> None:
        """One row of the log, of this instrument or the end of the day."""
        self.move(row[0])
        kind = row[2]
        if kind == Kind.QUOTE:
            self._count()
            self.display.quote(row)
            self.refresh_all()
            self._release()
            if self.trading and not self.config.midpoint:
                cross(self)
            elif self.config.midpoint:
                dark.moved(self)
        elif kind == Kind.TRADE:
            self._count()
            self._trade_row(row)
        elif kind == Kind.LEVEL:
            self.refresh(*self.display.level(row))
        elif kind == Kind.STATUS:
            self._status(row[3])
        elif kind == Kind.END:
            for order in list(self.orders.values()):
                if order.may(VenueWord.EXPIRED, self.time_ns):
                    self.say(order, VenueWord.EXPIRED, "the day ended")

    def arrive(self, order: Working) -> None:
        """An order meets the book."""
        self.move(order.meets_ns)
        self.orders[order.key] = order
        self.bound = self.bound or order.bound is not None
        force = order.order.time_in_force
        if self.phase == Status.CLOSED:
            self._end(order, VenueWord.REJECTED, f"{self.instrument.id} is closed")
        elif self.config.midpoint and (self.trading or force is TimeInForce.DAY):
            dark.arrive(self, order)
        elif force in AUCTIONS:
            return
        elif self.trading:
            self._enter(order)
        elif force in (TimeInForce.IMMEDIATE, TimeInForce.ALL_OR_NOTHING):
            self._end(
                order, VenueWord.CANCELED, f"{self.instrument.id} is {Status(self.phase).name.lower()}: no trading"
            )
        elif order.price is not None:
            self.rest(order)

    def cancel(self, order: Working, request: VenueCancel, time_ns: int) -> None:
        """Take a live order out."""
        self.move(time_ns)
        self._catch_up(order)
        if order.may(VenueWord.CANCELED, time_ns) and not order.over:
            self.say(order, VenueWord.CANCELED, "canceled at its participant's request", request.client_order_id)

    def replace(self, order: Working, request: VenueReplace, time_ns: int) -> None:
        """Change a live order. It keeps its place where only its quantity gets smaller."""
        self.move(time_ns)
        self._catch_up(order)
        if order.over:
            return
        if change(self, order, request) is Change.COMES_AGAIN:
            order.meets_ns = time_ns
            self._again(order)

    def move(self, time_ns: int) -> None:
        """Go on to a time; all that was told of the one before has then happened."""
        if time_ns > self.time_ns:
            if self.bound:
                self._settle()
            self.time_ns = time_ns

    def _count(self) -> None:
        last_ns, count = self.ordinal
        self.ordinal = self.time_ns, count + 1 if last_ns == self.time_ns else 1

    def _status(self, code: int) -> None:
        if code in PHASES:
            self.released = self.released and (self.trading or code != Status.TRADING)
            self.phase = code
        elif code == Status.BOOK_LOST:
            self.display.lose()
            self.refresh_all()

    def _trade_row(self, row: Row) -> None:
        if row[3] & AUCTION:
            uncross(self, row)
        elif self.trading:
            self._release()
            if self.config.midpoint:
                dark.moved(self)
            elif not row[3] & UNSEEN:
                side = self._hit(row)
                ticks = self.display.ticks(Side.SELL if side is Side.BUY else Side.BUY, row[5])
                printed(self, side, ticks, self.display.whole_lots(row[6]))

    def _hit(self, row: Row) -> Side:
        """Whose resting orders a trade took: asks where a buyer came, or where it was at the ask or above."""
        bid, ask = self.display.touch[Side.BUY], self.display.touch[Side.SELL]
        ticks = self.display.ticks(Side.BUY, row[5])
        above = ask is not None and ticks >= ask.price and (bid is None or ticks > bid.price)
        return Side.SELL if row[4] & Flag.BUYER_AGGRESSOR or above else Side.BUY

    def _release(self) -> None:
        """After a halt: what can trade comes in again in the order of times; post-only orders wait to be met."""
        if self.released or not self.trading or self.config.midpoint:
            return
        self.released = True
        for order in sorted(self.orders.values(), key=lambda each: each.rank):
            if order.over or order.order.time_in_force in AUCTIONS or order.order.post_only:
                continue
            if self._comes_in(order):
                self.unrest(order)
                self._enter(order)
        cross(self)

    def _comes_in(self, order: Working) -> bool:
        """Whether an order that waited in a halt takes part at its end: of a bound one, whether it did."""
        told = order.bound
        if order.price is None:
            return True
        if told is not None:
            mine = told.word is VenueWord.CANCELED or (told.word is VenueWord.FILL and not told.maker)
            return mine and told.time_ns == self.time_ns
        return next(self.offers(order, order.price), None) is not None

    def _again(self, order: Working) -> None:
        if self.config.midpoint:
            dark.arrive(self, order)
        elif order.order.time_in_force in AUCTIONS:
            return
        elif self.trading:
            self._enter(order)
        elif order.price is not None:
            self.rest(order)

    def _enter(self, order: Working) -> None:
        """Trade at once what can be, and rest, or end, with the rest."""
        self.refresh_all()
        force, limit = order.order.time_in_force, order.price
        if order.order.post_only:
            first = next(self.offers(order, limit), None)
            if first is None:
                self.rest(order)
            else:
                at = self.display.price(first.price)
                self._end(order, VenueWord.REJECTED, f"post only: it would trade at {at} at once")
            return
        if force is TimeInForce.ALL_OR_NOTHING and order.bound is None:
            offered = sum(offer.lots for offer in self.offers(order, limit))
            if offered < order.leaves:
                text = f"{offered} of {order.quantity} lots were to be had: it was for all or nothing"
                self._end(order, VenueWord.CANCELED, text)
                return
        prices = self.take(order, limit)
        if order.over:
            return
        if order.order.kind is OrderKind.MARKET:
            self._beyond(order, prices)
        elif force is TimeInForce.IMMEDIATE or force is TimeInForce.ALL_OR_NOTHING:
            text = f"{order.leaves} of {order.quantity} lots were not to be had at {order.order.price} or better"
            self._end(order, VenueWord.CANCELED, text)
        else:
            self.rest(order)

    def _beyond(self, order: Working, prices: int) -> None:
        if prices or order.filled:
            text = f"{order.leaves} of {order.quantity} lots lay beyond the {prices} levels of depth"
            self._end(order, VenueWord.CANCELED, text)
        elif not self.display.quoted:
            self._end(order, VenueWord.REJECTED, f"no quote of {self.instrument.id} yet")
        else:
            self._end(order, VenueWord.REJECTED, f"nothing to {order.side} of {self.instrument.id} is shown")

    def _end(self, order: Working, word: VenueWord, text: str) -> None:
        """The last word, unless something else was told."""
        if order.may(word, self.time_ns):
            self.say(order, word, text)

    def _settle(self) -> None:
        """Do what was told of times so far and has not happened by itself."""
        for order in list(self.orders.values()):
            was_bound = order.bound is not None
            self._catch_up(order)
            stray = was_bound and order.bound is None and not order.over and not order.resting
            if stray and self.trading:
                self._again(order)
        self.bound = any(order.bound is not None for order in self.orders.values())

    def _catch_up(self, order: Working) -> None:
        told = order.bound
        while told is not None and told.time_ns <= self.time_ns and not order.over:
            if told.word is VenueWord.REPLACED:  # its request says to what: it is a step of its own
                return
            self._impose(order, told)
            told = order.bound

    def _impose(self, order: Working, told: VenueReport) -> None:
        order.number += 1
        order.over = ended(told)
        if told.word is VenueWord.FILL:
            order.filled += told.last_quantity
            if order.resting and order.price is not None:
                self.book.reduce(order.side, order.price, order.key, told.last_quantity)
                order.resting = order.leaves > 0
        if order.over:
            self.drop(order)
