"""What an account has made, by its books: of each pair, strategy and venue, and in all. Money is the account's."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from pipelines.domain.account import Book, TraderState
from pipelines.domain.exposure import mid_of
from pipelines.domain.universe import Instrument


@dataclass(frozen=True, slots=True)
class Made:
    """Profit by the account's books. `costs`: fees and borrowing less dividends; None where they cannot be
    told apart. `unrealised`: None where something that is held has no mark."""

    of: str
    name: str
    realised: float
    unrealised: float | None
    costs: float | None
    trips: int = 0

    @property
    def total(self) -> float | None:
        return None if self.unrealised is None or self.costs is None else self.realised + self.unrealised - self.costs


class _Leg(NamedTuple):
    strategy: str
    pair: str
    venue: str
    realised: float
    unrealised: float | None


class _Kept(NamedTuple):
    strategy: str
    pair: str
    venues: frozenset[str]
    book: Book


def profits(state: TraderState) -> list[Made]:
    """By pair, by strategy, by venue, each sorted by name, and then of the account."""
    books = [
        _Kept(strategy, pair, _venues(state, pair), book)
        for strategy, of in state.books.items()
        for pair, book in of.items()
    ]
    legs = [leg for each in books for leg in _legs(state, each)]
    found = [
        _sum(
            "pair", name, [leg for leg in legs if leg.pair == name], [each.book for each in books if each.pair == name]
        )
        for name in sorted({each.pair for each in books})
    ]
    for name in sorted({each.strategy for each in books}):
        mine = [each.book for each in books if each.strategy == name]
        found.append(_sum("strategy", name, [leg for leg in legs if leg.strategy == name], mine))
    for name in sorted({leg.venue for leg in legs}):
        there = [each for each in books if name in each.venues]
        made = _sum("venue", name, [leg for leg in legs if leg.venue == name], [each.book for each in there])
        apart = all(len(each.venues) == 1 or not each.book.costs for each in there)
        found.append(made if apart else replace(made, costs=None))
    whole = _sum("account", state.config.account, legs, [each.book for each in books])
    return [*found, replace(whole, costs=state.costs)]


def tick_money(state: TraderState, instrument: Instrument) -> float:
    """Money of a tick of one lot."""
    return instrument.tick_size * instrument.lot_size * state.limits.rate(instrument.currency)


def _venues(state: TraderState, pair: str) -> frozenset[str]:
    traded = state.config.pairs.get(pair)
    return frozenset(leg.venue for leg in traded.legs) if traded else frozenset()


def _legs(state: TraderState, kept: _Kept) -> list[_Leg]:
    traded, found = state.config.pairs.get(kept.pair), []
    for instrument, leg in zip(traded.legs if traded else (), kept.book.legs, strict=False):
        mid, money = mid_of(state, instrument.id), tick_money(state, instrument)
        opened: float | None = 0.0
        if leg.lots:
            opened = leg.unrealised(mid / instrument.tick_size) * money if mid else None
        found.append(_Leg(kept.strategy, kept.pair, instrument.venue, leg.realised * money, opened))
    return found


def _sum(of: str, name: str, legs: list[_Leg], books: list[Book]) -> Made:
    opened = [leg.unrealised for leg in legs if leg.unrealised is not None]
    return Made(
        of,
        name,
        sum(leg.realised for leg in legs),
        sum(opened) if len(opened) == len(legs) else None,
        sum(book.costs for book in books),
        sum(book.trips for book in books),
    )
