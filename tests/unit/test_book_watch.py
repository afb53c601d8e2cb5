"""Books as of an event time: heard once, when the market has passed it, and as they were then."""

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipelines.domain.matching import Quote
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_books import Level, VenueBook
from pipelines.execution.book_watch import BookWatch, book_of
from pipelines.execution.plan import Input, Moved
from pipelines.execution.tick_log import MarketSilent

S = 1_000_000_000
A, B = Instrument("A.Q", "Q", "A", 0.01, 10.0), Instrument("A.N", "N", "A", 0.01, 10.0)


class Tape:
    """A market whose time is moved by hand: at time t it is quoted at t ticks."""

    def __init__(self) -> None:
        self.now_ns = {0: 0, 1: 0}
        self.silent = 0
        self._moved: Callable[[], None] = lambda: None

    def move(self, *times_ns: int) -> None:
        self.now_ns = dict(enumerate(times_ns))
        self._moved()

    def time_ns(self, shard: int) -> int:
        return self.now_ns[shard]

    def quote(self, shard: int, instrument: str, at_ns: int) -> Quote | None:
        if self.silent:
            self.silent -= 1
            raise MarketSilent("gone")
        return Quote(at_ns * 0.01, 45.0, (at_ns + 1) * 0.01, 20.0) if instrument == "A.Q" else None

    def traded(self, shard: int, instrument: str, after_ns: int, until_ns: int) -> float:
        return (until_ns - after_ns) / S if instrument == "A.Q" else 0.0

    def run(self, stopped: threading.Event, moved: Callable[[], None]) -> None:
        self._moved = moved
        stopped.wait()


class Ear:
    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[Input | Exception] = queue.SimpleQueue()

    def next(self) -> Input | Exception:
        return self.heard.get(timeout=5)

    def silent(self) -> bool:
        time.sleep(0.05)
        return self.heard.empty()


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def watch(tape: Tape, ear: Ear) -> Iterator[BookWatch]:
    made = BookWatch(tape, {"A.Q": A, "A.N": B}, {"A.Q": 0, "A.N": 1})
    made.start(ear.heard.put)
    yield made
    made.stop()


def test_books_are_told_when_every_shard_has_passed_the_time_as_they_were_then(
    watch: BookWatch, tape: Tape, ear: Ear
) -> None:
    watch.want(100)
    tape.move(500, 100)
    assert ear.silent()
    tape.move(500, 101)
    book = VenueBook("Q", (Level(100, 4),), (Level(101, 2),))
    assert ear.next() == Moved(100, {"A.Q": book})
    assert ear.silent()


def test_a_time_that_is_not_wanted_any_more_is_not_told(watch: BookWatch, tape: Tape, ear: Ear) -> None:
    watch.want(100)
    watch.want(200)
    tape.move(150, 150)
    assert ear.silent()
    watch.want(None)
    tape.move(300, 300)
    assert ear.silent()


def test_a_market_that_is_silent_is_asked_again(watch: BookWatch, tape: Tape, ear: Ear) -> None:
    tape.silent = 1
    tape.move(300, 300)
    watch.want(100)
    heard = ear.next()
    assert isinstance(heard, Moved)
    assert heard.time_ns == 100


def test_where_a_step_ends_what_was_traded_in_it_is_told_too(tape: Tape, ear: Ear) -> None:
    watch = BookWatch(tape, {"A.Q": A, "A.N": B}, {"A.Q": 0, "A.N": 1}, volumes=True)
    assert (watch.volumes(3 * S), watch.volumes(3 * S + 1)) == ({"A.Q": 1.0, "A.N": 0.0}, {})


def test_a_side_without_price_or_a_whole_lot_is_empty() -> None:
    assert book_of(Quote(0.0, 50.0, 1.01, 9.0), A) == VenueBook("Q")
    assert book_of(Quote(float("nan"), 50.0, float("inf"), 90.0), A) == VenueBook("Q")
