"""helios history: questions to TimescaleDB. Those about the market are in history_market.py."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from jobs.cli import backfill, history_market, history_tables
from jobs.cli.answers import Csv, Form, Json, Limit, Parquet, console, note
from jobs.cli.history_market import From, Session, Until, history, length_of, moment_of, span_of
from pipelines.history.profit import PairProfit
from pipelines.history.queries import Span

app = typer.Typer(
    no_args_is_help=True, help="Ask the history: bars, quotes, ticks, books, volatility; spreads, fills, profit, risk."
)
app.command()(history_market.ohlcv)
app.command()(history_market.vwap)
app.command()(history_market.asof)
app.command()(history_market.volatility)
app.command("volume-profile")(history_market.volume_profile)
app.command()(history_market.ticks)
app.command()(history_market.books)
app.command()(history_tables.retention)
app.command()(history_tables.rollups)
app.command()(history_tables.role)
app.command()(backfill.backfill)

Pair = Annotated[str, typer.Option("--pair", help="Of this pair.")]
Instrument = Annotated[str, typer.Option("--instrument", help="Of this instrument.")]


@app.command()
def sessions(limit: Limit = 20, as_json: Json = False) -> None:
    """The sessions that are loaded, newest first. Example: helios history sessions --limit 5"""
    with history() as found:
        Form(as_json).show(found.sessions(limit or 20))


@app.command()
def spread(
    pair: Annotated[str, typer.Option("--pair", help="Of this pair.", show_default=False)],
    every: Annotated[str, typer.Option("--every", help="As it stood at the end of each 100ms, 10s, 5m, ...")] = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """The spread of a pair: crossings of its ladder and a sample each second, or at any sampling.

    Example: helios history spread --pair KO-PEP --every 1m --csv ko_pep.csv
    """
    span, form = span_of(start, end), Form(as_json, csv, parquet)
    bucket = length_of(every, "--every") if every else None
    with history() as found:
        form.show(found.spread(found.session(session), pair, span, form.limit(limit), bucket))


@app.command()
def fills(
    instrument: Instrument = "",
    pair: Pair = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Fills, with the pair that they were for. Example: helios history fills --pair KO-PEP"""
    span, form = span_of(start, end), Form(as_json, csv, parquet)
    with history() as found:
        answer = found.fills(found.session(session), instrument or None, pair or None, span, form.limit(limit))
        form.show(answer)


@app.command()
def orders(
    pair: Pair = "",
    strategy: Annotated[str, typer.Option("--strategy", help="Of this strategy of the account.")] = "",
    action: Annotated[str, typer.Option("--action", help="Only these: new, refused, cancel, notice.")] = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """What the account decided: orders with what became of them, refusals with the check that said no, cancels, and
    notices of limits that broke; with --json the checks that each order passed.

    Example: helios history orders --action refused --pair KO-PEP
    """
    known = ("new", "refused", "cancel", "notice")
    if action and action not in known:
        raise typer.BadParameter(f"--action {action}: one of {', '.join(known)}")
    span, form = span_of(start, end), Form(as_json, csv, parquet)
    of = {"pair": pair or None, "strategy": strategy or None, "action": action or None}
    with history() as found:
        form.show(found.orders(found.session(session), span, form.limit(limit), **of))


@app.command()
def risk(
    every: Annotated[str, typer.Option("--every", help="The last of each 10s, 5m, 1h, ...")] = "",
    account: Annotated[str, typer.Option("--account", help="Of this account.")] = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Value at risk, shortfall, exposure and the days of an account; arrays by pair and instrument with --json.

    Example: helios history risk --every 1m --json
    """
    span, form = span_of(start, end), Form(as_json, csv, parquet)
    bucket = length_of(every, "--every") if every else None
    with history() as found:
        form.show(found.risk(found.session(session), span, form.limit(limit), bucket, account))


@app.command()
def rejects(
    reason: Annotated[str, typer.Option("--reason", help="Of this reason: gap, duplicate, bad_record, ...")] = "",
    session: Session = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Frames and records that were set aside: why, and where they lie (topic/partition@offset).

    Example: helios history rejects --reason gap
    """
    form = Form(as_json, csv, parquet)
    with history() as found:
        form.show(found.rejects(found.session(session), reason or None, form.limit(limit)))


@app.command()
def pnl(pair: Pair = "", session: Session = "", end: Until = "", as_json: Json = False) -> None:
    """Profit by pair and in total: realised by average cost, open lots at the mid of the last quote.

    Example: helios history pnl --pair KO-PEP --to 2026-10-30T20:00
    """
    until = moment_of(end, "--to") if end else None
    with history() as found:
        of = found.session(session)
        profits = found.pnl(of, pair or None, until)
        if not profits:
            Form(as_json).show(found.fills(of, None, pair or None, Span(None, until), 1))
        elif as_json:
            print(json.dumps([asdict(each) | {"total": each.total} for each in profits], indent=1))
        else:
            _draw(profits)
            if not found.terms(of):
                note("lot sizes are not known (the loader was started without --strategy): a lot is taken as one unit")


def _draw(profits: tuple[PairProfit, ...]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("pair", "currency"):
        table.add_column(name)
    for name in ("fills", "traded", "realised", "unrealised", "income", "total"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("held (lots)")
    for each in profits:
        held = ", ".join(f"{instrument} {lots:+d}" for instrument, lots in each.held.items()) or "flat"
        money = [
            f"{each.traded:,.2f}",
            *(
                "no quote" if value is None else f"{value:,.2f}"
                for value in (each.realised, each.unrealised, each.income, each.total)
            ),
        ]
        table.add_row(each.pair or "(none)", each.currency, str(each.fills), *money, held)
    console().print(table)
