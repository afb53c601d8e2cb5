"""Checks of hours, of trading, of credit, of risk, of messages: what just passes, what is refused, in which words."""

from datetime import time
from typing import Any

import pytest

from pipelines.domain.session_times import SessionTimes
from pipelines.domain.universe import Instrument
from tests.support.accounts import MS, NAMES, T0, command, filled
from tests.support.clocked import EXIT, LONG, SHORT, Clocked, clocked, moves, new, words

# A-B is 10 and -7 lots at 100. T0 is 22:13:20 UTC.
TECH: dict[str, Any] = {"instruments": tuple(Instrument(n, "sim", n, 0.01, 1.0, sector="tech") for n in NAMES)}
DAY = 24 * 3_600_000


def says(at: Clocked, pair: str = "A-B") -> str:
    """The refusal of an entry, or an empty string."""
    return "".join(words(at.sign(pair, LONG)))


@pytest.mark.parametrize(
    ("times", "refused"),
    [
        (SessionTimes("UTC", time(22, 13, 20)), ""),
        (SessionTimes("UTC", time(22, 13, 21)), "entries from 22:13:21 until midnight"),
        (SessionTimes("UTC", None, time(22, 13, 21)), ""),
        (SessionTimes("UTC", None, time(22, 13, 20)), "entries from midnight until 22:13:20"),
        (SessionTimes("UTC", None, None, time(22, 13, 21)), ""),
        (SessionTimes("UTC", None, None, time(22, 13, 20)), "entries from midnight until 22:13:20"),
    ],
)
def test_session(times: SessionTimes, refused: str) -> None:
    assert says(clocked(of={"times": times})) == (refused and f"session: 22:13:20 UTC, {refused}")


def test_exits_go_outside_of_the_session() -> None:
    at = clocked(of={"times": SessionTimes("UTC", None, time(22, 14))}).hold("A-B")
    at.at(60_000)
    assert len(new(at.sign("A-B", EXIT))) == 2


@pytest.mark.parametrize(("bits", "word"), [(1, "halted"), (2, "closed"), (3, "halted and closed")])
def test_not_trading(bits: int, word: str) -> None:
    at = clocked()
    at.give(*at.marks((0, bits, 0, 0)))
    assert says(at) == f"not_trading: B is {word}"
    assert says(at, "A-C") == ""


def test_what_trades_again_is_entered_again() -> None:
    at = clocked()
    at.give(*at.marks((1, 0, 0, 0)))
    at.give(*at.marks((0, 0, 0, 0)))
    assert says(at) == ""


def test_an_exit_of_what_does_not_trade_is_asked_for() -> None:
    at = clocked().hold("A-B")
    at.give(*at.marks((1, 1, 1, 1)))
    assert len(new(at.sign("A-B", EXIT))) == 2


def test_states_of_what_is_not_traded_are_not_kept() -> None:
    at = clocked()
    at.mids["Z"] = 5.0
    at.give(*at.marks((0, 0, 0, 0, 1)))
    assert at.state.marks[0].state == {}


def test_fat_finger() -> None:
    at = clocked(fat_finger=0.001)  # 10,000 a day: 10 lots
    at.measure()
    assert says(at, "A-C") == "fat_finger: C 12 lots are 0.12% of a day's, limit 0.10%"
    assert says(at) == ""


def test_fat_finger_asks_nothing_where_the_volume_is_not_known() -> None:
    assert says(clocked(fat_finger=1e-9)) == ""


def test_sector_notional() -> None:
    assert says(clocked(of=TECH, sector_notional=1_700.0)) == ""
    assert says(clocked(of=TECH, sector_notional=1_699.0)) == (
        "sector_notional: tech would be 1700.00 long and short, limit 1699.00"
    )


def test_a_sector_counts_all_its_pairs_and_what_works() -> None:
    at = clocked(of=TECH, sector_notional=3_000.0)
    at.sign("A-B", LONG)
    assert says(at, "D-B") == "sector_notional: tech would be 3200.00 long and short, limit 3000.00"


