"""helios kill, resume, flatten, limits set: what is written, and what of the account's answer a user is told."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.account_log import Written
from jobs.cli import account as command
from jobs.cli.main import app
from pipelines.domain.trading import Command, OrderRequest, TradingEvent
from tests.support.accounts import ACCOUNT, Desk, entered, marked

RUN = CliRunner()


@dataclass
class DeskLog:
    """A log whose account answers at once: the trader itself."""

    desk: Desk
    answers: bool = True
    given: list[Command] = field(default_factory=list)

    def write(self, account: str, word: str, *, scope: str, **more: Any) -> Written:
        event_id = f"command/{word}/{len(self.given)}"
        body = Command(word, scope or account, more["operator"], more["reason"])
        self.given.append(body)
        self.made = self.desk.give(TradingEvent(event_id, account, more["time_ns"], body))
        return Written(event_id, account, word, "trading.events", 0, 7, more["key"] is not None)

    def accounts(self, account: str) -> Counter[str]:
        return Counter({account: 9})

    def await_answer(self, written: Written, patience_s: float) -> tuple[OrderRequest, ...]:
        return self.made if self.answers else ()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DeskLog:
    found = DeskLog(marked())

    @contextmanager
    def there(place: tuple[str, str, str]) -> Iterator[DeskLog]:
        yield found

    monkeypatch.setattr(command, "account_log", there)
    monkeypatch.setenv("HELIOS_HOME", str(tmp_path))
    return found


def said(*words: str, status: int = 0) -> str:
    result = RUN.invoke(app, [*words, "--account", ACCOUNT, "--reason", "odd", "--operator", "ann"])
    assert result.exit_code == status, result.output
    return result.output


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        ((), ACCOUNT),
        (("--all",), "all"),
        (("--pair", "A-B"), "pair:A-B"),
        (("--strategy", "test"), "strategy:test"),
        (("--venue", "sim"), "venue:sim"),
    ],
)
@pytest.mark.parametrize("word", ["kill", "flatten"])
def test_a_command_is_of_the_scope_that_is_named_and_says_what_the_account_answered(
    log: DeskLog, word: str, words: tuple[str, ...], scope: str
) -> None:
    stopped = ACCOUNT if scope == "all" else scope
    verb = {"kill": "killed", "flatten": "flattening"}[word]
    assert f"{verb}: {stopped} by ann: odd" in said(word, *words)
    assert log.given == [Command(word, scope, "ann", "odd")]
    assert f"resumed: {stopped} by ann: odd" in said("resume", *words) or word == "flatten"


def test_the_cancels_that_go_with_an_answer_are_told(log: DeskLog) -> None:
    a, b = entered(log.desk)
    told = said("kill", "--pair", "A-B")
    assert f"cancel of {a.client_order_id}: buy 10 A at sim, A-B" in told
    assert f"cancel of {b.client_order_id}: sell 7 B at sim, A-B" in told


def test_what_the_account_refuses_is_told_and_is_a_failure(log: DeskLog) -> None:
    assert "refused: out_of_place: resume: desk is not stopped" in said("resume", status=1)
    assert "refused: unknown_command: flatten: 'pair:X-Y' is no desk" in said("flatten", "--pair", "X-Y", status=1)


def test_a_limit_is_answered_too(log: DeskLog) -> None:
    assert "limit: es=5000 by ann: odd" in said("limits", "set", "es=5000")
    assert log.desk.state.limits.es == 5000.0


def test_no_answer_is_a_failure_unless_none_is_waited_for(log: DeskLog) -> None:
    log.answers = False
    assert "has not answered" in said("kill", status=1)
    assert "has not answered" not in said("kill", "--wait", "0")


def test_one_object_of_json_has_the_answers(log: DeskLog) -> None:
    told = json.loads(said("kill", "--pair", "A-B", "--json"))
    assert [(each["action"], each["reason"]) for each in told["answers"]] == [
        ("notice", "killed: pair:A-B by ann: odd")
    ]
    assert told["command"] == "kill"


def test_two_scopes_at_once_are_none(log: DeskLog) -> None:
    assert "give one of --pair" in said("kill", "--pair", "A-B", "--venue", "sim", status=2)
    assert not log.given
