"""Checks between a signal and its orders. Each has a name, a limit and a value; a refusal's reason is `name: text`."""

from enum import StrEnum

from pipelines.domain.account import TradedPair, TraderConfig, TraderState
from pipelines.domain.exposure import made, one_lot, worth
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.orders import MAX_LOTS
from pipelines.domain.trading import Action, Signal


class Check(StrEnum):
    """Names of all refusals: they begin `reason`, and dashboards count by them."""

    UNKNOWN_PAIR = "unknown_pair"
    KILL_SWITCH = "kill_switch"
    PAIR_NOT_FLAT = "pair_not_flat"
    ZERO_QUANTITY = "zero_quantity"
    RESTRICTED = "restricted"
    STALE_MARKS = "stale_marks"
    PRICE_COLLAR = "price_collar"
    ORDER_LOTS = "order_lots"
    ORDER_NOTIONAL = "order_notional"
    POSITION_LIMIT = "position_limit"
    SHORT_SALE = "short_sale"
    SELF_MATCH = "self_match"
    ORDER_RATE = "order_rate"
    ENTRY_RATE = "entry_rate"
    PAIR_NOTIONAL = "pair_notional"
    GROSS_NOTIONAL = "gross_notional"
    NET_NOTIONAL = "net_notional"
    DAILY_LOSS = "daily_loss"
    CLOSE_TRIES = "close_tries"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    IMPLAUSIBLE_REPORT = "implausible_report"
    UNKNOWN_COMMAND = "unknown_command"
    BAD_LIMIT = "bad_limit"


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
        or _restricted(state, pair)
        or _stale_marks(state, pair, signal, time_ns)
        or _price_collar(state, pair, signal)
        or _order_size(state, pair, signal, wanted)
        or _position_limit(state, pair, wanted)
        or _short_sale(state, pair, wanted)
        or _self_match(state, pair, wanted)
        or _order_rate(state, wanted, time_ns)
        or _entry_rate(state, pair, time_ns)
        or _notional(state, pair, wanted)
        or _daily_loss(state)
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
    limit_ms = state.limits.stale_marks_ms
    for leg, (instrument, mid) in enumerate(zip(pair.legs, (signal.mid_a, signal.mid_b), strict=True)):
        quote = state.mark(pair, leg)
        if quote is None:
            return reason(Check.STALE_MARKS, f"{instrument.id} has no mark, limit {limit_ms} ms")
        if not (quote[0] > 0 and quote[1] > 0):
            side = "bid" if not quote[0] > 0 else "ask"
            return reason(Check.STALE_MARKS, f"{instrument.id} was marked with no {side}")
        age_ns = time_ns - quote[2]
        if age_ns > limit_ms * NS_PER_MS and mid == 0.5 * (quote[0] + quote[1]):
            return reason(
                Check.STALE_MARKS, f"{instrument.id} was marked {age_ns / 1e6:.3f} ms ago, limit {limit_ms} ms"
            )
    return ""


def _position_limit(state: TraderState, pair: TradedPair, wanted: tuple[int, int]) -> str:
    limit = state.limits.position_lots
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


def _restricted(state: TraderState, pair: TradedPair) -> str:
    for instrument in pair.legs:
        if instrument.id in state.limits.restricted:
            return reason(Check.RESTRICTED, f"{instrument.id} is on the restricted list ({pair.name})")
    return ""


def _price_collar(state: TraderState, pair: TradedPair, signal: Signal) -> str:
    limit = state.limits.collar
    if limit is None:
        return ""
    for leg, (instrument, mid) in enumerate(zip(pair.legs, (signal.mid_a, signal.mid_b), strict=True)):
        quote = state.mark(pair, leg)
        assert quote is not None  # or its marks were stale
        mark = 0.5 * (quote[0] + quote[1])
        off = abs(mid / mark - 1)
        if not off <= limit:
            return reason(
                Check.PRICE_COLLAR, f"{instrument.id} at {mid:g} is {off:.2%} off its mark {mark:g}, limit {limit:.2%}"
            )
    return ""


