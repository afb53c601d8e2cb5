"""An account's log taken event by event: live, and again, to hold what was ordered against what the log says."""

from collections.abc import Iterable

from pipelines.domain.account import TraderState
from pipelines.domain.standing import Standing, tell
from pipelines.domain.trader import step
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import OrderRequest, TradingEvent

Taken = tuple[TraderState, tuple[OrderRequest, ...], tuple[Standing, ...]]


def take(state: TraderState, event: TradingEvent) -> Taken:
    """The account after an event, what it decided, and where pairs stand that moved. What was told counts: risk is
    measured by it."""
    after, decided = step(state, event)
    after, told = tell(state, after, event)
    return after, decided, told


def replay(config: TraderConfig, events: Iterable[TradingEvent]) -> tuple[TraderState, tuple[OrderRequest, ...]]:
    """The account and all its decisions after the events of `trading.events`, in log order.

    Events of other accounts are skipped, so that a whole topic may be given.
    """
    state = TraderState(config)
    decided: list[OrderRequest] = []
    for event in events:
        if event.account == config.account:
            state, outputs, _ = take(state, event)
            decided.extend(outputs)
    return state, tuple(decided)
