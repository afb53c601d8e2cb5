"""Signed commands: what a signature is of, and whose commands are obeyed."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.signing import Operators, command_id, sign, signed_bytes
from pipelines.contracts.trading import EVENT, EventCodec
from pipelines.domain.trading import Command, Marks, TradingEvent

ANNA, BEN = Ed25519PrivateKey.from_private_bytes(b"a" * 32), Ed25519PrivateKey.from_private_bytes(b"b" * 32)
OPERATORS = Operators({name: key.public_key().public_bytes_raw() for name, key in (("anna", ANNA), ("ben", BEN))})


def told(command: str = "resume", scope: str = "desk", operator: str = "anna", reason: str = "fine") -> TradingEvent:
    said = Command(command, scope, operator, reason)
    return TradingEvent("command/resume/1", "desk", 1_700_000_000_000_000_000, said)


def test_a_command_signed_by_its_operator_is_obeyed() -> None:
    assert OPERATORS.refused(sign(ANNA, told())) == ""


def test_a_signature_survives_the_wire() -> None:
    codec = EventCodec(7)
    signed = sign(ANNA, told(reason="prices look wrong: 12 % off"))
    assert codec.decode(codec.encode(signed)) == signed
    assert OPERATORS.refused(codec.decode(codec.encode(signed))) == "", EVENT


def test_what_is_not_signed_is_refused() -> None:
    assert OPERATORS.refused(told()) == "resume by anna is not signed: the strategy names its operators"


def test_another_operators_key_is_refused() -> None:
    assert OPERATORS.refused(sign(BEN, told())) == "the signature of resume is not anna's"


def test_an_unknown_operator_is_told_of_those_there_are() -> None:
    refused = OPERATORS.refused(sign(ANNA, told(operator="carl")))
    assert refused == "unknown operator 'carl': the strategy names anna, ben"


def test_a_kill_and_the_words_of_services_need_no_signature() -> None:
    for word in ("kill", "drain", "drained", "gateway_started"):
        assert OPERATORS.refused(told(word, operator="nobody")) == ""


def test_a_strategy_without_operators_obeys_anyone() -> None:
    assert Operators().refused(told(operator="anyone")) == ""


def test_what_is_no_command_is_not_checked() -> None:
    assert OPERATORS.refused(TradingEvent("marks/0/1", "desk", 1, Marks(0, 1, (), (), (), ()))) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": "command/resume/2"},
        {"account": "other"},
        {"event_time_ns": 1},
    ],
)
def test_a_signature_is_of_its_event_alone(change: dict[str, object]) -> None:
    assert "is not anna's" in OPERATORS.refused(replace(sign(ANNA, told()), **change))


@pytest.mark.parametrize("field", ["command", "scope", "reason"])
def test_a_signature_is_of_every_word(field: str) -> None:
    signed = sign(ANNA, told())
    assert isinstance(signed.body, Command)
    changed = replace(signed, body=replace(signed.body, **{field: "limit"}))
    assert "is not anna's" in OPERATORS.refused(changed)


@pytest.mark.parametrize("signature", ["AAAA", "not base64!", "é", "A" * 88])
def test_what_is_no_signature_is_refused_as_one(signature: str) -> None:
    event = told()
    assert isinstance(event.body, Command)
    assert "is not anna's" in OPERATORS.refused(replace(event, body=replace(event.body, signature=signature)))


def test_a_command_of_another_session_is_refused() -> None:
    operators = replace(OPERATORS, session="now")
    for session, refused in (("now", ""), ("then", "resume by anna was signed for another session")):
        event = replace(told(), event_id=command_id("resume", session, "7"))
        assert operators.refused(sign(ANNA, event)) == refused


WORDS = st.tuples(*[st.text(max_size=4)] * 6)


@given(WORDS, WORDS)
def test_no_two_commands_have_the_same_bytes(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    def made(words: tuple[str, ...]) -> bytes:
        command = Command(*words[2:])
        return signed_bytes(TradingEvent(words[0], words[1], 1, command), command)

    assert (made(first) == made(second)) == (first == second)


def test_only_commands_are_signed() -> None:
    with pytest.raises(TypeError, match="marks/0/1 is no command"):
        sign(ANNA, TradingEvent("marks/0/1", "desk", 1, Marks(0, 1, (), (), (), ())))
