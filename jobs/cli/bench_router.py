"""helios bench router: what the router saves on recorded quotes of many exchanges, and how fast it is."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer


class RouterCommandError(RuntimeError):
    """Why it cannot be measured."""


def router(
    replay: Annotated[
        list[Path],
        typer.Option("--replay", help="LEAN's QUOTE_ZIP of an equity's ticks; more may follow.", exists=True),
    ],
    more: Annotated[list[Path] | None, typer.Argument(help="More of them.", exists=True)] = None,
    times: Annotated[int, typer.Option(min=2, help="Random times of each day; ten parents at each.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of times, and of the bootstrap.")] = 1,
    venues: Annotated[
        Path | None,
        typer.Option(help="Fees and latencies by exchange; those of 2013, assumed, if left out.", exists=True),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Cost of parents in basis points of the arrival mid: the router, the best single venue, pro-rata, price alone.

    Each day's first hour teaches the chances of quotes, the rest is traded. A tape of best quotes names one exchange
    at a time: what others showed counts where they are named again at the same price within a minute.

    Example: helios bench router --replay equity/usa/tick/aig/*_quote.zip --json
    """
    from jobs.benchmarks.router import VENUES, RouterBenchError, measure
    from pipelines.contracts.route_file import RouteFileError
    from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat

    try:
        found = measure([*replay, *(more or ())], times, seed, venues or VENUES)
    except (UnknownFormat, BrokenFile, RouteFileError, RouterBenchError) as error:
        raise RouterCommandError(str(error)) from error
    print(json.dumps(found) if as_json else "\n".join(_lines(found)))


TOLD = {
    "recorded": "what is left meets the market as recorded, which knows nothing of the sweep:",
    "answered": "what is left pays more by what prices moved after recorded trades that took all that was displayed:",
}


def _lines(found: dict[str, Any]) -> list[str]:
    days = ", ".join(f"{day['symbol']} {day['day']}" for day in found["days"])
    moved = [f"{day['answer_ticks']:.2f}" for day in found["days"] if "answer_ticks" in day]
    speed, swept = found["speed"], found["filled_by_the_sweep"]
    lines = [f"{days}: {found['parents']:,} parents at {found['times']:,} times, seed {found['seed']}"]
    for answer, told in found["answers"].items():
        lines.append(TOLD[answer])
        for group, of in told["groups"].items():
            costs = "  ".join(f"{name.replace('_', ' ')} {bps:.3f}" for name, bps in of["cost_bps"].items())
            lines.append(f"  {group:<5} cost, bps: {costs}")
            for name, saved in of["saved_bps"].items():
                interval = f"95 % {saved['low']:+.3f} to {saved['high']:+.3f}"
                lines.append(
                    f"        saved against {name.replace('_', ' '):<13} {saved['mean']:+.3f} bps   {interval}"
                )
    if moved:
        lines.append(f"ticks that prices moved, by day: {', '.join(moved)}")
    lines.append(
        "filled by the sweep: " + "  ".join(f"{k.replace('_', ' ')} {100 * v:.1f} %" for k, v in swept.items())
    )
    lines.append(
        f"{speed['parents_per_second']:,} parents/s routed, {speed['by_price_per_second']:,} by price alone: "
        f"ratio {speed['ratio_to_by_price']}"
    )
    return lines
