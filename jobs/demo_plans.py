"""What a demo trades: a simulated market with its strategy, or two recorded instruments and the pair they make."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.settings import Settings
from jobs.demo import DemoError, FeedCommand
from jobs.operator_key import own, user
from jobs.session import SessionPlan
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.stress_file import load_stress
from pipelines.domain.market import NS_PER_MS, Kind
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.spread_model import Every
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, SignalUse, Sizing, Strategy, Venue
from pipelines.feeds.file_source import FileSource
from pipelines.feeds.files.captures import open_files
from pipelines.feeds.files.streams import STREAMS, of_streams
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.simulated import Simulation
from pipelines.feeds.simulated_closes import daily_closes
from pipelines.feeds.source import HEARTBEAT_NS

SKEW_NS = 1_270_000_000
"""How far the recorder's clock ran behind the venue's in the captures of 2024-08-08."""

LINGER_MS, USUAL_SPEED = 10.0, 4.0
"""A demo shares two cores with its whole cluster: records five times as large as a live feed's cost a fifth."""

SIGNAL = "sql/signals/pair_reversion.sql"

CLOSES = 520
"""Closing prices of two years of trading days."""

CAPITAL = 1_000_000.0

STRESS = """crash: {{all: -0.1}}
one alone: {{instruments: {{{first}: -0.2}}}}
"""


def linger_ms(speed: float) -> float:
    """How long a frame of a simulation waits for others: above the usual speed, frames come more at a time and not in
    more records."""
    return LINGER_MS * max(1.0, speed / USUAL_SPEED)


def simulated_plan(
    settings: Settings,
    seed: int,
    instruments: int,
    seconds: float,
    ticks_per_second: float,
    speed: float,
    venues: int = 1,
    cross_listed: bool = False,
) -> tuple[SessionPlan, FeedCommand]:
    """The simulation's own strategy, and the feeds that speak its venues' protocol: each venue has its share of the
    instruments, and where there are several a shard and a seed of its own. `cross_listed`: each has all of them."""
    try:
        simulations = _simulations(seed, instruments, seconds, ticks_per_second, venues, speed, cross_listed)
    except ValueError as error:
        raise DemoError(f"demo: {error}") from None
    expected = sum(each.events(shard) for each in simulations for shard in range(each.shards))
    strategy = _together(simulations)
    one = simulations[0]
    rare_ms = round(6_000 * one.instruments / one.ticks_per_second)  # six times what is usual between two of its quotes
    limits = replace(strategy.limits, stale_marks_ms=max(strategy.limits.stale_marks_ms, rare_ms))
    strategy = replace(strategy, limits=limits, risk=_risk(settings, simulations))
    plan = SessionPlan(_written(settings, strategy), seed=seed)
    first, *rest = (_feed_of(each, speed) for each in simulations)
    return plan, FeedCommand(first, expected, beside=tuple(rest))


def _simulations(
    seed: int, instruments: int, seconds: float, rate: float, venues: int, speed: float, cross_listed: bool
) -> list[Simulation]:
    if venues == 1:
        return [Simulation(seed, instruments, seconds, rate)]
    share, rest = (instruments, 0) if cross_listed else divmod(instruments, venues)
    if rest:
        raise ValueError(f"instruments: {instruments} on {venues} venues: give a multiple of {2 * venues}")
    beat_ns = round(HEARTBEAT_NS * max(1.0, speed))  # as often in wall time as one does at its own pace
    return [
        Simulation(
            seed if cross_listed else seed + place,
            share,
            seconds,
            rate / venues,
            1,
            venue=f"venue{place + 1}",
            first=0 if cross_listed else place * share,
            heartbeat_ns=beat_ns,
            listing=place if cross_listed else 0,
        )
        for place in range(venues)
    ]


def _together(simulations: Sequence[Simulation]) -> Strategy:
    """One strategy of several simulations, a shard each; of one alone its own. Of several listings of the same it has
    the pairs of the first, all in one shard: an order of theirs is worked over all."""
    first, *rest = (each.strategy() for each in simulations)
    if not rest:
        return first
    parts = (first, *rest)
    listed = any(each.listing for each in simulations)
    pairs = first.pairs if listed else (replace(p, shard=place) for place, part in enumerate(parts) for p in part.pairs)
    return replace(
        first,
        name="simulated",
        shards=1 if listed else len(parts),
        venues=tuple(venue for part in parts for venue in part.venues),
        instruments=tuple(each for part in parts for each in part.instruments),
        pairs=tuple(pairs),
    )


