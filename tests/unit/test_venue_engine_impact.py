"""What fills of ours take out of what the simulated venue shows, and how it comes back; changed orders; dark venues."""

from dataclasses import replace

import pytest

from pipelines.domain.market import Status
from pipelines.domain.trading import Side
from pipelines.domain.venue_engine import EngineConfig
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueOrder, VenueWord
from tests.support.venue_tape import AT_ONCE, Venue, beat, cancel, change, order, quote, status, told, trade

FILL, CANCELED, REPLACED = VenueWord.FILL, VenueWord.CANCELED, VenueWord.REPLACED
BUY, SELL = Side.BUY, Side.SELL
DEEP = quote(1, 99.9, 8, 100.1, 8)
HALF = replace(AT_ONCE, half_life_ns=100)


def test_the_next_order_finds_what_the_first_one_left() -> None:
    venue = Venue([DEEP, beat(50)], HALF)
    venue.engine.take(order("a", lots=10, at_ns=10))
    venue.engine.take(order("b", lots=10, at_ns=10, by="b"))
    assert told(venue.go()) == [(FILL, 8, 100.1), (FILL, 2, 100.2), (FILL, 6, 100.2), (FILL, 4, 100.3)]


@pytest.mark.parametrize(("later_ns", "shown"), [(0, 0), (100, 4), (200, 6), (300, 7), (1_000, 8)])
def test_what_was_taken_comes_back_by_halves(later_ns: int, shown: int) -> None:
    #  8 taken: 8 / 2^(t / 100) are missing
    venue = Venue([DEEP, beat(5_000)], HALF)
    venue.engine.take(order("a", lots=8))
    venue.engine.take(order("b", lots=8, at_ns=10 + later_ns, by="z", price=100.1, force=TimeInForce.IMMEDIATE))
    assert sum(lots for _, lots, _ in told(venue.go(), "b")) == shown


def test_new_quotes_show_what_is_missing_too() -> None:
    venue = Venue([DEEP, quote(20, 99.9, 8, 100.2, 8), beat(50)], replace(HALF, half_life_ns=10**9))
    venue.engine.take(order("a", lots=4))
    venue.engine.take(order("b", lots=8, at_ns=30, by="b"))
    assert told(venue.go(), "b") == [(FILL, 4, 100.2), (FILL, 4, 100.3)]


@pytest.mark.parametrize(("impact", "shown"), [(0.0, 8), (0.5, 6), (2.0, 0)])
def test_impact_scales_what_a_fill_takes_out(impact: float, shown: int) -> None:
    venue = Venue([DEEP, beat(50)], replace(HALF, impact=impact))
    venue.engine.take(order("a", lots=4))
    venue.engine.take(order("b", lots=8, by="z", price=100.1, force=TimeInForce.IMMEDIATE))
    assert sum(lots for _, lots, _ in told(venue.go(), "b")) == shown


def test_the_other_side_and_other_orders_are_left_alone() -> None:
    venue = Venue([DEEP, beat(50)], HALF)
    venue.engine.take(order("a", lots=8))
    venue.engine.take(order("b", SELL, 8, by="b"))
    assert told(venue.go(), "b") == [(FILL, 8, 99.9)]


def test_an_order_that_gets_smaller_keeps_its_place() -> None:
    venue = Venue([DEEP, beat(15), quote(20, 99.9, 50, 100.1, 8), trade(40, 99.9, 9), beat(50)])
    venue.engine.take(order("a", lots=4, price=99.9))
    venue.engine.replace(change("r", "a", 2, 99.9, 30))
    reports = venue.go()
    assert told(reports) == [(REPLACED, 0, 0.0), (FILL, 1, 99.9)]
    assert [(each.client_order_id, each.number, each.leaves_quantity) for each in reports] == [("r", 1, 2), ("r", 2, 1)]


@pytest.mark.parametrize(("lots", "price"), [(5, 99.9), (4, 99.8)])
def test_an_order_that_grows_or_moves_goes_to_the_end(lots: int, price: float) -> None:
    venue = Venue([DEEP, beat(15), quote(20, 99.9, 50, 100.1, 8), trade(40, price, 9), beat(50)])
    venue.engine.take(order("a", lots=4, price=99.9))
    venue.engine.replace(change("r", "a", lots, price, 30))
    assert told(venue.go()) == [(REPLACED, 0, 0.0)]


def test_an_order_that_moves_through_the_market_trades_at_once() -> None:
    venue = Venue([DEEP, beat(50)])
    venue.engine.take(order("a", lots=4, price=99.9))
    venue.engine.replace(change("r", "a", 4, 100.1, 30))
    venue.engine.cancel(cancel("c", "r", 40))
    reports = venue.go()
    assert told(reports) == [(REPLACED, 0, 0.0), (FILL, 4, 100.1), (VenueWord.REQUEST_REJECTED, 0, 0.0)]
    assert venue.engine.state("desk", "a") == venue.engine.state("desk", "r")


