"""helios bench latency: a raw frame to its order, in ms."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.settings import Jit, load_settings
from jobs.cli.bench_signals import JitOption
from jobs.cli.stack import bring_up
from jobs.steps import steps


def latency(
    rates: Annotated[str, typer.Option(help="Frames a second, several with commas.")] = "1000,10000,20000,100000",
    seconds: Annotated[float, typer.Option(min=5, help="For how long each is measured.")] = 20.0,
    warm_seconds: Annotated[float, typer.Option(min=0, help="Before that, for JVMs to compile.")] = 30.0,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs in the shard, of twice as many instruments.")] = 100,
    linger_ms: Annotated[float, typer.Option(min=0.1, help="Event time in a record of the feed.")] = 2.0,
    topology: Annotated[str, typer.Option(help="split, fused or both.")] = "both",
    signal: Annotated[str, typer.Option(help="pattern (MATCH_RECOGNIZE), filter or both.")] = "both",
    loader: Annotated[bool, typer.Option("--loader/--no-loader", help="Whether history is written beside it.")] = True,
    seed: Annotated[int, typer.Option(help="Of the market.")] = 1,
    jit: JitOption = Jit.FULL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """A raw frame to its order, split and fused, through a pattern and a filter, beside the bare Kafka round trip.

    A rate that the machine falls behind is told as such, and measured again from blocks of ticks.

    Example: helios bench latency --rates 1000,20000 --topology fused --json
    """
    from jobs.benchmarks.latency import SIGNALS, TOPOLOGIES, LatencyLoad, measure

    try:
        wanted = tuple(float(rate) for rate in rates.split(","))
    except ValueError:
        raise typer.BadParameter(f"--rates {rates}: numbers with commas between them expected") from None
    settings = load_settings().compiling(jit)
    console = Console(stderr=True)
    bring_up(settings, console=console)
    load = LatencyLoad(
        pairs=pairs,
        rates=wanted,
        rate_s=seconds,
        warm_s=warm_seconds,
        linger_ms=linger_ms,
        seed=seed,
        topologies=_chosen("--topology", topology, TOPOLOGIES),
        signals=_chosen("--signal", signal, tuple(SIGNALS)),
        loader=loader,
    )
    with steps(console, "opening a session") as step:
        found = measure(settings, load, step)
    if as_json:
        print(json.dumps(found))
    else:
        _show(found)


def _chosen(option: str, given: str, all_: tuple[str, ...]) -> tuple[str, ...]:
    if given != "both" and given not in all_:
        raise typer.BadParameter(f"{option} {given}: {', '.join(all_)} or both expected")
    return all_ if given == "both" else (given,)


def _show(found: dict[str, Any]) -> None:
    table = Table("topology", "signal", "from", "ticks/s", "orders", "p50 ms", "p90", "p99", "hops, p50 ms")
    for run in found["runs"]:
        about = (run["topology"], run["signal"], run["from"], f"{run['rate']:,.0f}")
        if not run["keeps_up"]:
            late = (
                f"{run['behind_ms']:,} ms late"
                if "behind_ms" in run
                else f"not through in {run['not_through_s']:.0f} s"
            )
            table.add_row(
                *about, f"{run['orders']}", "falls behind", "", "", f"{run['written_per_second']:,}/s, {late}"
            )
            continue
        hops = ", ".join(f"{name} {hop['p50']:.1f}" for name, hop in run["hops_ms"].items())
        table.add_row(*about, f"{run['orders']}", *(f"{each:.1f}" for each in run["ms"].values()), hops)
    console = Console()
    console.print(table)
    bare = found["kafka_round_trip_ms"]
    console.print(f"Kafka round trip p50 {bare['p50']} ms, p99 {bare['p99']} ms; load average {found['load_average']}")
