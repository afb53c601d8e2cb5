"""Whether the legs of a pair can be compared, and what is to be known of it where they can only with doubt."""

from pipelines.domain.compiled import inlined_part
from pipelines.domain.hours import is_open
from pipelines.domain.market import Status
from pipelines.domain.shard import Legs
from pipelines.domain.spread_state import State

STALE_A, STALE_B, HALTED, CLOSED, GAP, REOPENED, ADJUSTED = (1 << bit for bit in range(7))
"""Flags of a pair, as helios.market.SpreadEvent tells them."""

APART = STALE_A | STALE_B | HALTED | CLOSED
"""With one of these the legs are not of one time: no bar is taken."""

NOT_STATIONARY, NOT_CORRELATED, DRIFTED, GROWN = (1 << bit for bit in range(4))
"""Breaks of a pair, as helios.market.PairBar tells them."""

_BY_VENUE, _BOOK_LOST = 1, 2
_TRADING, _CLOSED, _LOST, _BACK = int(Status.TRADING), int(Status.CLOSED), int(Status.BOOK_LOST), int(Status.BOOK_BACK)
_HALTED, _PAUSED, _QUOTING = int(Status.HALTED), int(Status.PAUSED), int(Status.QUOTING)


@inlined_part
def flags_of(index: int, now_ns: int, legs: Legs, state: State) -> int:
    """The flags of a pair at a time not before its last tick."""
    model, fit = legs.models[index], state.fits[index]
    a, b = legs.a[index], legs.b[index]
    of_a, of_b = state.quotes[a], state.quotes[b]
    flags = 0
    if now_ns - of_a.time_ns > model.stale_ns:
        flags |= STALE_A
    if now_ns - of_b.time_ns > model.stale_ns:
        flags |= STALE_B
    if of_a.halted or of_b.halted:
        flags |= HALTED
    if of_a.closed or of_b.closed or not (is_open(legs.hours, a, now_ns) and is_open(legs.hours, b, now_ns)):
        flags |= CLOSED
    if fit.gap or of_a.gap or of_b.gap:
        flags |= GAP
    if fit.settling:
        flags |= REOPENED
    if fit.adjusting:
        flags |= ADJUSTED
    return flags


@inlined_part
def is_live(instrument: int, now_ns: int, legs: Legs, state: State) -> bool:
    """Whether an instrument has a price that is of this time, by the longest that any pair waits for one."""
    quote = state.quotes[instrument]
    live: bool = (
        quote.mid > 0.0
        and now_ns - quote.time_ns <= legs.patience_ns
        and not (quote.halted or quote.closed)
        and is_open(legs.hours, instrument, now_ns)
    )
    return live


@inlined_part
def take_status(instrument: int, code: int, state: State) -> None:
    """What a venue says of an instrument, a Status."""
    quote = state.quotes[instrument]
    if code == _TRADING:
        quote.halted &= ~_BY_VENUE
        quote.closed = 0
    elif code in (_HALTED, _PAUSED, _QUOTING):
        quote.halted |= _BY_VENUE
    elif code == _CLOSED:
        quote.closed = 1
    elif code == _LOST:
        quote.halted |= _BOOK_LOST
    elif code == _BACK:
        quote.halted &= ~_BOOK_LOST


@inlined_part
def take_gap(session: int, state: State) -> None:
    """Rows of a feed session are missing: nobody knows of which of its instruments."""
    for instrument in range(state.quotes.size):
        quote = state.quotes[instrument]
        if quote.session == session and quote.time_ns > 0:
            quote.gap = 1
