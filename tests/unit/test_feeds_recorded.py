"""Recorded captures as a source: what is replayed, in which order, and what becomes of a broken file. Real recordings
hold the parser."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Flag, Kind, Ticks
from pipelines.domain.normalise import Listing, Reject, heartbeat, normalise
from pipelines.domain.sequencing import new_session
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, Sizing, Strategy, Venue
from pipelines.feeds.file_source import FileSource, FileSources
from pipelines.feeds.files.captures import open_files
from pipelines.feeds.files.frame_file import UnknownFormat
from pipelines.feeds.files.streams import STREAMS, left_out, of_streams, stream_of
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.source import Source
from tests.support.binance_frames import RECEIVE_NS, quote, trade

SKEW_NS = 1_270_000_000
RECORDINGS = Path(__file__).parents[3] / "shared/data/ws_binance"
DEPTH = b'{"stream":"btcusdt@depth@100ms","data":{}}'


def capture(path: Path, *lines: tuple[int, bytes]) -> Path:
    with gzip.open(path, "wb") as file:
        file.writelines(b"%d %s\n" % (RECEIVE_NS + after, frame) for after, frame in lines)
    return path


def source(*paths: Path) -> FileSource:
    return FileSource(of_streams(open_files(paths), STREAMS), "binance", SKEW_NS)


def frames(found: Source) -> list[tuple[str, bytes]]:
    return [(batch.record.session, frame) for batch in found.batches({}, 0) for frame in batch.record.frames]


def test_only_the_streams_asked_for_are_replayed_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.jsonl.gz", (0, quote()), (1, DEPTH), (2, b'{"lastUpdateId":1}'), (3, trade()))
    assert left_out(open_files([path]), STREAMS) == {"depth": 1}
    assert frames(source(path)) == [("a", quote()), ("a", b'{"lastUpdateId":1}'), ("a", trade())]


def test_what_names_no_stream_is_replayed_for_the_decoder_to_judge(tmp_path: Path) -> None:
    garbage = (b"{", b"null", b'{"e":"bookTicker"}', b"\xff\xfe\x00")
    path = capture(tmp_path / "a.jsonl.gz", (0, quote()), *((1 + n, frame) for n, frame in enumerate(garbage)))
    _, rejects, count = replayed(source(path))
    assert count == 5
    assert [(reject.frame, reject.reason) for reject in rejects] == [(n, Reason.UNDECODABLE) for n in (1, 2, 3, 4)]


def test_several_files_are_one_session_by_receive_time_or_a_session_each(tmp_path: Path) -> None:
    first = capture(tmp_path / "a.jsonl.gz", (0, quote(u=1)), (9, quote(u=2)))
    second = capture(tmp_path / "b.jsonl.gz", (5, quote("ETHUSDT", u=1)))
    assert frames(source(first, second)) == [("a+b", quote(u=1)), ("a+b", quote("ETHUSDT", u=1)), ("a+b", quote(u=2))]
    assert source(first, second).sessions == {"a+b": ("BTCUSDT", "ETHUSDT")}
    apart = FileSources((source(first), source(second)))
    assert apart.sessions == {"a": ("BTCUSDT",), "b": ("ETHUSDT",)}
    assert apart.expected_frames == 3
    assert sorted(frames(apart)) == [("a", quote(u=1)), ("a", quote(u=2)), ("b", quote("ETHUSDT", u=1))]


def test_a_capture_that_is_cut_off_is_replayed_up_to_there(tmp_path: Path) -> None:
    whole = capture(tmp_path / "a.jsonl.gz", *((n, quote(u=n + 1)) for n in range(5_000)))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole.read_bytes()[:-2_000])
    found = source(path)
    assert "cut.jsonl.gz: line " in found.broken
    assert 0 < found.expected_frames < 5_000
    assert len(frames(found)) == found.expected_frames
    assert left_out(open_files([path]), STREAMS) == {}
    assert source(whole).broken == ""


@pytest.mark.parametrize("content", [b"plain text", gzip.compress(b"123 {}\n", mtime=0), b"\x1f\x8b\x08", b""])
def test_a_file_that_is_no_capture_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat, match=r"a\.jsonl\.gz: begins with"):
        source(path)


def test_a_capture_without_a_stream_asked_for_says_what_it_has(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.jsonl.gz", (0, DEPTH))
    with pytest.raises(UnknownFormat, match=r"no frames of bookTicker, trade: it has depth \(1\)"):
        left_out(open_files([path]), STREAMS)
    with pytest.raises(UnknownFormat, match=r"a.jsonl.gz: there are no frames in it"):
        source(path)


def test_a_stream_is_named_by_its_kind() -> None:
    assert stream_of(DEPTH) == "depth"
    assert stream_of(b'{"e":"trade"}') == ""


def replayed(found: FileSource) -> tuple[Ticks, list[Reject], int]:
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
