"""Halts and auctions of the simulated venue."""

import pytest

from pipelines.domain.market import Condition, Status
from pipelines.domain.trading import Side
from pipelines.domain.venue_orders import TimeInForce, VenueWord
from tests.support.venue_tape import Venue, beat, end, order, quote, status, told, trade

FILL, CANCELED, EXPIRED, REJECTED = VenueWord.FILL, VenueWord.CANCELED, VenueWord.EXPIRED, VenueWord.REJECTED
BUY, SELL = Side.BUY, Side.SELL
TOUCH = quote(1, 99.9, 4, 100.1, 3)
HALT = [TOUCH, status(5, Status.HALTED)]


@pytest.mark.parametrize("phase", [Status.HALTED, Status.PAUSED, Status.QUOTING])
def test_nothing_trades_in_a_halt_and_orders_wait(phase: Status) -> None:
    tape = [TOUCH, status(5, phase), quote(20, 99.9, 4, 100.0, 3), trade(21, 99.0, 50), beat(30)]
    venue = Venue(tape)
    venue.engine.take(order("a", price=100.0))
    venue.engine.take(order("m", lots=1))
    assert venue.go() == []


@pytest.mark.parametrize("force", [TimeInForce.IMMEDIATE, TimeInForce.ALL_OR_NOTHING])
def test_an_order_for_now_is_canceled_in_a_halt(force: TimeInForce) -> None:
    venue = Venue([*HALT, beat(30)])
    venue.engine.take(order("a", price=100.1, force=force))
    assert [each.text for each in venue.go()] == ["BTC is halted: no trading"]


def test_a_closed_venue_rejects() -> None:
    venue = Venue([TOUCH, status(5, Status.CLOSED), beat(30)])
    venue.engine.take(order("a", price=100.1))
    (word,) = venue.go()
    assert (word.word, word.text) == (REJECTED, "BTC is closed")


def test_a_resting_order_outlives_a_halt_in_its_place() -> None:
    venue = Venue(
        [TOUCH, status(15, Status.HALTED), trade(16, 99.9, 9), status(17, Status.TRADING), trade(18, 99.9, 5)]
    )
    venue.engine.take(order("a", price=99.9))
    assert told(venue.go()) == [(FILL, 1, 99.9)]


def test_a_halt_that_ends_without_an_auction_lets_the_queue_trade_at_the_next_quote() -> None:
    tape = [*HALT, status(20, Status.TRADING), beat(21), quote(22, 99.9, 4, 100.1, 5), beat(30)]
    venue = Venue(tape)
    venue.engine.take(order("b", lots=2, price=100.3))
    venue.engine.take(order("a", lots=1))
    assert venue.go(4) == []
    assert told(venue.go()) == [(FILL, 1, 100.1), (FILL, 2, 100.1)]


def test_an_auction_trades_better_orders_at_its_price_and_shares_by_time_at_it() -> None:
    #  print: 6 at 100.0;  m 1 at any price, a 2 at 100.2;  3 are left: b has 2 of 2, c 1 of 4; d is too low
    tape = [*HALT, trade(20, 100.0, 6, Condition.REOPENING), status(20, Status.TRADING), beat(30)]
    venue = Venue(tape)
    for name, lots, price, at_ns in (
        ("c", 4, 100.0, 12),
        ("a", 2, 100.2, 13),
        ("b", 2, 100.0, 11),
        ("d", 9, 99.8, 10),
        ("m", 1, 0.0, 14),
    ):
        venue.engine.take(order(name, BUY, lots, price, at_ns, by=name))
    found = [(each.client_order_id, each.last_quantity, each.last_price) for each in venue.go()]
    assert found == [("m", 1, 100.0), ("a", 2, 100.0), ("b", 2, 100.0), ("c", 1, 100.0)]


def test_the_recorded_queue_ahead_has_its_share_of_an_auction_first() -> None:
    tape = [TOUCH, status(15, Status.HALTED), trade(20, 99.9, 5, Condition.REOPENING), beat(30)]
    venue = Venue(tape)
    venue.engine.take(order("a", price=99.9))
    assert told(venue.go()) == [(FILL, 1, 99.9)]


def test_both_sides_of_an_auction_trade_up_to_its_volume() -> None:
    venue = Venue([*HALT, trade(20, 100.0, 3, Condition.REOPENING), beat(30)])
    venue.engine.take(order("b", BUY, 5, 100.5, 10, by="b"))
    venue.engine.take(order("s", SELL, 5, 99.5, 10, by="s"))
    found = [(each.client_order_id, each.last_quantity, each.last_price) for each in venue.go()]
    assert found == [("b", 3, 100.0), ("s", 3, 100.0)]


def test_an_order_at_the_opening_trades_in_it_or_expires() -> None:
    tape = [*HALT, trade(20, 100.0, 3, Condition.OPENING), status(21, Status.TRADING), trade(22, 95.0, 90), beat(30)]
    venue = Venue(tape)
    venue.engine.take(order("a", lots=5, price=100.5, force=TimeInForce.OPENING))
    venue.engine.take(order("b", lots=5, price=99.5, force=TimeInForce.OPENING, by="b"))
    reports = venue.go()
    assert told(reports, "a") == [(FILL, 3, 100.0), (EXPIRED, 0, 0.0)]
    assert told(reports, "b") == [(EXPIRED, 0, 0.0)]
    assert reports[-2].text == "5 of 5 lots did not trade in the auction at 100.0"


def test_an_order_at_the_close_trades_in_nothing_else() -> None:
    tape = [TOUCH, trade(20, 99.0, 9), quote(21, 99.0, 9, 99.1, 9), trade(22, 99.0, 9, Condition.OPENING)]
    venue = Venue([*tape, trade(30, 99.5, 9, Condition.CLOSING), beat(40)])
    venue.engine.take(order("a", force=TimeInForce.CLOSING))
    (fill,) = venue.go()
    assert (fill.time_ns, fill.last_quantity, fill.last_price) == (30, 2, 99.5)


def test_an_order_for_an_auction_that_never_comes_expires_with_the_day() -> None:
    venue = Venue([TOUCH, beat(30), end(1_000)])
    venue.engine.take(order("a", force=TimeInForce.CLOSING))
    assert told(venue.go()) == [(EXPIRED, 0, 0.0)]


def test_a_lost_book_shows_nothing_until_it_quotes_again() -> None:
    venue = Venue([TOUCH, status(5, Status.BOOK_LOST), beat(11), quote(12, 99.9, 4, 100.1, 3), beat(30)])
    venue.engine.take(order("a"))
    venue.engine.take(order("b", at_ns=20))
    assert [(each.client_order_id, each.word) for each in venue.go()] == [("a", REJECTED), ("b", FILL)]
