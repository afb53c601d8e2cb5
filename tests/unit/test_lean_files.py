"""LEAN's zips: what they are by path and name, how several become one session, and what broken and false ones say."""

import io
import zipfile
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.domain.decoding import Decoded, Discovered
from pipelines.domain.market import NS_PER_MS, NS_PER_S, Kind
from pipelines.feeds.files import lean_merge
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, UnknownFormat
from pipelines.feeds.files.lean import open_file, open_files, recognise
from pipelines.feeds.files.lean_archive import members, stream_of
from pipelines.feeds.files.lean_bars import read_bars
from pipelines.feeds.files.reading import read_through
from pipelines.feeds.protocols.lean.stream import StreamError


def archive(path: Path, csvs: Mapping[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in csvs.items():
            made.writestr(name, text)
    return path


def trades(folder: Path, symbol: str, *lines: str, day: str = "20131007") -> Path:
    name = f"{day}_{symbol}_Trade_Tick.csv"
    return archive(folder / f"equity/usa/tick/{symbol}/{day}_trade.zip", {name: "\n".join(lines)})


def until_broken(file: FrameFile) -> tuple[list[bytes], BrokenFile | None]:
    """The frames of a file, and where it breaks off, if it does."""
    frames: list[bytes] = []
    try:
        for piece in file.pieces():
            frames.extend(piece.frames)
    except BrokenFile as error:
        return frames, error
    return frames, None


def decoded(file: FrameFile) -> Decoded:
    frames = [frame for piece in file.pieces() for frame in piece.frames]
    return file.protocol(Discovered()).decode(frames, [0] * len(frames))


@pytest.mark.parametrize(
    ("path", "name", "stream"),
    [
        ("equity/usa/tick/aig/20131007_trade.zip", "20131007_aig_Trade_Tick.csv", "equity usa tick trade 20131007 AIG"),
        ("my/equity_ticks/tick/aig/a.zip", "20131007_aig_Quote_Tick.csv", "equity usa tick quote 20131007 AIG"),
        ("futures_minute/es/20131007_trade.zip", "20131007_es_minute_trade_201312.csv",
         "future cme minute trade 20131007 ES201312"),
        ("future/comex/minute/gc/20131007_quote.zip", "20131007_gc_minute_quote_20131227.csv",
         "future comex minute quote 20131007 GC20131227"),
        ("oanda/tick/eurusd/20140501_quote.zip", "20140501_eurusd_tick_quote.csv",
         "forex oanda tick quote 20140501 EURUSD"),
        ("coinbase/minute/btcusd/20170903_quote.zip", "20170903_btcusd_minute_quote.csv",
         "crypto coinbase minute quote 20170903 BTCUSD"),
        ("daily/uso.zip", "uso.csv", "equity usa daily trade - USO"),
        ("equity/usa/hour/uso.zip", "uso.csv", "equity usa hour trade - USO"),
        ("forex/oanda/daily/eurusd.zip", "eurusd.csv", "forex oanda daily quote - EURUSD"),
        ("equity/usa/second/brk.b/x.zip", "20131007_brk.b_second_trade.csv", "equity usa second trade 20131007 BRK.B"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_path_and_the_names_in_it_say(path: str, name: str, stream: str) -> None:
    assert str(stream_of(Path("/") / path, name)) == stream


@pytest.mark.parametrize(
    ("path", "name", "told"),
    [
        ("x/minute/btcusd/a.zip", "20170903_btcusd_minute_quote.csv", "of what asset class?"),
        (
            "equity/india/minute/a/a.zip",
            "20170903_a_minute_trade.csv",
            "equity/india: no market whose files can be read",
        ),
        ("crypto/minute/a/a.zip", "20170903_a_minute_trade.csv", "of which market?"),
        ("equity/usa/a/a.zip", "20170903_a_trade.csv", "tick, second or minute?"),
        ("equity/usa/tick/a/a.zip", "20171303_a_tick_trade.csv", "day '20171303'"),
        ("future/cme/minute/es/a.zip", "20131007_es_minute_trade.csv", "month of expiry"),
        ("equity/usa/tick/a/a.zip", "20170903_a_tick_trade_what.csv", "'what': no part of a name"),
        ("forex/oanda/tick/a/a.zip", "20170903_a_tick_trade.csv", "no such files are known"),
        ("equity/usa/tick/a/a.zip", "../../etc/passwd", "expected a name as"),
    ],
)
def test_a_file_of_which_something_is_not_said_asks_for_it(path: str, name: str, told: str) -> None:
    with pytest.raises(StreamError, match=told.replace("?", r"\?")):
        stream_of(Path("/") / path, name)


def test_zip_files_of_csv_alone_are_recognised(tmp_path: Path) -> None:
    sound = trades(tmp_path, "aig", "1,1,1,Q,1,0")
    other = archive(tmp_path / "a.zip", {"readme.md": "x"})
    assert recognise(sound, sound.read_bytes())
    assert not recognise(other, other.read_bytes())
    assert not recognise(sound, b"PAR1")


def test_files_are_merged_by_event_time_line_by_line(tmp_path: Path) -> None:
    aig = trades(tmp_path, "aig", "1,10000,1,Q,1,0", "3,10000,3,Q,1,0", "5,10000,5,Q,1,0")
    bac = trades(tmp_path, "bac", "2,10000,2,Q,1,0", "4,10000,4,Q,1,0", "6,10000,6,Q,1,0\r")
    found = decoded(open_files([bac, aig]))
    assert found.rows["bid_size"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found.rows["instrument"].tolist() == [0, 1, 0, 1, 0, 1]


def test_at_one_time_quotes_come_before_trades(tmp_path: Path) -> None:
    trade = trades(tmp_path, "aig", "1,10000,1,Q,1,0")
    quote = archive(
        tmp_path / "equity/usa/tick/aig/20131007_quote.zip",
        {"20131007_aig_Quote_Tick.csv": "1,10000,1,0,0,Q,1,0\n1,0,0,10100,1,Q,1,0\n"},
    )
    assert decoded(open_files([trade, quote])).rows["kind"].tolist() == [0, 1]


def test_days_follow_each_other(tmp_path: Path) -> None:
    second = trades(tmp_path, "aig", "1,10000,2,Q,1,0", day="20131008")
    first = trades(tmp_path, "aig", "86399999,10000,1,Q,1,0")
    assert decoded(open_files([second, first])).rows["bid_size"].tolist() == [1, 2]


def test_a_line_whose_time_falls_back_stays_where_its_file_has_it(tmp_path: Path) -> None:
    aig = trades(tmp_path, "aig", "5,10000,1,Q,1,0", "1,10000,2,Q,1,0", "x,10000,9,Q,1,0", "7,10000,4,Q,1,0")
    bac = trades(tmp_path, "bac", "6,10000,3,Q,1,0")
    found = decoded(open_files([aig, bac]))
    assert found.rows["bid_size"].tolist() == [1, 2, 3, 4]
    assert "AIG line 3: time: b'x'" in found.faults[0].detail


def test_a_bid_and_its_ask_are_in_one_frame_wherever_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_merge, "FRAME_LINES", 3)
    lines = "".join(f"{at},{at}0000,1,0,0,Q,1,0\n{at},0,0,{at}0100,1,Q,1,0\n" for at in range(1, 200))
    path = archive(tmp_path / "equity/usa/tick/aig/a.zip", {"20131007_aig_Quote_Tick.csv": lines})
    found = decoded(open_file(path))
    assert len(found.rows) == 199
    assert (found.rows["ask"] > found.rows["bid"]).all()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.lists(st.integers(0, 400), max_size=40), min_size=1, max_size=4),
    lines=st.integers(1, 7),
    block=st.integers(16, 200),
)
def test_however_files_are_read_the_session_is_the_same(
    tmp_path: Path, times: list[list[int]], lines: int, block: int
) -> None:
    paths = []
    expected = []
    for place, some in enumerate(times):
        some.sort()
        paths.append(
            trades(tmp_path, f"s{place}", *(f"{at},10000,{number + 1},Q,1,0" for number, at in enumerate(some)))
        )
        expected += [(at, place, number + 1) for number, at in enumerate(some)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lean_merge, "FRAME_LINES", lines)
        patch.setattr("pipelines.feeds.files.lean_archive.BLOCK_BYTES", block)
        file = open_files(paths)
        frames = [frame for piece in file.pieces() for frame in piece.frames]
    rows = file.protocol({f"S{place}": place for place in range(4)}).decode(frames, [0] * len(frames)).rows
    assert [(int(row["instrument"]), int(row["bid_size"])) for row in rows] == [each[1:] for each in sorted(expected)]


def test_a_frame_says_how_many_lines_it_has_and_where_its_first_is(tmp_path: Path) -> None:
    path = trades(tmp_path, "aig", *(f"{at},10000,1,Q,1,0" for at in range(2500)))
    pieces = list(open_file(path).pieces())
    assert [count for piece in pieces for count in piece.count or ()] == [1000, 1000, 499, 1]
    assert [place for piece in pieces for place in piece.places] == [1, 1001, 2001, 2500]


def test_files_of_two_markets_are_no_session(tmp_path: Path) -> None:
    fx = archive(tmp_path / "forex/oanda/tick/eurusd/a.zip", {"20140501_eurusd_tick_quote.csv": "1,1,2"})
    with pytest.raises(UnknownFormat, match="several markets cannot be one session"):
        open_files([fx, trades(tmp_path, "aig", "1,1,1,Q,1,0")])


def test_files_of_two_markets_are_a_session_of_a_venue_that_is_named(tmp_path: Path) -> None:
    fx = archive(tmp_path / "forex/oanda/tick/eurusd/a.zip", {"20131007_eurusd_tick_quote.csv": "1,1,2"})
    opened = open_files([trades(tmp_path, "aig", "1,1,1,Q,1,0"), fx], venue="desk")
    assert opened.venue == "desk"
    assert [row["event_ns"] % (86_400 * NS_PER_S) for row in decoded(opened).rows] == [
        NS_PER_MS,
        4 * 3600 * NS_PER_S + NS_PER_MS,
    ]


def test_a_symbol_of_two_markets_is_no_symbol_of_one_venue(tmp_path: Path) -> None:
    fx = archive(tmp_path / "forex/oanda/tick/aig/a.zip", {"20131007_aig_tick_quote.csv": "1,1,2"})
    with pytest.raises(UnknownFormat, match="AIG is of equity/usa and forex/oanda: one venue has a symbol once"):
        open_files([trades(tmp_path, "aig", "1,1,1,Q,1,0"), fx], venue="desk")


def test_of_the_symbols_in_files_some_can_be_taken_alone(tmp_path: Path) -> None:
    both = [trades(tmp_path, name, "1,1,1,Q,1,0") for name in ("aig", "bac")]
    assert len(decoded(open_files(both, symbols=("BAC",))).rows) == 1
    with pytest.raises(UnknownFormat, match="no XYZ in these files: there is AIG, BAC"):
        open_files(both, symbols=("BAC", "XYZ"))


def test_a_quote_of_a_bar_comes_after_the_ticks_that_are_in_it(tmp_path: Path) -> None:
    bar = archive(tmp_path / "equity/usa/second/spy/20131007_quote.zip",
                  {"20131007_spy_second_quote.csv": "1000,10,10,10,10,1,20,20,20,20,1"})  # fmt: skip
    opened = open_files([trades(tmp_path, "aig", "1000,1,1,Q,1,0", "1999,1,1,Q,1,0", "2001,1,1,Q,1,0"), bar])
    assert [int(row["kind"]) for row in decoded(opened).rows] == [Kind.TRADE, Kind.TRADE, Kind.QUOTE, Kind.TRADE]


def test_a_member_that_says_it_is_far_too_big_is_refused_unread(tmp_path: Path) -> None:
    path = archive(tmp_path / "equity/usa/tick/a/a.zip", {"20131007_a_Trade_Tick.csv": b"0" * (8 << 20)})
    with pytest.raises(UnknownFormat, match="says it is 8,388,608 bytes"):
        open_file(path)


def test_a_member_that_is_bigger_than_it_says_gives_no_more_than_that(tmp_path: Path) -> None:
    text = b"1,1,1,Q,1,0\n" * 200_000
    path = archive(tmp_path / "equity/usa/tick/a/a.zip", {"20131007_a_Trade_Tick.csv": text})
    lied = path.read_bytes().replace(len(text).to_bytes(4, "little"), (1200).to_bytes(4, "little"))
    path.write_bytes(lied)
    frames, error = until_broken(open_file(path))
    assert "CRC" in str(error)
    assert sum(frame.count(b"\n") - 1 for frame in frames) <= 100


def test_a_line_that_never_ends_breaks_a_file_off(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(48, 58, 3_000_000).astype(np.uint8).tobytes()
    path = archive(tmp_path / "equity/usa/tick/a/a.zip", {"20131007_a_Trade_Tick.csv": b"1,1,1,Q,1,0\n" + noise})
    file = open_file(path)
    with pytest.raises(BrokenFile, match="no end of a line"):
        list(file.pieces())


def test_where_one_of_several_files_breaks_off_all_before_is_given(tmp_path: Path) -> None:
    lines = [
        f"{at},10000,1,Q,1,0" for at in np.random.default_rng(1).integers(0, 86_000_000, 60_000).cumsum() // 50_000
    ]
    whole, broken = trades(tmp_path, "aig", *lines), trades(tmp_path, "bac", *lines)
    raw = bytearray(broken.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    broken.write_bytes(raw)
    file = open_files([whole, broken])
    frames, error = until_broken(file)
    assert "bac" in str(error)
    rows = file.protocol({"AIG": 0, "BAC": 1}).decode(frames, [0] * len(frames)).rows
    aig, bac = (rows["event_ns"][rows["instrument"] == place] for place in (0, 1))
    assert 20_000 < len(bac) < 60_000
    alone = decoded(open_file(whole)).rows["event_ns"]
    assert (aig[aig < bac[20_000]] == alone[alone < bac[20_000]]).all()


def sound_bytes() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        lines = "".join(f"{at * 7},{480000 + at % 50},{at},Q,20000020,0\n" for at in range(300))
        zipped.writestr("20131007_aig_Trade_Tick.csv", lines)
    return made.getvalue()


SOUND = sound_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(SOUND)), st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(1, 255)), max_size=4))
def test_a_cut_or_flipped_archive_is_read_refused_or_breaks_off(
    tmp_path: Path, size: int, flips: list[tuple[int, int]]
) -> None:
    raw = bytearray(SOUND)
    for at, bits in flips:
        raw[at] ^= bits
    path = tmp_path / "equity" / "usa" / "tick" / "20131007_trade.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw[:size] if not flips else raw)
    try:
        opened = open_file(path)
    except UnknownFormat:
        return
    found = read_through(opened)
    lines = sum(found.messages.values()) + found.rejects["undecodable"] - bool(found.broken)
    assert lines == found.frames


def test_bars_have_their_time_in_utc_and_their_faults_by_line(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "daily/uso.zip", {"uso.csv": "20200428 00:00,20000,30000,10000,21300,5\n20200429,1,1,1,1,1\n"}
    )
    (series,) = read_bars(path)
    assert series.bars.tolist() == [(1_588_046_400_000_000_000, 2.0, 3.0, 1.0, 2.13, 5.0)]
    assert series.faults == ("line 2: time: b'20200429': expected a time as 20131008 09:30",)


def test_ticks_are_no_bars(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="tick lines are no bars"):
        read_bars(trades(tmp_path, "aig", "1,1,1,Q,1,0"))


def test_a_broken_archive_of_many_members_tells_which(tmp_path: Path) -> None:
    names = {f"20131007_es_minute_trade_2013{month:02d}.csv": "0,1,1,1,1,1\n" for month in (9, 12)}
    found = members(archive(tmp_path / "future/cme/minute/es/a.zip", names))
    assert [member.stream.symbol for member in found] == ["ES201309", "ES201312"]


def test_an_archive_with_a_nameless_file_is_none(tmp_path: Path) -> None:
    """Found by `make fuzz`: Python 3.11 falls over such a name."""
    path = tmp_path / "20131007_trade.zip"
    path.write_bytes(
        b64decode(
            "UEsDBBQAAAAAAAgG3FW/UEsBAhQDFAAA+QgA3SR2XeZ9TR9xBAAAdBcAABsAAAAAAAAAAAAAAIABAAAAAABuNTI0MDI4X2FpZ19UcmFkZV9U"
            "aWNrLmNzdlBLBQYCAAAAAQABAEkAAACqBAAAAAA="
        )
    )
    with pytest.raises(UnknownFormat, match="'': expected a name as"):
        open_file(path)
