"""What of an account a command is about: all of it, or one pair, strategy or venue."""

from typing import Annotated

import typer

Pair = Annotated[str, typer.Option("--pair", help="Of this pair alone.")]
StrategyName = Annotated[str, typer.Option("--strategy", help="Of this strategy of the account alone.")]
Venue = Annotated[str, typer.Option("--venue", help="Of this venue's instruments alone.")]
All = Annotated[bool, typer.Option("--all", help="Of the whole account, as if nothing is said.")]


def scope(pair: str = "", strategy: str = "", venue: str = "", every: bool = False) -> str:
    """As commands name it (pipelines/domain/commands.py); empty: the account. BadParameter where several are given."""
    given = [f"{kind}:{name}" for kind, name in (("pair", pair), ("strategy", strategy), ("venue", venue)) if name]
    if every:
        given.append("all")
    if len(given) > 1:
        raise typer.BadParameter(f"{', '.join(given)}: give one of --pair, --strategy, --venue, --all")
    return given[0] if given else ""
