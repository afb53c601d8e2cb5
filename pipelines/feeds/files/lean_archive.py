"""LEAN's zip files: what streams are in them by path and name, and their lines in blocks, safe against broken archives.

Paths as LEAN has them: `equity/usa/tick/aig/20131007_trade.zip`. Where only the lower part is there, the names of the
CSV files in it say the rest (`20131007_es_minute_trade_201312.csv`); a folder may be named after an asset class
(`fx_ticks`). Never trusted: sizes, names, times and lines in an archive.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat
from pipelines.feeds.protocols.lean.stream import (
    ASSETS,
    KINDS,
    RESOLUTIONS,
    TIME_ZONES,
    LeanStream,
    StreamError,
    read_day,
)

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 4096

MOST_BYTES = 8 << 30
"""Of a member, uncompressed. The largest known day of quotes is a tenth of it."""
MOST_RATIO = 200
"""Of uncompressed to compressed. LEAN's files have 8 to 15; a bomb of zeros 1,000."""
FREE_BYTES = 1 << 20
"""A member up to this size may have any ratio."""
MOST_MEMBERS = 2000

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What zipfile raises for an archive that is none, or no longer one."""

_ASSET_WORDS: Mapping[str, str] = MappingProxyType(
    {asset: asset for asset in ASSETS} | {"equities": "equity", "futures": "future", "fx": "forex", "cryptos": "crypto"}
)
_ASSET_OF: Mapping[str, str] = MappingProxyType({market: asset for asset, market in reversed(list(TIME_ZONES))})


@dataclass(frozen=True, slots=True)
class Member:
    """One CSV of an archive."""

    path: Path
    name: str
    stream: LeanStream


def members(path: Path) -> list[Member]:
    """The streams in an archive, by name. Raises UnknownFormat where it is none of LEAN's, with why."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = [info for info in archive.infolist() if not info.filename.endswith("/")]  # is_dir() wants a name
    except BROKEN as error:
        raise UnknownFormat(f"{path}: no zip file that can be read: {_told(error)}") from error
    if not listed or len(listed) > MOST_MEMBERS:
        raise UnknownFormat(f"{path}: {len(listed)} files in it, expected 1 to {MOST_MEMBERS}")
    for info in listed:
        _check_size(path, info)
    try:
        return [Member(path, info.filename, stream_of(path, info.filename)) for info in listed]
    except StreamError as error:
        raise UnknownFormat(f"{path}: {error}") from error


def is_lean(path: Path) -> bool:
    """Whether a zip file holds CSV files alone, as LEAN's do."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except BROKEN:
        return False
    return bool(names) and all(name.lower().endswith(".csv") for name in names)


def stream_of(path: Path, name: str) -> LeanStream:
    """What a CSV of an archive is. StreamError says what its path and name do not tell."""
    if not re.fullmatch(r"[A-Za-z0-9._ -]{1,128}\.csv", name):
        raise StreamError(f"{name[:80]!r}: expected a name as 20131007_aig_minute_trade.csv")
    words = name[:-4].lower().split("_")
    folders = [part.lower() for part in path.absolute().parent.parts]
    day = read_day(words.pop(0)) if re.fullmatch(r"[0-9]{8}", words[0]) and len(words) > 1 else None
    symbol, rest = words[0], words[1:]
    kind = next((word for word in rest if word in KINDS), "")
    named = next((word for word in rest if word in RESOLUTIONS), "")
    expiry = next((word for word in rest if re.fullmatch(r"[0-9]{6}(?:[0-9]{2})?", word)), "")
    if strange := [word for word in rest if word not in (kind, named, expiry)]:
        raise StreamError(f"{name}: {strange[0]!r}: no part of a name that is known")
    resolution = named or next((part for part in reversed(folders) if part in RESOLUTIONS), "")
    if not resolution and day is None:
        resolution = "hour" if any("hour" in part.split("_") for part in folders) else "daily"
    if not resolution:
        raise StreamError(f"{name}: tick, second or minute? Put it below a folder of that name")
    asset, market = _market(folders, expiry, day is None and path.stem.lower() == symbol)
    kind = kind or ("quote" if asset in ("forex", "cfd") else "trade")
    if asset == "future" and not expiry:
        raise StreamError(f"{name}: expected the month of expiry at its end, as 20131007_es_minute_trade_201312.csv")
    return LeanStream(asset, market, resolution, kind, day, (symbol + expiry).upper())


def _market(folders: list[str], expiry: str, undivided: bool) -> tuple[str, str]:
    """Asset class and market. `undivided`: an hourly or daily file whose name says no kind, as equities have."""
    words = [word for part in folders for word in re.split(r"[_-]", part)]
    asset = next((_ASSET_WORDS[word] for word in reversed(words) if word in _ASSET_WORDS), "")
    market = next((part for part in reversed(folders) if any(part == known for _, known in TIME_ZONES)), "")
    whole = next((at for at, part in enumerate(folders) if part in ASSETS), len(folders))
    if whole + 1 < len(folders) and folders[whole + 1] not in (market, *RESOLUTIONS):
        market = folders[whole + 1]  # of LEAN's own folders, the one below an asset class is the market
    asset = asset or _ASSET_OF.get(market, "") or ("future" if expiry else "equity" if undivided else "")
    if not asset:
        raise StreamError("of what asset class? Put it below folders as equity/usa/minute/aig")
    of_asset = [known for named, known in TIME_ZONES if named == asset]
    if market and market not in of_asset:
        raise StreamError(f"{asset}/{market}: no market whose files can be read: there is {', '.join(of_asset)}")
    if not market and asset not in ("equity", "future", "forex"):
        raise StreamError(f"of which market? Put it below a folder as {asset}/{of_asset[0]}")
    return asset, market or of_asset[0]


def blocks(member: Member) -> Iterator[bytes]:
    """The lines of a CSV in blocks of whole lines, about `BLOCK_BYTES` each. Where it breaks off, all before is given,
    and BrokenFile raised."""
    line, broken, ended = 1, "", False
    held = bytearray()
    try:
        with zipfile.ZipFile(member.path) as archive, cast(zipfile.ZipExtFile, archive.open(member.name)) as file:
            while not ended and not broken:
                try:
                    read = file.read1(BLOCK_BYTES)  # little at a time: what it has read when it fails is lost
                except BROKEN as error:
                    read, broken = b"", _told(error)
                ended = not read
                held += read
                if len(held) < BLOCK_BYTES and not ended:
                    continue
                end = held.rfind(b"\n") + 1
                if len(held) - end > LONGEST_LINE:
                    broken = f"{len(held) - end} bytes and no end of a line"
                if ended and not broken and end < len(held):
                    held += b"\n"
                    end = len(held)
                if end:
                    block = bytes(held[:end])
                    del held[:end]
                    yield block
                    line += block.count(b"\n")
    except BROKEN as error:
        broken = _told(error)
    if broken:
        raise BrokenFile(member.path, "line", line, f"{member.name}: {broken}")


def _check_size(path: Path, info: zipfile.ZipInfo) -> None:
    allowed = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * info.compress_size))
    if info.file_size > allowed:
        raise UnknownFormat(
            f"{path}: {info.filename[:80]!r} says it is {info.file_size:,} bytes, {info.compress_size:,} compressed: "
            f"{allowed:,} at most"
        )
    if info.flag_bits & 1:
        raise UnknownFormat(f"{path}: {info.filename[:80]!r} is encrypted: unpack it first")


def _told(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
