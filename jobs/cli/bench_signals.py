"""helios bench signals: ticks to signals at several numbers of pairs, beside NautilusTrader."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.settings import Jit, load_settings
from jobs.cli.stack import bring_up
from jobs.steps import steps

JitOption = Annotated[
    Jit, typer.Option(help="How broker and TaskManagers compile; they are restarted where they do otherwise.")
]


class SignalsBenchError(RuntimeError):
    """Why it cannot be measured."""


def signals(
    pairs: Annotated[str, typer.Option(help="Numbers of pairs, with commas.")] = "100,300,500,1000",
    instruments: Annotated[int, typer.Option(min=2, help="Instruments that they are of.")] = 200,
    ticks: Annotated[int, typer.Option(min=100_000, help="Of each run; counted after the first quarter.")] = 4_000_000,
    block: Annotated[int, typer.Option(min=1, help="Ticks in a block.")] = 500,
    nautilus: Annotated[
        Path | None,
        typer.Option(help="nautilus_baseline.py; ../shared/bench/nautilus_baseline.py if left out and there."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the ticks and pairs.")] = 1,
    jit: JitOption = Jit.FULL,
    linger_ms: Annotated[
        int, typer.Option(min=0, max=1000, help="flink.linger_ms: what a job's record waits for others into Kafka.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """market.ticks to signals in ticks/s: one shard through Kafka and Flink, every signal compared with the rule in
    plain Python; beside NautilusTrader on the same ticks and pairs, Kafka alone and the kernel alone.

    Example: helios bench signals --pairs 300,500 --ticks 2000000 --json
    """
    from jobs.benchmarks.signals import SignalsLoad, measure
    from jobs.benchmarks.yardstick import SCRIPT, YardstickError

    counts = _counts(pairs, instruments)
    script = nautilus or SCRIPT
    console = Console(stderr=True)
    if not script.is_file():
        if nautilus is not None:
            raise SignalsBenchError(f"--nautilus {nautilus}: no such file")
        console.print(f"{script} is not there: NautilusTrader is left out, ticks and pairs are our own")
    settings = load_settings().compiling(jit)
    settings = settings.model_copy(update={"flink": settings.flink.model_copy(update={"linger_ms": linger_ms})})
    bring_up(settings, console=console)
    load = SignalsLoad(counts, instruments, ticks, block, seed, script if script.is_file() else None)
    try:
        with steps(console, "drawing the market") as step:
            found = measure(settings, load, step)
    except YardstickError as error:
        raise SignalsBenchError(str(error)) from error
    print(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _counts(text: str, instruments: int) -> tuple[int, ...]:
    most = instruments * (instruments - 1) // 2
    try:
        counts = tuple(sorted({int(each) for each in text.split(",")}))
    except ValueError:
        raise SignalsBenchError(f"--pairs {text}: numbers with commas expected, as 100,500") from None
    if not 1 <= counts[0] <= counts[-1] <= most:
        raise SignalsBenchError(f"--pairs {text}: {instruments} instruments have 1 to {most} pairs")
    return counts


def _lines(found: dict[str, Any]) -> list[str]:
    names = f"{'pairs':>6} {'ticks/s':>10} {'CPU us/tick':>11} {'NautilusTrader':>14}"
    lines = [f"{names} {'of kernel':>9} {'of Kafka':>8}  signals"]
    for run in found["runs"]:
        said, times = run["signals"], run.get("ratio_to_nautilus")
        compared = "equal" if said["equal"] else f"{said['missing']} missing, {said['extra']} extra"
        lines.append(
            f"{run['pairs']:>6} {run['ticks_per_second']:>10,} {run['cpu_seconds_per_million_ticks']['all']:>11.2f} "
            f"{f'{times} x' if times else '-':>14} {run['ratio_to_kernel_with_avro']:>9} {run['ratio_to_kafka']:>8}  "
            f"{said['given']:,} {compared}"
        )
    last = found["runs"][-1]
    lines.append(f"CPU seconds a million ticks at {last['pairs']} pairs")
    lines += [f"  {does:<36} {spent:.3f}" for does, spent in last["cpu_seconds_per_million_ticks"].items()]
    growth = found["growth"]
    lines.append(
        f"from {found['runs'][0]['pairs']} to {last['pairs']} pairs: {growth['pairs_a_tick']} times the pairs a tick, "
        f"kernel {growth['kernel']}, with Avro {growth['kernel_with_avro']}, CPU of all {growth['cpu']}"
    )
    return lines
