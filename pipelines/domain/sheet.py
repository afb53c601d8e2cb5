"""What an account holds and may come to hold, instrument by instrument, in arrays: its worth in a few microseconds.

A sheet follows the states of one account. Asked of a state, it looks which pairs, quotes and positions are other
objects than those that it last saw, and works those out alone; what it tells is of that state, whichever it saw before.
Lots are exact integers, and sums go one by one in the order of the strategy file: every machine gives the same bytes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.changed import changed
from pipelines.domain.compiled import compiled
from pipelines.domain.orders import reach

if TYPE_CHECKING:
    from pipelines.domain.account import PairState, Quote, TraderState

Lots = NDArray[np.int64]
Floats = NDArray[np.float64]
NOTHING = (0, 0, 0, 0, 0, 0, 0, 0)


class Worth(NamedTuple):
    """Of all legs, filled + working + unknown. `gross`: each leg at its worst; `high`, `low`: long less short if all
    that is bought filled and nothing that is sold, and the other way round."""

    gross: float
    high: float
    low: float


class Sheet:
    """Arrays are by instrument of the strategy. `worst`, `most`, `least`: lots of all legs, each one's worst either
    way, the most and the fewest; `held`: as filled. `lots`, `cash`, `cost`: of the position. `one_lot`: money of a lot
    at the mark."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._pairs: dict[str, PairState] = {}
        self._legs: dict[str, tuple[int, ...]] = {}
        self._marks: dict[int, Any] = {}
        self._positions: dict[str, Any] = {}
        self._news: tuple[Mapping[str, Quote], ...] = ({}, {}, {})
        self._worth: Worth | None = None
        self._made: float | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sheet)  # it says nothing that the state does not

    __hash__ = None  # type: ignore[assignment]

    def quoted(self, before: "Mapping[str, Quote]", after: "Mapping[str, Quote]", new: "Mapping[str, Quote]") -> None:
        """Word that a shard's quotes are those from before and the new ones: it saves looking for what has changed."""
        self._news = (before, after, new)

    def worth(self, state: "TraderState") -> Worth:
        self._follow(state)
        if self._worth is None:
            self._worth = Worth(*_worth(self._one_lot, self._worst, self._most, self._least, self._lots, self._held))
        return self._worth

    def made(self, state: "TraderState") -> float:
        """Money, realised and at the marks, before costs."""
        self._follow(state)
        if self._made is None:
            self._made = float(_made(self._mid_ticks, self._tick, self._lots, self._cash, self._cost))
        return self._made

    def working(self, state: "TraderState") -> list[tuple[str, int]]:
        """Lots of each instrument that may still be bought or sold."""
        self._follow(state)
        names = tuple(self._place)
        open_lots = self._most - self._least
        return [(names[place], int(open_lots[place])) for place in np.flatnonzero(open_lots).tolist()]

    def worth_of_sector(self, state: "TraderState", sector: str) -> float:
        self._follow(state)
        total = 0.0
        for name, instrument in state.config.instruments.items():
            if instrument.sector == sector:
                place = self._place[name]
                total += float(self._one_lot[place]) * int(self._worst[place])
        return total

    def _follow(self, state: "TraderState") -> None:
        if not self._place:
            self._begin(state)
        if state.positions is not self._positions:
            self._worth = self._made = None
            self._follow_positions(state)
        if state.marks is not self._marks:
            self._worth = self._made = None
            self._follow_marks(state)
        if state.pairs is not self._pairs:
            self._worth = None
            self._follow_pairs(state)

    def _begin(self, state: "TraderState") -> None:
        instruments = state.config.instruments
        self._place = {name: place for place, name in enumerate(instruments)}
        count = len(instruments)
        self._worst, self._most, self._least, self._held = (np.zeros(count, np.int64) for _ in range(4))
        self._lots, self._cash, self._cost = (np.zeros(count, np.int64) for _ in range(3))
        self._one_lot, self._mid_ticks = np.zeros(count), np.zeros(count)
        shards: dict[str, set[int]] = {}
        for pair in state.config.pairs.values():
            for leg in pair.legs:
                shards.setdefault(leg.id, set()).add(pair.shard)
        self._several = {name for name, told in shards.items() if len(told) > 1}
        self._tick_size = np.array([each.tick_size for each in instruments.values()], np.float64)
        rate = state.limits.rate
        self._unit = np.array([each.lot_size * rate(each.currency) for each in instruments.values()], np.float64)
        self._tick = self._tick_size * self._unit

    def _follow_positions(self, state: "TraderState") -> None:
        for name in changed(self._positions, state.positions):
            place = self._place.get(name)
            if place is not None:
                position = state.position(name)
                self._lots[place], self._cash[place], self._cost[place] = position.lots, position.cash, position.cost
                if not self._mid_ticks[place]:
                    self._price(state, name, place)
        self._positions = state.positions

    def _follow_marks(self, state: "TraderState") -> None:
        for shard in self._marks.keys() | state.marks.keys():
            then, now = self._marks.get(shard), state.marks.get(shard)
            if then is now:
                continue
            self._follow_quotes(state, then.quotes if then else {}, now.quotes if now else {})
        self._marks = state.marks

    def _follow_quotes(self, state: "TraderState", then: "Mapping[str, Quote]", now: "Mapping[str, Quote]") -> None:
        before, after, new = self._news
        if then is not before or now is not after:
            names = changed(then, now)
            new = {name: now[name] for name in names if name in now}
            for name in names[len(new) :]:
                self._price(state, name, self._place[name])
        if not new:
            return
        places = np.array([self._place[name] for name in new])
        bids, asks = (np.array(side, np.float64) for side in list(zip(*new.values(), strict=True))[:2])
        every = _price_all(places, bids, asks, self._tick_size, self._unit, self._mid_ticks, self._one_lot)
        if every and not self._several:
            return
        for name, quote in new.items():
            if name in self._several or not (quote[0] > 0 and quote[1] > 0):
                self._price(state, name, self._place[name])

    def _price(self, state: "TraderState", name: str, place: int) -> None:
        mid = mid_of(state, name)
        self._mid_ticks[place] = mid / state.config.instruments[name].tick_size
        if not mid:
            position = state.position(name)
            paid = abs(position.cost / position.lots) if position.lots else 0.0
            mid = paid * state.config.instruments[name].tick_size
        self._one_lot[place] = mid * self._unit[place]

    def _follow_pairs(self, state: "TraderState") -> None:
        for name in changed(self._pairs, state.pairs):
            pair = state.pairs.get(name)
            self._put(name, NOTHING if pair is None else self._of(state, pair), state)
        self._pairs = state.pairs

    def _of(self, state: "TraderState", pair: "PairState") -> tuple[int, ...]:
        """Worst, most, least and held of each leg."""
        found: list[int] = []
        for lots, order_id in zip(pair.lots, pair.working, strict=True):
            least, most = reach(lots, state.orders.get(order_id))
            found += (max(most, -least), most, least, lots)
        return tuple(found)

    def _put(self, name: str, legs: tuple[int, ...], state: "TraderState") -> None:
        traded = state.config.pairs.get(name)
        if traded is None:
            return
        had = self._legs.pop(name, NOTHING)
        if legs is not NOTHING:
            self._legs[name] = legs
        for leg, instrument in enumerate(traded.legs):
            place, first = self._place[instrument.id], 4 * leg
            self._worst[place] += legs[first] - had[first]
            self._most[place] += legs[first + 1] - had[first + 1]
            self._least[place] += legs[first + 2] - had[first + 2]
            self._held[place] += legs[first + 3] - had[first + 3]


