"""The benchmark's day of TotalView-ITCH 5.0: the same from one seed, in the mix it says, possible at each step."""

import itch.parser
import pytest

from jobs.benchmarks.itch_flow import RECEIVED_NS, flow, measure
from jobs.benchmarks.itch_venue import MIX
from pipelines.domain.decoding import Discovered
from pipelines.domain.market import Kind
from pipelines.feeds.protocols.itch50.decoder import Itch50
from tests.support.itch_messages import split

DAY = flow(5, 60_000, instruments=50)


def test_a_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert flow(5, 5_000) == flow(5, 5_000)
    assert flow(5, 5_000) != flow(6, 5_000)


def test_a_day_has_as_many_messages_as_it_is_asked_for_in_the_mix() -> None:
    kinds = [chr(each[0]) for each in split(DAY)]
    assert len(kinds) == 60_000
    shares = {kind: 100 * kinds.count(kind) / len(kinds) for kind, _ in MIX}
    assert shares == pytest.approx(dict(MIX), abs=3)


def test_no_message_contradicts_a_book_and_none_is_crossed() -> None:
    decoded = Itch50(Discovered()).decode([DAY], [RECEIVED_NS])
    assert not decoded.faults
    assert not decoded.missing
    quotes = decoded.rows[decoded.rows["kind"] == Kind.QUOTE]
    both = (quotes["bid"] > 0) & (quotes["ask"] > 0)
    assert (quotes["bid"][both] < quotes["ask"][both]).all()
    assert both.sum() > 10_000


def test_another_parser_reads_it_too() -> None:
    assert sum(1 for _ in itch.parser.MessageParser().parse_stream(DAY)) == 60_000


def test_the_measure_says_messages_a_second_and_times_of_the_other_parser() -> None:
    found = measure(DAY)
    assert set(found["messages_per_second"]) == set(found["times_itchfeed"]) == {"parse", "quotes", "all"}
    assert found["times_itchfeed"]["all"] > 1