def _feed_of(simulation: Simulation, speed: float) -> tuple[str, ...]:
    arguments = {
        "--seed": simulation.seed,
        "--instruments": simulation.instruments,
        "--seconds": simulation.seconds,
        "--ticks-per-second": simulation.ticks_per_second,
        "--shards": simulation.shards,
        "--venue": simulation.venue,
        "--first": simulation.first,
        "--listing": simulation.listing,
        "--heartbeat-ms": simulation.heartbeat_ns / NS_PER_MS,
        "--speed": speed,
        "--linger-ms": linger_ms(speed),
    }
    return ("simulated", *(str(word) for pair in arguments.items() for word in pair))


def _risk(settings: Settings, simulations: Sequence[Simulation]) -> RiskSettings:
    """Two years of closing prices to look back on, and two scenarios: files beside the strategy's."""
    folder = settings.home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    closes: dict[str, NDArray[np.float64]] = {}
    for simulation in simulations:
        times, found = daily_closes(simulation, CLOSES)
        closes |= found
    names = sorted(closes)
    rows = zip(times, *(closes[name].tolist() for name in names), strict=True)
    lines = [",".join(["time", *names]), *(",".join([at.isoformat(), *map(str, row)]) for at, *row in rows)]
    (folder / "closes.csv").write_text("\n".join(lines) + "\n")
    (folder / "stress.yaml").write_text(STRESS.format(first=names[0]))
    return RiskSettings(
        capital=CAPITAL,
        history=str(folder / "closes.csv"),
        stress=str(folder / "stress.yaml"),
        scenarios=load_stress(folder / "stress.yaml", names, ["USD"]),
    )


def recorded_plan(settings: Settings, files: Sequence[Path], speed: float) -> tuple[SessionPlan, FeedCommand]:
    """Two captures of one venue as a pair, hedged by the ratio of their first prices."""
    if len(files) != 2:
        raise DemoError(f"--replay: {len(files)} captures given: give two, whose instruments become a pair")
    try:
        source = FileSource(of_streams(open_files(files), STREAMS), "binance", SKEW_NS)
    except (ValueError, OSError) as error:
        raise DemoError(f"--replay: {error}") from None
    symbols = source.sessions[source.name]
    if len(symbols) != 2:
        raise DemoError(f"--replay: {', '.join(symbols)}: give two captures of one instrument each")
    prices = _first_prices(source, symbols)
    a, b = sorted(symbols, key=lambda symbol: prices[symbol], reverse=True)
    strategy = Strategy(
        name="recorded",
        account="paper",
        shards=1,
        venues=(Venue("binance", "binance", SKEW_NS),),
        instruments=tuple(Instrument(symbol, "binance", symbol, 0.01, 0.001, "USDT") for symbol in (a, b)),
        pairs=(Pair(f"{a}-{b}", a, b, round(prices[a] / prices[b], 4), 0),),
        moments=Moments(every=Every.TICK),
        signals=(SignalUse(SIGNAL, {}, "pair_reversion"),),
        sizing=Sizing(leg_notional=10_000),
        limits=Limits(position_lots=1_000_000, stale_marks_ms=5_000),
    )
    words = ("recorded", *map(str, files), "--venue", "binance", "--skew-ms", str(SKEW_NS / 1e6), "--speed", str(speed))
    words += ("--linger-ms", str(LINGER_MS))
    return SessionPlan(_written(settings, strategy)), FeedCommand(words, source.expected_frames)


def _first_prices(source: FileSource, symbols: Sequence[str]) -> dict[str, float]:
    """The first bid of each instrument."""
    index = {symbol: number for number, symbol in enumerate(symbols)}
    decoder = Binance(index)
    prices: dict[str, float] = {}
    for batch in source.batches({}):
        if not batch.record.frames:
            continue
        rows = decoder.decode(batch.record.frames, batch.record.receive_ns).rows
        for symbol, number in index.items():
            quotes = rows[(rows["instrument"] == number) & (rows["kind"] == Kind.QUOTE)]
            if len(quotes):
                prices.setdefault(symbol, float(quotes["bid"][0]))
        if len(prices) == len(symbols):
            return prices
    raise DemoError(f"--replay: no quote of {', '.join(sorted(set(symbols) - set(prices)))} in these captures")


def _written(settings: Settings, strategy: Strategy) -> Path:
    """Its account obeys who runs the demo, by a key that stays in the settings' home: helios resume finds it there."""
    file = settings.home / "demo" / "strategy.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    operator = user()
    operators = {operator: own(settings.home, operator).public_key().public_bytes_raw()}
    file.write_text(dump_strategy(replace(strategy, operators=operators)))
    return file
