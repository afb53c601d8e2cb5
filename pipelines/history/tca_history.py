"""Orders of the history with what the account of their costs takes: quotes at their times, and after their fills."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipelines.domain.impact_laws import SHORTEST_DAYS
from pipelines.domain.market import NS_PER_S
from pipelines.domain.tca import HORIZONS_S, Fill, Traded
from pipelines.domain.trader_config import Fee
from pipelines.domain.trading import Side
from pipelines.history.asked import Span
from pipelines.history.queries import History
from pipelines.history.rows import moment
from pipelines.history.timescale import HistoryError

AT_ONCE = 2_000
"""Quotes asked for in one question."""

DAY_NS = round(6.5 * 3600 * NS_PER_S)
"""Of trading, as a US stock's."""

NO_FEE = Fee()
_LAST = datetime(9999, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]
At = tuple[str, int]
"""An instrument and a time, UTC ns."""


class Day(NamedTuple):
    """Of an instrument at its session's pace: deviation of the return, a share; volume in units."""

    deviation: float
    volume: float


class Quote(NamedTuple):
    bid: float
    ask: float
    time: datetime

    @property
    def mid(self) -> float:
        return 0.5 * (self.bid + self.ask)


class TcaHistory(History):
    """A read-only connection to the history."""

    def traded(
        self,
        session: str,
        span: Span,
        pair: str | None = None,
        fees: Mapping[str, Fee] | None = None,
        day_ns: int = DAY_NS,
    ) -> tuple[list[Traded], int]:
        """Orders of a session that came to a venue, and how many are left out as their instrument had no quote then.
        `fees` by venue: the history does not know them. HistoryError where there are no orders."""
        if pair is not None:
            self._check(session, "pair", pair)
        asked: dict[str, Any] = {"session": session, "pair": pair, **span.parameters()}
        orders = self._ask("tca_orders", **asked).dicts()
        if not orders:
            raise HistoryError(f"session {session} has no orders{f' of {pair}' if pair else ''} in that time")
        fills: dict[str, list[Row]] = defaultdict(list)
        for row in self._ask("tca_fills", **asked).dicts():
            fills[row["client_order_id"]].append(row)
        quotes = self._quotes(session, sorted(set(_wanted(orders, fills))))
        paces = self._ask("tca_days", session=session, day_minutes=day_ns / (60 * NS_PER_S)).dicts()
        days = {row["instrument"]: Day(row["deviation"], row["volume"]) for row in paces}
        made = [_traded(row, fills[row["client_order_id"]], quotes, fees or {}, day_ns, days) for row in orders]
        found = [each for each in made if each is not None]
        return found, len(made) - len(found)

    def _quotes(self, session: str, wanted: Sequence[At]) -> dict[At, Quote]:
        """What was quoted at each; nothing after an instrument's last quote: it is not known what came then."""
        names = sorted({name for name, _ in wanted})
        last = dict(zip(names, self._asked_for(session, [(name, _LAST) for name in names]), strict=True))
        known = [(name, at) for name, at in wanted if (end := last[name]) is not None and moment(at) <= end.time]
        found: dict[At, Quote] = {}
        for first in range(0, len(known), AT_ONCE):
            part = known[first : first + AT_ONCE]
            quotes = self._asked_for(session, [(name, moment(at)) for name, at in part])
            found |= {at: quote for at, quote in zip(part, quotes, strict=True) if quote is not None}
        return found

    def _asked_for(self, session: str, wanted: Sequence[tuple[str, datetime]]) -> list[Quote | None]:
        """Quotes that were doubted count too: signals and venues have taken them."""
        names, times = [name for name, _ in wanted], [at for _, at in wanted]
        answer = self._ask("asof", session=session, instruments=names, times=times, venue=None, spoiled=0)
        rows = ((row["bid"], row["ask"], row["time"]) for row in answer.dicts())
        return [Quote(bid, ask, time) if bid and ask else None for bid, ask, time in rows]


def _wanted(orders: Sequence[Row], fills: Mapping[str, Sequence[Row]]) -> Iterator[At]:
    for row in orders:
        name = row["instrument"]
        yield from ((name, row[when]) for when in ("event_ns", "arrived_ns", "last_ns"))
        for fill in fills[row["client_order_id"]]:
            yield from ((name, fill["event_ns"] + after * NS_PER_S) for after in (0, *HORIZONS_S))


def _traded(
    row: Row,
    fills: Sequence[Row],
    quotes: Mapping[At, Quote],
    fees: Mapping[str, Fee],
    day_ns: int,
    days: Mapping[str, Day],
) -> Traded | None:
    name = row["instrument"]
    decided, arrived, last = (quotes.get((name, row[when])) for when in ("event_ns", "arrived_ns", "last_ns"))
    decision = row["decision"] or (decided.mid if decided else 0.0)
    if arrived is None or not decision > 0:
        return None
    fee = fees.get(row["venue"], NO_FEE)
    deviation, volume = row["deviation"] or 0.0, row["volume"] or 0.0
    told, own = deviation > 0 and volume > 0, days.get(name, Day(0.0, 0.0))
    return Traded(
        order_id=row["client_order_id"],
        pair=row["pair"],
        strategy=row["strategy"],
        venue=row["venue"],
        instrument=name,
        sign=1 if row["side"] == Side.BUY else -1,
        lots=row["quantity"],
        lot_size=row["lot_size"],
        decided_ns=row["event_ns"],
        decision=decision,
        arrival=arrived.mid,
        spread=arrived.ask - arrived.bid,
        last=last.mid if last else arrived.mid,
        fills=tuple(_fill(row, each, quotes, fees) for each in fills),
        over=bool(row["over"]),
        fee_bps=fee.bps,
        fee_per_lot=fee.per_lot,
        deviation=deviation / (arrived.mid * row["lot_size"]) if told else own.deviation,
        volume=volume if told else own.volume / row["lot_size"],
        hindsight=not told,
        days=max(SHORTEST_DAYS, (fills[-1]["event_ns"] - row["arrived_ns"]) / day_ns if fills else 0.0),
        schedule=row["schedule"],
    )


def _fill(order: Row, row: Row, quotes: Mapping[At, Quote], fees: Mapping[str, Fee]) -> Fill:
    at, name, elsewhere = row["event_ns"], order["instrument"], row["venue"] != order["venue"]
    fee = fees.get(row["venue"], NO_FEE)
    mid, *after = (
        quote.mid if (quote := quotes.get((name, at + later * NS_PER_S))) else None for later in (0, *HORIZONS_S)
    )
    there = ((fee.bps, fee.per_lot), row["venue"]) if elsewhere else (None, "")
    return Fill(at, row["quantity"], row["price"], mid, tuple(after), *there)
