"""Orders by FIX: late and repeated reports, busts, requests, refusals, and reports that cannot be."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.fix_fills import EXECUTIONS_KEPT
from pipelines.domain.fix_orders import FixOrders, Known
from pipelines.domain.fix_words import (
    CancelReject,
    ChangeRequest,
    ExecKind,
    Moment,
    NewOrder,
    OrdStatus,
    Refusal,
    Report,
    RequestKind,
    StatusRequest,
    Word,
)
from tests.support.fix_venue import HonestVenue

Told = tuple[str, int | None, int, int | None]


class Desk:
    """An order X for 100 IBM, bought; numbers of both sides go up."""

    def __init__(self, sent: bool = True) -> None:
        self.orders = FixOrders()
        self.number = 0
        if sent:
            self.hear(NewOrder("X", "IBM", "1", Decimal(100), Moment(session="BUY>SELL", number=1)))

    def hear(self, word: Word) -> Known:
        known = self.orders.hear(word)
        assert known is not None
        return known

    def report(self, kind: str, status: str, cum: object, leaves: object, **more: object) -> Known:
        self.number = int(str(more.pop("number", self.number + 1)))
        numbers = {
            name: None if value is None else Decimal(str(value)) for name, value in more.items() if name in NUMBERS
        }
        texts = {name: str(value) for name, value in more.items() if name not in NUMBERS}
        word = Report(
            cl_ord_id=texts.pop("client", "X"),
            kind=ExecKind(kind),
            status=OrdStatus(status),
            exec_id=texts.pop("exec_id", f"E{self.number}"),
            cum=Decimal(str(cum)),
            leaves=Decimal(str(leaves)),
            moment=Moment(session="SELL>BUY", number=self.number),
            **numbers,
            **texts,  # type: ignore[arg-type]
        )
        return self.hear(word)

    def new(self) -> Known:
        return self.report("New", "New", 0, 100)

    def fill(self, last: object, cum: int, **more: object) -> Known:
        return self.report("Trade", "Filled" if cum == 100 else "Partially Filled", cum, 100 - cum, last=last, **more)

    def ask(self, kind: RequestKind, client: str, orig: str = "X", quantity: int | None = None) -> Known:
        told = None if quantity is None else Decimal(quantity)
        return self.hear(ChangeRequest(kind, client, orig, quantity=told, moment=Moment(session="BUY>SELL", number=2)))


NUMBERS = {"quantity", "last", "price", "average"}


def told(known: Known) -> Told:
    quantity, leaves = (None if each is None else int(each) for each in (known.order_qty, known.leaves_qty))
    return known.ord_status.value, quantity, int(known.cum_qty), leaves


def test_an_order_without_a_side_is_taken_and_told() -> None:
    known = FixOrders().hear(NewOrder("X", "IBM", "", Decimal(100)))
    assert known is not None
    assert (told(known), known.error) == (
        ("Unknown", 100, 0, 100),
        "Side (54) is missing: the order is taken nonetheless",
    )


def test_a_request_ahead_of_its_order_leaves_it_to_be_sent() -> None:
    desk = Desk(sent=False)
    assert desk.ask(RequestKind.CANCEL, "Y").error == "unknown order: nothing in this log sent X"
    assert told(desk.hear(CancelReject("Y", "X", OrdStatus.REJECTED)))[0] == "Rejected"
    assert told(desk.hear(NewOrder("X", "IBM", "1", Decimal(100)))) == ("Unknown", 100, 0, 100)


def test_an_order_without_a_word_is_unknown_and_may_fill_whole() -> None:
    desk = Desk()
    known = desk.hear(StatusRequest("X"))
    assert told(known) == ("Unknown", 100, 0, 100)
    assert known.error is None


def test_late_fill_after_cancel_still_counts() -> None:
    desk = Desk()
    desk.new()
    desk.ask(RequestKind.CANCEL, "Y")
    desk.report("Canceled", "Canceled", 0, 0, client="Y", orig_cl_ord_id="X")
    assert told(desk.report("Trade", "Canceled", 30, 0, last=30)) == ("Canceled", 100, 30, 0)
    assert told(desk.report("Trade", "Filled", 100, 0, last=70)) == ("Filled", 100, 100, 0)


def test_fill_before_the_acknowledgement() -> None:
    desk = Desk()
    assert told(desk.fill(40, 40)) == ("Partially Filled", 100, 40, 60)
    known = desk.new()
    assert told(known) == ("Partially Filled", 100, 40, 60)
    assert known.error is None


@pytest.mark.parametrize("renumbered", [False, True])
def test_an_older_fill_after_a_newer_one_adds_what_it_filled(renumbered: bool) -> None:
    desk = Desk()
    desk.new()
    known = desk.fill(30, 70, exec_id="B", number=3)
    assert told(known) == ("Partially Filled", 100, 70, 30)
    known = desk.fill(40, 40, exec_id="A", number=4 if renumbered else 2)
    assert told(known) == ("Partially Filled", 100, 70, 30)
    assert known.error is None


def test_an_acknowledgement_after_the_cancel_does_not_revive_the_order() -> None:
    desk = Desk()
    desk.report("Canceled", "Canceled", 0, 0)
    assert told(desk.new()) == ("Canceled", 100, 0, 0)


def test_a_repeated_exec_id_counts_once() -> None:
    desk = Desk()
    desk.fill(40, 40, exec_id="A")
    again = desk.fill(40, 40, exec_id="A", number=1)
    assert told(again) == ("Partially Filled", 100, 40, 60)
    assert again.error is None


def test_an_exec_id_of_two_fills_is_told_and_the_first_stands() -> None:
    desk = Desk()
    desk.fill(40, 40, exec_id="A")
    again = desk.fill(20, 60, exec_id="A")
    assert told(again) == ("Partially Filled", 100, 40, 60)
    assert again.error == "ExecID A was a Trade of 40, is now a Trade of 20: the first stands"


def test_a_bust_before_its_fill() -> None:
    desk = Desk()
    desk.new()
    known = desk.report("Trade Cancel", "New", 0, 100, exec_id="B", refers="A", number=3)
    assert told(known) == ("New", 100, 0, 100)
    assert known.error == "ExecRefID A is not known yet: it will not count when it comes"
    assert told(desk.fill(40, 40, exec_id="A", number=2)) == ("New", 100, 0, 100)


def test_a_bust_that_goes_by_the_id_of_its_fill() -> None:
    desk = Desk()
    desk.fill(40, 40, exec_id="A")
    assert told(desk.report("Trade Cancel", "New", 0, 100, exec_id="A", refers="A")) == ("New", 100, 0, 100)


def test_the_later_of_two_corrections_of_a_fill_stands() -> None:
    desk = Desk()
    desk.fill(40, 40, exec_id="A", price=10)
    desk.report("Trade Correct", "Partially Filled", 20, 80, exec_id="C", refers="A", last=20, price=10, number=4)
    known = desk.report(
        "Trade Correct", "Partially Filled", 30, 70, exec_id="B", refers="A", last=30, price=10, number=3
    )
    assert told(known) == ("Partially Filled", 100, 20, 80)


def test_a_bust_of_the_last_fill_reopens_the_order() -> None:
    desk = Desk()
    desk.fill(100, 100, exec_id="A")
    assert told(desk.report("Trade Cancel", "New", 0, 100, refers="A")) == ("New", 100, 0, 100)


def test_a_bust_that_takes_nothing_off_its_sum_is_told() -> None:
    desk = Desk()
    desk.fill(40, 40, exec_id="A")
    known = desk.report("Trade Cancel", "Partially Filled", 40, 60, refers="A")
    assert (told(known), known.error) == (("New", 100, 0, 100), "CumQty 40, but fills come to 0")


def test_a_fill_without_a_quantity_counts_by_its_sum() -> None:
    known = Desk().report("Trade", "Filled", 100, 0)
    assert (told(known), known.error) == (
        ("Filled", 100, 100, 0),
        "Trade without a LastQty: only its CumQty is counted",
    )


def test_a_bust_without_a_reference_takes_nothing_back() -> None:
    desk = Desk()
    desk.fill(40, 40)
    known = desk.report("Trade Cancel", "New", 0, 100)
    assert told(known)[2] == 40
    assert known.error is not None
    assert known.error.startswith("Trade Cancel without an ExecRefID: nothing is taken back")


def test_a_fill_that_is_known_only_by_its_sum() -> None:
    desk = Desk()
    assert told(desk.report("Order Status", "Partially Filled", 40, 60, average=10)) == (
        "Partially Filled",
        100,
        40,
        60,
    )
    known = desk.fill(40, 40, price="10.5")
    assert told(known) == ("Partially Filled", 100, 40, 60)
    assert known.avg_px == Decimal("10.5")


def test_average_price_is_exact() -> None:
    desk = Desk()
    desk.report("Trade", "Partially Filled", "0.1", "99.9", last="0.1", price="0.1")
    assert desk.report("Trade", "Partially Filled", "0.3", "99.7", last="0.2", price="0.4").avg_px == Decimal("0.3")


def test_a_rejected_request_leaves_the_order_what_it_was() -> None:
    desk = Desk()
    desk.new()
    assert desk.ask(RequestKind.CANCEL, "Y").pending == ("cancel Y",)
    pending = desk.report("Pending Cancel", "Pending Cancel", 0, 100, client="Y", orig_cl_ord_id="X")
    assert (pending.ord_status, pending.cl_ord_id) == (OrdStatus.PENDING_CANCEL, "X")
    known = desk.hear(CancelReject("Y", "X", OrdStatus.NEW))
    assert (told(known), known.pending) == (("New", 100, 0, 100), ())
    late = desk.report("Pending Cancel", "Pending Cancel", 0, 100, exec_id="late", client="Y", orig_cl_ord_id="X")
    assert told(late) == ("New", 100, 0, 100)


def test_a_venue_that_does_not_name_the_request() -> None:
    desk = Desk()
    desk.ask(RequestKind.CANCEL, "Y")
    assert desk.report("Pending Cancel", "Pending Cancel", 0, 100).ord_status == "Pending Cancel"
    known = desk.report("Canceled", "Canceled", 0, 0)
    assert (told(known), known.pending) == (("Canceled", 100, 0, 0), ())


def test_a_replacement_changes_id_and_quantity() -> None:
    desk = Desk()
    desk.new()
    desk.fill(40, 40)
    desk.ask(RequestKind.REPLACE, "Y", quantity=200)
    known = desk.report("Replace", "Partially Filled", 40, 160, client="Y", orig_cl_ord_id="X", quantity=200)
    assert (told(known), known.cl_ord_id) == (("Partially Filled", 200, 40, 160), "Y")
    assert known.error is None


def test_a_replacement_below_what_is_filled_is_filled() -> None:
    desk = Desk()
    desk.fill(40, 40)
    desk.ask(RequestKind.REPLACE, "Y", quantity=30)
    known = desk.report("Replace", "Filled", 40, 0, client="Y", orig_cl_ord_id="X", quantity=30)
    assert told(known) == ("Filled", 40, 40, 0)


def test_a_fill_of_the_replacement_before_it_is_accepted() -> None:
    desk = Desk()
    desk.new()
    desk.ask(RequestKind.REPLACE, "Y", quantity=200)
    known = desk.report("Trade", "Partially Filled", 150, 50, client="Y", quantity=200, last=150)
    assert (told(known), known.cl_ord_id, known.error) == (("Partially Filled", 200, 150, 50), "Y", None)
    late = desk.report("Replace", "New", 0, 200, client="Y", orig_cl_ord_id="X", quantity=200, number=1)
    assert told(late) == ("Partially Filled", 200, 150, 50)


def test_a_precedence_that_the_venue_does_not_keep() -> None:
    desk = Desk()
    desk.new()
    desk.ask(RequestKind.CANCEL, "Y")
    desk.report("Pending Cancel", "Pending Cancel", 0, 100, client="Y", orig_cl_ord_id="X")
    assert told(desk.fill(40, 40)) == ("Pending Cancel", 100, 40, 60)
    assert told(desk.fill(60, 100)) == ("Filled", 100, 100, 0)


@pytest.mark.parametrize("status", ["Suspended", "Stopped", "Calculated", "Done for Day", "Pending New"])
def test_a_state_that_the_venue_tells_holds_until_it_tells_another(status: str) -> None:
    desk = Desk()
    assert desk.report(status, status, 0, 100).ord_status == status
    assert desk.report("Restated", "New", 0, 100).ord_status == "New"


def test_expired_with_a_part_filled() -> None:
    desk = Desk()
    desk.fill(40, 40)
    assert told(desk.report("Expired", "Expired", 40, 0)) == ("Expired", 100, 40, 0)


def test_a_canceled_order_is_reinstated() -> None:
    desk = Desk()
    desk.fill(40, 40)
    desk.report("Canceled", "Canceled", 40, 0)
    assert told(desk.report("Restated", "Partially Filled", 40, 60)) == ("Partially Filled", 100, 40, 60)


def test_a_split_restates_what_was_filled() -> None:
    desk = Desk()
    desk.fill(40, 40, price=10)
    split = desk.report("Restated", "Partially Filled", 20, 30, quantity=50, average=20, corporate_action="yes")
    assert (told(split), split.avg_px) == (("Partially Filled", 50, 20, 30), 20)
    known = desk.report("Trade", "Filled", 50, 0, quantity=50, last=30, price=25)
    assert (told(known), known.avg_px) == (("Filled", 50, 50, 0), 23)


@pytest.mark.parametrize(
    ("refusal", "status", "pending"),
    [
        (Refusal("D", 1, "", "no", Moment(session="BUY>SELL")), "Rejected", ("cancel Y",)),
        (Refusal("F", 2, "", "no", Moment(session="BUY>SELL")), "Unknown", ()),
        (Refusal("F", None, "Y", "no"), "Unknown", ()),
    ],
)
def test_a_refused_message(refusal: Refusal, status: str, pending: tuple[str, ...]) -> None:
    desk = Desk()
    desk.ask(RequestKind.CANCEL, "Y")
    known = desk.hear(refusal)
    assert known.ord_status == status
    assert known.pending == (() if status == "Rejected" else pending)


def test_a_refusal_of_what_is_no_order_is_passed() -> None:
    assert Desk().orders.hear(Refusal("A", 9, "", "no", Moment(session="BUY>SELL"))) is None


def test_an_unknown_order_is_told_and_then_known() -> None:
    desk = Desk(sent=False)
    known = desk.report("Trade", "Partially Filled", 40, 60, last=40, client="Q")
    assert told(known) == ("Partially Filled", 100, 40, 60)
    assert known.error == "unknown order: nothing in this log sent Q; taken as told"
    assert desk.report("Canceled", "Canceled", 40, 0, client="Q").error is None
    assert desk.hear(CancelReject("W", "V", None)).error == "unknown order: nothing in this log sent V"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"last": -10, "cum": 30}, "LastQty -10: not taken"),
        ({"last": 10, "cum": -5}, "CumQty -5: not taken"),
        ({"last": 10, "cum": 50, "leaves": -5}, "LeavesQty -5: not taken"),
        ({"last": 10**6, "cum": 10**6}, "LastQty 1000000 of an order for 100: not taken"),
        ({"last": 60, "cum": 50}, "LastQty 60 is more than CumQty 50: not taken"),
        ({"last": 70, "cum": 70, "leaves": 30}, "LastQty 70 would fill 110 of 100: not counted"),
        ({"last": 10, "cum": 45, "leaves": 55}, "CumQty 45, but fills come to 50"),
        ({"last": 10, "cum": 50, "leaves": 20}, "LeavesQty 20 is not OrderQty 100 - CumQty 50"),
        ({"last": 10, "cum": 50, "quantity": 90, "leaves": 40}, "OrderQty 90, the order's is 100: not taken"),
        ({"last": 10, "cum": 50, "symbol": "MSFT"}, "Symbol MSFT, the order's is IBM: not counted"),
        ({"last": 10, "cum": 50, "side": "2"}, "Side 2, the order's is 1: not counted"),
        ({"last": 60, "cum": 100, "status": "Partially Filled"}, "OrdStatus Partially Filled at CumQty 100"),
        ({"last": 10, "cum": 50, "status": "Filled"}, "OrdStatus Filled at CumQty 50"),
        ({"kind": "Canceled", "status": "Canceled", "cum": 30, "leaves": 0}, "CumQty 30, but fills come to 40"),
        (
            {"kind": "Canceled", "status": "Canceled", "cum": 40, "leaves": 60},
            "LeavesQty 60 of an order that is Canceled",
        ),
        ({"kind": "Rejected", "status": "Rejected", "cum": 0, "leaves": 0}, "rejected, with 40 filled: it stands"),
    ],
)
def test_a_report_that_cannot_be_is_told_and_the_state_stays_sane(more: dict[str, object], error: str) -> None:
    desk = Desk()
    desk.new()
    desk.fill(40, 40)
    given = {"kind": "Trade", "status": "Partially Filled", "leaves": 50, **more}
    known = desk.report(**given)  # type: ignore[arg-type]
    assert known.error is not None
    assert error in known.error.replace(" of 100", "") or error in known.error
    assert known.order_qty == 100
    assert 0 <= known.cum_qty <= 100
    assert known.cum_qty >= 40
    assert known.leaves_qty in (0, 100 - known.cum_qty)


def test_more_filled_than_ordered_is_counted_and_told() -> None:
    desk = Desk()
    desk.fill(90, 90)
    known = desk.report("Trade", "Filled", 110, 0, last=20)
    assert told(known) == ("Filled", 100, 110, 0)
    assert known.error == "filled 110 of 100"


def test_a_fill_that_is_held_back_counts_once_a_bust_makes_room() -> None:
    desk = Desk()
    desk.fill(100, 100, exec_id="A", number=1)
    held = desk.fill(80, 80, exec_id="C", number=3)
    assert told(held)[2] == 100
    assert told(desk.report("Trade Cancel", "New", 0, 100, refers="A", number=2))[2] == 80


@given(st.integers(0, 10**6), st.integers(0, 16), st.randoms(use_true_random=False))
def test_reports_in_any_order_and_number_end_in_the_same_state(seed: int, steps: int, random: Random) -> None:
    """Busts and corrections among them, in every order; each with its SendingTime and MsgSeqNum, as FIX asks."""
    _hold(HonestVenue(seed, amends=True, dated=True).live(steps), random)


@given(st.integers(0, 10**6), st.integers(0, 16), st.randoms(use_true_random=False))
def test_reports_without_a_time_end_in_the_same_quantities(seed: int, steps: int, random: Random) -> None:
    venue = HonestVenue(seed, amends=False, dated=False).live(steps)
    known = _heard(venue, random)
    assert (known.cum_qty, known.leaves_qty) == (venue.cum, venue.leaves)


def _hold(venue: HonestVenue, random: Random) -> None:
    known = _heard(venue, random)
    assert told(known) == (venue.status, venue.quantity, venue.cum, venue.leaves)
    assert known.cl_ord_id == venue.client


def _heard(venue: HonestVenue, random: Random) -> Known:
    words = [*venue.heard, *random.choices(venue.heard, k=4)]
    random.shuffle(words)
    orders = FixOrders()
    for word in (*venue.sent, *words):
        known = orders.hear(word)
    assert known is not None
    return known


@given(st.integers(0, 10**6), st.integers(0, 16))
def test_reports_in_their_order_have_nothing_amiss(seed: int, steps: int) -> None:
    venue = HonestVenue(seed, amends=True, dated=True).live(steps)
    orders = FixOrders()
    assert [known.error for word in (*venue.sent, *venue.heard) if (known := orders.hear(word))] == [None] * (
        len(venue.sent) + len(venue.heard)
    )


def test_state_is_bounded() -> None:
    orders = FixOrders(kept=10)
    for number in range(50):
        orders.hear(NewOrder(f"X{number}", "IBM", "1", Decimal(100)))
    assert len(orders) == 10
    last = "X49"
    for number in range(1000):
        orders.hear(ChangeRequest(RequestKind.REPLACE, f"R{number}", last, quantity=Decimal(100)))
        known = orders.hear(Report(f"R{number}", ExecKind.REPLACED, OrdStatus.NEW, f"E{number}", last))
        last = f"R{number}"
    assert known is not None
    assert (known.cl_ord_id, known.error) == (last, None)
    assert orders.known("R0") is None
    assert orders.known("R990") is not None


def test_more_fills_than_are_kept_still_add_up() -> None:
    desk = Desk()
    for number in range(EXECUTIONS_KEPT + 10):
        known = desk.report("Trade", "Partially Filled", Decimal(number + 1) / 1000, 0, last="0.001", price=7)
    assert (known.cum_qty, known.avg_px) == (Decimal(EXECUTIONS_KEPT + 10) / 1000, 7)


def test_an_order_that_its_venue_did_not_know_and_is_sent_again_lives() -> None:
    desk = Desk()
    unknown = Report("X", ExecKind.STATUS, OrdStatus.REJECTED, "0", moment=Moment(None, 2, "SELL>BUY", 2))
    again = NewOrder("X", "IBM", "1", Decimal(100), Moment(session="BUY>SELL", number=2), again=True)
    new = Report("X", ExecKind.NEW, OrdStatus.NEW, "e1", cum=Decimal(0), leaves=Decimal(100))
    said = [desk.hear(word) for word in (unknown, again, new)]
    assert [(each.ord_status.value, each.error) for each in said] == [
        ("Rejected", None),
        ("Unknown", None),
        ("New", None),
    ]
