"""Recorded captures: every message of every venue is read, as often as its publisher counted, and books agree with the
best quotes that the venue sent beside them. Copies of them made here hold what a broken file says."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import zstandard

from pipelines.domain.decoding import DecodedRows, Discovered, Fault, Missing
from pipelines.domain.market import Kind
from pipelines.feeds.files.captures import open_file, open_files, recognise
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, UnknownFormat
from pipelines.feeds.files.reading import read_through
from tests.support.binance_frames import RECEIVE_NS, quote, trade

DATA = Path(__file__).parents[3] / "shared/data"
BINANCE, CRYPTOFEED = DATA / "ws_binance", DATA / "ws_cryptofeed"
recorded = pytest.mark.skipif(not CRYPTOFEED.is_dir(), reason=f"{CRYPTOFEED} is not on this machine")

FILES = {
    "BINANCE": ("BINANCE.http.0.0.zst", "BINANCE.ws.1.0.zst"),
    "BINANCE_FUTURES": ("BINANCE_FUTURES.http.0.0.zst", "BINANCE_FUTURES.ws.1.0.zst"),
    "BITSTAMP": ("BITSTAMP.http.0.0.zst", "BITSTAMP.ws.1.0.zst"),
    "COINBASE": ("COINBASE.ws.28.0.zst",),
    "KRAKEN": ("KRAKEN.ws.48.0.zst", "KRAKEN.ws.49.0.zst", "KRAKEN.ws.50.0.zst"),
}


class Session:
    """A capture decoded: rows with positions in the session, and what was set aside or missing."""

    def __init__(self, file: FrameFile) -> None:
        decoder = file.protocol(Discovered())
        self.messages: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.missing: list[Missing] = []
        self.frames: list[bytes] = []
        rows = []
        for piece in file.pieces():
            decoded = decoder.decode(piece.frames, piece.receive_ns)
            part = decoded.rows.copy()
            part["position"] += len(self.frames)
            rows.append(part)
            self.frames += piece.frames
            self.messages.update(decoded.messages)
            self.faults += decoded.faults
            self.missing += decoded.missing
        self.rows: DecodedRows = np.concatenate(rows)

    def of(self, kind: Kind) -> DecodedRows:
        return self.rows[self.rows["kind"] == kind]


def session(venue: str) -> Session:
    return Session(open_files([CRYPTOFEED / name for name in FILES[venue]]))


@recorded
@pytest.mark.parametrize("venue", sorted(FILES))
def test_every_recorded_message_is_read_and_counted_by_its_venues_name(venue: str) -> None:
    found = session(venue)
    raw = json.loads((DATA / "REFERENCES.json").read_text())["protocol"]["cryptofeed"]["venues"][venue]["raw"]
    types = Counter(found.messages)
    if venue == "KRAKEN":
        types["trade"] = len(found.of(Kind.TRADE))  # the reference counts trades, of which 8 frames hold 10
    snapshots = types.pop("snapshot") if venue.startswith(("BIN", "BIT")) else 0  # REST answers, not counted there
    assert types == raw["types"]
    assert snapshots == {"BINANCE": 4, "BINANCE_FUTURES": 4, "BITSTAMP": 10}.get(venue, 0)
    assert (found.faults, found.missing) == ([], [])


@recorded
@pytest.mark.parametrize("venue", sorted(FILES))
def test_what_cryptofeed_called_back_is_what_is_taken_from_the_same_frames(venue: str) -> None:
    found = session(venue)
    references = json.loads((DATA / "REFERENCES.json").read_text())
    called = references["protocol"]["cryptofeed"]["venues"][venue]["published"]
    assert len(found.of(Kind.TRADE)) == called["TRADES"]
    if "TICKER" in called:
        assert found.messages["ticker"] + found.messages["bookTicker"] == called["TICKER"]
    if "CANDLES" in called:
        assert found.messages["kline"] == called["CANDLES"]
    levels = found.of(Kind.LEVEL)  # those of an update kept for a snapshot have its position, and their own update id
    changed = len(set(zip(levels["position"].tolist(), levels["venue_sequence"].tolist(), strict=True)))
    taken, unchanged = books_by_hand(found.frames)
    if venue in ("COINBASE", "KRAKEN"):  # none is stale: the snapshot comes first
        assert changed == called["L2_BOOK"]
    else:  # an update may say what the book holds already: it is called back, and gives no row
        assert (taken, changed) == (called["L2_BOOK"], called["L2_BOOK"] - unchanged)


def books_by_hand(frames: list[bytes]) -> tuple[int, int]:
    """Of Binance and Bitstamp, with dictionaries: book messages that are not older than their snapshot, and those among
    them that change nothing."""
    books: dict[str, dict[tuple[str, float], float]] = {}
    last: dict[str, int] = {}
    taken = unchanged = 0
    for frame in sorted(frames, key=lambda frame: b"snapshot" not in frame):
        document = json.loads(frame)
        if not isinstance(document, dict) or "data" not in document:
            continue
        data = document["data"]
        name = document.get("channel", document.get("stream", "")).upper()
        symbol = name.split("@")[0].rpartition("_")[2]
        number = int(data.get("lastUpdateId", data.get("u", data.get("microtimestamp", 0))))
        if "SNAPSHOT" in name:
            books[symbol], last[symbol] = {}, number
        elif data.get("e") != "depthUpdate" and "DIFF_ORDER_BOOK" not in name:
            continue
        spot = "U" in data and "pu" not in data
        if "SNAPSHOT" not in name and number < last[symbol] + spot:
            continue
        taken += 1
        before = dict(books[symbol])
        for side, levels in (("b", data.get("b", data.get("bids"))), ("a", data.get("a", data.get("asks")))):
            for price, size in levels:
                books[symbol][side, float(price)] = float(size)
                if not float(size):
                    del books[symbol][side, float(price)]
        unchanged += before == books[symbol]
    return taken, unchanged


@recorded
def test_all_recorded_kraken_checksums_are_those_of_the_books_here() -> None:
    assert session("KRAKEN").missing == []
    spoiled = Session(open_file(CRYPTOFEED / "KRAKEN.ws.50.0.zst"))
    frames = [frame.replace(b'"c":"2', b'"c":"3') for frame in spoiled.frames]
    decoder = open_file(CRYPTOFEED / "KRAKEN.ws.50.0.zst").protocol(Discovered())
    assert len(decoder.decode(frames, [0] * len(frames)).missing) == 10  # each of the ten books, once


def best_of_book(file: Path) -> tuple[int, int]:
    """Of the best quotes whose update id a book was made up to: how many there are, and how many say the same."""
    book = open_file(file).protocol(Discovered())
    quotes = open_file(file).protocol(Discovered())
    sent: dict[int, tuple[float, ...]] = {}
    made: dict[int, tuple[float, ...]] = {}
    columns = ["bid", "bid_size", "ask", "ask_size"]
    best: tuple[float, ...] = ()
    for piece in open_file(file).pieces():
        levels = [frame for frame in piece.frames if b"@bookTicker" not in frame[:60]]
        rows = book.decode(levels, [0] * len(levels)).rows
        for row in rows[(rows["kind"] == Kind.QUOTE) | (rows["kind"] == Kind.LEVEL)]:
            if row["kind"] == Kind.QUOTE:
                best = tuple(row[columns].tolist())
            made[int(row["venue_sequence"])] = best
        only = [frame for frame in piece.frames if b"@bookTicker" in frame[:60]]
        rows = quotes.decode(only, [0] * len(only)).rows
        sent.update(
            (int(number), tuple(row))
            for number, row in zip(rows["venue_sequence"], rows[columns].tolist(), strict=True)
        )
    common = sent.keys() & made.keys()
    return len(common), sum(sent[number] == made[number] for number in common)


@recorded
@pytest.mark.parametrize("name", ["spot_btcusdt", "spot_ethusdt", "usdm_btcusdt", "usdm_ethusdt"])
def test_the_best_of_a_recorded_book_is_the_best_quote_of_the_same_update(name: str) -> None:
    common, same = best_of_book(BINANCE / f"{name}_20240808.jsonl.gz")
    assert common > 50
    assert same == common


def capture(path: Path, *frames: bytes) -> Path:
    path.write_bytes(b"".join(b"%d %b\n" % (RECEIVE_NS + at, frame) for at, frame in enumerate(frames)))
    return path


def test_a_capture_is_read_plain_gzip_or_zstd(tmp_path: Path) -> None:
    plain = capture(tmp_path / "plain", quote(u=1), trade(t=1))
    packed, squeezed = tmp_path / "a.gz", tmp_path / "a.zst"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    squeezed.write_bytes(zstandard.compress(plain.read_bytes()))
    pieces = [next(iter(open_file(path).pieces())) for path in (plain, packed, squeezed)]
    assert pieces[0] == pieces[1] == pieces[2]
    assert pieces[0].frames == [quote(u=1), trade(t=1)]
    assert pieces[0].places == [1, 2]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_of_a_file_that_is_cut_off_all_before_is_read_and_the_line_told(tmp_path: Path, compress: object) -> None:
    path = capture(tmp_path / "a", *(quote(u=u, T=1_723_161_256_313 + u * u) for u in range(5000)))
    path.write_bytes(compress(path.read_bytes())[:20_000])  # type: ignore[operator]
    read: list[bytes] = []
    with pytest.raises(BrokenFile, match="damaged or cut off") as told:
        read.extend(frame for piece in open_file(path).pieces() for frame in piece.frames)
    assert 0 < len(read) == told.value.place < 5000


def test_a_broken_line_is_told_with_its_number_and_the_rest_is_read(tmp_path: Path) -> None:
    path = capture(tmp_path / "a", quote(u=1), quote(u=2), quote(u=3))
    path.write_bytes(path.read_bytes().replace(b"%d " % (RECEIVE_NS + 1), b"x "))
    found = read_through(open_file(path))
    assert found.ticks == {"quote": 2}
    assert [(place.at, place.reason) for place in found.places] == [(2, "undecodable")]


def test_cryptofeeds_times_are_exact_and_what_was_sent_is_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(
        b"wss://stream.binance.com:9443/stream <-> 1633998511.159679\n"
        b'wss://stream.binance.com:9443/stream <- 1633998511.2: {"method":"SUBSCRIBE"}\n'
        b"1633998512.0633569: " + quote() + b"\n"
        b'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5 -> 1633998513: {"lastUpdateId":1}\n'
        b"https://api.binance.com/api/v3/exchangeInfo -> 1633998514.5: {}\n\n"
    )
    (piece,) = open_file(path).pieces()
    assert piece.receive_ns == [1633998512063356900, 1633998513000000000]
    assert piece.frames == [quote(), b'{"stream":"btcusdt@snapshot","data":{"lastUpdateId":1}}']
    assert piece.places == [3, 4]


def test_files_of_several_venues_are_not_one_session(tmp_path: Path) -> None:
    one = capture(tmp_path / "one", quote())
    other = capture(tmp_path / "other", b'{"type":"heartbeat"}')
    assert recognise(other, other.read_bytes())
    with pytest.raises(UnknownFormat, match="captures of binance, coinbase: give those of one venue"):
        open_files([one, other])


def test_a_file_of_no_venue_known_says_what_it_begins_with(tmp_path: Path) -> None:
    path = capture(tmp_path / "a", b'{"hello":1}')
    assert not recognise(path, path.read_bytes())
    with pytest.raises(UnknownFormat, match="no capture of binance, coinbase, kraken, bitstamp"):
        open_file(path)
