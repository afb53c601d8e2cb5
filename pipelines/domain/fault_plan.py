"""Faults that a simulated venue puts in on purpose, by a seed: the same orders meet the same ones at every run."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.domain.market import NS_PER_MS


class Fault(StrEnum):
    """What goes wrong with an order."""

    REJECT = "reject"
    """It is not taken."""
    LOST_ACKNOWLEDGEMENT = "lost_acknowledgement"
    """The word that it was taken is never said."""
    FILL_FIRST = "fill_first"
    """The word that it was taken is said after its first fill."""
    DUPLICATE_FILL = "duplicate_fill"
    """Each fill is said twice, with the same ExecID."""
    BUST = "bust"
    """Once it is over, its first fill is taken back."""
    CORRECT = "correct"
    """Once it is over, its last fill gets another price."""
    DISCONNECT = "disconnect"
    """The session is cut when the order was taken."""
    SEQUENCE_GAP = "sequence_gap"
    """Numbers of messages are left out before its first word."""
    SLOW = "slow"
    """Its words are held back."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """`rates`: the share of orders that meet each fault, from 0 to 1. Amendments come `amend_after_ns` of event time
    after the last word; a correction moves the price by `correct_ticks` ticks; words are held back `slow_ns` of wall
    time, where `slow_in_order` is false each for a drawn part of it; `gap` numbers are left out."""

    seed: int = 7
    rates: Mapping[Fault, float] = field(default_factory=dict)
    after_first_word: bool = True
    """A session is cut after the first word of its order; else before it."""
    amend_after_ns: int = 50 * NS_PER_MS
    correct_ticks: int = 1
    slow_ns: int = 200 * NS_PER_MS
    slow_in_order: bool = True
    gap: int = 3

    def hits(self, fault: Fault, client_order_id: str) -> bool:
        """Whether an order meets a fault; `client_order_id`: the one that it came with."""
        rate = self.rates.get(fault, 0.0)
        return rate > 0 and self.draw(fault, client_order_id) < rate

    def held_ns(self, client_order_id: str, number: int) -> int:
        """How long the `number`-th word of an order is held back; 0 where it is not."""
        if not self.hits(Fault.SLOW, client_order_id):
            return 0
        share = 1.0 if self.slow_in_order else self.draw(Fault.SLOW, client_order_id, number)
        return round(self.slow_ns * share)

    def draw(self, *of: object) -> float:
        """Uniform in [0, 1) by a hash of the seed and what it is drawn for."""
        text = "\x1f".join(map(str, ("fault", self.seed, *of)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56
