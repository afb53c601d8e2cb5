"""Names of what is another object, against a loop in plain Python."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.changed import changed

VALUES = [object() for _ in range(3)]
DICTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(VALUES))).map(dict)


@given(DICTS, DICTS)
def test_names_of_what_is_another_object_then_of_what_has_gone(then: dict[str, object], now: dict[str, object]) -> None:
    others = [name for name, value in now.items() if value is not then.get(name)]
    assert changed(then, now) == [*others, *(name for name in then if name not in now)]


@given(DICTS, DICTS)
def test_also_where_all_that_was_there_stays_in_its_place(then: dict[str, object], more: dict[str, object]) -> None:
    now = then | more
    assert changed(then, now) == [name for name, value in now.items() if value is not then.get(name)]
