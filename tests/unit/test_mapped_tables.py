"""CSV and Parquet by a mapping: rows as ticks, and those that cannot be read told with their number."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.mapping_file import MappingError
from pipelines.domain.decoding import Decoded, Discovered, Reason
from pipelines.domain.market import Flag, Kind
from pipelines.feeds.files import mapped
from pipelines.feeds.files.frame_file import FrameFile, UnknownFormat
from pipelines.feeds.files.mapped import open_file, recognise
from pipelines.feeds.files.reading import read_through
from pipelines.feeds.protocols.table import ROW, Table, write_frame

MIXED = """\
time: {column: t, unit: ms}
instrument: {column: sym}
kind: {column: type, quote: Q, trade: T, ignore: C}
quote: {bid: b, bid_size: bs, ask: a, ask_size: as}
trade: {price: p, quantity: q, side: {column: s, buy: B, sell: S}}
sequence: id
"""
HEADER = "t,sym,type,b,bs,a,as,p,q,s,id"
QUOTE = "1381132800152,AIG,Q,49.1,100,49.2,200,,,,"
TRADE = "1381132800153,AIG,T,,,,,49.15,100,B,7"
TRADES = "instrument: {constant: AIG}\nkind: {constant: trade}\ntrade: {price: p, quantity: q}\n"


def table(folder: Path, mapping: str, *lines: str, name: str = "a.csv") -> FrameFile:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    (folder / f"{name}.mapping.yaml").write_text(mapping)
    return open_file(path)


def decoded(file: FrameFile) -> Decoded:
    frames = [frame for piece in file.pieces() for frame in piece.frames]
    return file.protocol(Discovered()).decode(frames, [0] * len(frames))


def test_a_row_is_a_quote_or_a_trade_by_its_kind(tmp_path: Path) -> None:
    found = decoded(table(tmp_path, MIXED, HEADER, QUOTE, TRADE, "1381132800154,AIG,C,,,,,,,,"))
    quote, trade = found.rows
    assert [float(quote[name]) for name in ("bid", "bid_size", "ask", "ask_size")] == [49.1, 100.0, 49.2, 200.0]
    assert (int(quote["event_ns"]), int(quote["venue_sequence"])) == (1_381_132_800_152_000_000, -1)
    assert (int(trade["kind"]), float(trade["bid"]), float(trade["ask_size"])) == (Kind.TRADE, 49.15, 100.0)
    assert (int(trade["flags"]), int(trade["venue_sequence"])) == (Flag.BUYER_AGGRESSOR, 7)
    assert found.messages == {"quote": 1, "trade": 1, "ignored": 1}


def test_a_side_that_is_empty_is_not_there(tmp_path: Path) -> None:
    row = decoded(table(tmp_path, MIXED, HEADER, "1381132800152,AIG,Q,,100,49.2,200,,,,")).rows[0]
    assert [float(row[name]) for name in ("bid", "bid_size", "ask", "ask_size")] == [0.0, 0.0, 49.2, 200.0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x,AIG,T,,,,,49.15,100,B,7", "row 2: t: 'x': expected a number, after 1970"),
        ("-5,AIG,T,,,,,49.15,100,B,7", "row 2: t: '-5': expected a number, after 1970"),
        ("1381132800153,,T,,,,,49.15,100,B,7", "row 2: sym: nothing: expected an instrument"),
        ("1381132800153,AIG,Z,,,,,49.15,100,B,7", "row 2: type: 'Z': expected Q or T"),
        ("1381132800153,AIG,T,,,,,abc,100,B,7", "row 2: p: 'abc': expected a number"),
        ("1381132800153,AIG,T,,,,,nan,100,B,7", "row 2: p: 'nan': expected a number"),
        ("1381132800153,AIG,T,,,,,,100,B,7", "row 2: p: nothing: expected a number"),
        ("1381132800153,AIG,T,,,,,1e30,100,B,7", "row 2: p: '1e30': expected a number of at most 1e+15"),
        ("1381132800153,AIG,T,,,,,49.15,100,X,7", "row 2: s: 'X': expected B or S"),
        ("1381132800153,AIG,T,,,,,49.15,100,B,-7", "row 2: id: '-7': expected a whole number of 0 or more"),
        ("1381132800153,AIG,T", "row 2: 3 fields, expected 11: '1381132800153,AIG,T'"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path, line: str, told: str) -> None:
    found = decoded(table(tmp_path, MIXED, HEADER, QUOTE, line, TRADE))
    (fault,) = found.faults
    assert fault.reason is Reason.UNDECODABLE
    assert fault.detail.startswith(told)
    assert len(found.rows) == 2


@pytest.mark.parametrize(
    ("time", "text", "event_ns"),
    [
        ("unit: s", "1381132800.25", 1_381_132_800_250_000_000),
        ("unit: ns", "1381132800000000001", 1_381_132_800_000_000_001),
        ("format: iso", "2013-10-07 08:00:00.123456789", 1_381_132_800_123_456_789),
        ("format: iso", "2013-10-07T04:00:00-04:00", 1_381_132_800_000_000_000),
        ("format: iso, zone: America/New_York", "2013-10-07 04:00:00", 1_381_132_800_000_000_000),
        ("format: iso, zone: America/New_York", "2013-11-03 01:30:00", 1_383_456_600_000_000_000),
        ('format: "%d.%m.%Y %H:%M:%S.%f", zone: America/New_York', "07.10.2013 04:00:00.5", 1_381_132_800_500_000_000),
    ],
)
def test_a_time_is_read_as_the_mapping_says_to_the_nanosecond(
    tmp_path: Path, time: str, text: str, event_ns: int
) -> None:
    found = decoded(table(tmp_path, f"time: {{column: t, {time}}}\n{TRADES}", "t,p,q", f"{text},1,2"))
    assert found.rows["event_ns"].tolist() == [event_ns]


def test_prices_and_quantities_are_scaled(tmp_path: Path) -> None:
    scale = "scale: {price: 0.0001, size: 100}\n"
    found = decoded(table(tmp_path, f"time: {{column: t, unit: s}}\n{TRADES}{scale}", "t,p,q", "1,488700,2"))
    assert (float(found.rows["bid"][0]), float(found.rows["bid_size"][0])) == (pytest.approx(48.87), 200.0)


def test_a_table_without_a_header_is_read_by_the_names_it_is_given(tmp_path: Path) -> None:
    mapping = f"header: false\ncolumns: t, p, other, q\ndelimiter: ';'\ntime: {{column: t, unit: s}}\n{TRADES}"
    found = decoded(table(tmp_path, mapping, "1;2;x;3", "broken", "4;5;x;6"))
    assert found.rows["bid"].tolist() == [2.0, 5.0]
    assert found.faults[0].detail.startswith("row 2: 1 fields, expected 4")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.sampled_from(["sound", "short", "bad", "ignored"]), max_size=120), block=st.integers(80, 900))
def test_every_row_is_a_tick_a_fault_with_its_number_or_not_wanted(tmp_path: Path, rows: list[str], block: int) -> None:
    text = {"sound": TRADE, "short": "oops,1", "bad": TRADE.replace("49.15", "x"), "ignored": "5,AIG,C,,,,,,,,"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapped, "BLOCK_BYTES", block)
        patch.setattr(mapped, "FRAME_ROWS", 7)
        file = table(tmp_path, MIXED, HEADER, *(text[kind] for kind in rows))
        pieces = list(file.pieces())
    frames = [frame for piece in pieces for frame in piece.frames]
    found = file.protocol(Discovered()).decode(frames, [0] * len(frames))
    told = sorted(int(re.findall(r"row ([0-9]+):", fault.detail)[0]) for fault in found.faults)
    assert told == [number for number, kind in enumerate(rows, start=1) if kind in ("short", "bad")]
    assert len(found.rows) == rows.count("sound")
    assert sum(found.messages.values()) + len(told) == sum(sum(piece.count or ()) for piece in pieces) == len(rows)


def test_parquet_is_read_by_the_same_mapping(tmp_path: Path) -> None:
    columns = {
        "t": pa.array([1_381_132_800_152, None, 1_381_132_800_153], pa.int64()),
        "sym": pa.array(["AIG", "AIG", "BAC"]).dictionary_encode(),
        "p": [1.5, 2.5, 3.5],
        "q": pa.array([1, 2, 3], pa.int32()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    mapping = TRADES.replace("{constant: AIG}", "{column: sym}")
    (tmp_path / "mapping.yaml").write_text(f"venue: desk\ntime: {{column: t, unit: ms}}\n{mapping}")
    file = open_file(tmp_path / "a.parquet")
    found = decoded(file)
    assert (file.format, file.venue) == ("parquet", "desk")
    assert found.rows["bid"].tolist() == [1.5, 3.5]
    assert found.rows["instrument"].tolist() == [0, 1]
    assert found.faults[0].detail == "row 2: t: nothing: expected a number, after 1970"


def test_times_of_parquet_without_a_zone_are_in_the_mappings(tmp_path: Path) -> None:
    times = pa.array(np.array(["2013-10-07T04:00:00.000000001"], "datetime64[ns]"))
    parquet.write_table(pa.table({"t": times, "p": [1.0], "q": [1.0]}), tmp_path / "a.parquet")
    zone = "time: {column: t, format: iso, zone: America/New_York}\n"
    (tmp_path / "mapping.yaml").write_text(f"{zone}{TRADES}")
    assert decoded(open_file(tmp_path / "a.parquet")).rows["event_ns"].tolist() == [1_381_132_800_000_000_001]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 1200), flip=st.integers(4, 1100), bits=st.integers(0, 255))
def test_a_broken_parquet_file_is_refused_or_breaks_off(tmp_path: Path, cut: int, flip: int, bits: int) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"t": list(range(1, 60)), "p": [1.0] * 59, "q": [1.0] * 59}), path)
    raw = bytearray(path.read_bytes())
    if flip < len(raw):
        raw[flip] ^= bits
    path.write_bytes(b"PAR1" + raw[4 : max(4, len(raw) - cut)])
    (tmp_path / "mapping.yaml").write_text(f"time: {{column: t, unit: s}}\n{TRADES}")
    try:
        read_through(open_file(path))
    except UnknownFormat as error:
        assert str(path) in str(error)  # noqa: PT017


def test_what_a_table_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="no column 'p': it has t, q"):
        table(tmp_path, f"time: {{column: t, unit: s}}\n{TRADES}", "t,q", "1,2")
    (tmp_path / "b.csv").write_text("t,q\n")
    with pytest.raises(UnknownFormat, match=r"which column is what\? Say it in b.csv.mapping.yaml or mapping.yaml"):
        open_file(tmp_path / "b.csv")
    (tmp_path / "mapping.yaml").write_text("time: 5\n")
    with pytest.raises(MappingError, match=r"mapping.yaml:1: time: fields expected"):
        open_file(tmp_path / "b.csv")


def test_tables_are_recognised_by_name_and_first_bytes(tmp_path: Path) -> None:
    assert recognise(tmp_path / "a.csv.gz", b"t,p")
    assert recognise(tmp_path / "a.anything", b"PAR1....")
    assert not recognise(tmp_path / "a.jsonl", b"{}")


def test_a_row_of_an_instrument_that_is_not_listed_is_a_fault() -> None:
    rows = np.zeros(2, ROW)
    rows["event_ns"], rows["row"], rows["symbol"] = 1, (5, 6), (0, 1)
    found = Table({"AIG": 3}).decode([write_frame(["AIG", "BAC"], rows, [], 0)], [0])
    assert found.rows["instrument"].tolist() == [3]
    assert [(fault.reason, fault.symbol) for fault in found.faults] == [(Reason.UNKNOWN_INSTRUMENT, "BAC")]


def sound_frame() -> bytes:
    rows = np.zeros(3, ROW)
    rows["event_ns"], rows["bid"], rows["sequence"] = 1, 2.0, -1
    return write_frame(["AIG"], rows, [(4, "p: 'x': expected a number")], 1)


@given(st.integers(0, 400), st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=5))
def test_a_cut_or_flipped_frame_gives_rows_that_can_be_or_one_fault(cut: int, flips: list[tuple[int, int]]) -> None:
    raw = bytearray(sound_frame())
    for at, bits in flips:
        raw[at % len(raw)] ^= bits
    found = Table(Discovered()).decode([bytes(raw[: len(raw) - cut])], [0])
    assert np.isin(found.rows["kind"], (Kind.QUOTE, Kind.TRADE)).all()
    assert (found.rows["event_ns"] > 0).all()
    assert len(found.rows) or found.faults


@given(st.binary(max_size=120))
def test_no_bytes_at_all_bring_the_decoder_down(noise: bytes) -> None:
    Table(Discovered()).decode([noise, b"table 1 " + noise, b"table 1 {" + noise + b"}\n"], [0, 0, 0])
