"""The router on recorded quotes of many exchanges, against the best single venue, a pro-rata split and price alone.

At random times of the day, after an hour that the chances of quotes are learnt from, parents of one to five times what
the named exchange displays are split by each of them, and executed against what is proven to have stood when they
arrive. Costs are of each parent in basis points of the mid at the decision, fees in them. Parents of one time are one
block of the bootstrap: they meet the same market.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.benchmarks.router_replay import (
    CLOSES_NS,
    LAST_NS,
    LEARNING_NS,
    LOT_SIZE,
    OPENS_NS,
    TICK_SIZE,
    Day,
    Learnt,
    answer_ticks,
    executed,
    learn,
    read_day,
)
from pipelines.contracts.route_file import load_venues
from pipelines.domain.plain_splits import by_price, pro_rata, single_venue
from pipelines.domain.route_costs import Market, Split, market
from pipelines.domain.routing import route, route_in, split_of
from pipelines.domain.trading import Side
from pipelines.domain.venue_books import ParentOrder, RouteModel, RouteVenue, VenueBook

VENUES = Path(__file__).with_name("router_venues.yaml")
SIZES = (1, 2, 3, 4, 5)
MODEL = RouteModel(TICK_SIZE, LOT_SIZE, drift_ticks=0.25)
RESAMPLES = 4000
TIMED = 400

SPLITS: dict[str, Callable[[Market], Split]] = {
    "router": lambda made: split_of(route_in(made)),
    "single_venue": single_venue,
    "pro_rata": pro_rata,
    "by_price": by_price,
}
RECORDED, ANSWERED = "recorded", "answered"
"""How the market answers a sweep: as recorded, knowing nothing of it; or what is left pays so much more as prices were
found to be worse after recorded trades that took all that was displayed."""

Case = tuple[ParentOrder, list[VenueBook], list[RouteVenue]]


class RouterBenchError(RuntimeError):
    """Why it cannot be measured."""


@dataclass(slots=True)
class Costs:
    """Costs of parents by how the market answers, in blocks of one time each, shape (parents, splits)."""

    blocks: dict[str, list[list[NDArray[np.float64]]]]
    symbols: list[str] = field(default_factory=list)
    swept: list[int] = field(default_factory=lambda: [0] * len(SPLITS))
    asked: int = 0


def measure(paths: Sequence[Path], times: int = 200, seed: int = 1, venues_file: Path = VENUES) -> dict[str, Any]:
    """Route and execute in each file's day. The market's answer is measured where each DAY_quote.zip has a
    DAY_trade.zip beside it. Raises RouterBenchError where no time has a book to route in."""
    rng = np.random.default_rng(seed)
    venues = load_venues(venues_file)
    trades = {path: path.with_name(path.name.replace("quote", "trade")) for path in sorted(set(paths))}
    answered = all(path != beside and beside.is_file() for path, beside in trades.items())
    costs = Costs({answer: [] for answer in (RECORDED, ANSWERED)[: 1 + answered]})
    days: list[dict[str, Any]] = []
    cases: list[Case] = []
    for path, beside in trades.items():
        for day in read_day(path, [venue.name for venue in venues]):
            known = learn(day, venues, rng)
            answers = {RECORDED: 0.0}
            days.append(_told_day(day, known))
            if answered:
                answers[ANSWERED], takes = answer_ticks(day, beside)
                days[-1] |= {"answer_ticks": round(answers[ANSWERED], 3), "answer_trades": takes}
            first, last = OPENS_NS + LEARNING_NS, CLOSES_NS - LAST_NS
            for at_ns in sorted((day.start_ns + rng.integers(first, last, times)).tolist()):
                block = [each for side in Side for each in _cases(day, known, side, at_ns)]
                if block:
                    cases += block
                    _trade(day, block, at_ns, answers, costs)
    if not cases:
        raise RouterBenchError(f"no quotes at any of {times} times a day: give files of whole days")
    return {
        "seed": seed,
        "times": len(costs.symbols),
        "parents": len(cases),
        "sizes": list(SIZES),
        "days": days,
        "filled_by_the_sweep": {
            name: round(each / costs.asked, 4) for name, each in zip(SPLITS, costs.swept, strict=True)
        },
        "answers": {answer: _told(blocks, costs.symbols, seed) for answer, blocks in costs.blocks.items()},
        "speed": _speed(cases[:: max(1, len(cases) // TIMED)]),
    }


def _trade(day: Day, block: list[Case], at_ns: int, answers: dict[str, float], costs: Costs) -> None:
    """Split and execute the parents of one time, each answer of the market apart."""
    costs.symbols.append(day.symbol)
    for blocks in costs.blocks.values():
        blocks.append([])
    for parent, books, venues in block:
        made = market(parent, books, venues, MODEL)
        splits = [split(made) for split in SPLITS.values()]
        best = made.best
        assert best is not None  # Day.books gives both sides or nothing
        mid, limit = best.half_ticks / 2, best.far(parent.side)
        costs.asked += parent.lots
        for answer, worse in answers.items():
            paid = [executed(day, made, split, at_ns, limit, worse) for split in splits]
            bps = [1e4 * (each.total_ticks / parent.lots - parent.sign * mid) / mid for each in paid]
            costs.blocks[answer][-1].append(np.array(bps))
            if answer == RECORDED:
                costs.swept = [so_far + each.swept_lots for so_far, each in zip(costs.swept, paid, strict=True)]


def _cases(day: Day, known: Learnt, side: Side, at_ns: int) -> list[Case]:
    books = day.books(at_ns, known.inferred)
    named = [level.lots for book in books for level in book.far(side) if level.age_ns == 0]
    return [(ParentOrder(side, size * max(named)), books, known.venues) for size in SIZES] if named else []


def _told(blocks: list[list[NDArray[np.float64]]], symbols: list[str], seed: int) -> dict[str, Any]:
    groups = {"all": list(range(len(blocks)))}
    for place, symbol in enumerate(symbols):
        groups.setdefault(symbol, []).append(place)
    found = {name: _saved([blocks[place] for place in places], seed) for name, places in groups.items()}
    whole = np.array([block for block in blocks if len(block) == 2 * len(SIZES)])
    by_size = whole.reshape(len(whole), 2, len(SIZES), len(SPLITS)).mean(axis=(0, 1)) if len(whole) else []
    sizes = {
        str(size): dict(zip(SPLITS, np.round(row, 4).tolist(), strict=True))
        for size, row in zip(SIZES, by_size, strict=False)
    }
    return {"groups": found, "cost_bps_by_size": sizes}


def _saved(blocks: list[list[NDArray[np.float64]]], seed: int) -> dict[str, Any]:
    """Mean costs, and what the router saves: its mean over parents, with the 95 % interval of a bootstrap of blocks."""
    sums = np.array([np.sum(block, axis=0) for block in blocks])
    counts = np.array([len(block) for block in blocks])
    mean = sums.sum(axis=0) / counts.sum()
    saved = sums[:, 1:] - sums[:, :1]
    drawn = np.random.default_rng(seed).integers(0, len(blocks), (RESAMPLES, len(blocks)))
    again = np.stack([saved[rows].sum(axis=0) / counts[rows].sum() for rows in drawn])
    low, high = np.percentile(again, [2.5, 97.5], axis=0)
    names = list(SPLITS)
    return {
        "parents": int(counts.sum()),
        "cost_bps": dict(zip(names, np.round(mean, 4).tolist(), strict=True)),
        "saved_bps": {
            name: {
                "mean": round(float(mean[at + 1] - mean[0]), 4),
                "low": round(float(low[at]), 4),
                "high": round(float(high[at]), 4),
            }
            for at, name in enumerate(names[1:])
        },
    }


def _told_day(day: Day, known: Learnt) -> dict[str, Any]:
    quoted = {chr(each) for tape in day.far.values() for each in tape.named}
    learnt = {
        each.name: {
            "named": round(each.chance, 4),
            "inferred": round(each.chance * known.inferred[each.name], 4),
            "lifetime_s": each.lifetime_ns / 1e9,
        }
        for each in known.venues
        if each.name in quoted
    }
    changes = sum(len(tape.time_ns) for tape in day.far.values())
    return {
        "symbol": day.symbol,
        "day": day.day,
        "changes": changes,
        "left_out": day.left_out,
        "learnt": learnt,
    }


def _speed(cases: list[Case], runs: int = 3) -> dict[str, float]:
    """Parents a second of one core, from books to children with their reasons, beside the best prices alone."""

    def seconds(once: Callable[[Case], object]) -> float:
        took = []
        for _ in range(runs):
            began = time.process_time()
            for case in cases:
                once(case)
            took.append(time.process_time() - began)
        return min(took)

    routed = len(cases) / seconds(lambda case: route(*case, MODEL))
    plain = len(cases) / seconds(lambda case: by_price(market(*case, MODEL)))
    return {
        "parents_per_second": round(routed),
        "by_price_per_second": round(plain),
        "ratio_to_by_price": round(routed / plain, 3),
    }
