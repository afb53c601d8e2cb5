"""Orders that are worked: one behaviour each. Their laws are in test_parent_orders_laws.py."""

from dataclasses import replace

from pipelines.domain.identity import child_order_id
from pipelines.domain.parent_rules import Algo, OnReject, Takes
from pipelines.domain.trading import OrderStatus, Report, TradingEvent
from tests.unit.parent_world import NOW, PLACES, T0, Desk, S, books, order, rules

TWAP = replace(NOW, algo=Algo.TWAP, duration_ns=60 * S, slices=3)


def shown(report: Report) -> tuple[str, int, int, int]:
    return report.status.value, report.last_quantity, report.cumulative_quantity, report.leaves_quantity


def test_an_order_goes_to_the_venues_that_display_it_as_children_of_its_own() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    assert desk.orders.due_ns() == T0
    q, n = sorted(desk.move(), key=lambda child: child.venue, reverse=True)
    assert [(c.venue, c.instrument, c.quantity, c.target, c.order_type) for c in (q, n)] == [
        ("Q", "A.Q", 4, "parent", "market"),
        ("N", "A.N", 4, "parent", "market"),
    ]
    assert {q.client_order_id, n.client_order_id} == {child_order_id("parent", k) for k in (0, 1)}
    assert (desk.orders.due_ns(), desk.move(T0 + S)) == (None, [])


def test_what_venues_say_of_children_is_told_of_the_parent_with_its_sums() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    assert shown(desk.say(one, "new")) == ("new", 0, 0, 8)
    assert shown(desk.say(two, "partially_filled", 3, 3)) == ("partially_filled", 3, 3, 5)
    assert shown(desk.fill(one)) == ("partially_filled", 4, 7, 1)
    report = desk.say(two, "filled", 1, 4)
    assert shown(report) == ("filled", 1, 8, 0)
    assert (report.venue, report.instrument, report.child) == (two.venue, "A.Q", two.client_order_id)
    assert (report.child_status, report.child_cumulative) == ("filled", 4)
    assert desk.orders.working() == []


def test_what_is_left_is_routed_again_when_the_sweep_is_back_and_all_of_it_goes_the_last_time() -> None:
    desk = Desk(rules(replace(NOW, tries=1)))
    desk.take(order(lots=20))
    one, two = desk.move()
    desk.fill(one)
    assert desk.orders.due_ns() is None
    desk.fill(two)
    assert desk.orders.due_ns() == two.event_time_ns + 1_000
    assert sum(child.quantity for child in desk.move()) == 12


def test_without_rest_an_order_ends_when_it_was_routed_as_often_as_its_rule_has_it() -> None:
    desk = Desk(rules(replace(NOW, tries=1, rest=False)))
    desk.take(order(lots=20))
    for _ in range(2):
        for child in desk.move():
            last = desk.fill(child)
    assert shown(last) == ("canceled", 4, 16, 0)


def test_an_order_that_nobody_quotes_is_tried_again_and_then_canceled() -> None:
    desk = Desk(rules(replace(NOW, tries=2, retry_ns=S)))
    desk.take(order())
    times = []
    while (due_ns := desk.orders.due_ns()) is not None:
        times.append(due_ns)
        assert desk.move(shown={}) == []
    assert times == [T0, T0 + S, T0 + 2 * S]
    *tried, end = desk.told()
    assert [report.text for report in tried] == ["nothing of it is sent now"] * 3
    assert (*shown(end), end.child) == ("canceled", 0, 0, 0, "")


def test_slices_are_sent_at_their_own_event_times() -> None:
    desk = Desk(rules(TWAP))
    desk.take(order(lots=9))
    sent = []
    for _ in range(3):
        due_ns = desk.orders.due_ns()
        children = desk.move()
        sent.append((due_ns, sum(child.quantity for child in children)))
        for child in children:
            assert child.event_time_ns == due_ns
            report = desk.fill(child)
    assert sent == [(T0, 3), (T0 + 20 * S, 3), (T0 + 40 * S, 3)]
    assert report.status is OrderStatus.FILLED


def test_a_slice_that_did_not_fill_goes_with_the_next() -> None:
    desk = Desk(rules(replace(TWAP, tries=0)))
    desk.take(order(lots=9))
    for child in desk.move():
        assert desk.say(child, "canceled").status is OrderStatus.NEW
    assert sum(child.quantity for child in desk.move()) == 6


def test_an_unknown_child_keeps_its_lots() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    assert shown(desk.say(one, "unknown")) == ("unknown", 0, 0, 8)
    desk.say(two, "canceled")
    assert desk.orders.due_ns() is None
    assert shown(desk.fill(one)) == ("partially_filled", 4, 4, 4)
    assert sum(child.quantity for child in desk.move()) == 4


def test_a_venue_that_rejects_gets_no_more_of_the_order() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    assert desk.say(one, "rejected").status is OrderStatus.NEW
    desk.fill(two)
    (again,) = desk.move()
    assert (again.venue, again.quantity) == (two.venue, 4)


def test_an_order_that_every_venue_rejects_is_rejected() -> None:
    desk = Desk(rules(replace(NOW, tries=0)))
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.say(one, "rejected")
    assert desk.say(two, "rejected").status is OrderStatus.REJECTED


def test_a_reject_ends_the_order_where_its_rule_says_so() -> None:
    desk = Desk(rules(replace(NOW, on_reject=OnReject.END)))
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.say(one, "rejected")
    assert set(desk.cancels) == {two.client_order_id}
    assert desk.say(two, "canceled").status is OrderStatus.CANCELED
    assert desk.orders.working() == []


