"""helios bench loader, helios bench history: what the history takes in, and how fast it answers."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.settings import load_settings
from jobs.cli.stack import bring_up
from jobs.steps import steps

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int, typer.Option(help="Of the market.")]


def loader(
    rows: Annotated[int, typer.Option(min=100_000, help="Ticks to load.")] = 2_000_000,
    instruments: Annotated[int, typer.Option(min=2, help="Of so many instruments.")] = 200,
    block: Annotated[int, typer.Option(min=1, help="Ticks in a block.")] = 500,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Blocks of ticks from Kafka into the hypertable with its roll-ups, in rows/s, beside a bare COPY of the same rows.

    Example: helios bench loader --rows 4000000 --json
    """
    from jobs.benchmarks.loading import LoaderLoad, measure_loader

    settings = load_settings()
    console = Console(stderr=True)
    bring_up(settings, "kafka,registry,timescale", console)
    with steps(console, "starting") as step:
        found = measure_loader(settings, LoaderLoad(rows, instruments, block, seed), step)
    if as_json:
        print(json.dumps(found))
    else:
        _show_loader(found)


def history(
    rows: Annotated[int, typer.Option(min=100_000, help="Ticks to load, over 6.5 hours.")] = 10_000_000,
    instruments: Annotated[int, typer.Option(min=2, help="Of so many instruments.")] = 200,
    runs: Annotated[int, typer.Option(min=1, help="Of each question, each of another instrument and time.")] = 9,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """How long each question to the history takes, over generated ticks: the median of its runs, in ms.

    Example: helios bench history --rows 10000000 --json
    """
    from jobs.benchmarks.asking import HistoryLoad, measure_history

    settings = load_settings()
    console = Console(stderr=True)
    bring_up(settings, "timescale", console)
    with steps(console, "drawing the market") as step:
        found = measure_history(settings, HistoryLoad(rows, instruments, runs, seed), step)
    if as_json:
        print(json.dumps(found))
    else:
        print(f"{found['rows']:,} ticks of {found['instruments']} instruments, {found['cores']} cores")
        for name, took in found["milliseconds"].items():
            print(f"{name:<32} p50 {took['p50']:>8,.1f} ms   most {took['most']:>8,.1f} ms   {took['rows']:,} rows")


def _show_loader(found: dict[str, Any]) -> None:
    through, alone = found["loader"], found["copy"]
    print(
        f"{found['rows']:,} ticks of {found['instruments']} instruments, {found['cores']} cores\n"
        f"loader      {through['rows_per_second']:>10,} rows/s   ratio {through['ratio_to_copy']}\n"
        f"bare COPY   {alone['rows_per_second']:>10,} rows/s"
    )
