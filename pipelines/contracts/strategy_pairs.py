"""The pairs of a strategy file: their legs, how their spreads are made, and what they are traded with.

```yaml
pairs:
  - {name: KO-PEP, a: KO, b: PEP, beta: 1.02, shard: 0}
  - {name: KO-MO, a: KO, b: MO, hedge: {method: rolling, window: 600}, capital: 25000}   # instead of leg_notional
```
"""

from collections.abc import Iterator, Sequence

from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.contracts.spread_model_file import dump_model, read_model
from pipelines.domain.spread_model import Method, SpreadModel
from pipelines.domain.universe import Pair, Strategy, stable_shard


def read_pairs(top: Section, shards: int, instruments: Sequence[str], default: SpreadModel) -> Iterator[Pair]:
    """Of a file's top, faults noted in it. `default`: how spreads are made that say nothing of it."""
    names = Unique("name")
    for section in top.sections("pairs", required=False):
        name = section.name("name")
        model = read_model(section, default)
        given = section.has("beta") or model.hedge.method is Method.STATIC
        pair = Pair(
            name=name,
            a=section.one_of("a", instruments, "instrument"),
            b=section.one_of("b", instruments, "instrument"),
            beta=section.number("beta", zero=False) if given else 0.0,
            shard=section.whole("shard", 0, shards - 1, default=stable_shard(name, shards)),
            model=None if model == SpreadModel(moments=default.moments) else model,
            capital=section.number("capital", positive=True, default=0.0),
        )
        section.done()
        names.take(section, name, name)
        if pair.a and pair.a == pair.b:
            section.fault("b", f"{pair.b} is the first leg too: give another instrument")
        yield pair


def dump_pairs(strategy: Strategy) -> Iterator[dict[str, object]]:
    """The sections that read as a strategy's pairs."""
    for pair in strategy.pairs:
        yield (
            {"name": pair.name, "a": pair.a, "b": pair.b, "shard": pair.shard}
            | ({"beta": pair.beta} if pair.beta else {})
            | ({"capital": pair.capital} if pair.capital else {})
            | (dump_model(pair.model, SpreadModel(moments=strategy.moments)) if pair.model else {})
        )
