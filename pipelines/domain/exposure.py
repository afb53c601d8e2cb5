"""What an account's legs are worth at their last marks, at worst, and what it has made. Money is the account's."""

from pipelines.domain.account import TraderState
from pipelines.domain.sheet import Worth, mid_of
from pipelines.domain.universe import Instrument

__all__ = ["Worth", "lost", "made", "mid_of", "one_lot", "underwater", "worth", "worth_of_sector"]


def worth(state: TraderState) -> Worth:
    """Of the whole account. Lots that belong to no pair of the strategy any more count by instrument."""
    return state.sheet.worth(state)


def worth_of_sector(state: TraderState, sector: str) -> float:
    """Of the legs in instruments of a sector, long and short, each at its worst."""
    return state.sheet.worth_of_sector(state, sector)


def lost(state: TraderState) -> float:
    """Since the day began; negative where something was made."""
    return state.day.made - made(state)


def underwater(state: TraderState) -> float:
    """Below the most that had been made when limits were last watched; 0 at least."""
    return max(0.0, (state.peak or 0.0) - made(state))


def made(state: TraderState) -> float:
    """Profit, realised and at the last marks, less fees and borrowing, with dividends; positions of instruments that
    the strategy no longer has are left out."""
    return state.sheet.made(state) - state.costs


def one_lot(state: TraderState, instrument: Instrument) -> float:
    """Money of a lot at the last mark; at what was paid for it where there is none."""
    mid = mid_of(state, instrument.id)
    if not mid:
        position = state.position(instrument.id)
        mid = abs(position.cost / position.lots) * instrument.tick_size if position.lots else 0.0
    return mid * instrument.lot_size * state.limits.rate(instrument.currency)
