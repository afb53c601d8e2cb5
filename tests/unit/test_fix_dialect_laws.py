"""Whatever a venue says of an order, nothing stops, and what is written can be an order's."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.trading import Report
from pipelines.execution.core import Gateway
from pipelines.execution.fix.dialect import Dialect
from pipelines.execution.fix.fields import read_fields
from pipelines.execution.plan import LinkUp, Look, Ordered
from tests.unit.gateway_world import STRATEGY, order

ODD = st.sampled_from(["", "-1", "0", "1", "3", "1e9", "99999999999999999999", "0.5", "NaN", "inf", "x", "\x00", "é"])
OWN = {
    35: ["8", "9", "3", "j"],
    11: ["new-1", "new-2", "cancel-1", ""],
    41: ["new-1", "new-2", ""],
    17: ["x1", "x2", "b1", "0"],
    19: ["x1", "x2"],
    150: list("0123456789ABCDEFGHIL"),
    39: list("0123456789ABCDE"),
    103: ["5", "6", "99"],
    790: ["new-1/1", "new-1/x", "/", "new-2"],
    55: ["A", "Z"],
    54: ["1", "2", "5"],
    60: ["20260105-14:30:00.000000001", "20261301-99:00:00", "yesterday"],
    45: ["1", "2", "x"],
    372: ["D", "H"],
    379: ["new-1", "new-2"],
}
NUMBERS = (6, 14, 31, 32, 38, 151)
MESSAGE = st.fixed_dictionaries(
    {35: st.sampled_from(OWN[35])},
    optional={tag: st.sampled_from(values) | ODD for tag, values in OWN.items() if tag != 35}
    | {tag: st.sampled_from(["1", "2", "3", "100", "100.25"]) | ODD for tag in NUMBERS},
)


@given(messages=st.lists(MESSAGE, max_size=12))
def test_nothing_that_a_venue_says_stops_the_gateway_or_counts_what_cannot_be(messages: list[dict[int, str]]) -> None:
    dialect = Dialect("sim", "desk", STRATEGY.instruments)
    core = Gateway(frozenset({"sim"}))
    sent = {1: ("D", "new-1"), 2: ("H", "new-2")}
    core.step([LinkUp("sim", 1), Ordered(order(1)), Ordered(order(2))], 0.0)
    told: set[str] = set()
    for number, message in enumerate(messages):
        plan = core.step([*dialect.read(message, 1, sent).inputs, Look()], float(number))
        for event in plan.write:
            assert event.event_id not in told
            told.add(event.event_id)
            assert isinstance(event.body, Report)
            assert event.body.client_order_id in ("new-1", "new-2")
            assert event.body.last_quantity >= 0
            assert event.body.last_price >= 0
            assert event.body.instrument in ("A", "B")


@given(text=st.text(max_size=200))
def test_any_text_has_fields_or_none(text: str) -> None:
    assert all(isinstance(tag, int) for tag in read_fields(text))
