"""A file of frames: what every format gives, so that the same decoders read it as read a live feed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.domain.decoding import OpenDecoder


@dataclass(frozen=True, slots=True)
class Piece:
    """Some frames as they lie in a file. `receive_ns`: of each, UTC ns, 0 where the file does not say; `places`: of
    each, its line (from 1) or byte offset in the uncompressed file. `count`: messages in each where a frame holds
    many, as of binary feeds; None where every frame is one."""

    receive_ns: list[int]
    frames: list[bytes]
    places: list[int]
    count: list[int] | None = None


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A file opened as what it is. `pieces` gives its frames from the first on, at each call; where the file breaks off
    it gives all before and raises BrokenFile. `name`: what a session of it is called, where its path's last part does
    not tell it from others (every symbol of LEAN has a 20131007_trade.zip); empty where it does."""

    path: Path
    format: str
    venue: str
    protocol: OpenDecoder
    unit: Literal["line", "byte"]
    pieces: Callable[[], Iterator[Piece]]
    name: str = ""


class BrokenFile(ValueError):
    """Where a file breaks off or is no longer what it was: `place` (line or byte), and why."""

    def __init__(self, path: Path, unit: str, place: int, why: str) -> None:
        super().__init__(f"{path}: {unit} {place}: {why}")
        self.place = place
        self.why = why


class UnknownFormat(ValueError):
    """A file that is of no format known: says what it begins with, and which formats there are."""
