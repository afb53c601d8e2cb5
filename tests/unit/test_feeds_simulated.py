"""The simulated venue: the same seed, the same bytes; faults where they are said to be; spreads that come back."""

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.market import Kind
from pipelines.domain.normalise import Listing, normalise
from pipelines.domain.sequencing import new_session
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.simulated_faults import FaultRates, garbage
from pipelines.feeds.source import Mark


def digest(simulation: Simulation) -> str:
    told = hashlib.sha256()
    source = SimulatedSource(simulation)
    for shard in range(simulation.shards):
        for run in source.runs(shard):
            told.update(run.event_ns.tobytes() + b"\n".join(run.frames) + repr(run.receive_ns).encode())
    return told.hexdigest()


CALM = Simulation(7, 4, seconds=10, ticks_per_second=400, shards=1, faults=FaultRates.each(0.0), jumps_per_minute=0.0)
SMALL = Simulation(7, instruments=6, seconds=15, ticks_per_second=1000, shards=2, faults=FaultRates.each(0.01))


def test_a_seed_gives_the_same_bytes_today_and_next_year() -> None:
    assert digest(SMALL) == digest(SMALL)
    assert digest(SMALL) == "2fab42a703db44ec22e93f489aa274ed06876cc50100264d1580d4323dd06414"


def test_another_seed_is_another_session_under_another_name() -> None:
    other = Simulation(8, instruments=6, seconds=15, ticks_per_second=1000, shards=2, faults=FaultRates.each(0.01))
    assert digest(other) != digest(SMALL)
    assert set(SimulatedSource(other).sessions).isdisjoint(SimulatedSource(SMALL).sessions)


def test_a_session_has_the_same_name_however_its_parameters_are_written() -> None:
    assert Simulation(1, seconds=40).session(0) == Simulation(1, seconds=40.0).session(0)
    assert Simulation(1, seconds=40).session(0) != Simulation(1, seconds=41).session(0)


def test_another_listing_has_the_same_prices_with_quotes_and_trades_of_its_own() -> None:
    quoted = []
    for simulation in (CALM, replace(CALM, listing=1, venue="other")):
        name, symbols = next(iter(SimulatedSource(simulation).sessions.items()))
        assert symbols[0] == ("S000V2USDT" if simulation.listing else "S000USDT")
        (run,) = SimulatedSource(simulation).runs(0)
        decoder = Binance({symbol: number for number, symbol in enumerate(symbols)})
        rows = decoder.decode(run.frames, run.receive_ns).rows
        quoted.append((name, rows[(rows["kind"] == Kind.QUOTE) & (rows["instrument"] == 0)]))
    (name, here), (other_name, there) = quoted
    assert name != other_name
    place = np.searchsorted(there["event_ns"], here["event_ns"][5:-5]) - 1
    mids = [0.5 * (rows["bid"] + rows["ask"]) for rows in (here[5:-5], there[place])]
    assert np.abs(mids[0] - mids[1]).max() < 0.005 * mids[0][0]
    assert np.mean(here["bid"][5:-5] != there["bid"][place]) > 0.2
    assert not set(here["bid_size"].tolist()) >= set(there["bid_size"].tolist())


def test_what_a_session_holds_is_told_also_when_it_was_written_before() -> None:
    source = SimulatedSource(SMALL)
    list(source.batches({}, 0))
    told = (source.ticks_expected, source.book.totals())
    assert list(source.batches({name: Mark(0, ended=True) for name in source.sessions}, 0)) == []
    assert (source.ticks_expected, source.book.totals()) == told


def test_a_session_in_a_shard_has_its_pairs_symbols_and_no_others() -> None:
    strategy = SMALL.strategy()
    symbol = {instrument.id: instrument.symbol for instrument in strategy.instruments}
    for shard, symbols in enumerate(SimulatedSource(SMALL).sessions.values()):
        legs = {symbol[leg] for pair in strategy.pairs_of_shard(shard) for leg in (pair.a, pair.b)}
        assert set(symbols) == legs


