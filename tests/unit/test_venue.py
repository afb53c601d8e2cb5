"""The simulated venue's words: what it takes, what it refuses, and that it tells the same after a kill."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pipelines.domain.matching import MatchConfig, Quote, match_time_ns
from pipelines.domain.trading import OrderRequest
from pipelines.execution.protocol import (
    MAX_LINE_BYTES,
    BadMessage,
    CancelOrder,
    Execution,
    FromGateway,
    FromVenue,
    Heartbeat,
    Lines,
    Logon,
    LogonAccepted,
    NewOrder,
    NotKnownHere,
    Reject,
    StatusRequest,
    encode,
    read_from_venue,
)
from pipelines.execution.venue import Venue
from pipelines.execution.venue_journal import Journal, JournalTaken
from tests.unit.gateway_world import QUOTE, STRATEGY, order

CONFIG = MatchConfig()
LOGON = Logon("s1", 5)


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return open_venue(tmp_path)


def open_venue(folder: Path) -> Venue:
    return Venue("sim", "s1", STRATEGY, CONFIG, Journal(folder / "sim.sqlite3"))


def say(venue: Venue, *messages: FromGateway, connection: int = 0) -> list[FromVenue]:
    return venue.receive(connection, [encode(message).strip() for message in messages])


def statuses(answers: list[FromVenue]) -> list[str]:
    return [each.report.status.value if isinstance(each, Execution) else type(each).__name__ for each in answers]


def settle(venue: Venue, quote: Quote | None = QUOTE) -> list[Execution]:
    return [word for waiting in venue.due(0, 10**18) for word in venue.matched(waiting, quote)]


def test_a_gateway_that_logs_on_may_order(venue: Venue) -> None:
    assert say(venue, LOGON) == [LogonAccepted("sim")]
    assert statuses(say(venue, NewOrder(order(1)))) == ["new"]
    assert [word.report.status for word in settle(venue)] == ["partially_filled", "filled"]


def test_nothing_is_taken_before_a_logon(venue: Venue) -> None:
    (answer,) = say(venue, NewOrder(order(1)))
    assert isinstance(answer, Reject)
    assert answer.final
    assert venue.journal.orders_received() == {}


def test_a_newer_logon_ends_the_older_session(venue: Venue) -> None:
    say(venue, LOGON, connection=0)
    say(venue, LOGON, connection=1)
    assert statuses(say(venue, NewOrder(order(1)), connection=0)) == ["Reject"]
    assert statuses(say(venue, NewOrder(order(1)), connection=1)) == ["new"]
    assert venue.journal.orders_received() == {"new-1": 1}


def test_an_older_gateway_is_refused_also_after_a_restart(venue: Venue, tmp_path: Path) -> None:
    say(venue, LOGON)
    venue.journal.close()
    venue = open_venue(tmp_path)
    (answer,) = say(venue, Logon("s1", 4))
    assert answer == Reject("epoch 4: a gateway of epoch 5 has taken over", final=True)
    assert say(venue, Logon("s1", 5)) == [LogonAccepted("sim")]


def test_a_gateway_of_another_trading_session_is_refused(venue: Venue) -> None:
    assert say(venue, Logon("s0", 9)) == [Reject("this venue serves trading session s1, not s0", final=True)]


def test_a_repeated_order_is_answered_with_its_status_and_counted(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    words = settle(venue)
    again = say(venue, NewOrder(replace(order(1), quantity=99)))
    assert statuses(again) == ["new", "partially_filled", "filled"]
    assert again[1:] == words
    assert settle(venue) == []
    assert venue.journal.orders_received() == {"new-1": 2}


def test_a_status_request_tells_every_report_or_that_the_order_is_not_known(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    words = settle(venue)
    assert say(venue, StatusRequest("new-1"))[1:] == words
    assert say(venue, StatusRequest("new-2")) == [NotKnownHere("new-2")]


def test_an_order_waits_until_shard_time_has_passed_its_match_time(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    at_ns = match_time_ns(order(1), CONFIG)
    assert venue.due(0, at_ns) == []
    assert [waiting.order for waiting in venue.due(0, at_ns + 1)] == [order(1)]
    assert venue.due(0, at_ns + 1) == []


def cancel(number: int, time_ns: int) -> CancelOrder:
    return CancelOrder(f"new-{number}", f"cancel-{number}", time_ns)


def test_an_order_that_has_not_met_the_book_is_canceled(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)), NewOrder(order(2)))
    early_ns = order(1).event_time_ns - CONFIG.max_latency_ns
    assert statuses(say(venue, cancel(1, early_ns))) == ["new", "canceled"]
    assert {word.report.client_order_id for word in settle(venue)} == {"new-2"}
    assert statuses(say(venue, StatusRequest("new-1"))) == ["new", "canceled"]


def test_a_cancel_in_one_message_with_its_order_finds_it(venue: Venue) -> None:
    early_ns = order(1).event_time_ns - CONFIG.max_latency_ns
    words = say(venue, LOGON, NewOrder(order(1)), cancel(1, early_ns))
    assert statuses(words)[1:] == ["new", "new", "canceled"]
    assert venue.waiting() == 0


def test_a_cancel_that_would_take_effect_after_the_book_is_met_is_too_late(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    assert statuses(say(venue, cancel(1, match_time_ns(order(1), CONFIG)))) == ["new"]
    assert [word.report.status for word in settle(venue)] == ["partially_filled", "filled"]
    assert statuses(say(venue, cancel(1, 0))) == ["new", "partially_filled", "filled"]


def test_a_cancel_of_an_order_that_is_not_known_says_so(venue: Venue) -> None:
    say(venue, LOGON)
    assert say(venue, cancel(7, 0)) == [NotKnownHere("new-7")]


def test_a_killed_venue_goes_on_with_what_it_had_taken(venue: Venue, tmp_path: Path) -> None:
    say(venue, LOGON, NewOrder(order(1)), NewOrder(order(2)))
    first = venue.matched(venue.due(0, 10**18)[0], QUOTE)
    venue.journal.close()
    venue = open_venue(tmp_path)
    say(venue, LOGON)
    assert say(venue, StatusRequest("new-1"))[1:] == first
    assert {word.report.client_order_id for word in settle(venue)} == {"new-2"}


def test_a_bad_order_is_rejected_for_good_and_waits_for_nothing(venue: Venue) -> None:
    (_, word) = say(venue, LOGON, NewOrder(order(1, quantity=0)))
    assert isinstance(word, Execution)
    assert (word.report.status, word.report.text) == ("rejected", "quantity 0 lots: an order needs 1 or more")
    assert venue.waiting() == 0
    assert venue.journal.open_orders() == []


def test_a_journal_serves_one_venue_process_at_a_time(venue: Venue, tmp_path: Path) -> None:
    with pytest.raises(JournalTaken, match=r"already runs, as process \d+, on .*sim\.sqlite3: stop it"):
        open_venue(tmp_path)


def test_open_orders_of_an_instrument_that_is_gone_stop_the_start(venue: Venue, tmp_path: Path) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    venue.journal.close()
    without = replace(STRATEGY, instruments=STRATEGY.instruments[1:], pairs=())
    with pytest.raises(ValueError, match="open order new-1: instrument 'A' is not traded here"):
        Venue("sim", "s1", without, CONFIG, Journal(tmp_path / "sim.sqlite3"))


@pytest.mark.parametrize(
    ("line", "reason", "order_id"),
    [
        (b"hello", "not a message: JSON is malformed", ""),
        (b"\xff\xfe", "not a message", ""),
        (b'{"type":"cancel"}', "Invalid value 'cancel'", ""),
        (b'{"type":"logon","session":"s1","epoch":"x"}', "Expected `int`, got `str` - at `$.epoch`", ""),
        (b'{"type":"heartbeat","more":1}', "unknown field `more`", ""),
        (encode(NewOrder(order(1))).replace(b'"quantity":3', b'"quantity":"many"'), "`$.order.quantity`", "new-1"),
        (encode(NewOrder(order(1))).replace(b'"side":"buy"', b'"side":"hold"'), "`$.order.side`", "new-1"),
    ],
)
def test_a_message_that_cannot_be_read_is_rejected_and_the_session_goes_on(
    venue: Venue, line: bytes, reason: str, order_id: str
) -> None:
    say(venue, LOGON)
    (answer,) = venue.receive(0, [line.strip()])
    assert isinstance(answer, Reject)
    assert reason in answer.reason
    assert (answer.client_order_id, answer.final) == (order_id, False)
    assert say(venue, Heartbeat()) == [Heartbeat()]


def test_bytes_become_lines_however_they_are_cut() -> None:
    data = encode(Heartbeat(), NewOrder(order(1)), Heartbeat())
    for size in (1, 7, 1000):
        lines = Lines()
        found = [line for start in range(0, len(data), size) for line in lines.feed(data[start : start + size])]
        assert found == data.splitlines()


def test_a_line_without_end_is_rejected_once_and_skipped() -> None:
    lines = Lines()
    found = [each for _ in range(5) for each in lines.feed(b"x" * (MAX_LINE_BYTES // 2))]
    found += lines.feed(b"x\n" + encode(Heartbeat()))
    assert [type(each) for each in found] == [BadMessage, bytes]


def test_every_word_of_the_venue_reads_as_it_was_said(venue: Venue) -> None:
    words = say(venue, LOGON, NewOrder(order(1)), StatusRequest("new-2")) + settle(venue)
    assert [read_from_venue(line) for line in encode(*words).splitlines()] == words


def test_orders_survive_the_journal_whole(venue: Venue) -> None:
    say(venue, LOGON, NewOrder(order(1)))
    assert venue.journal.open_orders() == [order(1)]
    assert msgspec.json.decode(msgspec.json.encode(order(1)), type=OrderRequest) == order(1)
