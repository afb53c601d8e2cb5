"""Fills that a venue takes back or corrects: of open orders, of closed ones, of forgotten ones. Money stays exact."""

from dataclasses import replace

import pytest

from pipelines.domain.sizing import Broken, Sizing
from pipelines.domain.trading import Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.domain.universe import Venue
from tests.support.accounts import amended, canceled, filled, lots, report
from tests.support.clocked import EXIT, LONG, Clocked, clocked, moves, words

# A-B is 10 and -7 lots at 100: 10,000 ticks.


def held_at(price: float = 100.0, **of: object) -> tuple[Clocked, OrderRequest, OrderRequest]:
    at = clocked(of=dict(of))
    a, b = at.sign("A-B", LONG)
    at.give(filled(a, "ea", price), filled(b, "eb", price))
    return at, a, b


def bust(order: OrderRequest, exec_id: str, quantity: int, price: float = 100.0, name: str = "x1") -> TradingEvent:
    return amended(order, name, exec_id, (quantity, price))


def saying(event: TradingEvent, **more: object) -> TradingEvent:
    assert isinstance(event.body, Report)
    return replace(event, body=replace(event.body, **more))  # type: ignore[arg-type]


def books_add_up(at: Clocked) -> None:
    for name, position in at.state.positions.items():
        legs = [
            book.legs[leg]
            for of in at.state.books.values()
            for pair, book in of.items()
            for leg in (0, 1)
            if pair.split("-")[leg] == name
        ]
        assert (sum(each.lots for each in legs), sum(each.cash for each in legs)) == (position.lots, position.cash)


def test_a_bust_of_a_fill_of_an_open_order_takes_it_back() -> None:
    at = clocked()
    a, _ = at.sign("A-B", LONG)
    at.give(report(a, "e1", OrderStatus.PARTIALLY_FILLED, 4, 4, 101.0))
    assert at.give(bust(a, "e1", 4, 101.0)) == ()
    assert (at.state.position("A").lots, at.state.position("A").cash) == (0, 0)
    assert at.state.orders[a.client_order_id].leaves == 10


def test_an_open_order_fills_whole_after_a_bust() -> None:
    #  e1 4 filled   x1 busted   e2 10 filled: 10 in all, and not 14
    at = clocked()
    a, b = at.sign("A-B", LONG)
    at.give(report(a, "e1", OrderStatus.PARTIALLY_FILLED, 4, 4), bust(a, "e1", 4), filled(b))
    at.give(report(a, "e2", OrderStatus.FILLED, 10, 10))
    assert lots(at) == {"A": 10, "B": -7}
    assert not at.state.orders


def test_a_correction_changes_the_price_and_nothing_is_ordered() -> None:
    at, a, _ = held_at()
    assert at.give(amended(a, "x1", "ea", (10, 100.0), (10, 99.5))) == ()
    assert at.state.position("A").cash == -10 * 9_950
    assert at.lots_of("A-B") == (10, -7)
    books_add_up(at)


def test_a_bust_of_a_closed_order_that_is_remembered_closes_the_pair() -> None:
    #  A canceled with 6 of 10 filled: the entry broke off; its closing is not filled yet when 6 are taken back
    at = clocked()
    a, b = at.sign("A-B", LONG)
    at.give(filled(b), report(a, "e1", OrderStatus.PARTIALLY_FILLED, 6, 6))
    closing = at.give(canceled(a, cumulative=6))
    assert moves(closing) == [("A-B", "A", -6), ("A-B", "B", 7)]
    at.give(bust(a, "e1", 6))
    assert a.client_order_id in at.state.closed
    assert moves(at.fill(closing)) == [("A-B", "A", 6)]  # sold what was not there


def test_a_bust_of_a_forgotten_order_closes_the_pair_that_lost_a_leg() -> None:
    at, a, _ = held_at()
    assert a.client_order_id not in at.state.closed
    assert moves(at.give(bust(a, "ea", 10))) == [("A-B", "B", 7)]
    assert lots(at) == {"B": -7}
    books_add_up(at)


def test_a_bust_of_part_of_a_leg_closes_both() -> None:
    at, a, _ = held_at()
    assert moves(at.give(amended(a, "x1", "ea", (10, 100.0), (4, 100.0)))) == [("A-B", "A", -4), ("A-B", "B", 7)]


def test_a_pair_that_lost_a_leg_is_completed_where_the_sizing_says_so() -> None:
    at, a, _ = held_at(sizing=Sizing(1_000.0, broken=Broken.COMPLETE))
    again = at.give(bust(a, "ea", 10))
    assert moves(again) == [("A-B", "A", 10)]
    at.fill(again)
    assert at.lots_of("A-B") == (10, -7)


def test_a_bust_of_a_fill_of_a_pair_that_is_flat_again_is_closed_at_once() -> None:
    at, a, _ = held_at()
    at.fill(at.sign("A-B", EXIT))
    assert not at.state.pairs
    outputs = at.give(bust(a, "ea", 10))
    assert moves(outputs) == [("A-B", "A", 10)]
    at.fill(outputs)
    assert lots(at) == {}
    assert not at.state.pairs