@pytest.mark.parametrize(
    ("lots", "price", "text"),
    [
        (1, 99.9, "quantity 1 lots: 1 are filled, give more or cancel"),
        (4, 99.95, "price 99.95: give a multiple of 0.1 above 0"),
        (4, -0.1, "price -0.1: give a multiple of 0.1 above 0"),
    ],
)
def test_a_change_that_cannot_be_leaves_the_order_as_it_was(lots: int, price: float, text: str) -> None:
    venue = Venue([DEEP, trade(12, 99.9, 9), beat(40), trade(41, 99.9, 1), beat(50)])
    venue.engine.take(order("a", lots=4, price=99.9))
    venue.engine.replace(change("r", "a", lots, price, 30))
    reports = venue.go()
    assert [each.text for each in reports] == ["", text, ""]
    assert (reports[-1].client_order_id, reports[-1].cumulative_quantity) == ("a", 2)


def test_a_change_under_a_name_that_is_in_use_is_refused() -> None:
    venue = Venue([DEEP, beat(50)])
    venue.engine.take(order("a", price=99.9))
    venue.engine.take(order("b", price=99.8))
    (word,) = venue.engine.replace(change("b", "a", 4, 99.9, 30))
    assert (word.word, word.number) == (VenueWord.REQUEST_REJECTED, -1)
    assert word.text == "client order id 'b' is in use"


DARK = replace(AT_ONCE, midpoint=True, fill_chance=1.0)


def mid(name: str, side: Side = BUY, lots: int = 2, price: float = 0.0, at_ns: int = 10, **more: str) -> VenueOrder:
    return replace(order(name, side, lots, price, at_ns, **more), kind=OrderKind.MIDPOINT)  # type: ignore[arg-type]


def test_participants_meet_at_the_middle_to_half_a_tick() -> None:
    venue = Venue([quote(1, 99.9, 4, 100.0, 3), beat(50)], replace(DARK, fill_chance=0.0))
    venue.engine.take(mid("a", by="a"))
    venue.engine.take(mid("b", SELL, 3, at_ns=11, by="b"))
    found = [(each.client_order_id, each.last_quantity, each.last_price, each.maker) for each in venue.go()]
    assert found == [("a", 2, 99.95, True), ("b", 2, 99.95, False)]


def test_a_limit_keeps_an_order_from_a_worse_middle() -> None:
    tape = [quote(1, 99.9, 4, 100.1, 3), quote(20, 99.7, 4, 99.9, 3), quote(21, 99.7, 9, 99.9, 9)]
    venue = Venue([*tape, beat(50)], DARK)
    venue.engine.take(mid("a", lots=1, price=99.9))
    (fill,) = venue.go()
    assert (fill.time_ns, fill.last_price) == (20, 99.8)


def test_hidden_lots_are_drawn_by_the_seed_alone() -> None:
    tape = [quote(at_ns, 99.9, 4, 100.1, 4) for at_ns in range(1, 400)]

    def found(config: EngineConfig) -> list[tuple[VenueWord, int, float]]:
        venue = Venue(tape, config)
        venue.engine.take(mid("a", lots=40))
        return told(venue.go())

    some = replace(DARK, fill_chance=0.1)
    assert found(some) == found(some) != found(replace(some, seed=8))
    assert {lots for _, lots, _ in found(some)} <= {1, 2, 3, 4}
    assert found(replace(some, fill_chance=0.0)) == []


def test_about_so_many_quotes_find_hidden_lots_as_the_chance_says() -> None:
    tape = [quote(at_ns, 99.9, 4, 100.1, 4) for at_ns in range(1, 2_001)]
    venue = Venue(tape, replace(DARK, fill_chance=0.1))
    venue.engine.take(mid("a", lots=100_000, at_ns=1))
    assert 150 < len(venue.go()) < 250


@pytest.mark.parametrize(
    ("force", "text"),
    [
        (TimeInForce.IMMEDIATE, "2 of 2 lots found nobody at the middle"),
        (TimeInForce.ALL_OR_NOTHING, "0 of 2 lots were to be had at the middle: it was for all or nothing"),
    ],
)
def test_a_dark_order_for_now_goes_when_nobody_is_there(force: TimeInForce, text: str) -> None:
    venue = Venue([DEEP, beat(50)], replace(DARK, fill_chance=0.0))
    venue.engine.take(replace(mid("a"), time_in_force=force))
    assert [each.text for each in venue.go()] == [text]


@pytest.mark.parametrize(("lots", "found"), [(5, [(FILL, 2, 99.95), (FILL, 3, 99.95)]), (6, [(CANCELED, 0, 0.0)])])
def test_a_dark_order_for_all_or_nothing_fills_whole_or_not(
    lots: int, found: list[tuple[VenueWord, int, float]]
) -> None:
    venue = Venue([quote(1, 99.9, 4, 100.0, 3), beat(50)], replace(DARK, fill_chance=0.0))
    venue.engine.take(mid("a", lots=2, by="a"))
    venue.engine.take(mid("b", lots=3, at_ns=11, by="b"))
    venue.engine.take(replace(mid("c", SELL, lots, at_ns=12, by="c"), time_in_force=TimeInForce.ALL_OR_NOTHING))
    assert told(each for each in venue.go() if each.client_order_id == "c") == found


def test_a_dark_venue_takes_nothing_else_and_matches_nothing_in_a_halt() -> None:
    venue = Venue([DEEP, status(5, Status.HALTED), quote(20, 99.9, 4, 100.1, 3), beat(50)], DARK)
    (word,) = venue.engine.take(order("l", price=100.0))
    assert word.text == "order kind 'limit': this venue takes midpoint orders alone"
    venue.engine.take(mid("a"))
    assert venue.go() == []
