"""Breaches cut out of a session's decisions, and their page."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.history.breaches import breaches
from pipelines.pages.breach_page import breach_page

T0 = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def row(second: float, action: str, reason: str = "", cause: str = "marks/0/1", **more: Any) -> dict[str, Any]:
    plain = {"pair": "A-B", "instrument": "A", "side": "sell", "lots": 5, "status": "filled", "filled": 5}
    told = {"time": T0 + timedelta(seconds=second), "action": action, "reason": reason, "cause": cause}
    return plain | {"price": 1.0, "client_order_id": f"o{second}"} | told | more


ROWS = [
    row(0, "new", cause="signal/x"),
    row(1, "notice", "reducing: es 12.00, limit 10.00", "risk/1"),
    row(1, "cancel", cause="risk/1"),
    row(1.5, "new"),
    row(2, "refused", "reducing: account desk is being closed", "signal/y"),
    row(3, "new"),
    row(4, "notice", "active: es 8.00, limit 10.00"),
    row(5, "new", cause="signal/z"),
    row(9, "notice", "reducing: daily_loss 31.00, limit 30.00"),
    row(9, "new"),
]


def test_a_breach_goes_from_its_notice_to_the_end_of_it() -> None:
    first, second = breaches(ROWS)
    assert (first.why, first.how) == ("reducing: es 12.00, limit 10.00", "active: es 8.00, limit 10.00")
    assert (first.first_order_s, first.last_fill_s, first.seconds) == (0.5, 2.0, 3.0)
    assert (len(first.orders), len(first.cancels), first.refused) == (2, 1, 1)
    assert (second.ended, second.seconds, len(second.orders)) == (None, None, 1)


def test_a_notice_within_a_breach_begins_no_other() -> None:
    (only,) = breaches([ROWS[1], row(1.2, "notice", "reducing: daily_loss 31.00, limit 30.00"), ROWS[6]])
    assert only.seconds == 3.0


def test_the_page_tells_each_order_and_how_it_ended() -> None:
    risk = [{"time": T0 + timedelta(seconds=each), "gross": 100.0 - each, "es": 12.0 - each} for each in range(6)]
    page = breach_page("0123456789", breaches(ROWS), risk)
    assert page.count("<section>") == 2
    assert "reducing: es 12.00, limit 10.00" in page
    assert "active: es 8.00, limit 10.00 (3.0 s after)" in page
    assert "it goes on" in page
    for each in ("o1.5", "o3", "o9"):
        assert f"<td>{each}</td>" in page
    assert "<td>o5</td>" not in page


def test_a_session_without_a_breach_has_an_empty_page() -> None:
    assert breaches(ROWS[:1]) == []
    assert "<section>" not in breach_page("s", [], [])
