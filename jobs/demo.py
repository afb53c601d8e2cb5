"""A whole session, shown while it runs and summed up at its end."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import psycopg
from rich.console import Console
from rich.live import Live

from infra.settings import ROOT, Settings
from infra.stack import StackError
from jobs.screen import screen
from jobs.session import SessionPlan, TradingSession
from jobs.steps import steps
from jobs.watch import Watch
from pipelines.contracts.registry import SchemaRegistry
from pipelines.history.counts import distinct_events, row_counts

PATIENCE_S = 180.0
ROWS_EVERY_S = 2.0


class DemoError(StackError):
    """Why a session did not come through, and where to look."""


@dataclass(frozen=True, slots=True)
class FeedCommand:
    """How the feed is started: arguments of `helios feed`, and how many frames it will write. `expected_ticks`: where
    frames hold many messages each, the ticks that the decoder alone finds in them; None where each frame is one.
    `beside`: arguments of further feeds that run at the same time, their frames counted in."""

    arguments: tuple[str, ...]
    expected_frames: int
    expected_ticks: int | None = None
    beside: tuple[tuple[str, ...], ...] = ()


@dataclass
class Stopwatch:
    """Wall seconds by stage."""

    seconds: dict[str, float]
    _since: float

    @classmethod
    def started(cls) -> "Stopwatch":
        return cls({}, time.monotonic())

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = round(now - self._since, 1)
        self._since = now


def run_session(
    settings: Settings, plan: SessionPlan, feed: FeedCommand, console: Console, watch_s: Stopwatch
) -> dict[str, Any]:
    """Run a session to its last settled order; its summary. Services and jobs are left running."""
    session = TradingSession(settings, plan)
    with steps(console, "opening a session") as step:
        session.close()
        session.open()
        session.start(step)
    watch_s.lap("jobs")
    registry = SchemaRegistry(settings.registry.url)
    with closing(Watch(settings.kafka.bootstrap, session.topics, session.strategy, registry)) as watch:
        view = View(console, watch, feed.expected_frames, lambda: _rows_there(session))
        with view.shown():
            told = _feed(session, feed, view)
            watch_s.lap("feed")
            _settle(session, told, feed, view)
            watch_s.lap("settle")
        rows = _rows(session, view)
        watch_s.lap("history")
        return summary(watch, told, feed, rows, session, watch_s.seconds)


class View:
    """The screen of a session: drawn where there is a terminal, a line every few seconds where not."""

    def __init__(self, console: Console, watch: Watch, expected_frames: int, rows: Callable[[], int]) -> None:
        self._console = console
        self.watch = watch
        self._expected = expected_frames
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._count_rows = rows
        self._next = self._next_count = 0.0
        self.stage = "starting"
        self.rows = 0

    def shown(self) -> Live:
        return self._live

    def step(self, stage: str) -> None:
        """Take what has come, and draw."""
        self.watch.poll(0.1)
        self.stage = stage
        now = time.monotonic()
        if now < self._next:
            return
        if now >= self._next_count:
            self.rows = self._count_rows() or self.rows
            self._next_count = now + ROWS_EVERY_S
        frames = self.watch.tally.counts["frames"]
        progress = frames / self._expected if self._expected else 0.0
        snapshot = self.watch.snapshot("helios", stage, progress, self.rows)
        if self._console.is_terminal:
            self._live.update(screen(snapshot))
            self._next = now + 0.25
        else:
            counts = ", ".join(
                f"{snapshot.counts.get(name, 0):,} {name}" for name in ("ticks", "signals", "orders", "fills")
            )
            self._console.print(f"{stage}: {progress:.0%}, {counts}")
            self._next = now + 3.0


def _feed(session: TradingSession, feed: FeedCommand, view: View) -> Mapping[str, Any]:
    """Run the feed handlers to their end; what they say of what they wrote, together."""
    with ExitStack() as running:
        handlers = [running.enter_context(_handler(session, words)) for words in (feed.arguments, *feed.beside)]
        try:
            while any(handler.poll() is None for handler in handlers):
                view.step("feeding")
        except BaseException:
            for handler in handlers:
                handler.terminate()
            raise
        told = [_told(handler) for handler in handlers]
    faults = [each["injected_faults"]["total"] for each in told if "injected_faults" in each]
    together: dict[str, Any] = {
        "frames": sum(each["frames"] for each in told),
        "last_event_ns": max(each["last_event_ns"] for each in told),
    }
    return together | ({"injected_faults": {"total": sum(faults)}} if faults else {})


def _handler(session: TradingSession, arguments: tuple[str, ...]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "jobs.cli.main", "feed", *arguments, "--json", "--prefix", session.plan.prefix]
    command += ["--bootstrap", session.settings.kafka.bootstrap, "--registry", session.settings.registry.url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def _told(handler: "subprocess.Popen[str]") -> dict[str, Any]:
    out, err = handler.communicate()
    if handler.returncode:
        raise DemoError(f"feed: {err.strip().splitlines()[-1] if err.strip() else 'it ended without a word'}")
    told: dict[str, Any] = json.loads(out)
    return told


def _settle(session: TradingSession, told: Mapping[str, Any], feed: FeedCommand, view: View) -> None:
    """Until every frame is read, every signal made, every order settled."""
    tally = view.watch.tally
    _until(view, "reading the rest", lambda: tally.left(told["frames"], feed.expected_ticks) <= 0, session)
    end_ns = told["last_event_ns"]
    _until(view, "making the last signals", lambda: session.signals_done(end_ns), session)
    orders = -1
    while orders != tally.counts["orders"]:  # what settles one order may make another: a leg left alone is closed
        orders = tally.counts["orders"]
        if not session.drain(PATIENCE_S):
            raise DemoError(f"orders are not settled after {PATIENCE_S:.0f} s: helios status, helios logs gateway")
        while view.watch.poll(0.5):
            view.step("settling orders")


def _until(view: View, stage: str, done: Callable[[], bool], session: TradingSession) -> None:
    deadline = time.monotonic() + PATIENCE_S
    check, moved = 0.0, 0
    while True:
        view.step(stage)
        if time.monotonic() >= check:
            if done():
                return
            check = time.monotonic() + 0.3
        if (now := view.watch.tally.counts.total()) > moved:
            deadline, moved = time.monotonic() + PATIENCE_S, now
        if time.monotonic() > deadline:
            raise DemoError(f"{stage}: not done after {PATIENCE_S:.0f} s: helios status names what is not well")


def _rows_there(session: TradingSession) -> int:
    """Rows in the history by now; 0 while TimescaleDB is away."""
    try:
        return sum(row_counts(session.settings.timescale.dsn, session.session_id).values())
    except psycopg.OperationalError:
        return 0


def _rows(session: TradingSession, view: View) -> dict[str, dict[str, int]]:
    """Distinct events in the topics and rows in the history, by table, once the loader has caught up (or not)."""
    settings = session.settings
    events = distinct_events(settings.kafka.bootstrap, session.topics, settings.registry.url)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        rows = row_counts(settings.timescale.dsn, session.session_id)
        view.rows = sum(rows.values())
        if any(rows[name] > events.get(name, 0) for name in rows):  # risk told since they were counted
            events = distinct_events(settings.kafka.bootstrap, session.topics, settings.registry.url)
        if rows == events or time.monotonic() > deadline:
            return {"events": events, "rows": rows}
        time.sleep(0.3)


def summary(
    watch: Watch,
    told: Mapping[str, Any],
    feed: FeedCommand,
    rows: Mapping[str, Mapping[str, int]],
    session: TradingSession,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """What a program would read: `.local/demo/summary.json`."""
    tally = watch.tally
    injected = told.get("injected_faults", {}).get("total")
    _, realised, unrealised = tally.positions()
    conserved = {
        "frames": tally.left(told["frames"], feed.expected_ticks) == 0,
        "rows": rows["rows"] == rows["events"],
        "orders": tally.counts["orders"] == tally.counts["intents"] + tally.counts["not_sent"],
    }
    if injected is not None:
        conserved["faults"] = injected == tally.counts["rejects"]
    return {
        "session": session.session_id,
        "strategy": str(session.plan.strategy_file.resolve()),
        "frames": told["frames"],
        "ticks": tally.counts["ticks"],
        "expected_ticks": feed.expected_ticks,
        "rejects": tally.counts["rejects"],
        "rejects_by_reason": dict(tally.rejects_by_reason),
        "injected_faults": injected,
        "spreads": tally.counts["spreads"],
        "signals": tally.counts["signals"],
        "orders": tally.counts["orders"],
        "not_sent": tally.counts["not_sent"],
        "refused": tally.counts["refused"],
        "fills": tally.counts["fills"],
        "risk_updates": rows["rows"].get("risk_updates", 0),
        "realised": round(realised, 2),
        "unrealised": round(unrealised, 2),
        "rows": dict(rows["rows"]),
        "distinct_events": dict(rows["events"]),
        "conserved": all(conserved.values()),
        "conservation": conserved,
        "seconds": dict(seconds),
    }
