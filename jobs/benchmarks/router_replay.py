"""A recorded day of one instrument, for orders to be routed in: what a router may know, and what became of its orders.

What was displayed is known of the exchange that the tape names; of the others it is believed or proven
(`pipelines.domain.quote_tape`). A router sees what is believed at the best price at its decision; a child fills against
what is proven when it arrives, at its limit or better. What lies behind the best price is known so poorly that nobody
is sent there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.domain.market import NS_PER_S
from pipelines.domain.quote_tape import SideTape, side_tape
from pipelines.domain.route_costs import How, Market, Split
from pipelines.domain.trading import Side
from pipelines.domain.venue_books import Level, RouteVenue, VenueBook
from pipelines.feeds.files.lean_quotes import ExchangeSeries, read_quotes, read_trades

TICK_SIZE, LOT_SIZE = 0.01, 100
OPENS_NS, CLOSES_NS = 34_200 * NS_PER_S, 57_600 * NS_PER_S
LEARNING_NS = 3_600 * NS_PER_S
"""After the opening: what quotes are worth is learnt from, and no order is sent in."""
LAST_NS = 300 * NS_PER_S
"""Before the close: no order is sent in."""
PROOF_NS = 60 * NS_PER_S
"""A quote is proven by its exchange being named again within this."""
ANSWER_NS = 20_000_000
"""When what is left of a sweep reaches the market, about."""
LEARNT_FROM = 1500
FEWEST = 50
"""Samples of an exchange; of one with fewer, what all others tell is taken."""
LIFETIMES_NS = tuple(round(NS_PER_S * 2.0**power) for power in range(-6, 11))


@dataclass(frozen=True, slots=True)
class Day:
    """One instrument's tapes of a day, by side of an order: BUY takes asks. `left_out`: quotes off the tick or of
    exchanges that no venue is named after."""

    symbol: str
    day: str
    start_ns: int
    far: dict[Side, SideTape]
    left_out: int

    def books(self, at_ns: int, inferred: Mapping[str, float]) -> list[VenueBook]:
        """What a router may know: quotes believed at the best prices. Empty where a side has none, or they cross.
        `inferred`: by exchange, the chance of a quote that is not the named one; 1 where it is left out."""
        sides = {side: list(tape.believed(at_ns)) for side, tape in self.far.items()}
        best = {
            side: self.far[side].better
            * max((self.far[side].better * level.price_ticks for _, level in each), default=0)
            for side, each in sides.items()
        }
        if not 0 < best[Side.SELL] < best[Side.BUY]:
            return []
        shown: dict[int, dict[Side, tuple[Level, ...]]] = {}
        for side, each in sides.items():
            for exchange, level in each:
                if level.price_ticks == best[side] and level.lots:
                    chance = inferred.get(chr(exchange), 1.0) if level.age_ns else 1.0
                    shown.setdefault(exchange, {})[side] = (replace(level, chance=chance),)
        return [
            VenueBook(chr(exchange), of.get(Side.SELL, ()), of.get(Side.BUY, ()))
            for exchange, of in sorted(shown.items())
        ]

    def proven(self, side: Side, at_ns: int) -> dict[str, Level]:
        """What an order of this side could take then."""
        return {chr(exchange): level for exchange, level in self.far[side].proven(at_ns, PROOF_NS) if level.lots}


def read_day(path: Path, venues: Iterable[str]) -> list[Day]:
    """The days in an archive of quotes; raises as `read_quotes` does."""
    return [_day(series, venues) for series in read_quotes(path)]


def _day(series: ExchangeSeries, venues: Iterable[str]) -> Day:
    quotes = series.rows
    ticks = np.rint(quotes["price"] / TICK_SIZE)
    kept = np.isclose(ticks * TICK_SIZE, quotes["price"], rtol=0, atol=1e-7)
    kept &= np.isin(quotes["exchange"], [ord(name) for name in venues if len(name) == 1])
    quotes, ticks = quotes[kept], ticks[kept]
    far = {}
    for side in Side:
        of = quotes["ask"] == (side == Side.BUY)
        lots = (quotes["size"][of] // LOT_SIZE).astype(np.int64)
        exchange = quotes["exchange"][of].astype(np.int64)
        better = -1 if side == Side.BUY else 1
        far[side] = side_tape(better, quotes["event_ns"][of], ticks[of].astype(np.int64), lots, exchange)
    told = series.stream.day.isoformat() if series.stream.day else ""
    return Day(series.stream.symbol, told, series.stream.start_ns(), far, int((~kept).sum()) + len(series.faults))


@dataclass(frozen=True, slots=True)
class Learnt:
    """The venues with the chance that a named quote stands until an order arrives, and the lifetime of the others;
    `inferred`: by exchange, the chance of one of those when it was no longer named."""

    venues: list[RouteVenue]
    inferred: dict[str, float]


def learn(day: Day, venues: Iterable[RouteVenue], rng: np.random.Generator) -> Learnt:
    """What quotes were worth in the first hour: of lots believed, the share that was proven when an order could have
    arrived. What would be proven after that hour counts as not."""
    opened, ends = day.start_ns + OPENS_NS, day.start_ns + OPENS_NS + LEARNING_NS
    latency = {venue.name: venue.latency_ns for venue in venues}
    named: dict[str, list[float]] = {name: [] for name in latency}
    others: dict[str, list[tuple[float, float]]] = {name: [] for name in latency}
    for at_ns in rng.integers(opened, ends - PROOF_NS - NS_PER_S, LEARNT_FROM).tolist():
        books = day.books(at_ns, {})
        for side in Side:
            for book in books:
                for level in book.far(side):
                    stood = day.proven(side, at_ns + latency[book.venue]).get(book.venue)
                    lots = min(level.lots, stood.lots) if stood and _within(stood, level.price_ticks, side) else 0
                    if level.age_ns:
                        others[book.venue].append((float(level.age_ns), lots / level.lots))
                    else:
                        named[book.venue].append(lots / level.lots)
    all_named = float(np.mean([each for found in named.values() for each in found] or [1.0]))
    all_others = _fitted([each for found in others.values() for each in found])
    known, inferred = [], {}
    for venue in venues:
        stands = float(np.mean(named[venue.name])) if len(named[venue.name]) >= FEWEST else all_named
        chance, lifetime = _fitted(others[venue.name]) if len(others[venue.name]) >= FEWEST else all_others
        known.append(replace(venue, chance=stands, lifetime_ns=lifetime))
        inferred[venue.name] = min(1.0, chance / stands) if stands else 0.0
    return Learnt(known, inferred)


def _fitted(samples: list[tuple[float, float]]) -> tuple[float, int]:
    """Chance and lifetime by least squares of shares on ages."""
    age, share = np.array(samples).reshape(-1, 2).T
    best = (np.inf, 1.0, LIFETIMES_NS[0])
    for lifetime in LIFETIMES_NS:
        decay = np.exp(-age / lifetime)
        square = float(decay @ decay)
        chance = min(1.0, float(decay @ share) / square) if square > 0 else 0.0
        best = min(best, (float(((share - chance * decay) ** 2).sum()), chance, lifetime))
    return best[1], best[2]


def answer_ticks(day: Day, path: Path) -> tuple[float, int]:
    """How much worse the best price was `ANSWER_NS` after a trade that took all that the named exchange displayed, on
    average in ticks, and of how many such trades of the day's archive of trades. Who trades so does it when prices move
    anyway, so that it is no less than what the trade itself moved."""
    moves = []
    for series in read_trades(path):
        since_ns = series.rows["event_ns"] - day.start_ns
        regular = series.rows[(since_ns >= OPENS_NS + LEARNING_NS) & (since_ns < CLOSES_NS - LAST_NS)]
        for event_ns, exchange, price, size in regular.tolist() if series.stream.symbol == day.symbol else ():
            for tape in day.far.values():
                row = tape.row(event_ns - 1)
                best = int(tape.price_ticks[row])
                taken = tape.exchange[row] == exchange and abs(price / TICK_SIZE - best) < 1e-4
                if row >= 0 and best > 0 and taken and size >= tape.lots[row] * LOT_SIZE:
                    after = int(tape.price_ticks[tape.row(event_ns + ANSWER_NS)])
                    moves.append(tape.better * (best - after) if after > 0 else 0)
    return (float(np.mean(moves)), len(moves)) if moves else (0.0, 0)


def _within(level: Level, limit_ticks: int, side: Side) -> bool:
    sign = 1 if side == Side.BUY else -1
    return sign * level.price_ticks <= sign * limit_ticks


@dataclass(frozen=True, slots=True)
class Paid:
    """What a parent cost: ticks times lots, signed, fees in it; and the lots that filled when the sweep arrived."""

    total_ticks: float
    swept_lots: int


def executed(day: Day, made: Market, split: Split, at_ns: int, limit_ticks: int, worse_ticks: float = 0.0) -> Paid:
    """Trade a split of a parent decided at a time: the sweep at its arrival, the rest at what is best after.

    The rest is sent when the sweep's reports are back, and arrives with the slowest venue. It takes what is proven then
    at the best price and not yet taken, and then a tick worse for each best displayed size more, at the fee of the
    venue that is named. The recorded market knows nothing of our orders: with `worse_ticks` it answers them.
    """
    side, sign = made.parent.side, made.parent.sign
    sweep_ns = made.arrival_ns(split)
    standing = day.proven(side, at_ns + sweep_ns)
    total, left, taken = 0.0, made.parent.lots, {}
    for (name, how), lots in sorted(split.items()):
        level = standing.get(name)
        if how == How.TAKE and level is not None and _within(level, limit_ticks, side):
            filled = min(lots, level.lots)
            total += filled * _costs(made, name, sign, level.price_ticks)
            taken[name] = (level.price_ticks, filled)
            left -= filled
    swept = made.parent.lots - left
    if left:
        total += _rest(day, made, at_ns + 2 * sweep_ns + _slowest(made), taken, left, worse_ticks)
    return Paid(total, swept)


def _rest(
    day: Day, made: Market, at_ns: int, taken: dict[str, tuple[int, int]], left: int, worse_ticks: float
) -> float:
    side, sign = made.parent.side, made.parent.sign
    tape = day.far[side]
    row = tape.row(at_ns)
    while tape.price_ticks[row] <= 0:  # nobody quotes: the last who did
        row -= 1
    best, size, named = int(tape.price_ticks[row]), max(1, int(tape.lots[row])), chr(int(tape.exchange[row]))
    total = 0.0
    price = best + sign * worse_ticks
    at_best = [(name, each.lots) for name, each in day.proven(side, at_ns).items() if each.price_ticks == best]
    for cost, name, lots in sorted((_costs(made, name, sign, price), name, lots) for name, lots in at_best):
        taken_at, gone = taken.get(name, (0, 0))
        filled = min(left, max(0, lots - (gone if taken_at == best else 0)))
        total += filled * cost
        left -= filled
    while left:
        price += sign
        filled = min(left, size)
        total += filled * _costs(made, named, sign, price)
        left -= filled
    return total


def _costs(made: Market, name: str, sign: int, price_ticks: float) -> float:
    return sign * price_ticks + made.venues[name].taker.ticks(price_ticks, TICK_SIZE)


def _slowest(made: Market) -> int:
    return max(venue.latency_ns for venue in made.venues.values())
