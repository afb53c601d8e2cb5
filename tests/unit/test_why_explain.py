"""Why an order was made, put together from what a log tells."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from jobs.why.chain import Chain, NotThere, WhyError
from jobs.why.explain import explain
from jobs.why.told import fills, told
from jobs.why.tree import tree
from pipelines.domain.trading import Command, Decision, OrderStatus, RiskUpdate
from tests.support.evidence import ENTRY, FRAME, Memory, event, order, report, signal

A, B = "aaaa1111aaaa1111aaaa", "bbbb2222bbbb2222bbbb"
CLOSING = "report/sim/x-1"


def entered() -> Memory:
    checks = ("position_limit: 10, limit 100", "collar: 0.001, limit 0.02")
    orders = [order(A, checks=checks, strategy="pairs"), order(B, leg=1, instrument="PEP")]
    events = event(ENTRY, signal()) | event(CLOSING, report(A, "x-1")) | event(f"intent/{A}", orders[0])
    return Memory(orders, events)


def shown(chain: Chain) -> str:
    out = io.StringIO()
    Console(width=200, file=out).print(tree(chain), highlight=False)
    return out.getvalue()


def test_an_entry_is_followed_from_its_frames_to_its_fills() -> None:
    chain = explain(entered(), A[:8], 20)
    assert chain.order.client_order_id == A
    assert [each.client_order_id for each in chain.siblings] == [B]
    assert chain.signal is not None
    assert chain.signal.event_id == ENTRY
    assert [each.sequence for each in chain.crossings] == [10, 11, 12]
    assert [(each.crossing, each.role) for each in chain.ticks][:2] == [(10, "made"), (10, "a")]
    assert [frame.payload for frame in chain.frames] == [FRAME] * 3
    assert chain.intent is not None
    assert fills(chain.reports) == (10, 60.02)


def test_it_is_told_to_programs_under_the_keys_that_the_manual_names() -> None:
    found = json.loads(json.dumps(told(explain(entered(), A, 20))))
    wanted = ["order", "checks", "cause", "signal", "crossings", "ticks", "frames", "intent", "children", "reports"]
    assert [name for name in found if name in wanted] == wanted
    assert found["checks"][0] == "position_limit: 10, limit 100"
    assert found["frames"][0]["text"] == FRAME.decode()
    assert found["cause"]["kind"] == "signal"


def test_it_reads_as_a_tree() -> None:
    text = shown(explain(entered(), A, 20))
    for words in (
        "buy 10 KO at sim", "passed 2 checks", "collar: 0.001, limit 0.02", "caused by signal pair_reversion",
        "tick, first leg KO  60 x 60.02", 'raw.sim/0@7[2]  {"b":"60.00"}', "filled 10 of 10 at 60.02", "strategy pairs",
    ):  # fmt: skip
        assert words in text


def test_an_order_that_was_worked_tells_its_schedule_and_why_each_child_went_where_it_did() -> None:
    memory = entered()
    worked = replace(memory.orders[0], order_type="worked", reason="twap: 2 slices over 60 s")
    child = order(f"{A}.0", quantity=6, target=A, reason="takes 6 at N: 60.02 and 0.1 ticks of fees")
    memory.events |= event(f"intent/{A}", worked) | event(f"intent/{A}.0", child)
    chain = explain(memory, A, 20)
    assert [each["client_order_id"] for each in told(chain)["children"]] == [f"{A}.0"]
    text = shown(chain)
    assert "worked as twap: 2 slices over 60 s" in text
    assert f"child {A}.0  buy 6 KO at sim, market" in text
    assert "takes 6 at N: 60.02 and 0.1 ticks of fees" in text


def test_a_closing_order_is_followed_through_the_report_to_the_entry_and_its_signal() -> None:
    memory = entered()
    memory.orders.append(order("cccc3333cccc", cause=CLOSING))
    chain = explain(memory, "cccc3333", 20)
    assert [each.event_id for each in chain.causes] == [CLOSING, ENTRY]
    assert chain.causes[0].order == memory.orders[0]
    assert chain.signal is not None
    assert "none are told: an order that reduces risk passes none" in shown(chain)


@pytest.mark.parametrize(
    ("cause", "body"),
    [
        ("command/flatten/1", Command("flatten", "desk", "anna", "holidays", "c2ln")),
        ("risk/desk/7", RiskUpdate(1, 2.0, 3.0, (), ())),
        ("marks/0/9", None),
    ],
)
def test_an_unwinding_order_says_which_limit_broke(cause: str, body: Command | RiskUpdate | None) -> None:
    said = order("dddd4444dddd", cause="marks/0/8", action=Decision.NOTICE, reason="halting: es 9, limit 8")
    then = replace(
        said, client_order_id="eeee", cause=cause, reason="reducing: gross_notional 12000.00, limit 10000.00"
    )
    memory = Memory([said, then, order("ffff5555ffff", cause=cause)], event(cause, body) if body else {})
    chain = explain(memory, "ffff5555", 20)
    assert [each.reason for each in chain.notices] == ["reducing: gross_notional 12000.00, limit 10000.00"]
    assert chain.crossings == ()
    assert "the account said" in shown(chain)
    if isinstance(body, Command):
        assert "command flatten desk by anna (signed): holidays" in shown(chain)


def test_an_order_after_the_account_changed_its_state_names_the_last_change() -> None:
    said = [
        order(f"notice-{n}", cause=f"marks/0/{n}", action=Decision.NOTICE, reason=reason)
        for n, reason in enumerate(("reducing: es 9, limit 8", "reducing: net 7, limit 5"))
    ]
    chain = explain(Memory([*said, order("ffff5555ffff", cause="marks/0/9")]), "ffff5555", 20)
    assert [each.reason for each in chain.notices] == ["reducing: net 7, limit 5"]


def test_a_refused_order_says_why() -> None:
    memory = Memory([order(A, action=Decision.REFUSED, reason="position_limit: 110, limit 100")], entered().events)
    text = shown(explain(memory, A, 20))
    assert "refused  position_limit: 110, limit 100" in text
    assert "no word of the venue" not in text


def test_an_order_that_was_sent_comes_before_the_notice_and_the_cancel_of_its_id() -> None:
    memory = entered()
    memory.orders[:0] = [order(A, action=Decision.NOTICE, reason="normal"), order(A, action=Decision.CANCEL)]
    assert explain(memory, A, 20).order.action == Decision.NEW


def test_cancels_of_an_order_are_told() -> None:
    memory = entered()
    memory.orders.append(order("cccc3333cccc", cause="command/flatten/1", action=Decision.CANCEL, target=A))
    assert [each.client_order_id for each in explain(memory, A, 20).cancels] == ["cccc3333cccc"]


def test_a_fill_that_was_taken_back_is_not_filled() -> None:
    memory = entered()
    taken_back = report(
        A, "x-2", 0, amends="x-1", amended_quantity=10, amended_price=60.02, status=OrderStatus.CANCELED
    )
    memory.events |= event("report/sim/x-2", taken_back)
    chain = explain(memory, A, 20)
    assert fills(chain.reports) == (0, None)
    assert "amends x-1 (10 at 60.02)" in shown(chain)


def test_ticks_of_the_last_crossings_alone_are_looked_up() -> None:
    chain = explain(entered(), A, 1)
    assert {each.crossing for each in chain.ticks} == {12}
    assert chain.missing == ("ticks: of the last 1 of 3 crossings; --crossings asks for more",)


def test_what_is_gone_is_said_once() -> None:
    memory = entered()
    memory.ticks_there = False
    chain = explain(memory, A, 20)
    assert chain.missing == ("ticks: gone",)
    assert "not known" in shown(chain)


def test_reports_that_cause_each_other_are_not_followed_for_ever() -> None:
    memory = Memory([order(A, cause=CLOSING)], event(CLOSING, report(A, "x-1")))
    assert len(explain(memory, A, 20).causes) == 1


@pytest.mark.parametrize(
    ("wanted", "error", "says"),
    [
        ("aaaa", WhyError, "'aaaa' is too short to look for: give 8 characters or more"),
        ("cccc3333", NotThere, "no order with an id that begins with 'cccc3333' in session session-1"),
        (
            "aaaa1111",
            WhyError,
            "2 orders have ids that begin with 'aaaa1111': aaaa1111aaaa1111aaaa, aaaa1111x: give more",
        ),
    ],
)
def test_an_id_that_names_no_order_says_what_to_do(wanted: str, error: type[WhyError], says: str) -> None:
    memory = entered()
    memory.orders.append(order("aaaa1111x"))
    with pytest.raises(error) as raised:
        explain(memory, wanted, 20)
    assert says in str(raised.value)
