"""What a simulated venue shows of one instrument: the recorded market, less what its participants have taken out of it.

Taking q lots leaves a hole of `impact` q lots, from the touch inwards, that fills again exponentially:

    hole(t) = hole(t0) 2^(-(t - t0) / half_life)

In a book of even depth that moves the touch by hole / depth: the block-shaped book with exponential resilience of
Obizhaeva and Wang, "Optimal trading strategy and supply/demand dynamics", Journal of Financial Markets 16 (2013), 1-32,
section 4, without its permanent part: the recorded prices already are what they became. With an `impact` of 1 what is
shown after a fill is what was shown before less the fill.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipelines.domain.limit_book import reaches
from pipelines.domain.market import Flag
from pipelines.domain.trading import Side
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_rows import LastSaid, Row

_ASK = int(Flag.ASK)
_SLACK = 1e-6
"""Of a tick: a price that is so near to the grid is on it."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A side's best price and its lots."""

    price: int
    lots: int


Hole = tuple[float, int]
"""Lots that were missing at a time."""


class VenueDisplay:
    """Prices in ticks, sizes in lots. A bid off the tick grid is shown at the tick below, an ask at the one above; a
    touch smaller than a lot shows one."""

    def __init__(self, config: EngineConfig, instrument: Instrument, said: LastSaid, holes: dict[Side, Hole]) -> None:
        self._config = config
        self._tick, self._lot = instrument.tick_size, instrument.lot_size
        self._exact_tick = Decimal(str(instrument.tick_size))
        self._told: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self.holes = dict(holes)
        self.touch: dict[Side, Touch | None] = {Side.BUY: None, Side.SELL: None}
        self.quoted = said.quote is not None
        if said.quote is not None:
            self.quote(said.quote)
        for side, levels in zip((Side.BUY, Side.SELL), said.levels, strict=True):
            for price, size in levels.items():
                self._told[side][self.ticks(side, price)] = self.lots(size)

    def copy(self) -> "VenueDisplay":
        made = object.__new__(VenueDisplay)
        made._config, made._tick, made._lot, made._exact_tick = self._config, self._tick, self._lot, self._exact_tick
        made._told = {side: dict(levels) for side, levels in self._told.items()}
        made.holes, made.touch, made.quoted = dict(self.holes), dict(self.touch), self.quoted
        return made

    def ticks(self, side: Side, price: float) -> int:
        """A recorded price on the grid."""
        if side is Side.BUY:
            return math.floor(price / self._tick + _SLACK)
        return math.ceil(price / self._tick - _SLACK)

    def order_ticks(self, price: float) -> int | None:
        """An order's price; None if it is off the grid."""
        ticks = round(price / self._tick)
        return ticks if abs(price / self._tick - ticks) <= _SLACK else None

    def price(self, ticks: float) -> float:
        """In the instrument's currency, exact in decimals; halves of ticks too."""
        return float(Decimal(str(ticks)) * self._exact_tick)

    def lots(self, size: float) -> int:
        """Of a displayed size: one at least."""
        return max(1, self.whole_lots(size))

    def whole_lots(self, size: float) -> int:
        return math.floor(size / self._lot + 1e-9) if 0 <= size < math.inf else 0

    def quote(self, row: Row) -> None:
        self.quoted = True
        self.touch[Side.BUY] = self._touch(Side.BUY, row[5], row[6])
        self.touch[Side.SELL] = self._touch(Side.SELL, row[7], row[8])

    def _touch(self, side: Side, price: float, size: float) -> Touch | None:
        if not (0 < price < math.inf and 0 <= size < math.inf):
            return None
        ticks = self.ticks(side, price)
        return Touch(ticks, self.lots(size)) if ticks > 0 else None

    def level(self, row: Row) -> tuple[Side, int]:
        """Where a level changed."""
        side = Side.SELL if row[4] & _ASK else Side.BUY
        price = self.ticks(side, row[5])
        if row[6] > 0:
            self._told[side][price] = self.lots(row[6])
        else:
            self._told[side].pop(price, None)
        return side, price

    def lose(self) -> None:
        """The recorded book is not to be had."""
        self.quoted = False
        self.touch = {Side.BUY: None, Side.SELL: None}
        self._told = {Side.BUY: {}, Side.SELL: {}}

    def hole(self, side: Side, time_ns: int) -> float:
        """Lots that are missing on a side."""
        lots, since_ns = self.holes.get(side, (0.0, time_ns))
        return lots * 2.0 ** ((since_ns - time_ns) / self._config.half_life_ns) if lots else 0.0

    def took(self, side: Side, lots: int, time_ns: int) -> None:
        """Lots of a side's recorded orders were traded against ours."""
        self.holes[side] = self.hole(side, time_ns) + self._config.impact * lots, time_ns

    def recorded(self, side: Side, price: int) -> int | None:
        """Lots of the recorded market at a price; None where it says nothing of it."""
        touch = self.touch[side]
        if touch is None:
            return 0
        if price == touch.price:
            return touch.lots
        if reaches(side, price, touch.price):
            return 0
        if self._told[side]:
            return self._told[side].get(price, 0)
        return None

    def shown(self, side: Side, price: int, time_ns: int) -> int:
        """Lots of the recorded market that the venue shows at a price."""
        for each, lots in self.profile(side, time_ns):
            if each == price:
                return lots
            if reaches(side, each, price) and each != price:
                continue
            break
        return 0

    def profile(self, side: Side, time_ns: int) -> Iterator[tuple[int, int]]:
        """Prices and lots shown, the best first."""
        missing = int(self.hole(side, time_ns) + 0.5)
        for price, lots in self._recorded(side):
            gone = min(missing, lots)
            missing -= gone
            if lots > gone:
                yield price, lots - gone

    def _recorded(self, side: Side) -> Iterator[tuple[int, int]]:
        touch = self.touch[side]
        if touch is None:
            return
        yield touch.price, touch.lots
        step = -1 if side is Side.BUY else 1
        if self._told[side]:
            deeper = sorted((price for price in self._told[side] if step * (price - touch.price) > 0), key=step.__mul__)
            for price in deeper[: self._config.levels - 1]:
                yield price, self._told[side][price]
            return
        for behind in range(1, self._config.levels):
            price = touch.price + step * behind
            if price <= 0:
                return
            yield price, touch.lots
