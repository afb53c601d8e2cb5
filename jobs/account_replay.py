"""An account's log stepped through as its trading job does: what is known of it now."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.contracts.signing import trader_config
from pipelines.domain.account import TraderState
from pipelines.domain.replay import take
from pipelines.domain.trading import TradingEvent
from pipelines.domain.universe import Strategy


@dataclass(frozen=True, slots=True)
class Replayed:
    """The account, how many events led there, and when it was killed (UTC ns, of its marks
    as all of its times are; 0: it is not)."""

    state: TraderState
    events: int
    killed_ns: int


def replayed(strategy: Strategy, session_id: str, events: Iterable[TradingEvent]) -> Replayed:
    """The account after the events of its log. One that contradicts itself changes nothing, as in the job."""
    state = TraderState(trader_config(strategy, session_id))
    count = killed_ns = 0
    for event in events:
        count += 1
        try:
            after, _, _ = take(state, event)
        except (ValueError, OverflowError):
            continue
        if after.killed != state.killed:
            killed_ns = (state.marked_ns or event.event_time_ns) if after.killed else 0
        state = after
    return Replayed(state, count, killed_ns)