def test_a_cancel_of_the_order_is_one_of_each_child_and_it_is_over_when_all_are() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.cancel()
    assert set(desk.cancels) == {one.client_order_id, two.client_order_id}
    assert len({request.client_order_id for request in desk.cancels.values()}) == 2
    assert desk.say(one, "canceled").status is OrderStatus.NEW
    assert shown(desk.say(two, "canceled", cumulative=0)) == ("canceled", 0, 0, 0)


def test_an_order_that_is_canceled_before_anything_is_sent_is_over_at_once() -> None:
    desk = Desk(rules(TWAP))
    desk.take(order())
    desk.cancel()
    assert [report.status for report in desk.told()] == [OrderStatus.CANCELED]
    assert (desk.orders.due_ns(), desk.move(T0 + 60 * S)) == (None, [])


def test_a_cancel_holds_after_a_restart() -> None:
    desk = Desk(rules(TWAP))
    desk.take(order(lots=9))
    children = desk.move()
    desk.cancel()
    desk.cancels.clear()
    desk.restart()
    assert set(desk.cancels) == {child.client_order_id for child in children}
    for child in children:
        report = desk.say(child, "canceled")
    assert (report.status, desk.orders.due_ns()) == (OrderStatus.CANCELED, None)


def test_a_late_fill_of_a_canceled_child_counts() -> None:
    desk = Desk(rules(replace(NOW, tries=0)))
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.say(one, "canceled", cumulative=2)
    desk.fill(two)
    assert desk.orders.working() == ["parent"]  # two lots of the first are not told yet
    assert shown(desk.say(one, "partially_filled", 2, 2)) == ("canceled", 2, 6, 0)


def test_lots_beyond_a_venues_last_word_bring_back_what_works() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.say(one, "canceled")
    desk.fill(two)
    (again,) = desk.move(shown=books(Q=4))
    desk.say(one, "filled", 4, 4)
    assert set(desk.cancels) == {again.client_order_id}


def test_a_bust_is_told_with_the_parents_sums_and_is_not_sent_again() -> None:
    desk = Desk(rules(replace(NOW, tries=5)))
    desk.take(order(lots=8))
    one, two = desk.move()
    fill = desk.fill(one)
    amended = {"amends": fill.exec_id, "amended_quantity": 4, "amended_price": 100.0}
    bust = desk.say(one, "filled", 0, 0, **amended)
    assert (shown(bust), bust.amended_quantity, bust.amends) == (("new", 0, 0, 8), 4, fill.exec_id)
    assert desk.orders.due_ns() is None
    assert shown(desk.fill(two)) == ("canceled", 4, 4, 0)


def test_a_report_that_is_told_twice_is_written_once() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    child, _ = desk.move()
    event = desk.word(child, "filled", 4, 4)
    desk.tell(event)
    assert desk.orders.told(event)[0] == ()
    desk.restart()
    assert desk.orders.told(event)[0] == ()


def test_a_report_of_no_child_is_written_as_it_is() -> None:
    desk = Desk()
    event = desk.word(order("other"), "new")
    assert desk.orders.told(event)[0] == (event,)


def test_an_order_with_a_limit_takes_nothing_beyond_it_and_its_children_have_one() -> None:
    desk = Desk(rules(replace(NOW, tries=0)))
    desk.take(order("above", limit_price=99.0), order("at", limit_price=100.0, lots=8))
    children = desk.move()
    assert {child.target for child in children} == {"at"}
    assert {(child.order_type, child.limit_price) for child in children} == {("immediate", 100.0)}
    assert desk.told("above")[-1].status is OrderStatus.CANCELED


def test_children_that_are_immediate_have_the_routers_limit() -> None:
    desk = Desk(rules(replace(NOW, takes=Takes.IMMEDIATE)))
    desk.take(order(lots=8))
    assert {(child.order_type, child.limit_price) for child in desk.move()} == {("immediate", 100.0)}


def test_the_first_rule_that_fits_is_an_orders() -> None:
    desk = Desk(rules(replace(TWAP, instrument="B"), replace(NOW, pair="A-B", places=PLACES[:1])))
    desk.take(order(lots=3))
    assert [child.venue for child in desk.move()] == ["Q"]
    assert not desk.orders.takes(order(pair="C-D"))


def test_an_order_that_no_rule_is_for_any_more_is_brought_to_its_end_after_a_restart() -> None:
    desk = Desk()
    desk.take(order(lots=8))
    one, two = desk.move()
    desk.rules = rules(replace(NOW, pair="C-D"))
    desk.restart()
    assert set(desk.cancels) == {one.client_order_id, two.client_order_id}
    desk.fill(one)
    assert shown(desk.say(two, "canceled")) == ("canceled", 0, 4, 0)


def test_children_after_a_restart_are_those_that_would_have_been() -> None:
    plain, broken = Desk(rules(TWAP)), Desk(rules(TWAP))
    for desk in (plain, broken):
        desk.take(order(lots=9))
        while desk.orders.due_ns() is not None:
            for child in desk.move():
                desk.fill(child)
            if desk is broken:
                desk.restart()
    assert list(plain.sent.values()) == list(broken.sent.values())
    assert plain.log == broken.log


def test_events_that_are_not_about_these_orders_do_nothing() -> None:
    desk = Desk()
    desk.orders.recover(TradingEvent("intent/x", "desk", T0, order("x")))
    desk.orders.recover(desk.word(order("x"), "new"))
    assert (desk.orders.working(), desk.orders.parents) == ([], {})
