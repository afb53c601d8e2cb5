"""The limits of an account, each with what is refused and what just passes; and how a command changes them."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.domain.account import Stops
from pipelines.domain.limits import LimitError, Limits, change
from pipelines.domain.trading import Action, Decision, Signal, TradingEvent
from tests.support.accounts import (
    MS,
    T0,
    Desk,
    command,
    config,
    entered,
    filled,
    held,
    marked,
    marks,
    reason_of,
    signal,
)

DAY_MS = 86_400_000


def desk(**more: Any) -> Desk:
    return marked(config(**more))


def priced(event: TradingEvent, mid_a: float) -> TradingEvent:
    assert isinstance(event.body, Signal)
    return replace(event, body=replace(event.body, mid_a=mid_a))


# A-B of 10 and 7 lots at 100; A-C of 10 and 12.


@pytest.mark.parametrize(
    ("more", "less", "says"),
    [
        ({"order_lots": 10}, {"order_lots": 9}, "order_lots: A 10 lots, limit 9"),
        (
            {"order_notional": 1000.0},
            {"order_notional": 999.0},
            "order_notional: A 10 lots at 100 are 1000.00, limit 999.00",
        ),
        ({"pair_notional": 1700.0}, {"pair_notional": 1699.0}, "pair_notional: A-B would be 1700.00, limit 1699.00"),
        (
            {"gross_notional": 1700.0},
            {"gross_notional": 1699.0},
            "gross_notional: 1700.00 long and short, limit 1699.00 (filled, working or unknown 0.00, new 1700.00)",
        ),
        ({"net_notional": 1000.0}, {"net_notional": 999.0}, "net_notional: 1000.00 long, limit 999.00"),
        (
            {"short_lots": {"B": 7}},
            {"short_lots": {"B": 6}},
            "short_sale: B would be 7 lots short, located 6 (filled 0, working or unknown 0, new 7)",
        ),
        ({"orders_per_second": 2}, {"orders_per_second": 1}, "order_rate: 2 orders in a second, limit 1"),
        ({"restricted": ("C",)}, {"restricted": ("B", "C")}, "restricted: B is on the restricted list (A-B)"),
    ],
)
def test_an_entry_at_the_limit_passes_and_one_beyond_is_refused(
    more: dict[str, Any], less: dict[str, Any], says: str
) -> None:
    assert len(desk(**more).give(signal("A-B", Action.ENTER_LONG, 1))) == 2
    assert reason_of(desk(**less).give(signal("A-B", Action.ENTER_LONG, 1))) == says


def test_a_mid_off_its_mark_is_refused_whichever_way() -> None:
    at = desk(collar=0.02)
    for sequence, mid in enumerate((102.5, 97.5), 1):
        refused = reason_of(at.give(priced(signal("A-B", Action.ENTER_LONG, sequence), mid)))
        assert refused == f"price_collar: A at {mid} is 2.50% off its mark 100, limit 2.00%"
    assert len(at.give(priced(signal("A-B", Action.ENTER_LONG, 3), 101.9))) == 2


def test_gross_counts_what_works_and_what_is_held() -> None:
    at = desk(gross_notional=3_000.0)
    a, _ = entered(at)
    at.give(filled(a))  # A +10 held, B -7 works
    assert reason_of(at.give(signal("A-C", Action.ENTER_LONG, 1))) == (
        "gross_notional: 3900.00 long and short, limit 3000.00 (filled, working or unknown 1700.00, new 2200.00)"
    )


def test_gross_is_at_the_marks_of_now() -> None:
    at = desk(gross_notional=4_000.0)
    at.give(*(filled(order) for order in entered(at)))
    at.give(marks(0, 2, mid=200.0), marks(1, 2, mid=200.0))
    refused = reason_of(at.give(signal("A-C", Action.ENTER_LONG, 1, mid=200.0)))
    assert refused.startswith("gross_notional: 5600.00 long and short")  # 17 lots at 200, and 5 and 6 more


def test_money_of_another_currency_counts_at_its_rate() -> None:
    at = desk(order_notional=1_099.0)
    assert len(at.give(signal("A-B", Action.ENTER_LONG, 1))) == 2
    assert Limits(1, 1, rates={"EUR": 1.1}).rate("EUR") == 1.1
    assert Limits(1, 1, rates={"EUR": 1.1}).rate("USD") == 1.0


def test_an_entry_that_would_meet_our_own_order_is_refused() -> None:
    at = desk(no_self_match=True)
    entered(at)  # buys A, sells B
    assert reason_of(at.give(signal("A-C", Action.ENTER_SHORT, 1))) == (
        "self_match: A: an order to buy 10 lots of A-B works, limit 0"
    )
    assert len(at.give(signal("A-C", Action.ENTER_LONG, 2))) == 2


def test_a_second_later_orders_go_out_again() -> None:
    #  ms   0 A-B two orders   999 refused   1000 two more     limit 3 a second
    at = desk(orders_per_second=3)
    entered(at)
    assert reason_of(at.give(signal("A-C", Action.ENTER_LONG, 1, T0 + 999 * MS))) == (
        "order_rate: 4 orders in a second, limit 3"
    )
    assert len(at.give(signal("A-C", Action.ENTER_LONG, 2, T0 + 1000 * MS))) == 2


def test_a_pair_is_entered_so_often_a_minute() -> None:
    at = desk(entries_per_minute=1)
    at.give(*(filled(order) for order in entered(at)))
    at.give(*(filled(order) for order in at.give(signal("A-B", Action.EXIT, 2))))
    at.give(marks(0, 2, T0 + 59_000 * MS))
    assert reason_of(at.give(signal("A-B", Action.ENTER_LONG, 3, T0 + 59_000 * MS))) == (
        "entry_rate: A-B entered 2 times in a minute, limit 1"
    )
    at.give(marks(0, 3, T0 + 60_000 * MS))
    assert len(at.give(signal("A-B", Action.ENTER_LONG, 4, T0 + 60_000 * MS))) == 2


def test_no_entry_after_the_day_has_lost_enough_realised_or_marked() -> None:
    at = desk(daily_loss=50.0)
    at.give(*(filled(order) for order in entered(at)))  # long 10 A, short 7 B at 100
    at.give(marks(0, 2, mid=90.0), marks(1, 2, mid=90.0))  # -100 and +70
    assert len(at.give(signal("D-B", Action.ENTER_LONG, 1, mid=90.0))) == 2
    at.give(marks(0, 3, mid=80.0), marks(1, 3, mid=80.0))  # -200 and +140
    assert reason_of(at.give(signal("A-C", Action.ENTER_LONG, 1, mid=80.0))) == (
        "daily_loss: 60.00 lost since the day began, limit 50.00"
    )
    closing = at.give(signal("A-B", Action.EXIT, 2))
    assert len(closing) == 2  # what reduces risk goes out
    at.give(*(filled(order, price=80.0) for order in closing))
    assert at.state.stops["desk"].kind is Stops.REDUCE  # and the loss has broken the limit: tests/unit/test_unwind.py


def test_a_command_changes_a_limit_and_says_what_is_no_limit() -> None:
    at = marked()
    (told,) = at.give(command("limit", "l1", "order_lots=9"))
    assert (told.action, told.reason) == (Decision.NOTICE, "limit: order_lots=9 by alice: because")
    assert at.state.limits.order_lots == 9
    assert reason_of(at.give(signal("A-B", Action.ENTER_LONG, 1))) == "order_lots: A 10 lots, limit 9"
    assert reason_of(at.give(command("limit", "l2", "order_lots=few"))) == (
        "bad_limit: order_lots: 'few' is no whole number: give one, or none"
    )
    at.give(command("limit", "l3", "order_lots=none"))
    assert len(at.give(signal("A-B", Action.ENTER_LONG, 2))) == 2


def test_a_lower_limit_stops_no_exit() -> None:
    at = held()
    at.give(command("limit", "l1", "position_lots=1"), command("limit", "l2", "gross_notional=1"))
    assert len(at.give(signal("A-B", Action.EXIT, 2))) == 2


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("gross_notional=2.5e6", "gross_notional", 2_500_000.0),
        ("collar = 0.02", "collar", 0.02),
        ("restricted=XYZ, ABC", "restricted", ("ABC", "XYZ")),
        ("restricted=", "restricted", ()),
        ("short_lots=BAC:500,AIG:0", "short_lots", {"BAC": 500, "AIG": 0}),
        ("daily_loss=none", "daily_loss", None),
    ],
)
def test_a_change_is_read(text: str, name: str, value: object) -> None:
    assert getattr(change(Limits(10, 1000, daily_loss=5.0), text), name) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("order_lots", "'order_lots': NAME=VALUE expected, of position_lots, "),
        ("lots=5", "'lots=5': NAME=VALUE expected, of position_lots, "),
        ("order_lots=0", "order_lots: 0: give more than 0 and 2147483647 at most, or none"),
        ("order_lots=1.5", "order_lots: '1.5' is no whole number"),
        ("daily_loss=nan", "daily_loss: nan: give more than 0, or none"),
        ("position_lots=none", "position_lots: an account has one always: give a number"),
        ("short_lots=BAC", "short_lots: 'BAC': NAME:LOTS expected, such as BAC:500"),
        ("rates=EUR:2", "'rates=EUR:2': NAME=VALUE expected"),
    ],
)
def test_what_is_no_change_is_told(text: str, says: str) -> None:
    with pytest.raises(LimitError) as told:
        change(Limits(10, 1000), text)
    assert str(told.value).startswith(says)


def test_a_pair_that_was_entered_as_often_as_it_may_be_waits_for_a_person() -> None:
    at = desk(repeats=2)
    for sequence in (1, 3):
        at.give(*(filled(order) for order in entered(at, sequence)))
        at.give(*(filled(order) for order in at.give(signal("A-B", Action.EXIT, sequence + 1))))
    told, refused = at.give(signal("A-B", Action.ENTER_LONG, 5))
    why = "repeats: A-B was entered 2 times since a person last looked, limit 2"
    assert (told.action, told.reason) == (Decision.NOTICE, f"halted: {why}")
    assert refused.reason == f"halted: pair:A-B is halted: {why}"
    assert len(at.give(signal("A-C", Action.ENTER_LONG, 1))) == 2  # the others go on
    assert len(at.give(signal("A-B", Action.ENTER_LONG, 6))) == 1  # told once
    at.give(command("resume", "r1", scope="pair:A-B"))
    assert len(at.give(signal("A-B", Action.ENTER_LONG, 7))) == 2
