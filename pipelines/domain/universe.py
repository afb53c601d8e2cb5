"""What is traded: instruments, pairs, the shards that they live in, and the strategy that holds them together."""

import zlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType

from pipelines.domain.ladder import ALL_LEVELS, Levels
from pipelines.domain.limits import Limits as Limits
from pipelines.domain.quality import Rules
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.session_times import ALL_DAY, SessionTimes
from pipelines.domain.sizing import Sizing as Sizing
from pipelines.domain.spread_model import Moments as Moments
from pipelines.domain.spread_model import SpreadModel
from pipelines.domain.unwinding import USUAL, Unwinding


@dataclass(frozen=True, slots=True)
class Instrument:
    """A thing that can be bought. `tick_size` in its currency, `lot_size` in units of it."""

    id: str
    venue: str
    symbol: str
    tick_size: float
    lot_size: float
    currency: str = "USD"
    sector: str = ""


@dataclass(frozen=True, slots=True)
class Venue:
    """Where instruments trade. `protocol` names its feed; our receive time plus `clock_skew_ns` is its time; `rules`
    say what is done with doubtful rows. What it takes: `fee_bps` of what is traded, `fee_per_lot` in its currency."""

    name: str
    protocol: str
    clock_skew_ns: int = 0
    rules: Rules = field(default_factory=Rules)
    fee_bps: float = 0.0
    fee_per_lot: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two instruments and the spread between them. `beta`: the hedge ratio where it is static, elsewhere where it
    begins and what it is held against (0: none is given). `model` None: the strategy's moments, and all else left
    out."""

    name: str
    a: str
    b: str
    beta: float
    shard: int
    model: SpreadModel | None = None
    capital: float = 0.0
    """Money of the first leg of an entry; 0: as the strategy sizes."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """From `time_ns` on prices of an instrument are `factor` times what they were, less `amount`: of a split 1 and
    more, of a dividend what is paid."""

    instrument: str
    time_ns: int
    factor: float = 1.0
    amount: float = 0.0

    def restates(self, price: float) -> float:
        """What prices from before are multiplied by, where `price` was the last of them."""
        factor = self.factor - self.amount / price
        return factor if factor > 0 else 1.0


def actions_between(actions: tuple[CorporateAction, ...], after_ns: int, until_ns: int) -> tuple[CorporateAction, ...]:
    """Of actions by time, those that come to hold after one time and not after another."""
    if not actions or until_ns <= after_ns:
        return ()
    of_time = attrgetter("time_ns")
    return actions[bisect_right(actions, after_ns, key=of_time) : bisect_right(actions, until_ns, key=of_time)]


@dataclass(frozen=True, slots=True)
class SignalUse:
    """A signal file and the values given to its parameters."""

    file: str
    parameters: Mapping[str, object]
    name: str
    strategy: str = ""
    """For which strategy of the account it speaks; empty: for the file's."""


@dataclass(frozen=True)
class Strategy:
    """One strategy file, checked. Everything a job needs to know of what is traded."""

    name: str
    account: str
    shards: int
    venues: tuple[Venue, ...]
    instruments: tuple[Instrument, ...]
    pairs: tuple[Pair, ...]
    moments: Moments
    signals: tuple[SignalUse, ...]
    sizing: Sizing
    limits: Limits
    levels: Levels = ALL_LEVELS
    """The levels of z whose crossings the spreads job tells of."""
    snapshots_ns: int = 0
    """How often the spreads job tells of instruments that were quoted, traded or said something of; 0: never."""
    calendars: Mapping[str, str] = field(default_factory=dict)
    """The calendar of an instrument's sessions, of exchange_calendars; one that has none is always open."""
    actions: tuple[CorporateAction, ...] = ()
    """By time."""
    unwinding: Unwinding = USUAL
    times: SessionTimes = ALL_DAY
    borrow: Mapping[str, float] = field(default_factory=dict)
    """What being short of an instrument costs, as a share of its worth a year."""
    history: str = ""
    """File of closing prices that moments warm up from."""
    risk: RiskSettings = field(default_factory=RiskSettings)
    operators: Mapping[str, bytes] = field(default_factory=dict)
    """Whose commands the account obeys: raw Ed25519 public keys by name. Empty: anyone's."""

    @cached_property
    def instrument_by_id(self) -> Mapping[str, Instrument]:
        return MappingProxyType({instrument.id: instrument for instrument in self.instruments})

    @cached_property
    def venue_by_name(self) -> Mapping[str, Venue]:
        return MappingProxyType({venue.name: venue for venue in self.venues})

    @cached_property
    def pair_by_name(self) -> Mapping[str, Pair]:
        return MappingProxyType({pair.name: pair for pair in self.pairs})

    @cached_property
    def shards_by_instrument(self) -> Mapping[str, tuple[int, ...]]:
        """The shards that an instrument's ticks go to, its home first. Never empty."""
        shards: dict[str, set[int]] = {instrument.id: set() for instrument in self.instruments}
        for pair in self.pairs:
            shards[pair.a].add(pair.shard)
            shards[pair.b].add(pair.shard)
        return MappingProxyType(
            {name: tuple(sorted(found)) or (stable_shard(name, self.shards),) for name, found in shards.items()}
        )

    def model_of(self, pair: Pair) -> SpreadModel:
        return pair.model or SpreadModel(moments=self.moments)

    def pairs_of_shard(self, shard: int) -> tuple[Pair, ...]:
        """The pairs that live in a shard, in the file's order."""
        return tuple(pair for pair in self.pairs if pair.shard == shard)


def stable_shard(name: str, shards: int) -> int:
    """The shard of a pair whose file gives none: of its name alone, so that adding a pair moves no other."""
    return zlib.crc32(name.encode()) % shards
