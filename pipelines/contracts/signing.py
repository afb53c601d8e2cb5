"""Signed commands: who may say what to an account. Ed25519 (RFC 8032) over what a command says, and of which event."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, TradingEvent
from pipelines.domain.universe import Strategy

PUBLIC_KEY_BYTES = 32

UNSIGNED = frozenset({"kill", "drain", "drained", "gateway_started"})
"""Obeyed without a signature: to stop is the safe mistake, and the others change nothing; services have no keys."""

COMMAND = "command/"
"""What event ids of commands begin with."""

_WHAT = b"helios.trading.Command 1"
"""Begins what is signed: a signature of anything else is none of a command."""


def signed_bytes(event: TradingEvent, command: Command) -> bytes:
    """What a signature is of: each text with its length in four bytes before it, so that no two commands are alike."""
    told = (
        *(event.event_id, event.account, str(event.event_time_ns)),
        *(command.command, command.scope, command.operator, command.reason),
    )
    texts = [_WHAT, *(each.encode() for each in told)]
    return b"".join(len(each).to_bytes(4, "big") + each for each in texts)


def sign(key: Ed25519PrivateKey, event: TradingEvent) -> TradingEvent:
    """The event of a command with the signature of its operator's key."""
    command = event.body
    if not isinstance(command, Command):
        raise TypeError(f"event {event.event_id} is no command: only commands are signed")
    signature = base64.b64encode(key.sign(signed_bytes(event, command))).decode()
    return replace(event, body=replace(command, signature=signature))


@dataclass(frozen=True, slots=True)
class Operators:
    """Who may command an account: raw public keys by name. Empty: whoever can write to the log.

    With the id of a `session`, a command of another one, written once more into this log, is refused too.
    """

    keys: Mapping[str, bytes] = field(default_factory=dict)
    session: str = ""

    def refused(self, event: TradingEvent) -> str:
        """Why a command is not to be obeyed, in one line; empty where it is, and for what is no command."""
        command = event.body
        if not isinstance(command, Command) or not self.keys or command.command in UNSIGNED:
            return ""
        key = self.keys.get(command.operator)
        if key is None:
            return f"unknown operator {command.operator!r}: the strategy names {', '.join(sorted(self.keys))}"
        if not command.signature:
            return f"{command.command} by {command.operator} is not signed: the strategy names its operators"
        try:
            signature = base64.b64decode(command.signature, validate=True)
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed_bytes(event, command))
        except (InvalidSignature, ValueError):  # ValueError: not base64, or no key
            return f"the signature of {command.command} is not {command.operator}'s"
        if self.session and not event.event_id.startswith(command_id(command.command, self.session, "")):
            return f"{command.command} by {command.operator} was signed for another session"
        return ""


def trader_config(strategy: Strategy, session_id: str) -> TraderConfig:
    """An account that obeys the operators of its strategy file: what its log is stepped by, live and in a replay."""
    return TraderConfig.of(strategy, session_id, Operators(strategy.operators, session_id).refused)


def command_id(word: str, session: str, own: str) -> str:
    """The event id of a command, which its signature is of too: the word, the session it is meant for, a text of its
    own."""
    return f"{COMMAND}{word}/{session}/{own}"


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as the strategy file has it: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def public_bytes(text: str) -> bytes:
    """What `public_text` gave. Raises ValueError where it is none."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != PUBLIC_KEY_BYTES:
        raise ValueError(f"{text!r} is not a public key: give the line that helios keys show FILE prints")
    return key
