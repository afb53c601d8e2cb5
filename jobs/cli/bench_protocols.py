"""helios bench protocols: messages a second of a core, by protocol, beside another reader of the same bytes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from jobs.steps import steps


def protocols(
    captures: Annotated[list[Path] | None, typer.Argument(help="WebSocket captures to measure as well.")] = None,
    messages: Annotated[int, typer.Option(min=10_000, help="Of ITCH, generated.")] = 2_000_000,
    frames: Annotated[int, typer.Option(min=1_000, help="Of each type of JSON message, generated.")] = 20_000,
    lines: Annotated[int, typer.Option(min=1_000, help="Of LEAN, generated.")] = 400_000,
    seed: Annotated[int, typer.Option(help="Of what is generated.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Frames to rows, books and quotes included: ITCH beside itchfeed, JSON beside json.loads, LEAN beside pandas.

    Example: helios bench protocols captures/usdm_btcusdt.jsonl.gz --json
    """
    from jobs.benchmarks import itch_flow, lean_lines, websocket_frames

    found: list[dict[str, Any]] = []
    with steps(Console(stderr=True), "drawing a day of ITCH") as step:
        content = itch_flow.flow(seed, messages)
        step("ITCH")
        found += _itch(itch_flow.measure(content))
        step("WebSocket JSON")
        measured = websocket_frames.measure(captures or (), frames, seed)
        sources = {each["source"] for each in measured}
        for path in captures or ():
            if path.name not in sources:
                step(f"{path}: no frames in it")
        found += map(_json, measured)
        step("LEAN")
        found.append(_lean(lean_lines.measure((), lines, seed)))
    if as_json:
        print(json.dumps(found))
    else:
        _draw(found)


def _row(protocol: str, what: str, ours: float, beside: str, theirs: float) -> dict[str, Any]:
    ratio = round(ours / theirs, 2)
    rates = {"messages_per_second": round(ours), "beside": beside, "beside_per_second": round(theirs)}
    return {"protocol": protocol, "what": what} | rates | {"ratio": ratio}


def _itch(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What is done with a message, beside itchfeed, which parses only."""
    done = {"parse": "framing and types", "quotes": "books, best quotes, trades", "all": "and every level"}
    theirs = found["itchfeed_messages_per_second"]
    rates = found["messages_per_second"]
    return [_row("itch50", what, rates[name], "itchfeed, parsing", theirs) for name, what in done.items()]


def _json(found: dict[str, Any]) -> dict[str, Any]:
    what = f"{found['type']} ({found['source']})"
    return _row(found["venue"], what, found["messages_per_second"], "json.loads, float", found["json_per_second"])


def _lean(found: dict[str, Any]) -> dict[str, Any]:
    ours, theirs = found["lines_per_second"], found["pandas_lines_per_second"]
    return _row("lean", "zip to rows", ours, "pandas.read_csv", theirs)


def _draw(found: list[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("protocol", "messages"):
        table.add_column(name)
    for name in ("a second", "beside", "a second", "ratio"):
        table.add_column(name, justify="left" if name == "beside" else "right", no_wrap=True)
    for row in found:
        rates = (f"{row['messages_per_second']:,}", row["beside"], f"{row['beside_per_second']:,}")
        table.add_row(row["protocol"], row["what"], *rates, f"{row['ratio']:.2f}")
    Console().print(table)
