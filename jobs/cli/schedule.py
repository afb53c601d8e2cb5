"""helios schedule: how a parent order would be sliced, and what that would cost, before anyone trades."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.domain.schedules import Jitter

app = typer.Typer(help="Slices of a parent order, and what they would cost.", no_args_is_help=True)

NAMES = "In Almgren and Chriss's names"

Quantity = Annotated[float, typer.Option("--X", "-X", "--quantity", help="Shares to trade.", rich_help_panel=NAMES)]
Days = Annotated[float | None, typer.Option("--T", help="Days it takes; or --from, --until.", rich_help_panel=NAMES)]
Slices = Annotated[int, typer.Option("--N", "--slices", help="Intervals, or slices.", rich_help_panel=NAMES)]
Price = Annotated[float | None, typer.Option("--S0", help="Price at the start, $.", rich_help_panel=NAMES)]
Sigma = Annotated[float | None, typer.Option("--sigma", help="Volatility, $/share/day^(1/2).", rich_help_panel=NAMES)]
Epsilon = Annotated[
    float | None, typer.Option("--epsilon", help="Half the spread and fees, $/share.", rich_help_panel=NAMES)
]
Gamma = Annotated[float | None, typer.Option("--gamma", help="Permanent impact, $/share^2.", rich_help_panel=NAMES)]
Eta = Annotated[
    float | None, typer.Option("--eta", help="Temporary impact, ($/share)/(share/day).", rich_help_panel=NAMES)
]
Alpha = Annotated[
    float, typer.Option("--alpha", help="Expected drift, $/share/day; told apart.", rich_help_panel=NAMES)
]
Lambda = Annotated[
    float | None,
    typer.Option("--lambda", help="Risk aversion, 1/$: 1e-6 is 1 of a table in $M.", rich_help_panel=NAMES),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class ScheduleCommandError(RuntimeError):
    """Why no schedule can be shown: a number, a time or a file, and the way out."""


@app.command(
    epilog="Example: helios schedule preview --algo is --X 1e6 --T 5 --N 5 --S0 50 --sigma 0.95 --epsilon 0.0625 "
    "--gamma 2.5e-7 --eta 2.5e-6 --lambda 1e-6"
)
def preview(
    algo: Annotated[str, typer.Option(help="twap, vwap, pov, or is: implementation shortfall.")],
    quantity: Quantity,
    slices: Slices,
    days: Days = None,
    start: Annotated[str, typer.Option("--from", help="HH:MM or HH:MM:SS, by the clock of the curve.")] = "",
    end: Annotated[str, typer.Option("--until", help="Likewise; 24:00 is midnight.")] = "",
    curve: Annotated[
        list[Path] | None,
        typer.Option(
            help="Volume by minute (vwap, pov): CSV lines minute,volume; or LEAN's zips of minute bars, or a folder of "
            "them, several days averaged. Bars also say what is left out of S0, sigma and, with quotes, impact.",
            exists=True,
        ),
    ] = None,
    symbol: Annotated[str, typer.Option(help="Of zips with bars of several, such as ES201312.")] = "",
    participation: Annotated[
        float | None, typer.Option(help="pov: share of all volume, own in it; 0.1 is a tenth.")
    ] = None,
    cap: Annotated[
        float | None, typer.Option(help="pov: no more than this share of the volume since the last order; default all.")
    ] = None,
    price: Price = None,
    sigma: Sigma = None,
    epsilon: Epsilon = None,
    gamma: Gamma = None,
    eta: Eta = None,
    alpha: Alpha = 0.0,
    aversion: Lambda = None,
    spread: Annotated[
        float | None, typer.Option(help="$/share; with --adv makes epsilon, gamma, eta by the paper's rule of thumb.")
    ] = None,
    adv: Annotated[float | None, typer.Option(help="Shares traded a day, by all.")] = None,
    day_hours: Annotated[
        float, typer.Option(help="Hours that are a day of T and sigma: 6.5 of US equities, 24 of coins.")
    ] = 6.5,
    lot: Annotated[float, typer.Option(help="Shares a lot: slices are whole lots.")] = 1.0,
    least: Annotated[int, typer.Option(help="No slice has fewer lots but 0.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Vary sizes and times, the same for the same seed.")] = None,
    parent: Annotated[str, typer.Option(help="Id of the parent: others vary otherwise.")] = "",
    vary_sizes: Annotated[float, typer.Option(help="By which share sizes vary, 0 to 1.")] = 0.2,
    vary_times: Annotated[float, typer.Option(help="Within which share of its interval a slice is sent.")] = 0.5,
    as_json: AsJson = False,
) -> None:
    """Show the slices of an order, its expected cost and variance, before anyone trades.

    Cost is against the price at the start, by the model of Almgren and Chriss (2000): `is` has its least E + lambda V.
    """
    from jobs.schedule_asked import Asked
    from jobs.schedule_preview import preview as shown
    from pipelines.domain.schedules import ScheduleError

    try:
        told = shown(
            Asked(
                algo, quantity, slices, days, start, end, day_hours, price, sigma, epsilon, gamma, eta, alpha, aversion,
                spread, adv, curve or (), symbol, participation, cap, lot, least,
                _jitter(seed, parent, vary_sizes, vary_times),
            )
        )  # fmt: skip
    except ScheduleError as error:
        raise ScheduleCommandError(str(error)) from error
    if as_json:
        print(json.dumps(told, allow_nan=False))
    else:
        _draw(told)


@app.command(
    epilog="Example: helios schedule frontier --X 1e6 --T 5 --N 5 --sigma 0.95 --epsilon 0.0625 --gamma 2.5e-7 "
    "--eta 2.5e-6 --lambda 0,1e-7,1e-6,1e-5"
)
def frontier(
    quantity: Quantity,
    days: Annotated[float, typer.Option("--T", help="Days it takes.", rich_help_panel=NAMES)],
    slices: Slices,
    sigma: Annotated[float, typer.Option("--sigma", help="Volatility, $/share/day^(1/2).", rich_help_panel=NAMES)],
    epsilon: Annotated[
        float, typer.Option("--epsilon", help="Half the spread and fees, $/share.", rich_help_panel=NAMES)
    ],
    gamma: Annotated[float, typer.Option("--gamma", help="Permanent impact, $/share^2.", rich_help_panel=NAMES)],
    eta: Annotated[
        float, typer.Option("--eta", help="Temporary impact, ($/share)/(share/day).", rich_help_panel=NAMES)
    ],
    aversions: Annotated[
        str, typer.Option("--lambda", help="Risk aversions, 1/$, with commas; 0 is TWAP.", rich_help_panel=NAMES)
    ] = "0,1e-8,1e-7,1e-6,1e-5,1e-4",
    price: Price = None,
    as_json: AsJson = False,
) -> None:
    """The efficient frontier: for each risk aversion the least expected cost, and its variance."""
    from jobs.schedule_told import frontier_of
    from pipelines.domain.almgren_chriss import Impact
    from pipelines.domain.schedules import ScheduleError

    try:
        values = [_number(text) for text in aversions.split(",")]
        impact = Impact(sigma, epsilon, gamma, eta)
        points = frontier_of(quantity, days, slices, impact, values, price)
    except ScheduleError as error:
        raise ScheduleCommandError(str(error)) from error
    if as_json:
        asked = {"X": quantity, "T": days, "N": slices, "S0": price}
        impacts = {"sigma": sigma, "epsilon": epsilon, "gamma": gamma, "eta": eta}
        print(json.dumps({**asked, **impacts, "points": points}, allow_nan=False))
        return
    from jobs.cli.answers import console

    console().print(_table(points))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ScheduleCommandError(f"lambda: {text!r}: give numbers with commas between, such as 0,1e-6,1e-5") from None


def _jitter(seed: int | None, parent: str, sizes: float, times: float) -> "Jitter | None":
    from pipelines.domain.schedules import Jitter

    return None if seed is None else Jitter(seed, parent, sizes, times)


NOT_DRAWN = ("trajectory", "trades", "slices", "estimated", "missing", "curve", "drift", "penalty", "theta")


def _draw(told: dict[str, Any]) -> None:
    """Numbers by name, and the slices; what is missing for a cost, and lines that are no bars, on stderr."""
    from jobs.cli.answers import console, note

    shown = console()
    for name, value in told.items():
        if name not in NOT_DRAWN and value is not None and value != "":
            mark = " (estimated)" if name in told["estimated"] else ""
            shown.print(f"{name:<14}{_text(value)}{mark}", highlight=False, soft_wrap=True)
    if curve := told.get("curve"):
        said = f"{curve['days']} days of {curve.get('name', 'a file')}, {curve['daily_volume']:,.0f} a day"
        shown.print(f"{'curve':<14}{said}{', times of ' + curve['zone'] if 'zone' in curve else ''}", highlight=False)
    if drift := told.get("drift"):
        said = ", ".join(f"{name} {_text(value)}" for name, value in drift.items() if isinstance(value, float))
        shown.print(f"{'with drift':<14}{said}", highlight=False)
    shown.print(_table([_row(each, told) for each in told["slices"]]))
    if missing := told.get("missing"):
        note(f"for cost and variance give --{' --'.join(missing)}; or --curve with bars of trades and quotes")
    for fault in told.get("curve", {}).get("faults", [])[:10]:
        note(fault)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.6g}"
    return str(value)


def _row(each: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """A slice as it stands in the table: by the clock, or in days from the start."""
    day_ns = told["day_hours"] * 3600e9
    times = ("from", "until") + (("at",) if "seed" in told else ())
    if "from" in each:
        when = {name: each[name] for name in times}
    else:
        keys = {"from": "start_ns", "until": "end_ns", "at": "at_ns"}
        when = {f"{name} day": f"{each[keys[name]] / day_ns:.4f}" for name in times}
    share = f"{each['done'] / told['lots']:.1%}"
    row = {"slice": each["number"], **when, "lots": f"{each['lots']:,}", "done": f"{each['done']:,}", "of X": share}
    if "volume" in each:  # history's is of others: own trades come to it
        traded = each["volume"] + each["quantity"]
        row |= {"of volume": f"{each['quantity'] / traded:.2%}" if traded else "-"}
    return row


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*("-" if value is None else _text(value) for value in row.values()))
    return table
