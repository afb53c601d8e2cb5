"""Faults that a FIX venue puts in, and what is left of a venue that was killed."""

from pathlib import Path
from random import Random

import pytest

from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.fix_orders import FixOrders
from pipelines.domain.fix_words import OrdStatus
from pipelines.execution.fix_message import word_of
from tests.support.fix_floor import FixFloor, always, at


def filled(folder: Path, plan: FaultPlan) -> FixFloor:
    """A venue at which an order of three levels was filled."""
    venue = FixFloor(folder, plan, {"DESK": ["RISK"]})
    venue.quote(0, size=1)
    venue.order("o1", 4, ms=10)
    venue.quote(20)
    return venue


def test_the_same_orders_meet_the_same_faults_at_their_rate() -> None:
    plan = FaultPlan(7, {Fault.REJECT: 0.25, Fault.BUST: 0.25})
    names = [f"o{number}" for number in range(4_000)]
    hit = [name for name in names if plan.hits(Fault.REJECT, name)]
    assert hit == [name for name in names if FaultPlan(7, {Fault.REJECT: 0.25}).hits(Fault.REJECT, name)]
    assert 900 < len(hit) < 1_100
    both = sum(plan.hits(Fault.BUST, name) for name in hit)
    assert 0.2 < both / len(hit) < 0.3
    assert hit != [name for name in names if FaultPlan(8, plan.rates).hits(Fault.REJECT, name)]


def test_a_lost_acknowledgement_is_in_the_journal_and_never_said(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.LOST_ACKNOWLEDGEMENT))
    assert set(venue.words(150)) == {("F",)}
    assert venue.journal.rows("SELECT kind, said FROM words ORDER BY place LIMIT 1") == [("new", 2)]
    venue.restart()
    assert set(venue.words(150)) == {("F",)}


def test_a_fill_is_told_before_the_acknowledgement(tmp_path: Path) -> None:
    assert [kind for (kind,) in filled(tmp_path, always(Fault.FILL_FIRST)).words(150)][:3] == ["F", "0", "F"]


def test_a_fill_is_told_twice_with_one_exec_id(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.DUPLICATE_FILL))
    fills = [each for each in venue.said["DESK"] if each[150] == "F"]
    assert fills[::2] == fills[1::2]
    assert len({each[17] for each in fills}) == len(fills) // 2 > 1


def test_numbers_are_left_out_before_the_first_word(tmp_path: Path) -> None:
    assert filled(tmp_path, always(Fault.SEQUENCE_GAP, gap=5)).left_out == [("DESK", 5)]


def test_an_order_is_rejected_and_its_cancel_with_it(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.REJECT))
    assert venue.words(150, 39, 60) == [("8", "8", at(11))]
    venue.cancel("c1", "o1", ms=30)
    assert venue.words(35, 102, 39)[-1] == ("9", "0", "8")
    venue.restart()
    assert len(venue.said["DESK"]) == 2


def test_words_are_held_back_and_keep_their_order_where_it_is_asked_for(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.SLOW, slow_ns=200_000_000))
    assert venue.said == {}
    assert venue.speech.wait_s() == 0.2
    venue.clock_s = 0.3
    venue.speech.release()
    assert [kind for (kind,) in venue.words(150)] == ["0", *("F" for _ in venue.said["DESK"][1:])]
    assert venue.speech.wait_s() is None


def test_words_overtake_each_other_where_that_is_asked_for(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.SLOW, slow_in_order=False))
    venue.clock_s = 1.0
    venue.speech.release()
    by_time = [each[14] for each in venue.said["DESK"]]
    assert sorted(by_time) != by_time


def test_held_words_are_said_at_once_by_the_next_process(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.SLOW))
    assert venue.said == {}
    venue.restart()
    assert [kind for (kind,) in venue.words(150)][:2] == ["0", "F"]
    assert venue.journal.rows("SELECT count(*) FROM words WHERE said = 0") == [(0,)]


def test_a_fill_is_busted_once_the_order_is_over(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.BUST))
    first = next(each for each in venue.said["DESK"] if each[150] == "F")
    venue.quote(61)
    assert venue.said["DESK"][-1][150] == "F"
    venue.quote(62)
    bust = venue.said["DESK"][-1]
    assert [bust[tag] for tag in (150, 39, 19, 32, 31, 14, 151, 60)] == [
        "H", "4", first[17], first[32], first[31], "3", "0", at(61)
    ]  # fmt: skip
    assert venue.said["RISK"][-1] == bust | {797: "Y"}
    venue.hear("H", _11="o1", _55="AUSDT", _54="1")
    assert venue.words(14, 39)[-1] == ("3", "4")


