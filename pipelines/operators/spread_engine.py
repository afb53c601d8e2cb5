"""The spread kernel with its writers, without Flink: what the operator runs, and anyone who has blocks of ticks may."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.closing_prices import ClosingPrices
from pipelines.contracts.shard_records import PAIR_BARS, SNAPSHOTS, PairBarsWriter, SnapshotsWriter
from pipelines.contracts.spreads import BarWriter, Encoded, MarksWriter, SamplesWriter, SpreadWriter
from pipelines.domain.held import Held
from pipelines.domain.hours import span_ns
from pipelines.domain.shard import MINUTE, SECOND, Shard
from pipelines.domain.spread_model import Every
from pipelines.domain.spread_rows import new_out
from pipelines.domain.spread_state import SpreadState
from pipelines.domain.spreads import advance_held
from pipelines.domain.warm_up import warm_up
from pipelines.operators.trading_hours import TradingHours


class Made(NamedTuple):
    """What the rows of a block make, by topic."""

    marks: Encoded
    bars: Encoded
    samples: Encoded
    spreads: Encoded
    pair_bars: Encoded
    snapshots: Encoded


class SpreadEngine:
    """The kernel and the writers of one shard: a block in, Avro out. All that is remembered is in `state`."""

    def __init__(self, shard: Shard, state: SpreadState, account: str, schema_ids: Mapping[str, int]) -> None:
        self.state = state
        self._shard = shard
        self._legs = shard.legs
        self._hours = TradingHours(shard)
        self.out = new_out(len(shard.instruments), len(shard.pairs))
        self._spreads = SpreadWriter(schema_ids["helios.market.SpreadEvent"], shard)
        self._samples = SamplesWriter(schema_ids["helios.market.SpreadSamples"], shard)
        self._bars = BarWriter(schema_ids["helios.market.Bar"], shard)
        self._marks = MarksWriter(schema_ids["helios.trading.TradingEvent"], shard, account)
        self._pair_bars = PairBarsWriter(schema_ids[PAIR_BARS], shard)
        self._snapshots = SnapshotsWriter(schema_ids[SNAPSHOTS], shard)
        self._put_down()
        self._block_instruments: tuple[str, ...] = ()
        self._places = shard.places(())

    def take(self, block: TickBlock) -> Made:
        """Advance the shard by the rows of a block."""
        state, out = self.state, self.out
        made = Made(([], []), ([], []), ([], []), ([], []), ([], []), ([], []))
        for _ in self.advance(block):
            counts = out.counts.tolist()
            if not any(counts):
                continue
            spreads, marks, marked, bars, samples, sampled, minutes, pair_bars, intervals, snaps = counts
            encoded = Made(
                self._marks.encode(out.marks[:marks], out.marked[:marked]),
                self._bars.encode(out.bars[:bars]),
                self._samples.encode(out.samples[:samples], out.sampled[:sampled]),
                self._spreads.encode(out.spreads[:spreads], state.sessions),
                self._pair_bars.encode(out.minutes[:minutes], out.pair_bars[:pair_bars]),
                self._snapshots.encode(out.intervals[:intervals], out.snapshots[:snaps]),
            )
            for (values, times_ms), (more, their_times) in zip(made, encoded, strict=True):
                values += more
                times_ms += their_times
        return made

    def advance(self, block: TickBlock) -> Iterator[None]:
        """The kernel without the writers: it comes back each time that it has filled what it writes to."""
        ticks = block.ticks
        if self._hours.wanted and ticks.size:
            self._cover(*span_ns(ticks))
        session = self.state.session(block.venue, block.session)
        if block.instruments is not self._block_instruments:
            self._look_up(block.instruments)
        row = 0
        while True:
            held = self._hold()
            row = self._advance(held.address, ticks, row, session, self._places)
            yield
            if row == ticks.size:
                return

    def _look_up(self, instruments: tuple[str, ...]) -> None:
        if instruments != self._block_instruments:
            self._places = self._shard.places(instruments)
        self._block_instruments = instruments

    def _hold(self) -> Held:
        """What the kernel works on, put down anew where something else has taken its place."""
        legs, kernel, out = self._held.values
        if legs is not self._legs or kernel is not self.state.kernel or out is not self.out:
            self._put_down()
        return self._held

    def _put_down(self) -> None:
        self._held = Held(self._legs, self.state.kernel, self.out)
        self._advance = advance_held(self._held.kind)

    def warm_up(self, prices: ClosingPrices) -> None:
        """Take closing prices from before the first block; of a state that has taken none."""
        self._cover(int(prices.times_ns[0]), int(prices.times_ns[-1]))
        every = SECOND if prices.every is Every.SECOND else MINUTE
        warm_up(every, prices.times_ns, prices.mids, self._legs, self.state.kernel)

    def _cover(self, first_ns: int, last_ns: int) -> None:
        if self._hours.cover(first_ns, last_ns):
            self._legs = self._legs._replace(hours=self._hours.hours)
