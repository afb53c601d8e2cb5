"""What a gateway needs to work orders: the rules of a file, and the market that they look at."""

from collections.abc import Sequence
from pathlib import Path

from jobs.volume_history import read_history
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.execution_file import load_execution
from pipelines.domain.parent_rules import Algo, WorkRules
from pipelines.domain.universe import Strategy
from pipelines.domain.volume_curve import VolumeCurve
from pipelines.execution.book_watch import BookWatch
from pipelines.execution.market import Market


def work_rules(file: Path | None, strategy: Strategy, venues: Sequence[str]) -> WorkRules:
    """Of a file; none without one. Raises ExecutionFileError, and ValueError where it names a venue that is not
    reached."""
    if file is None:
        return WorkRules()
    rules = load_execution(file, strategy, _curve)
    missing = sorted({p.venue.name for rule in rules.rules for p in rule.places} - set(venues))
    if missing:
        raise ValueError(f"--execution {file}: no {', '.join(missing)} among --venue and --fix: {', '.join(venues)}")
    return rules


def book_watch(
    rules: WorkRules,
    strategy: Strategy,
    bootstrap: str,
    topic: str,
    codec: BlockCodec,
) -> BookWatch | None:
    """The books of the instruments that rules name, each read from its home shard; None where they name none."""
    lit = [place for rule in rules.rules for place in rule.places if place.venue.dark is None]
    names = dict.fromkeys(place.instrument for place in lit)
    if not names:
        return None
    shard_of = {name: strategy.shards_by_instrument[name][0] for name in names}
    by_shard = {shard: [name for name in names if shard_of[name] == shard] for shard in set(shard_of.values())}
    volumes = any(rule.algo is Algo.POV for rule in rules.rules)
    market = Market(bootstrap, topic, codec, by_shard, trades=volumes)
    instruments = {name: strategy.instrument_by_id[name] for name in names}
    return BookWatch(market, instruments, shard_of, volumes=volumes)


def _curve(file: Path) -> VolumeCurve:
    return read_history([file]).curve
