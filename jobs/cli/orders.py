"""helios orders: what a FIX log says of each order, message by message; the log's book beside a venue's."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pipelines.execution.fix_replay import Step

app = typer.Typer(help="Orders by FIX: their life, replayed from a log.", no_args_is_help=True)


_SHORT = {
    "D": "order",
    "F": "cancel request",
    "G": "replace request",
    "H": "status request",
    "8": "report",
    "9": "cancel reject",
    "3": "reject",
    "j": "reject",
}


class OrdersError(RuntimeError):
    """Why a log of orders cannot be replayed, and the way out."""


@app.command(epilog="Example: helios orders compare --strategy .local/demo/strategy.yaml")
def compare(
    strategy: Annotated[Path, typer.Option(help="Strategy file of the account.")],
    book: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VENUE=FILE", help="A venue's journal; left out: those of the session, as demo keeps them."
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Of the session's topics.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The log's orders and executions beside the books of simulated venues that speak FIX, line by line.

    Exit status 1: they are not the same.
    """
    from dataclasses import asdict

    from infra.settings import load_settings
    from jobs.account_log import AccountLog
    from jobs.order_books import compare as compared
    from jobs.order_books import journals
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.execution.fix.venue_book import NoBook

    settings = load_settings()
    log = AccountLog(settings.kafka.bootstrap, settings.registry.url, prefix)
    books = dict(map(_book, book)) if book else journals(settings, log.session)
    if not books:
        raise OrdersError(f"session {log.session} has no venue that speaks FIX: give --book VENUE=FILE")
    try:
        found = compared(log, load_strategy(strategy), books)
    except NoBook as error:
        raise OrdersError(str(error)) from error
    if as_json:
        print(json.dumps({venue: asdict(each) for venue, each in found.items()}))
    else:
        for venue, each in found.items():
            same = "equal" if not each.differences else f"{len(each.differences)} differences"
            print(f"{venue}: {each.orders:,} orders, {each.executions:,} executions: {same}")
            print("".join(f"  {line}\n" for line in each.differences), end="")
    raise typer.Exit(1 if any(each.differences for each in found.values()) else 0)


def _book(text: str) -> tuple[str, Path]:
    venue, _, file = text.partition("=")
    if not file:
        raise OrdersError(f"--book {text}: give VENUE=FILE")
    return venue, Path(file)


@app.command(epilog="Example: helios orders replay FIX.log --json")
def replay(
    log: Annotated[str, typer.Argument(help="A FIX log, plain or gzip; - for standard input.", metavar="FIX.log")],
    errors: Annotated[bool, typer.Option("--errors", help="Only messages with which something is amiss.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a message, a line each.")] = False,
) -> None:
    """Run a FIX log through the order states of FIX 4.2 and 4.4: what is known of an order after each message.

    Delimiters may be SOH, |, ^A or \\x01, messages several a line or split over lines, with any text around them.
    A garbled message is told with its line and passed over; exit status 1 is for a log that cannot be read.
    """
    from pipelines.domain.fix_orders import FixOrders
    from pipelines.execution.fix_log import FixLogError, open_log
    from pipelines.execution.fix_replay import replay_log

    orders = FixOrders()
    try:
        with open_log(log) as source:
            steps = (step for step in replay_log(source, orders) if step.error or not errors)
            if as_json:
                _lines(steps, live=log == "-")
                return
            counts = _draw(steps)
    except FixLogError as error:
        raise OrdersError(str(error)) from error
    statuses = Counter(each.ord_status.value for each in orders.orders())
    told = ", ".join(f"{count:,} {status}" for status, count in statuses.most_common()) or "none"
    typer.echo(f"{counts.total():,} messages shown, {counts['amiss']:,} with something amiss; orders: {told}")


def _lines(steps: "Iterator[Step]", live: bool) -> None:
    from msgspec.json import Encoder

    encode = Encoder(decimal_format="number").encode
    for step in steps:
        sys.stdout.write(encode(step).decode() + "\n")
        if live:
            sys.stdout.flush()


def _draw(steps: "Iterator[Step]") -> Counter[str]:
    """The table of steps, and below it what is amiss, by line."""
    from jobs.cli.answers import console

    counts: Counter[str] = Counter()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("line", "message", "order", "status"):
        table.add_column(name, justify="right" if name == "line" else "left", no_wrap=name != "order")
    for name in ("qty", "cum", "leaves", "avg px"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("pending")
    table.add_column("", style="red")
    amiss = []
    for step in steps:
        counts["amiss" if step.error else "right"] += 1
        average = None if step.avg_px is None else round(step.avg_px, 6).normalize()
        numbers = (step.order_qty, step.cum_qty, step.leaves_qty, average)
        cells = (
            str(step.line),
            step.exec_type or _SHORT.get(step.msg_type or "", step.message),
            step.cl_ord_id or "",
            step.ord_status or "",
            *("" if each is None else f"{each:f}" for each in numbers),
            ", ".join(step.pending),
            "!" if step.error else "",
        )
        table.add_row(*(Text(each) for each in cells))
        if step.error:
            amiss.append(step.error if step.error.startswith("line ") else f"line {step.line}: {step.error}")
    out = console()
    if counts:
        out.print(table)
    for each in amiss:
        out.print(each, style="red", markup=False, highlight=False)
    return counts
