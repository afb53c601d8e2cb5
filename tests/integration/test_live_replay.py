"""Two venues live at once, each a server on loopback that replays a recording and loses, stalls, falls over and sends
garbage: what is missing is found, books come back, and none is wrong once it has.
"""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tenacity import wait_fixed

from pipelines.contracts.frames import RawFrames
from pipelines.domain.market import Kind, Status
from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.handler import handle
from pipelines.feeds.live.reader import LiveConfig
from pipelines.feeds.live.replay_venue import GARBAGE, Mischief, ReplayVenue
from pipelines.feeds.live.replayed_books import DIALECTS
from pipelines.feeds.live.source import LiveSource
from pipelines.feeds.live.venues import VENUES, Addresses, Binance, Kraken
from pipelines.feeds.protocols.catalogue import PROTOCOLS

DATA = Path(__file__).parents[3] / "shared/data"

Line = tuple[int, bytes]

Touch = tuple[float, float, float, float]


def recorded(*names: str) -> list[Line]:
    """The frames of captures but for quotes and trades, by receive time."""
    found: list[Line] = []
    for name in names:
        if not (DATA / name).exists():
            pytest.skip(f"no recording {DATA / name}")
        for piece in open_frames(DATA / name).pieces():
            lines = zip(piece.receive_ns, piece.frames, strict=True)
            found += [line for line in lines if b'@bookTicker"' not in line[1] and b'@trade"' not in line[1]]
    return sorted(found, key=lambda line: line[0])


def touches(protocol: str, symbols: Sequence[str], frames: Sequence[bytes]) -> dict[tuple[str, bytes], Touch]:
    """The best quote of an instrument's book after each frame that changed it, while the book was known."""
    index = {symbol: place for place, symbol in enumerate(symbols)}
    decoder = PROTOCOLS[protocol](index)
    best: dict[int, Touch] = {}
    found: dict[tuple[str, bytes], Touch] = {}
    for frame in frames:
        rows = decoder.decode([frame], [1_700_000_000_000_000_000]).rows
        for row in rows[(rows["kind"] == Kind.QUOTE) | (rows["kind"] == Kind.STATUS)]:
            place = int(row["instrument"])
            if row["kind"] == Kind.QUOTE:
                best[place] = (float(row["bid"]), float(row["bid_size"]), float(row["ask"]), float(row["ask_size"]))
            elif row["code"] == Status.BOOK_LOST:
                best.pop(place, None)
        for place in set(rows["instrument"][rows["kind"] == Kind.LEVEL].tolist()) & best.keys():
            found[symbols[place], frame] = best[place]
    return found


@dataclass
class Written:
    """What a handler wrote, as a log would keep it."""

    records: list[RawFrames] = field(default_factory=list)

    def write(self, record: RawFrames) -> None:
        self.records.append(record)

    def flush(self) -> None:
        """Nothing to wait for."""

    def sessions(self) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for record in self.records:
            found.setdefault(record.session, []).extend(record.frames)
        return found


@contextmanager
def replaying(venue: ReplayVenue) -> Iterator[asyncio.AbstractEventLoop]:
    """The venue's port is open; `run_coroutine_threadsafe` on what is given."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(venue.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


USDM, KRAKEN = VENUES["binance-usdm"], VENUES["kraken"]
assert isinstance(USDM, Binance)
assert isinstance(KRAKEN, Kraken)

LIVE = {
    "binance-usdm": (
        replace(USDM, streams=("depth@0ms",), limits=replace(USDM.limits, fetches_per_second=50, patience_s=0.3)),
        ("BTCUSDT", "ETHUSDT"),
        ("ws_binance/usdm_btcusdt_20240808.jsonl.gz", "ws_binance/usdm_ethusdt_20240808.jsonl.gz"),
        25.0,
    ),
    "kraken": (
        replace(KRAKEN, channels=(), limits=replace(KRAKEN.limits, sends_per_second=100, patience_s=0.3)),
        (
            "WAVES/EUR",
            "XMR/USD",
            "KSM/XBT",
            "GRT/ETH",
            "SC/EUR",
            "ETH/CHF",
            "OCEAN/XBT",
            "OMG/USD",
            "XBT/CHF",
            "ADA/XBT",
        ),
        ("ws_cryptofeed/KRAKEN.ws.50.0.zst",),
        2.5,
    ),
}
"""By venue: how it is spoken to here, symbols, recordings, and how much faster than it was they are replayed."""

MISCHIEF = Mischief(
    5, drop_rate=0.002, garbage_rate=0.002, stall_every_s=3.0, stall_s=0.4, kill_every_s=5.0, down_s=0.5
)


def test_after_whatever_a_venue_does_no_book_is_wrong_and_all_come_back() -> None:
    recordings = {name: recorded(*files) for name, (_, _, files, _) in LIVE.items()}
    # Before a venue plays: kernels that are compiled meanwhile would hold up who listens.
    truths = {
        name: touches(spoken.protocol, symbols, [frame for _, frame in recordings[name]])
        for name, (spoken, symbols, _, _) in LIVE.items()
    }
    with ExitStack() as stack:
        runs = []
        for name, (spoken, symbols, _, speed) in LIVE.items():
            lines = recordings[name]
            venue = ReplayVenue(DIALECTS[name](), lines, speed, mischief=MISCHIEF)
            loop = stack.enter_context(replaying(venue))
            playing = asyncio.run_coroutine_threadsafe(venue.run(), loop)
            while not venue.port:
                time.sleep(0.01)
            at = Addresses(f"ws://127.0.0.1:{venue.port}", f"http://127.0.0.1:{venue.port}")
            config = LiveConfig(name, spoken, symbols, at, silent_s=2.0, backoff=wait_fixed(0.1))
            source, written = LiveSource(config), Written()
            thread = threading.Thread(target=handle, args=(source, written, {}))
            thread.start()
            runs.append((name, symbols, venue, playing, source, written, thread))
        for *_, playing, source, _, thread in runs:
            playing.result(120)
            source.stop.set()
            thread.join(10)
            assert not thread.is_alive()
    lost = back = 0
    for name, symbols, venue, _, source, written, _ in runs:
        truth = truths[name]
        done, health = venue.done, source.health
        assert done.kills >= 1
        assert done.dropped > 10
        garbage = [frame for frames in written.sessions().values() for frame in frames if frame in GARBAGE]
        assert health.undecodable == len(garbage) > 0
        lost += health.gaps
        back += health.recoveries
        assert health.connections >= done.kills
        checked: set[str] = set()
        for frames in written.sessions().values():
            for (symbol, frame), touch in touches(LIVE[name][0].protocol, symbols, frames).items():
                if (symbol, frame) in truth:
                    assert touch == truth[symbol, frame], (name, symbol, frame[:200])
                    checked.add(symbol)
        assert len(checked) >= 0.8 * len(symbols)
    assert lost > 0
    assert back > 0
