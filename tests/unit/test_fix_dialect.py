"""Orders as FIX messages, and messages as what the gateway hears: lots and units, states, and what cannot be."""

from dataclasses import replace

import pytest

from pipelines.domain.trading import Decision, OrderRequest, OrderStatus, Report, Side
from pipelines.domain.universe import Instrument
from pipelines.execution.fix.dialect import Dialect, Heard, NotTaken
from pipelines.execution.fix.symbols import decimal_text
from pipelines.execution.fix_time import write_time
from pipelines.execution.plan import Ask, Cancel, Doubted, NotKnown, Refused, Send, Stated, Told
from tests.unit.gateway_world import order

COIN = Instrument("BTC", "xcoin", "BTCUSD", 0.01, 0.001)
STOCK = Instrument("AIG", "xcoin", "AIG", 0.01, 100.0)
DIALECT = Dialect("xcoin", "desk", (COIN, STOCK, Instrument("Z", "other", "Z", 0.01, 1.0)), "D-17")
BUY = replace(order(1), venue="xcoin", instrument="BTC", quantity=12, event_time_ns=1_381_152_600_123_456_789)


def report(**fields: str) -> dict[int, str]:
    """An ExecutionReport of a fill of 5 of 12 lots, with other values: `t39="2"`; `t39=""` leaves it out."""
    usual = {
        35: "8", 34: "7", 52: "20131007-13:30:00.5", 37: "o1", 11: "new-1", 17: "x1", 150: "F", 39: "1", 55: "BTCUSD",
        54: "1", 38: "0.012", 32: "0.005", 31: "100.25", 14: "0.005", 151: "0.007", 6: "100.25",
        60: "20131007-13:30:00.123456789",
    }  # fmt: skip
    given = {int(name[1:]): value for name, value in fields.items()}
    return {tag: value for tag, value in (usual | given).items() if value}


def heard(fields: dict[int, str], sent: dict[int, tuple[str, str]] | None = None) -> Heard:
    return DIALECT.read(fields, 3, sent or {})


def told(**fields: str) -> Report:
    ((each),) = heard(report(**fields)).inputs
    assert isinstance(each, Told)
    assert isinstance(each.event.body, Report)
    return each.event.body


def doubt(**fields: str) -> str:
    ((each),) = heard(report(**fields)).inputs
    assert isinstance(each, Doubted)
    assert each.client_order_id == "new-1"
    return each.text


def test_an_order_is_put_in_units_and_event_time() -> None:
    message = DIALECT.message(Send(1, BUY))
    assert (message.kind, message.about) == ("D", "new-1")
    assert message.fields == (
        (11, "new-1"), (1, "D-17"), (21, "1"), (55, "BTCUSD"), (54, "1"), (60, "20131007-13:30:00.123456789"),
        (38, "0.012"), (40, "1"),
    )  # fmt: skip
    assert DIALECT.message(Send(1, BUY, again=True)).fields[0] == (97, "Y")


def test_a_limit_order_has_its_price_and_stands_for_the_day() -> None:
    message = DIALECT.message(Send(1, replace(BUY, order_type="limit", limit_price=100.1)))
    assert message.fields[-3:] == ((40, "2"), (44, "100.1"), (59, "0"))


def test_an_immediate_order_has_its_price_and_is_canceled_where_it_does_not_fill() -> None:
    message = DIALECT.message(Send(1, replace(BUY, order_type="immediate", limit_price=100.1)))
    assert message.fields[-3:] == ((40, "2"), (44, "100.1"), (59, "3"))


def test_a_cancel_names_its_order_and_goes_by_an_id_of_its_own() -> None:
    request = replace(order(2, Decision.CANCEL), event_time_ns=1_381_152_600_000_000_000)
    message = DIALECT.message(Cancel(1, BUY, request))
    assert (message.kind, message.about) == ("F", "new-1")
    assert message.fields[:2] == ((41, "new-1"), (11, "cancel-2"))


def test_an_order_is_asked_about_by_its_id() -> None:
    assert DIALECT.message(Ask(1, BUY, 4)).fields == ((11, "new-1"), (55, "BTCUSD"), (54, "1"), (790, "new-1/4"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (replace(BUY, instrument="Z"), "instrument 'Z' does not trade on xcoin"),
        (
            replace(BUY, order_type="iceberg"),
            "order type 'iceberg': market, limit and immediate orders are sent by FIX",
        ),
    ],
)
def test_an_order_that_cannot_be_put_is_refused_in_words(wrong: OrderRequest, why: str) -> None:
    with pytest.raises(NotTaken, match=why):
        DIALECT.message(Send(1, wrong))


def test_a_fill_is_in_lots_and_bears_its_time() -> None:
    ((each),) = heard(report()).inputs
    assert isinstance(each, Told)
    assert (each.event.event_id, each.event.event_time_ns) == ("report/xcoin/x1", 1_381_152_600_123_456_789)
    assert each.event.body == Report(
        "xcoin", "x1", "new-1", OrderStatus.PARTIALLY_FILLED, "BTC", Side.BUY, 5, 100.25, 5, 7, ""
    )


