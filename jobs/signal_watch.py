"""Signals as they come, as a screen: a tape of the last ones, and how many of each version a minute."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jobs.screen import clock
from jobs.signal_log import Given

RATE_WINDOW_S = 60.0

Version = tuple[str, str, bool]
"""Name, version, and whether it was live."""


@dataclass
class Tape:
    """What has come, each once. Wall time is passed in, in seconds."""

    latest: deque[Given] = field(default_factory=lambda: deque(maxlen=200))
    counts: Counter[Version] = field(default_factory=Counter)
    _taken: set[tuple[str, bool]] = field(default_factory=set)
    _recent: deque[tuple[float, Version]] = field(default_factory=deque)
    _began_s: float | None = None

    def take(self, given: Iterable[Given], now_s: float) -> list[Given]:
        """Those that are new. A restarted job gives again what it gave since its checkpoint."""
        if self._began_s is None:
            self._began_s = now_s
        fresh = []
        for each in given:
            key = (each.event.event_id, each.live)
            if key in self._taken:
                continue
            self._taken.add(key)
            fresh.append(each)
            version = (each.signal.name, each.signal.version, each.live)
            self.counts[version] += 1
            self._recent.append((now_s, version))
        self.latest.extend(fresh)
        return fresh

    def per_minute(self, now_s: float) -> dict[Version, float]:
        """Of wall time, over the last minute, or since the beginning while that is shorter."""
        while self._recent and now_s - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
        span_s = min(RATE_WINDOW_S, max(1.0, now_s - (self._began_s if self._began_s is not None else now_s)))
        came = Counter(version for _, version in self._recent)
        return {version: came[version] * 60.0 / span_s for version in self.counts}


def tape_screen(tape: Tape, now_s: float, rows: int) -> RenderableType:
    """The whole screen: versions above, the last `rows` signals below, the newest last."""
    return Group(
        Panel(_versions(tape, now_s), title="signals", title_align="left", border_style="dim"),
        Panel(_latest(tape, rows), title="latest", title_align="left", border_style="dim"),
    )


def _versions(tape: Tape, now_s: float) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1))
    for name in ("signal", "version", ""):
        table.add_column(name)
    for name in ("total", "per minute"):
        table.add_column(name, justify="right")
    for version, rate in sorted(tape.per_minute(now_s).items()):
        name, text, live = version
        table.add_row(name, text, _where(live), f"{tape.counts[version]:,}", f"{rate:,.0f}")
    return table if tape.counts else Text("none yet", style="dim")


def _latest(tape: Tape, rows: int) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1))
    for name in ("time", "signal", "version", "", "pair", "action"):
        table.add_column(name, no_wrap=True)
    table.add_column("z", justify="right")
    shown = list(tape.latest)[-rows:]
    for each in shown:
        signal = each.signal
        table.add_row(
            clock(each.event.event_time_ns),
            signal.name,
            signal.version,
            _where(each.live),
            signal.pair,
            Text(signal.action, style="" if signal.action == "exit" else "bold"),
            f"{signal.z:+.2f}",
        )
    for _ in range(rows - len(shown)):
        table.add_row("")
    return table


def _where(live: bool) -> Text:
    return Text("live", style="green") if live else Text("shadow", style="dim")


def told(given: Given) -> dict[str, object]:
    """One signal for a program."""
    signal = given.signal
    return {
        "event_time_ns": given.event.event_time_ns,
        "signal": signal.name,
        "version": signal.version,
        "live": given.live,
        "pair": signal.pair,
        "action": signal.action.value,
        "z": signal.z,
        "spread": signal.spread,
        "event_id": given.event.event_id,
    }
