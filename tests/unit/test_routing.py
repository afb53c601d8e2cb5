"""The router's laws: sums, limits, least expected cost, simultaneous arrival; re-pegging; legs in step."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.pair_legs import PairLeg, hedge_due, lead_leg
from pipelines.domain.plain_splits import by_price, pro_rata, single_venue
from pipelines.domain.repeg import Move, repeg
from pipelines.domain.route_costs import How, Market, Split, market
from pipelines.domain.routing import Child, Route, route, route_in, split_of
from pipelines.domain.trading import Side
from pipelines.domain.venue_books import (
    Dark,
    Fee,
    Level,
    ParentOrder,
    RouteModel,
    RouteVenue,
    RoutingError,
    VenueBook,
)

MS = 1_000_000
NEAR = 1e-6
Case = tuple[ParentOrder, list[VenueBook], list[RouteVenue], RouteModel]

FEES = st.builds(Fee, st.sampled_from([-0.002, 0.0, 0.001, 0.003, 0.02]), st.sampled_from([0.0, 0.3, -0.2]))
CHANCES = st.floats(0.0, 1.0)


@st.composite
def levels(draw: st.DrawFn, best: int, worse: int, most: int) -> tuple[Level, ...]:
    found, price = [], best
    for _ in range(draw(st.integers(0, 3))):
        found.append(
            Level(price, draw(st.integers(1, most)), draw(st.integers(0, 50)) * MS, draw(st.sampled_from([1.0, 0.6])))
        )
        price += worse * draw(st.integers(1, 3))
    return tuple(found)


@st.composite
def cases(draw: st.DrawFn, most_lots: int = 60, most_level: int = 30, most_venues: int = 4) -> Case:
    parent = ParentOrder(
        draw(st.sampled_from(Side)),
        draw(st.integers(1, most_lots)),
        draw(st.one_of(st.none(), st.integers(996, 1006))),
        draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    model = RouteModel(
        0.01, 100.0, *(draw(st.sampled_from(each)) for each in ([0.0, 0.4, 1.0], [0.0, 0.7], [0.0, 2.0], [0.0, 1.5]))
    )
    venues, books = [], []
    for number in range(draw(st.integers(1, most_venues))):
        name = "ABCD"[number]
        dark = draw(st.one_of(st.none(), st.builds(Dark, CHANCES, st.integers(1, most_level)))) if number else None
        venues.append(
            RouteVenue(
                name,
                draw(st.integers(0, 3)) * MS,
                draw(FEES),
                draw(FEES),
                draw(CHANCES),
                draw(st.sampled_from([0, 5 * MS, 100 * MS])),
                draw(st.sampled_from([0.0, 3.0, 40.0])),
                dark,
            )
        )
        if dark is None:
            bid = draw(st.integers(997, 1000))
            ask = bid + draw(st.integers(1, 4))
            books.append(VenueBook(name, draw(levels(bid, -1, most_level)), draw(levels(ask, 1, most_level))))
    if not any(book.far(parent.side) for book in books):
        books[0] = VenueBook("A", (Level(999, 5),), (Level(1001, 5),))
    return parent, books, venues, model


def every_split(made: Market) -> Iterator[Split]:
    """Each way to send all or a part of the parent: lots to each venue, taken or posted."""
    ways = [(name, how) for name in made.venues for how in How if made.slices(name, how, 0)]
    most = [min(made.parent.lots, sum(each.lots for each in made.slices(*way, 0))) for way in ways]
    for lots in product(*(range(each + 1) for each in most)):
        if sum(lots) <= made.parent.lots:
            yield dict(zip(ways, lots, strict=True))


@given(cases(most_lots=7, most_level=3, most_venues=3))
@settings(max_examples=60, deadline=None)
def test_no_split_of_a_small_case_is_expected_to_cost_less(case: Case) -> None:
    made = market(*case)
    least = min(made.expected_ticks(split) for split in every_split(made))
    assert route_in(made).expected_ticks == pytest.approx(least, abs=NEAR)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_lots_add_up_and_no_venue_is_sent_more_than_it_offers(case: Case) -> None:
    made, routed = market(*case), route(*case)
    assert sum(child.lots for child in routed.children) + routed.left_lots == made.parent.lots
    assert routed.left_lots >= 0
    assert len({(child.venue, child.how) for child in routed.children}) == len(routed.children)
    for child in routed.children:
        assert isinstance(child.lots, int)
        assert 1 <= child.lots <= sum(each.lots for each in made.slices(child.venue, child.how, 0))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_the_limit_is_respected(case: Case) -> None:
    parent = case[0]
    for child in route(*case).children:
        assert parent.allows(child.price_ticks)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_never_expected_to_cost_more_than_a_plain_split(case: Case) -> None:
    made = market(*case)
    routed = route_in(made)
    for plain in (single_venue, pro_rata, by_price):
        assert routed.expected_ticks <= made.expected_ticks(plain(made)) + NEAR


@given(cases())
@settings(max_examples=100, deadline=None)
def test_what_it_says_it_costs_is_what_its_split_costs(case: Case) -> None:
    made = market(*case)
    routed = route_in(made)
    assert routed.expected_ticks == pytest.approx(made.expected_ticks(split_of(routed)), abs=NEAR)
    parts = sum(child.lots * child.expected_ticks for child in routed.children)
    assert routed.expected_ticks == pytest.approx(parts + routed.left_lots * routed.later_ticks, abs=NEAR)


@given(cases(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_order_of_venues_and_books_changes_nothing(case: Case, seed: int) -> None:
    parent, books, venues, model = case
    shuffled = Random(seed)
    again = (parent, shuffled.sample(books, len(books)), shuffled.sample(venues, len(venues)), model)
    assert route(*case) == route(*again)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_a_sweep_arrives_everywhere_at_once_and_waits_for_no_venue_that_is_not_used(case: Case) -> None:
    latency = {venue.name: venue.latency_ns for venue in case[2]}
    routed = route(*case)
    swept = [child for child in routed.children if child.how != How.POST]
    assert {latency[child.venue] + child.delay_ns for child in swept} <= {routed.arrival_ns}
    assert all(child.delay_ns >= 0 for child in routed.children)
    assert routed.arrival_ns == max((latency[child.venue] for child in swept), default=0)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_plain_splits_add_up(case: Case) -> None:
    made = market(*case)
    within = {name: sum(each.lots for each in made.slices(name, How.TAKE, 0)) for name in made.books}
    all_of_it = min(made.parent.lots, sum(within.values()))
    for split in (pro_rata(made), by_price(made)):
        assert sum(split.values()) == all_of_it
        assert all(0 < lots <= within[name] for (name, _), lots in split.items())


BOOKS = [
    VenueBook("N", (Level(4885, 9),), (Level(4886, 10), Level(4888, 20))),
    VenueBook("Q", (Level(4885, 13),), (Level(4886, 12), Level(4887, 20))),
]
VENUES = [
    RouteVenue("N", 4 * MS, Fee(0.0025), Fee(-0.0017), turnover_lots=60.0),
    RouteVenue("Q", 2 * MS, Fee(0.0030), Fee(-0.0020), turnover_lots=30.0),
]
CENT = RouteModel(0.01, 100.0)
DRIFTING = replace(CENT, drift_ticks=1.0)
"""What is missed costs a tick more, also where more is displayed at the same price."""
BUY = ParentOrder(Side.BUY, 15)


def of(routed: Route) -> dict[str, int]:
    return {f"{child.venue} {child.how.name.lower()}": child.lots for child in routed.children}


def test_a_lower_fee_comes_first_at_the_same_price() -> None:
    assert of(route(BUY, BOOKS, VENUES, CENT)) == {"N take": 10, "Q take": 5}


def test_a_fee_of_more_than_a_tick_is_worth_a_worse_price() -> None:
    dear = [replace(VENUES[0], taker=Fee(0.03)), VENUES[1]]
    assert of(route(BUY, BOOKS, dear, CENT)) == {"Q take": 15}


def test_a_fee_in_basis_points_is_of_the_price() -> None:
    assert Fee(bps=2.0).ticks(4886, 0.01) == pytest.approx(0.9772)
    dear = [replace(VENUES[0], taker=Fee(bps=6.0)), VENUES[1]]
    assert of(route(BUY, BOOKS, dear, CENT)) == {"Q take": 15}


def test_a_quote_that_may_be_gone_comes_later() -> None:
    unsure = [replace(VENUES[0], lifetime_ns=2 * MS), VENUES[1]]
    assert of(route(replace(BUY, lots=12), BOOKS, unsure, DRIFTING)) == {"Q take": 12}


def test_a_slow_venue_that_would_cost_the_others_their_chances_is_not_waited_for() -> None:
    #   ms  0    2    4  ...  40
    #       └ Q ─┘         W: its three lots would make Q wait
    slow = RouteVenue("W", 40 * MS, Fee(0.001))
    venues = [replace(VENUES[1], lifetime_ns=20 * MS), slow]
    books = [BOOKS[1], VenueBook("W", (), (Level(4886, 3),))]
    assert of(route(replace(BUY, lots=12), books, venues, DRIFTING)) == {"Q take": 12}
    patient = [VENUES[1], slow]
    routed = route(replace(BUY, lots=12), books, patient, DRIFTING)
    assert of(routed) == {"Q take": 9, "W take": 3}
    assert {child.venue: child.delay_ns for child in routed.children} == {"Q": 38 * MS, "W": 0}


def test_a_limit_keeps_back_what_is_not_to_be_had_within_it() -> None:
    routed = route(ParentOrder(Side.BUY, 50, 4886), BOOKS, VENUES, CENT)
    assert (of(routed), routed.left_lots) == ({"N take": 10, "Q take": 12}, 28)


def test_a_dark_venue_is_asked_for_what_its_chance_is_worth() -> None:
    dark = RouteVenue("MID", 3 * MS, Fee(0.001), dark=Dark(0.9, 4))
    routed = route(BUY, BOOKS, [*VENUES, dark], CENT)
    child = next(each for each in routed.children if each.venue == "MID")
    assert (child.how, child.lots, child.price_ticks) == (How.MIDPOINT, 4, 4886)
    never = replace(dark, dark=Dark(0.0, 4))
    assert of(route(BUY, BOOKS, [*VENUES, never], CENT)) == {"N take": 10, "Q take": 5}


def test_a_patient_order_queues_where_less_is_ahead_and_an_urgent_one_nowhere() -> None:
    patient = route(ParentOrder(Side.BUY, 8, None, 0.0), BOOKS, VENUES, CENT)
    assert {child.how for child in patient.children} == {How.POST}
    assert of(patient)["N post"] == 8
    assert "behind 9, rebate 0.0017 a unit" in patient.children[0].reason
    assert {child.how for child in route(BUY, BOOKS, VENUES, CENT).children} == {How.TAKE}


def test_each_child_says_why_with_figures() -> None:
    child = route(BUY, BOOKS, VENUES, CENT).children[0]
    assert child.reason == (
        "takes 10 at 48.86, fee 0.0025 a unit; fills with 100.0 % at 4 ms; expected 48.8625 a unit, kept back 48.8630"
    )


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(RoutingError, match="book of X: no venue of that name: there is N, Q"):
        route(BUY, [*BOOKS, VenueBook("X")], VENUES, CENT)
    with pytest.raises(RoutingError, match="nobody quotes what a buy order takes"):
        route(BUY, [VenueBook("N", (Level(4885, 9),))], VENUES, CENT)
    with pytest.raises(RoutingError, match="named twice"):
        route(BUY, BOOKS, [*VENUES, VENUES[0]], CENT)
    with pytest.raises(RoutingError, match="a dark venue displays none"):
        route(BUY, BOOKS, [replace(VENUES[0], dark=Dark(0.5, 1)), VENUES[1]], CENT)
    with pytest.raises(RoutingError, match="0 lots"):
        ParentOrder(Side.BUY, 0)


POSTED = Child("N", How.POST, 8, 4885, 0, 0.5, -0.17, 0.0, "")
PATIENT = ParentOrder(Side.BUY, 8, None, 0.2)
WAITING = RouteModel(0.01, 100.0, 0.0, 0.0, 0.5, 1.0, 0.2)


def test_an_order_near_the_front_of_its_queue_stays() -> None:
    found = repeg(POSTED, PATIENT, BOOKS, VENUES, WAITING, ahead_lots=1)
    assert (found.move, found.venue, found.price_ticks) == (Move.STAY, "N", 4885)
    assert "stay on N at 48.85, 1 ahead" in found.reason


def test_an_order_that_the_market_left_behind_follows_it() -> None:
    risen = [VenueBook("N", (Level(4888, 9),), (Level(4893, 10),)), VenueBook("Q", (Level(4888, 80),), ())]
    venues = [replace(venue, turnover_lots=25.0) for venue in VENUES]
    found = repeg(POSTED, PATIENT, risen, venues, WAITING, ahead_lots=0)
    assert (found.move, found.venue, found.price_ticks) == (Move.REPEG, "N", 4888)


def test_an_order_with_no_hope_in_any_queue_takes_what_is_displayed() -> None:
    still = [replace(venue, turnover_lots=0.5) for venue in VENUES]
    eager = replace(PATIENT, urgency=0.9)
    found = repeg(POSTED, eager, BOOKS, still, WAITING, ahead_lots=30)
    assert (found.move, found.price_ticks) == (Move.TAKE, 4886)


def test_an_order_is_not_followed_beyond_its_limit() -> None:
    risen = [VenueBook("N", (Level(4888, 9),), (Level(4893, 10),))]
    found = repeg(POSTED, replace(PATIENT, limit_ticks=4886), risen, VENUES, WAITING, ahead_lots=0)
    assert (found.move, found.price_ticks) == (Move.STAY, 4885)


def test_only_a_posted_order_is_re_pegged() -> None:
    with pytest.raises(RoutingError, match="only a posted one"):
        repeg(replace(POSTED, how=How.TAKE), PATIENT, BOOKS, VENUES, WAITING, 0)


@given(cases(), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_re_pegging_never_costs_more_than_staying(case: Case, ahead: int) -> None:
    parent, books, venues, model = case
    lit = next(venue for venue in venues if venue.dark is None)
    child = replace(POSTED, venue=lit.name, lots=parent.lots, price_ticks=998)
    found = repeg(child, parent, books, venues, model, ahead)
    made = market(parent, books, venues, model)
    if lit.turnover_lots and parent.allows(998) and found.move != Move.STAY:
        better = sum(
            level.lots
            for book in books
            for level in book.near(parent.side)
            if parent.sign * level.price_ticks > parent.sign * 998
        )
        stays = made.queued(lit, 998, ahead + better)
        assert (
            found.expected_ticks <= made.later_ticks - sum(e.lots * e.saving_ticks for e in stays) / parent.lots + NEAR
        )


def test_the_leg_that_is_harder_to_trade_leads() -> None:
    thin = PairLeg("AIG", ParentOrder(Side.BUY, 15), BOOKS)
    deep = PairLeg("BAC", ParentOrder(Side.SELL, 50), [VenueBook("N", (Level(1385, 535),), (Level(1386, 500),))])
    lead = lead_leg(deep, thin)
    assert (lead.instrument, lead.lots, lead.follows) == ("AIG", 15, "BAC")
    assert "AIG first: 15 lots of 62 displayed, against 50 of 535 of BAC; 15 now, which 50 of BAC hedge" in lead.reason


LOTS = st.integers(1, 500)


@given(LOTS, LOTS, st.integers(0, 400), st.integers(0, 400), st.data())
@settings(max_examples=200, deadline=None)
def test_the_lead_is_never_more_than_the_other_leg_can_hedge(
    a_lots: int, b_lots: int, a_shown: int, b_shown: int, data: st.DataObject
) -> None:
    def leg(name: str, lots: int, shown: int) -> PairLeg:
        return PairLeg(name, ParentOrder(Side.BUY, lots), [VenueBook("N", (), (Level(100, shown),) if shown else ())])

    a, b = leg("A", a_lots, a_shown), leg("B", b_lots, b_shown)
    first, other = (a, b) if lead_leg(a, b).instrument == "A" else (b, a)
    assert first.parent.lots * other.displayed_lots >= other.parent.lots * first.displayed_lots
    filled = data.draw(st.integers(0, first.parent.lots))
    lead = lead_leg(a, b, filled)
    assert 0 <= lead.lots <= min(first.parent.lots - filled, first.displayed_lots)
    hedged = filled * other.parent.lots // first.parent.lots
    assert hedge_due(first.parent.lots, filled + lead.lots, other.parent.lots, hedged) <= other.displayed_lots


@given(LOTS, LOTS, st.data())
@settings(max_examples=200, deadline=None)
def test_legs_are_never_over_hedged_and_end_whole(lead: int, hedge: int, data: st.DataObject) -> None:
    filled = sent = 0
    while filled < lead:
        filled = min(lead, filled + data.draw(st.integers(1, lead)))
        due = hedge_due(lead, filled, hedge, sent)
        sent += due
        assert due >= 0
        assert sent * lead <= filled * hedge < (sent + 1) * lead  # never over, and less than a lot under
    assert sent == hedge


def test_a_bust_of_the_leading_leg_asks_for_no_more() -> None:
    assert hedge_due(10, 6, 30, 18) == 0
    assert hedge_due(10, 4, 30, 18) == 0
    with pytest.raises(RoutingError, match="11 lots filled of 10"):
        hedge_due(10, 11, 30, 0)
