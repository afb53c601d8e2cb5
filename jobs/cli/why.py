"""helios why: what made an order, from the venue's frames to its fills."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.account import AsJson, Bootstrap, Prefix, Registry

if TYPE_CHECKING:
    from jobs.why.chain import Chain


def why(
    order_id: Annotated[str, typer.Argument(help="Its client_order_id, or the first 8 characters or more of it.")],
    session: Annotated[
        str, typer.Option(help="Of this session, or the one whose id begins so; the present one if left out.")
    ] = "",
    crossings: Annotated[int, typer.Option(min=1, help="Ticks and frames of so many of the last crossings.")] = 20,
    prefix: Prefix = "",
    bootstrap: Bootstrap = "",
    registry: Registry = "",
    as_json: AsJson = False,
) -> None:
    """Tell why an order was made, or refused: its checks, what caused it down to raw frames, and its fate.

    Of the present session from its logs; of one that is over from the history, as far as that keeps it.
    """
    from jobs.cli.answers import console
    from jobs.why.told import told
    from jobs.why.tree import tree

    found = _explained(order_id.strip().lower(), session, crossings, (prefix, bootstrap, registry))
    if as_json:
        print(json.dumps(told(found), indent=1))
    else:
        console().print(tree(found), highlight=False)


def _explained(wanted: str, session: str, at_most: int, place: tuple[str, str, str]) -> "Chain":
    """From the log where it is of the present session; else from the history. Raises WhyError."""
    from infra.settings import load_settings
    from infra.topics import TopicsError
    from jobs.why.chain import NotThere, WhyError
    from jobs.why.explain import explain
    from jobs.why.history import HistoryEvidence, session_of
    from jobs.why.log import LogEvidence
    from pipelines.contracts.registry import RegistryError
    from pipelines.history.order_questions import OrderQuestions
    from pipelines.history.timescale import HistoryError

    settings = load_settings()
    prefix, bootstrap, registry = place
    looked = []
    try:
        log = LogEvidence.open(bootstrap or settings.kafka.bootstrap, registry or settings.registry.url, prefix)
        with closing(log):
            if log.session.startswith(session):
                return explain(log, wanted, at_most)
    except (NotThere, TopicsError, RegistryError) as error:
        looked.append(str(error))
    try:
        with closing(OrderQuestions(settings.timescale.reader_dsn)) as questions:
            of = questions.session(session) if session else session_of(questions, wanted)
            return explain(HistoryEvidence(questions, of), wanted, at_most)
    except (NotThere, HistoryError) as error:
        looked.append(str(error))
    raise WhyError(
        "\n".join([*looked, "helios history fills --json has the ids of orders, helios history sessions the sessions"])
    )
