"""helios signals deploy, switch, retire, running, diff, watch: signals of a session that runs."""

import json
import time
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra.settings import load_settings
from jobs.cli.answers import cell, console
from jobs.cli.signals import FOLDER, AsJson, Folder, Name, Set, given_values, signal_path
from jobs.deployments import Deployments
from jobs.steps import steps
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.signals.comparison import Agreement, Comparison
from pipelines.signals.deployment import END, Deployment, Ledger, State
from pipelines.signals.signal_file import SignalError, load_signal

NEWER = (State.RETIRED, State.LEAVING, State.LIVE, State.SHADOW)
"""Of two versions that are compared, the one whose state is later here is the new one."""

Prefix = Annotated[str, typer.Option("--prefix", help="Of the session's topics.")]
Deployed = Annotated[str, typer.Argument(help="A signal of this session, as `helios signals running` shows it.")]
Version = Annotated[str, typer.Argument(help="A version of it.")]


def deploy(
    signal: Name,
    strategy: Annotated[Path, typer.Option("--strategy", help="The strategy file of the session.")],
    values: Set = None,
    folder: Folder = FOLDER,
    prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """Start a version of a signal as a job: live where none of its name runs, else in shadow, to be compared."""
    from jobs.deploy import deploy as start
    from pipelines.contracts.strategy_file import load_strategy

    bound = load_signal(signal_path(signal, folder)).bound(given_values(values), "--set")
    desk = load_strategy(strategy)
    deployments = Deployments(load_settings(), prefix)
    with steps(Console(stderr=True), f"deploying {bound.name} {bound.version}") as step:
        started = start(deployments, bound, desk, step)
    _tell(as_json, _told(deployments, started), f"{started.name} {started.version} runs: {started.state}")


def switch(
    name: Deployed,
    to: Annotated[str, typer.Option("--to", help="The version that becomes live, where several are in shadow.")] = "",
    old: Annotated[str, typer.Option("--from", help="The version that ends, where several are live.")] = "",
    at: Annotated[
        str, typer.Option("--at", help="Event time of the turn, ISO 8601, UTC if it says no other; else the first.")
    ] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the old version to come to its end.")] = 20.0,
    prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """Make the version in shadow the live one at an event time: no signal is lost or made twice.

    Broken off, it is finished by the same command.
    """
    from jobs.switch import retire_when_through
    from jobs.switch import switch as turn

    at_ns = time_ns(at) if at else 0
    deployments = Deployments(load_settings(), prefix)
    with steps(Console(stderr=True), f"switching {name}") as step:
        done = turn(deployments, name, step, to=to, old=old, at_ns=at_ns)
        done = retire_when_through(deployments, done, wait, step)
    end = "is retired" if done.retired else f"has not come so far yet: helios signals retire {name} {done.old}"
    _tell(
        as_json,
        asdict(done) | {"turn": event_time(done.turn_ns)},
        f"{name}: {done.new} is live from {event_time(done.turn_ns)} on; {done.old} {end}",
    )


def retire(name: Deployed, version: Version, prefix: Prefix = "", as_json: AsJson = False) -> None:
    """End a version that is in shadow, or that another one has taken over from and that has come to its end."""
    from jobs.deploy import retire as end

    deployments = Deployments(load_settings(), prefix)
    with steps(Console(stderr=True), f"retiring {name} {version}") as step:
        ended = end(deployments, name, version, step)
    _tell(as_json, _told(deployments, ended), f"{name} {version} is retired")


def running(prefix: Prefix = "", as_json: AsJson = False) -> None:
    """The versions of signals in this session: live, in shadow or retired, where, and how far each has come."""
    deployments = Deployments(load_settings(), prefix)
    ledger = deployments.read()
    told = [_told(deployments, each) for each in ledger.deployments]
    if as_json:
        print(json.dumps(told))
        return
    columns = ("signal", "version", "state", "job", "live from", "live before", "event time")
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for each in told:
        table.add_row(*(cell(each[name.replace(" ", "_")]) for name in columns))
    console().print(table)
    for begun in ledger.switches:
        console().print(f"{begun.name}: a switch was begun and not ended: helios signals switch {begun.name}")


def diff(
    name: Deployed,
    old: Annotated[str, typer.Option("--old", help="A version; else the live one, or the one before it.")] = "",
    new: Annotated[str, typer.Option("--new", help="A version; else the one in shadow, or the live one.")] = "",
    show: Annotated[int, typer.Option("--show", min=0, help="How many differences of each kind.")] = 10,
    prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """What two versions of a signal give over the event time that both have covered, while they run."""
    from jobs.deploy import covered_ms
    from jobs.signal_log import signals_given
    from pipelines.signals.comparison import compare

    settings = load_settings()
    deployments = Deployments(settings, prefix)
    one, other = _two(deployments, deployments.read(), name, old, new)
    covered = {each.version: covered_ms(deployments, each) for each in (one, other)}  # first: what is given goes on
    for version, until_ms in covered.items():
        if until_ms <= 0:
            raise SignalError(f"signal {name} {version} has covered no event time yet: helios signals running")
    events = signals_given(settings, prefix, name, one.version, other.version)
    found = compare(events[0].values(), events[1].values(), min(covered.values()) * NS_PER_MS)
    if as_json:
        print(json.dumps(_compared(name, one, other, found)))
    else:
        _draw(name, one, other, found, show)


def watch(
    signals: Annotated[list[str] | None, typer.Argument(help="Only of these names; all if none.")] = None,
    beginning: Annotated[bool, typer.Option("--beginning", help="Also what has come before.")] = False,
    count: Annotated[int, typer.Option(help="End after so many; 0: go on.")] = 0,
    prefix: Prefix = "",
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON a signal.")] = False,
) -> None:
    """Signals as they come, live and in shadow: a table that grows, with the rate of each version."""
    from jobs.signal_log import SignalLog
    from jobs.signal_watch import Tape, tape_screen, told

    screen = console()
    drawn = not as_json and screen.is_terminal
    live = Live(console=screen, refresh_per_second=4) if drawn else None
    deployments = Deployments(load_settings(), prefix)
    tape = Tape()
    with closing(SignalLog(deployments.settings, prefix, from_beginning=beginning)) as log, live or nullcontext():
        while not count or tape.counts.total() < count:
            came = [each for each in log.poll(0.25) if not signals or each.signal.name in signals]
            left = count - tape.counts.total() if count else len(came)
            for each in tape.take(came, time.monotonic())[:left]:
                if as_json:
                    print(json.dumps(told(each)), flush=True)
                elif not drawn:
                    line = told(each)
                    where = "live" if each.live else "shadow"
                    print(event_time(each.event.event_time_ns), line["signal"], line["version"], where, end=" ")
                    print(line["pair"], line["action"], f"{each.signal.z:+.2f}", flush=True)
            if live is not None:
                above = 7 + len(tape.counts)
                live.update(tape_screen(tape, time.monotonic(), max(5, screen.height - above)))


def event_time(ns: int) -> str:
    """ISO 8601 to the ms, UTC; empty for a time that has no end or no beginning."""
    if not 0 < ns < END:
        return ""
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns // NS_PER_MS % 1000:03}Z"


def time_ns(text: str) -> int:
    """Of ISO 8601, UTC where it says no other. SignalError for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SignalError(f"--at {text}: a time such as 2026-01-05T14:30:00 expected") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    whole = when.replace(microsecond=0)
    return int(whole.timestamp()) * NS_PER_S + when.microsecond * 1000


def _told(deployments: Deployments, each: Deployment) -> dict[str, Any]:
    from jobs.deploy import covered_ms

    job = deployments.running().get(each.job)
    ms = covered_ms(deployments, each)
    return {
        "signal": each.name,
        "version": each.version,
        "state": each.state.value,
        "job": job.state.lower() if job else "not running" if not each.retired else "ended",
        "live_from": event_time(each.window.from_ns) if each.state != State.SHADOW else "",
        "live_before": event_time(each.window.until_ns) if each.state != State.SHADOW else "",
        "live_from_ns": each.window.from_ns,
        "live_before_ns": each.window.until_ns,
        "event_time": event_time(ms * NS_PER_MS),
        "event_time_ms": max(ms, 0),
        "job_name": f"{deployments.prefix}{each.job}",
        "job_id": each.job_id,
        "savepoint": each.savepoint,
        "path": each.signal.path,
    }


def _two(deployments: Deployments, ledger: Ledger, name: str, old: str, new: str) -> tuple[Deployment, Deployment]:
    """The versions to compare."""
    from jobs.deploy import version_of

    there = sorted(deployments.named(ledger, name), key=lambda each: NEWER.index(each.state))
    given = [version_of(deployments, ledger, name, version) if version else None for version in (old, new)]
    rest = [each for each in there if each not in given]
    other = given[1] or (rest.pop() if rest else None)
    one = given[0] or (rest.pop() if rest else None)
    if one is None or other is None or one.version == other.version:
        told = ", ".join(f"{each.version} is {each.state}" for each in there)
        raise SignalError(f"signal {name}: two versions are compared, and here {told}: helios signals deploy {name}")
    return one, other


def _compared(name: str, one: Deployment, other: Deployment, found: Comparison) -> dict[str, Any]:
    return {
        "signal": name,
        "old": one.version,
        "new": other.version,
        "until": event_time(found.until_ns),
        "until_ns": found.until_ns,
        **asdict(found.total),
        "pairs": {pair: asdict(agreement) for pair, agreement in found.by_pair.items()},
        "old_alone": [each._asdict() for each in found.only_old],
        "new_alone": [each._asdict() for each in found.only_new],
    }


def _draw(name: str, one: Deployment, other: Deployment, found: Comparison, show: int) -> None:
    columns = ("pair", "equal", f"only {one.version}", f"only {other.version}")
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)

    def row(label: str, agreement: Agreement) -> None:
        table.add_row(label, *map(str, (agreement.equal, agreement.only_old, agreement.only_new)))

    for pair, agreement in found.by_pair.items():
        row(pair, agreement)
    row("all", found.total)
    out = console()
    both = f"{one.version} ({one.state}) and {other.version} ({other.state})"
    out.print(f"{name}: {both} before {event_time(found.until_ns)}", highlight=False)
    out.print(table)
    for version, those in ((one.version, found.only_old), (other.version, found.only_new)):
        for each in those[:show]:
            out.print(f"only {version}: {event_time(each.event_time_ns)} {each.pair} {each.action}")
        if len(those) > show:
            out.print(f"only {version}: {len(those) - show} more (--show, --json)")


def _tell(as_json: bool, told: dict[str, Any], line: str) -> None:
    if as_json:
        print(json.dumps(told))
    else:
        console().print(line, highlight=False)