def _order_size(state: TraderState, pair: TradedPair, signal: Signal, wanted: tuple[int, int]) -> str:
    most, money = state.limits.order_lots, state.limits.order_notional
    if most is None and money is None:
        return ""
    for instrument, lots, mid in zip(pair.legs, wanted, (signal.mid_a, signal.mid_b), strict=True):
        if most is not None and abs(lots) > most:
            return reason(Check.ORDER_LOTS, f"{instrument.id} {abs(lots)} lots, limit {most}")
        value = abs(lots) * mid * instrument.lot_size * state.limits.rate(instrument.currency)
        if money is not None and not value <= money:
            return reason(
                Check.ORDER_NOTIONAL, f"{instrument.id} {abs(lots)} lots at {mid:g} are {value:.2f}, limit {money:.2f}"
            )
    return ""


def _short_sale(state: TraderState, pair: TradedPair, wanted: tuple[int, int]) -> str:
    for instrument, lots in zip(pair.legs, wanted, strict=True):
        located = state.limits.short_lots.get(instrument.id)
        if located is None or lots > 0:
            continue
        exposure = state.exposure(instrument.id)
        short = exposure.short - lots
        if short > located:
            return reason(
                Check.SHORT_SALE,
                f"{instrument.id} would be {short} lots short, located {located}"
                f" (filled {exposure.filled}, working or unknown {exposure.working}, new {-lots})",
            )
    return ""


def _self_match(state: TraderState, pair: TradedPair, wanted: tuple[int, int]) -> str:
    if not state.limits.no_self_match:
        return ""
    for instrument, lots in zip(pair.legs, wanted, strict=True):
        for name, leg in state.config.pairs_of[instrument.id]:
            other = state.pairs.get(name)
            order = state.orders.get(other.working[leg]) if other is not None else None
            if order is not None and order.sign * lots < 0:
                return reason(
                    Check.SELF_MATCH,
                    f"{instrument.id}: an order to {order.side.value} {order.leaves} lots of {name} works, limit 0",
                )
    return ""


def _order_rate(state: TraderState, wanted: tuple[int, int], time_ns: int) -> str:
    limit = state.limits.orders_per_second
    if limit is None:
        return ""
    before = sum(sent_ns > time_ns - NS_PER_S for sent_ns in state.sent_ns)
    after = before + sum(lots != 0 for lots in wanted)
    if after <= limit:
        return ""
    return reason(Check.ORDER_RATE, f"{after} orders in a second, limit {limit}")


def _entry_rate(state: TraderState, pair: TradedPair, time_ns: int) -> str:
    limit = state.limits.entries_per_minute
    if limit is None:
        return ""
    after = 1 + sum(entered_ns > time_ns - 60 * NS_PER_S for entered_ns in state.entered_ns.get(pair.name, ()))
    if after <= limit:
        return ""
    return reason(Check.ENTRY_RATE, f"{pair.name} entered {after} times in a minute, limit {limit}")


def _notional(state: TraderState, pair: TradedPair, wanted: tuple[int, int]) -> str:
    """At the marks: the pair is flat, so what it will be is what is wanted."""
    limits = state.limits
    if limits.pair_notional is None and not limits.of_money:
        return ""
    legs = [lots * one_lot(state, instrument) for instrument, lots in zip(pair.legs, wanted, strict=True)]
    new = sum(map(abs, legs))
    if limits.pair_notional is not None and new > limits.pair_notional:
        return reason(Check.PAIR_NOTIONAL, f"{pair.name} would be {new:.2f}, limit {limits.pair_notional:.2f}")
    if not limits.of_money:
        return ""
    now = worth(state)
    if limits.gross_notional is not None and now.gross + new > limits.gross_notional:
        return reason(
            Check.GROSS_NOTIONAL,
            f"{now.gross + new:.2f} long and short, limit {limits.gross_notional:.2f}"
            f" (filled, working or unknown {now.gross:.2f}, new {new:.2f})",
        )
    high, low = now.high + sum(max(leg, 0.0) for leg in legs), now.low + sum(min(leg, 0.0) for leg in legs)
    limit = limits.net_notional
    if limit is not None and max(high, -low) > limit:
        return reason(
            Check.NET_NOTIONAL, f"{max(high, -low):.2f} {'long' if high > -low else 'short'}, limit {limit:.2f}"
        )
    return ""


def _daily_loss(state: TraderState) -> str:
    limit = state.limits.daily_loss
    if limit is None:
        return ""
    lost = state.day.made - made(state)
    if lost <= limit:
        return ""
    return reason(Check.DAILY_LOSS, f"{lost:.2f} lost since the day began, limit {limit:.2f}")
