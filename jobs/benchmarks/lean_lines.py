"""Lines of LEAN's ticks a second of one core, from zip to rows, beside pandas.read_csv of the same zip in the same run.

Seconds are of the processor, so that others on the machine change little. Both open the archive and take its text
apart. Ours also checks every line, puts them in order of event time, and makes rows of them: UTC times, prices in
dollars, conditions, the best bid and ask; pandas gives columns as they are written.
"""

import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.domain.decoding import Discovered
from pipelines.feeds.files.lean import open_files
from pipelines.feeds.files.lean_archive import Member, members
from pipelines.feeds.protocols.lean.stream import Column

GENERATED_LINES = 400_000


def measure(
    paths: Sequence[Path] = (), lines: int = GENERATED_LINES, seed: int = 1, runs: int = 3
) -> dict[str, object]:
    """Read archives, or a generated day of quotes where none are given. The best of some runs counts, of each reader.

    UnknownFormat where a file is none of LEAN's; RuntimeError where the two do not see the same number of lines.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = list(paths) or [generate(Path(folder), lines, seed)]
        _ours(files)  # compiles the kernels
        ours = min(_ours(files) for _ in range(runs))
        decoding = min(_decoding(files) for _ in range(runs))
        found = [member for path in files for member in members(path)]
        theirs = min(_pandas(found) for _ in range(runs))
    if not ours[1] == theirs[1] == decoding[1]:
        raise RuntimeError(f"lines: {ours[1]:,} by ours, {theirs[1]:,} by pandas")
    return {
        "files": len(files),
        "generated": not paths,
        "lines": ours[1],
        "lines_per_second": round(ours[1] / ours[0]),
        "decoding_lines_per_second": round(ours[1] / decoding[0]),
        "pandas_lines_per_second": round(ours[1] / theirs[0]),
        "ratio_to_pandas": round(theirs[0] / ours[0], 2),
    }


def generate(folder: Path, lines: int, seed: int) -> Path:
    """A day of a best bid and ask that walk at random, as LEAN writes them: in twos, in whole 1/10,000."""
    rng = np.random.default_rng(seed)
    twos = lines // 2
    times = np.sort(rng.integers(34_200_000, 57_600_000, twos)).tolist()
    bids = (480_000 + 100 * rng.integers(-1, 2, twos).cumsum()).tolist()
    sizes = (100 * rng.integers(1, 50, (2, twos))).tolist()
    places = rng.choice(list("NQPZKJ"), (2, twos)).tolist()
    text = "".join(
        f"{at},{bid},{bid_size},0,0,{one},1,0\n{at},0,0,{bid + 100},{ask_size},{other},1,0\n"
        for at, bid, bid_size, ask_size, one, other in zip(times, bids, *sizes, *places, strict=True)
    )
    path = folder / "equity/usa/tick/gen/20131007_quote.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("20131007_gen_Quote_Tick.csv", text)
    return path


def _ours(files: Sequence[Path]) -> tuple[float, int]:
    """Seconds and lines, from archives to rows."""
    began = time.process_time()
    opened = open_files(files)
    decoder, count = opened.protocol(Discovered()), 0
    for piece in opened.pieces():
        found = decoder.decode(piece.frames, piece.receive_ns)
        count += sum(found.messages.values()) + len(found.faults)
    return time.process_time() - began, count


def _decoding(files: Sequence[Path]) -> tuple[float, int]:
    """Seconds and lines, from frames to rows: what the market job does."""
    opened = open_files(files)
    decoder, count, seconds = opened.protocol(Discovered()), 0, 0.0
    for piece in opened.pieces():
        began = time.process_time()
        found = decoder.decode(piece.frames, piece.receive_ns)
        seconds += time.process_time() - began
        count += sum(found.messages.values()) + len(found.faults)
    return seconds, count


def _pandas(found: Sequence[Member]) -> tuple[float, int]:
    """Seconds and lines, from archives to columns."""
    import pandas as pd

    text = (Column.LETTER, Column.FLAGS, Column.WORD, Column.DATED)
    began, count = time.process_time(), 0
    for member in found:
        names = [name for name, _ in member.stream.fields]
        types = {name: str for name, column in member.stream.fields if column in text}
        with zipfile.ZipFile(member.path) as archive, archive.open(member.name) as file:
            count += len(pd.read_csv(file, names=names, dtype=types))
    return time.process_time() - began, count
