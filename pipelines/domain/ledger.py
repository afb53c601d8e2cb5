"""A plain ledger over an account's fills: what is held and what it made, by average cost or first in, first out.

It knows nothing of orders or limits: what the trader says it has made is held against it. Lots and cash are exact
integers, in lots and price ticks x lots; money comes in only where fees, borrowing and rates of exchange do.

A fill that a venue takes back is an entry of the opposite lots at the same price that `amends` it; one that it corrects
is followed by an entry of what is right. As they were told, entries are booked one after the other: that is how the
trader learns of them. `standing` gives them as they should have been.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.domain.day import DAYS_A_YEAR
from pipelines.domain.trader_config import Fee
from pipelines.domain.trading import Booked


class Method(StrEnum):
    """Which of the lots that are held a fill closes: a part of each, or the oldest."""

    AVERAGE = "average"
    FIFO = "fifo"


class By(StrEnum):
    """What profits are summed by."""

    PAIR = "pair"
    STRATEGY = "strategy"
    VENUE = "venue"
    INSTRUMENT = "instrument"


@dataclass(frozen=True, slots=True)
class Entry:
    """Signed lots traded at a price. `execution`: the venue's name for it; `amends`: of the one that it takes back.

    `booked`: what it is where no venue filled it; `amount`: money that comes with that, in the instrument's currency.
    """

    strategy: str
    pair: str
    venue: str
    instrument: str
    lots: int
    price_ticks: int
    execution: str = ""
    amends: str = ""
    time_ns: int = 0
    booked: Booked | None = None
    amount: float = 0.0
    filled_at: str = ""
    """The venue that filled it and takes the fee, where it is another than the instrument's."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lot is: `tick_money`, of a tick of one lot, in money of the account (tick size x lot size x rate of
    exchange); `tick_size` in the instrument's currency; `rate`: what one unit of that is worth."""

    tick_size: float
    lot_size: float
    rate: float = 1.0

    @property
    def tick_money(self) -> float:
        return self.tick_size * self.lot_size * self.rate


@dataclass(frozen=True, slots=True)
class Made:
    """Profit of a part of the account, in its money; `unrealised` is None where something held has no mark."""

    name: str
    fills: int
    traded: float
    lots: Mapping[str, int]
    """By instrument, signed; flat ones left out."""
    realised: float
    unrealised: float | None
    fees: float
    borrow: float
    income: float = 0.0
    """Dividends got less those owed, and what was paid for parts of lots."""

    @property
    def total(self) -> float | None:
        if self.unrealised is None:
            return None
        return self.realised + self.unrealised + self.income - self.fees - self.borrow


