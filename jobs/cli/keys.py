"""helios keys: an operator's key, with which commands to an account are signed."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Keys of operators: whose commands an account obeys.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(epilog="Example: helios keys new anna --out anna.key")
def new(
    name: Annotated[str, typer.Argument(help="The operator, as commands and the strategy file name them.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to; .local/keys/NAME.key if left out.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and print the line by which a strategy file names its operator.

    The file is the operator's alone (mode 0600): whoever has it commands in that name. It is never overwritten.
    """
    from infra.settings import load_settings
    from jobs.operator_key import OperatorKeyError, key_file, make

    if not name.strip():
        raise OperatorKeyError("an operator needs a name: helios keys new anna")
    file = out or key_file(load_settings().home, name)
    _tell(name, file, make(file), as_json)


@app.command(epilog="Example: helios keys show .local/keys/anna.key")
def show(
    file: Annotated[Path, typer.Argument(help="A key's file.", dir_okay=False, show_default=False)],
    name: Annotated[str, typer.Option(help="The operator; the file's name if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the line by which a strategy file names the operator of a key."""
    from jobs.operator_key import read

    _tell(name or file.stem, file, read(file), as_json)


def _tell(name: str, file: Path, key: object, as_json: bool) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from jobs.operator_key import strategy_line
    from pipelines.contracts.signing import public_text

    assert isinstance(key, Ed25519PrivateKey)
    if as_json:
        print(json.dumps({"operator": name, "file": str(file), "public_key": public_text(key.public_key())}))
    else:
        print(f"the key of {name} is {file}; under `operators:` of the strategy file:\n  {strategy_line(name, key)}")
