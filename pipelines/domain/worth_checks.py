"""Checks of how much an entry is and what the account comes to with it: filled + working + unknown + new, at worst."""

from bisect import bisect_right

from pipelines.domain.account import PairState, TraderState
from pipelines.domain.checks import Check, Verdict, Verdicts, judged
from pipelines.domain.exposure import lost, one_lot, underwater, worth, worth_of_sector
from pipelines.domain.market import NS_PER_S
from pipelines.domain.measure import es_with
from pipelines.domain.proposal import Proposal


def all_checks(new: Proposal) -> Verdicts:
    """Of an entry that a signal asked for."""
    yield from _order_size(new)
    yield from _exposure(new)
    yield from _self_match(new)
    yield from _rates(new)
    yield from _losses(new.before)


def of_orders(new: Proposal) -> Verdicts:
    """Of an entry that only takes from what other strategies hold of the pair."""
    yield from _order_size(new)
    yield from _self_match(new)
    yield from _rates(new)


def beyond(new: Proposal) -> str:
    """Why orders that no signal asked for may not be, or an empty string: by what the account would come to."""
    return judged(_exposure(new))[0]


def messages(state: TraderState, time_ns: int, pair: PairState) -> bool:
    """Whether closing a pair now is more than the message rate takes: it is put off, never refused. Both legs go
    together whatever the rate, once a second has passed without a message."""
    limit = state.limits.messages_per_second
    if limit is None:
        return False
    before = _messages(state, time_ns)
    new = sum(have != want for have, want in zip(pair.lots, pair.goal, strict=True))
    return before > 0 and before + new > limit


def _order_size(new: Proposal) -> Verdicts:
    limits, measured = new.before.limits, new.before.measured
    for instrument, signed, mid in zip(new.pair.legs, new.lots, new.mids, strict=True):
        lots = abs(signed)
        if limits.order_lots is not None:
            text = f"{instrument.id} {lots} lots, limit {limits.order_lots}"
            yield Verdict(Check.ORDER_LOTS, lots <= limits.order_lots, text)
        if limits.order_notional is not None:
            value = lots * mid * instrument.lot_size * limits.rate(instrument.currency)
            text = f"{instrument.id} {lots} lots at {mid:g} are {value:.2f}, limit {limits.order_notional:.2f}"
            yield Verdict(Check.ORDER_NOTIONAL, value <= limits.order_notional, text)
        volume = measured.volume_per_day.get(instrument.id, 0.0)
        if limits.fat_finger is not None and volume > 0:
            text = f"{instrument.id} {lots} lots are {lots / volume:.2%} of a day's, limit {limits.fat_finger:.2%}"
            yield Verdict(Check.FAT_FINGER, lots <= limits.fat_finger * volume, text)


def _exposure(new: Proposal) -> Verdicts:
    yield from _positions(new)
    yield from _pair_and_sectors(new)
    yield from _account(new)
    yield from _credit(new)
    yield from _expected_shortfall(new)
    yield from _value_at_risk(new)


def _positions(new: Proposal) -> Verdicts:
    limits = new.before.limits
    for instrument, lots in zip(new.pair.legs, new.lots, strict=True):
        exposure = new.after.exposure(instrument.id)
        before = new.before.exposure(instrument.id)
        parts = f"(filled {before.filled}, working or unknown {before.working}, new {abs(lots)})"
        way, most = ("long", exposure.long) if lots > 0 else ("short", exposure.short)
        if lots:
            text = f"{instrument.id} would be {most} lots {way}, limit {limits.position_lots} {parts}"
            yield Verdict(Check.POSITION_LIMIT, most <= limits.position_lots, text)
        located = limits.short_lots.get(instrument.id)
        if located is not None and lots < 0:
            text = f"{instrument.id} would be {exposure.short} lots short, located {located} {parts}"
            yield Verdict(Check.SHORT_SALE, exposure.short <= located, text)


def _pair_and_sectors(new: Proposal) -> Verdicts:
    limits = new.before.limits
    if limits.pair_notional is not None:
        held = new.after.pairs[new.pair.name]
        value = sum(
            max(abs(have), abs(want)) * one_lot(new.before, instrument)
            for instrument, have, want in zip(new.pair.legs, held.lots, held.wanted, strict=True)
        )
        text = f"{new.pair.name} would be {value:.2f}, limit {limits.pair_notional:.2f}"
        yield Verdict(Check.PAIR_NOTIONAL, value <= limits.pair_notional, text)
    if limits.sector_notional is not None:
        for sector in sorted({instrument.sector for instrument in new.pair.legs if instrument.sector}):
            value = worth_of_sector(new.after, sector)
            text = f"{sector} would be {value:.2f} long and short, limit {limits.sector_notional:.2f}"
            yield Verdict(Check.SECTOR_NOTIONAL, value <= limits.sector_notional, text)


