"""A simulated venue: seeded sessions of cointegrated pairs, in Binance's USD-M protocol, faults and all.

One feed session a shard. The same parameters give the same frames, byte for byte, however they are read.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from functools import cached_property
from heapq import merge

import numpy as np

from pipelines.domain.market import NS_PER_S
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.universe import (
    Instrument,
    Limits,
    Pair,
    SignalUse,
    Sizing,
    Strategy,
    Venue,
)
from pipelines.feeds.simulated_faults import FaultBook, FaultRates, Injected, draw_faults
from pipelines.feeds.simulated_frames import Scribe
from pipelines.feeds.simulated_prices import PairPrices, advance
from pipelines.feeds.source import HEARTBEAT_NS, Batch, Mark, Run, Session

START_NS = 1_767_623_400 * NS_PER_S
"""2026-01-05T14:30:00Z."""

CHUNK_EVENTS = 8192
"""Events drawn at once. Part of what a seed means: changing it changes every session."""


@dataclass(frozen=True)
class Simulation:
    """What to simulate. `seconds` of event time; `ticks_per_second` over all instruments; `jumps_per_minute` a pair.
    `first`: number of the first instrument, where several venues share one strategy. `heartbeat_ns` of event time in
    which nothing was, and time is told. `listing`: 0, or the number of a further venue that has the same instruments at
    the same prices, and quotes, sizes, trades and faults of its own."""

    seed: int
    instruments: int = 40
    seconds: float = 300.0
    ticks_per_second: float = 1000.0
    shards: int = 2
    faults: FaultRates = field(default_factory=FaultRates)
    jumps_per_minute: float = 0.5
    start_ns: int = START_NS
    venue: str = "simulated"
    first: int = 0
    heartbeat_ns: int = HEARTBEAT_NS
    listing: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed: {self.seed}: give 0 or more")
        if self.shards < 1 or self.instruments < 2 * self.shards or self.instruments % 2:
            raise ValueError(
                f"instruments: {self.instruments} in {self.shards} shards: give an even number, two a shard or more"
            )
        if not (self.seconds > 0 and self.ticks_per_second > 0):
            raise ValueError(f"seconds, ticks_per_second: {self.seconds}, {self.ticks_per_second}: give more than 0")

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        of = f"V{self.listing + 1}" if self.listing else ""
        return tuple(f"S{self.first + number:03d}{of}USDT" for number in range(self.instruments))

    def pairs_of(self, shard: int) -> range:
        """Numbers of the pairs in a shard; pair k is of instruments 2k and 2k + 1."""
        return range(shard, self.instruments // 2, self.shards)

    def session(self, shard: int) -> str:
        """Its name says the seed, and changes with any other parameter."""
        numbers = [self.instruments, self.seconds, self.ticks_per_second, self.shards, *astuple(self.faults)]
        numbers += [self.jumps_per_minute, self.start_ns]
        numbers += [self.first] if self.first else []
        numbers += [self.heartbeat_ns] if self.heartbeat_ns != HEARTBEAT_NS else []
        numbers += [self.listing] if self.listing else []
        text = f"{self.venue} {' '.join(format(number, '.17g') for number in numbers)}"
        return f"sim-{self.seed}-{zlib.crc32(text.encode()):08x}-{shard}"

    def events(self, shard: int) -> int:
        share = 2 * len(self.pairs_of(shard)) / self.instruments
        return max(1, round(self.seconds * self.ticks_per_second * share))

    def strategy(self) -> Strategy:
        """The strategy that trades it: every pair, by the one signal."""
        pairs: list[Pair] = []
        for shard in range(self.shards):
            prices = PairPrices.drawn(self.rng(shard, 0), len(self.pairs_of(shard)))
            for place, number in enumerate(self.pairs_of(shard)):
                first, second = self.symbols[2 * number], self.symbols[2 * number + 1]
                a, b = first.removesuffix("USDT"), second.removesuffix("USDT")
                pairs.append(Pair(f"{a}-{b}", a, b, float(prices.beta[place]), shard))
        return Strategy(
            name=self.venue,
            account="paper",
            shards=self.shards,
            venues=(Venue(self.venue, "binance"),),
            instruments=tuple(
                Instrument(symbol.removesuffix("USDT"), self.venue, symbol, 0.01, 1.0) for symbol in self.symbols
            ),
            pairs=tuple(sorted(pairs, key=lambda pair: pair.name)),
            moments=Moments(span=1000, warmup=200, every=Every.TICK),
            signals=(SignalUse("sql/signals/pair_reversion.sql", {"entry_z": 2.0}, "pair_reversion"),),
            sizing=Sizing(10_000.0),
            limits=Limits(position_lots=1000, stale_marks_ms=2000),
        )

    def rng(self, shard: int, chunk: int, listing: int = 0) -> np.random.Generator:
        """Chunk 0 draws what a session is like, 1 and on its events; of a further listing, what is its own."""
        of = [self.seed, shard, chunk, *([listing] if listing else [])]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(of)))


class SimulatedSource:
    """A simulation as a source. `book` fills with what was injected as the sessions are read."""

    resumes = True

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.book = FaultBook()
        self.frames = 0

    @property
    def venue(self) -> str:
        return self.simulation.venue

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        return {self.simulation.session(shard): self._symbols(shard) for shard in range(self.simulation.shards)}

    @property
    def expected_frames(self) -> int:
        """Close to it: faults add some and drop some."""
        return sum(self.simulation.events(shard) for shard in range(self.simulation.shards))

    @property
    def ticks_expected(self) -> int:
        """Ticks of the frames read so far; all of them when the last batch is read."""
        return self.frames - self.book.frames_set_aside()

    def batches(self, marks: Mapping[str, Mark], window_ns: int = 0) -> Iterator[Batch]:
        self.book = FaultBook()
        self.frames = 0
        return merge(
            *(self._session(shard, marks, window_ns) for shard in range(self.simulation.shards)),
            key=lambda batch: batch.due_ns,
        )

    def _session(self, shard: int, marks: Mapping[str, Mark], window_ns: int) -> Iterator[Batch]:
        name = self.simulation.session(shard)
        session = Session(self.venue, name, self._symbols(shard), self.simulation.heartbeat_ns)
        if name in marks and marks[name].ended:
            for _ in self.runs(shard):
                pass  # nothing to write, but what it holds is still to be told
        return session.batches(self.runs(shard), self.simulation.start_ns, marks.get(name), window_ns)

    def _symbols(self, shard: int) -> tuple[str, ...]:
        pairs = self.simulation.pairs_of(shard)
        return tuple(self.simulation.symbols[2 * number + leg] for number in pairs for leg in (0, 1))

    def runs(self, shard: int) -> Iterator[Run]:
        """The frames of a shard's session, in chunks; what is injected goes to the book."""
        simulation, name, symbols = self.simulation, self.simulation.session(shard), self._symbols(shard)
        prices = PairPrices.drawn(simulation.rng(shard, 0), len(symbols) // 2)
        total = simulation.events(shard)
        step_ns = simulation.seconds * NS_PER_S / total
        jump_share = simulation.jumps_per_minute / 60.0 * len(prices.beta) * step_ns / NS_PER_S
        scribe = Scribe(symbols)
        sequence = 0
        for chunk, first in enumerate(range(0, total, CHUNK_EVENTS), start=1):
            count = min(CHUNK_EVENTS, total - first)
            rng = simulation.rng(shard, chunk)
            shown = simulation.rng(shard, chunk, simulation.listing) if simulation.listing else None
            within = rng.random(count)
            if shown is not None:
                within = shown.random(count)
            offsets_ns = ((first + np.arange(count) + within) * step_ns).astype(np.int64)
            moves = advance(prices, rng, count, jump_share, shown)
            faults, seen_at = draw_faults(shown or rng, moves, simulation.faults, scribe.traded)
            run, injected = scribe.write(moves, simulation.start_ns + offsets_ns, faults, seen_at)
            self.book.injected.extend(Injected(name, sequence + place, reason) for place, reason in injected)
            sequence += len(run.frames)
            self.frames += len(run.frames)
            yield run
