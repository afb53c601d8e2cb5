"""What holds of the simulated venue's engine for all orders and all markets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.market import Condition, Kind, Status
from pipelines.domain.trading import Side
from pipelines.domain.venue_engine import EngineConfig
from pipelines.domain.venue_orders import (
    OVER,
    OrderKind,
    TimeInForce,
    VenueCancel,
    VenueOrder,
    VenueReplace,
    VenueReport,
    VenueWord,
)
from pipelines.domain.venue_rows import Row
from tests.support.venue_tape import Venue, beat, cancel, change, end, level, order, quote, status, trade

CONFIG = EngineConfig(min_latency_ns=0, max_latency_ns=8, levels=5, half_life_ns=10, window_ns=10_000)
DARK = replace(CONFIG, midpoint=True, fill_chance=0.4)
SHORT = replace(CONFIG, window_ns=40, window_rows=0)
Sent = VenueOrder | VenueCancel | VenueReplace

prices = st.integers(997, 1003).map(lambda ticks: ticks / 10)
lots = st.integers(1, 12)
wanted_lots = st.integers(1, 25)


@st.composite
def markets(draw: st.DrawFn, most: int = 40) -> list[Row]:
    """A tape from 1 on to 400, with its end after."""
    found: list[Row] = [quote(1, 99.9, 4, 100.1, 3)]
    for time_ns in sorted(draw(st.lists(st.integers(2, 400), max_size=most))):
        what = draw(st.integers(0, 19))
        if what < 7:
            bid = draw(st.integers(996, 1002))
            ask = bid + draw(st.integers(-1, 4))
            found.append(quote(time_ns, bid / 10, draw(lots), ask / 10, draw(lots)))
        elif what < 16:
            found.append(trade(time_ns, draw(prices), draw(lots), buyer=draw(st.booleans())))
        elif what < 17:
            found.append(trade(time_ns, draw(prices), draw(lots), draw(st.sampled_from(list(Condition)))))
        elif what < 18:
            found.append(level(time_ns, draw(st.sampled_from(Side)), draw(prices), draw(st.integers(0, 9))))
        elif what < 19:
            found.append(status(time_ns, draw(st.sampled_from(list(Status)))))
        else:
            found.append(beat(time_ns))
    return [*found, beat(401), *([end(900)] if draw(st.booleans()) else [beat(900)])]


@st.composite
def orders(draw: st.DrawFn, name: str, dark: bool = False, earliest: int = 1, latest: int = 400) -> VenueOrder:
    force = draw(st.sampled_from(list(TimeInForce)[:3] if dark else list(TimeInForce)))
    made = order(
        name,
        draw(st.sampled_from(Side)),
        draw(wanted_lots),
        draw(st.one_of(st.just(0.0), prices, prices)),
        draw(st.integers(earliest, latest)),
        force,
        by=draw(st.sampled_from("xyz")),
    )
    if dark:
        return replace(made, kind=OrderKind.MIDPOINT)
    post_only = made.kind is OrderKind.LIMIT and force is TimeInForce.DAY and draw(st.booleans())
    return replace(made, post_only=post_only)


@st.composite
def sessions(draw: st.DrawFn, dark: bool = False, most: int = 6) -> list[Sent]:
    """Orders of three participants, and requests about some of them, by time."""
    found: list[Sent] = []
    for number in range(draw(st.integers(1, most))):
        made = draw(orders(f"o{number}", dark))
        found.append(made)
        at_ns = made.event_time_ns + draw(st.integers(0, 100))
        what = draw(st.integers(0, 3))
        if what == 1:
            found.append(cancel(f"c{number}", f"o{number}", at_ns, made.participant))
        elif what == 2:
            found.append(change(f"r{number}", f"o{number}", draw(wanted_lots), draw(prices), at_ns, made.participant))
            found.append(cancel(f"c{number}", f"r{number}", at_ns + draw(st.integers(0, 50)), made.participant))
    return sorted(found, key=lambda each: each.event_time_ns)


def send(venue: Venue, sent: Sent) -> list[VenueReport]:
    if isinstance(sent, VenueOrder):
        return venue.engine.take(sent)
    return venue.engine.cancel(sent) if isinstance(sent, VenueCancel) else venue.engine.replace(sent)


def at_once(tape: Sequence[Row], sent: Sequence[Sent], config: EngineConfig) -> list[VenueReport]:
    """Everything sent before the market is read in one piece."""
    venue = Venue(tape, config)
    reports = [report for each in sent for report in send(venue, each)]
    return reports + venue.go()


def by_order(reports: Sequence[VenueReport]) -> list[VenueReport]:
    return sorted(reports, key=lambda each: (each.participant, each.client_order_id, each.number, each.request))


def in_time(tape: Sequence[Row], sent: Sequence[Sent], config: EngineConfig, cuts: Sequence[int]) -> list[VenueReport]:
    """The market in pieces, everything sent just before it is needed."""
    venue, left, out = Venue(tape, config), list(sent), []
    for count in [*cuts, len(tape)]:
        ahead = venue.tape[venue.read : venue.read + count]
        while ahead and left and left[0].event_time_ns <= ahead[-1][0]:
            out += send(venue, left.pop(0))
        out += venue.go(count) if ahead else []
    return out


CUTS = st.lists(st.integers(1, 9), max_size=12)


def readable(tape: list[Row], config: EngineConfig) -> list[Row]:
    """Levels from before a short window are not looked for in the log."""
    return tape if config.window_ns > 1_000 else [row for row in tape if row[2] != Kind.LEVEL]


@settings(max_examples=300, deadline=None)
@given(markets(), sessions(), CUTS, st.sampled_from([CONFIG, SHORT]))
def test_what_is_sent_in_time_gets_the_same_reports_however_the_log_is_cut(
    tape: list[Row], sent: list[Sent], cuts: list[int], config: EngineConfig
) -> None:
    tape = readable(tape, config)
    assert by_order(in_time(tape, sent, config, cuts)) == by_order(at_once(tape, sent, config))


@settings(max_examples=150, deadline=None)
@given(st.data(), markets(), sessions(), st.booleans())
def test_the_order_in_which_things_are_sent_in_time_does_not_matter(
    data: st.DataObject, tape: list[Row], sent: list[Sent], dark: bool
) -> None:
    mixed = data.draw(st.permutations(sent))
    kinds = [VenueOrder, VenueReplace, VenueCancel]  # of an order that is not known yet a request is refused
    mixed = sorted(mixed, key=lambda each: kinds.index(type(each)))
    assert by_order(at_once(tape, mixed, CONFIG)) == by_order(at_once(tape, sent, CONFIG))


@settings(max_examples=150, deadline=None)
@given(markets(), sessions(dark=True), CUTS)
def test_so_does_a_dark_venue(tape: list[Row], sent: list[Sent], cuts: list[int]) -> None:
    assert by_order(in_time(tape, sent, DARK, cuts)) == by_order(at_once(tape, sent, DARK))


@settings(max_examples=300, deadline=None)
@given(st.data(), markets(), st.integers(0, 42), st.booleans(), st.sampled_from([CONFIG, SHORT]))
def test_an_order_that_meets_no_other_gets_the_same_reports_however_late_it_comes(
    data: st.DataObject, tape: list[Row], read: int, dark: bool, config: EngineConfig
) -> None:
    config, tape = replace(config, midpoint=dark, fill_chance=0.4), readable(tape, config)
    made = data.draw(orders("a", dark))
    late = Venue(tape, config)
    late.go(read)
    reports = late.engine.take(made)
    assert by_order(reports + late.go()) == by_order(at_once(tape, [made], config))


@settings(max_examples=150, deadline=None)
@given(st.data(), markets(), st.integers(0, 42), st.integers(0, 42))
def test_so_does_one_that_was_told_of_by_another_process(
    data: st.DataObject, tape: list[Row], stop: int, read: int
) -> None:
    made = data.draw(orders("a"))
    first, second = Venue(tape, CONFIG), Venue(tape, CONFIG)
    before = first.engine.take(made) + first.go(stop)
    second.go(read)
    after = second.engine.take(made, before) + second.go()
    assert by_order(before + after) == by_order(at_once(tape, [made], CONFIG))


@settings(max_examples=300, deadline=None)
@given(markets(), sessions(), st.lists(st.integers(0, 42), min_size=20, max_size=20), st.sampled_from([CONFIG, SHORT]))
def test_what_was_told_is_never_changed_or_told_again(
    tape: list[Row], sent: list[Sent], reads: list[int], config: EngineConfig
) -> None:
    venue, out = Venue(tape, config), []
    for each, read in zip(sent, reads, strict=False):
        out += venue.go(read % 7) if read % 3 == 0 else []
        out += send(venue, each)
    account(out + venue.go(), [each for each in sent if isinstance(each, VenueOrder)])


@settings(max_examples=300, deadline=None)
@given(markets(), sessions(), CUTS, st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_a_new_process_goes_on_where_the_old_one_ended(
    tape: list[Row], sent: list[Sent], cuts: list[int], stop: int, read: int, whole: bool
) -> None:
    first = Venue(tape, CONFIG)
    made = [report for each in sent for report in send(first, each)]
    made += first.go(stop)
    second, out = Venue(tape, CONFIG), list(made)
    if not whole:
        second.go(read)
    for each in sent:
        if isinstance(each, VenueOrder):
            names = {each.client_order_id, "r" + each.client_order_id[1:]}
            told = [word for word in made if word.participant == each.participant and word.client_order_id in names]
            out += second.engine.take(each, sorted(told, key=lambda word: word.number))
        else:
            out += send(second, each)
    out += second.go()
    account(out, [each for each in sent if isinstance(each, VenueOrder)])
    if whole and len(sent) == 1:
        assert by_order(out) == by_order(at_once(tape, sent, CONFIG))


@settings(max_examples=200, deadline=None)
@given(markets(), sessions(), markets(), st.integers(1, 400), st.booleans())
def test_rows_after_a_time_change_no_report_of_that_time(
    tape: list[Row], sent: list[Sent], other: list[Row], now_ns: int, dark: bool
) -> None:
    changed = [row for row in tape if row[0] <= now_ns] + [row for row in other if row[0] > now_ns]
    one, two = ([r for r in at_once(each, sent, CONFIG) if r.time_ns <= now_ns] for each in (tape, changed))
    answered = {word.request for word in one} ^ {word.request for word in two}
    assert not answered
    assert by_order(one) == by_order(two)


def account(reports: Sequence[VenueReport], sent: Sequence[VenueOrder]) -> None:
    """Numbers without gaps or repeats, lots that add up, prices within limits."""
    for made in sent:
        names = {made.client_order_id, "r" + made.client_order_id[1:]}
        words = [
            word
            for word in reports
            if word.participant == made.participant and word.client_order_id in names and word.number >= 0
        ]
        words.sort(key=lambda word: word.number)
        assert [word.number for word in words] == list(range(len(words)))
        quantity, filled, over = made.quantity, 0, False
        for word in words:
            if word.word is VenueWord.REQUEST_REJECTED:
                continue
            assert not over
            filled += word.last_quantity
            assert word.cumulative_quantity == filled
            if word.word is VenueWord.REPLACED:
                quantity = word.cumulative_quantity + word.leaves_quantity
            over = word.word in OVER or filled == quantity
            assert word.leaves_quantity == (0 if over else quantity - filled)
            if word.word is VenueWord.FILL:
                assert word.last_quantity > 0
                if made.kind is OrderKind.LIMIT and word.client_order_id == made.client_order_id:
                    better = word.last_price <= made.price if made.side is Side.BUY else word.last_price >= made.price
                    assert better
        times = [word.time_ns for word in words]
        assert times == sorted(times)


@settings(max_examples=200, deadline=None)
@given(markets(), sessions(), st.booleans())
def test_lots_add_up_and_limits_hold(tape: list[Row], sent: list[Sent], dark: bool) -> None:
    reports = at_once(tape, sent, CONFIG)
    account(reports, [each for each in sent if isinstance(each, VenueOrder)])
    answers = Counter((each.participant, each.request) for each in reports if each.request)
    assert not answers or max(answers.values()) == 1


@settings(max_examples=100, deadline=None)
@given(markets(), st.lists(st.integers(10, 100), min_size=2, max_size=5, unique=True), st.data())
def test_of_two_bids_at_a_price_the_later_never_fills_before_the_earlier(
    tape: list[Row], times: list[int], data: st.DataObject
) -> None:
    price = data.draw(prices)
    config = replace(CONFIG, max_latency_ns=0)
    made = [
        order(f"o{number}", Side.BUY, data.draw(wanted_lots), price, at_ns, by=f"p{number}")
        for number, at_ns in enumerate(sorted(times))
    ]
    quiet = [row for row in tape if row[2] != Kind.STATUS]
    reports = [word for word in at_once(quiet, made, config) if word.word is VenueWord.FILL and word.maker]
    for place, word in enumerate(reports):
        for earlier in made:
            if earlier.client_order_id >= word.client_order_id:
                break
            state = sum(
                each.last_quantity for each in reports[:place] if each.client_order_id == earlier.client_order_id
            )
            taken = sum(
                each.last_quantity
                for each in at_once(quiet, made, config)
                if each.client_order_id == earlier.client_order_id and not each.maker
            )
            assert state + taken == earlier.quantity


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(prices, lots, st.booleans()), min_size=1, max_size=20), sessions())
def test_a_trade_fills_no_more_than_it_was(trades: list[tuple[float, int, bool]], sent: list[Sent]) -> None:
    #  orders and requests at odd times, trades at even ones
    config = replace(CONFIG, max_latency_ns=0)
    odd = [replace(each, event_time_ns=each.event_time_ns | 1) for each in sent]
    steps = enumerate(trades, 1)
    tape = [
        quote(0, 99.9, 4, 100.1, 3),
        *(trade(20 * n, price, size, buyer=buyer) for n, (price, size, buyer) in steps),
    ]
    filled: Counter[int] = Counter()
    for word in at_once([*tape, beat(900)], odd, config):
        filled[word.time_ns] += word.last_quantity if word.time_ns % 2 == 0 else 0
    for row in tape[1:]:
        assert filled[row[0]] * 0.5 <= row[6]


@settings(max_examples=150, deadline=None)
@given(st.lists(lots, min_size=1, max_size=8), lots, st.sampled_from(Side))
def test_orders_of_one_moment_take_no_more_than_is_shown(wanted: list[int], shown: int, side: Side) -> None:
    tape = [quote(1, 99.9, shown, 100.1, shown), beat(900)]
    sent = [order(f"o{number}", side, size, by=f"p{number}") for number, size in enumerate(wanted)]
    config = replace(CONFIG, max_latency_ns=0)
    taken = [word for word in at_once(tape, sent, config) if word.word is VenueWord.FILL]
    by_price = Counter[float]()
    for word in taken:
        by_price[word.last_price] += word.last_quantity
    assert max(by_price.values()) <= shown
    assert sum(by_price.values()) == min(sum(wanted), shown * config.levels)
    reached = list(dict.fromkeys(word.last_price for word in taken))
    assert reached == sorted(reached, reverse=side is Side.SELL)
