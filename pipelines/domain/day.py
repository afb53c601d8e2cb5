"""The UTC day of an account: what it began with, and what being short costs overnight."""

from msgspec.structs import replace

from pipelines.domain.account import Day, TraderState
from pipelines.domain.exposure import made, one_lot
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trading import TradingEvent

DAYS_A_YEAR = 360
"""Of borrowing: money market convention."""


def day_of(state: TraderState, event: TradingEvent) -> TraderState:
    """The account in the day of a mark. A day that begins takes the borrowing of the nights since the last one: it is
    part of its loss."""
    number = event.event_time_ns // DAY_NS
    if number <= state.day.number:
        return state
    nights = number - state.day.number if state.day.number >= 0 else 0
    state = replace(state, day=Day(number, made(state)))
    return _borrowed(state, nights) if nights and state.config.borrow else state


def _borrowed(state: TraderState, nights: int) -> TraderState:
    """What each strategy is short of an instrument costs it, at the last mark."""
    books, total = {strategy: dict(of) for strategy, of in state.books.items()}, 0.0
    for of in books.values():
        for name, book in of.items():
            traded = state.config.pairs.get(name)
            for instrument, position in zip(traded.legs if traded else (), book.legs, strict=False):
                rate = state.config.borrow.get(instrument.id, 0.0)
                if position.lots < 0 and rate:
                    cost = -position.lots * one_lot(state, instrument) * rate * nights / DAYS_A_YEAR
                    of[name] = replace(of[name], costs=of[name].costs + cost)
                    total += cost
    return replace(state, books=books, costs=state.costs + total)
