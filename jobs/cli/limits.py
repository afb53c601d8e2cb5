"""helios limits: what an account may do at most, and a change of it through its log."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.account import (
    Account,
    AsJson,
    Bootstrap,
    Key,
    Operator,
    Prefix,
    Reason,
    Registry,
    Wait,
    account_log,
    answered,
    write,
)

app = typer.Typer(help="Limits of an account: as they are, and changed through its log.", no_args_is_help=True)


class LimitsError(RuntimeError):
    """A change that is none, and the way out."""


@app.command("set", epilog="Example: helios limits set gross_notional=2e6 --account desk --reason 'two more pairs'")
def set_(
    limit: Annotated[str, typer.Argument(help="NAME=VALUE; `none` lifts it.", show_default=False)],
    account: Account,
    reason: Reason,
    operator: Operator = "",
    key: Key = None,
    wait: Wait = 5.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Change a limit from the next event of the account's log on. What is held and working stays, and exits go out.

    Who changed it, when and why stay in the log.
    """
    from pipelines.domain.limits import LimitError, Limits, change

    try:
        change(Limits(position_lots=1, stale_marks_ms=1), limit)
    except LimitError as error:
        raise LimitsError(str(error)) from error
    place = (prefix, bootstrap, registry)
    answered(write("limit", account, reason, operator, place, scope=limit, key=key, answer_s=wait), as_json)


@app.command(epilog="Example: helios limits show --strategy .local/demo/strategy.yaml --json")
def show(
    strategy: Annotated[Path, typer.Option(help="The account's strategy file.", exists=True, dir_okay=False)],
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """The limits that hold now: of the strategy file, and what commands of the session's log have changed."""
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.limits import LimitError, change
    from pipelines.domain.trading import Command

    loaded = load_strategy(strategy)
    limits = loaded.limits
    with account_log((prefix, bootstrap, registry)) as log:
        events = log.commands(loaded.account, "limit")
    changes: dict[str, dict[str, Any]] = {}
    for event in events:
        assert isinstance(event.body, Command)
        try:
            limits = change(limits, event.body.scope)
        except LimitError:
            continue  # the account refused it too
        changes[event.body.scope.partition("=")[0].strip()] = {
            "time": datetime.fromtimestamp(event.event_time_ns / 1e9, UTC).isoformat(),
            "operator": event.body.operator,
            "reason": event.body.reason,
        }
    told = {"account": loaded.account, "limits": dataclasses.asdict(limits), "changes": changes}
    if as_json:
        print(json.dumps(told))
    else:
        _draw(told)


def _draw(told: dict[str, Any]) -> None:
    from rich.table import Table

    from jobs.cli.answers import console
    from pipelines.domain.limits import BY_NAME

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("limit", "of", "what", "changed"):
        table.add_column(name, no_wrap=name in ("limit", "of"))
    for name, value in told["limits"].items():
        since = told["changes"].get(name)
        changed = f"{since['time'][:19]} by {since['operator']}: {since['reason']}" if since else ""
        empty = value is None or value in ((), {}, False)
        shown = "-" if empty else ", ".join(value) if isinstance(value, tuple) else f"{value}"
        table.add_row(name, shown, BY_NAME[name].metadata["unit"], changed)
    console().print(table)
