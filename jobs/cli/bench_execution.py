"""helios bench execution: from an order request to the wire and to its fill in the log, beside bare QuickFIX."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.settings import load_settings
from jobs.cli.stack import bring_up
from jobs.steps import steps


def execution(
    orders: Annotated[int, typer.Option(min=100, help="Orders whose way is timed.")] = 2_000,
    rate: Annotated[float, typer.Option(min=1, help="Of those in a second.")] = 100.0,
    burst: Annotated[int, typer.Option(min=100, help="Orders at once, for what is sustained.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """ms from an order in trading.orders to NewOrderSingle at a venue, and to its fill in trading.events; orders/s.

    The gateway is the real one, as a process; the venue fills at once. It needs QuickFIX: make fix.

    Example: helios bench execution --rate 200 --json
    """
    from jobs.benchmarks.execution import ExecutionLoad, measure
    from pipelines.execution.fix.engine import quickfix

    quickfix()
    settings = load_settings()
    console = Console(stderr=True)
    bring_up(settings, console=console)
    with steps(console, "beginning") as step:
        found = measure(settings, ExecutionLoad(orders, rate, burst), step)
    print(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    wire, back, bare = (found[name] for name in ("request_to_wire_ms", "request_to_fill_in_log_ms", "bare_quickfix_ms"))
    return [
        f"{found['orders']:,} orders, {found['rate']:,.0f} a second, ms:   p50     p99   times bare QuickFIX",
        f"order request to NewOrderSingle   {_row(wire)}",
        f"order request to fill in the log  {_row(back)}",
        f"bare QuickFIX, there and back     {bare['p50']:7.2f} {bare['p99']:7.2f}",
        f"Kafka alone, there and back       {found['kafka_round_trip_ms']['p50']:7.2f} "
        f"{found['kafka_round_trip_ms']['p99']:7.2f}",
        f"sustained: {found['orders_per_second']:,} orders/s, {found['ratio_of_orders_per_second']} of bare "
        f"QuickFIX's {found['bare_quickfix_orders_per_second']:,}",
    ]


def _row(found: dict[str, float]) -> str:
    return f"{found['p50']:7.2f} {found['p99']:7.2f}   {found['p50_times_bare']}, {found['p99_times_bare']}"
