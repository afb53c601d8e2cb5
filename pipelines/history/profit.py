"""Profit of a session's pairs from its fills: realised by average cost, the rest at the last quotes' mids. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.domain.ledger import By, Entry, Ledger, Made, standing
from pipelines.domain.ledger import Terms as Lot
from pipelines.domain.trading import Booked, Side


@dataclass(frozen=True, slots=True)
class Fill:
    """Lots traded at a price, for a pair; below zero they take back those of the fill that it `amends`.

    `booked`: what it is where no venue filled it; `amount`: money that comes with that.
    """

    pair: str
    instrument: str
    side: Side
    lots: int
    price: float
    execution: str = ""
    """Venue and exec id: one for a row that takes back and one that puts right."""
    amends: str = ""
    booked: Booked | None = None
    amount: float = 0.0

    @property
    def signed(self) -> int:
        return self.lots if self.side == Side.BUY else -self.lots


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lot of an instrument is. `tick_size` in its currency, `lot_size` in units of it."""

    tick_size: float = 1e-8
    lot_size: float = 1.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PairProfit:
    """Profit of a pair in one currency; `unrealised` is None where an instrument held has no quote."""

    pair: str
    currency: str
    fills: int
    traded: float
    """Sum of the fills' notionals."""
    held: Mapping[str, int]
    """Lots by instrument, signed; flat ones left out."""
    realised: float
    unrealised: float | None
    income: float = 0.0
    """Dividends got less those owed, and what was paid for parts of lots."""

    @property
    def total(self) -> float | None:
        return None if self.unrealised is None else self.realised + self.unrealised + self.income


TOTAL = "total"


def profit(fills: Iterable[Fill], mids: Mapping[str, float], terms: Mapping[str, Terms]) -> tuple[PairProfit, ...]:
    """Profit by pair and currency, sorted, and then the total of each currency. Fills count as they should have been:
    one that was taken back is gone, a corrected one stands where the wrong one was.

    `fills` in the order in which they happened; an instrument without terms counts in lots of one unit.
    """
    entries: dict[str, list[Entry]] = defaultdict(list)
    lots: dict[str, Lot] = {}
    for fill in fills:
        of = terms.get(fill.instrument, Terms())
        lots[fill.instrument] = Lot(of.tick_size, of.lot_size)
        entries[of.currency].append(_entry(fill, of))
    pairs: list[PairProfit] = []
    totals: list[PairProfit] = []
    for currency in sorted(entries):
        ledger = Ledger(lots)
        for entry in standing(entries[currency]):
            ledger.book(entry)
        if not ledger.holdings:
            continue
        pairs += [_made(each.name, currency, each) for each in ledger.made(By.PAIR, mids)]
        totals.append(_made(TOTAL, currency, ledger.account(mids)))
    return *sorted(pairs, key=lambda each: (each.pair, each.currency)), *totals


def _entry(fill: Fill, terms: Terms) -> Entry:
    return Entry(
        "",
        fill.pair,
        "",
        fill.instrument,
        fill.signed,
        round(fill.price / terms.tick_size),
        fill.execution,
        fill.amends,
        booked=fill.booked,
        amount=fill.amount,
    )


def _made(pair: str, currency: str, made: Made) -> PairProfit:
    return PairProfit(pair, currency, made.fills, made.traded, made.lots, made.realised, made.unrealised, made.income)
