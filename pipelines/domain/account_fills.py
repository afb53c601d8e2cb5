"""An account's fills, read off its log without the trader: what intents ordered and reports filled or took back.

What no venue fills (lots crossed between pairs, splits, dividends) is the account's own word: its decisions tell it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.domain.ledger import Entry, Holding, Ledger, Method, Terms, standing
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trader_config import Fee
from pipelines.domain.trading import Booked, Marks, OrderRequest, Report, Side, TradingEvent
from pipelines.domain.universe import Instrument, Strategy, actions_between

Mids = Mapping[str, float]
Night = tuple[int, Mids, int]
"""How many entries came before it, mids then, and how many nights."""


@dataclass
class AccountFills:
    """`take` every event of a log in its order; then `entries` and `nights` have what a ledger books. `booked`: what
    the account booked without a fill, by the event that caused it."""

    strategy: Strategy
    booked: Mapping[str, Sequence[OrderRequest]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Instruments that were filled and that the strategy does not have: their fills are left out."""
    _intents: dict[str, OrderRequest] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _void: set[str] = field(default_factory=set)
    """Fills that were taken back before they were told."""
    _told: dict[str, int] = field(default_factory=dict)
    _summed: dict[str, int] = field(default_factory=dict)
    _amended: set[str] = field(default_factory=set)
    """Orders of which a fill was: their sums before and after that do not go together."""
    _marks: dict[int, int] = field(default_factory=dict)
    _mids: dict[str, float] = field(default_factory=dict)
    _day: int = -1
    _marked_ns: int = 0
    _booked: set[str] = field(default_factory=set)
    """Events of which what they caused is among the entries: they may be in the log twice."""

    def take(self, event: TradingEvent) -> None:
        booked = self.booked.get(event.event_id, ()) if event.event_id not in self._booked else ()
        if booked:
            self._booked.add(event.event_id)
        by_action = [each for each in booked if each.booked is not Booked.CROSSED]
        self._take_booked(by_action)  # before the night that they end
        self._take(event)
        self._take_booked([each for each in booked if each.booked is Booked.CROSSED])

    def _take(self, event: TradingEvent) -> None:
        match event.body:
            case OrderRequest() as intent:
                self._intents.setdefault(intent.client_order_id, intent)
            case Marks() as marks:
                self._mark(event.event_time_ns, marks)
            case Report() as report:
                self._report(event.event_time_ns, report)

    @property
    def mids(self) -> Mids:
        """At the last marks, in the instruments' currencies."""
        return self._mids

    @property
    def unpriced(self) -> int:
        """Lots that are known by their sum alone: no report of their own has come, so that they are left out."""
        return sum(
            max(0, summed - self._told.get(order, 0))
            for order, summed in self._summed.items()
            if order not in self._amended
        )

    def _mark(self, time_ns: int, marks: Marks) -> None:
        if marks.sequence <= self._marks.get(marks.shard, -1):
            return
        self._marks[marks.shard] = marks.sequence
        for action in actions_between(self.strategy.actions, self._marked_ns, time_ns):
            if action.instrument in self._mids:
                self._mids[action.instrument] *= action.restates(self._mids[action.instrument])
        late = actions_between(self.strategy.actions, time_ns, self._marked_ns)
        self._marked_ns = max(self._marked_ns, time_ns)
        day = time_ns // DAY_NS
        if day > self._day:
            if self._day >= 0 and self.entries:
                self.nights.append((len(self.entries), dict(self._mids), day - self._day))
            self._day = day
        for name, bid, ask in zip(marks.instruments, marks.bid, marks.ask, strict=False):
            if bid > 0 and ask > 0:
                self._mids[name] = 0.5 * (bid + ask)
                for action in late:
                    if action.instrument == name:
                        self._mids[name] *= action.restates(self._mids[name])

    def _take_booked(self, booked: Iterable[OrderRequest]) -> None:
        for each in booked:
            instrument = self.strategy.instrument_by_id.get(each.instrument)
            if instrument is None:
                self.unknown.add(each.instrument)
            else:
                self.entries.append(booked_entry(each, instrument))

    def _report(self, time_ns: int, report: Report) -> None:
        execution = f"{report.venue}/{report.exec_id}"
        if execution in self._taken:
            return
        self._taken.add(execution)
        order = report.client_order_id
        amends = f"{report.venue}/{report.amends}" if report.amends else ""
        if amends:
            self._amended.add(order)
            if amends in self._taken:
                self._entry(time_ns, report, -report.amended_quantity, report.amended_price, execution, amends)
            else:
                self._void.add(amends)
        else:
            self._summed[order] = max(self._summed.get(order, 0), report.cumulative_quantity)
        if report.last_quantity and execution not in self._void:
            self._told[order] = self._told.get(order, 0) + report.last_quantity
            self._entry(time_ns, report, report.last_quantity, report.last_price, execution)

    def _entry(self, time_ns: int, report: Report, lots: int, price: float, execution: str, amends: str = "") -> None:
        intent = self._intents.get(report.client_order_id)
        side, name = (intent.side, intent.instrument) if intent else (report.side, report.instrument)
        instrument = self.strategy.instrument_by_id.get(name)
        if instrument is None:
            self.unknown.add(name)
            return
        of = intent or report
        ticks, signed = round(price / instrument.tick_size), lots if side is Side.BUY else -lots
        self.entries.append(
            Entry(
                *(of.strategy, of.pair, instrument.venue, name, signed, ticks, execution, amends, time_ns),
                filled_at=report.venue if report.child else "",
            )
        )


def booked_entry(word: OrderRequest, instrument: Instrument) -> Entry:
    """What an account booked without a fill, as a ledger books it."""
    return Entry(
        word.strategy,
        word.pair,
        instrument.venue,
        word.instrument,
        word.signed,
        round(word.limit_price / instrument.tick_size),
        word.client_order_id,
        time_ns=word.event_time_ns,
        booked=word.booked,
        amount=word.amount,
    )


def ledger_of(strategy: Strategy, entries: list[Entry], nights: Iterable[Night], method: Method) -> Ledger:
    """Entries booked as they should have been, and nights as they were held."""
    terms = {
        each.id: Terms(each.tick_size, each.lot_size, strategy.limits.rate(each.currency))
        for each in strategy.instruments
    }
    fees = {venue.name: Fee(venue.fee_bps, venue.fee_per_lot) for venue in strategy.venues}
    told, right = (Ledger(terms, method, fees, strategy.borrow) for _ in range(2))
    booked = 0
    for count, mids, number in nights:
        for entry in entries[booked:count]:
            told.book(entry)
        booked = count
        told.nights(mids, number)
    for entry in standing(entries):
        right.book(entry)
    for key, holding in told.holdings.items():
        right.holdings.setdefault(key, Holding(method)).borrow = holding.borrow
    return right
