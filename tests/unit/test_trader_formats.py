"""State that was kept by an older program: format 1, in which a pair did not say who wants what of it, and format 2."""

from dataclasses import replace
from typing import Any

import msgspec

from pipelines.domain.account import NOBODY, Stance
from pipelines.domain.account_bytes import VERSION, dump, load
from pipelines.domain.orders import OrderState
from pipelines.domain.positions import Position
from pipelines.domain.trading import OrderRequest, Side
from tests.support.accounts import T0, config, filled, rejected
from tests.support.clocked import EXIT, LONG, Clocked, moves


class OldPair(msgspec.Struct, frozen=True, array_like=True):
    stance: Stance
    lots: tuple[int, int] = (0, 0)
    working: tuple[str, str] = ("", "")
    wanted: tuple[int, int] = (0, 0)
    exit_wanted: bool = False
    closes: int = 0


class OldOrder(msgspec.Struct, frozen=True, array_like=True):
    pair: str
    leg: int
    instrument: str
    side: Side
    quantity: int
    state: OrderState = OrderState.PENDING
    filled: int = 0
    unpriced: int = 0
    guessed_value: int = 0
    exec_ids: tuple[str, ...] = ()


class OldDay(msgspec.Struct, frozen=True, array_like=True):
    number: int = -1
    made: float = 0.0


def loaded(
    pairs: dict[str, OldPair], positions: dict[str, Position], orders: dict[str, OldOrder] | None = None
) -> Clocked:
    """A desk that goes on from such bytes, at marks of 100."""
    saved: dict[str, Any] = {
        "killed": "",
        "pairs": pairs,
        "orders": orders or {},
        "closed": {},
        "positions": positions,
        "marks": {0: (0, dict.fromkeys("ABCD", (99.99, 100.01, T0)))},
        "taken": {},
        "commands": (),
        "told": (3, T0, T0),
        "own_limits": None,
        "day": OldDay(T0 // 86_400_000_000_000, 5.0),
        "sent_ns": (),
        "entered_ns": {},
    }
    at = Clocked(config(position_lots=1000))
    at.state = load(b"\x01" + msgspec.msgpack.encode(saved), at.config)
    return at


def order(name: str) -> OrderRequest:
    """The order of 7 B that was on its way."""
    made, _ = Clocked().sign("A-B", LONG)
    return replace(made, client_order_id=name, instrument="B", side=Side.SELL, quantity=7, leg=1)


HELD = {"A-B": OldPair(Stance.LONG, (10, -7), ("", ""), (10, -7))}
BOUGHT = {"A": Position(10, -90_000, 100_000), "B": Position(-7, 70_000, -70_000)}
"""10 of A at 100 after 100 of profit, 7 of B sold at 100."""


def books(at: Clocked, name: str) -> tuple[int, int]:
    legs = [
        book.legs[leg]
        for of in at.state.books.values()
        for pair, book in of.items()
        for leg in (0, 1)
        if pair.split("-")[leg] == name
    ]
    return sum(each.lots for each in legs), sum(each.cash for each in legs)


def test_what_was_held_is_wanted_by_nobody_in_particular() -> None:
    at = loaded(HELD, BOUGHT)
    assert at.state.pairs["A-B"].targets == {NOBODY: (10, -7, 1)}
    assert (at.state.day.made, at.state.day.turnover, at.state.stops) == (5.0, 0.0, {})


def test_what_was_entering_is_wanted_and_what_was_leaving_is_not() -> None:
    at = loaded(
        {
            "A-B": OldPair(Stance.ENTERING, (0, 0), ("o1", ""), (10, -7)),
            "A-C": OldPair(Stance.ENTERING, (0, 0), ("o2", ""), (10, -12), exit_wanted=True),
            "A-D": OldPair(Stance.EXITING, (4, 0), ("o3", ""), (10, -9), closes=2),
        },
        {},
    )
    assert {name: pair.goal for name, pair in at.state.pairs.items()} == {"A-B": (10, -7), "A-C": (0, 0), "A-D": (0, 0)}
    assert at.state.pairs["A-D"].tries == 2


def test_an_exit_of_any_strategy_closes_what_was_held() -> None:
    at = loaded(HELD, BOUGHT)
    outputs = at.sign("A-B", EXIT)
    assert moves(outputs) == [("A-B", "A", -10), ("A-B", "B", 7)]
    at.fill(outputs)
    assert at.state.pairs == {}


def test_an_entry_that_worked_goes_on() -> None:
    at = loaded(
        {"A-B": OldPair(Stance.ENTERING, (10, 0), ("", "o1"), (10, -7))},
        {"A": Position(10, -100_000, 100_000)},
        {"o1": OldOrder("A-B", 1, "B", Side.SELL, 7, OrderState.SENT)},
    )
    at.give(filled(order("o1")))
    assert at.state.pairs["A-B"].stance is Stance.LONG


def test_an_entry_that_worked_and_broke_off_is_closed() -> None:
    at = loaded(
        {"A-B": OldPair(Stance.ENTERING, (10, 0), ("", "o1"), (10, -7))},
        {"A": Position(10, -100_000, 100_000)},
        {"o1": OldOrder("A-B", 1, "B", Side.SELL, 7, OrderState.SENT)},
    )
    assert moves(at.give(rejected(order("o1")))) == [("A-B", "A", -10)]


def test_books_of_what_was_held_add_up_to_the_account() -> None:
    at = loaded(
        HELD | {"A-C": OldPair(Stance.SHORT, (-3, 4), ("", ""), (-3, 4))},
        BOUGHT
        | {
            "A": Position(7, -60_123, 70_001),
            "C": Position(4, -40_000, 40_000),
            "D": Position(0, 777, 0),
        },
    )
    for name, position in at.state.positions.items():
        assert books(at, name) == (position.lots, position.cash), name


def test_books_are_even_once_what_was_held_is_closed() -> None:
    at = loaded(HELD, BOUGHT)
    at.fill(at.sign("A-B", EXIT))
    assert [leg.lots for of in at.state.books.values() for book in of.values() for leg in book.legs] == [0] * 4
    assert books(at, "A") == (0, at.state.position("A").cash)


def test_it_is_kept_in_the_format_of_now() -> None:
    at = loaded(HELD, BOUGHT)
    assert dump(at.state)[:1] == VERSION
    assert load(dump(at.state), at.config) == at.state


def test_bytes_of_format_2_are_those_of_now_but_for_the_version() -> None:
    at = Clocked()
    at.fill(at.sign("A-B", LONG))
    assert load(b"\x02" + dump(at.state)[1:], at.config) == at.state
