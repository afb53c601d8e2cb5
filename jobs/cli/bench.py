"""helios bench: what the system does in a second, against something measured in the same run."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.settings import load_settings
from jobs.cli import (
    bench_execution,
    bench_history,
    bench_latency,
    bench_lean,
    bench_protocols,
    bench_risk,
    bench_router,
    bench_signals,
)
from jobs.cli.stack import bring_up
from jobs.steps import steps

app = typer.Typer(help="Benchmarks. Figures of one machine move; the ratios are what to compare.", no_args_is_help=True)
app.command()(bench_execution.execution)
app.command()(bench_history.loader)
app.command()(bench_history.history)
app.command()(bench_latency.latency)
app.command()(bench_lean.lean)
app.command()(bench_protocols.protocols)
app.command()(bench_risk.risk)
app.command()(bench_router.router)
app.command()(bench_signals.signals)


@app.command()
def pipeline(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs in the shard.")] = 100,
    instruments: Annotated[int, typer.Option(min=2, help="Instruments that they are of.")] = 200,
    ticks: Annotated[int, typer.Option(min=1000, help="Ticks to measure.")] = 4_000_000,
    warm_ticks: Annotated[int, typer.Option(min=0, help="Before them, for JVMs to compile.")] = 2_000_000,
    block: Annotated[int, typer.Option(min=1, help="Ticks in a block.")] = 500,
    rate: Annotated[float, typer.Option(min=1, help="Frames a second while latency is measured.")] = 5_000.0,
    rate_seconds: Annotated[float, typer.Option(min=1, help="For how long it is measured.")] = 20.0,
    warm_seconds: Annotated[float, typer.Option(min=0, help="Before that, for JVMs to compile.")] = 30.0,
    linger_ms: Annotated[float, typer.Option(min=0, help="The feed's, while latency is measured.")] = 20.0,
    seed: Annotated[int, typer.Option(help="Of the market.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """market.ticks to signals in ticks/s, and a raw frame to its order in ms, beside Kafka alone.

    Example: helios bench pipeline --pairs 300 --block 500 --json
    """
    from jobs.benchmarks.load import PipelineLoad
    from jobs.benchmarks.pipeline import measure

    settings = load_settings()
    console = Console(stderr=True)
    bring_up(settings, console=console)
    load = PipelineLoad(pairs, instruments, ticks, warm_ticks, block, rate, rate_seconds, warm_seconds, linger_ms, seed)
    with steps(console, "drawing the market") as step:
        found = measure(settings, load, step)
    if as_json:
        print(json.dumps(found))
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    through, alone, bare = found["ticks_to_signals"], found["kafka"], found["kafka_round_trip_ms"]
    took = found["latency"][0]
    order = f"p50 {took['ms']['p50']} ms, p99 {took['ms']['p99']} ms" if took["keeps_up"] else "falls behind"
    print(
        f"{found['pairs']} pairs, blocks of {found['block_ticks']}, {found['cores']} cores\n"
        f"ticks to signals   {through['ticks_per_second']:>12,} ticks/s   {through['signals']:,} signals\n"
        f"Kafka alone        {alone['ticks_per_second']:>12,} ticks/s   ratio {through['ratio_to_kafka']}\n"
        f"raw to order       {order} at {took['written_per_second']:,} frames/s\n"
        f"Kafka round trip   p50 {bare['p50']} ms, p99 {bare['p99']} ms"
    )