def test_an_order_that_came_after_its_market_has_its_fill_busted_at_once(tmp_path: Path) -> None:
    venue = FixFloor(tmp_path, always(Fault.BUST))
    for ms in (0, 500):
        venue.quote(ms, size=5)
    venue.order("o1", 2, ms=10)
    assert [kind for (kind,) in venue.words(150)] == ["0", "F", "H"]


def test_a_fill_is_corrected_by_a_tick_to_the_worse(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.CORRECT))
    last = venue.said["DESK"][-1]
    venue.quote(100)
    told = venue.said["DESK"][-1]
    assert [told[tag] for tag in (150, 39, 19, 32, 14, 151)] == ["G", "2", last[17], last[32], last[14], "0"]
    assert float(told[31]) == pytest.approx(float(last[31]) + 0.01)
    assert float(told[6]) > float(last[6])


@pytest.mark.parametrize("fault", [Fault.BUST, Fault.CORRECT, Fault.DUPLICATE_FILL, Fault.FILL_FIRST, Fault.SLOW])
def test_a_desk_that_reads_fix_comes_to_the_venues_own_count(tmp_path: Path, fault: Fault) -> None:
    venue = filled(tmp_path, always(fault))
    venue.quote(100)
    venue.clock_s = 1.0
    venue.speech.release()
    orders = FixOrders()
    for each in venue.said["DESK"]:
        word = word_of(each)
        assert word is not None
        orders.hear(word)
    (order,) = orders.orders()
    (cumulative,) = venue.journal.rows("SELECT cumulative FROM orders")[0]
    assert float(order.cum_qty) == cumulative * 0.5
    assert order.ord_status in (OrdStatus.FILLED, OrdStatus.CANCELED)


def test_amendments_are_told_by_the_next_process_once(tmp_path: Path) -> None:
    venue = filled(tmp_path, always(Fault.BUST))
    venue.restart()
    venue.quote(100)
    venue.restart()
    venue.quote(200)
    assert [kind for (kind,) in venue.words(150)].count("H") == 1


def story(venue: FixFloor) -> None:
    """Orders, requests and a market over a while."""
    for step in range(12):
        ms = 10 * step
        venue.quote(ms, 100.0 + step % 3 / 100, 100.02 + step % 3 / 100, size=2)
        venue.order(f"m{step}", 1 + step % 4, ms=ms + 2)
        venue.limit(f"l{step}", 100.0, 2, ms=ms + 3)
        if step % 3 == 1:
            venue.replace(f"r{step}", f"l{step}", 3, 100.01, ms=ms + 5)
            venue.cancel(f"c{step}", f"l{step - 1}", ms=ms + 6)
    venue.quote(200)
    venue.end_of_day(300)


def book(venue: FixFloor) -> list[tuple[object, ...]]:
    query = "SELECT client_order_id, kind, exec_id, last_quantity, last_price, time_ns, fields FROM words"
    return sorted(venue.journal.rows(query))


@pytest.mark.parametrize("seed", range(25))
def test_a_venue_that_is_killed_loses_and_invents_nothing(tmp_path: Path, seed: int) -> None:
    calm = FixFloor(tmp_path / "calm")
    story(calm)
    words = len(calm.said["DESK"])
    assert words > 40
    venue = FixFloor(tmp_path / "killed")
    venue.kills = set(Random(seed).sample(range(1, words), 4))
    story(venue)
    assert book(venue) == book(calm)
    assert {str(each) for each in venue.said["DESK"]} == {str(each) for each in calm.said["DESK"]}
    assert set(venue.record.orders_received().values()) == {1}
    assert venue.journal.rows("SELECT count(*) FROM words WHERE said = 0") == [(0,)]


def test_a_venue_that_was_killed_cancels_for_those_who_wished_so(tmp_path: Path) -> None:
    venue = FixFloor(tmp_path)
    venue.quote(0)
    venue.come(cancels=True)
    venue.limit("o1", 99.0, ms=1)
    venue.quote(5)
    venue.restart()
    venue.quote(9)
    assert venue.words(150, 41) == [("0", ""), ("4", "")]
