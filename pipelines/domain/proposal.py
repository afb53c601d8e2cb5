"""Orders that are about to be decided: the account without them, and with them."""

from dataclasses import dataclass

from pipelines.domain.account import Lots, TraderState
from pipelines.domain.trader_config import TradedPair


@dataclass(frozen=True, slots=True)
class Proposal:
    """`after` is the account with the orders in it, so exposure is asked of it; `lots` what they trade, signed, by leg.
    `mids`: prices by leg that they were decided on; of moves that no signal asked for, those of the marks."""

    before: TraderState
    after: TraderState
    pair: TradedPair
    time_ns: int
    lots: Lots
    mids: tuple[float, float] = (0.0, 0.0)
