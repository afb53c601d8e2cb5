"""An order's life by its transition table, and a position against sums done by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.orders import EXEC_IDS_KEPT, TRANSITIONS, Order, OrderState, hear, sent
from pipelines.domain.positions import FLAT, Position
from pipelines.domain.trading import OrderStatus, Report, Side

S = OrderState


def told(status: OrderStatus, cumulative: int = 0, last: int = 0, exec_id: str = "e") -> Report:
    return Report("sim", exec_id, "id", status, "A", Side.BUY, last, 0.0, cumulative, 0, "")


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("status", OrderStatus)
def test_every_state_knows_every_word(state: OrderState, status: OrderStatus) -> None:
    assert TRANSITIONS[state][status] in OrderState


@pytest.mark.parametrize(
    ("before", "status", "cumulative", "after"),
    [
        (S.PENDING, OrderStatus.NEW, 0, S.NEW),  # the ack overtook the intent
        (S.SENT, OrderStatus.NEW, 0, S.NEW),
        (S.SENT, OrderStatus.REJECTED, 0, S.REJECTED),
        (S.SENT, OrderStatus.UNKNOWN, 0, S.UNKNOWN),
        (S.UNKNOWN, OrderStatus.NEW, 0, S.NEW),
        (S.UNKNOWN, OrderStatus.REJECTED, 0, S.REJECTED),
        (S.NEW, OrderStatus.PARTIALLY_FILLED, 4, S.PARTIALLY_FILLED),
        (S.PARTIALLY_FILLED, OrderStatus.NEW, 0, S.PARTIALLY_FILLED),  # the ack came late
        (S.NEW, OrderStatus.NEW, 4, S.PARTIALLY_FILLED),  # a status answer
        (S.NEW, OrderStatus.PARTIALLY_FILLED, 10, S.FILLED),  # the quantity has the last word
        (S.NEW, OrderStatus.CANCELED, 0, S.CANCELED),
        (S.NEW, OrderStatus.CANCELED, 10, S.FILLED),
        (S.CANCELED, OrderStatus.PARTIALLY_FILLED, 4, S.CANCELED),  # a late fill does not revive it
        (S.CANCELED, OrderStatus.FILLED, 10, S.FILLED),
        (S.CANCELED, OrderStatus.NEW, 0, S.CANCELED),
        (S.REJECTED, OrderStatus.NEW, 0, S.REJECTED),
        (S.REJECTED, OrderStatus.UNKNOWN, 0, S.REJECTED),
    ],
)
def test_a_word_moves_an_order(before: OrderState, status: OrderStatus, cumulative: int, after: OrderState) -> None:
    order = Order("A-B", 0, "A", Side.BUY, 10, before)
    heard, _ = hear(order, told(status, cumulative, cumulative), 100, 100)
    assert heard.state is after


@pytest.mark.parametrize("state", OrderState)
def test_an_intent_moves_only_an_order_that_nothing_was_heard_of(state: OrderState) -> None:
    after = sent(Order("A-B", 0, "A", Side.BUY, 10, state)).state
    assert after is (S.SENT if state is S.PENDING else state)


@pytest.mark.parametrize("state", OrderState)
def test_what_may_still_fill_is_counted_until_the_last_word(state: OrderState) -> None:
    leaves = Order("A-B", 0, "A", Side.BUY, 10, state, filled=4).leaves
    assert leaves == (0 if state in (S.FILLED, S.CANCELED, S.REJECTED) else 6)


def test_a_venue_that_fills_more_than_was_ordered_is_believed() -> None:
    heard, filled = hear(Order("A-B", 0, "A", Side.BUY, 10), told(OrderStatus.FILLED, 12, 12), 100, 100)
    assert (heard.state, heard.leaves, filled.lots) == (S.FILLED, 0, 12)


def test_only_so_many_reports_are_remembered_of_an_order() -> None:
    order = Order("A-B", 0, "A", Side.BUY, 10)
    for number in range(EXEC_IDS_KEPT + 10):
        order, _ = hear(order, told(OrderStatus.NEW, exec_id=f"e{number}"), None, 100)
    assert len(order.exec_ids) == EXEC_IDS_KEPT
    assert order.exec_ids[-1] == f"e{EXEC_IDS_KEPT + 9}"


FILLS = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10_000)), max_size=30
)  # signed lots, price in ticks


@given(FILLS)
def test_a_position_is_the_sum_of_its_fills_and_its_cash_what_they_cost(fills: list[tuple[int, int]]) -> None:
    position = FLAT
    for lots, price in fills:
        position = position.traded(lots, price)
    assert position.lots == sum(lots for lots, _ in fills)
    assert position.cash == -sum(lots * price for lots, price in fills)


@given(FILLS, st.integers(1, 10_000))
def test_realised_and_unrealised_profit_add_up_to_cash_and_worth(fills: list[tuple[int, int]], mark: int) -> None:
    position = FLAT
    for lots, price in fills:
        position = position.traded(lots, price)
    assert position.realised + position.unrealised(mark) == position.cash + position.lots * mark


@given(FILLS)
def test_realised_profit_is_that_of_average_cost(fills: list[tuple[int, int]]) -> None:
    """Against the textbook in floats: it may be off by the rounding of one tick lot a partial close."""
    position, lots, average, realised, closes = FLAT, 0, 0.0, 0.0, 0
    for quantity, price in fills:
        position = position.traded(quantity, price)
        if lots * quantity < 0:
            closed = min(abs(lots), abs(quantity))
            realised += closed * (price - average) * (1 if lots > 0 else -1)
            closes += 1
            if abs(quantity) > abs(lots):
                average = price
        else:
            average = (lots * average + quantity * price) / (lots + quantity)
        lots += quantity
    assert position.realised == pytest.approx(realised, abs=closes * 60 + 1e-6)
    if not lots:
        assert position.cost == 0


def test_closing_in_parts_gives_the_profit_of_closing_at_once() -> None:
    in_parts = FLAT.traded(3, 100).traded(-1, 110).traded(-1, 110).traded(-1, 110)
    assert in_parts == FLAT.traded(3, 100).traded(-3, 110) == Position(0, 30, 0)


def test_a_fill_through_zero_opens_at_its_own_price() -> None:
    position = FLAT.traded(5, 100).traded(-8, 110)
    assert (position.lots, position.cost, position.realised) == (-3, -330, 50)


def test_a_correction_of_open_lots_goes_to_their_cost_and_of_closed_ones_to_profit() -> None:
    opened = FLAT.traded(5, 100)
    assert opened.corrected(10, 1) == Position(5, -510, 510)
    assert opened.traded(-5, 100).corrected(10, 1) == Position(0, -10, 0)
