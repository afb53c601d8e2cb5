"""What an account, or a scope of it, has to close: by pair and strategy, what adds most to the risk first, and how much
of each goes in a stage.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from pipelines.domain.account import NOBODY, PairState, Target, TraderState
from pipelines.domain.breaches import Breach
from pipelines.domain.exposure import one_lot
from pipelines.domain.trader_config import TradedPair
from pipelines.domain.unwinding import slice_lots


class Part(NamedTuple):
    """What a strategy wants of a pair, how much of the risk that is, and what it is worth net."""

    pair: str
    strategy: str
    risk: float
    worth: float
    net: float


def has_of(broken: Breach | None, part: Part, long: bool) -> float:
    """What a part has in what is broken; less than none where it is against it. `long`: whether the account is."""
    if broken is None:
        return 0.0
    net = part.net if long else -part.net
    return {"es": part.risk, "var": part.risk, "net_notional": net}.get(broken.limit, part.worth)


def held_of(state: TraderState, names: Iterable[str], scope: str) -> int:
    """Lots that a scope still has. What a strategy has others may have the opposite of."""
    if scope.startswith("strategy:"):
        books = state.books.get(scope.removeprefix("strategy:"), {})
        return sum(abs(leg.lots) for name in names if name in books for leg in books[name].legs)
    return sum(abs(lots) for name in names for lots in state.pairs[name].lots)


def parts_of(state: TraderState, names: Iterable[str], scope: str) -> list[Part]:
    """What adds most to the risk first; what was never measured by its worth, before all that was."""
    found: list[tuple[bool, Part]] = []
    for name in names:
        traded = state.config.pairs.get(name)
        if traded is None:
            continue
        pair = claimed(state.pairs[name])
        risk = state.measured.pair_es.get(name)
        each = [one_lot(state, instrument) for instrument in traded.legs]
        whole = sum(abs(lots) * value for lots, value in zip(pair.lots, each, strict=True)) or 1.0
        for strategy, (a, b, _) in pair.targets.items():
            if scope.startswith("strategy:") and strategy and scope != f"strategy:{strategy}":
                continue
            value, net = abs(a) * each[0] + abs(b) * each[1], a * each[0] + b * each[1]
            share = value if risk is None else risk * value / whole
            found.append((risk is None, Part(name, strategy, share, value, net)))
    return [part for _, part in sorted(found, key=lambda each: (not each[0], -each[1].risk, each[1].pair))]


def smaller(state: TraderState, traded: TradedPair, target: Target, room: dict[str, int]) -> Target:
    """A target after a stage: both legs by the same share, at most what may go of each in it. `room`: what may still go
    of an instrument in this stage."""
    how, known = state.config.unwinding, state.measured
    share = 1.0
    for instrument, lots in zip(traded.legs, target[:2], strict=True):
        if not lots:
            continue
        each, volume = one_lot(state, instrument), known.volume_per_day.get(instrument.id, 0.0)
        deviation = known.deviation_per_lot.get(instrument.id, 0.0) / each if each else 0.0
        held = [
            state.pairs[name].lots[leg] for name, leg in state.config.pairs_of[instrument.id] if name in state.pairs
        ]
        whole = slice_lots(max(sum(map(abs, held)), abs(lots)), volume, deviation, how)
        most = min(slice_lots(lots, volume, deviation, how), room.setdefault(instrument.id, whole))
        share = min(share, most / abs(lots))
    first = max(abs(target[0]), abs(target[1]))
    gone = int(share * first + 1e-9)
    if not gone:
        return target
    rest = first - gone
    left = [max(1, round(abs(lots) * rest / first)) if lots and rest else 0 for lots in target[:2]]  # both end at once
    for instrument, lots, stays in zip(traded.legs, target[:2], left, strict=True):
        if lots:
            room[instrument.id] = max(0, room[instrument.id] - (abs(lots) - stays))
    a, b = (stays if lots > 0 else -stays for lots, stays in zip(target[:2], left, strict=True))
    return a, b, target[2] if a or b else 0


def claimed(pair: PairState) -> PairState:
    """With what nobody wants of it as nobody's target, so that it goes too."""
    a, b = pair.lots[0] - pair.goal[0], pair.lots[1] - pair.goal[1]
    if not (a or b) or pair.moving:
        return pair
    had = pair.targets.get(NOBODY, (0, 0, 0))
    return replace(pair, targets=pair.targets | {NOBODY: (had[0] + a, had[1] + b, 1)})


def in_scope(state: TraderState, scope: str) -> list[str]:
    """Pairs that are not flat and that a scope covers."""
    kind, _, name = scope.partition(":")
    if kind == "pair":
        return [name] if name in state.pairs else []
    if kind == "venue":
        of = state.config.pairs
        return [each for each in state.pairs if each in of and any(leg.venue == name for leg in of[each].legs)]
    if kind == "strategy":
        books = state.books.get(name, {})
        return [
            each
            for each, pair in state.pairs.items()
            if name in pair.targets or (each in books and any(leg.lots for leg in books[each].legs))
        ]
    return list(state.pairs)
