"""helios orders: what a FIX log says of each order, message by message."""

import sys
from collections import Counter
from collections.abc import Iterator
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
