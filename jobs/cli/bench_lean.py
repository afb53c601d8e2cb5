"""helios bench lean: how fast LEAN's files of ticks are read."""

import json
from pathlib import Path
from typing import Annotated

import typer


class LeanBenchError(RuntimeError):
    """Why the files cannot be measured."""


def lean(
    files: Annotated[
        list[Path] | None, typer.Argument(help="LEAN's zips of one market; a generated day if none.")
    ] = None,
    lines: Annotated[int, typer.Option(min=1000, help="Of the generated day.")] = 400_000,
    seed: Annotated[int, typer.Option(help="Of the generated day.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Lines of ticks a second of one core, from zip to rows, beside pandas.read_csv of the same zips.

    Example: helios bench lean equity/usa/tick/aig/*_quote.zip --json
    """
    from jobs.benchmarks.lean_lines import measure
    from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat

    try:
        found = measure(files or (), lines, seed)
    except (UnknownFormat, BrokenFile) as error:
        raise LeanBenchError(str(error)) from error
    if as_json:
        print(json.dumps(found))
        return
    print(
        f"{found['lines']:,} lines{' (generated)' if found['generated'] else ''}\n"
        f"zip to rows        {found['lines_per_second']:>12,} lines/s\n"
        f"frames to rows     {found['decoding_lines_per_second']:>12,} lines/s\n"
        f"pandas.read_csv    {found['pandas_lines_per_second']:>12,} lines/s   ratio {found['ratio_to_pandas']}"
    )
