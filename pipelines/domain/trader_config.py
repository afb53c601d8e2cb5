"""What an account's step needs to know that is not in its log: what is traded, how much, by which rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.domain.identity import client_order_id
from pipelines.domain.limits import Limits
from pipelines.domain.session_times import SessionTimes
from pipelines.domain.sizing import Sizing
from pipelines.domain.trading import TradingEvent
from pipelines.domain.universe import CorporateAction, Instrument, Strategy
from pipelines.domain.unwinding import Unwinding


@dataclass(frozen=True, slots=True)
class TradedPair:
    """A pair with its legs looked up."""

    name: str
    shard: int
    legs: tuple[Instrument, Instrument]
    capital: float = 0.0
    """Money of the first leg of an entry; 0: as the strategy sizes."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a venue takes: a share of what is traded in 1/10,000, and money a lot, in the instrument's currency."""

    bps: float = 0.0
    per_lot: float = 0.0


def _anybody(command: TradingEvent) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class TraderConfig:
    """What `step` needs to know that is not in the log."""

    account: str
    session_id: str
    sizing: Sizing
    limits: Limits
    """Until a command of the log changes them."""
    shards: int
    instruments: dict[str, Instrument]
    pairs: dict[str, TradedPair]
    pairs_of: dict[str, tuple[tuple[str, int], ...]]
    """Instrument -> the (pair, leg)s that it is in."""
    strategies: Mapping[str, str]
    """Signal -> the strategy of the account that it speaks for; one that is not named speaks for `own`."""
    own: str
    unwinding: Unwinding
    times: SessionTimes
    fees: Mapping[str, Fee]
    """By venue."""
    borrow: Mapping[str, float]
    """What being short of an instrument costs, as a share of its worth a year."""
    actions: tuple[CorporateAction, ...]
    """Of its instruments, by time."""
    refused: Callable[[TradingEvent], str]
    """Why a command may not be obeyed, or an empty string: whether it was given by whom it says."""

    def strategy_of(self, signal: str) -> str:
        return self.strategies.get(signal, self.own)

    @classmethod
    def of(
        cls, strategy: Strategy, session_id: str, refused: Callable[[TradingEvent], str] | None = None
    ) -> "TraderConfig":
        instruments = {instrument.id: instrument for instrument in strategy.instruments}
        pairs_of: dict[str, list[tuple[str, int]]] = {name: [] for name in instruments}
        for pair in strategy.pairs:
            pairs_of[pair.a].append((pair.name, 0))
            pairs_of[pair.b].append((pair.name, 1))
        return cls(
            account=strategy.account,
            session_id=session_id,
            sizing=strategy.sizing,
            limits=strategy.limits,
            shards=strategy.shards,
            instruments=instruments,
            pairs={
                pair.name: TradedPair(pair.name, pair.shard, (instruments[pair.a], instruments[pair.b]), pair.capital)
                for pair in strategy.pairs
            },
            pairs_of={name: tuple(legs) for name, legs in pairs_of.items()},
            strategies={use.name: use.strategy or strategy.name for use in strategy.signals},
            own=strategy.name,
            unwinding=strategy.unwinding,
            times=strategy.times,
            fees={venue.name: Fee(venue.fee_bps, venue.fee_per_lot) for venue in strategy.venues},
            borrow=strategy.borrow,
            actions=tuple(action for action in strategy.actions if action.instrument in instruments),
            refused=refused or _anybody,
        )

    def order_id(self, cause: str, leg: int) -> str:
        return client_order_id(self.session_id, self.account, cause, leg)