def test_a_bust_of_a_forgotten_order_that_tells_no_pair_moves_the_position_alone() -> None:
    at, a, _ = held_at()
    assert at.give(saying(bust(a, "ea", 10), pair="", strategy="")) == ()
    assert at.state.position("A").lots == 0
    assert at.lots_of("A-B") == (10, -7)


def test_a_bust_while_the_pair_moves_waits_for_what_works() -> None:
    at, a, _ = held_at()
    closing = at.sign("A-B", EXIT)
    assert at.give(bust(a, "ea", 10)) == ()
    assert moves(at.fill(closing)) == [("A-B", "A", 10)]


def test_a_bust_that_is_told_twice_counts_once() -> None:
    at, a, _ = held_at()
    event = bust(a, "ea", 10)
    at.give(event)
    before = at.state
    assert at.give(event) == ()
    assert at.state is before


def test_a_bust_before_its_fill_leaves_nothing_of_it() -> None:
    #  x1 takes e1 back before e1 is told
    at = clocked()
    a, _ = at.sign("A-B", LONG)
    at.give(bust(a, "e1", 4), report(a, "e1", OrderStatus.PARTIALLY_FILLED, 4, 4))
    assert at.state.position("A").lots == 0
    assert at.state.orders[a.client_order_id].leaves == 10


def test_a_correction_before_its_fill_counts_as_corrected() -> None:
    at = clocked()
    a, _ = at.sign("A-B", LONG)
    at.give(amended(a, "x1", "e1", (4, 100.0), (3, 99.0)), report(a, "e1", OrderStatus.PARTIALLY_FILLED, 4, 4))
    assert (at.state.position("A").lots, at.state.position("A").cash) == (3, -3 * 9_900)


def test_a_bust_of_a_fill_that_was_known_by_its_sum_takes_the_guess_back() -> None:
    #  e2 tells of 10 in all, of which 6 its own: 4 at a guess. x1 busts e1, which was those 4
    at = clocked()
    a, _ = at.sign("A-B", LONG)
    at.give(report(a, "e2", OrderStatus.FILLED, 10, 6, 101.0), bust(a, "e1", 4, 99.0))
    assert (at.state.position("A").lots, at.state.position("A").cash) == (6, -6 * 10_100)


def test_a_correction_of_a_correction_counts() -> None:
    at, a, _ = held_at()
    at.give(amended(a, "x1", "ea", (10, 100.0), (10, 99.0)))
    at.give(amended(a, "x2", "x1", (10, 99.0), (10, 98.0)))
    assert at.state.position("A").cash == -10 * 9_800
    books_add_up(at)


def test_a_bust_gives_the_fee_and_what_was_used_of_the_credit_back() -> None:
    at, a, _ = held_at(venues=(Venue("sim", "binance", fee_bps=10.0),))
    assert (at.state.day.turnover, at.state.costs) == (pytest.approx(1_700.0), pytest.approx(1.7))
    at.give(bust(a, "ea", 10))
    assert (at.state.day.turnover, at.state.costs) == (pytest.approx(700.0), pytest.approx(0.7))


def test_a_bust_of_a_flat_pair_while_killed_is_refused_once() -> None:
    at, a, _ = held_at()
    at.fill(at.sign("A-B", EXIT))
    at.say("kill")
    assert words(at.give(bust(a, "ea", 10))) == ["kill_switch: account desk was killed by alice: because"]


def test_a_bust_can_break_a_limit() -> None:
    at = clocked(net_notional=1_050.0)
    a, b = at.sign("A-B", LONG)
    at.give(filled(a, "ea", 120.0), filled(b, "eb"))
    at.at(100, A=120.0)
    outputs = at.give(bust(b, "eb", 7))
    assert "reducing: net_notional 1200.00, limit 1050.00" in words(outputs)


@pytest.mark.parametrize(
    ("amended_quantity", "amended_price", "quantity", "price", "instrument", "why"),
    [
        (0, 100.0, 0, 0.0, "A", "0 lots at 100 become 0 at 0"),
        (-1, 100.0, 0, 0.0, "A", "-1 lots at 100 become 0 at 0"),
        (1 << 32, 100.0, 0, 0.0, "A", "4294967296 lots at 100 become 0 at 0"),
        (10, 0.0, 0, 0.0, "A", "10 lots at 0 become 0 at 0"),
        (10, 100.0, 10, 0.0, "A", "10 lots at 100 become 10 at 0"),
        (10, 100.0, 1 << 32, 9.0, "A", "10 lots at 100 become 4294967296 at 9"),
        (10, 100.0, 0, 0.0, "Z", "10 lots at 100 become 0 at 0"),
    ],
)
def test_an_implausible_amendment_is_refused_and_changes_nothing(
    amended_quantity: int, amended_price: float, quantity: int, price: float, instrument: str, why: str
) -> None:
    at, a, _ = held_at()
    before = at.state
    event = amended(a, "x1", "ea", (amended_quantity, amended_price), (quantity, price))
    (refused,) = at.give(saying(event, instrument=instrument))
    assert refused.action is Decision.REFUSED
    assert refused.reason == f"implausible_report: x1 amends ea of order {a.client_order_id}: {why}"
    assert at.state is before


def test_an_amendment_of_what_is_not_traded_any_more_is_refused() -> None:
    at, a, _ = held_at()
    assert words(at.give(saying(bust(a, "ea", 10), instrument="Z")))[0].startswith("implausible_report: ")