def test_what_is_of_no_sector_is_not_limited() -> None:
    assert says(clocked(sector_notional=1.0)) == ""


def test_credit() -> None:
    assert says(clocked(credit=1_700.0)) == ""
    assert says(clocked(credit=1_699.0)) == "credit: 1700.00 traded today or working, limit 1699.00"


def test_credit_counts_what_was_traded_and_closed_again() -> None:
    at = clocked(credit=5_000.0).hold("A-B")
    at.fill(at.sign("A-B", EXIT))
    assert says(at) == "credit: 5100.00 traded today or working, limit 5000.00"


def test_credit_begins_anew_with_the_utc_day() -> None:
    #  22:13:20 .. 24:00:00 is 6,400 s
    at = clocked(credit=3_000.0).hold("A-B")
    at.at(6_399_999)
    assert says(at, "D-B") == "credit: 3200.00 traded today or working, limit 3000.00"
    at.at(6_400_000)
    assert says(at, "D-B") == ""


def test_credit_that_is_given_in_the_middle_of_a_day_counts_from_its_beginning() -> None:
    at = clocked().hold("A-B")
    at.give(command("limit", "l1", "credit=3000"))
    assert says(at, "D-B") == "credit: 3200.00 traded today or working, limit 3000.00"


@pytest.mark.parametrize("limit", ["es", "var"])
def test_risk_that_was_never_measured_lets_nothing_in(limit: str) -> None:
    assert says(clocked(**{limit: 100.0})) == f"{limit}: it has not been measured yet, limit 100.00"


@pytest.mark.parametrize("limit", ["es", "var"])
def test_risk_that_was_measured_too_long_ago_lets_nothing_in(limit: str) -> None:
    at = clocked(stale_risk_ms=5_000, **{limit: 100.0})
    at.measure()
    at.at(5_001)
    assert says(at) == f"{limit}: measured 5001 ms ago, limit 5000 ms"
    at.now_ms = 5_000
    assert says(at) == ""


def test_es_counts_each_new_lot() -> None:
    at = clocked(es=100.0)
    at.measure(66.0)  # and 17 lots of 2
    assert says(at) == ""
    at = clocked(es=100.0)
    at.measure(66.5)
    assert says(at) == "es: 100.50, limit 100.00 (measured 66.50, since, working and new 34.00)"


def test_es_counts_what_works_and_what_filled_since() -> None:
    at = clocked(es=100.0)
    at.measure(10.0)
    a, _ = at.sign("A-B", LONG)
    at.give(filled(a))  # 20 filled since, 14 work, 44 new
    assert says(at, "A-C") == ""
    assert says(at, "D-B") == "es: 118.00, limit 100.00 (measured 10.00, since, working and new 108.00)"


def test_es_forgets_fills_that_a_measure_knows() -> None:
    at = clocked(es=100.0)
    at.measure(10.0)
    at.hold("A-B")
    at.now_ms = 1
    at.measure(20.0, sequence=1)  # knows of the position told first
    assert says(at, "A-C") == ""
    assert at.state.unmeasured == ()


def test_es_of_an_instrument_that_was_not_measured_lets_nothing_in() -> None:
    at = clocked(es=100.0)
    at.measure()
    each = dict(list(at.state.measured.es_per_lot.items())[:1])
    known = type(at.state.measured)(as_of_ns=T0, es_per_lot=each)
    at.state = type(at.state)(at.config, marks=at.state.marks, measured=known)
    assert says(at) == "es: that of B has not been measured, limit 100.00"


def test_an_older_risk_update_changes_nothing() -> None:
    at = clocked(es=100.0)
    at.now_ms = 10
    at.measure(50.0)
    at.now_ms = 5
    at.measure(1.0)
    assert at.state.measured.es == 50.0


def test_var_is_held_as_it_was_measured() -> None:
    at = clocked(var=100.0)
    at.measure(0.0, 100.0)
    entry = at.sign("A-B", LONG)
    assert "var: measured 100.00, limit 100.00" in entry[0].checks


