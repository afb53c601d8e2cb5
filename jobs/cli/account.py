"""helios kill, resume, drain: an operator's word to an account, through its log."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def kill(
    account: Account,
    reason: Reason,
    operator: Operator = "",
    key: Key = None,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Stop an account: no order goes out after this, not even a closing one, until it is resumed.

    Orders that are out stay out, and their fills are booked.

    Example: helios kill --account desk --reason "prices look wrong"
    """
    tell(write("kill", account, reason, operator, (prefix, bootstrap, registry), key=key), as_json)


def resume(
    account: Account,
    reason: Reason,
    operator: Operator = "",
    key: Key = None,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Let a killed account trade again. What it holds open is closed by the next exit of its pair.

    Example: helios resume --account desk --reason "feed is back"
    """
    tell(write("resume", account, reason, operator, (prefix, bootstrap, registry), key=key), as_json)


def drain(
    account: Account,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option("--wait", help="Until every order before it has its last report.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait; then exit status 1.", min=0)] = 30.0,
    operator: Operator = "",
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Mark a point in an account's log, and learn when every order before it is settled. Trading goes on.

    Example: helios drain --account desk --wait --timeout 60
    """
    told = write("drain", account, reason, operator, (prefix, bootstrap, registry), timeout if wait else None)
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
) -> dict[str, object]:
    """Put a command into the log; what of it is told. `place`: prefix, bootstrap, registry. With `patience_s`, whether
    all before it was settled in that time. Signed by the key in the file `key`, else by the operator's in its usual
    place. Raises AccountLogError, OperatorKeyError."""
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
        drained = None if patience_s is None else log.await_drained(written, patience_s)
    return asdict(written) | {"drained": drained}


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


def tell(told: dict[str, object], as_json: bool) -> None:
    """Print what `write` gave."""
    if as_json:
        print(json.dumps(told))
        return
    print(
        f"{told['command']} of account {told['account']} is in {told['topic']},"
        f" partition {told['partition']} offset {told['offset']} ({told['event_id']})"
        f"{', signed' if told['signed'] else ', not signed'}"
    )
    if told["drained"] is not None:
        print("every order before it is settled" if told["drained"] else "not settled in time: helios status")