def test_every_fault_gives_its_one_reject_where_it_was_put() -> None:
    source = SimulatedSource(SMALL)
    listing = Listing.of(SMALL.strategy(), SMALL.venue)
    found, ticks = [], 0
    for shard in range(SMALL.shards):
        state, decoder = new_session(len(listing.symbols)), Binance(listing.index)
        for run in source.runs(shard):
            made = normalise(state, listing, decoder, state.next_frame, run.receive_ns, run.frames)
            state, ticks = made.state, ticks + len(made.ticks)
            found += [(SMALL.session(shard), reject.frame, reject.reason) for reject in made.rejects]
    injected = [(fault.session, fault.frame, fault.reason) for fault in source.book.injected]
    assert sorted(found) == sorted(injected)
    assert ticks == source.ticks_expected
    totals = source.book.totals()
    assert totals["total"] == len(injected)
    assert all(totals[reason] > 50 for reason in ("gap", "duplicate", "crossed", "undecodable"))


@pytest.mark.parametrize("variety", range(9))
def test_no_variety_of_garbage_is_a_frame(variety: int) -> None:
    source = SimulatedSource(Simulation(1, instruments=2, seconds=1, shards=1))
    frames = next(source.runs(0)).frames
    spoiled = [garbage(frame, variety) for frame in frames[:50]]
    assert len(Binance(dict.fromkeys(source.simulation.symbols, 0)).decode(spoiled, [0] * 50).faults) == 50


def test_a_session_without_faults_has_none() -> None:
    source = SimulatedSource(Simulation(1, instruments=2, seconds=5, shards=1))
    assert sum(len(run.frames) for run in source.runs(0)) == source.ticks_expected == 5000
    assert source.book.totals() == {"total": 0}


def test_spreads_leave_two_deviations_and_come_back_often_enough_to_trade() -> None:
    """Entries of an EWMA z (span 1000) beyond 2, left by a return to 0: a few a minute and pair."""
    simulation = Simulation(3, instruments=2, seconds=240, ticks_per_second=100, shards=1)
    listing = Listing.of(simulation.strategy(), simulation.venue)
    decoder = Binance(listing.index)
    state, mids, spreads = new_session(2), [0.0, 0.0], []
    for run in SimulatedSource(simulation).runs(0):
        made = normalise(state, listing, decoder, state.next_frame, run.receive_ns, run.frames)
        state = made.state
        for tick in made.ticks[made.ticks["kind"] == Kind.QUOTE]:
            mids[tick["instrument"]] = (tick["bid"] + tick["ask"]) / 2
            if all(mids):
                spreads.append(mids[0] - simulation.strategy().pairs[0].beta * mids[1])
    assert 4 <= entries(spreads) <= 60


def entries(spreads: list[float]) -> int:
    alpha, mean, var, held, count = 2 / 1001, spreads[0], 0.0, 0, 0
    for n, spread in enumerate(spreads[1:]):
        d = spread - mean
        z = d / var**0.5 if var > 0 else 0.0
        mean, var = mean + alpha * d, (1 - alpha) * (var + alpha * d * d)
        if n > 200 and not held and abs(z) > 2:
            held, count = int(np.sign(z)), count + 1
        elif held and z * held <= 0:
            held = 0
    return count


def test_batches_of_all_sessions_come_by_their_time() -> None:
    due = [batch.due_ns for batch in SimulatedSource(SMALL).batches({}, 2_000_000)]
    assert all(first <= second for first, second in itertools.pairwise(due))


def test_its_strategy_can_be_written_as_a_file() -> None:
    assert "S000-S001" in dump_strategy(SMALL.strategy())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"instruments": 3}, "instruments: 3 in 2 shards"),
        ({"instruments": 2}, "two a shard or more"),
        ({"seconds": 0.0}, "seconds, ticks_per_second: 0.0"),
        ({"seed": -1}, "seed: -1"),
    ],
)
def test_a_simulation_that_cannot_be_is_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Simulation(**{"seed": 1, **wrong})  # type: ignore[arg-type]


def test_fault_rates_are_shares() -> None:
    with pytest.raises(ValueError, match="fault rate gap"):
        FaultRates(gap=0.5)
