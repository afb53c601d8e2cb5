"""Order books made anew as of a time, against the same updates played one by one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from infra.settings import Settings
from pipelines.domain.market import NS_PER_MS, TICK, Flag, Kind, Status, Ticks
from pipelines.history.queries import History, Listed
from pipelines.history.reader import Batch
from pipelines.history.writer import Writer
from tests.support.market_history import FEED, NAMES, SESSION, START_NS, database

pytestmark = pytest.mark.stack

KO = Listed(SESSION, "KO")
PEP = Listed(SESSION, "PEP")
EPOCH = datetime.fromtimestamp(0, UTC)


def updates() -> Ticks:
    """3,000 levels of two books a millisecond apart, up to 20 a frame; frames 0, 60 and 120 are snapshots."""
    rng = np.random.default_rng(11)
    rows = np.zeros(3_000, TICK)
    place = np.arange(len(rows))
    rows["sequence"] = place + 1
    rows["frame"] = place // 20
    rows["kind"] = Kind.LEVEL
    rows["instrument"] = rows["frame"] % 2
    rows["event_ns"] = START_NS + rows["frame"] * 20 * NS_PER_MS
    ask = rng.random(len(rows)) < 0.5
    rows["flags"] = int(Flag.HOME) | np.where(ask, int(Flag.ASK), 0)
    snapshot = np.isin(rows["frame"] - rows["instrument"], (0, 60, 120))
    rows["flags"] |= np.where(snapshot, int(Flag.SNAPSHOT), 0)
    rows["bid"] = rows["ask"] = np.where(ask, 101, 100) + rng.integers(0, 30, len(rows)) / 100 * np.where(ask, 1, -1)
    rows["bid_size"] = rows["ask_size"] = np.where(snapshot, 5, rng.integers(0, 4, len(rows)))
    return rows


LEVELS = updates()


def played(instrument: int, until_ns: int) -> list[tuple[str, float, float]]:
    """Side, price and quantity: asks from the best down, then bids."""
    book: dict[tuple[str, float], float] = {}
    frame = -1
    for row in LEVELS[(LEVELS["instrument"] == instrument) & (LEVELS["event_ns"] <= until_ns)]:
        if row["flags"] & Flag.SNAPSHOT and row["frame"] != frame:
            book.clear()
            frame = row["frame"]
        book["ask" if row["flags"] & Flag.ASK else "bid", float(row["bid"])] = float(row["bid_size"])
    there = [(side, price, quantity) for (side, price), quantity in book.items() if quantity]
    bids = sorted((each for each in there if each[0] == "bid"), key=lambda each: -each[1])
    return bids + sorted(each for each in there if each[0] == "ask")


@pytest.fixture(scope="module")
def dsn(stack: Settings) -> Iterator[str]:
    """The book of KO is lost after its last level; PEP's in frame 50, and comes back by the snapshot of frame 61."""
    lost = np.zeros(2, TICK)
    lost["sequence"] = LEVELS["sequence"][-1] + 1, LEVELS["sequence"][1_000]
    lost["instrument"] = 0, 1
    lost["kind"], lost["code"], lost["flags"] = Kind.STATUS, Status.BOOK_LOST, Flag.HOME
    lost["event_ns"] = LEVELS["event_ns"][-1] + NS_PER_MS, LEVELS["event_ns"][1_000]
    with database(stack) as dsn:
        with closing(Writer(dsn, SESSION, "")) as writer:
            for rows in (LEVELS[:2_000], LEVELS[1_500:], lost):
                writer.write(Batch(ticks={FEED: (NAMES, rows)}), {})
        yield dsn


@pytest.fixture
def history(dsn: str) -> Iterator[History]:
    with History(dsn) as history:
        yield history


def at(ns: int) -> datetime:
    return EPOCH + timedelta(microseconds=ns // 1000)


@pytest.mark.parametrize("frame", [0, 1, 7, 59, 60, 61, 100, 121, 149])
def test_a_book_is_its_last_snapshot_and_what_changed_since(history: History, frame: int) -> None:
    until_ns = START_NS + frame * 20 * NS_PER_MS
    for instrument, of in ((0, KO), (1, PEP)):
        if of is PEP and 50 <= frame < 61:
            continue
        rows = history.book(of, at(until_ns), 100).rows
        expected = played(instrument, until_ns)
        assert sorted((side, price, quantity) for side, _, price, quantity, *_ in rows) == sorted(expected)


def test_prices_come_from_the_best_on_with_what_lies_before_them(history: History) -> None:
    rows = history.book(PEP, at(int(LEVELS["event_ns"][-1])), 3).rows
    for side, sign in (("ask", 1), ("bid", -1)):
        levels = [row for row in rows if row[0] == side]
        assert [depth for _, depth, *_ in levels] == [1, 2, 3]
        prices = [sign * price for _, _, price, *_ in levels]
        assert prices == sorted(prices)
        assert levels[-1][4] == sum(quantity for _, _, _, quantity, *_ in levels)


def test_a_book_that_was_lost_is_not_shown(history: History) -> None:
    answer = history.book(KO, at(int(LEVELS["event_ns"][-1])) + timedelta(seconds=1))
    assert answer.rows == ()
    assert "the book of KO was lost at 2026-01-05 14:30:02.9" in answer.why


def test_a_lost_book_comes_back_with_its_next_snapshot(history: History) -> None:
    assert history.book(PEP, at(START_NS + 60 * 20 * NS_PER_MS)).rows == ()
    assert history.book(PEP, at(START_NS + 61 * 20 * NS_PER_MS)).rows != ()


def test_a_book_before_its_first_level_is_not_there(history: History) -> None:
    assert "no book of KO" in history.book(KO, at(START_NS - NS_PER_MS)).why
