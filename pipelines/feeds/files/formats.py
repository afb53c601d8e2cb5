"""The formats of files, and a file opened as what it is. A further one is a module of this folder and a line here."""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType

import zstandard

from pipelines.feeds.files.frame_file import FrameFile, UnknownFormat

HEAD_BYTES = 64 * 1024
"""Of a file, uncompressed: what a format is recognised by."""

FORMATS = MappingProxyType(
    {
        "binance-ws": "captures",
        "coinbase-ws": "captures",
        "kraken-ws": "captures",
        "bitstamp-ws": "captures",
        "itch50": "itch50",
        "itch50-pcap": "pcap",
        "lean": "lean",
        "csv": "mapped",
        "parquet": "mapped",
    }
)
"""By name, the module that reads it: `recognise(path, head)` and `open_file(path, ...)`."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a file does not say itself. `day`: the session's date (ITCH); `mapping`: what its columns are (tables)."""

    day: date | None = None
    mapping: Path | None = None

    def options(self, module: str) -> dict[str, object]:
        """As a format's `open_file` takes it; what it has no use for is left out."""
        known: dict[str, dict[str, object]] = {"itch50": {"day": self.day}, "mapped": {"mapping": self.mapping}}
        return {name: value for name, value in known.get(module, {}).items() if value is not None}


NOTHING_TOLD = Told()


def open_frames(path: Path, name: str = "", told: Told = NOTHING_TOLD) -> FrameFile:
    """A file as the format of a name, or of what is in it. Raises UnknownFormat, and OSError where there is no file."""
    if name and name not in FORMATS:
        raise UnknownFormat(f"format {name!r} is not known: take of {', '.join(FORMATS)}")
    head = read_head(path)
    if not head:
        raise UnknownFormat(f"{path}: it is empty, or broken from its first byte on")
    for of in [FORMATS[name]] if name else dict.fromkeys(FORMATS.values()):
        module = _module(of)
        if name or module.recognise(path, head):
            opened: FrameFile = module.open_file(path, **told.options(of))
            return _checked(opened, name)
    raise UnknownFormat(f"{path}: begins with {head[:24]!r}: of no format known; name one: {', '.join(FORMATS)}")


def open_session(paths: Sequence[Path], name: str = "", venue: str = "", symbols: Collection[str] = ()) -> FrameFile:
    """Several files of one format as one session, merged as that format merges them. Raises UnknownFormat where it has
    no way to, or a file is of another format.

    `venue`: that all are of, where files say markets (LEAN's), which then may differ; `symbols`: these alone, of it.
    """
    opened = [open_frames(path, name) for path in paths]
    if {each.format for each in opened} == {"lean"} and (venue or symbols):
        of_lean: FrameFile = _module("lean").open_files(paths, venue, symbols)
        return of_lean
    if symbols:
        raise UnknownFormat(f"{opened[0].format}: files are read whole: leave the symbols out")
    if len(opened) == 1:
        return opened[0]
    found = {each.format for each in opened}
    if len(found) > 1:
        raise UnknownFormat(
            f"{', '.join(map(str, paths))}: are of {', '.join(sorted(found))}: give files of one format"
        )
    module = _module(FORMATS[opened[0].format])
    if not hasattr(module, "open_files"):
        raise UnknownFormat(f"{opened[0].format}: several files do not make one session: give them one at a time")
    merged: FrameFile = module.open_files(paths)
    return merged


def read_head(path: Path) -> bytes:
    """The first bytes of a file, uncompressed where it is gzip or zstd; as many as can be had of a broken one."""
    with path.open("rb") as file:
        raw = file.read(HEAD_BYTES)
    try:
        if raw.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(raw, HEAD_BYTES)
        if raw.startswith(b"\x28\xb5\x2f\xfd"):
            return zstandard.ZstdDecompressor().decompressobj().decompress(raw)[:HEAD_BYTES]
    except (zlib.error, zstandard.ZstdError):
        return b""
    return raw


def _checked(opened: FrameFile, name: str) -> FrameFile:
    if name and opened.format != name:
        raise UnknownFormat(f"{opened.path}: is {opened.format}, not {name}")
    return opened


def _module(name: str) -> ModuleType:
    return import_module(f"pipelines.feeds.files.{name}")
