"""The history asked what made an order: decisions, the events that caused them, and what those came from."""

from datetime import datetime
from typing import Any

from pipelines.history.questions import Questions

Rows = list[dict[str, Any]]
"""Each by the names of its columns, which are those of the domain's fields."""


class OrderQuestions(Questions):
    """A read-only connection to the history. Event times are UTC ns; `at` is such a time as the tables have it."""

    def decisions(self, session: str | None, wanted: str) -> Rows:
        """Those whose id or target begins so; of any session where none is named."""
        begins = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        return self._rows("order_decisions", session=session, begins=begins, cause=None)

    def caused(self, session: str, cause: str) -> Rows:
        """The decisions that an event caused."""
        return self._rows("order_decisions", session=session, begins=None, cause=cause)

    def notices(self, session: str, account: str, until_ns: int, cause: str) -> Rows:
        """What an account said of its state until a time, in its order."""
        asked = {"session": session, "account": account, "until_ns": until_ns, "cause": cause}
        return self._rows("order_notices", **asked)[::-1]

    def signal(self, session: str, event_id: str) -> Rows:
        return self._rows("order_signal", session=session, event_id=event_id)

    def command(self, session: str, event_id: str) -> Rows:
        return self._rows("order_command", session=session, event_id=event_id)

    def report(self, session: str, event_id: str) -> Rows:
        return self._rows("order_reports", session=session, client_order_id=None, event_id=event_id)

    def reports(self, session: str, client_order_id: str) -> Rows:
        return self._rows("order_reports", session=session, client_order_id=client_order_id, event_id=None)

    def children(self, session: str, client_order_id: str) -> Rows:
        """How an order was worked: itself, with its schedule, and its children, with why each went where it did."""
        return self._rows("order_children", session=session, client_order_id=client_order_id)

    def crossings(self, session: str, pair: str, shard: int, first: int, last: int, at: datetime) -> Rows:
        """The spread events of a pair from a first to a last sequence."""
        asked = {"session": session, "pair": pair, "shard": shard, "first": first, "last": last, "at": at}
        return self._rows("order_crossings", **asked)

    def tick(self, session: str, feed_session: str, sequence: int, at: datetime) -> Rows:
        """One tick by its number, at a time or shortly before it."""
        return self._rows("order_tick", session=session, feed_session=feed_session, sequence=sequence, at=at)

    def quote(self, session: str, instrument: str, feed_session: str, sequence: int, at: datetime) -> Rows:
        """The last quote at a time; of its own feed session at a tick's number or before it."""
        asked = {"session": session, "instrument": instrument, "at": at}
        return self._rows("order_quote", **asked, feed_session=feed_session, sequence=sequence)

    def legs(self, session: str, pair: str) -> dict[int, str]:
        """The instruments of a pair by leg; empty where the loader was not given the strategy."""
        found = self._rows("pair_legs", session=session, pair=pair)
        return {0: found[0]["a"], 1: found[0]["b"]} if found else {}

    def _rows(self, query: str, **asked: Any) -> Rows:
        return self._ask(query, **asked).dicts()
