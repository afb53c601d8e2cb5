"""The session as a screen: a pure function from a snapshot to what rich draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

FLOW = ("frames", "ticks", "rejects", "spreads", "signals", "orders", "fills", "rows")


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One instrument held: lots, average price and marked P&L in the account's currency."""

    instrument: str
    lots: int
    average_price: float
    mark: float
    profit: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a session at one instant of wall time."""

    title: str
    stage: str
    elapsed_s: float
    event_time_ns: int
    progress: float
    """0..1 of the feed's event time."""
    counts: Mapping[str, int]
    """Totals of `FLOW`."""
    rates: Mapping[str, float]
    """Per second of wall time, over the last few seconds."""
    lag: Mapping[str, str] = field(default_factory=dict)
    rejects_by_reason: Mapping[str, int] = field(default_factory=dict)
    positions: tuple[PositionLine, ...] = ()
    realised: float = 0.0
    unrealised: float = 0.0
    latest: tuple[str, ...] = ()
    """Last signals, orders and fills, newest last."""


def screen(snapshot: Snapshot) -> RenderableType:
    """The whole screen, about 24 lines by 100 columns."""
    return Group(
        _heading(snapshot),
        Panel(_flow(snapshot), title="flow", title_align="left", border_style="dim"),
        _two(
            Panel(_positions(snapshot), title="positions", title_align="left", border_style="dim"),
            Panel(_news(snapshot), title="latest", title_align="left", border_style="dim"),
        ),
    )


def _two(left: RenderableType, right: RenderableType) -> Table:
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(left, right)
    return grid


def _heading(snapshot: Snapshot) -> Table:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    moment = "-" if not snapshot.event_time_ns else clock(snapshot.event_time_ns)
    grid.add_row(
        Text.assemble((snapshot.title, "bold"), "  ", (snapshot.stage, "cyan")),
        ProgressBar(total=1.0, completed=min(1.0, snapshot.progress), width=None),
        Text(f"{snapshot.progress:4.0%}  market time {moment}  {snapshot.elapsed_s:5.1f} s"),
    )
    return grid


def _flow(snapshot: Snapshot) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1))
    table.add_column("")
    for name in FLOW:
        table.add_column(name, justify="right")
    table.add_row("total", *(f"{snapshot.counts.get(name, 0):,}" for name in FLOW))
    table.add_row("per second", *(f"{snapshot.rates.get(name, 0.0):,.0f}" for name in FLOW), style="dim")
    if snapshot.lag:
        table.add_row("behind", *(snapshot.lag.get(name, "") for name in FLOW), style="dim")
    if snapshot.rejects_by_reason:
        reasons = "  ".join(f"{reason} {count}" for reason, count in sorted(snapshot.rejects_by_reason.items()))
        table.caption = Text(f"rejects: {reasons}", style="dim")
        table.caption_justify = "left"
    return table


def _positions(snapshot: Snapshot, rows: int = 8) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1))
    for name, justify in (("instrument", "left"), ("lots", "right"), ("average", "right"), ("mark", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("P&L", justify="right")
    held = [line for line in snapshot.positions if line.lots]
    for line in sorted(held, key=lambda line: -abs(line.lots * line.mark))[:rows]:
        table.add_row(
            line.instrument, f"{line.lots:,}", f"{line.average_price:,.2f}", f"{line.mark:,.2f}", _money(line.profit)
        )
    for _ in range(rows - min(rows, len(held))):
        table.add_row("")
    more = len(held) - rows
    table.caption = Text.assemble(
        f"{more} more   " if more > 0 else "",
        "realised ",
        _money(snapshot.realised),
        "   marked ",
        _money(snapshot.unrealised),
    )
    table.caption_justify = "left"
    return table


def _news(snapshot: Snapshot, rows: int = 10) -> RenderableType:
    lines = list(snapshot.latest[-rows:])
    lines += [""] * (rows - len(lines))
    return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _money(amount: float) -> Text:
    return Text(f"{amount:,.2f}", style="green" if amount > 0 else "red" if amount < 0 else "")


def clock(event_ns: int) -> str:
    """Event time as hours, minutes, seconds and tenths, UTC."""
    return datetime.fromtimestamp(event_ns / 1e9, UTC).strftime("%H:%M:%S.%f")[:-5]
