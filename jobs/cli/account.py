"""helios kill, resume, flatten, drain: an operator's word to an account, through its log."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.scopes import All, Pair, StrategyName, Venue, scope

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from jobs.account_log import AccountLog

Account = Annotated[str, typer.Option(help="The account, as the strategy file names it.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why: it is kept in the log.", show_default=False)]
Operator = Annotated[str, typer.Option(help="Who says so; you, if left out.")]
Key = Annotated[
    Path | None,
    typer.Option(
        envvar="HELIOS_OPERATOR_KEY",
        help="The operator's key, to sign with; .local/keys/OPERATOR.key if left out. Without one it is not signed.",
        dir_okay=False,
        show_default=False,
    ),
]
Prefix = Annotated[str, typer.Option(help="Of the session's topics.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka; the settings' if left out.")]
Registry = Annotated[str, typer.Option(help="Schema registry; the settings' if left out.")]
Wait = Annotated[
    float, typer.Option(help="Seconds for the account to answer; 0: none. Without an answer, exit status 1.", min=0)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def kill(
    account: Account,
    reason: Reason,
    pair: Pair = "",
    strategy: StrategyName = "",
    venue: Venue = "",
    every: All = False,
    operator: Operator = "",
    key: Key = None,
    wait: Wait = 5.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Stop an account, or part of it: no order goes out after this, not even a closing one, until it is resumed.

    What works is asked to be canceled, and what fills is booked. A part that the account does not have kills all of it.

    Example: helios kill --account desk --pair KO-PEP --reason "prices look wrong"
    """
    about = scope(pair, strategy, venue, every)
    place = (prefix, bootstrap, registry)
    answered(write("kill", account, reason, operator, place, scope=about, key=key, answer_s=wait), as_json)


