"""helios pairs: whether prices in a file make a pair. Their pages are in pair_pages.py."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli import pair_pages

if TYPE_CHECKING:
    from pipelines.research.pair_statistics import PairStatistics
    from pipelines.research.prices import Prices

app = typer.Typer(
    help="Pairs: their statistics, from files of prices; their pages, from the history.", no_args_is_help=True
)
app.command(epilog="Example: helios pairs page --pair KO-PEP --from 2026-10-30T14:30 --out ko_pep.html")(
    pair_pages.page
)
app.command(epilog="Example: helios pairs pages --out pages --strategy strategy.yaml")(pair_pages.pages)


class PairsError(RuntimeError):
    """Why a pair cannot be tested: a file, a column or an option, and the way out."""


@app.command("test", epilog="Example: helios pairs test --prices etfs.csv.gz --pair EEM,EWG --lags 1 --json")
def check(
    prices: Annotated[
        list[Path],
        typer.Option(help="CSV (.gz too): a date and a column a leg; or, given again, a file a leg.", exists=True),
    ],
    pair: Annotated[str, typer.Option(help="A,B: A is hedged by B. Of several legs (A,B,C) by all others.")],
    method: Annotated[
        str,
        typer.Option(help="What gives the ratio: engle-granger, johansen, total-least-squares, rolling, ewma, kalman."),
    ] = "engle-granger",
    trend: Annotated[str, typer.Option(help="In the line: n none, c a constant, ct and a time trend.")] = "c",
    lags: Annotated[
        int | None, typer.Option(min=0, help="Of differences; left out: by Akaike's criterion, in Johansen's test 1.")
    ] = None,
    adf_trend: Annotated[str, typer.Option(help="In the test of the spread: n, c or ct.")] = "n",
    log: Annotated[bool, typer.Option("--log", help="Logarithms of prices.")] = False,
    column: Annotated[
        str, typer.Option(help="The price in files of one leg; adjusted close or close if left out.")
    ] = "",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first date.")] = None,
    last: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last date.")] = None,
    window: Annotated[int, typer.Option(help="Rows of the rolling regression.")] = 60,
    span: Annotated[float, typer.Option(min=1, help="Rows of the exponential weights.")] = 60.0,
    delta: Annotated[float, typer.Option(help="Of the Kalman filter: how fast the ratio may change, 0 to 1.")] = 1e-4,
    noise: Annotated[float, typer.Option(help="Of the Kalman filter: the variance about the line.")] = 1e-3,
    hurst_lags: Annotated[int, typer.Option(min=6, help="Lags of Hurst's exponent end before.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Cointegration (Engle-Granger, Johansen), hedge ratio, half-life, Hurst's exponent and correlation of a pair.

    Half-life and lags are in rows of the file: of daily prices, days.
    """
    from pipelines.research.pair_statistics import METHODS, TRENDS, Options, StatisticsError, pair_statistics
    from pipelines.research.prices import PricesError, read_prices

    for name, value, known in (("method", method, METHODS), ("trend", trend, TRENDS), ("adf-trend", adf_trend, TRENDS)):
        if value not in known:
            raise PairsError(f"--{name} {value}: take of {', '.join(known)}")
    if not 0 < delta < 1 or noise <= 0:
        raise PairsError(f"--delta {delta:g}, --noise {noise:g}: give between 0 and 1, and above 0")
    legs = [leg.strip() for leg in pair.split(",")]
    options = Options(method, trend, lags, adf_trend, log, window, span, delta, noise, hurst_lags)  # type: ignore[arg-type]
    try:
        found = read_prices(prices, legs, column, first and first.date(), last and last.date())
        statistics = pair_statistics(found, options)
    except (PricesError, StatisticsError) as error:
        raise PairsError(str(error)) from error
    except OSError as error:
        raise PairsError(f"{error.filename or prices[0]}: {error.strerror or error}") from error
    told = _told(found, statistics)
    if as_json:
        print(json.dumps(told))
    else:
        _draw(told, statistics)


def _told(prices: "Prices", found: "PairStatistics") -> dict[str, Any]:
    """`hedge_ratio`: a number for two legs, of more one for each leg that hedges."""
    ratios = dict(zip(found.legs[1:], found.hedge_ratios, strict=True))
    said = asdict(found)
    del said["hedge_ratios"]
    return said | {
        "first": prices.dates[0].isoformat(),
        "last": prices.dates[-1].isoformat(),
        "left_out": prices.left_out,
        "hedge_ratio": found.hedge_ratios[0] if len(ratios) == 1 else ratios,
        "estimators": {name: line._asdict() for name, line in found.estimators.items()},
    }


def _draw(told: dict[str, Any], found: "PairStatistics") -> None:
    from jobs.cli.answers import console, note

    if told["left_out"]:
        note(f"{told['left_out']} dates that not every leg has are left out")
    shown = console()
    terms = [f"{ratio:.6g} {leg}" for leg, ratio in zip(found.legs[1:], found.hedge_ratios, strict=True)]
    shown.print(f"{found.legs[0]} = {' + '.join(terms)} + {found.intercept:.6g}", highlight=False, style="bold")
    critical = found.adf_critical
    beyond = "" if critical is None else ", ".join(f"{at} {value:.3f}" for at, value in critical.items())
    rows = {
        "rows": f"{found.rows:,}, {told['first'][:10]} to {told['last'][:10]}",
        "method": found.method,
        "adf t": f"{found.adf_t:.4f} with {found.adf_lags} lags, p {found.adf_p:.4f}" + (beyond and f" ({beyond})"),
        "half-life": "-" if found.half_life is None else f"{found.half_life:.2f} rows",
        "hurst": "-" if found.hurst is None else f"{found.hurst:.4f}",
        "spread std": f"{found.spread_std:.6g}",
        "correlation": f"{found.correlation:.4f} of returns; distance {found.distance:.4g}",
        "johansen": ", ".join(
            f"r<={rank} trace {trace:.2f} (5 % {critical_values[1]:.2f})"
            for rank, (trace, critical_values) in enumerate(
                zip(found.johansen.trace, found.johansen.trace_critical, strict=True)
            )
        ),
    }
    for name, line in found.estimators.items():
        rows[name] = f"{line.slope:.6g}, intercept {line.intercept:.6g}"
    for name, text in rows.items():
        shown.print(f"{name:<20}{text}", highlight=False, soft_wrap=True)
