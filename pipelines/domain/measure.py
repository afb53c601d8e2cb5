"""What an account was last told of its risk, and what it may be by now: fills since, orders that work or come."""

from msgspec.structs import replace

from pipelines.domain.account import Measured, TraderState
from pipelines.domain.trading import RiskUpdate

UNMEASURED_KEPT = 4096
"""Fills remembered until a risk update knows them; more than that, and the oldest count no more."""


def measured(state: TraderState, update: RiskUpdate) -> TraderState:
    """The account after a risk update; one that is not newer than the last does nothing."""
    last = state.measured
    if (update.as_of_ns, update.position_sequence) <= (last.as_of_ns, last.sequence):
        return state
    known = Measured(
        as_of_ns=update.as_of_ns,
        sequence=update.position_sequence,
        var=update.var,
        es=update.es,
        es_per_lot=dict(zip(update.instruments, update.es_per_lot, strict=True)),
        deviation_per_lot=_by(update.instruments, update.deviation_per_lot),
        volume_per_day=_by(update.instruments, update.volume_per_day),
        pair_es=_by(update.pairs, update.pair_es),
    )
    since = tuple(each for each in state.unmeasured if each[0] > update.position_sequence)
    return replace(state, measured=known, unmeasured=since)


def filled_since(state: TraderState, instrument: str, lots: int) -> TraderState:
    """Remember a fill until an update knows the position that is told after it."""
    if state.limits.es is None:
        return replace(state, unmeasured=()) if state.unmeasured else state
    fill = (state.told.sequence + 1, instrument, abs(lots))
    return replace(state, unmeasured=(*state.unmeasured[1 - UNMEASURED_KEPT :], fill))


def es_with(state: TraderState) -> tuple[float, str]:
    """The last expected shortfall, and on it that of each lot, by itself, that was filled since or may still fill; and
    an instrument of which that is not known, or an empty string. Expected shortfall is subadditive, so the account's
    is not more (Acerbi and Tasche 2002)."""
    es, unknown = state.measured.es, ""
    each = state.measured.es_per_lot
    for _, instrument, lots in state.unmeasured:
        es += lots * each.get(instrument, 0.0)
        unknown = unknown if instrument in each else instrument
    for instrument, lots in state.sheet.working(state):
        es += lots * each.get(instrument, 0.0)
        unknown = unknown if instrument in each else instrument
    return es, unknown


def _by(names: tuple[str, ...], values: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(names, values, strict=True)) if values else {}
