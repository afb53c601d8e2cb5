"""helios var: value at risk and expected shortfall of returns in a file, and whether it held."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.domain.var_backtest import Backtest, Transitions
    from pipelines.research.portfolio_risk import History, Options
    from pipelines.research.returns import Returns

app = typer.Typer(
    help="Value at risk and expected shortfall of returns in a file; losses are positive.",
    invoke_without_command=True,
    epilog="Example: helios var --returns edhec.csv --column 'CTA Global' --method cornish-fisher --json",
)

ReturnsOption = Annotated[
    Path | None, typer.Option("--returns", help="CSV (.gz too): a date, and a column of returns an asset.", exists=True)
]
ColumnOption = Annotated[str, typer.Option("--column", help="One of its columns.")]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Instead: of a portfolio; lines NAME,WEIGHT, or YAML or JSON by name.", exists=True),
]
MethodOption = Annotated[
    str, typer.Option("--method", help="historical, parametric, cornish-fisher, ewma, filtered or monte-carlo.")
]
ConfidenceOption = Annotated[float, typer.Option("--confidence", help="0.99, say: a loss above is 1 in 100.")]
DecayOption = Annotated[float, typer.Option("--lambda", help="Decay of exponential weights (ewma, filtered).")]
DrawsOption = Annotated[int, typer.Option("--draws", min=1000, help="Of the Monte Carlo.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the Monte Carlo.")]
DegreesOption = Annotated[
    float | None, typer.Option("--degrees", help="Of freedom of Student's t; left out: by the returns' kurtosis.")
]
FirstOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first date.")]
LastOption = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last date.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class VarError(RuntimeError):
    """Why no risk can be told: a file, a column or an option, and the way out."""


@app.callback()
def var(
    context: typer.Context,
    returns: ReturnsOption = None,
    column: ColumnOption = "",
    weights: WeightsOption = None,
    method: MethodOption = "historical",
    confidence: ConfidenceOption = 0.95,
    decay: DecayOption = 0.94,
    draws: DrawsOption = 100_000,
    seed: SeedOption = 1,
    degrees: DegreesOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is lost at worst with that confidence (var), and on average when more is lost (es), by the next row.

    In the unit of the returns; losses are positive. Of a portfolio also what each asset has in it.
    """
    if context.invoked_subcommand is not None:
        return
    from pipelines.research.portfolio_risk import RiskError, column_risk, portfolio_risk

    try:
        options = _options(method, confidence, decay, draws, seed, degrees)
        read, held = _read(returns, column, weights, first, last)
        found = portfolio_risk(read.values, held, options) if held else column_risk(read.values[:, 0], options)
    except RiskError as error:
        raise VarError(str(error)) from error
    told = _about(read, options) | {"rows": found.rows, "var": found.var, "es": found.es}
    if found.components is not None:
        told |= {"weights": held, "components": found.components}
    if as_json:
        print(json.dumps(told))
    else:
        _draw(told)


