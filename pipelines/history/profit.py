"""Profit of a session's pairs from its fills: realised by average cost, the rest at the last quotes' mids. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.domain.positions import FLAT, Position
from pipelines.domain.trading import Side


@dataclass(frozen=True, slots=True)
class Fill:
    """Lots traded at a price, for a pair; below zero they take back those of the fill that it `amends`."""

    pair: str
    instrument: str
    side: Side
    lots: int
    price: float
    execution: str = ""
    """Venue and exec id: one for a row that takes back and one that puts right."""
    amends: str = ""


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

    @property
    def total(self) -> float | None:
        return None if self.unrealised is None else self.realised + self.unrealised


TOTAL = "total"


def as_amended(fills: Iterable[Fill]) -> list[Fill]:
    """Fills as they should have been: one that was taken back is gone, a corrected one stands where the wrong one was.

    Average cost goes by the order of fills: a fill taken back at the end would leave a profit that nobody made.
    """
    standing: list[Fill | None] = []
    places: dict[str, int] = {}
    freed: dict[str, int] = {}
    for fill in fills:
        place = places.get(fill.amends) if fill.amends else None
        wrong = None if place is None else standing[place]
        if place is not None and wrong and (wrong.lots, wrong.price) == (-fill.lots, fill.price):
            standing[place] = None
            freed[fill.execution] = place
            continue
        place = freed.pop(fill.execution, None) if not fill.amends else None
        if place is None:
            place = len(standing)
            standing.append(None)
        standing[place] = fill
        if fill.execution and not fill.amends:
            places[fill.execution] = place
    return [fill for fill in standing if fill is not None]


def profit(fills: Iterable[Fill], mids: Mapping[str, float], terms: Mapping[str, Terms]) -> tuple[PairProfit, ...]:
    """Profit by pair and currency, sorted, and then the total of each currency.

    `fills` in the order in which they happened; an instrument without terms counts in lots of one unit.
    """
    positions: dict[tuple[str, str], Position] = defaultdict(lambda: FLAT)
    count: dict[tuple[str, str], int] = defaultdict(int)
    traded: dict[tuple[str, str], float] = defaultdict(float)
    for fill in fills:
        of = terms.get(fill.instrument, Terms())
        leg = fill.pair, fill.instrument
        signed = fill.lots if fill.side == Side.BUY else -fill.lots
        positions[leg] = positions[leg].traded(signed, round(fill.price / of.tick_size))
        count[leg] += 1
        traded[leg] += fill.lots * fill.price * of.lot_size
    legs = [
        _leg(leg, positions[leg], count[leg], traded[leg], mids.get(leg[1]), terms.get(leg[1], Terms()))
        for leg in sorted(positions)
    ]
    pairs = sorted({(each.pair, each.currency) for each in legs})
    currencies = sorted({each.currency for each in legs})
    return (
        *(
            _sum(pair, currency, [each for each in legs if (each.pair, each.currency) == (pair, currency)])
            for pair, currency in pairs
        ),
        *(_sum(TOTAL, currency, [each for each in legs if each.currency == currency]) for currency in currencies),
    )


def _leg(
    leg: tuple[str, str], position: Position, fills: int, traded: float, mid: float | None, terms: Terms
) -> PairProfit:
    pair, instrument = leg
    money = terms.tick_size * terms.lot_size
    open_profit: float | None = 0.0
    if position.lots:
        open_profit = None if mid is None else position.unrealised(mid / terms.tick_size) * money
    held = {instrument: position.lots} if position.lots else {}
    return PairProfit(pair, terms.currency, fills, traded, held, position.realised * money, open_profit)


def _sum(pair: str, currency: str, legs: list[PairProfit]) -> PairProfit:
    held: dict[str, int] = defaultdict(int)
    for leg in legs:
        for instrument, lots in leg.held.items():
            held[instrument] += lots
    open_profits = [leg.unrealised for leg in legs if leg.unrealised is not None]
    return PairProfit(
        pair,
        currency,
        sum(leg.fills for leg in legs),
        sum(leg.traded for leg in legs),
        {instrument: lots for instrument, lots in held.items() if lots},
        sum(leg.realised for leg in legs),
        sum(open_profits) if len(open_profits) == len(legs) else None,
    )
