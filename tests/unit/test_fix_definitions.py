"""That the acceptance definitions' runner sees what is wrong."""

from datetime import UTC, datetime

import pytest

from tests.support.fix_definitions import Act, difference, filled, steps

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HEARTBEAT = "8=FIX.4.2|9=51|35=0|34=2|49=ISLD|52=00000000-00:00:00.000|56=TW42|10=0|"
ANSWER = "8=FIX.4.2|9=54|35=0|34=2|49=ISLD|52=20260102-03:04:05.123456|56=TW42|10=123|"


def soh(text: str) -> str:
    return text.replace("|", "\x01")


def bar(text: str) -> str:
    return text.replace("\x01", "|")


def test_steps_have_their_connection_and_what_to_do() -> None:
    found = [(step.line, step.act, step.connection, step.text) for step in steps("# about\n\niCONNECT\nE2,8=FIX.4.2\n")]
    assert found == [(3, Act.DO, 1, "CONNECT"), (4, Act.EXPECT, 2, "8=FIX.4.2")]


def test_a_line_of_no_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2: 'x' is none of"):
        list(steps("iCONNECT\nx"))


def test_length_checksum_and_times_are_filled_in() -> None:
    assert bar(filled(soh("8=FIX.4.2|35=0|52=<TIME>|122=<TIME-10>|"), NOW)) == (
        "8=FIX.4.2|9=48|35=0|52=20260102-03:04:05|122=20260102-03:03:55|10=008|"
    )


def test_wrong_length_or_checksum_stays_where_it_is_given() -> None:
    assert bar(filled(soh("8=FIX.4.2|9=7|35=0|"), NOW)) == "8=FIX.4.2|9=7|35=0|10=163|"
    assert bar(filled(soh("8=FIX.4.2|35=0|10=256|"), NOW)) == "8=FIX.4.2|9=5|35=0|10=256|"


def test_message_that_does_not_begin_as_one_is_sent_as_it_is() -> None:
    assert filled(soh("35=0|8=FIX.4.2|"), NOW) == soh("35=0|8=FIX.4.2|")


def test_times_of_microseconds_are_as_expected() -> None:
    assert difference(soh(HEARTBEAT), soh(ANSWER)) == ""


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (("34=2", "34=3"), "field 34 is '3' instead of '2'"),
        (("9=54", "9=55"), "field 9 is '52' instead of '51'"),
        (
            ("9=54|35=0|34=2|49=ISLD|52=20260102-03:04:05.123456", "9=51|35=0|34=2|49=ISLD|52=20260102T03:04:05.123"),
            "field 52 is '20260102T03:04:05.123' instead of '00000000-00:00:00.000'",
        ),
        (("34=2|49=ISLD", "49=ISLD|34=2"), "other fields"),
        (("56=TW42|", "56=TW42|58=more|"), "other fields"),
        (("56=TW42|", ""), "other fields"),
    ],
)
def test_difference_is_told(instead: tuple[str, str], said: str) -> None:
    assert difference(soh(HEARTBEAT), soh(ANSWER.replace(*instead))) == said
