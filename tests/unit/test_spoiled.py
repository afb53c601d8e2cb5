"""Faults put into a recording: quality finds every one, where it was put, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Flag
from pipelines.domain.normalise import Listing, normalise
from pipelines.domain.quality import ACTIONS
from pipelines.domain.sequencing import FLAG_OF, Terms, new_session
from pipelines.feeds.files.captures import read_frames
from pipelines.feeds.files.streams import STREAMS, stream_of
from pipelines.feeds.protocols.catalogue import PROTOCOLS
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.simulated_faults import FaultRates
from pipelines.feeds.spoiled import REASONS, Line, spoil

RECORDINGS = Path(__file__).parents[3] / "shared/data/ws_binance"

MARKED = int(sum(FLAG_OF[name] for name in ACTIONS))


def findings(lines: Sequence[Line], tick_size: dict[str, float], skew_ns: int) -> set[tuple[int, str, str]]:
    """What the checks find: line (from 1), reason, symbol."""
    symbols = tuple(tick_size)
    index = {symbol: place for place, symbol in enumerate(symbols)}
    terms = Terms(np.array(list(tick_size.values())), skew_ns)
    listing = Listing("venue", index, symbols, ((0,),) * len(symbols), (0,), terms)
    state, decoder = new_session(len(symbols)), PROTOCOLS["binance"](index)
    found: set[tuple[int, str, str]] = set()
    for at in range(0, len(lines), 500):
        some = lines[at : at + 500]
        made = normalise(state, listing, decoder, at, [each[0] for each in some], [each[1] for each in some])
        state = made.state
        found |= {(reject.frame + 1, reject.reason.value, reject.instrument) for reject in made.rejects}
        for tick in made.ticks[made.ticks["flags"] & MARKED != 0]:
            flags = Flag(int(tick["flags"]) & MARKED)
            named = symbols[int(tick["instrument"])]
            found |= {(int(tick["frame"]) + 1, str(flag.name).lower(), named) for flag in flags}
    return found


def recorded(name: str) -> list[Line]:
    path = RECORDINGS / f"{name}_20240808.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no recording {path}")
    lines = read_frames(path)
    return [(line.receive_ns, line.frame) for line in lines if stream_of(line.frame) in STREAMS]


@pytest.mark.parametrize(
    ("name", "symbol", "tick_size"), [("usdm_btcusdt", "BTCUSDT", 0.1), ("usdm_ethusdt", "ETHUSDT", 0.01)]
)
def test_every_fault_in_a_recording_is_found_where_it_was_put_and_the_clean_one_has_none(
    name: str, symbol: str, tick_size: float
) -> None:
    lines = recorded(name)
    assert findings(lines, {symbol: tick_size}, 1_270_000_000) == set()
    spoiled, injected = spoil(lines, 7, 25)
    expected = {(each.line, each.reason.value, each.symbol) for each in injected}
    assert Counter(each.reason for each in injected) == dict.fromkeys(REASONS, 25)
    assert findings(spoiled, {symbol: tick_size}, 1_270_000_000) == expected


def test_the_same_holds_for_a_simulated_session() -> None:
    simulation = Simulation(4, instruments=2, seconds=300, ticks_per_second=60, shards=1, faults=FaultRates.each(0.0))
    source = SimulatedSource(simulation)
    runs = list(source.runs(0))
    lines = [line for run in runs for line in zip(run.receive_ns, run.frames, strict=True)]
    spoiled, injected = spoil(lines, 1, 3)
    clean = findings(lines, dict.fromkeys(simulation.symbols, 0.01), 0)
    assert {reason for _, reason, _ in clean} <= {Reason.OUTLIER.value}  # this market is wilder than a real one
    found = findings(spoiled, dict.fromkeys(simulation.symbols, 0.01), 0)
    assert {(each.line, each.reason.value, each.symbol) for each in injected} <= found
    assert {each.reason for each in injected} == set(REASONS)


def test_the_same_seed_puts_the_same_faults() -> None:
    lines = [(line, b'{"stream":"a@trade","data":{}}') for line in range(1000)]
    assert spoil(lines, 1, 2) == spoil(lines, 1, 2)
    assert spoil(lines, 1, 2) != spoil(lines, 2, 2)
