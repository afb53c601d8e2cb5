"""The risk of an account as it stands: of the lots of its pairs, at the last prices, by a rolling window of returns.

Records go in one by one (a bar, a shard's heartbeat, where a pair stands), and `RiskState` says when its risk is to be
told; `domain/risk_told.py` tells it. Nothing but these records, in their order, decides what is told.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_days import Days
from pipelines.domain.risk_window import NEVER_NS, Minutes, Window, fill
from pipelines.domain.standing import Standing
from pipelines.domain.tails import portfolio_tail, tails
from pipelines.domain.value_at_risk import TailRisk, student_t

Floats = NDArray[np.float64]

LEAST_WINDOW = 20
"""Before there are so many rows nothing is told."""


class Bar(NamedTuple):
    """A closed minute of an instrument. `price`: the mid of its last quote, or its close where it has none."""

    shard: int
    start_ns: int
    instrument: str
    price: float
    volume: float


@dataclass(slots=True)
class OfWindow:
    """What hangs on the window's rows alone, made when one was added and somebody asks. `profits`: the rows, or draws
    from their distribution: shape (instruments, scenarios). Of one unit of money of each instrument: `es`, the worse of
    long and short, `deviation` of its daily returns, and `beta` to the benchmark's."""

    profits: Floats
    es: Floats
    deviation: Floats
    beta: Floats


@dataclass(slots=True)
class RiskState:
    """Everything that an account's risk is told from. Changed in place by `take_*`."""

    config: RiskConfig
    window: Window
    minutes: Minutes
    lots: NDArray[np.int64]
    """By pair and leg, signed: shape (pairs, 2)."""
    sequence: int = 0
    """Of the last position taken."""
    time_ns: int = 0
    """The account's time."""
    told_ns: int = 0
    """The time of the last update."""
    days: Days = field(default_factory=Days)
    _of_window: OfWindow | None = field(default=None, repr=False)

    @classmethod
    def empty(cls, config: RiskConfig) -> "RiskState":
        count = len(config.instruments)
        lots = np.zeros((len(config.pairs), 2), np.int64)
        return cls(config, Window.empty(count), Minutes.empty(count, config.shards), lots)

    def fill(self, times_ns: NDArray[np.int64], prices: Floats) -> None:
        """Take closing prices from before the first bar, shape (instruments, times); of a state that has taken none."""
        settings = self.config.settings
        fill(self.window, times_ns, prices, settings.window, settings.day_minutes)
        self._of_window = None

    def take_bar(self, bar: Bar) -> None:
        """ValueError for an instrument or a shard that the strategy has not."""
        place = self.config.places.get(bar.instrument)
        if place is None:
            raise ValueError(f"a bar of {bar.instrument!r}, which is no instrument of the strategy")
        self._check(bar.shard)
        self.minutes.add(bar.shard, bar.start_ns, place, bar.price, bar.volume)
        self._close()

    def take_beat(self, shard: int, time_ns: int) -> None:
        """A heartbeat of the bars: a shard has told all until then."""
        self._check(shard)
        self.minutes.beat(shard, time_ns)
        self._close()

    def take_position(self, told: Standing) -> bool:
        """Whether the risk is to be told now: where lots have changed, and each so many seconds. One that was taken
        before changes nothing. ValueError for a pair that the strategy has not: its risk is not known."""
        if told.sequence <= self.sequence:
            return False
        changed = False
        if told.kind == "position":
            place = self.config.pair_places.get(told.pair)
            if place is None:
                raise ValueError(f"lots of {told.pair!r}, which is no pair of the strategy: their risk is not told")
            changed = (told.lots_a, told.lots_b) != tuple(self.lots[place].tolist())
            self.lots[place] = told.lots_a, told.lots_b
        self.sequence, self.time_ns = told.sequence, max(self.time_ns, told.event_time_ns)
        every_ns = self.config.settings.every_ns
        due = changed or self.time_ns // every_ns > self.told_ns // every_ns
        if not due or not self.ready:
            return False
        self.told_ns = self.time_ns
        if self.days.over(self.time_ns):
            exposures = self.exposures
            self.days.turn(self.time_ns, self.tail(exposures).var, exposures, self.window.prices)
        return True

    @property
    def ready(self) -> bool:
        """Whether there are rows enough, and a price of all that is held."""
        held = self.config.legs[self.lots != 0]
        return self.window.rows.shape[1] >= LEAST_WINDOW and not np.isnan(self.window.prices[held]).any()

    @property
    def worth_of_lot(self) -> Floats:
        """Money of a lot at the last prices, shape (instruments,); 0 where there is no price yet."""
        return np.nan_to_num(self.window.prices, nan=0.0) * self.config.lot_rate

    @property
    def net_lots(self) -> NDArray[np.int64]:
        """Of each instrument, over all pairs."""
        found = np.zeros(len(self.config.instruments), np.int64)
        np.add.at(found, self.config.legs, self.lots)
        return found

    @property
    def exposures(self) -> Floats:
        """Money by instrument, long less short."""
        found: Floats = self.net_lots * self.worth_of_lot
        return found

    def tail(self, exposures: Floats) -> TailRisk:
        """VaR and ES of what is held, by the method that is set."""
        profits, rule = self.of_window.profits, self.config.rule
        if rule.method in ("historical", "monte-carlo"):
            return portfolio_tail(exposures, profits, rule.confidence)
        var, es = tails((exposures @ profits)[None], rule)
        return TailRisk(float(var[0]), float(es[0]))

    @property
    def of_window(self) -> OfWindow:
        if self._of_window is None:
            self._of_window = _of_window(self.window.rows, self.config)
        return self._of_window

    def _check(self, shard: int) -> None:
        if not 0 <= shard < self.config.shards:
            raise ValueError(f"shard {shard}: the strategy has shards 0 to {self.config.shards - 1}")

    def _close(self) -> None:
        settings = self.config.settings
        for end_ns, prices, volumes in self.minutes.close():
            self._act(end_ns)
            if self.window.take(end_ns, prices, settings.window, settings.day_minutes):
                self._of_window = None
            self.window.take_volumes(volumes)

    def _act(self, end_ns: int) -> None:
        """Splits and dividends since the last row change the prices before them; those of the day's beginning too."""
        for action in self.config.actions:
            if NEVER_NS < self.window.row_ns < action.time_ns <= end_ns:
                place = self.config.places[action.instrument]
                before = float(self.window.prices[place])
                self.window.act(action, place)
                if self.days.prices:
                    prices = list(self.days.prices)
                    prices[place] *= float(self.window.prices[place]) / before
                    self.days.prices = tuple(prices)


def _of_window(rows: Floats, config: RiskConfig) -> OfWindow:
    settings = config.settings
    profits = rows
    if settings.method == "monte-carlo":
        profits = np.ascontiguousarray(student_t(rows.T, settings.draws, settings.seed).T)
    long, short = (tails(each, config.rule) for each in (profits, -profits))
    beta = np.zeros(len(rows))
    if settings.benchmark:
        apart = rows - rows.mean(axis=1)[:, None]
        of_benchmark = apart[config.places[settings.benchmark]]
        squares = float(of_benchmark @ of_benchmark)
        beta = apart @ of_benchmark / squares if squares > 0 else beta
    return OfWindow(profits, np.maximum(long.es, short.es), rows.std(axis=1), beta)
