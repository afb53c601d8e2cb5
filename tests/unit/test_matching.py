"""The simulated venue's matching: one order, one quote, the same reports at every telling."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.matching import MatchConfig, Quote, acknowledge, latency_ns, match, match_time_ns
from pipelines.domain.trading import TERMINAL, Decision, OrderRequest, OrderStatus, Report, Side, TradingEvent
from pipelines.domain.universe import Instrument

CONFIG = MatchConfig(seed=7, min_latency_ns=1_000, max_latency_ns=5_000, levels=10)
INSTRUMENT = Instrument("BTC", "sim", "BTCUSDT", tick_size=0.1, lot_size=0.5)
QUOTE = Quote(bid=99.9, bid_size=1.0, ask=100.1, ask_size=1.5)
ORDER = OrderRequest(
    client_order_id="c1",
    action=Decision.NEW,
    account="desk",
    event_time_ns=1_000_000,
    venue="sim",
    instrument="BTC",
    side=Side.BUY,
    quantity=2,
    order_type="market",
    limit_price=0.0,
    pair="BTC-ETH",
    leg=0,
    cause="signal/1",
    reason="",
)


def report(event: TradingEvent) -> Report:
    assert isinstance(event.body, Report)
    return event.body


def fills(order: OrderRequest, quote: Quote | None = QUOTE) -> list[tuple[int, float, OrderStatus]]:
    reports = [report(event) for event in match(order, INSTRUMENT, quote, CONFIG)]
    return [(r.last_quantity, r.last_price, r.status) for r in reports]


def test_a_buy_within_the_shown_size_fills_at_the_ask() -> None:
    assert fills(ORDER) == [(2, 100.1, OrderStatus.FILLED)]


def test_a_sell_fills_at_the_bid() -> None:
    assert fills(replace(ORDER, side=Side.SELL)) == [(2, 99.9, OrderStatus.FILLED)]


def test_what_exceeds_the_shown_size_walks_one_tick_a_level() -> None:
    assert fills(replace(ORDER, quantity=7)) == [
        (3, 100.1, OrderStatus.PARTIALLY_FILLED),
        (3, 100.2, OrderStatus.PARTIALLY_FILLED),
        (1, 100.3, OrderStatus.FILLED),
    ]
    assert [price for _, price, _ in fills(replace(ORDER, side=Side.SELL, quantity=5))] == [99.9, 99.8, 99.7]


def test_what_lies_beyond_the_depth_is_canceled_with_its_lots() -> None:
    reports = [report(event) for event in match(replace(ORDER, quantity=40), INSTRUMENT, QUOTE, CONFIG)]
    assert len(reports) == 11
    assert (reports[-1].status, reports[-1].cumulative_quantity, reports[-1].leaves_quantity) == ("canceled", 30, 0)
    assert reports[-1].text == "10 of 40 lots lay beyond the 10 levels of depth"


def test_a_sell_never_fills_at_or_below_zero() -> None:
    penny = Quote(bid=0.2, bid_size=0.5, ask=0.3, ask_size=0.5)
    assert fills(replace(ORDER, side=Side.SELL, quantity=5), penny) == [
        (1, 0.2, OrderStatus.PARTIALLY_FILLED),
        (1, 0.1, OrderStatus.PARTIALLY_FILLED),
        (0, 0.0, OrderStatus.CANCELED),
    ]


def test_a_touch_smaller_than_a_lot_shows_one_lot() -> None:
    assert fills(ORDER, replace(QUOTE, ask_size=0.1)) == [
        (1, 100.1, OrderStatus.PARTIALLY_FILLED),
        (1, 100.2, OrderStatus.FILLED),
    ]


def test_an_order_before_the_first_quote_is_rejected_in_words() -> None:
    (event,) = match(ORDER, INSTRUMENT, None, CONFIG)
    assert (report(event).status, report(event).text) == ("rejected", "no quote of BTC yet")


@pytest.mark.parametrize("price", [0.0, float("nan"), float("inf")])
def test_a_side_that_is_not_a_price_is_rejected(price: float) -> None:
    assert [status for _, _, status in fills(ORDER, replace(QUOTE, ask=price))] == ["rejected"]


@pytest.mark.parametrize(
    ("order", "instrument", "text"),
    [
        (replace(ORDER, quantity=0), INSTRUMENT, "quantity 0 lots: an order needs 1 or more"),
        (replace(ORDER, quantity=-3), INSTRUMENT, "quantity -3 lots: an order needs 1 or more"),
        (ORDER, None, "instrument 'BTC' is not traded here"),
        (replace(ORDER, venue="other"), INSTRUMENT, "instrument 'BTC' trades on sim, not on other"),
        (replace(ORDER, order_type="stop"), INSTRUMENT, "order type 'stop': this venue takes market orders"),
    ],
)
def test_an_order_that_cannot_be_taken_is_rejected_at_once(
    order: OrderRequest, instrument: Instrument | None, text: str
) -> None:
    word = report(acknowledge(order, instrument, CONFIG))
    assert (word.status, word.text, word.leaves_quantity) == ("rejected", text, 0)


def test_a_good_order_is_acknowledged_with_all_its_lots_working() -> None:
    word = report(acknowledge(ORDER, INSTRUMENT, CONFIG))
    assert (word.status, word.leaves_quantity, word.last_quantity) == ("new", 2, 0)


def test_every_report_carries_the_match_time_and_an_id_of_its_own() -> None:
    events = [acknowledge(ORDER, INSTRUMENT, CONFIG), *match(replace(ORDER, quantity=7), INSTRUMENT, QUOTE, CONFIG)]
    assert {event.event_time_ns for event in events} == {match_time_ns(ORDER, CONFIG)}
    assert len({event.event_id for event in events}) == 4


def test_latency_depends_on_the_seed_and_the_order_alone() -> None:
    draws = [latency_ns(f"order-{n}", CONFIG) for n in range(200)]
    assert draws == [latency_ns(f"order-{n}", CONFIG) for n in range(200)]
    assert draws != [latency_ns(f"order-{n}", replace(CONFIG, seed=8)) for n in range(200)]
    assert min(draws) >= 1_000
    assert max(draws) <= 5_000
    assert len(set(draws)) > 150


def test_a_latency_range_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match=r"latency 5\.\.4 ns"):
        MatchConfig(min_latency_ns=5, max_latency_ns=4)


@settings(max_examples=80, deadline=None)
@given(
    quantity=st.integers(1, 200),
    size=st.floats(0, 20),
    bid=st.integers(1, 5_000),
    side=st.sampled_from(Side),
)
def test_an_order_is_always_accounted_for(quantity: int, size: float, bid: int, side: Side) -> None:
    quote = Quote(bid / 10, size, (bid + 1) / 10, size)
    reports = [
        report(event) for event in match(replace(ORDER, quantity=quantity, side=side), INSTRUMENT, quote, CONFIG)
    ]
    cumulative = 0
    for word in reports:
        cumulative += word.last_quantity
        assert word.cumulative_quantity == cumulative
        assert word.leaves_quantity == (quantity - cumulative if word.status != OrderStatus.CANCELED else 0)
    assert [word.status in TERMINAL for word in reports] == [False] * (len(reports) - 1) + [True]
    prices = [word.last_price for word in reports if word.last_quantity]
    assert prices == sorted(prices, reverse=side == Side.SELL)
    assert all(price > 0 for price in prices)
