"""The history asked for an account's fills, as a ledger books them."""

from datetime import UTC, datetime

from pipelines.domain.account_fills import Mids, Night
from pipelines.domain.ledger import Entry
from pipelines.domain.market import NS_PER_S
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trading import Booked, Side
from pipelines.domain.universe import Strategy
from pipelines.history.questions import Questions


class AccountQuestions(Questions):
    """A read-only connection to the history."""

    def entries(self, session: str, strategy: Strategy) -> tuple[list[Entry], set[str]]:
        """What moved a strategy's account, in its order, and the instruments of it that the strategy does not have."""
        found: list[Entry] = []
        unknown: set[str] = set()
        for row in self._ask("account_fills", session=session, account=strategy.account).rows:
            event_ns, name, pair, venue, instrument, side, lots, price, exec_id, amends, booked, amount = row
            known = strategy.instrument_by_id.get(instrument)
            if known is None:
                unknown.add(instrument)
                continue
            signed, ticks = lots if side == Side.BUY else -lots, round(price / known.tick_size)
            execution, of = f"{venue}/{exec_id}", f"{venue}/{amends}" if amends else ""
            kind = Booked(booked) if booked else None
            where = venue if kind is None and venue != known.venue else ""
            what = (signed, ticks, execution, of, event_ns, kind, amount, where)
            entry = Entry(name, pair, known.venue, instrument, *what)
            found.append(entry)
        return found, unknown

    def mids(self, session: str, instruments: list[str], until_ns: int | None = None) -> Mids:
        """Of the last quotes before a time; of the last of all without one."""
        to = None if until_ns is None else datetime.fromtimestamp(until_ns // NS_PER_S, UTC)
        rows = self._ask("last_quotes", session=session, instruments=instruments, to=to).rows
        return {name: 0.5 * (bid + ask) for name, _, bid, ask in rows}

    def nights(self, session: str, entries: list[Entry]) -> list[Night]:
        """The midnights, UTC, between the first of some entries and the session's last."""
        names = sorted({entry.instrument for entry in entries})
        days = sorted({entry.time_ns // DAY_NS for entry in entries})
        found = []
        for day in range(days[0] + 1, days[-1] + 1) if days else ():
            before = sum(entry.time_ns < day * DAY_NS for entry in entries)
            found.append((before, self.mids(session, names, day * DAY_NS), 1))
        return found