def test_message_rate_refuses_an_entry() -> None:
    at = clocked(messages_per_second=3)
    at.sign("A-B", LONG)
    at.now_ms = 999
    assert says(at, "A-C") == "message_rate: 4 messages in a second, limit 3"
    at.now_ms = 1_000
    assert says(at, "A-C") == ""


def test_message_rate_counts_cancels() -> None:
    at = clocked(messages_per_second=5)
    at.sign("A-B", LONG)
    at.say("kill", "pair:A-B")
    assert says(at, "A-C") == "message_rate: 6 messages in a second, limit 5"


def test_message_rate_puts_an_exit_off_and_later_marks_send_it() -> None:
    #  ms   0 A-B entered, filled, exit put off   500 still   1000 sent
    at = clocked(messages_per_second=3).hold("A-B")
    assert at.sign("A-B", EXIT) == ()
    assert at.at(500) == ()
    outputs = at.at(1_000)
    assert moves(outputs) == [("A-B", "A", -10), ("A-B", "B", 7)]
    assert {each.strategy for each in outputs} == {"test"}
    at.fill(outputs)
    assert not at.state.pairs
    assert [leg.lots for leg in at.state.books["test"]["A-B"].legs] == [0, 0]


def test_an_exit_that_waits_goes_when_the_limit_is_lifted() -> None:
    at = clocked(messages_per_second=3).hold("A-B")
    at.sign("A-B", EXIT)
    at.give(command("limit", "l1", "messages_per_second=none"))
    assert len(new(at.at(1))) == 2


def test_an_exit_goes_even_where_the_limit_is_less_than_its_legs() -> None:
    at = clocked().hold("A-B")
    at.give(command("limit", "l1", "messages_per_second=1"))
    at.at(1_000)
    assert len(new(at.sign("A-B", EXIT))) == 2


def test_an_entry_is_refused_while_an_exit_of_its_pair_waits() -> None:
    at = clocked(messages_per_second=3).hold("A-B")
    at.sign("A-B", EXIT)
    assert says(at) == "pair_not_flat: A-B is long: filled 10/-7 lots, limit 0"


def test_several_exits_wait_and_go_as_the_rate_lets_them() -> None:
    at = clocked(messages_per_second=4).hold("A-B", "A-C")
    assert at.sign("A-B", EXIT) == at.sign("A-C", EXIT) == ()
    assert len(new(at.at(1_000))) == 4
    ids = [each.client_order_id for each in at.outputs]
    assert len(set(ids)) == len(ids)


def test_exits_that_wait_while_the_account_is_killed_are_refused_each_with_an_id_of_its_own() -> None:
    at = clocked(messages_per_second=4).hold("A-B", "A-C")
    at.sign("A-B", EXIT)
    at.sign("A-C", EXIT)
    at.say("kill")
    outputs = at.at(1_000)
    assert [each.pair for each in outputs] == ["A-B", "A-C"]
    assert len({each.client_order_id for each in outputs}) == 2


def test_drawdown_refuses_an_entry_until_stages_begin() -> None:
    #  +100 at 110; at 104 the rest is 60 below
    at = clocked(drawdown=50.0).hold("A-B")
    at.at(100, A=110.0)
    at.at(150, A=104.0)  # limits are watched every 100 ms, an entry is checked at once
    assert says(at, "D-B") == "drawdown: 60.00 below the most that was made, limit 50.00"


def test_a_drawdown_at_its_limit_passes() -> None:
    at = clocked(drawdown=60.0).hold("A-B")
    at.at(100, A=110.0)
    at.at(150, A=104.0)
    assert says(at, "D-B") == ""


