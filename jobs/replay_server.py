"""A recording served as the venue that it is of, on loopback: what `helios feed live` is pointed at to try it."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.live.replay_venue import Mischief, ReplayVenue
from pipelines.feeds.live.replayed_books import DIALECTS


def recorded(paths: Sequence[Path]) -> list[tuple[int, bytes]]:
    """The frames of captures in order of their receipt. Raises UnknownFormat, BrokenFile, OSError."""
    found: list[tuple[int, bytes]] = []
    for path in paths:
        for piece in open_frames(path).pieces():
            found += zip(piece.receive_ns, piece.frames, strict=True)
    return sorted(found, key=lambda one: one[0])


def serve(venue: str, paths: Sequence[Path], port: int, speed: float, mischief: Mischief, as_json: bool) -> None:
    """Serve until the recording is over, or SIGTERM or Ctrl-C. ValueError for a venue that is not known."""
    if venue not in DIALECTS:
        raise ValueError(f"venue {venue!r} cannot be served: there are {', '.join(DIALECTS)}")
    frames = recorded(paths)
    if not frames:
        raise ValueError(f"no frames in {', '.join(map(str, paths))}")
    replaying = ReplayVenue(DIALECTS[venue](), frames, speed, port, mischief)
    with suppress(asyncio.CancelledError):
        asyncio.run(_until_told(replaying, venue))
    if as_json:
        print(json.dumps(asdict(replaying.done)))
    else:
        print(", ".join(f"{name} {value}" for name, value in asdict(replaying.done).items()))


async def _until_told(replaying: ReplayVenue, venue: str) -> None:
    running = asyncio.create_task(replaying.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    while not replaying.port:
        await asyncio.sleep(0.01)
    at = f"{venue}=ws://127.0.0.1:{replaying.port},http://127.0.0.1:{replaying.port}"
    print(f"serving {len(replaying.frames):,} frames: helios feed live {venue}:SYMBOLS --at {at}", file=sys.stderr)
    try:
        await running
    finally:
        await replaying.close()
