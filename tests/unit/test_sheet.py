"""The sheet follows states of an account: what it tells is of the state it is asked of, whichever it saw before."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.account import TraderState
from pipelines.domain.sheet import Sheet
from pipelines.domain.trader import step
from pipelines.domain.trading import Action, Marks, TradingEvent
from tests.support.accounts import MS, T0, config, filled, marks, signal

SIDES = st.sampled_from([0.0, 99.0, 100.0, 101.5])
TOLD_BY = {0: ("A", "B", "D", "unknown"), 1: ("A", "C", "D", "unknown")}
"""A shard tells the legs of its own pairs."""
TOLD = st.sampled_from([0, 1]).flatmap(
    lambda shard: st.tuples(
        st.just(shard), st.dictionaries(st.sampled_from(TOLD_BY[shard]), st.tuples(SIDES, SIDES)), st.booleans()
    )
)


def holding() -> TraderState:
    """B long, A short: at no mark of D, at those of both shards of A."""
    state = TraderState(config(gross_notional=1e9, drawdown=1e9))
    for event in (marks(0, 1, names=("A", "B")), marks(1, 1, names=("A", "C")), signal("A-B", Action.ENTER_SHORT, 1)):
        state, orders = step(state, event)
    for order in orders:
        state, _ = step(state, filled(order))
    return state


def marked(shard: int, sequence: int, quotes: dict[str, tuple[float, float]]) -> TradingEvent:
    names, time_ns = tuple(quotes), T0 + sequence * MS
    bids, asks = (tuple(quote[side] for quote in quotes.values()) for side in (0, 1))
    event = marks(shard, sequence, time_ns)
    return replace(event, body=Marks(shard, sequence, names, bids, asks, (time_ns,) * len(names)))


@given(st.lists(TOLD, max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_sheet_that_followed_says_what_a_new_one_says(
    told: list[tuple[int, dict[str, tuple[float, float]], bool]],
) -> None:
    state = first = holding()
    for sequence, (shard, quotes, goes_back) in enumerate(told, 2):
        state, _ = step(state, marked(shard, sequence, quotes))
        if goes_back:
            assert state.sheet.worth(first) == Sheet().worth(first)
        assert state.sheet.worth(state) == Sheet().worth(state)
        assert state.sheet.made(state) == Sheet().made(state)
