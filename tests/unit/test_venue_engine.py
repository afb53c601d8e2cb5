"""The simulated venue's engine: orders, the recorded market, and what becomes of the one in the other."""

from dataclasses import replace

import pytest

from pipelines.domain.market import Condition
from pipelines.domain.trading import Side
from pipelines.domain.venue_engine import EngineConfig
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueWord
from tests.support.venue_tape import BTC, ETH, Venue, beat, cancel, end, level, order, quote, told, trade

NEW, FILL, CANCELED, EXPIRED, REJECTED = (
    VenueWord.NEW,
    VenueWord.FILL,
    VenueWord.CANCELED,
    VenueWord.EXPIRED,
    VenueWord.REJECTED,
)
BUY, SELL = Side.BUY, Side.SELL
TOUCH = quote(1, 99.9, 4, 100.1, 3)


def test_a_market_order_takes_the_touch_and_walks_one_tick_a_level() -> None:
    venue = Venue([TOUCH, beat(11)])
    (new,) = venue.engine.take(order("a", lots=7))
    assert (new.word, new.number, new.time_ns, new.leaves_quantity) == (NEW, 0, 10, 7)
    reports = venue.go()
    assert told(reports) == [(FILL, 3, 100.1), (FILL, 3, 100.2), (FILL, 1, 100.3)]
    assert [(each.number, each.cumulative_quantity, each.leaves_quantity) for each in reports] == [
        (1, 3, 4),
        (2, 6, 1),
        (3, 7, 0),
    ]
    assert {each.time_ns for each in reports} == {10}
    assert not any(each.maker for each in reports)


def test_an_order_meets_the_book_as_of_its_time_whatever_was_read_since() -> None:
    tape = [TOUCH, quote(10, 99.9, 4, 100.2, 1), quote(11, 99.9, 4, 105.0, 9), beat(20)]
    early, late = Venue(tape), Venue(tape)
    early.engine.take(order("a"))
    late.go()
    assert told(early.go()) == told(late.engine.take(order("a"))) == [(FILL, 1, 100.2), (FILL, 1, 100.3)]


def test_the_book_of_a_time_is_known_only_when_time_has_passed_it() -> None:
    venue = Venue([TOUCH, beat(10), quote(10, 99.9, 4, 100.0, 9), beat(11)])
    venue.engine.take(order("a"))
    assert venue.go(2) == []
    assert told(venue.go()) == [(FILL, 2, 100.0)]


def test_what_lies_beyond_the_depth_is_canceled_with_its_lots() -> None:
    venue = Venue([TOUCH, beat(11)])
    venue.engine.take(order("a", lots=40))
    last = venue.go()[-1]
    assert (last.word, last.text) == (CANCELED, "10 of 40 lots lay beyond the 10 levels of depth")
    assert (last.cumulative_quantity, last.leaves_quantity) == (30, 0)


def test_a_market_order_before_the_first_quote_is_rejected_in_words() -> None:
    venue = Venue([beat(1), beat(11)])
    venue.engine.take(order("a"))
    assert [each.text for each in venue.go()] == ["no quote of BTC yet"]


def test_the_quote_from_before_what_is_read_is_asked_of_the_log() -> None:
    venue = Venue([beat(5), beat(11)], behind=[TOUCH])
    venue.engine.take(order("a"))
    assert told(venue.go()) == [(FILL, 2, 100.1)]
    assert {name for name, _, _ in venue.asked} == {BTC}


def test_a_limit_order_takes_what_its_price_allows_and_rests() -> None:
    #  the queue at 100.1 when the rest joins it: nothing
    away = quote(11, 99.9, 4, 100.3, 3)
    venue = Venue([TOUCH, away, trade(12, 100.1, 1), trade(13, 100.1, 5), beat(14)])
    venue.engine.take(order("a", lots=6, price=100.1))
    assert told(venue.go(2)) == [(FILL, 3, 100.1)]
    assert told(venue.go(2)) == [(FILL, 1, 100.1), (FILL, 2, 100.1)]


def test_a_resting_order_waits_until_the_queue_before_it_has_traded() -> None:
    #  bid 99.9:  4 lots, then ours 2
    venue = Venue([TOUCH, beat(11), trade(12, 99.9, 3), trade(13, 99.9, 2), trade(14, 99.9, 9), beat(15)])
    venue.engine.take(order("a", price=99.9))
    assert venue.go(3) == []
    (first,) = venue.go(1)
    assert (first.last_quantity, first.time_ns, first.maker) == (1, 13, True)
    assert told(venue.go()) == [(FILL, 1, 99.9)]


def test_what_joins_the_touch_later_stands_behind_an_order() -> None:
    venue = Venue([TOUCH, beat(11), quote(12, 99.9, 50, 100.1, 3), trade(13, 99.9, 6), beat(14)])
    venue.engine.take(order("a", price=99.9))
    assert told(venue.go()) == [(FILL, 2, 99.9)]


