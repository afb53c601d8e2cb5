"""An operator's private key: a file that only its owner may read, made once, never written anywhere else."""

import getpass
import os
import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pipelines.contracts.signing import public_text


class OperatorKeyError(RuntimeError):
    """What is wrong with a key's file, and the way out."""


def user() -> str:
    """Who gives commands where nobody is named: the user's name, or number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def key_file(home: Path, operator: str) -> Path:
    """Where an operator's key lies if nothing else is said. `home`: the settings'."""
    return home / "keys" / f"{re.sub(r'[^A-Za-z0-9._@+-]', '_', operator)}.key"


def make(file: Path) -> Ed25519PrivateKey:
    """A new key in a new file (PKCS 8 in PEM, mode 0600). Raises OperatorKeyError where the file is there."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text)
    except FileExistsError:
        raise OperatorKeyError(
            f"{file} is there: a key is never overwritten; helios keys show {file} prints its line, or give --out"
        ) from None
    except OSError as error:
        raise OperatorKeyError(f"{file}: cannot be written: {error.strerror or error}") from error
    return key


def read(file: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises OperatorKeyError where it is none, or others may read it."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        text = file.read_bytes()
    except OSError as error:
        raise OperatorKeyError(
            f"{file}: cannot be read: {error.strerror or error}: helios keys new NAME --out {file} makes one"
        ) from error
    if mode & 0o077:
        raise OperatorKeyError(f"{file}: others may read it (mode {mode:04o}): chmod 600 {file}, or make a new key")
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: one that needs a passphrase
        raise OperatorKeyError(f"{file}: not a key of helios keys new: {str(error).splitlines()[0]}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OperatorKeyError(f"{file}: not an Ed25519 key: helios keys new NAME makes one")
    return key


def own(home: Path, operator: str) -> Ed25519PrivateKey:
    """An operator's key in its usual place, made where there is none."""
    file = key_file(home, operator)
    return read(file) if file.exists() else make(file)


def found(home: Path, operator: str, given: Path | None) -> Ed25519PrivateKey | None:
    """The key to sign with: of the file that is given, else of the usual place; None where nothing lies there."""
    file = given or key_file(home, operator)
    return read(file) if given or file.exists() else None


def strategy_line(operator: str, key: Ed25519PrivateKey) -> str:
    """What stands under `operators:` of a strategy file."""
    name = operator if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", operator) else f'"{operator}"'
    return f"{name}: {public_text(key.public_key())}"
