"""docs/regulation.md and the table of checks in docs/risk.md say what is so: tests, checks, settings, messages."""

import ast
import re
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.domain.checks import Check
from pipelines.domain.limits import BY_NAME
from pipelines.domain.trading import Report, Signal
from pipelines.domain.universe import Instrument, Strategy
from pipelines.domain.unwinding import Unwinding
from pipelines.execution.core import Gateway
from pipelines.execution.plan import Ordered
from tests.support.accounts import NAMES, amended, command, filled, marked, signal
from tests.support.clocked import EXIT, LONG, SHORT, Clocked, clocked, new

ROOT = Path(__file__).parents[2]
COLUMNS = 6
NOT_OF_ENTRIES = {
    Check.UNKNOWN_INSTRUMENT,
    Check.IMPLAUSIBLE_REPORT,
    Check.UNKNOWN_COMMAND,
    Check.OUT_OF_PLACE,
    Check.NOT_SIGNED,
    Check.BAD_LIMIT,
    Check.CLOSE_TRIES,
}


class Row(NamedTuple):
    clause: str
    asks: str
    part: str
    setting: str
    test: str
    says: str


def _rows(page: str, columns: int) -> list[list[str]]:
    lines = (ROOT / "docs" / page).read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines if line.startswith("| ")]
    return [row for row in cells if len(row) == columns]


ROWS = [Row(*row) for row in _rows("regulation.md", COLUMNS) if row[0] != "clause"]
OURS = [row for row in ROWS if not row.part.startswith(("not ours", "with execution"))]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_clause_has_its_row() -> None:
    asked = {"(b)", "(c)(1)(i)", "(c)(1)(ii)", "(c)(2)(i)", "(c)(2)(ii)", "(c)(2)(iii)", "(c)(2)(iv)", "(d)", "(e)"}
    asked |= {"12(1)", "12(2)", "12(3)", "15(1)(a)", "15(1)(b)", "15(1)(c)", "15(1)(d)"}
    asked |= {f"15({number})" for number in range(2, 7)} | {f"17({number})" for number in range(1, 6)}
    assert asked <= {row.clause for row in ROWS}


def test_what_is_ours_is_held_by_a_test() -> None:
    assert [row.clause for row in OURS if not row.test] == []


@pytest.mark.parametrize("test", sorted({name for row in ROWS for name in quoted(row.test)}))
def test_each_test_that_is_named_exists(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.clause} {row.asks[:40]}")
def test_each_check_that_is_named_is_one(row: Row) -> None:
    words = {"patience", "helios why", "orders", "reports", "trading.events", "trading.orders"}
    scopes = {"venue:", "strategy:", "pair:"}
    for name in quoted(row.part):
        assert name in {check.value for check in Check} | words | scopes


def test_each_setting_that_is_named_is_one() -> None:
    known = {
        "session",
        "unwind",
        *BY_NAME,
        *(each.name for each in fields(Unwinding)),
        *(each.name for each in fields(Strategy)),
    }
    assert {name for row in ROWS for name in quoted(row.setting)} <= known


def test_every_check_of_an_entry_is_in_the_table_of_checks() -> None:
    told = {name for row in _rows("risk.md", 3) for name in quoted(row[0])}
    assert {check.value for check in Check} - NOT_OF_ENTRIES <= told


def test_every_limit_is_in_the_table_of_checks_or_in_what_is_watched() -> None:
    page = (ROOT / "docs" / "risk.md").read_text()
    assert [name for name in BY_NAME if f"`{name}`" not in page and name not in page] == []


# What the trader writes.

TECH: dict[str, Any] = {"instruments": tuple(Instrument(n, "sim", n, 0.01, 1.0, sector="tech") for n in NAMES)}


def entering(of: dict[str, Any] | None = None, measure: tuple[float, float] | None = None, **limits: Any) -> Clocked:
    """A-B entered, or refused."""
    at = clocked(of=of, **limits)
    if measure:
        at.measure(*measure)
    at.sign("A-B", LONG)
    return at


def then_another(pair: str, of: dict[str, Any] | None = None, action: Any = LONG, **limits: Any) -> Clocked:
    at = entering(of, **limits)
    at.fill(at.outputs[:1])
    at.sign(pair, action)
    return at


def collared() -> Clocked:
    at = clocked(collar=0.02)
    for sequence, mid in enumerate((102.5, 97.5), 1):
        event = signal("A-B", LONG, sequence)
        assert isinstance(event.body, Signal)
        at.give(replace(event, body=replace(event.body, mid_a=mid)))
    return at


def twice_in_a_minute() -> Clocked:
    at = clocked(entries_per_minute=1).hold("A-B")
    at.fill(at.sign("A-B", EXIT))
    at.sign("A-B", LONG)
    return at


def too_often() -> Clocked:
    at = clocked(repeats=2)
    for _ in range(2):
        at.hold("A-B")
        at.fill(at.sign("A-B", EXIT))
    at.sign("A-B", LONG)
    return at


