"""helios risk: an account's risk as it is told now, and whether what was told held."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.account import AsJson, Bootstrap, Prefix, Registry

if TYPE_CHECKING:
    from pipelines.domain.trading import TradingEvent
    from pipelines.domain.universe import Strategy
    from pipelines.domain.var_backtest import Backtest
    from pipelines.research.risk_history import RiskHistory

app = typer.Typer(
    help="The risk of an account: as it is told now, and whether what was told held.", no_args_is_help=True
)


class RiskCommandError(RuntimeError):
    """Why risk cannot be told or tested, and the way out."""


@app.command(epilog="Example: helios risk show --json")
def show(
    account: Annotated[str, typer.Option("--account", help="Of this account; default: the newest of all.")] = "",
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """The newest risk update of a session: value at risk, shortfall, what each pair has in it, stress.

    Losses are positive, money is the account's.
    """
    from infra.settings import load_settings
    from jobs.risk_log import latest

    settings = load_settings()
    event = latest(bootstrap or settings.kafka.bootstrap, registry or settings.registry.url, prefix, account)
    if as_json:
        print(json.dumps(_shown(event)))
    else:
        _draw(event)


@app.command(epilog="Example: helios risk backtest --strategy desk.yaml --history closes.csv --out var.html")
def backtest(
    strategy: Annotated[
        Path | None, typer.Option(help="Over closing prices: of this strategy.", exists=True, dir_okay=False)
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="Daily closing prices; default: the strategy's.", exists=True, dir_okay=False)
    ] = None,
    days: Annotated[int, typer.Option(min=2, help="Of closing prices, the last so many.")] = 250,
    short: Annotated[bool, typer.Option("--short", help="Every pair held short, not long.")] = False,
    out: Annotated[Path | None, typer.Option(help="A page of it: profits, VaR, exceptions.", dir_okay=False)] = None,
    session: Annotated[str, typer.Option(help="Or of this session in the history; default: the newest.")] = "",
    account: Annotated[str, typer.Option("--account", help="Of this account.")] = "",
    as_json: AsJson = False,
) -> None:
    """Whether value at risk held: exceptions against what was expected, Kupiec's and Christoffersen's tests, the zone.

    Without --strategy of the days of a session that the history has; with it of each day of a year of closing prices,
    all pairs held as an entry would buy them, told by the method and window of the strategy's risk.
    """
    if strategy is None:
        if history is not None or out is not None or short:
            raise RiskCommandError("--history, --short and --out are of closing prices: give --strategy FILE too")
        told = _of_session(session, account)
    else:
        told = _of_strategy(strategy, history, days, short, out)
    if as_json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        print(f"{name:<14}{text}")


def _of_session(session: str, account: str) -> dict[str, Any]:
    import numpy as np

    from jobs.cli.history_market import history
    from pipelines.domain.var_backtest import Transitions
    from pipelines.domain.var_backtest import backtest as test

    with history() as found:
        of = found.session(session)
        exceeded, confidence = found.risk_days(of, account)
    transitions = Transitions.of(np.array(exceeded))
    return {"session": of, "confidence": confidence} | _told(
        test(sum(exceeded), len(exceeded), confidence, transitions)
    )


def _of_strategy(file: Path, history: Path | None, days: int, short: bool, out: Path | None) -> dict[str, Any]:
    from pipelines.contracts.closing_prices import ClosingPricesError
    from pipelines.contracts.risk_file import load_history
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.var_backtest import backtest as test
    from pipelines.research.portfolio_risk import RiskError
    from pipelines.research.risk_history import risk_history

    strategy = load_strategy(file)
    if history is not None:
        risk = dataclasses.replace(strategy.risk, history=str(history.resolve()))
        strategy = dataclasses.replace(strategy, risk=risk)
    try:
        read = load_history(strategy)
        if read is None:
            raise RiskCommandError(f"{file}: no history of closing prices in it: give --history FILE")
        found = risk_history(strategy, *read, days, short=short)
    except (ClosingPricesError, RiskError) as error:
        raise RiskCommandError(str(error)) from error
    settings, lived = strategy.risk, found.lived
    tested = test(int(lived.exceptions.sum()), days, settings.confidence, lived.transitions)
    told = {"strategy": strategy.name, "method": settings.method, "confidence": settings.confidence}
    told |= {"first": _day(int(found.days[0])), "last": _day(int(found.days[-1])), "window": found.window}
    told |= {"mean_var": float(lived.var.mean()), "worst_day": float(lived.returns.min())} | _told(tested)
    if out is not None:
        _write(out, strategy, found, tested)
        told |= {"page": str(out)}
    return told


def _write(out: Path, strategy: "Strategy", found: "RiskHistory", tested: "Backtest") -> None:
    import pandas as pd

    from pipelines.pages.var_page import var_page
    from pipelines.research.portfolio_risk import Options

    settings = strategy.risk
    options = Options(settings.method, settings.confidence, settings.decay, settings.draws, settings.seed)
    dates = pd.DatetimeIndex(pd.to_datetime(found.days, unit="ns"))
    out.write_text(var_page(dates, found.lived, tested, strategy.name, options))


def _told(tested: "Backtest") -> dict[str, Any]:
    from jobs.cli.var import told_of

    return told_of(tested)


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).date().isoformat()


def _shown(event: "TradingEvent") -> dict[str, Any]:
    """All fields, pairs and scenarios by the greatest loss, instruments by name."""
    told = dataclasses.asdict(event.body)
    pairs = zip(told["pairs"], told["pair_es"], told["pair_incremental"], strict=True)
    lots = zip(told["instruments"], told["es_per_lot"], told["deviation_per_lot"], told["volume_per_day"], strict=True)
    stress = zip(told["stress"], told["stress_loss"], strict=True)
    whole = {name: value for name, value in told.items() if not isinstance(value, tuple)}
    return {"account": event.account, "event_id": event.event_id, **whole} | {
        "pairs": [
            {"pair": pair, "es": es, "incremental_es": incremental}
            for pair, es, incremental in sorted(pairs, key=lambda each: -each[1])
        ],
        "stress": dict(sorted(stress, key=lambda each: -each[1])),
        "per_lot": {
            name: {"es": es, "deviation": deviation, "volume_per_day": volume} for name, es, deviation, volume in lots
        },
    }


def _draw(event: "TradingEvent") -> None:
    from rich.table import Table

    from jobs.cli.answers import console

    told, screen = _shown(event), console()
    at = datetime.fromtimestamp(told["as_of_ns"] / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    held = f"{told['exceptions']} of {told['days']} days, {told['zone']}" if told["days"] else "no day has ended yet"
    lines = {
        "account": f"{told['account']} as of {at} UTC",
        "VaR": f"{told['var']:,.2f}   ({told['method']}, {told['confidence']:g}, {told['scenarios']} scenarios)",
        "shortfall": f"{told['es']:,.2f}",
        "gross, net": f"{told['gross']:,.2f}, {told['net']:,.2f}",
        "leverage": f"{told['leverage']:.3g}, beta {told['beta']:,.2f}",
        "to close all": f"{told['liquidity_s']:,.0f} s of trading" if told["liquidity_s"] else "volumes are not known",
        "exceeded": held,
    }
    for name, text in lines.items():
        screen.print(f"{name:<14}{text}", highlight=False, soft_wrap=True)
    for title, rows in (
        (("pair", "shortfall", "without it less"), [(p["pair"], p["es"], p["incremental_es"]) for p in told["pairs"]]),
        (("stress", "loss"), list(told["stress"].items())),
    ):
        if rows:
            table = Table(box=None, header_style="bold", pad_edge=False)
            for number, column in enumerate(title):
                table.add_column(column, justify="right" if number else "left")
            for name, *values in rows:
                table.add_row(name, *(f"{value:,.2f}" for value in values))
            screen.print()
            screen.print(table)


@app.command(epilog="Example: helios risk breaches --out breaches.html")
def breaches(
    session: Annotated[str, typer.Option(help="Of this session in the history; default: the newest.")] = "",
    out: Annotated[Path | None, typer.Option(help="A page of them: each order, what was left.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Limits that broke: which and when, how soon the account began to close, and how it ended. Event time."""
    from jobs.cli.history_market import history
    from pipelines.history.asked import Span
    from pipelines.history.breaches import breaches as found_in
    from pipelines.pages.breach_page import breach_page

    with history() as asked:
        of = asked.session(session)
        answer = asked.orders(of, Span())
        found = found_in(answer.dicts())
        risk = asked.risk(of, Span())
    if out is not None:
        out.write_text(breach_page(of, found, risk.dicts()))
    told = [
        {
            "began": each.began.isoformat(),
            "why": each.why,
            "first_order_s": each.first_order_s,
            "last_fill_s": each.last_fill_s,
            "ended": each.ended.isoformat() if each.ended else None,
            "seconds": each.seconds,
            "how": each.how,
            "orders": len(each.orders),
            "cancels": len(each.cancels),
            "refused": each.refused,
        }
        for each in found
    ]
    if as_json:
        print(json.dumps({"session": of, "breaches": told, "page": str(out) if out else None}))
        return
    for each in told:
        print("\n".join(f"{name:<14}{value}" for name, value in each.items()) + "\n")
    print(f"{len(told)} breaches in session {of}" + (f": {out}" if out else ""))