def _account(new: Proposal) -> Verdicts:
    limits = new.before.limits
    if not limits.of_money:
        return
    now, then = worth(new.before), worth(new.after)
    if limits.gross_notional is not None:
        text = (
            f"{then.gross:.2f} long and short, limit {limits.gross_notional:.2f}"
            f" (filled, working or unknown {now.gross:.2f}, new {then.gross - now.gross:.2f})"
        )
        yield Verdict(Check.GROSS_NOTIONAL, then.gross <= limits.gross_notional, text)
    if limits.net_notional is not None:
        most, way = (then.high, "long") if then.high > -then.low else (-then.low, "short")
        text = f"{most:.2f} {way}, limit {limits.net_notional:.2f}"
        yield Verdict(Check.NET_NOTIONAL, most <= limits.net_notional, text)


def _credit(new: Proposal) -> Verdicts:
    """All that was traded since the day began, and all that may still be."""
    limit = new.before.limits.credit
    if limit is None:
        return
    now = worth(new.after)
    working = now.high - now.low
    text = f"{new.before.day.turnover + working:.2f} traded today or working, limit {limit:.2f}"
    yield Verdict(Check.CREDIT, new.before.day.turnover + working <= limit, text)


def _expected_shortfall(new: Proposal) -> Verdicts:
    limits = new.before.limits
    if limits.es is None:
        return
    yield from _measured(new, Check.ES, limits.es)
    measured = new.before.measured
    value, unknown = es_with(new.after)
    if unknown:
        yield Verdict(Check.ES, False, f"that of {unknown} has not been measured, limit {limits.es:.2f}")
    since = value - measured.es
    text = f"{value:.2f}, limit {limits.es:.2f} (measured {measured.es:.2f}, since, working and new {since:.2f})"
    yield Verdict(Check.ES, value <= limits.es, text)


def _value_at_risk(new: Proposal) -> Verdicts:
    """As it was measured; it does not add up, so what a new order does to it is known once it is measured again."""
    limits = new.before.limits
    if limits.var is None:
        return
    yield from _measured(new, Check.VAR, limits.var)
    value = new.before.measured.var
    yield Verdict(Check.VAR, value <= limits.var, f"measured {value:.2f}, limit {limits.var:.2f}")


def _measured(new: Proposal, check: Check, limit: float) -> Verdicts:
    """Whether risk was measured, and lately."""
    as_of_ns, most_ms = new.before.measured.as_of_ns, new.before.limits.stale_risk_ms
    if as_of_ns < 0:
        yield Verdict(check, False, f"it has not been measured yet, limit {limit:.2f}")
    if most_ms is not None:
        age_ms = (new.time_ns - as_of_ns) / 1e6
        yield Verdict(check, age_ms <= most_ms, f"measured {age_ms:.0f} ms ago, limit {most_ms} ms")


def _self_match(new: Proposal) -> Verdicts:
    if not new.before.limits.no_self_match:
        return
    for instrument, lots in zip(new.pair.legs, new.lots, strict=True):
        for name, leg in new.before.config.pairs_of[instrument.id]:
            other = new.before.pairs.get(name)
            order = new.before.orders.get(other.working[leg]) if other is not None else None
            if order is not None and order.sign * lots < 0:
                works = f"an order to {order.side.value} {order.leaves} lots of {name} works"
                yield Verdict(Check.SELF_MATCH, False, f"{instrument.id}: {works}, limit 0")
    yield Verdict(Check.SELF_MATCH, True, f"{new.pair.name}: no order of ours works against it, limit 0")


def _rates(new: Proposal) -> Verdicts:
    limits = new.before.limits
    ordered = sum(lots != 0 for lots in new.lots)
    orders = _sent(new.before, new.time_ns) + ordered
    if limits.orders_per_second is not None:
        text = f"{orders} orders in a second, limit {limits.orders_per_second}"
        yield Verdict(Check.ORDER_RATE, orders <= limits.orders_per_second, text)
    if limits.messages_per_second is not None:
        sent = _messages(new.before, new.time_ns) + ordered
        text = f"{sent} messages in a second, limit {limits.messages_per_second}"
        yield Verdict(Check.MESSAGE_RATE, sent <= limits.messages_per_second, text)
    limit = limits.entries_per_minute
    if limit is not None:
        before = new.before.entered_ns.get(new.pair.name, ())
        entries = 1 + sum(entered_ns > new.time_ns - 60 * NS_PER_S for entered_ns in before)
        text = f"{new.pair.name} entered {entries} times in a minute, limit {limit}"
        yield Verdict(Check.ENTRY_RATE, entries <= limit, text)


def _losses(state: TraderState) -> Verdicts:
    limits = state.limits
    if limits.daily_loss is not None:
        value = lost(state)
        text = f"{value:.2f} lost since the day began, limit {limits.daily_loss:.2f}"
        yield Verdict(Check.DAILY_LOSS, value <= limits.daily_loss, text)
    if limits.drawdown is not None:
        down = underwater(state)
        text = f"{down:.2f} below the most that was made, limit {limits.drawdown:.2f}"
        yield Verdict(Check.DRAWDOWN, down <= limits.drawdown, text)


def _messages(state: TraderState, time_ns: int) -> int:
    """Orders and cancels."""
    return _sent(state, time_ns) + sum(asked_ns > time_ns - NS_PER_S for asked_ns in state.canceled_ns)


def _sent(state: TraderState, time_ns: int) -> int:
    return len(state.sent_ns) - bisect_right(state.sent_ns, time_ns - NS_PER_S)
