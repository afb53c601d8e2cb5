"""Orders of one event that are on both sides of an instrument. A-B is 10 and -7 lots at 100, D-B 10 and 5."""

from msgspec.structs import replace

from pipelines.domain.netting import netted
from pipelines.domain.trading import Booked, Decision, OrderRequest
from pipelines.domain.unwind import stages
from pipelines.domain.unwinding import Unwinding
from tests.support.accounts import canceled, lots
from tests.support.clocked import SHORT, Clocked, clocked, moves, new

ALL = {"unwinding": Unwinding(fraction=1.0)}


def flattened(*pairs: str) -> tuple[Clocked, tuple[OrderRequest, ...]]:
    at = clocked(of=ALL).hold(*pairs)
    at.say("flatten")
    return at, at.at(100)


def crossings(outputs: tuple[OrderRequest, ...]) -> list[tuple[str, str, int, float]]:
    found = [each for each in outputs if each.action is Decision.BOOKED]
    assert all(each.booked is Booked.CROSSED for each in found)
    return [(each.pair, each.instrument, each.signed, each.limit_price) for each in found]


def test_what_one_pair_buys_and_another_sells_is_crossed_at_the_mark_and_the_rest_goes_out() -> None:
    at, outputs = flattened("A-B", "D-B")
    assert crossings(outputs) == [("A-B", "B", 5, 100.0), ("D-B", "B", -5, 100.0)]
    assert sorted(moves(outputs)) == [("A-B", "A", -10), ("A-B", "B", 2), ("D-B", "D", -10)]
    assert at.lots_of("A-B") == (10, -2)
    assert at.lots_of("D-B") == (10, 0)
    assert lots(at) == {"A": 10, "B": -2, "D": 10}
    at.fill(outputs)
    assert lots(at) == {}
    assert at.state.pairs == {}
    books = at.state.books["test"]
    assert sum(book.legs[1].cash for book in books.values()) == at.state.position("B").cash


def test_a_crossing_costs_no_fee_and_is_told_with_its_order() -> None:
    _, outputs = flattened("A-B", "D-B")
    word = next(each for each in outputs if each.action is Decision.BOOKED)
    assert word.amount == 0.0
    assert word.reason.startswith("crossed: 5 of 7 lots against other pairs, order ")


def test_a_pair_that_is_crossed_whole_is_flat_without_an_order() -> None:
    #  A-C is 10 and -12 lots of A and C, A-D short -10 and 9: A is crossed whole
    at = clocked(of=ALL).hold("A-C")
    at.fill(at.sign("A-D", SHORT))
    at.say("flatten")
    outputs = at.at(100)
    assert not [each for each in new(outputs) if each.instrument == "A"]
    at.fill(outputs)
    assert at.state.pairs == {}
    assert lots(at) == {}


def test_what_is_left_may_still_be_canceled_and_comes_again() -> None:
    at, outputs = flattened("A-B", "D-B")
    left = next(each for each in new(outputs) if each.instrument == "B")
    at.fill([each for each in outputs if each is not left])
    again = at.give(canceled(left))
    assert [(each.instrument, each.quantity) for each in new(again)] == [("B", 2)]


def test_without_a_mark_both_go_out() -> None:
    at = clocked(of=ALL).hold("A-B", "D-B")
    at.say("flatten")
    event = next(iter(at.marks()))
    state, orders = stages(at.state, event)
    assert len(orders) == 4
    unmarked = replace(state, marks={})
    assert netted(unmarked, event, orders) == (unmarked, orders)
    assert len(netted(state, event, orders)[1]) == 5


def test_orders_of_one_side_go_out_as_they_are() -> None:
    at = clocked(of=ALL).hold("A-B", "A-C")
    at.say("flatten")
    outputs = at.at(100)
    assert not crossings(outputs)
    assert sum(each.quantity for each in new(outputs) if each.instrument == "A") == 20
