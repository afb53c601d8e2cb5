"""Checks between a signal and its orders. Each has a name, a limit and a value; a refusal's reason is `name: text`."""

from enum import StrEnum

from pipelines.domain.account import TradedPair, TraderConfig, TraderState
from pipelines.domain.orders import MAX_LOTS
from pipelines.domain.trading import Action, Signal


class Check(StrEnum):
    """Names of all refusals: they begin `reason`, and dashboards count by them."""

    UNKNOWN_PAIR = "unknown_pair"
    KILL_SWITCH = "kill_switch"
    PAIR_NOT_FLAT = "pair_not_flat"
    ZERO_QUANTITY = "zero_quantity"
    STALE_MARKS = "stale_marks"
    POSITION_LIMIT = "position_limit"
    CLOSE_TRIES = "close_tries"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    IMPLAUSIBLE_REPORT = "implausible_report"
    UNKNOWN_COMMAND = "unknown_command"


def reason(check: Check, text: str) -> str:
    return f"{check.value}: {text}"


def killed(state: TraderState) -> str:
    if not state.killed:
        return ""
    return reason(Check.KILL_SWITCH, f"account {state.config.account} was killed by {state.killed}")


def entry(state: TraderState, pair: TradedPair, signal: Signal, time_ns: int, wanted: tuple[int, int]) -> str:
    """Why an entry of signed lots by leg may not be, or an empty string. Checks that cost least come first."""
    return (
        killed(state)
        or _pair_not_flat(state, pair)
        or _zero_quantity(pair, signal, wanted)
        or _stale_marks(state, pair, signal, time_ns)
        or _position_limit(state, pair, wanted)
    )


def size(config: TraderConfig, pair: TradedPair, signal: Signal) -> tuple[int, int]:
    """Signed lots by leg: `leg_notional` of the first leg at the signal's mid, the second by its beta.

    Long the spread buys a and sells beta of b. A leg that cannot be sized (no price, not a number, absurd) is 0.
    """
    a, b = pair.legs
    worth = signal.mid_a * a.lot_size
    lots_a = _lots(config.leg_notional / worth) if worth > 0 else 0
    lots_b = _lots(lots_a * a.lot_size * abs(signal.beta) / b.lot_size)
    sign = 1 if signal.action is Action.ENTER_LONG else -1
    return sign * lots_a, -sign * lots_b if signal.beta > 0 else sign * lots_b


def _lots(exact: float) -> int:
    return round(exact) if 0 < exact < MAX_LOTS else 0


def _pair_not_flat(state: TraderState, pair: TradedPair) -> str:
    held = state.pairs.get(pair.name)
    if held is None:
        return ""
    return reason(
        Check.PAIR_NOT_FLAT, f"{pair.name} is {held.stance}: filled {held.lots[0]}/{held.lots[1]} lots, limit 0"
    )


def _zero_quantity(pair: TradedPair, signal: Signal, wanted: tuple[int, int]) -> str:
    if wanted[0] and wanted[1]:
        return ""
    return reason(
        Check.ZERO_QUANTITY,
        f"{pair.name} sized {abs(wanted[0])}/{abs(wanted[1])} lots, limit 1 a leg and {MAX_LOTS} at most"
        f" (mid_a {signal.mid_a:g}, beta {signal.beta:g})",
    )


def _stale_marks(state: TraderState, pair: TradedPair, signal: Signal, time_ns: int) -> str:
    """Marks come every 100 ms. A leg whose mid in the signal is not that of its last mark has been quoted since."""
    limit_ms = state.config.stale_marks_ns // 1_000_000
    for leg, (instrument, mid) in enumerate(zip(pair.legs, (signal.mid_a, signal.mid_b), strict=True)):
        quote = state.mark(pair, leg)
        if quote is None:
            return reason(Check.STALE_MARKS, f"{instrument.id} has no mark, limit {limit_ms} ms")
        if not (quote[0] > 0 and quote[1] > 0):
            side = "bid" if not quote[0] > 0 else "ask"
            return reason(Check.STALE_MARKS, f"{instrument.id} was marked with no {side}")
        age_ns = time_ns - quote[2]
        if age_ns > state.config.stale_marks_ns and mid == 0.5 * (quote[0] + quote[1]):
            return reason(
                Check.STALE_MARKS, f"{instrument.id} was marked {age_ns / 1e6:.3f} ms ago, limit {limit_ms} ms"
            )
    return ""


def _position_limit(state: TraderState, pair: TradedPair, wanted: tuple[int, int]) -> str:
    limit = state.config.position_lots
    for instrument, lots in zip(pair.legs, wanted, strict=True):
        exposure = state.exposure(instrument.id)
        after = (exposure.long if lots > 0 else exposure.short) + abs(lots)
        if after > limit:
            return reason(
                Check.POSITION_LIMIT,
                f"{instrument.id} would be {after} lots {'long' if lots > 0 else 'short'}, limit {limit}"
                f" (filled {exposure.filled}, working or unknown {exposure.working}, new {abs(lots)})",
            )
    return ""
