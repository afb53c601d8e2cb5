"""The trading log's book of orders beside those of a session's simulated venues, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings
from jobs.account_log import AccountLog
from jobs.paper_venues import GATEWAY
from pipelines.domain.universe import Strategy
from pipelines.execution.book_comparison import book_of_log, differences
from pipelines.execution.fix.venue_book import read_book


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one venue: how many orders and executions its book has, and each line that the log does not have so."""

    orders: int
    executions: int
    stated: int
    """Orders of which the log has some fills by their sum alone."""
    differences: tuple[str, ...]


def journals(settings: Settings, session_id: str) -> dict[str, Path]:
    """Journals of a session's venues that speak FIX, by venue, as `helios demo --fix` keeps them."""
    found = (settings.home / "sessions" / session_id).glob("venue-*/fix-*.sqlite3")
    return {file.parent.name.removeprefix("venue-"): file for file in sorted(found)}


def compare(log: AccountLog, strategy: Strategy, books: Mapping[str, Path]) -> dict[str, Compared]:
    """By venue. Raises AccountLogError and NoBook."""
    events = list(log.events(strategy.account))
    found = {}
    for venue, file in books.items():
        ours, theirs = book_of_log(events, venue), read_book(file, GATEWAY)
        found[venue] = Compared(
            orders=len(theirs),
            executions=sum(len(order.executions) for order in theirs.values()),
            stated=sum(not order.whole for order in ours.values()),
            differences=tuple(differences(ours, theirs)),
        )
    return found
