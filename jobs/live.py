"""Live feed handlers as one process: a venue a thread, until SIGTERM or Ctrl-C; how they do, told as it goes."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.live import Live
from rich.table import Table

from jobs.feed import Destination, stopped_by_signals
from pipelines.contracts.frames import RECORD, FramesCodec, RawFrames
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.feeds.handler import Handled, Log, handle
from pipelines.feeds.live.reader import Health, LiveConfig
from pipelines.feeds.live.source import LiveSource
from pipelines.feeds.raw_log import RawLog

TELL_S = 10.0
"""Between two lines for programs."""


class NoLog:
    """Where records go when frames are only to be recorded."""

    def write(self, record: RawFrames) -> None:
        """Nothing to do: the connection has it on disk."""

    def flush(self) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Nothing to close."""


def run(configs: Sequence[LiveConfig], to: Destination | None, seconds: float, as_json: bool) -> list[Health]:
    """Read venues until told to stop, or for so many seconds (0: no end). `to`: None to record only.

    Raises LogError and RegistryError; a venue that is away is waited for.
    """
    codec = FramesCodec(SchemaRegistry(to.registry_url).ids()[RECORD]) if to is not None else None
    with stopped_by_signals() as stop:
        sources = [LiveSource(config, stop) for config in configs]
        faults: list[BaseException] = []
        threads = []
        for source in sources:
            opened = RawLog(to.bootstrap, Topics(to.prefix).raw(source.venue), codec) if to and codec else NoLog()
            threads.append(threading.Thread(target=_handle, args=(source, opened, faults, stop), name=source.venue))
        for thread in threads:
            thread.start()
        with _told([source.health for source in sources], as_json) as tell:
            until = time.monotonic() + seconds if seconds else float("inf")
            while not stop.wait(0.5):
                tell()
                if time.monotonic() > until:
                    stop.set()
        for thread in threads:
            thread.join(timeout=30)
    if faults:
        raise faults[0]
    return [source.health for source in sources]


def _handle(source: LiveSource, log: RawLog | NoLog, faults: list[BaseException], stop: threading.Event) -> None:
    """One venue's handler; its fault ends all, so that a supervisor sees it."""
    writing: Log = log
    try:
        handle(source, writing, {}, stop=stop, report=_nothing)
    except BaseException as error:
        faults.append(error)
        stop.set()
    finally:
        log.close()


def _nothing(handled: Handled) -> None:
    """Health tells more."""


@contextmanager
def _told(healths: Sequence[Health], as_json: bool) -> Iterator[Callable[[], None]]:
    """A table on a terminal; else a line of JSON now and then where asked for, besides the log of what went wrong."""
    console = Console(stderr=True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("helios.feed")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    told_s = time.monotonic()

    def line() -> None:
        nonlocal told_s
        if as_json and time.monotonic() - told_s >= TELL_S:
            told_s = time.monotonic()
            print(json.dumps([asdict(health) for health in healths]), flush=True)

    try:
        if as_json or not console.is_terminal:
            yield line
            return
        with Live(console=console, refresh_per_second=2, transient=False) as live:
            yield lambda: live.update(_table(healths))
    finally:
        log.removeHandler(handler)


def _table(healths: Sequence[Health]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("venue", "state", "frames", "last frame", "gaps", "undecodable", "drops", "books lost", "quiet"):
        table.add_column(name, justify="left" if name in ("venue", "state", "books lost", "quiet") else "right")
    for health in healths:
        age_s = (time.time_ns() - health.last_frame_ns) / 1e9 if health.last_frame_ns else None
        state = "connected" if health.connected else f"[red]away: {health.last_drop or 'connecting'}"
        table.add_row(
            health.venue,
            state,
            f"{health.frames:,}",
            f"{age_s:.1f} s ago" if age_s is not None else "-",
            str(health.gaps),
            str(health.undecodable),
            str(health.drops),
            ", ".join(health.books_lost) or "-",
            ", ".join(health.quiet) or "-",
        )
    return table
