"""Recorded captures: what is replayed, in which order, and what a broken file says. Real recordings hold the parser."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from pipelines.domain.market import Flag, Kind, Ticks
from pipelines.domain.normalise import Listing, Reject, heartbeat, normalise
from pipelines.domain.sequencing import new_session
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, Sizing, Strategy, Venue
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.recorded import CaptureError, RecordedSource, read_capture, stream_of
from pipelines.feeds.source import Source
from tests.support.binance_frames import RECEIVE_NS, quote, trade

SKEW_NS = 1_270_000_000
RECORDINGS = Path(__file__).parents[3] / "shared/data/ws_binance"
DEPTH = b'{"stream":"btcusdt@depth@100ms","data":{}}'


def capture(path: Path, *lines: tuple[int, bytes]) -> Path:
    with gzip.open(path, "wb") as file:
        file.writelines(b"%d %s\n" % (RECEIVE_NS + after, frame) for after, frame in lines)
    return path


def source(*paths: Path, merged: bool = True) -> RecordedSource:
    return RecordedSource("binance", tuple(read_capture(path) for path in paths), Binance, SKEW_NS, merged=merged)


def frames(found: Source) -> list[tuple[str, bytes]]:
    return [(batch.record.session, frame) for batch in found.batches({}, 0) for frame in batch.record.frames]


def test_only_the_streams_asked_for_are_replayed_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.jsonl.gz", (0, quote()), (1, DEPTH), (2, b'{"lastUpdateId":1}'), (3, trade()))
    found = read_capture(path)
    assert (found.frames, found.symbols, found.skipped) == (2, ("BTCUSDT",), {"depth": 1, "no stream": 1})
    assert frames(source(path)) == [("a", quote()), ("a", trade())]


def test_several_files_are_one_session_by_receive_time_or_a_session_each(tmp_path: Path) -> None:
    first = capture(tmp_path / "a.jsonl.gz", (0, quote(u=1)), (9, quote(u=2)))
    second = capture(tmp_path / "b.jsonl.gz", (5, quote("ETHUSDT", u=1)))
    assert frames(source(first, second)) == [("a+b", quote(u=1)), ("a+b", quote("ETHUSDT", u=1)), ("a+b", quote(u=2))]
    assert source(first, second).sessions == {"a+b": ("BTCUSDT", "ETHUSDT")}
    assert source(first, second, merged=False).sessions == {"a": ("BTCUSDT",), "b": ("ETHUSDT",)}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b"123 {}\n"), "a.jsonl.gz:1: b'123 {}"),
        (gzip.compress(b"%d {}\n%d {}\n" % (RECEIVE_NS, RECEIVE_NS - 1)), "a.jsonl.gz:2: received at"),
        (gzip.compress(b"%d %s\n" % (RECEIVE_NS, DEPTH)), "no frames of bookTicker, trade: it has depth \\(1\\)"),
        (gzip.compress(b"%d %s\n" % (RECEIVE_NS, quote()))[:-12], "a.jsonl.gz: after line [01]: "),
        (b"plain text", "a.jsonl.gz:1: b'plain text': expected a receive time in ns and a frame"),
    ],
)
def test_a_file_that_is_no_capture_says_which_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=told):
        read_capture(path)


def test_a_stream_is_named_by_symbol_and_kind() -> None:
    assert stream_of(DEPTH) == ("BTCUSDT", "depth")
    assert stream_of(b'{"e":"trade"}') == ("", "no stream")


def replayed(found: RecordedSource) -> tuple[Ticks, list[Reject], int]:
    symbols = next(iter(found.sessions.values()))
    strategy = Strategy(
        "t", "a", 1, (Venue("binance", "binance", SKEW_NS),),
        tuple(Instrument(symbol, "binance", symbol, 0.01, 0.001) for symbol in symbols),
        (Pair("p", symbols[0], symbols[-1], 1.0, 0),), Moments(), (), Sizing(1e5), Limits(1, 1000),
    )  # fmt: skip
    listing = Listing.of(strategy, "binance")
    decoder = Binance(listing.index)
    state, ticks, rejects, count = new_session(len(symbols)), [], list[Reject](), 0
    for batch in found.batches({}, 0):
        record = batch.record
        count += len(record.frames)
        if record.frames:
            made = normalise(state, listing, decoder, record.first_sequence, record.receive_ns, record.frames)
        else:
            made = heartbeat(state, record.clock_ns, record.end)
        state = made.state
        ticks.append(made.ticks)
        rejects.extend(made.rejects)
    return np.concatenate(ticks), rejects, count


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"{RECORDINGS} is not on this machine")
@pytest.mark.parametrize(
    ("market", "quotes", "trades"),
    [("spot", 28040 + 24077, 9757 + 6106), ("usdm", 66089 + 53992, 21313 + 14076)],
)
def test_every_recorded_quote_and_trade_is_a_tick_and_none_is_rejected(market: str, quotes: int, trades: int) -> None:
    ticks, rejects, count = replayed(source(*sorted(RECORDINGS.glob(f"{market}_*.jsonl.gz"))))
    assert rejects == []
    assert ((ticks["kind"] == Kind.QUOTE).sum(), (ticks["kind"] == Kind.TRADE).sum()) == (quotes, trades)
    assert count == quotes + trades
    assert (np.diff(ticks["sequence"]) == 1).all()
    # Streams of a venue are written by different machines of it, up to 36 ms apart: late, but used.
    assert 0 < ((ticks["flags"] & Flag.LATE) != 0).mean() < 0.25
