"""LEAN's data files (QuantConnect): zips of ticks and bars, one or many of them as one feed session."""

from collections.abc import Collection, Sequence
from os.path import commonpath
from pathlib import Path

from pipelines.feeds.files.frame_file import FrameFile, UnknownFormat
from pipelines.feeds.files.lean_archive import Member, is_lean, members
from pipelines.feeds.files.lean_merge import merged
from pipelines.feeds.protocols.lean.decoder import Lean


def recognise(path: Path, head: bytes) -> bool:
    """Whether it is a zip file of CSV files alone."""
    return head.startswith(b"PK\x03\x04") and is_lean(path)


def open_file(path: Path) -> FrameFile:
    """One archive; the streams in it, as the expiries of a future, in one order of event time."""
    return open_files([path])


def open_files(paths: Sequence[Path], venue: str = "", symbols: Collection[str] = ()) -> FrameFile:
    """Archives of one market as one session, merged by event time. At one time quotes come before trades.

    With `venue` they are all of it, and may be of several markets, as long as a symbol is of one alone. `symbols`: what
    else is in them is left out, as other expiries. Raises UnknownFormat where a file is none of LEAN's, is of
    another market, or nothing is left.
    """
    if not paths:
        raise UnknownFormat("no LEAN files: name at least one")
    found = [member for path in sorted(set(paths)) for member in members(path)]
    if symbols:
        found = _of_symbols(found, symbols)
    if venue:
        _check_symbols(found)
    else:
        _check_market(found)
    found.sort(key=lambda member: (member.stream.kind != "quote", member.stream.symbol))
    ordered = sorted(set(paths))
    path = ordered[0] if len(ordered) == 1 else Path(commonpath([each.absolute() for each in ordered]))
    of = venue or found[0].stream.market
    return FrameFile(path, "lean", of, Lean, "line", lambda: merged(found), _name(ordered))


def _of_symbols(found: list[Member], symbols: Collection[str]) -> list[Member]:
    there = sorted({member.stream.symbol for member in found})
    if lacking := sorted(set(symbols) - set(there)):
        raise UnknownFormat(f"no {', '.join(lacking)} in these files: there is {', '.join(there)}")
    return [member for member in found if member.stream.symbol in symbols]


def _check_market(found: list[Member]) -> None:
    markets = {(member.stream.asset, member.stream.market): member.path for member in found}
    if len(markets) > 1:
        told = ", ".join(f"{path} is {asset}/{market}" for (asset, market), path in markets.items())
        raise UnknownFormat(f"files of several markets cannot be one session: {told}")


def _check_symbols(found: list[Member]) -> None:
    markets: dict[str, tuple[str, str]] = {}
    for member in found:
        stream = member.stream
        first = markets.setdefault(stream.symbol, (stream.asset, stream.market))
        if first != (stream.asset, stream.market):
            told = f"{'/'.join(first)} and {stream.asset}/{stream.market}"
            raise UnknownFormat(f"{member.path}: {stream.symbol} is of {told}: one venue has a symbol once")


def _name(paths: Sequence[Path]) -> str:
    """By symbol and file, as LEAN's folders have them: `aig-20131007_trade`, with a + between several."""
    return "+".join(f"{path.absolute().parent.name}-{path.stem}" for path in paths)
