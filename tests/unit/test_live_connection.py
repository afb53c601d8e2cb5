"""A venue live, on a server of loopback: what comes is written as it came, and what goes wrong is got over."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tenacity import wait_fixed

from pipelines.contracts.frames import RawFrames
from pipelines.feeds.files.captures import read_frames
from pipelines.feeds.handler import handle
from pipelines.feeds.live.reader import LiveConfig
from pipelines.feeds.live.source import LiveSource
from pipelines.feeds.live.venues import VENUES, Addresses, Fetch, Send
from tests.support.binance_frames import quote
from tests.support.live_server import LiveServer, live_server

USDM = VENUES["binance-usdm"]
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@dataclass
class Written:
    """What a handler wrote, as a log keeps it; and the handler's thread."""

    source: LiveSource
    records: list[RawFrames] = field(default_factory=list)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=handle, args=(self.source, self, {}))
        self.thread.start()

    def stop(self) -> None:
        self.source.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def write(self, record: RawFrames) -> None:
        self.records.append(record)

    def flush(self) -> None:
        pass

    @property
    def frames(self) -> list[bytes]:
        return [frame for record in self.records for frame in record.frames]

    @property
    def sessions(self) -> list[str]:
        return list(dict.fromkeys(record.session for record in self.records))

    def wait(self, until: Callable[["Written"], bool], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not until(self):
            assert time.monotonic() < end, self.records[-3:]
            time.sleep(0.01)


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server() as started:
        yield started


Start = Callable[..., Written]


@pytest.fixture
def start(server: LiveServer) -> Iterator[Start]:
    """Begins to read the server as Binance; stops at the test's end."""
    running: list[Written] = []

    def started(**more: object) -> Written:
        config = LiveConfig(
            "binance-usdm",
            USDM,
            ("BTCUSDT", "ETHUSDT"),
            Addresses(server.stream, server.http),
            backoff=wait_fixed(0.02),
        )
        written = Written(LiveSource(replace(config, **more)))  # type: ignore[arg-type]
        running.append(written)
        return written

    yield started
    for written in running:
        written.stop()


def test_frames_are_written_as_they_came_in_a_session_that_says_hello(server: LiveServer, start: Start) -> None:
    sent = [quote(u=n) for n in range(50)]
    server.on_connect = sent
    written = start()
    written.wait(lambda w: len(w.frames) == 50)
    hello = written.records[0]
    assert (hello.symbols, hello.frames, hello.first_sequence) == (("BTCUSDT", "ETHUSDT"), [], 0)
    assert written.frames == sent
    counted = [record for record in written.records if record.frames]
    assert [record.first_sequence for record in counted] == [
        sum(len(before.frames) for before in counted[:place]) for place in range(len(counted))
    ]
    assert server.paths[0].startswith("/stream?streams=btcusdt@bookTicker/btcusdt@trade/")


def test_while_nothing_comes_the_venues_clock_is_told_and_stays_behind_it(server: LiveServer, start: Start) -> None:
    server.on_connect = [quote(u=1, E=1_700_000_000_000)]
    written = start()
    written.wait(lambda w: sum(not record.frames and record.clock_ns > 0 for record in w.records) > 5)
    clocks = [record.clock_ns for record in written.records if record.clock_ns]
    assert clocks == sorted(clocks)
    assert clocks[0] < 1_700_000_000_000 * 1_000_000 + 50_000_000
    assert {record.first_sequence for record in written.records if record.clock_ns} == {1}


def test_a_connection_that_is_cut_is_made_again_as_a_session_of_its_own(server: LiveServer, start: Start) -> None:
    server.on_connect = [quote(u=1)]
    written = start()
    for count in (1, 2, 3):
        written.wait(lambda w, count=count: len(w.frames) == count)  # type: ignore[misc]
        server.drop()
    written.wait(lambda w: len(w.frames) == 4)
    assert len(written.sessions) == 4
    assert written.source.health.drops == 3
    assert all(record.first_sequence == 0 for record in written.records if record.frames)


def test_a_venue_that_is_away_is_tried_until_it_is_back(server: LiveServer, start: Start) -> None:
    server.on_connect = [quote(u=1)]
    written = start()
    written.wait(lambda w: len(w.frames) == 1)
    server.stop()
    written.wait(lambda w: w.source.health.drops >= 4)
    assert not written.source.health.connected
    server.start()
    written.wait(lambda w: len(w.frames) == 2)
    assert written.source.health.connected


def test_a_connection_on_which_nothing_comes_is_dead(server: LiveServer, start: Start) -> None:
    written = start(silent_s=0.1)
    written.wait(lambda w: w.source.health.drops >= 2)
    assert written.source.health.last_drop == "no frame for 0.1 s"


def test_a_symbol_that_is_not_heard_is_told_as_quiet(server: LiveServer, start: Start) -> None:
    written = start(quiet_s=0.2)

    def heard(w: Written) -> bool:
        server.send(quote(u=len(w.frames)))
        return w.source.health.quiet == ("ETHUSDT",)

    written.wait(heard)


def test_garbage_is_written_and_counted_and_stops_nothing(server: LiveServer, start: Start) -> None:
    server.on_connect = [quote(u=1), b"{garbage", b"", b"\x00", quote(u=2)]
    written = start()
    written.wait(lambda w: len(w.frames) == 5)
    assert written.frames == server.on_connect
    assert written.source.health.undecodable == 3
    assert written.source.health.drops == 0


def test_what_is_recorded_is_what_came(server: LiveServer, start: Start, tmp_path: Path) -> None:
    server.on_connect = [quote(u=1), b'{"e":\n"two lines"}', b"@odd", quote(u=2)]
    written = start(record_in=tmp_path)
    written.wait(lambda w: len(w.frames) == 4)
    written.stop()
    (session,) = written.sessions
    (file,) = tmp_path.iterdir()
    assert file.name == f"{session}.jsonl.gz"
    stamps = [stamp for record in written.records for stamp in record.receive_ns]
    found = [(line.receive_ns, line.frame) for line in read_frames(file)]
    assert found == list(zip(stamps, server.on_connect, strict=True))


@pytest.mark.parametrize("name", list(VENUES))
def test_every_venue_says_how_it_is_asked_and_how_a_book_is_got_back(name: str) -> None:
    venue = VENUES[name]
    said = venue.path(["AB"]) + "".join(send.text for send in venue.subscribe(["AB"]))
    assert "ab" in said.lower()
    steps = venue.recover("AB")
    assert steps
    for step in steps:
        match step:
            case Send(text):
                assert '"AB"' in text
            case Fetch(path):
                assert "symbol=AB" in path
                assert step.frame(b'{"lastUpdateId":1}\n') == b'{"stream":"ab@snapshot","data":{"lastUpdateId":1}}'
