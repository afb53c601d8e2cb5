"""Some streams of a Binance capture: what else was recorded is left out, but for frames that name no stream: what they
are is for the decoder to say."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece, UnknownFormat

STREAMS = ("bookTicker", "trade")
"""Replayed unless others are asked for."""

_STREAM = b'{"stream":"'


def of_streams(file: FrameFile, wanted: Sequence[str]) -> FrameFile:
    """The file with frames of the streams wanted (`bookTicker`, `trade`) and of no stream alone."""
    kept = frozenset((*wanted, ""))
    return replace(file, pieces=lambda: _kept(file, kept))


def left_out(file: FrameFile, wanted: Sequence[str]) -> dict[str, int]:
    """Frames of other streams, by stream, up to where the file breaks off. UnknownFormat where nothing is wanted of all
    there is."""
    found: Counter[str] = Counter()
    with suppress(BrokenFile):
        for piece in file.pieces():
            found.update(map(stream_of, piece.frames))
    others = {stream: count for stream, count in found.items() if stream and stream not in wanted}
    if others and not any(found[stream] for stream in wanted):
        there = ", ".join(f"{stream} ({count})" for stream, count in others.items())
        raise UnknownFormat(f"{file.path}: no frames of {', '.join(wanted)}: it has {there}")
    return others


def stream_of(frame: bytes) -> str:
    """The kind of a combined stream's frame: `btcusdt@depth@100ms` is depth. Empty for others."""
    if not frame.startswith(_STREAM):
        return ""
    name = frame[len(_STREAM) : frame.find(b'"', len(_STREAM))].decode(errors="replace")
    return name.partition("@")[2].partition("@")[0]


def _kept(file: FrameFile, kept: frozenset[str]) -> Iterator[Piece]:
    for piece in file.pieces():
        places = [place for place, frame in enumerate(piece.frames) if stream_of(frame) in kept]
        yield Piece(
            [piece.receive_ns[place] for place in places],
            [piece.frames[place] for place in places],
            [piece.places[place] for place in places],
        )
