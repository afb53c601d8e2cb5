"""The `helios` command. Each module of this package adds its commands here, and imports late what is slow."""

import signal
import sys

import typer

from infra.flink_jobs import FlinkError
from infra.parts.part import PartError, Unhealthy
from infra.settings import SettingsError
from infra.stack import StackError
from infra.topics import TopicsError
from jobs.account_log import AccountLogError
from jobs.cli import (
    account,
    account_shown,
    bars,
    bench,
    bench_lean,
    bench_router,
    bench_signals,
    decode,
    demo,
    feed,
    history,
    keys,
    limits,
    orders,
    pair_pages,
    pairs,
    quality,
    reference,
    risk,
    route,
    schedule,
    schemas,
    signal_changes,
    signals,
    sql,
    stack,
    submit,
    tca,
    var,
    why,
)
from jobs.operator_key import OperatorKeyError
from jobs.risk_log import RiskLogError
from jobs.why.chain import WhyError
from pipelines.contracts.registry import RegistryError
from pipelines.contracts.schemas import SchemaError
from pipelines.contracts.strategy_file import StrategyError
from pipelines.execution.fix.engine import NoEngine
from pipelines.history.timescale import HistoryError
from pipelines.signals.signal_file import SignalError

app = typer.Typer(
    name="helios",
    help="A trading desk's streaming engine: local services, jobs, sessions and their history.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(stack.up)
app.command()(stack.status)
app.command()(stack.logs)
app.command()(stack.down)
app.command()(stack.doctor)
app.command()(submit.submit)
app.command()(submit.jobs)
app.command()(submit.cancel)
app.command()(submit.skip)
app.command()(account.kill)
app.command()(account.resume)
app.command()(account.flatten)
app.command()(account.drain)
app.command()(demo.demo)
app.command()(sql.sql)
app.command(epilog="Example: helios why 9caff0ef5dbe --json")(why.why)
app.command(epilog="Example: helios tca --by venue --strategy desk.yaml --out costs.html")(tca.tca)
app.command(epilog="Example: helios decode capture.jsonl.gz --json")(decode.decode)
app.command(epilog="Example: helios bars uso.zip bno.zip --reference us-desk.yaml")(bars.bars)
app.add_typer(account_shown.app, name="account")
app.add_typer(bench.app, name="bench")
app.add_typer(feed.app, name="feed")
app.add_typer(history.app, name="history")
app.add_typer(keys.app, name="keys")
app.add_typer(limits.app, name="limits")
app.add_typer(orders.app, name="orders")
app.add_typer(pairs.app, name="pairs")
app.add_typer(quality.app, name="quality")
app.add_typer(reference.app, name="reference")
app.add_typer(risk.app, name="risk")
app.add_typer(route.app, name="route")
app.add_typer(schedule.app, name="schedule")
app.add_typer(schemas.app, name="schemas")
app.add_typer(var.app, name="var")
for command, example in (
    (signal_changes.deploy, "deploy pair_reversion --set entry_z=1.75 --strategy strategy.yaml"),
    (signal_changes.diff, "diff pair_reversion"),
    (signal_changes.switch, "switch pair_reversion"),
    (signal_changes.retire, "retire pair_reversion 5a6c7f0e21"),
    (signal_changes.running, "running --json"),
    (signal_changes.watch, "watch pair_reversion"),
):
    signals.app.command(epilog=f"Example: helios signals {example}")(command)
app.add_typer(signals.app, name="signals")

EXPECTED = (
    SettingsError,
    PartError,
    StackError,
    TopicsError,
    FlinkError,
    Unhealthy,
    StrategyError,
    HistoryError,
    feed.FeedError,
    decode.DecodeError,
    AccountLogError,
    OperatorKeyError,
    WhyError,
    SignalError,
    pair_pages.PagesError,
    limits.LimitsError,
    orders.OrdersError,
    pairs.PairsError,
    var.VarError,
    quality.QualityError,
    reference.ReferenceCommandError,
    risk.RiskCommandError,
    tca.TcaCommandError,
    RiskLogError,
    route.RouteError,
    schedule.ScheduleCommandError,
    bars.BarsError,
    bench_lean.LeanBenchError,
    bench_router.RouterCommandError,
    bench_signals.SignalsBenchError,
    SchemaError,
    RegistryError,
    NoEngine,
)
"""Faults whose message says all: shown without a trace."""


def main() -> None:
    """Run the command; an expected fault is one line on stderr, and exit status 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was begun is tidied up
    try:
        app()
    except EXPECTED as error:
        for line in str(error).splitlines():
            print(f"helios: {line}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