@dataclass(slots=True)
class Holding:
    """One instrument held for a pair by a strategy. `cash`: what selling brought less what buying took; `cost`: what
    the open lots were paid for, signed as they are; both in price ticks x lots."""

    method: Method
    lots: int = 0
    cash: int = 0
    cost: int = 0
    fills: int = 0
    traded: int = 0
    fees: float = 0.0
    borrow: float = 0.0
    income: float = 0.0
    _open: deque[tuple[int, int]] = field(default_factory=deque)
    """Lots and cost of what is open, the oldest first; of FIFO alone."""

    @property
    def realised(self) -> int:
        return self.cash + self.cost

    def book(self, booked: Booked | None, lots: int, price_ticks: int, income: float) -> None:
        """A fill, or what no venue filled."""
        if booked is Booked.SPLIT:
            self.split(lots)
        elif lots:
            self.take(lots, price_ticks)
        self.income += income

    def take(self, lots: int, price_ticks: int) -> None:
        """Signed lots at a price. What crosses zero closes all that is open, and opens at its own price."""
        self.cash -= lots * price_ticks
        self.traded += abs(lots * price_ticks)
        closes = min(abs(lots), abs(self.lots)) if self.lots * lots < 0 else 0
        opens = abs(lots) - closes
        if closes:
            self.cost = self._after_closing(closes)
        if opens:
            signed = opens if lots > 0 else -opens
            self.cost += signed * price_ticks
            if self.method is Method.FIFO:
                self._open.append((signed, signed * price_ticks))
        self.lots += lots

    def split(self, more: int) -> None:
        """So many signed lots more, of the same cost: each of what is open has its share of them."""
        was, self.lots = self.lots, self.lots + more
        if not self.lots * was > 0:
            self.cost = 0
            self._open.clear()
            return
        before = 0
        for place, (lots, cost) in enumerate(self._open):
            after = before + lots
            self._open[place] = (after * self.lots // was - before * self.lots // was, cost)
            before = after

    def _after_closing(self, lots: int) -> int:
        """The cost of what stays open. By average cost it is rounded down to a whole tick x lot, as the trader does."""
        if self.method is Method.AVERAGE:
            left = abs(self.lots) - lots
            return self.cost * left // abs(self.lots)
        cost = self.cost
        while lots:
            held, paid = self._open.popleft()
            gone = min(lots, abs(held))
            lots -= gone
            if gone == abs(held):
                cost -= paid
                continue
            left = paid * (abs(held) - gone) // abs(held)
            cost -= paid - left
            self._open.appendleft((held - gone if held > 0 else held + gone, left))
        return cost

    def unrealised(self, mark_ticks: float) -> float:
        """At a mark, in price ticks x lots."""
        return self.lots * mark_ticks - self.cost


Key = tuple[str, str, str, str]
"""Strategy, pair, venue, instrument."""


class Ledger:
    """Fills booked one after the other, and nights paid for. An instrument without terms cannot be booked: KeyError."""

    def __init__(
        self,
        terms: Mapping[str, Terms],
        method: Method = Method.AVERAGE,
        fees: Mapping[str, Fee] | None = None,
        borrow: Mapping[str, float] | None = None,
    ) -> None:
        """`terms` by instrument, `fees` by venue, `borrow`: what being short of an instrument costs, a share a year."""
        self.method = method
        self.holdings: dict[Key, Holding] = {}
        self._terms = terms
        self._fees = fees or {}
        self._borrow = borrow or {}

    def book(self, entry: Entry) -> None:
        """A fill and its fee; one that takes back gives the fee back too. What no venue filled has none."""
        key = entry.strategy, entry.pair, entry.venue, entry.instrument
        holding = self.holdings.setdefault(key, Holding(self.method))
        fee, terms = self._fees.get(entry.filled_at or entry.venue, Fee()), self._terms[entry.instrument]
        holding.book(entry.booked, entry.lots, entry.price_ticks, entry.amount * terms.rate)
        if entry.booked is not None:
            return
        worth = abs(entry.price_ticks) * terms.tick_size * terms.lot_size
        cost = abs(entry.lots) * (fee.per_lot + worth * fee.bps / 1e4) * terms.rate
        holding.fees += -cost if entry.amends else cost
        holding.fills += -1 if entry.amends else 1

    def nights(self, mids: Mapping[str, float], count: int = 1) -> None:
        """So many nights over which what is short is borrowed, at the mids of now, in the instruments' currencies."""
        for (_, _, _, instrument), holding in self.holdings.items():
            rate = self._borrow.get(instrument, 0.0)
            if holding.lots < 0 and rate:
                terms = self._terms[instrument]
                mid = mids.get(instrument) or abs(holding.cost / holding.lots) * terms.tick_size
                worth = -holding.lots * mid * terms.lot_size * terms.rate
                holding.borrow += worth * rate * count / DAYS_A_YEAR

    def made(self, by: By, mids: Mapping[str, float]) -> tuple[Made, ...]:
        """Profit by one thing, sorted by its name."""
        names = sorted({_name(key, by) for key in self.holdings})
        return tuple(self._sum(name, self._of(by, name), mids) for name in names)

    def account(self, mids: Mapping[str, float]) -> Made:
        """Profit of all of it."""
        return self._sum("account", self.holdings.items(), mids)

    def _of(self, by: By, name: str) -> Iterator[tuple[Key, Holding]]:
        return ((key, holding) for key, holding in self.holdings.items() if _name(key, by) == name)

    def _sum(self, name: str, holdings: Iterable[tuple[Key, Holding]], mids: Mapping[str, float]) -> Made:
        lots: dict[str, int] = {}
        fills, traded, realised, fees, borrow, income = 0, 0.0, 0.0, 0.0, 0.0, 0.0
        unrealised: float | None = 0.0
        for (_, _, _, instrument), each in holdings:
            terms = self._terms[instrument]
            lots[instrument] = lots.get(instrument, 0) + each.lots
            fills, fees, borrow = fills + each.fills, fees + each.fees, borrow + each.borrow
            traded, income = traded + each.traded * terms.tick_money, income + each.income
            realised += each.realised * terms.tick_money
            mid = mids.get(instrument)
            if each.lots and not mid:
                unrealised = None
            elif each.lots and mid and unrealised is not None:
                unrealised += each.unrealised(mid / terms.tick_size) * terms.tick_money
        held = {instrument: count for instrument, count in lots.items() if count}
        return Made(name, fills, traded, held, realised, unrealised, fees, borrow, income)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Entries as they should have been: one that was taken back is gone, and what is right stands where it was.

    The profit of what is closed hangs on the order of fills: one taken back at the end leaves a profit that nobody
    made. What amends an entry that is not among them is left as it is.
    """
    found: list[Entry | None] = []
    places: dict[str, int] = {}
    freed: dict[str, int] = {}
    for entry in entries:
        place = places.get(entry.amends) if entry.amends else freed.pop(entry.execution, None)
        if entry.amends:
            wrong = None if place is None else found[place]
            if place is not None and wrong and (wrong.lots, wrong.price_ticks) == (-entry.lots, entry.price_ticks):
                found[place] = None
                freed[entry.execution] = place
                continue
            place = None
        if place is None:
            place = len(found)
            found.append(None)
        found[place] = entry
        if entry.execution and not entry.amends:
            places[entry.execution] = place
    return [entry for entry in found if entry is not None]


def _name(key: Key, by: By) -> str:
    strategy, pair, venue, instrument = key
    return {By.STRATEGY: strategy, By.PAIR: pair, By.VENUE: venue, By.INSTRUMENT: instrument}[by]
