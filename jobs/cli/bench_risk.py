"""helios bench risk: the decision on a tick, the trader's step, value at risk, and the trading job."""

import json
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.settings import load_settings
from jobs.cli.stack import bring_up
from jobs.steps import steps


def risk(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs in the shard.")] = 300,
    instruments: Annotated[int, typer.Option(min=2, help="Instruments that they are of.")] = 200,
    ticks: Annotated[int, typer.Option(min=10_000, help="Ticks that are decided on one by one.")] = 200_000,
    var_instruments: Annotated[int, typer.Option(min=2, help="Instruments of the value at risk.")] = 500,
    scenarios: Annotated[int, typer.Option(min=100, help="Scenarios of the value at risk.")] = 1_000,
    repeats: Annotated[int, typer.Option(min=10, help="How often each value at risk is told.")] = 500,
    job: Annotated[bool, typer.Option(help="Measure the trading job too; it needs the stack.")] = True,
    seed: Annotated[int, typer.Option(help="Of the market and of the scenarios.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """us from a tick to its decision, alone in this process, and of the trader's step by kind of event; ms of a value
    at risk beside plain NumPy's and empyrical's; events/s through the trading job beside Kafka alone.

    All limits are set, so that every check is made.

    Example: helios bench risk --pairs 500 --json
    """
    from jobs.benchmarks.account_job import measure_job
    from jobs.benchmarks.deciding import measure_decisions
    from jobs.benchmarks.market import bench_market
    from jobs.benchmarks.tail import measure_tail
    from pipelines.contracts.registry import SchemaRegistry
    from pipelines.contracts.schemas import records

    settings = load_settings()
    console = Console(stderr=True)
    ids = {record: number for number, record in enumerate(records(), 1)}
    if job:
        bring_up(settings, console=console)
        ids = SchemaRegistry(settings.registry.url).register_all()
    market = bench_market(instruments, pairs, ticks, seed)
    market = replace(market, strategy=replace(market.strategy, limits=_all_limits()))
    with steps(console, "drawing the market") as step:
        found: dict[str, Any] = {"pairs": pairs, "instruments": instruments, "seed": seed}
        found["value_at_risk"] = measure_tail(settings.home, var_instruments, scenarios, repeats, seed, step)
        step(f"{ticks:,} ticks one by one")
        found["decision"], events = measure_decisions(market, ids)
        if job:
            found["trading_job"] = measure_job(settings, market, events, ids, step)
    print(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _all_limits() -> Any:
    """So wide that nothing is refused, so that everything is worked out."""
    from pipelines.domain.limits import Limits

    most = 1e12
    return Limits(
        position_lots=1_000_000,
        stale_marks_ms=60_000,
        order_lots=1_000_000,
        order_notional=most,
        collar=0.5,
        pair_notional=most,
        gross_notional=most,
        net_notional=most,
        daily_loss=most,
        drawdown=most,
        var=most,
        es=most,
        stale_risk_ms=60_000,
        credit=most,
        fat_finger=1.0,
        orders_per_second=200,
        messages_per_second=400,
        entries_per_minute=100,
        no_self_match=True,
    )


def _lines(found: dict[str, Any]) -> list[str]:
    decision, var = found["decision"], found["value_at_risk"]
    lines = [f"{'us':<14} {'p50':>9} {'p99':>9} {'p99.9':>9} {'number':>9}"]
    rows = {"tick": decision["us"]["tick"], "  kernel alone": decision["kernel_us"]}
    rows |= {f"  step {name}": each for name, each in decision["us"].items() if name != "tick"}
    lines += [
        f"{name:<14.14} {each['p50']:>9,.1f} {each['p99']:>9,.1f} {each['p999']:>9,.1f} {each['number']:>9,}"
        for name, each in rows.items()
    ]
    times = ", ".join(f"{name} {each} times as long" for name, each in var["times"].items())
    ms = var["ms"]["helios"]
    lines.append(
        f"value at risk of {var['instruments']} x {var['scenarios']}: p50 {ms['p50']} ms, p99 {ms['p99']} ms ({times})"
    )
    if "trading_job" in found:
        job = found["trading_job"]
        lines.append(f"trading job: {job['events_per_second']:,} events/s, {job['ratio_to_kafka']} of Kafka alone")
    return lines