@app.command(epilog="Example: helios var backtest --returns edhec.csv --column 'CTA Global' --window 60 --out var.html")
def backtest(
    exceptions: Annotated[int | None, typer.Option(min=0, help="Days that lost more than the VaR.")] = None,
    observations: Annotated[int | None, typer.Option(min=1, help="Days in all.")] = None,
    transitions: Annotated[
        str,
        typer.Option(help="T00,T01,T10,T11: days without (0) or with (1) an exception, by what the day before was."),
    ] = "",
    returns: ReturnsOption = None,
    column: ColumnOption = "",
    weights: WeightsOption = None,
    method: MethodOption = "historical",
    window: Annotated[int, typer.Option(min=2, help="Rows that each day's VaR is told by.")] = 250,
    confidence: ConfidenceOption = 0.99,
    decay: DecayOption = 0.94,
    draws: DrawsOption = 10_000,
    seed: SeedOption = 1,
    degrees: DegreesOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    out: Annotated[Path | None, typer.Option(help="A page of it: returns, VaR, exceptions.", dir_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether a VaR held: Kupiec's and Christoffersen's tests and the Basel traffic light, of counts or of a file.

    Of a file each row is held against the VaR by the --window rows before it.
    """
    from pipelines.domain.var_backtest import backtest as test
    from pipelines.research.portfolio_risk import RiskError, history

    about: dict[str, Any] = {"confidence": confidence}
    lived: History | None = None
    try:
        options = _options(method, confidence, decay, draws, seed, degrees)
        if returns is not None:
            if exceptions is not None or observations is not None or transitions:
                raise VarError("--returns counts exceptions itself: leave --exceptions and the like out")
            read, held = _read(returns, column, weights, first, last)
            whole = read.values @ list(held.values()) if held else read.values[:, 0]
            lived = history(whole, window, options)
            about = _about(read, options) | {"window": window}
            found = test(int(lived.exceptions.sum()), len(lived.returns), confidence, lived.transitions)
        else:
            if out is not None:
                raise VarError("--out draws days: give --returns")
            found = _of_counts(exceptions, observations, transitions, confidence)
    except RiskError as error:
        raise VarError(str(error)) from error
    told = about | told_of(found)
    if lived is not None and out is not None:
        from pipelines.pages.var_page import var_page

        title = column or (weights.name if weights else "")
        out.write_text(var_page(read.dates[-len(lived.returns) :], lived, found, title, options))
        told |= {"page": str(out)}
    if as_json:
        print(json.dumps(told))
    else:
        _draw(told)


def _of_counts(exceptions: int | None, observations: int | None, told: str, confidence: float) -> "Backtest":
    from pipelines.domain.var_backtest import backtest as test

    transitions = _transitions(told) if told else None
    if transitions is not None and (exceptions is None or observations is None):
        # Of the first day only what it was before the second is known.
        exceptions, observations = transitions.t01 + transitions.t11, sum(transitions)
    if exceptions is None or observations is None:
        raise VarError("give --exceptions and --observations, or --transitions, or --returns FILE with --column")
    if exceptions > observations:
        raise VarError(f"--exceptions {exceptions}: of {observations} observations there are {observations} at most")
    return test(exceptions, observations, confidence, transitions)


def _transitions(told: str) -> "Transitions":
    from pipelines.domain.var_backtest import Transitions

    try:
        counts = [int(each) for each in told.split(",")]
        if len(counts) != 4 or min(counts) < 0 or not sum(counts):
            raise ValueError
    except ValueError:
        raise VarError(f"--transitions {told}: four counts T00,T01,T10,T11 expected, such as 233,9,9,1") from None
    return Transitions(*counts)


def _options(method: str, confidence: float, decay: float, draws: int, seed: int, degrees: float | None) -> "Options":
    from pipelines.domain.value_at_risk import METHODS
    from pipelines.research.portfolio_risk import Options

    if method not in METHODS:
        raise VarError(f"--method {method}: take of {', '.join(METHODS)}")
    return Options(method, confidence, decay, draws, seed, degrees)


def _read(
    file: Path | None, column: str, weights: Path | None, first: datetime | None, last: datetime | None
) -> "tuple[Returns, Mapping[str, float]]":
    """Returns of the column, or of the assets that have weights."""
    from pipelines.research.prices import PricesError
    from pipelines.research.returns import read_returns, read_weights

    if file is None or bool(column) == (weights is not None):
        raise VarError("give --returns FILE with either --column NAME or --weights FILE")
    try:
        held = read_weights(weights) if weights is not None else {}
        return read_returns(file, list(held) or [column], first and first.date(), last and last.date()), held
    except PricesError as error:
        raise VarError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise VarError(f"{getattr(error, 'filename', None) or file}: {error}") from error


def _about(read: "Returns", options: "Options") -> dict[str, Any]:
    said: dict[str, Any] = {
        "method": options.method,
        "confidence": options.confidence,
        "first": read.dates[0].isoformat(),
        "last": read.dates[-1].isoformat(),
        "left_out": read.left_out,
    }
    if options.method in ("ewma", "filtered"):
        said["lambda"] = options.decay
    if options.method == "monte-carlo":
        said |= {"draws": options.draws, "seed": options.seed}
    return said


def told_of(found: "Backtest") -> dict[str, Any]:
    """What is said of a backtest, by name."""
    said: dict[str, Any] = {
        "exceptions": found.exceptions,
        "observations": found.observations,
        "expected": found.expected,
        "zone": found.zone.value,
    }
    for name, ratio in (("uc", found.coverage), ("ind", found.independence), ("cc", found.conditional)):
        if ratio is not None:
            said |= {f"lr_{name}": ratio.lr, f"p_{name}": ratio.p}
    if found.multiplier is not None:
        said["multiplier"] = found.multiplier
    return said


def _draw(told: dict[str, Any]) -> None:
    from jobs.cli.answers import console

    shown = console()
    for name, value in told.items():
        if name in ("components", "weights"):
            continue
        text = f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix("T00:00:00")
        shown.print(f"{name:<14}{text}", highlight=False, soft_wrap=True)
    for name, parts in told.get("components", {}).items():
        its = ", ".join(f"{part} {value:.6g}" for part, value in parts.items())
        shown.print(f"{name:<28}weight {told['weights'][name]:g}: {its}", highlight=False, soft_wrap=True)
