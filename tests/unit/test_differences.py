"""What became of a value: nothing of what stayed, and the same again of the old one, in the same order."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.differences import Entries, Fields, Whole

NUMBERS = Entries(str, Whole(float))
NESTED = Entries(str, NUMBERS)
KEYS = st.sampled_from("abcdefgh")
DICTS = st.lists(st.tuples(KEYS, st.floats(allow_nan=False))).map(dict)
NESTS = st.lists(st.tuples(KEYS, DICTS)).map(dict)
OLD, NEW = 1.25, 2.5


class Shelf(msgspec.Struct, frozen=True):
    label: str = ""
    books: dict[str, float] = {}


class Room(msgspec.Struct, frozen=True):
    owner: str
    shelves: dict[int, Shelf] = {}
    key: str = "left out"


def wired(part: Any, told: Any) -> Any:
    """As it is read again."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=part.wire)


def again(part: Any, then: Any, now: Any) -> bytes:
    return msgspec.msgpack.encode(part.applied(then, wired(part, part.between(then, now))))


@given(DICTS, DICTS)
def test_a_dict_is_made_again_in_its_order(then: dict[str, float], now: dict[str, float]) -> None:
    assert again(NUMBERS, then, now) == msgspec.msgpack.encode(now)


@given(NESTS, NESTS)
def test_dicts_of_dicts_too(then: dict[str, Any], now: dict[str, Any]) -> None:
    assert again(NESTED, then, now) == msgspec.msgpack.encode(now)


@given(NESTS, st.data())
def test_and_those_that_share_entries(then: dict[str, Any], data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(then)))
    now = {key: then[key] for key in order[: data.draw(st.integers(0, len(order)))]} | data.draw(NESTS)
    assert again(NESTED, then, now) == msgspec.msgpack.encode(now)


def test_an_entry_that_came_and_one_that_is_another_are_told() -> None:
    then = {"a": OLD, "b": OLD, "c": OLD}
    assert NUMBERS.between(then, then | {"b": NEW, "d": OLD}) == ([], {"b": NEW, "d": OLD})


def test_the_oldest_goes_and_the_others_are_not_told() -> None:
    assert NUMBERS.between({"a": OLD, "b": OLD, "c": OLD}, {"b": OLD, "c": OLD, "d": NEW}) == (["a"], {"d": NEW})


def test_an_entry_that_moves_to_the_end_is_told_by_what_is_new_of_it() -> None:
    then = {"a": {"x": OLD, "y": OLD}, "b": {"x": OLD}}
    now = {"b": then["b"], "a": then["a"] | {"y": NEW}}
    assert NESTED.between(then, now) == (["a"], {"a": ([], {"y": NEW})})


def test_a_struct_that_is_apart_is_told_by_its_fields_and_one_that_was_not_there_by_all_of_them() -> None:
    part = Fields(Room, apart={Shelf}, without={"key"})
    then = Room("ann", {1: Shelf("a", {"x": OLD, "y": OLD})})
    now = Room("ann", {1: Shelf("a", then.shelves[1].books | {"y": NEW}), 2: Shelf()}, "another")
    told = part.between(then, now)
    assert told == {
        "shelves": ([], {1: {"books": ([], {"y": NEW})}, 2: {"label": "", "books": ([], {})}}),
    }
    assert part.applied(then, wired(part, told)) == Room("ann", now.shelves)