def canceled() -> Clocked:
    at = entering(messages_per_second=5)
    at.say("kill", "pair:A-B")
    at.sign("A-C", LONG)
    return at


def silent() -> Clocked:
    at = clocked()
    at.give(*at.marks((0, 1, 0, 0)))
    at.sign("A-B", LONG)
    return at


def killed(scope: str) -> Clocked:
    at = clocked()
    at.say("kill", scope)
    at.sign("A-B", LONG)
    return at


def flattening() -> Clocked:
    at = clocked().hold("A-B")
    at.say("flatten", "pair:A-B")
    return at


def limit_changed() -> Clocked:
    at = clocked()
    at.say("limit", "order_lots=9")
    return at


def unsigned() -> Clocked:
    at = clocked()
    at.state = type(at.state)(replace(at.config, refused=lambda event: f"{event.event_id} has no signature"))
    at.give(command("resume", "c1"))
    return at


def lost() -> Clocked:
    at = clocked(daily_loss=50.0).hold("A-B")
    for second in range(12):
        at.stage(1_000 * second)
        at.mids["A"] = 90.0
    at.fill(at.outputs)
    return at


def lost_while_held() -> Clocked:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.at(100, A=90.0)
    at.sign("A-C", LONG)
    return at


def lost_between_marks() -> Clocked:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.at(50, A=94.0)  # limits are watched every 100 ms
    at.sign("A-C", LONG)
    return at


def at_risk() -> Clocked:
    at = clocked(es=100.0)
    at.measure(1.0)
    at.hold("A-B")
    at.now_ms = 100
    at.measure(200.0)
    at.sign("D-B", LONG)
    return at


def rejecting() -> Clocked:
    at = clocked().hold("A-B")
    a, b = at.sign("A-B", EXIT)
    at.give(filled(a))
    outputs = at.reject([b])
    while new(outputs):
        outputs = at.reject(outputs)
    return at


def misreported() -> Clocked:
    at = clocked()
    a, b = at.sign("A-B", LONG)
    at.give(filled(a, "ea"), filled(b), amended(a, "x1", "ea", (0, 100.0)))
    return at


def held_to(most: int, pair: str) -> Clocked:
    at = clocked(most)
    if pair != "A-C" or most > 11:
        at.sign("A-B", LONG)
    at.sign(pair, LONG)
    return at


def unknown() -> Clocked:
    at = clocked()
    at.sign("X-Y", LONG)
    return at


SCENARIOS: list[Callable[[], Clocked]] = [
    lambda: entering(gross_notional=2_000.0),
    lambda: entering(credit=1_699.0),
    lambda: entering(gross_notional=1_699.0),
    lambda: then_another("A-C", gross_notional=3_000.0),
    lambda: entering(TECH, sector_notional=1_699.0),
    lambda: held_to(19, "A-C"),
    lambda: held_to(11, "A-C"),
    collared,
    lambda: _c_only(fat_finger=0.001),
    lambda: then_another("A-C", orders_per_second=3),
    lambda: then_pair(),
    lambda: entering(short_lots={"B": 6}),
    silent,
    lambda: entering(restricted=("B", "C")),
    unsigned,
    limit_changed,
    lambda: killed("venue:sim"),
    lambda: killed("strategy:test"),
    lambda: entering(order_notional=999.0),
    lambda: entering(order_lots=9),
    canceled,
    twice_in_a_minute,
    too_often,
    rejecting,
    lambda: entering(measure=(66.5, 0.0), es=100.0),
    lost_between_marks,
    unknown,
    lost,
    lost_while_held,
    at_risk,
    flattening,
    misreported,
]


def then_pair() -> Clocked:
    at = entering()
    at.sign("A-B", SHORT)
    return at


def _c_only(**limits: Any) -> Clocked:
    at = clocked(**limits)
    at.measure()
    at.sign("A-C", LONG)
    return at


def not_sent() -> str:
    """What the gateway says of an order that was decided before a kill and that it finds after."""
    at = entering()
    core = Gateway(frozenset({"sim"}), trader=at.config)
    kill = command("kill", "k", reason="prices look wrong")
    core.recover([kill])
    (event, *_) = core.step([Ordered(each) for each in at.outputs], 0.0).write
    assert isinstance(event.body, Report)
    return event.body.text


@cache
def said() -> frozenset[str]:
    """Reasons and checks of all that the scenarios gave; ids of orders are left out."""
    outputs = [each for scenario in SCENARIOS for each in scenario().outputs]
    texts = {text for each in outputs for text in (each.reason, *each.checks) if text} | {not_sent()}
    return frozenset(re.sub(r"order [0-9a-f]{20}", "order ID", text) for text in texts)


@pytest.mark.parametrize("message", sorted({text for row in ROWS for text in quoted(row.says)}))
def test_each_message_is_what_the_trader_writes(message: str) -> None:
    assert message in said()


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert [each.reason for each in marked().outputs] == []
