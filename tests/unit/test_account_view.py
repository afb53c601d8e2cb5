"""What is shown of an account: whether it trades, its limits, what it holds and has made; and `helios account`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.account_replay import replayed
from jobs.cli import account_shown
from jobs.cli.main import app
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.account_view import AccountView, Status, view
from pipelines.domain.trading import Action, OrderRequest, TradingEvent
from pipelines.domain.universe import Venue
from tests.support.accounts import (
    ACCOUNT,
    T0,
    Desk,
    command,
    config,
    entered,
    filled,
    held,
    intent,
    marked,
    marks,
    signal,
    strategy,
)

RUN = CliRunner()


def of(desk: Desk) -> AccountView:
    return view(desk.state)


def used(seen: AccountView) -> dict[str, tuple[float | None, float, str]]:
    return {each.limit: (each.value, each.most, each.of) for each in seen.limits}


def test_an_account_that_trades_is_active() -> None:
    seen = of(held())
    assert (seen.status, seen.why, seen.stops) == (Status.ACTIVE, "", ())
    assert seen.time_ns == T0
    (pair,) = seen.pairs
    assert (pair.pair, pair.stance, pair.lots, pair.wanted, dict(pair.strategies)) == (
        "A-B",
        "long",
        (10, -7),
        (10, -7),
        {"test": 1},
    )
    a, b = seen.positions
    assert (a.instrument, a.lots, a.average, a.mark, a.worth) == ("A", 10, 100.0, 100.0, pytest.approx(1000.0))
    assert (b.instrument, b.lots, b.worth) == ("B", -7, pytest.approx(-700.0))


def test_stops_are_told_with_their_scope_why_and_since_when() -> None:
    desk = held()
    desk.give(command("kill", "k", "pair:A-B"), command("flatten", "f"))
    seen = of(desk)
    assert (seen.status, seen.why, seen.since_ns) == (Status.REDUCING, "alice: because", T0)
    assert [(each.scope, each.how) for each in seen.stops] == [(ACCOUNT, "reduce"), ("pair:A-B", "kill")]
    desk.give(command("kill", "k2"))
    assert (of(desk).status, of(desk).why) == (Status.KILLED, "alice: because")
    assert [each.how for each in of(desk).stops] == ["kill", "reduce", "kill"]


def test_a_limit_that_broke_halts_and_is_told_with_its_value() -> None:
    desk = marked(config(gross_notional=2000.0))
    desk.give(*(filled(order) for order in entered(desk)))
    desk.give(command("limit", "l", "gross_notional=100"), marks(0, 2, T0 + 200_000_000))
    seen = of(desk)
    assert seen.status is Status.REDUCING
    assert seen.why == "gross_notional 1700.00, limit 100.00"
    assert used(seen)["gross_notional"] == (pytest.approx(1700.0), 100.0, "")


def test_limits_are_told_with_what_is_used_of_them_and_by_what() -> None:
    more = {"pair_notional": 5e3, "sector_notional": 9e3, "credit": 1e5, "es": 50.0, "drawdown": 10.0, "order_lots": 99}
    instruments = tuple(replace(each, sector="tech") for each in strategy().instruments)
    desk = marked(config(of={"instruments": instruments}, **more))
    desk.give(signal("A-B", Action.ENTER_LONG, 1))
    found = used(of(desk))
    assert found["position_lots"][1:] == (25.0, "")
    assert found["es"] == (None, 50.0, "")
    assert found["order_lots"] == (None, 99, "")
    assert found["credit"] == (0.0, 1e5, "")
    desk = marked(config(of={"instruments": instruments}, **more | {"es": None, "drawdown": None}))
    desk.give(*(filled(order) for order in entered(desk)))
    found = used(of(desk))
    assert found["position_lots"] == (10.0, 25, "A")
    assert found["pair_notional"] == (pytest.approx(1700.0), 5e3, "A-B")
    assert found["sector_notional"] == (pytest.approx(1700.0), 9e3, "tech")
    assert found["credit"] == (pytest.approx(1700.0), 1e5, "")


def test_open_orders_are_told() -> None:
    desk = marked()
    entered(desk)
    desk.give(command("kill", "k"))
    a, b = of(desk).orders
    assert (a.pair, a.strategy, a.instrument, a.side, a.quantity, a.filled) == ("A-B", "test", "A", "buy", 10, 0)
    assert (b.instrument, b.side, b.canceling, b.unknown) == ("B", "sell", True, False)


def test_profits_of_pairs_strategies_and_venues_add_up_to_the_account() -> None:
    desk = marked(config(of={"venues": (Venue("sim", "binance", fee_per_lot=0.1),)}))
    desk.give(*(filled(order) for order in entered(desk)))
    desk.give(marks(0, 2, mid=101.0), marks(1, 2, mid=101.0))
    profits = of(desk).profits
    assert [(each.of, each.name) for each in profits] == [
        ("pair", "A-B"),
        ("strategy", "test"),
        ("venue", "sim"),
        ("account", ACCOUNT),
    ]
    for each in profits:
        assert (each.realised, each.unrealised, each.costs) == (0.0, pytest.approx(3.0), pytest.approx(1.7))
        assert each.total == pytest.approx(1.3)


def test_costs_of_a_pair_over_two_venues_are_not_told_apart() -> None:
    instruments = tuple(replace(each, venue="two" if each.id == "B" else "sim") for each in strategy().instruments)
    venues = (Venue("sim", "binance", fee_per_lot=0.1), Venue("two", "binance"))
    desk = marked(config(of={"venues": venues, "instruments": instruments}))
    desk.give(*(filled(order) for order in entered(desk)))
    profits = {(each.of, each.name): each for each in of(desk).profits}
    assert profits["venue", "sim"].costs is None
    assert profits["venue", "sim"].total is None
    assert profits["account", ACCOUNT].costs == pytest.approx(1.0)


def test_a_replay_says_when_the_account_was_killed_and_passes_over_what_contradicts_itself() -> None:
    kill = replace(command("kill", "k"), event_time_ns=T0 + 7)
    bad = marks(0, 2)
    bad = replace(bad, body=replace(bad.body, bid=()))
    found = replayed(strategy(), "session-1", [marks(0, 1), bad, kill])
    assert (found.events, found.killed_ns, found.state.killed) == (3, T0, "alice: because")
    assert replayed(strategy(), "session-1", [kill]).killed_ns == T0 + 7  # no marks yet
    again = replayed(strategy(), "session-1", [kill, command("resume", "r")])
    assert (again.killed_ns, again.state.killed) == (0, "")


@dataclass
class KeptLog:
    """The log of a session, read from memory."""

    kept: list[TradingEvent] = field(default_factory=list)
    session: str = "session-1"

    def events(self, account: str, progress: Callable[[int, int], None] | None = None) -> Iterator[TradingEvent]:
        return (event for event in self.kept if event.account == account)

    def booked(self, account: str) -> dict[str, list[OrderRequest]]:
        return {}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> KeptLog:
    desk = marked(config(of={"venues": (Venue("sim", "binance", fee_per_lot=0.1),)}))
    orders = entered(desk)
    desk.give(*(intent(order) for order in orders), *(filled(order) for order in orders))
    desk.give(marks(0, 2, mid=101.0), marks(1, 2, mid=101.0), command("kill", "k", "pair:A-B"))
    kept = KeptLog(desk.events)

    @contextmanager
    def there(place: tuple[str, str, str]) -> Iterator[KeptLog]:
        yield kept

    monkeypatch.setattr(account_shown, "account_log", there)
    return kept


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "strategy.yaml"
    found.write_text(dump_strategy(strategy(of={"venues": (Venue("sim", "binance", fee_per_lot=0.1),)})))
    return found


def said(*words: str) -> str:
    result = RUN.invoke(app, ["account", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_shows_what_the_log_says(log: KeptLog, file: Path) -> None:
    told: dict[str, Any] = json.loads(said("show", "--strategy", str(file), "--json"))
    assert (told["session"], told["status"], told["events"]) == ("session-1", "ACTIVE", len(log.kept))
    assert [each["scope"] for each in told["stops"]] == ["pair:A-B"]
    assert [each["lots"] for each in told["positions"]] == [10, -7]
    assert told["profits"][-1]["total"] == pytest.approx(1.3)
    text = said("show", "--strategy", str(file))
    assert "account desk: ACTIVE" in text
    assert "pair:A-B  kill" in text


@pytest.mark.parametrize("method", ["average", "fifo"])
@pytest.mark.parametrize(("by", "names"), [("pair", ["A-B"]), ("venue", ["sim"]), ("instrument", ["A", "B"])])
def test_the_command_tells_profit_by_fills(log: KeptLog, file: Path, method: str, by: str, names: list[str]) -> None:
    told = json.loads(said("pnl", "--strategy", str(file), "--method", method, "--by", by, "--json"))
    assert [each["name"] for each in told["parts"]] == names
    assert told["account"]["total"] == pytest.approx(1.3)
    assert told["account"]["fees"] == pytest.approx(1.7)
    assert sum(each["total"] for each in told["parts"]) == pytest.approx(1.3)
    assert "1.30" in said("pnl", "--strategy", str(file), "--method", method, "--by", by)


def test_a_method_that_is_none_says_which_there_are(log: KeptLog, file: Path) -> None:
    result = RUN.invoke(app, ["account", "pnl", "--strategy", str(file), "--method", "lifo"])
    assert result.exit_code == 2
    assert "average, fifo" in " ".join(result.output.split())