def resume(
    account: Account,
    reason: Reason,
    pair: Pair = "",
    strategy: StrategyName = "",
    venue: Venue = "",
    every: All = False,
    operator: Operator = "",
    key: Key = None,
    wait: Wait = 5.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Let a killed or halted account, or part of one, trade again. What it holds is closed by its pair's next exit.

    Example: helios resume --account desk --reason "feed is back"
    """
    about = scope(pair, strategy, venue, every)
    place = (prefix, bootstrap, registry)
    answered(write("resume", account, reason, operator, place, scope=about, key=key, answer_s=wait), as_json)


def flatten(
    account: Account,
    reason: Reason,
    pair: Pair = "",
    strategy: StrategyName = "",
    venue: Venue = "",
    every: All = False,
    operator: Operator = "",
    key: Key = None,
    wait: Wait = 5.0,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Close all that an account, or part of it, holds: in stages, as its strategy file says; nothing new is taken.

    Example: helios flatten --account desk --venue XNYS --reason "its feed limps"
    """
    about = scope(pair, strategy, venue, every)
    place = (prefix, bootstrap, registry)
    answered(write("flatten", account, reason, operator, place, scope=about, key=key, answer_s=wait), as_json)


def drain(
    account: Account,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option("--wait", help="Until every order before it has its last report.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait; then exit status 1.", min=0)] = 30.0,
    group: Annotated[
        list[str] | None, typer.Option(help="Of an account with several gateways each one's group; once for each.")
    ] = None,
    operator: Operator = "",
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Mark a point in an account's log, and learn when every order before it is settled. Trading goes on.

    Example: helios drain --account desk --wait --timeout 60
    """
    place = (prefix, bootstrap, registry)
    told = write("drain", account, reason, operator, place, timeout if wait else None, groups=group or ())
    tell(told, as_json)
    if wait and not told["drained"]:
        raise typer.Exit(1)


def write(
    word: str,
    account: str,
    reason: str,
    operator: str,
    place: tuple[str, str, str],
    patience_s: float | None = None,
    scope: str = "",
    key: Path | None = None,
    answer_s: float = 0.0,
    groups: Sequence[str] = (),
) -> dict[str, Any]:
    """Put a command into the log; what of it is told. `place`: prefix, bootstrap, registry. With `patience_s`, whether
    all before it was settled in that time, by the gateways of all `groups`; with `answer_s`, what the account answered
    in that time. Signed by the key in the file `key`, else by the operator's in its usual place. Raises
    AccountLogError, OperatorKeyError."""
    from jobs.account_log import AccountLogError
    from jobs.operator_key import user

    operator = operator or user()
    with account_log(place) as log:
        written = log.write(
            account,
            word,
            operator=operator,
            reason=reason,
            time_ns=time.time_ns(),
            scope=scope,
            key=signing_key(word, operator, key),
        )
        seen = log.accounts(account)
        if seen[account] < 2 and len(seen) > 1:
            others = ", ".join(sorted(seen.keys() - {account}))
            raise AccountLogError(
                f"{word} written, but the log has nothing else of account {account!r}: it has {others}"
            )
        drained = None if patience_s is None else log.await_drained(written, patience_s, groups)
        told = asdict(written) | {"drained": drained}
        if answer_s > 0:
            told["answers"] = [asdict(each) for each in log.await_answer(written, answer_s)]
    return told


def signing_key(word: str, operator: str, given: Path | None) -> "Ed25519PrivateKey | None":
    """What a command is signed with. One that cannot be read stops every command but a kill, which needs none."""
    from infra.settings import load_settings
    from jobs.operator_key import OperatorKeyError, found

    if word == "drain":
        return None
    try:
        return found(load_settings().home, operator, given)
    except OperatorKeyError as error:
        if word != "kill":
            raise
        print(f"helios: not signed: {error}", file=sys.stderr)
        return None


@contextmanager
def account_log(place: tuple[str, str, str]) -> "Iterator[AccountLog]":
    """The log at a place (prefix, bootstrap, registry; the settings' where empty); what the registry refuses is an
    AccountLogError."""
    from infra.settings import load_settings
    from jobs.account_log import AccountLog, AccountLogError
    from pipelines.contracts.registry import RegistryError

    settings = load_settings()
    prefix, bootstrap, registry = place
    try:
        yield AccountLog(bootstrap or settings.kafka.bootstrap, registry or settings.registry.url, prefix)
    except RegistryError as error:
        raise AccountLogError(str(error)) from error


def tell(told: dict[str, Any], as_json: bool) -> None:
    """Print what `write` gave."""
    if as_json:
        print(json.dumps(told))
        return
    print(
        f"{told['command']} of account {told['account']} is in {told['topic']},"
        f" partition {told['partition']} offset {told['offset']} ({told['event_id']})"
        f"{', signed' if told['signed'] else ', not signed'}"
    )
    for answer in told.get("answers", ()):
        print(f"  {answer_line(answer)}")
    if told["drained"] is not None:
        print("every order before it is settled" if told["drained"] else "not settled in time: helios status")


def answered(told: dict[str, Any], as_json: bool) -> None:
    """Print what `write` gave; exit status 1 where the account refused, or was asked and did not answer."""
    tell(told, as_json)
    answers = told.get("answers")
    if answers == []:
        print(
            f"helios: the account has not answered: whether the trading job runs, helios jobs says;"
            f" helios account show says whether {told['command']} was obeyed",
            file=sys.stderr,
        )
    if answers is not None and not any(answer["action"] == "notice" for answer in answers):
        raise typer.Exit(1)


def answer_line(answer: dict[str, Any]) -> str:
    """One decision of an account, as its operator reads it."""
    if answer["action"] == "cancel":
        what = f"{answer['side']} {answer['quantity']} {answer['instrument']} at {answer['venue']}"
        return f"cancel of {answer['target']}: {what}, {answer['pair']}"
    return f"refused: {answer['reason']}" if answer["action"] == "refused" else str(answer["reason"])
