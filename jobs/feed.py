"""A feed handler as a process: a source to its raw topic, stopped by SIGTERM, gone on with when started again."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.contracts.frames import RECORD, FramesCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.feeds.handler import Handled, Pace, handle
from pipelines.feeds.raw_log import RawLog, read_marks
from pipelines.feeds.source import Source


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a feed goes: Kafka (host:port), the schema registry's address, the prefix of the session's topics."""

    bootstrap: str
    registry_url: str
    prefix: str = ""


def run(source: Source, pace: Pace, to: Destination, quiet: bool = False) -> Handled:
    """Write a source to its topic, from where it is written to. SIGTERM and Ctrl-C stop it between two records."""
    registry = SchemaRegistry(to.registry_url)
    codec = FramesCodec(registry.ids()[RECORD], registry.schema)  # it may go on where a feed of another release ended
    topic = Topics(to.prefix).raw(source.venue)
    with stopped_by_signals() as stop, _drawn(quiet) as progress:
        marks = read_marks(to.bootstrap, topic, codec, source.sessions) if source.resumes else {}
        log = RawLog(to.bootstrap, topic, codec)
        task = progress.add_task(topic, total=source.expected_frames or None, note="")

        def report(handled: Handled) -> None:
            done = sum(handled.position.values())
            note = f"{handled.frames_per_second:,.0f}/s"
            progress.update(task, completed=done, total=max(done, source.expected_frames), note=note)

        try:
            return handle(source, log, marks, pace, stop, report)
        finally:
            log.close()


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, while in the block."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _drawn(quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal or "CI" in os.environ,
    )