def test_what_leaves_the_touch_leaves_from_before_and_behind_an_order_in_proportion() -> None:
    #  4 ahead, ours, 4 behind; 8 -> 4 leaves 2 ahead
    tape = [TOUCH, beat(11), quote(12, 99.9, 8, 100.1, 3), quote(13, 99.9, 4, 100.1, 3)]
    venue = Venue([*tape, trade(14, 99.9, 2), trade(15, 99.9, 2), beat(16)])
    venue.engine.take(order("a", price=99.9))
    assert venue.go(5) == []
    assert told(venue.go()) == [(FILL, 2, 99.9)]


def test_the_place_in_the_queue_is_told() -> None:
    venue = Venue([TOUCH, beat(11), trade(12, 99.9, 3), beat(15), trade(16, 99.9, 50)])
    venue.engine.take(order("a", price=99.9))
    assert venue.engine.ahead("desk", "a") is None
    venue.go(2)
    assert venue.engine.ahead("desk", "a") == 4
    venue.go(2)
    assert venue.engine.ahead("desk", "a") == 1
    venue.go()
    assert venue.engine.ahead("desk", "a") is None


def test_a_quote_through_a_resting_price_fills_it_at_that_price() -> None:
    venue = Venue([TOUCH, beat(11), quote(12, 99.0, 4, 99.5, 9), beat(13)])
    venue.engine.take(order("a", price=99.9))
    reports = venue.go()
    assert (told(reports), reports[0].maker) == ([(FILL, 2, 99.9)], True)


def test_a_trade_below_a_resting_bid_fills_it_at_its_own_price() -> None:
    venue = Venue([TOUCH, beat(11), trade(12, 99.7, 9), beat(13)])
    venue.engine.take(order("a", price=99.9))
    assert told(venue.go()) == [(FILL, 2, 99.9)]


@pytest.mark.parametrize("code", [Condition.HIDDEN, Condition.OUT_OF_SEQUENCE, Condition.NOT_LAST])
def test_trades_that_took_nothing_from_the_queue_fill_nobody(code: Condition) -> None:
    venue = Venue([TOUCH, beat(11), trade(12, 99.7, 9, code), beat(13)])
    venue.engine.take(order("a", price=99.9))
    assert venue.go() == []


def test_levels_that_the_log_tells_of_stand_where_it_says() -> None:
    tape = [TOUCH, level(2, SELL, 100.1, 3), level(2, SELL, 100.5, 1), level(3, SELL, 100.7, 20), beat(11)]
    venue = Venue(tape)
    venue.engine.take(order("a", lots=6))
    assert told(venue.go()) == [(FILL, 3, 100.1), (FILL, 1, 100.5), (FILL, 2, 100.7)]


def test_two_participants_trade_with_each_other_in_order_of_price_and_time() -> None:
    venue = Venue([TOUCH, beat(30)])
    for name, price, at_ns in (("a", 100.0, 10), ("b", 100.0, 11), ("c", 100.05, 12)):
        venue.engine.take(order(name, BUY, 2, round(price, 1), at_ns, by=name))
    venue.engine.take(order("s", SELL, 3, 100.0, 20, by="s"))
    reports = venue.go()
    assert [(each.client_order_id, each.last_quantity, each.last_price) for each in reports] == [
        ("a", 2, 100.0),
        ("b", 1, 100.0),
        ("s", 3, 100.0),
    ]
    assert [each.maker for each in reports] == [True, True, False]


def test_an_order_that_meets_its_own_participant_is_canceled() -> None:
    venue = Venue([TOUCH, beat(30)])
    venue.engine.take(order("a", BUY, 2, 100.0, 10))
    venue.engine.take(order("b", SELL, 2, 100.0, 20))
    (last,) = venue.go()
    assert (last.client_order_id, last.word) == ("b", CANCELED)
    assert last.text == "it met an order of its own participant: the newer is canceled"


@pytest.mark.parametrize(
    ("force", "lots", "wanted"),
    [
        (TimeInForce.IMMEDIATE, 5, [(FILL, 3, 100.1), (CANCELED, 0, 0.0)]),
        (TimeInForce.IMMEDIATE, 3, [(FILL, 3, 100.1)]),
        (TimeInForce.ALL_OR_NOTHING, 5, [(CANCELED, 0, 0.0)]),
        (TimeInForce.ALL_OR_NOTHING, 3, [(FILL, 3, 100.1)]),
    ],
)
def test_an_order_for_now_never_rests(
    force: TimeInForce, lots: int, wanted: list[tuple[VenueWord, int, float]]
) -> None:
    venue = Venue([TOUCH, beat(11), trade(12, 100.1, 50), beat(13)])
    venue.engine.take(order("a", lots=lots, price=100.1, force=force))
    assert told(venue.go()) == wanted


def test_a_post_only_order_that_would_trade_is_rejected() -> None:
    venue = Venue([TOUCH, beat(30)])
    venue.engine.take(order("a", price=100.1, post_only=True))
    venue.engine.take(order("b", price=100.0, post_only=True))
    (word,) = venue.go()
    assert (word.client_order_id, word.word, word.number) == ("a", REJECTED, 1)
    assert word.text == "post only: it would trade at 100.1 at once"
    state = venue.engine.state("desk", "b")
    assert state is not None
    assert (state.word, state.leaves_quantity, state.over) == (NEW, 2, False)


