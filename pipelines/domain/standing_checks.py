"""Checks of whether a pair may be entered at all now: stops, hours, marks. They cost least, so they come first."""

from pipelines.domain.account import NOBODY, Lots, Stop, Stops, TraderState
from pipelines.domain.checks import Check, Verdict, Verdicts, reason
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.orders import MAX_LOTS
from pipelines.domain.scopes import scopes
from pipelines.domain.trader_config import TradedPair
from pipelines.domain.trading import Signal

_CHECK_OF = {Stops.KILL: Check.KILL_SWITCH, Stops.REDUCE: Check.REDUCING, Stops.HALT: Check.HALTED}
_WORD_OF = {Stops.KILL: "was killed by", Stops.REDUCE: "is being closed:", Stops.HALT: "is halted:"}
MARK_STATES = {1: "halted", 2: "closed", 3: "halted and closed"}


def stops_of(state: TraderState, pair: str, strategy: str) -> list[tuple[str, Stop]]:
    if not state.stops:
        return []
    return [(scope, state.stops[scope]) for scope in scopes(state.config, pair, strategy) if scope in state.stops]


def killed(state: TraderState, pair: str = "", strategy: str = NOBODY) -> str:
    """Why nothing of a pair may leave, or an empty string."""
    if state.killed:
        return reason(Check.KILL_SWITCH, f"account {state.config.account} was killed by {state.killed}")
    for scope, stop in stops_of(state, pair, strategy):
        if stop.kind is Stops.KILL:
            return reason(Check.KILL_SWITCH, f"{scope} was killed by {stop.why}")
    return ""


def stopped(state: TraderState, pair: str, strategy: str) -> str:
    """Why nothing new of a pair may leave, or an empty string."""
    if state.killed:
        return killed(state)
    for scope, stop in stops_of(state, pair, strategy):
        named = f"account {scope}" if scope == state.config.account else scope
        return reason(_CHECK_OF[stop.kind], f"{named} {_WORD_OF[stop.kind]} {stop.why}")
    return ""


def standing(state: TraderState, pair: TradedPair, signal: Signal, time_ns: int, strategy: str, unit: Lots) -> Verdicts:
    """Of an entry of `unit` signed lots by leg for a strategy."""
    yield from _session(state, time_ns)
    yield _pair_not_flat(state, pair, strategy, unit)
    yield _zero_quantity(pair, signal, unit)
    yield from _restricted(state, pair)
    yield from _marks(state, pair, signal, time_ns)


def _session(state: TraderState, time_ns: int) -> Verdicts:
    times = state.config.times
    if times.entries_from is None and times.entries_until is None and times.flatten_at is None:
        return
    _, now = times.at(time_ns)
    until = times.entries_until or times.flatten_at
    open_now = times.takes_entries(time_ns) and times.flattens(time_ns) < 0
    text = f"{now:%H:%M:%S} {times.zone}, entries from {times.entries_from or 'midnight'} until {until or 'midnight'}"
    yield Verdict(Check.SESSION, open_now, text)


def _pair_not_flat(state: TraderState, pair: TradedPair, strategy: str, unit: Lots) -> Verdict:
    """Flat, or held just as the strategies want it, and room for this entry by the sizing."""
    held = state.pairs.get(pair.name)
    if held is None:
        return Verdict(Check.PAIR_NOT_FLAT, True, f"{pair.name} is flat, limit 0")
    text = f"{pair.name} is {held.stance}: filled {held.lots[0]}/{held.lots[1]} lots, limit 0"
    if held.moving or held.lots != held.goal:
        return Verdict(Check.PAIR_NOT_FLAT, False, text)
    target = held.targets.get(strategy)
    sizing = state.config.sizing
    if target is None:
        return Verdict(Check.PAIR_NOT_FLAT, not held.targets.keys() & {NOBODY}, text)
    if target[0] * unit[0] < 0:
        return Verdict(Check.PAIR_NOT_FLAT, sizing.flips, text)
    if sizing.units == 1:
        return Verdict(Check.PAIR_NOT_FLAT, False, text)
    grown = f"{pair.name} is {held.stance}: entered {target[2]} times, limit {sizing.units}"
    return Verdict(Check.PAIR_NOT_FLAT, target[2] < sizing.units, grown)


def _zero_quantity(pair: TradedPair, signal: Signal, unit: Lots) -> Verdict:
    return Verdict(
        Check.ZERO_QUANTITY,
        bool(unit[0] and unit[1]),
        f"{pair.name} sized {abs(unit[0])}/{abs(unit[1])} lots, limit 1 a leg and {MAX_LOTS} at most"
        f" (mid_a {signal.mid_a:g}, beta {signal.beta:g})",
    )


def _restricted(state: TraderState, pair: TradedPair) -> Verdicts:
    if not state.limits.restricted:
        return
    for instrument in pair.legs:
        if instrument.id in state.limits.restricted:
            yield Verdict(Check.RESTRICTED, False, f"{instrument.id} is on the restricted list ({pair.name})")
    yield Verdict(Check.RESTRICTED, True, f"{pair.name}: no leg is on the list of {len(state.limits.restricted)}")


def _marks(state: TraderState, pair: TradedPair, signal: Signal, time_ns: int) -> Verdicts:
    """Marks come every 100 ms. A leg whose mid in the signal is not that of its last mark has been quoted since."""
    limit_ms, collar = state.limits.stale_marks_ms, state.limits.collar
    marks = state.marks.get(pair.shard)
    for leg, (instrument, mid) in enumerate(zip(pair.legs, (signal.mid_a, signal.mid_b), strict=True)):
        quote = state.mark(pair, leg)
        if quote is None:
            yield Verdict(Check.STALE_MARKS, False, f"{instrument.id} has no mark, limit {limit_ms} ms")
            return
        if not (quote[0] > 0 and quote[1] > 0):
            side = "bid" if not quote[0] > 0 else "ask"
            yield Verdict(Check.STALE_MARKS, False, f"{instrument.id} was marked with no {side}")
            return
        age_ns, mark = time_ns - quote[2], 0.5 * (quote[0] + quote[1])
        fresh = age_ns <= limit_ms * NS_PER_MS or mid != mark
        when = f"{age_ns / 1e6:.3f} ms ago" if age_ns >= 0 else f"{-age_ns / 1e6:.3f} ms after it"
        text = f"{instrument.id} was marked {when}, limit {limit_ms} ms"
        yield Verdict(Check.STALE_MARKS, fresh, text)
        silent = marks.state.get(instrument.id, 0) if marks else 0
        if silent:
            yield Verdict(Check.NOT_TRADING, False, f"{instrument.id} is {MARK_STATES.get(silent, silent)}")
        if collar is not None:
            off = abs(mid / mark - 1)
            text = f"{instrument.id} at {mid:g} is {off:.2%} off its mark {mark:g}, limit {collar:.2%}"
            yield Verdict(Check.PRICE_COLLAR, off <= collar, text)
