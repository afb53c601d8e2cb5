"""Recorded files of any format, traded by a strategy that says what is in them."""

from collections.abc import Sequence
from pathlib import Path

from jobs.demo import DemoError, FeedCommand
from jobs.demo_plans import LINGER_MS
from jobs.session import SessionPlan
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.normalise import Listing
from pipelines.domain.universe import Strategy, Venue
from pipelines.feeds.file_source import FileSource
from pipelines.feeds.files.captures import open_files
from pipelines.feeds.files.formats import open_frames, open_session
from pipelines.feeds.files.frame_file import FrameFile
from pipelines.feeds.files.reading import read_through
from pipelines.feeds.files.streams import STREAMS, of_streams

BEATS_PER_S = 50
"""Records a second, by the wall, in which a file's quiet hours tell the time."""


def replayed_plan(strategy_file: Path, files: Sequence[Path], speed: float) -> tuple[SessionPlan, FeedCommand]:
    """A session of a strategy over files: captures of its venue, or files that `helios feed files` sends.

    Raises DemoError where they do not go together, StrategyError.
    """
    strategy = load_strategy(strategy_file)
    if not files:
        raise DemoError("--strategy: give --replay FILES, that the strategy is to trade in")
    if len(strategy.venues) != 1:
        named = ", ".join(venue.name for venue in strategy.venues)
        raise DemoError(f"{strategy_file}: venues {named}: files are one feed: name one venue that has all instruments")
    venue = strategy.venues[0]
    try:
        if open_frames(files[0]).format.endswith("-ws"):
            feed = _captures(venue, files, speed)
        else:
            feed = _files(strategy, venue, files, speed)
    except (ValueError, OSError) as error:
        raise DemoError(f"--replay: {error}") from None
    return SessionPlan(strategy_file), feed


def _captures(venue: Venue, files: Sequence[Path], speed: float) -> FeedCommand:
    source = FileSource(of_streams(open_files(files), STREAMS), venue.name, venue.clock_skew_ns)
    return FeedCommand(("recorded", *_words(venue, files, speed)), source.expected_frames)


def _files(strategy: Strategy, venue: Venue, files: Sequence[Path], speed: float) -> FeedCommand:
    of_lean = open_frames(files[0]).format == "lean"
    symbols = tuple(instrument.symbol for instrument in strategy.instruments) if of_lean else ()
    opened: FrameFile = open_session(files, "", venue.name, symbols)
    source = FileSource(opened, venue.name, venue.clock_skew_ns)
    found = read_through(opened, Listing.of(strategy, venue.name))
    words = (*_words(venue, files, speed), "--heartbeat-ms", f"{max(1000.0, speed * 1000 / BEATS_PER_S):g}")
    only = ("--symbols", ",".join(symbols)) if of_lean else ()
    return FeedCommand(("files", *words, *only), source.expected_frames, found.ticks["quote"] + found.ticks["trade"])


def _words(venue: Venue, files: Sequence[Path], speed: float) -> tuple[str, ...]:
    words = ("--venue", venue.name, "--skew-ms", str(venue.clock_skew_ns / NS_PER_MS), "--speed", str(speed))
    return (*map(str, (file.absolute() for file in files)), *words, "--linger-ms", str(LINGER_MS))
