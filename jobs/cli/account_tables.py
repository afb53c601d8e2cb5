"""An account on a terminal: plain tables."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.cli.answers import console
from pipelines.domain.account_view import AccountView, Status
from pipelines.domain.ledger import Made

_STYLES = {Status.ACTIVE: "green", Status.REDUCING: "yellow", Status.HALTED: "red", Status.KILLED: "bold red"}


def draw(seen: AccountView) -> None:
    """All of it, what is empty left out."""
    out = console()
    since = f" since {_time(seen.since_ns)}" if seen.since_ns else ""
    why = f": {seen.why}" if seen.why else ""
    out.print(Text.assemble(f"account {seen.account}: ", (seen.status.value, _STYLES[seen.status]), since, why))
    measured = f", risk as of {_time(seen.measured_ns)}" if seen.measured_ns >= 0 else ", risk not measured"
    out.print(f"marks as of {_time(seen.time_ns)}{measured}" if seen.time_ns else "no marks yet", highlight=False)
    _table(
        out,
        "stopped",
        ("scope", "how", "since", "why"),
        ((s.scope, s.how, _time(s.since_ns), s.why) for s in seen.stops),
    )
    _table(
        out,
        "limits",
        ("limit", ">used", ">of", ">share", "most used by"),
        (
            (
                each.limit,
                _number(each.value),
                _number(each.most),
                "-" if each.value is None else f"{each.value / each.most:.0%}",
                each.of,
            )
            for each in seen.limits
        ),
    )
    _table(
        out,
        "positions",
        ("instrument", ">lots", ">average", ">mark", ">worth", ">realised", ">unrealised"),
        (
            (
                each.instrument,
                f"{each.lots:+d}",
                f"{each.average:.10g}",
                "-" if each.mark is None else f"{each.mark:.10g}",
                *map(_money, (each.worth, each.realised, each.unrealised)),
            )
            for each in seen.positions
        ),
    )
    _table(
        out,
        "orders",
        ("order", "pair", "strategy", "instrument", "side", ">lots", ">filled", "state"),
        (
            (
                each.client_order_id[:12],
                each.pair,
                each.strategy,
                each.instrument,
                each.side,
                str(each.quantity),
                str(each.filled),
                f"{each.state}, to be canceled" if each.canceling else each.state,
            )
            for each in seen.orders
        ),
    )
    _table(
        out,
        "pairs",
        ("pair", "stance", ">lots", ">wanted", "for (entries)"),
        (
            (
                each.pair,
                f"{each.stance}, waits for the message rate" if each.due else each.stance,
                f"{each.lots[0]:+d}/{each.lots[1]:+d}",
                f"{each.wanted[0]:+d}/{each.wanted[1]:+d}",
                ", ".join(f"{who or 'nobody'} ({count})" for who, count in each.strategies.items()),
            )
            for each in seen.pairs
        ),
    )
    _table(
        out,
        "profit, by the trader's books",
        ("of", "name", ">trips", ">realised", ">unrealised", ">costs", ">total"),
        (
            (
                each.of,
                each.name,
                str(each.trips),
                *map(_money, (each.realised, each.unrealised, each.costs, each.total)),
            )
            for each in seen.profits
        ),
    )


def draw_profits(by: str, made: Iterable[Made]) -> None:
    """A line each."""
    columns = (
        by,
        ">fills",
        ">traded",
        ">realised",
        ">unrealised",
        ">income",
        ">fees",
        ">borrow",
        ">total",
        "held (lots)",
    )
    rows = (
        (
            each.name or "(none)",
            str(each.fills),
            *map(_money, (each.traded, each.realised, each.unrealised, each.income)),
            *map(_money, (each.fees, each.borrow, each.total)),
            ", ".join(f"{name} {lots:+d}" for name, lots in each.lots.items()) or "flat",
        )
        for each in made
    )
    _table(console(), "", columns, rows)


def _table(out: Console, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns that begin with > are numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", no_wrap=name != "why")
    for row in rows:
        table.add_row(*map(Text, row))
    if table.row_count:
        if title:
            out.print(f"\n{title}", style="bold")
        out.print(table)


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.10g}" if value == round(value, 4) else f"{value:,.2f}"


def _time(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}Z" if time_ns else "-"
