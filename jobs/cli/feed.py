"""helios feed: a source's frames, written to the raw topic of its venue."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.feeds.files.streams import STREAMS

if TYPE_CHECKING:
    from jobs.feed import Destination
    from pipelines.feeds.file_source import FileSource
    from pipelines.feeds.handler import Handled

app = typer.Typer(help="Feed handlers: write a venue's frames to its raw topic.", no_args_is_help=True)

Speed = Annotated[float, typer.Option(min=0, help="Event seconds in a second: 1 is real time, 0 as fast as it goes.")]
Linger = Annotated[float, typer.Option(min=0, help="Milliseconds a frame may wait to be written with others.")]
Prefix = Annotated[str, typer.Option(help="Of the session's topics.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka; the settings' if left out.")]
Registry = Annotated[str, typer.Option(help="Schema registry; the settings' if left out.")]
Skew = Annotated[float, typer.Option(help="The strategy's clock_skew_ms: venue's clock less ours.")]
Heartbeat = Annotated[float, typer.Option(min=1, help="Event time in which nothing was, then told.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]


class FeedError(RuntimeError):
    """Why a feed cannot run: a capture, an address or a parameter, and the way out."""


@app.command(epilog="Example: helios feed simulated --seed 1 --seconds 300 --speed 20 --strategy-out sim.yaml")
def simulated(
    seed: Annotated[int, typer.Option(help="The same seed and parameters give the same frames.")] = 1,
    instruments: Annotated[int, typer.Option(help="An even number: each two are a cointegrated pair.")] = 40,
    seconds: Annotated[float, typer.Option(help="Event time of the session.")] = 300.0,
    ticks_per_second: Annotated[float, typer.Option(help="Over all instruments.")] = 1000.0,
    shards: Annotated[int, typer.Option(help="Shards that the pairs are in; a feed session each.")] = 2,
    fault_rate: Annotated[float, typer.Option(help="Share of frames for each kind of fault.")] = 0.0005,
    venue: Annotated[str, typer.Option(help="Name of the venue, and so of its topic raw.<venue>.")] = "simulated",
    first: Annotated[int, typer.Option(min=0, help="Number of the first instrument: S000USDT where 0.")] = 0,
    listing: Annotated[
        int, typer.Option(min=0, help="Of the same instruments at the same prices; each with its own quotes.")
    ] = 0,
    heartbeat_ms: Heartbeat = 10.0,
    strategy_out: Annotated[Path | None, typer.Option(help="Write the session's strategy file here.")] = None,
    speed: Speed = 1.0,
    linger_ms: Linger = 2.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """A seeded session of cointegrated pairs in Binance's protocol, with gaps, duplicates, crossed and garbage."""
    from jobs.feed import run
    from pipelines.contracts.strategy_file import dump_strategy
    from pipelines.feeds.handler import Pace
    from pipelines.feeds.simulated import SimulatedSource, Simulation
    from pipelines.feeds.simulated_faults import FaultRates

    with told_plainly():
        simulation = Simulation(
            seed,
            instruments,
            seconds,
            ticks_per_second,
            shards,
            FaultRates.each(fault_rate),
            venue=venue,
            first=first,
            heartbeat_ns=int(heartbeat_ms * 1e6),
            listing=listing,
        )
        if strategy_out is not None:
            strategy_out.write_text(dump_strategy(simulation.strategy()))
        source = SimulatedSource(simulation)
        handled = run(source, Pace(speed, linger_ms), destination(prefix, bootstrap, registry), quiet=as_json)
    expected: dict[str, object] = {}
    if handled.finished:
        expected = {"ticks_expected": source.ticks_expected, "injected_faults": source.book.totals()}
    tell(handled, {"seed": seed} | expected, as_json)


