"""Two versions of a signal over the same event time: what both give, and what one alone does."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.domain.trading import Signal, TradingEvent


class Given(NamedTuple):
    """What a version gave, by which it is compared: ids differ between versions."""

    event_time_ns: int
    pair: str
    action: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many signals both give, and one alone."""

    equal: int = 0
    only_old: int = 0
    only_new: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of event time before `until_ns`. `only_old`, `only_new`: what one alone gives, by event time."""

    until_ns: int
    by_pair: Mapping[str, Agreement]
    only_old: tuple[Given, ...]
    only_new: tuple[Given, ...]

    @property
    def total(self) -> Agreement:
        parts = self.by_pair.values()
        return Agreement(
            sum(each.equal for each in parts),
            sum(each.only_old for each in parts),
            sum(each.only_new for each in parts),
        )


def compare(old: Iterable[TradingEvent], new: Iterable[TradingEvent], until_ns: int) -> Comparison:
    """Events of kind signal, each once, before an event time that both versions have covered; ns."""
    one, other = (Counter(_given(each) for each in events if each.event_time_ns < until_ns) for events in (old, new))
    equal, only_old, only_new = one & other, one - other, other - one
    pairs = sorted({each.pair for each in one | other})
    counts = [Counter(dict.fromkeys(pairs, 0)) for _ in range(3)]
    for count, those in zip(counts, (equal, only_old, only_new), strict=True):
        for given, times in those.items():
            count[given.pair] += times
    by_pair = {pair: Agreement(*(count[pair] for count in counts)) for pair in pairs}
    return Comparison(until_ns, by_pair, tuple(sorted(only_old.elements())), tuple(sorted(only_new.elements())))


def _given(event: TradingEvent) -> Given:
    assert isinstance(event.body, Signal)
    return Given(event.event_time_ns, event.body.pair, event.body.action.value)
