"""The spread kernel with its writers, without Flink: what the operator runs, and anyone who has blocks of ticks may."""

from collections.abc import Mapping

from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.spreads import BarWriter, Encoded, MarksWriter, SpreadWriter
from pipelines.domain.shard import Shard
from pipelines.domain.spread_state import SpreadState
from pipelines.domain.spreads import advance, new_out


class SpreadEngine:
    """The kernel and the writers of one shard: a block in, Avro out. All that is remembered is in `state`."""

    def __init__(self, shard: Shard, state: SpreadState, account: str, schema_ids: Mapping[str, int]) -> None:
        self.state = state
        self._shard = shard
        self._out = new_out(len(shard.instruments), len(shard.pairs))
        self._spreads = SpreadWriter(schema_ids["helios.market.SpreadEvent"], shard)
        self._bars = BarWriter(schema_ids["helios.market.Bar"], shard)
        self._marks = MarksWriter(schema_ids["helios.trading.TradingEvent"], shard, account)
        self._block_instruments: tuple[str, ...] = ()
        self._places = shard.places(())

    def take(self, block: TickBlock) -> tuple[Encoded, Encoded, Encoded]:
        """Marks, bars and spread events that the rows of a block make."""
        state, out = self.state, self._out
        session = state.session(block.venue, block.session)
        if block.instruments != self._block_instruments:
            self._block_instruments, self._places = block.instruments, self._shard.places(block.instruments)
        made: tuple[Encoded, Encoded, Encoded] = ([], []), ([], []), ([], [])
        row = 0
        while True:
            row = advance(block.ticks, row, session, self._places, self._shard.legs, state.kernel, out)
            spreads, marks, marked, bars = out.counts.tolist()
            encoded = (
                self._marks.encode(out.marks[:marks], out.marked[:marked]),
                self._bars.encode(out.bars[:bars]),
                self._spreads.encode(out.spreads[:spreads], state.sessions),
            )
            for (values, times_ms), (more, their_times) in zip(made, encoded, strict=True):
                values += more
                times_ms += their_times
            if row == block.ticks.size:
                return made