@pytest.mark.parametrize(
    ("kind", "status", "becomes"),
    [
        ("0", "0", OrderStatus.NEW),
        ("4", "4", OrderStatus.CANCELED),
        ("C", "C", OrderStatus.CANCELED),
        ("3", "3", OrderStatus.CANCELED),
        ("8", "8", OrderStatus.REJECTED),
    ],
)
def test_states_without_a_fill(kind: str, status: str, becomes: OrderStatus) -> None:
    found = told(t150=kind, t39=status, t32="", t31="", t14="0", t151="0", t58="")
    assert (found.status, found.last_quantity) == (becomes, 0)


def test_a_fill_of_an_order_whose_cancel_is_pending_is_a_fill() -> None:
    assert told(t39="6").status is OrderStatus.PARTIALLY_FILLED
    assert told(t39="6", t14="0.012", t151="0").status is OrderStatus.FILLED


def test_a_cancel_that_is_done_is_of_the_order_that_it_names() -> None:
    found = told(t150="4", t39="4", t11="cancel-2", t41="new-1", t32="", t31="")
    assert (found.client_order_id, found.status) == ("new-1", OrderStatus.CANCELED)


def test_a_bust_and_a_correction_name_their_fill() -> None:
    bust = told(t150="H", t17="b1", t19="x1", t39="0", t14="0", t151="0.012")
    assert (bust.amends, bust.last_quantity, bust.cumulative_quantity) == ("x1", 0, 0)
    corrected = told(t150="G", t17="c1", t19="x1", t31="100.3")
    assert (corrected.amends, corrected.last_quantity, corrected.last_price) == ("x1", 5, 100.3)


def test_what_is_only_pending_says_nothing() -> None:
    for kind in "A6E":
        assert heard(report(t150=kind, t39=kind)) == Heard()


def test_a_status_answer_states_the_sum() -> None:
    ((each),) = heard(report(t150="I", t17="0", t32="", t31="", t790="new-1")).inputs
    assert each == Stated("xcoin", "new-1", OrderStatus.PARTIALLY_FILLED, 5, 100.25, 1_381_152_600_123_456_789)


def test_an_order_that_the_venue_does_not_know_is_told_so() -> None:
    ((each),) = heard(report(t150="I", t39="8", t103="5", t790="new-1/4")).inputs
    assert each == NotKnown("xcoin", 3, "new-1", 4)
    ((each),) = heard(report(t150="I", t39="8", t103="5")).inputs
    assert each == NotKnown("xcoin", 3, "new-1", 0)


def test_a_second_order_of_an_id_is_asked_about_and_not_taken_as_rejected() -> None:
    assert doubt(t150="8", t39="8", t103="6") == "new-1 is refused as a second order of its id"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"t32": "-0.005"}, "LastQty -0.005"),
        ({"t32": "0.0005"}, "LastQty 0.0005 is no whole number of lots of 0.001"),
        ({"t32": "0"}, "a fill of 0 at 100.25"),
        ({"t31": "-1"}, "a fill of 0.005 at -1"),
        ({"t31": ""}, "a fill of 0.005 at None"),
        ({"t32": "99"}, "not taken"),
        ({"t55": "DOGE"}, "Symbol 'DOGE' is not traded here"),
        ({"t54": "9"}, "Side '9' is not known"),
        ({"t39": "Z"}, "OrdStatus (39) 'Z' is not known"),
        ({"t17": ""}, "ExecID (17) is missing"),
        ({"t14": "x"}, "CumQty (14)"),
    ],
)
def test_a_report_that_cannot_be_is_told_and_the_order_asked_about(wrong: dict[str, str], why: str) -> None:
    text = doubt(**wrong)
    assert text.startswith("message 7 (8) about new-1 is not taken: ")
    assert why in text


def test_a_price_off_the_tick_is_taken_and_noted() -> None:
    found = heard(report(t31="100.255"))
    assert found.notes == ("fill x1 of new-1 at 100.255 is off the tick of 0.01",)
    assert isinstance(found.inputs[0], Told)


def test_a_refused_cancel_asks_about_its_order() -> None:
    fields = {35: "9", 11: "cancel-2", 41: "new-1", 39: "1", 434: "1", 102: "0", 58: "too late"}
    assert heard(fields).inputs == (Doubted("xcoin", "new-1", "cancel of new-1 is refused: too late"),)


def test_a_refused_message_is_known_by_its_number() -> None:
    sent = {12: ("D", "new-1"), 13: ("H", "new-1")}
    assert heard({35: "3", 45: "12", 58: "tag 38"}, sent).inputs == (Refused("xcoin", "new-1", "tag 38"),)
    assert heard({35: "3", 45: "13", 58: "tag 38"}, sent).notes == ("xcoin refuses H about new-1: tag 38",)
    assert heard({35: "3", 45: "99", 58: "tag 38"}, sent).notes == ("xcoin refuses message 99: tag 38",)
    business = {35: "j", 45: "99", 372: "D", 379: "new-4", 58: "closed"}
    assert heard(business, sent).inputs == (Refused("xcoin", "new-4", "closed"),)


def test_numbers_and_times_are_written_plainly() -> None:
    assert [decimal_text(value) for value in (1e-07, 100.0, 0.1 + 0.2, 1e15)] == [
        "0.0000001",
        "100",
        "0.30000000000000004",
        "1000000000000000",
    ]
    assert write_time(1_381_152_600_000_000_001) == "20131007-13:30:00.000000001"
