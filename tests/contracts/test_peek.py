"""Leading fields read without decoding, against records as they are written."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.peek import leading_texts, samples_place, spread_place
from pipelines.contracts.wire import Codec
from tests.support.session_log import order, samples, spread_event

LONGS = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.text(), st.text())
def test_the_id_and_action_of_an_order_are_its_first_texts(name: str, action: str) -> None:
    value = Codec("helios.trading.OrderRequest", 7).encode(order(1, client_order_id=name, action=action))
    assert leading_texts(value, 2) == (name.encode(), action.encode())


@given(LONGS, st.text())
def test_kind_sequence_and_pair_of_a_spread_event(sequence: int, pair: str) -> None:
    value = Codec("helios.market.SpreadEvent", 7).encode(spread_event(1) | {"sequence": sequence, "pair": pair})
    assert spread_place(value) == (b"crossing", sequence, pair.encode())


@given(LONGS)
def test_the_sequence_of_samples(sequence: int) -> None:
    value = Codec("helios.market.SpreadSamples", 7).encode(samples(1, "A-B") | {"sequence": sequence})
    assert samples_place(value) == sequence


@given(st.none() | st.binary(max_size=40))
def test_bytes_that_are_no_record_are_passed_over(value: bytes | None) -> None:
    assert len(leading_texts(value, 2)) in (0, 2)
    spread_place(value)
    samples_place(value)
