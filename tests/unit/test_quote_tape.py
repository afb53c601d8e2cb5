"""What a tape of best quotes tells of the exchanges that it does not name just now."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.quote_tape import SideTape, side_tape
from pipelines.domain.venue_books import Level
from pipelines.feeds.files.frame_file import UnknownFormat
from pipelines.feeds.files.lean_quotes import read_quotes, read_trades

N, Q, P = 1, 2, 3
Told = tuple[int, int, int, int]


def bids(*told: Told) -> SideTape:
    """Of rows (time, exchange, price, lots)."""
    time, exchange, price, lots = np.array(told, np.int64).reshape(-1, 4).T
    return side_tape(1, time, price, lots, exchange)


def believed(tape: SideTape, at: int) -> dict[int, Level]:
    return dict(tape.believed(at))


#          time  0      10     20     30     40     50
#         named  N 100  Q 100  Q 101  N 101  N 100  Q 100
DAY = bids(
    (0, N, 100, 9), (10, Q, 100, 5), (20, Q, 101, 7), (30, N, 101, 3), (40, N, 100, 4), (50, Q, 100, 6)
)  # fmt: skip


def test_the_named_exchange_shows_what_is_told_and_another_no_more_than_it() -> None:
    assert believed(DAY, 12) == {Q: Level(100, 5), N: Level(100, 5, 2)}
    assert believed(DAY, 10) == {Q: Level(100, 5), N: Level(100, 5, 1)}


def test_an_exchange_behind_the_best_is_believed_as_last_told() -> None:
    assert believed(DAY, 25) == {Q: Level(101, 7), N: Level(100, 9, 15)}


def test_once_the_best_is_worse_than_its_price_an_exchange_is_no_longer_there() -> None:
    assert believed(DAY, 35) == {N: Level(101, 3), Q: Level(101, 3, 5)}
    assert believed(DAY, 45) == {N: Level(100, 4)}


def test_nothing_is_known_before_the_first_quote_or_when_nobody_quotes() -> None:
    assert believed(DAY, -1) == {}
    empty = bids((0, N, 100, 9), (10, 0, 0, 0), (20, Q, 99, 1))
    assert believed(empty, 15) == {}
    assert believed(empty, 25) == {Q: Level(99, 1)}


def test_a_quote_is_proven_by_its_exchange_being_named_again_at_its_price_in_time() -> None:
    tape = bids((0, N, 100, 9), (10, Q, 100, 5), (20, N, 100, 2), (30, Q, 100, 1))
    assert dict(tape.proven(12, 10)) == {Q: Level(100, 5), N: Level(100, 2)}
    assert dict(tape.proven(12, 7)) == {Q: Level(100, 5)}
    worse_between = bids((0, N, 100, 9), (10, Q, 100, 5), (15, P, 99, 1), (20, N, 100, 2))
    assert dict(worse_between.proven(12, 10)) == {Q: Level(100, 5)}


ROWS = st.tuples(st.integers(0, 3), st.sampled_from([N, Q, P]), st.integers(98, 102), st.integers(1, 9))
TAPES = st.lists(ROWS, min_size=1, max_size=30)


def times_added(rows: list[Told]) -> list[Told]:
    times = np.cumsum([row[0] for row in rows]).tolist()
    return [(time, *row[1:]) for time, row in zip(times, rows, strict=True)]


@given(TAPES, st.integers(0, 60))
def test_what_is_believed_hangs_on_nothing_after(rows: list[Told], at: int) -> None:
    told = times_added(rows)
    known = [row for row in told if row[0] <= at]
    assert believed(bids(*told), at) == (believed(bids(*known), at) if known else {})


@given(TAPES, st.integers(0, 60))
def test_what_is_proven_was_believed_and_is_no_more(rows: list[Told], at: int) -> None:
    tape = bids(*times_added(rows))
    seen = believed(tape, at)
    for exchange, level in tape.proven(at, 100):
        assert level.price_ticks == seen[exchange].price_ticks
        assert 1 <= level.lots <= seen[exchange].lots


def archive(folder: Path, kind: str, *lines: str) -> Path:
    path = folder / f"equity/usa/tick/gen/20131007_{kind}.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"20131007_gen_{kind.title()}_Tick.csv", "\n".join(lines))
    return path


def test_quotes_keep_their_exchange_and_leave_out_what_is_suspicious(tmp_path: Path) -> None:
    path = archive(
        tmp_path, "quote", "40000663,488500,1300,0,0,Q,1,0", "40000663,0,0,488600,1200,N,1,0",
        "oops", "40000664,488500,1300,488600,900,K,1,0", "40000665,1,1300,0,0,Q,1,1", "40000666,0,0,0,0,P,1,0",
    )  # fmt: skip
    (found,) = read_quotes(path)
    told = [(chr(row[1]), bool(row[2]), round(row[3], 4), int(row[4])) for row in found.rows.tolist()]
    assert told == [
        ("Q", False, 48.85, 1300), ("N", True, 48.86, 1200), ("K", False, 48.85, 1300), ("K", True, 48.86, 900),
        ("P", False, 0.0, 0), ("P", True, 0.0, 0),
    ]  # fmt: skip
    assert found.rows["event_ns"][0] == 1_381_118_400_000_000_000 + 40_000_663_000_000  # from midnight in New York
    assert len(found.faults) == 1
    assert found.faults[0].startswith("line 3: ")


def test_trades_keep_their_exchange_too(tmp_path: Path) -> None:
    path = archive(tmp_path, "trade", "40000663,488500,300,N,0,0", "40000663,488500,300,N,0,1")
    (found,) = read_trades(path)
    assert [(chr(row[1]), row[2], row[3]) for row in found.rows.tolist()] == [("N", 48.85, 300.0)]
    with pytest.raises(UnknownFormat, match="equity tick trade lines: give an equity's ticks of quotes"):
        read_quotes(path)
