"""A file as a source for Kafka: its frames as they are, and a clock that is never ahead of a row to come."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.domain.market import Flag, Ticks
from pipelines.domain.normalise import Listing, Reject, heartbeat, normalise
from pipelines.domain.sequencing import new_session
from pipelines.feeds.file_source import FileSource
from pipelines.feeds.files.lean import open_files


def trades(folder: Path, symbol: str, times_ms: Sequence[int]) -> Path:
    path = folder / f"equity/usa/tick/{symbol}/20131007_trade.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = "".join(f"{at},{488_000 + number % 7 * 100},100,Q,1,0\n" for number, at in enumerate(times_ms))
        archive.writestr(f"20131007_{symbol}_Trade_Tick.csv", lines)
    return path


def replayed(source: FileSource) -> tuple[Ticks, list[Reject], int]:
    """Ticks, rejects and heartbeats of a source read as the market job reads its topic."""
    listing = Listing.discovering("usa")
    decoder, state = source.file.protocol(listing.index), new_session(0)
    ticks, rejects, beats = [], list[Reject](), 0
    for batch in source.batches({}):
        record = batch.record
        if record.frames:
            made = normalise(state, listing, decoder, record.first_sequence, record.receive_ns, record.frames)
            ticks.append(made.ticks)
        else:
            made = heartbeat(state, record.clock_ns, record.end)
            beats += len(made.ticks)
        state = made.state
        rejects.extend(made.rejects)
    return np.concatenate(ticks), rejects, beats


def test_a_quiet_file_has_heartbeats_and_none_is_ahead_of_a_row(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    quiet = sorted(rng.integers(14_400_000, 20_000_000, 900).tolist())
    busy = sorted(rng.integers(15_000_000, 15_600_000, 9_000).tolist())
    source = FileSource(open_files([trades(tmp_path, "aig", quiet), trades(tmp_path, "bac", busy)]), "usa")
    ticks, rejects, beats = replayed(source)
    assert rejects == []
    assert len(ticks) == 9_900
    assert beats > 4_000
    assert not (ticks["flags"] & int(Flag.LATE | Flag.STALE)).any()
    assert (np.diff(ticks["event_ns"]) >= 0).all()
    assert (ticks["receive_ns"] >= ticks["event_ns"]).all()


def test_a_session_is_named_after_its_files_and_their_symbols(tmp_path: Path) -> None:
    paths = [trades(tmp_path, "bac", [1, 5000, 9000]), trades(tmp_path, "aig", [2, 6000])]
    source = FileSource(open_files(paths), "usa")
    assert source.sessions == {"aig-20131007_trade+bac-20131007_trade": ("AIG", "BAC")}
    assert [FileSource(open_files([path]), "usa").name for path in paths] == [
        "bac-20131007_trade",
        "aig-20131007_trade",
    ]
