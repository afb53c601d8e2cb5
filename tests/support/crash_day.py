"""A crash made from a recording: LEAN's files of a day, an hour of them, in which prices of some instruments fall.

    python -m tests.support.crash_day FOLDER --fall AIG=-0.08

Times of day are New York's, as in the files. Prices stay on whole cents.
"""

import argparse
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.lean_minutes import RECORDINGS

DAY = "20131008"
FILES = (
    *(f"equity_ticks/tick/{name}/{DAY}_{kind}.zip" for name in ("aig", "bac") for kind in ("quote", "trade")),
    *(f"equity_ticks/second/spy/{DAY}_{kind}.zip" for kind in ("quote", "trade")),
)
PRICES = {("tick", "quote"): (1, 3), ("tick", "trade"): (1,), ("second", "quote"): (1, 2, 3, 4, 6, 7, 8, 9)}
"""Columns that are prices; of second bars of trades the first four after the time."""
CENT = 100
"""LEAN's prices are in 1/10,000."""


def ms_of_day(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    return (60 * hour + minute) * 60_000


@dataclass(frozen=True, slots=True)
class Crash:
    """Prices are what they were until `begins_ms`, and `fall` of them less (a share by instrument, such as -0.08) from
    `ends_ms` on; between them in a straight line. Kept: rows from `from_ms` to before `until_ms`."""

    fall: Mapping[str, float]
    from_ms: int = ms_of_day("10:20")
    begins_ms: int = ms_of_day("11:00")
    ends_ms: int = ms_of_day("11:10")
    until_ms: int = ms_of_day("11:20")

    def factor(self, name: str, ms: int) -> float:
        done = min(1.0, max(0.0, (ms - self.begins_ms) / (self.ends_ms - self.begins_ms)))
        return 1.0 + self.fall.get(name, 0.0) * done


def recorded() -> bool:
    return all((RECORDINGS / file).is_file() for file in FILES)


def make(folder: Path, crash: Crash) -> list[Path]:
    """The files of the crash, in folders named as LEAN's are."""
    made = []
    for file in FILES:
        source, target = RECORDINGS / file, folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        resolution, name, kind = source.parts[-3], source.parts[-2].upper(), source.stem.partition("_")[2]
        columns = PRICES.get((resolution, kind), (1, 2, 3, 4))
        with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
            (member,) = archive.namelist()
            lines = archive.read(member).decode().splitlines()
            out.writestr(member, "\n".join(_fallen(lines, columns, name, crash)) + "\n")
        made.append(target)
    return made


def _fallen(lines: list[str], columns: tuple[int, ...], name: str, crash: Crash) -> Iterator[str]:
    for line in lines:
        ms = int(line.partition(",")[0])
        if not crash.from_ms <= ms < crash.until_ms:
            continue
        factor = crash.factor(name, ms)
        if factor == 1.0:
            yield line
            continue
        fields = line.split(",")
        for column in columns:
            fields[column] = str(round(int(fields[column]) * factor / CENT) * CENT)
        yield ",".join(fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fall", action="append", default=[], help="NAME=SHARE, such as AIG=-0.08")
    given = parser.parse_args()
    falls = {name: float(share) for name, _, share in (each.partition("=") for each in given.fall)}
    print(*make(given.folder, Crash(falls)), sep="\n")


if __name__ == "__main__":
    main()