@app.command(epilog="Example: helios feed recorded --venue binance-usdm --speed 20 captures/usdm_*.jsonl.gz")
def recorded(
    files: Annotated[list[Path], typer.Argument(help="Captures of one venue, as helios decode knows.", exists=True)],
    venue: Annotated[str, typer.Option(help="The strategy's name of the venue.")] = "binance",
    streams: Annotated[str, typer.Option(help="Of Binance's streams those to replay, with commas.")] = ",".join(
        STREAMS
    ),
    skew_ms: Skew = 0.0,
    heartbeat_ms: Heartbeat = 10.0,
    merged: Annotated[bool, typer.Option(help="All files as one session by receive time, or a session each.")] = True,
    speed: Speed = 1.0,
    linger_ms: Linger = 2.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Recorded WebSocket captures, at the speed they came or faster."""
    from jobs.feed import run
    from pipelines.feeds.file_source import FileSource, FileSources
    from pipelines.feeds.files.captures import open_files
    from pipelines.feeds.files.streams import left_out, of_streams
    from pipelines.feeds.handler import Pace

    wanted = tuple(streams.split(","))
    with told_plainly():
        apart = [open_files([file]) for file in files]
        skipped = {each.path.name: left_out(each, wanted) for each in apart}
        sessions = [of_streams(each, wanted) for each in ([open_files(files)] if merged else apart)]
        skew_ns, heartbeat_ns = int(skew_ms * 1e6), int(heartbeat_ms * 1e6)
        source = FileSources(tuple(FileSource(each, venue, skew_ns, heartbeat_ns) for each in sessions))
        warn_broken(*source.sources)
        handled = run(source, Pace(speed, linger_ms), destination(prefix, bootstrap, registry), quiet=as_json)
    tell(handled, {"frames_expected": source.expected_frames, "skipped": skipped}, as_json)


@app.command(epilog="Example: helios feed files --venue us --speed 0 equity/usa/tick/{aig,bac}/*.zip")
def files(
    paths: Annotated[list[Path], typer.Argument(help="Files of one format that helios decode knows.", exists=True)],
    venue: Annotated[str, typer.Option(help="The strategy's name of the venue.")],
    name: Annotated[str, typer.Option("--format", help="Of the files; recognised if left out.")] = "",
    symbols: Annotated[str, typer.Option(help="Of LEAN's files these symbols alone, with commas.")] = "",
    skew_ms: Skew = 0.0,
    heartbeat_ms: Heartbeat = 1000.0,
    speed: Speed = 0.0,
    linger_ms: Linger = 2.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Files of market data of any format (ITCH, LEAN, captures), several merged by time, as one session.

    LEAN's may be of several markets: all are of the venue, in one order of event time whatever the speed.
    """
    from jobs.feed import run
    from pipelines.feeds.file_source import FileSource
    from pipelines.feeds.files.formats import open_session
    from pipelines.feeds.handler import Pace

    with told_plainly():
        wanted = tuple(filter(None, symbols.split(",")))
        session = open_session(paths, name, venue, wanted)
        source = FileSource(session, venue, int(skew_ms * 1e6), int(heartbeat_ms * 1e6))
        warn_broken(source)
        handled = run(source, Pace(speed, linger_ms), destination(prefix, bootstrap, registry), quiet=as_json)
    tell(handled, {"frames_expected": source.expected_frames}, as_json)


@app.command(epilog="Example: helios feed live binance-usdm:BTCUSDT,ETHUSDT kraken:XBT/USD --record captures")
def live(
    venues: Annotated[list[str], typer.Argument(help="VENUE or VENUE:SYMBOL,SYMBOL; several at once.")],
    instruments: Annotated[str, typer.Option(help="Symbols of the venue as it writes them, with commas.")] = "",
    strategy: Annotated[Path | None, typer.Option(help="Take each venue's symbols from this strategy file.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write every frame, byte for byte, to files here.")] = None,
    only_record: Annotated[bool, typer.Option("--only-record", help="No Kafka: write files alone.")] = False,
    at: Annotated[list[str] | None, typer.Option(help="Elsewhere: VENUE=ws://HOST:PORT[,http://HOST:PORT].")] = None,
    quiet_s: Annotated[float, typer.Option(min=0.1, help="Alarm for a symbol not heard for so long.")] = 60.0,
    silent_s: Annotated[float, typer.Option(min=0, help="A connection silent so long is dead; 0: the venue's.")] = 0.0,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long; 0 for never.")] = 0.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Venues live: subscribe, keep books in step, reconnect; until Ctrl-C. A connection is a session of its own.

    Known venues: binance-spot, binance-usdm, coinbase, kraken. What goes wrong is told on stderr, with the venue.
    """
    from dataclasses import asdict

    from jobs.live import run
    from jobs.live_venues import live_configs
    from pipelines.contracts.strategy_file import load_strategy

    with told_plainly():
        if only_record and record is None:
            raise ValueError("--only-record wants --record FOLDER")
        loaded = load_strategy(strategy) if strategy is not None else None
        configs = live_configs(venues, instruments, loaded, record, at or (), quiet_s, silent_s)
        to = None if only_record else destination(prefix, bootstrap, registry)
        healths = run(configs, to, seconds, as_json)
    if as_json:
        print(json.dumps([asdict(health) for health in healths]))


@app.command(
    epilog="Example: helios feed serve binance-usdm usdm_btcusdt.jsonl.gz --port 9001 --speed 5 --drop-rate 0.001"
)
def serve(
    venue: Annotated[str, typer.Argument(help="The venue to be: binance-spot, binance-usdm, coinbase, kraken.")],
    files: Annotated[list[Path], typer.Argument(help="Captures of it.", exists=True)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 for one that is free.")] = 0,
    speed: Annotated[float, typer.Option(min=0.01, help="Recorded seconds in a second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of what goes wrong.")] = 1,
    drop_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of frames never sent.")] = 0.0,
    garbage_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of frames that garbage comes before.")] = 0.0,
    stall_every: Annotated[float, typer.Option(min=0, help="Fall silent every so many seconds; 0 for never.")] = 0.0,
    kill_every: Annotated[float, typer.Option(min=0, help="Fall over every so many seconds; 0 for never.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """A recording served as its venue, for `helios feed live` to be tried on; it can lose, stall and fall over."""
    from jobs.replay_server import serve as run
    from pipelines.feeds.live.replay_venue import Mischief

    mischief = Mischief(seed, drop_rate, garbage_rate, stall_every, kill_every_s=kill_every)
    with told_plainly():
        run(venue, files, port, speed, mischief, as_json)


@app.command(epilog="Example: helios feed spoil usdm_btcusdt.jsonl.gz --out spoiled.jsonl.gz --each 20 --seed 1")
def spoil(
    file: Annotated[Path, typer.Argument(help="A Binance capture: gzip, lines `<receive ns> <frame>`.", exists=True)],
    out: Annotated[Path, typer.Option(help="The spoiled capture; the faults go to OUT.faults.json beside it.")],
    each: Annotated[int, typer.Option(min=1, help="Faults of every kind.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed puts the same faults.")] = 1,
    as_json: AsJson = False,
) -> None:
    """A recording with faults put in, each noted with its line: to see what quality finds."""
    import gzip
    from collections import Counter

    from pipelines.feeds.files.captures import read_frames
    from pipelines.feeds.spoiled import spoil as put_in

    with told_plainly():
        lines, injected = put_in([(line.receive_ns, line.frame) for line in read_frames(file)], seed, each)
    with gzip.open(out, "wb") as written:
        written.writelines(b"%d %b\n" % line for line in lines)
    notes = [{"line": one.line, "reason": one.reason.value, "symbol": one.symbol} for one in injected]
    out.with_name(f"{out.name}.faults.json").write_text(json.dumps(notes, indent=1))
    counts = dict(Counter(one.reason.value for one in injected))
    print(json.dumps({"frames": len(lines), "faults": counts} if as_json else counts))


def destination(prefix: str, bootstrap: str, registry: str) -> "Destination":
    """Where to write: the addresses given, or the settings'."""
    from infra.settings import load_settings
    from jobs.feed import Destination

    settings = load_settings()
    return Destination(bootstrap or settings.kafka.bootstrap, registry or settings.registry.url, prefix)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Faults of what was given, or of a service, as a FeedError: their message says all."""
    from pipelines.contracts.registry import RegistryError
    from pipelines.feeds.raw_log import LogError

    try:
        yield
    except (ValueError, LogError, RegistryError) as error:
        raise FeedError(str(error)) from error
    except OSError as error:
        raise FeedError(f"{error.filename or 'feed'}: {error.strerror or error}") from error


def warn_broken(*sources: "FileSource") -> None:
    """What is in a file before it breaks off is replayed; that it breaks off is said."""
    for source in sources:
        if source.broken:
            print(f"helios: {source.broken}: what is before is replayed", file=sys.stderr)


def tell(handled: "Handled", more: dict[str, object], as_json: bool) -> None:
    """The summary: an object for programs, lines for people. `frames`: of the sessions since their start."""
    summary: dict[str, object] = {
        "venue": handled.venue,
        "finished": handled.finished,
        "frames": sum(handled.position.values()),
        "frames_this_run": handled.frames,
        "records_this_run": handled.records,
        "sessions": handled.position,
        "last_event_ns": handled.event_ns,
        "seconds": round(handled.seconds, 3),
        "frames_per_second": round(handled.frames_per_second),
    }
    summary |= more
    if as_json:
        json.dump(summary, sys.stdout)
        print()
        return
    for name, value in summary.items():
        print(f"{name:18}{json.dumps(value) if isinstance(value, dict) else value}")
