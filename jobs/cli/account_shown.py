"""helios account: where an account stands now, and what it has made."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.account import AsJson, Bootstrap, Prefix, Registry, account_log

if TYPE_CHECKING:
    from pipelines.domain.account_view import AccountView
    from pipelines.domain.ledger import Ledger, Made
    from pipelines.domain.universe import Strategy

app = typer.Typer(help="An account: where it stands, what it holds, what it has made.", no_args_is_help=True)

File = Annotated[
    Path,
    typer.Option("--strategy", help="The account's strategy file.", exists=True, dir_okay=False, show_default=False),
]


@app.command(epilog="Example: helios account show --strategy .local/demo/strategy.yaml")
def show(
    strategy: File,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Whether it trades and why not, its limits and how far they are used, positions, orders, pairs and profit.

    Its whole log is stepped through, as the trading job does: what is shown is what the job knows.
    """
    from jobs.account_replay import replayed
    from jobs.cli.account_tables import draw
    from jobs.cli.progress import counting
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.account_view import view

    loaded = load_strategy(strategy)
    with account_log((prefix, bootstrap, registry)) as log, counting("events", quiet=as_json) as progress:
        found = replayed(loaded, log.session, log.events(loaded.account, progress))
    if found.events == 0:
        typer.echo(f"helios: the log of session {log.session} has nothing of account {loaded.account}", err=True)
    seen = view(found.state, found.killed_ns)
    if as_json:
        print(json.dumps({"session": log.session, "events": found.events} | told(seen)))
    else:
        draw(seen)


@app.command(epilog="Example: helios account pnl --strategy .local/demo/strategy.yaml --by venue --method fifo")
def pnl(
    strategy: File,
    method: Annotated[str, typer.Option(help="Which lots a fill closes: average or fifo.")] = "average",
    by: Annotated[str, typer.Option(help="pair, strategy, venue or instrument.")] = "pair",
    session: Annotated[
        str, typer.Option(help="Of this session, from the history, if its id begins so; the present one if left out.")
    ] = "",
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """What an account has made, by its fills alone: realised, open at the last quotes, fees and borrowing.

    Fills count as they should have been: one that its venue took back is gone, a corrected one stands in its place.
    """
    from jobs.cli.account_tables import draw_profits
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.ledger import By, Method

    if method not in tuple(Method) or by not in tuple(By):
        raise typer.BadParameter(f"--method is one of {', '.join(Method)}; --by one of {', '.join(By)}")
    loaded = load_strategy(strategy)
    place = (prefix, bootstrap, registry)
    of, ledger, mids, missing = (
        _of_history(loaded, session, Method(method)) if session else _of_log(loaded, place, Method(method), as_json)
    )
    parts, whole = ledger.made(By(by), mids), ledger.account(mids)
    for line in missing:
        typer.echo(f"helios: {line}", err=True)
    if as_json:
        rows = [_made(each) for each in parts]
        print(
            json.dumps(
                {"session": of, "method": method, "by": by, "parts": rows, "account": _made(whole), "missing": missing}
            )
        )
    else:
        draw_profits(by, (*parts, whole))


def _of_log(
    strategy: "Strategy", place: tuple[str, str, str], method: Any, quiet: bool
) -> "tuple[str, Ledger, Any, list[str]]":
    from jobs.cli.progress import counting
    from pipelines.domain.account_fills import AccountFills, ledger_of

    with account_log(place) as log, counting("events", quiet=quiet) as progress:
        fills = AccountFills(strategy, log.booked(strategy.account))
        for event in log.events(strategy.account, progress):
            fills.take(event)
    missing = _left_out(fills.unknown)
    if fills.unpriced:
        missing.append(f"{fills.unpriced} lots are known by their sum alone, no report of them has come: left out")
    return log.session, ledger_of(strategy, fills.entries, fills.nights, method), fills.mids, missing


def _of_history(strategy: "Strategy", session: str, method: Any) -> "tuple[str, Ledger, Any, list[str]]":
    from infra.settings import load_settings
    from pipelines.domain.account_fills import ledger_of
    from pipelines.history.account_questions import AccountQuestions

    with closing(AccountQuestions(load_settings().timescale.reader_dsn)) as questions:
        of = questions.session(session)
        entries, unknown = questions.entries(of, strategy)
        nights = questions.nights(of, entries) if strategy.borrow else []
        mids = questions.mids(of, sorted({entry.instrument for entry in entries}))
    return of, ledger_of(strategy, entries, nights, method), mids, _left_out(unknown)


def _left_out(unknown: set[str]) -> list[str]:
    return [f"fills of {', '.join(sorted(unknown))} are left out: the strategy file has none"] if unknown else []


def told(seen: "AccountView") -> dict[str, Any]:
    """As JSON has it: times in UTC ns."""
    profits = [asdict(each) | {"total": each.total} for each in seen.profits]
    return asdict(seen) | {"profits": profits}


def _made(made: "Made") -> dict[str, Any]:
    return asdict(made) | {"total": made.total}
