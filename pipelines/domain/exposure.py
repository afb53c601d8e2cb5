"""What an account's legs are worth at their last marks, at worst, and what it has made. Money is the account's."""

from typing import NamedTuple

from pipelines.domain.account import TraderState
from pipelines.domain.orders import reach
from pipelines.domain.universe import Instrument


class Worth(NamedTuple):
    """Of all legs, filled + working + unknown. `gross`: each leg at its worst; `high`, `low`: long less short if all
    that is bought filled and nothing that is sold, and the other way round."""

    gross: float
    high: float
    low: float


def worth(state: TraderState) -> Worth:
    """Of the whole account. Lots that belong to no pair of the strategy any more count by instrument."""
    gross = high = low = 0.0
    held: dict[str, int] = {}
    for name, pair in state.pairs.items():
        traded = state.config.pairs.get(name)
        if traded is None:
            continue
        for leg, instrument in enumerate(traded.legs):
            lots = pair.lots[leg]
            least, most = reach(lots, state.orders.get(pair.working[leg]))
            each = one_lot(state, instrument)
            gross += each * max(most, -least)
            high += each * most
            low += each * least
            held[instrument.id] = held.get(instrument.id, 0) + lots
    for id, position in state.positions.items():
        elsewhere, known = position.lots - held.get(id, 0), state.config.instruments.get(id)
        if elsewhere and known is not None:
            value = one_lot(state, known) * elsewhere
            gross, high, low = gross + abs(value), high + value, low + value
    return Worth(gross, high, low)


def worth_of_sector(state: TraderState, sector: str) -> float:
    """Of the legs in instruments of a sector, long and short, each at its worst."""
    total = 0.0
    for name, pair in state.pairs.items():
        traded = state.config.pairs.get(name)
        for leg, instrument in enumerate(traded.legs if traded else ()):
            if instrument.sector == sector:
                least, most = reach(pair.lots[leg], state.orders.get(pair.working[leg]))
                total += one_lot(state, instrument) * max(most, -least)
    return total


def lost(state: TraderState) -> float:
    """Since the day began; negative where something was made."""
    return state.day.made - made(state)


def underwater(state: TraderState) -> float:
    """Below the most that had been made when limits were last watched; 0 at least."""
    return max(0.0, (state.peak or 0.0) - made(state))


def made(state: TraderState) -> float:
    """Profit, realised and at the last marks, less fees and borrowing; positions of instruments that the strategy no
    longer has are left out."""
    total = -state.costs
    for id, position in state.positions.items():
        instrument = state.config.instruments.get(id)
        if instrument is None:
            continue
        tick = instrument.tick_size * instrument.lot_size * state.limits.rate(instrument.currency)
        mid = mid_of(state, id)
        open_ticks = position.unrealised(mid / instrument.tick_size) if mid else 0.0
        total += (position.realised + open_ticks) * tick
    return total


def one_lot(state: TraderState, instrument: Instrument) -> float:
    """Money of a lot at the last mark; at what was paid for it where there is none."""
    mid = mid_of(state, instrument.id)
    if not mid:
        position = state.position(instrument.id)
        mid = abs(position.cost / position.lots) * instrument.tick_size if position.lots else 0.0
    return mid * instrument.lot_size * state.limits.rate(instrument.currency)


def mid_of(state: TraderState, instrument: str) -> float:
    """Of the instrument's last quote of two sides, in whichever shard it is told; 0 where there is none."""
    for marks in state.marks.values():
        quote = marks.quotes.get(instrument)
        if quote is not None and quote[0] > 0 and quote[1] > 0:
            return 0.5 * (quote[0] + quote[1])
    return 0.0