def test_what_rests_at_the_end_of_the_day_expires() -> None:
    venue = Venue([TOUCH, beat(11), end(1_000)])
    venue.engine.take(order("a", price=99.0))
    assert told(venue.go()) == [(EXPIRED, 0, 0.0)]


def test_a_cancel_takes_effect_a_latency_after_its_time() -> None:
    config = EngineConfig(min_latency_ns=5, max_latency_ns=5)
    venue = Venue([TOUCH, trade(19, 99.9, 5), trade(26, 99.9, 50), beat(27)], config)
    venue.engine.take(order("a", price=99.9))
    assert venue.engine.cancel(cancel("x", "a", 20)) == []
    reports = venue.go()
    assert told(reports) == [(FILL, 1, 99.9), (CANCELED, 0, 0.0)]
    assert (reports[-1].time_ns, reports[-1].request, reports[-1].cumulative_quantity) == (25, "x", 1)


def test_a_cancel_of_an_order_that_is_over_is_too_late() -> None:
    venue = Venue([TOUCH, beat(50)])
    venue.engine.take(order("a"))
    venue.engine.cancel(cancel("x", "a", 20))
    fill, late = venue.go()
    assert (fill.word, late.word, late.text) == (FILL, VenueWord.REQUEST_REJECTED, "too late: the order is filled")
    (again,) = venue.engine.cancel(cancel("y", "a", 20))
    assert (again.number, again.request) == (3, "y")
    assert venue.engine.cancel(cancel("y", "a", 20)) == []


def test_a_cancel_of_an_order_that_nobody_sent_is_refused() -> None:
    (word,) = Venue([TOUCH]).engine.cancel(cancel("x", "a", 20))
    assert (word.word, word.number) == (VenueWord.REQUEST_REJECTED, -1)
    assert word.text == "order 'a' of desk is not known"


LIMIT = order("a", price=100.0)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (replace(LIMIT, instrument="X"), "instrument 'X' is not traded here"),
        (replace(LIMIT, quantity=0), "quantity 0 lots: an order needs 1 or more"),
        (replace(LIMIT, quantity=-2), "quantity -2 lots: an order needs 1 or more"),
        (replace(LIMIT, price=100.05), "price 100.05 is not a multiple of the tick, 0.1"),
        (replace(LIMIT, price=-1.0), "price -1.0: an order's is above 0"),
        (replace(LIMIT, price=float("nan")), "price nan: an order's is above 0"),
        (replace(LIMIT, kind=OrderKind.MIDPOINT), "order kind 'midpoint': this venue takes market and limit orders"),
        (
            replace(LIMIT, post_only=True, time_in_force=TimeInForce.IMMEDIATE),
            "post only: a limit order, immediate_or_cancel, does not rest",
        ),
    ],
)
def test_an_order_that_cannot_be_taken_is_rejected_at_once(bad: object, text: str) -> None:
    assert isinstance(bad, type(LIMIT))
    venue = Venue([TOUCH, beat(11)])
    (word,) = venue.engine.take(bad)
    assert (word.word, word.text, word.number, word.leaves_quantity) == (REJECTED, text, 0, 0)
    assert venue.go() == []


def test_an_order_told_twice_says_nothing_and_another_under_its_name_is_rejected() -> None:
    venue = Venue([TOUCH, beat(11)])
    venue.engine.take(LIMIT)
    assert venue.engine.take(LIMIT) == []
    (word,) = venue.engine.take(replace(LIMIT, quantity=9))
    assert (word.word, word.number) == (REJECTED, -1)


def test_instruments_do_not_notice_each_other() -> None:
    venue = Venue([TOUCH, quote(2, 9.9, 1, 10.1, 1, of=1), trade(12, 9.9, 50, of=1), beat(13)])
    venue.engine.take(order("a", price=99.9))
    venue.engine.take(order("b", price=9.9, of=ETH))
    assert [each.client_order_id for each in venue.go()] == ["b"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"min_latency_ns": 5, "max_latency_ns": 4}, r"latency 5\.\.4 ns"),
        ({"levels": 0}, "levels 0: give 1 or more"),
        ({"fill_chance": 1.5}, r"fill chance 1\.5: give a share"),
        ({"impact": -1.0}, r"impact -1\.0: give 0"),
        ({"half_life_ns": 0}, "half-life 0 ns: give 1"),
        ({"window_ns": 0}, "window 0 ns: give 1"),
        ({"window_rows": -1}, "window of -1 rows: give 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(values: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        EngineConfig(**values)  # type: ignore[arg-type]


def test_time_that_falls_is_refused() -> None:
    venue = Venue([beat(20), beat(10)])
    with pytest.raises(ValueError, match="time falls below 20 ns"):
        venue.go(1), venue.go(1)
