"""How a simulated venue's engine behaves, and what of it is drawn: the same draws at every run."""

import hashlib
import math
from dataclasses import dataclass

from pipelines.domain.market import NS_PER_S
from pipelines.domain.matching import MatchConfig, latency_ns


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Times in ns of event time. Latencies are uniform in [min, max] by a hash of seed and client order id.

    `levels`: prices a side at which depth is shown, the touch included. Where the log tells of no levels, what lies
    behind the touch is synthetic: each level shows the touch's size, one tick worse than the one before.
    `impact`: lots that a lot of ours takes out of what is shown; `half_life_ns`: after so long half of them are back.
    `midpoint`: a dark venue. At each quote and trade it has with `fill_chance` hidden lots at the middle for a side.
    `window_ns`, `window_rows`: rows of a shard kept in memory, those of the time and so many at least; what an older
    order meets is asked of the log.
    """

    seed: int = 7
    min_latency_ns: int = 1_000_000
    max_latency_ns: int = 5_000_000
    levels: int = 100
    midpoint: bool = False
    fill_chance: float = 0.1
    impact: float = 1.0
    half_life_ns: int = NS_PER_S
    window_ns: int = 60 * NS_PER_S
    window_rows: int = 250_000

    def __post_init__(self) -> None:
        MatchConfig(self.seed, self.min_latency_ns, self.max_latency_ns, self.levels)
        if not 0.0 <= self.fill_chance <= 1.0:
            raise ValueError(f"fill chance {self.fill_chance}: give a share from 0 to 1")
        if not 0.0 <= self.impact < math.inf:
            raise ValueError(f"impact {self.impact}: give 0 (none) or more lots a lot")
        if self.half_life_ns < 1:
            raise ValueError(f"half-life {self.half_life_ns} ns: give 1 or more")
        if self.window_ns < 1:
            raise ValueError(f"window {self.window_ns} ns: give 1 or more")
        if self.window_rows < 0:
            raise ValueError(f"window of {self.window_rows} rows: give 0 or more")

    def latency_ns(self, client_order_id: str) -> int:
        """From a decision to the book."""
        return latency_ns(client_order_id, MatchConfig(self.seed, self.min_latency_ns, self.max_latency_ns))

    def draw(self, *of: object) -> float:
        """Uniform in [0, 1) by a hash of the seed and what it is drawn for."""
        text = "\x1f".join(map(str, (self.seed, *of)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56