def test_an_entry_tells_each_check_that_it_passed_with_value_and_limit() -> None:
    at = clocked(
        of=TECH | {"times": SessionTimes("UTC", time(9, 0), time(23, 0))},
        restricted=("C",),
        collar=0.02,
        order_lots=10,
        order_notional=1_000.0,
        fat_finger=0.01,
        short_lots={"B": 7},
        pair_notional=2_000.0,
        sector_notional=2_000.0,
        gross_notional=2_000.0,
        net_notional=2_000.0,
        credit=2_000.0,
        es=100.0,
        var=100.0,
        stale_risk_ms=1_000,
        no_self_match=True,
        orders_per_second=5,
        messages_per_second=5,
        entries_per_minute=1,
        daily_loss=50.0,
        drawdown=50.0,
    )
    at.measure(1.0, 1.0)
    a, b = at.sign("A-B", LONG)
    assert (
        a.checks
        == b.checks
        == (
            "session: 22:13:20 UTC, entries from 09:00:00 until 23:00:00",
            "pair_not_flat: A-B is flat, limit 0",
            "zero_quantity: A-B sized 10/7 lots, limit 1 a leg and 2147483648 at most (mid_a 100, beta 0.7)",
            "restricted: A-B: no leg is on the list of 1",
            "stale_marks: A was marked 0.000 ms ago, limit 1000000000 ms",
            "price_collar: A at 100 is 0.00% off its mark 100, limit 2.00%",
            "stale_marks: B was marked 0.000 ms ago, limit 1000000000 ms",
            "price_collar: B at 100 is 0.00% off its mark 100, limit 2.00%",
            "order_lots: A 10 lots, limit 10",
            "order_notional: A 10 lots at 100 are 1000.00, limit 1000.00",
            "fat_finger: A 10 lots are 0.10% of a day's, limit 1.00%",
            "order_lots: B 7 lots, limit 10",
            "order_notional: B 7 lots at 100 are 700.00, limit 1000.00",
            "fat_finger: B 7 lots are 0.07% of a day's, limit 1.00%",
            "position_limit: A would be 10 lots long, limit 1000 (filled 0, working or unknown 0, new 10)",
            "position_limit: B would be 7 lots short, limit 1000 (filled 0, working or unknown 0, new 7)",
            "short_sale: B would be 7 lots short, located 7 (filled 0, working or unknown 0, new 7)",
            "pair_notional: A-B would be 1700.00, limit 2000.00",
            "sector_notional: tech would be 1700.00 long and short, limit 2000.00",
            "gross_notional: 1700.00 long and short, limit 2000.00 (filled, working or unknown 0.00, new 1700.00)",
            "net_notional: 1000.00 long, limit 2000.00",
            "credit: 1700.00 traded today or working, limit 2000.00",
            "es: measured 0 ms ago, limit 1000 ms",
            "es: 35.00, limit 100.00 (measured 1.00, since, working and new 34.00)",
            "var: measured 0 ms ago, limit 1000 ms",
            "var: measured 1.00, limit 100.00",
            "self_match: A-B: no order of ours works against it, limit 0",
            "order_rate: 2 orders in a second, limit 5",
            "message_rate: 2 messages in a second, limit 5",
            "entry_rate: A-B entered 1 times in a minute, limit 1",
            "daily_loss: 0.00 lost since the day began, limit 50.00",
            "drawdown: 0.00 below the most that was made, limit 50.00",
        )
    )


def test_an_exit_tells_no_checks() -> None:
    at = clocked(order_lots=100).hold("A-B")
    assert [each.checks for each in at.sign("A-B", EXIT)] == [(), ()]


def test_a_refusal_tells_the_first_check_that_says_no() -> None:
    at = clocked(order_lots=1, credit=1.0)
    assert words(at.sign("A-B", SHORT)) == ["order_lots: A 10 lots, limit 1"]


def test_marks_as_old_as_a_millisecond_are_told_so() -> None:
    at = clocked()
    at.now_ms = 1
    entry = at.sign("A-B", LONG)
    assert entry[0].event_time_ns == T0 + MS
    assert "stale_marks: A was marked 1.000 ms ago, limit 1000000000 ms" in entry[0].checks
