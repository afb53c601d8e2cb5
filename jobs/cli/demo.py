"""helios demo: a trading session end to end, to look at."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.settings import Settings, load_settings
from jobs.cli.stack import bring_up


def demo(
    replay: Annotated[
        list[Path] | None,
        typer.Option("--replay", help="Recorded files instead of a simulation; once for each file."),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="Further files.", show_default=False)] = None,
    strategy: Annotated[
        Path | None, typer.Option(help="What to trade in them: a strategy file of one venue. Left out: two captures.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated session: the same seed, the same session.")] = 1,
    instruments: Annotated[int, typer.Option(help="An even number: each two are a pair.")] = 20,
    seconds: Annotated[float, typer.Option(help="Event time of the simulated session.")] = 60.0,
    ticks_per_second: Annotated[float, typer.Option(help="Of event time, over all instruments.")] = 400.0,
    venues: Annotated[int, typer.Option(min=1, help="Simulated venues, each with its share of the instruments.")] = 1,
    cross_listed: Annotated[
        bool, typer.Option("--cross-listed", help="Each venue lists all instruments, with quotes of its own.")
    ] = False,
    speed: Annotated[float, typer.Option(min=0, help="Event seconds in a second; 0: as fast as it goes.")] = 4.0,
    venue_port: Annotated[int, typer.Option(help="On 127.0.0.1, of the simulated venue.")] = 17001,
    fix: Annotated[bool, typer.Option("--fix", help="Orders go out by FIX (make fix), to venues with books.")] = False,
    faults: Annotated[
        int | None, typer.Option(help="Seed of what goes wrong at those: lost words, busts, cut links.")
    ] = None,
    execution: Annotated[
        Path | None, typer.Option(help="How orders are worked: cut in time, routed over venues. docs/execution.md")
    ] = None,
    fused: Annotated[bool, typer.Option("--fused", help="Spreads, signals and trading in one job.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Run a session on local services: feed, Kafka, Flink jobs, gateway, simulated venue, TimescaleDB.

    Example: helios demo --seed 7 --speed 20
    Example: helios demo --replay captures/usdm_btcusdt.jsonl.gz captures/usdm_ethusdt.jsonl.gz
    Example: helios demo --fix --venues 2 --cross-listed --execution examples/execution/demo.yaml
    Example: helios demo --strategy examples/es-spy.yaml --speed 1000
    --replay {future/cme/minute/es,equity/usa/minute/spy}/*_quote.zip
    """
    from jobs.demo import DemoError, Stopwatch, run_session
    from jobs.demo_plans import recorded_plan, simulated_plan
    from jobs.replay_plans import replayed_plan
    from jobs.worked import work_rules
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.execution.fix.engine import quickfix

    settings = load_settings()
    if fix:
        quickfix()
    elif faults is not None:
        raise DemoError("--faults: only venues that speak FIX have them: add --fix")
    console = Console(stderr=as_json)
    watch_s = Stopwatch.started()
    bring_up(settings, console=console)
    watch_s.lap("stack")
    files = (*(replay or ()), *(more or ()))
    if strategy is not None:
        plan, feed = replayed_plan(strategy, files, speed)
    elif files:
        plan, feed = recorded_plan(settings, files, speed)
    else:
        plan, feed = simulated_plan(settings, seed, instruments, seconds, ticks_per_second, speed, venues, cross_listed)
    if execution is not None:
        traded = load_strategy(plan.strategy_file)
        try:
            work_rules(execution, traded, [venue.name for venue in traded.venues])
        except ValueError as error:
            raise DemoError(str(error)) from None
    summary = run_session(
        settings,
        replace(
            plan,
            venue_port=venue_port,
            fused=fused,
            fix=fix,
            fault_seed=faults,
            execution=execution,
            window_s=60 * max(speed, 1.0) if speed else 3600.0,
        ),
        feed,
        console,
        watch_s,
    )
    _keep(settings, summary)
    if as_json:
        print(json.dumps(summary, indent=2))
    else:
        _show(console, settings, summary)
    raise typer.Exit(0 if summary["conserved"] else 1)


def _keep(settings: Settings, summary: dict[str, Any]) -> None:
    file = settings.home / "demo" / "summary.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(summary, indent=2) + "\n")


def _show(console: Console, settings: Settings, summary: dict[str, Any]) -> None:
    went = Table(title="the session", title_justify="left", show_header=False)
    for name in ("frames", "ticks", "rejects", "spreads", "signals", "orders", "refused", "fills"):
        went.add_row(name, f"{summary[name]:,}")
    went.add_row("realised P&L", f"{summary['realised']:,.2f}")
    went.add_row("marked P&L", f"{summary['unrealised']:,.2f}")
    console.print(went)
    kept = Table("table", "rows", "events in the log", title="history", title_justify="left")
    for name, rows in summary["rows"].items():
        events = summary["distinct_events"].get(name, 0)
        kept.add_row(name, f"{rows:,}", f"{events:,}", style="" if rows == events else "red")
    console.print(kept)
    console.print("conserved: " + ", ".join(_check(*item) for item in _checks(summary)))
    stages = ", ".join(f"{stage} {spent:.0f} s" for stage, spent in summary["seconds"].items())
    console.print(f"{sum(summary['seconds'].values()):.0f} s: {stages}")
    console.print(
        f"\nThe stack is still up. Flink: {settings.flink.rest}\n"
        "  helios history fills            what was traded\n"
        "  helios history pnl              what it made, pair by pair\n"
        "  helios risk show                what it may lose, and what each pair has in it\n"
        "  helios why ORDER                what made an order (helios history fills --json has their ids)\n"
        "  helios pairs pages              a page to look at for each pair\n"
        "  helios sql -e 'SELECT * FROM market_spreads LIMIT 5'\n"
        "  helios status                   every part, job and lag\n"
        "  make down                       stop it all"
    )


def _checks(summary: dict[str, Any]) -> list[tuple[str, bool]]:
    said = {
        "frames": _frames(summary),
        "faults": f"{summary['rejects']:,} rejects = {summary['injected_faults']} faults put in",
        "orders": f"{summary['orders']:,} orders = intents" + _not_sent(summary),
        "rows": "rows = distinct events",
    }
    return [(said[name], well) for name, well in summary["conservation"].items()]


def _not_sent(summary: dict[str, Any]) -> str:
    return f" + {summary['not_sent']} not sent after a kill" if summary["not_sent"] else ""


def _frames(summary: dict[str, Any]) -> str:
    if summary["expected_ticks"] is None:
        return f"{summary['frames']:,} frames = ticks + frames set aside"
    return f"{summary['ticks']:,} ticks = those that the decoder alone finds in the files"


def _check(said: str, well: bool) -> str:
    return f"[green]{said}[/]" if well else f"[red]NOT {said}[/]"