def mid_of(state: "TraderState", instrument: str) -> float:
    """Of the instrument's last quote of two sides, in whichever shard it is told; 0 where there is none."""
    for marks in state.marks.values():
        quote = marks.quotes.get(instrument)
        if quote is not None and quote[0] > 0 and quote[1] > 0:
            return 0.5 * (quote[0] + quote[1])
    return 0.0


@compiled
def _price_all(
    places: Lots, bids: Floats, asks: Floats, ticks: Floats, units: Floats, mids: Floats, each: Floats
) -> bool:
    """Put mids in ticks and what a lot is worth where both sides are quoted; whether they all are."""
    every = True
    for row in range(places.size):
        if bids[row] > 0 and asks[row] > 0:
            mid, place = 0.5 * (bids[row] + asks[row]), places[row]
            mids[place] = mid / ticks[place]
            each[place] = mid * units[place]
        else:
            every = False
    return every


@compiled
def _worth(one_lot: Floats, worst: Lots, most: Lots, least: Lots, lots: Lots, held: Lots) -> tuple[float, float, float]:
    gross = high = low = 0.0
    for place in range(one_lot.size):
        each, elsewhere = one_lot[place], lots[place] - held[place]
        gross += each * worst[place] + abs(each * elsewhere)
        high += each * (most[place] + elsewhere)
        low += each * (least[place] + elsewhere)
    return gross, high, low


@compiled
def _made(mid_ticks: Floats, tick: Floats, lots: Lots, cash: Lots, cost: Lots) -> float:
    total = 0.0
    for place in range(mid_ticks.size):
        opened = lots[place] * mid_ticks[place] if mid_ticks[place] else float(cost[place])
        total += (cash[place] + opened) * tick[place]
    return total
