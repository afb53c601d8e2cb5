"""An account's log run through the trader again: what was ordered can be held against what the log says should be."""

from collections.abc import Iterable

from pipelines.domain.account import TraderConfig, TraderState
from pipelines.domain.trader import step
from pipelines.domain.trading import OrderRequest, TradingEvent


def replay(config: TraderConfig, events: Iterable[TradingEvent]) -> tuple[TraderState, tuple[OrderRequest, ...]]:
    """The account and all its decisions after the events of `trading.events`, in log order.

    Events of other accounts are skipped, so that a whole topic may be given.
    """
    state = TraderState(config)
    decided: list[OrderRequest] = []
    for event in events:
        if event.account == config.account:
            state, outputs = step(state, event)
            decided.extend(outputs)
    return state, tuple(decided)
