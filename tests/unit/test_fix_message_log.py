"""A session's log: no secret gets into it, and what is in it can be read again."""

import io
import re
from pathlib import Path

import pytest

from pipelines.execution.fix.message_log import SECRET_TAGS, MessageLog, masked
from pipelines.execution.fix_log import open_log, read_log
from tests.support.fix_text import message

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [<>] 8=FIX\.4\.4\|.*\|10=\d{3}\|")


def soh(text: str) -> str:
    return text.replace("|", "\x01")


@pytest.mark.parametrize("tag", SECRET_TAGS)
@pytest.mark.parametrize(
    "around",
    ["8=FIX.4.4|{}|98=0|", "{}|98=0|", "8=FIX.4.4|{}|", "8=FIX.4.4|{}", "8=FIX.4.4|{0}|{0}|"],
    ids=["within", "first", "last", "cut off", "twice"],
)
def test_secret_is_masked_wherever_it_stands(tag: str, around: str) -> None:
    assert masked(soh(around.format(f"{tag}=hunter2 = x"))) == around.format(f"{tag}=***")


@pytest.mark.parametrize(("length", "data"), [("95", "96"), ("1401", "1402"), ("1403", "1404")])
def test_secret_of_data_is_masked_beyond_a_delimiter_in_it(length: str, data: str) -> None:
    assert masked(soh(f"35=A|{length}=11|{data}=hun|554=er2|98=0|")) == f"35=A|{length}=3|{data}=***|98=0|"


def test_length_that_reaches_beyond_the_message_hides_all_that_follows() -> None:
    assert masked(soh("35=A|95=99|96=hunter2|98=0|")) == "35=A|95=3|96=***"


def test_every_tag_of_a_secret_is_known() -> None:
    assert set(SECRET_TAGS) == {"96", "554", "925", "1402", "1404"}


def test_message_without_secrets_is_as_it_was() -> None:
    plain = "8=FIX.4.4|9=5|35=0|58=554 is no tag here, nor 96=|1554=a|9600=b|10=001|"
    assert masked(soh(plain)) == plain


def logged(path: Path) -> str:
    """The log of a logon with a password, an order, a fill."""
    log = MessageLog(path)
    log.sent(message((35, "A"), (49, "H"), (56, "V"), (98, "0"), (553, "helios"), (554, "hunter2")).decode())
    log.sent(message((35, "D"), (11, "o1"), (55, "IBM"), (54, "1"), (38, 100), (40, "1"), (58, "für")).decode())
    log.received(message((35, "8"), (11, "o1"), (150, "F"), (39, "2"), (14, 100), (151, 0)).decode())
    log.close()
    return path.read_text(encoding="utf-8")


def test_lines_have_time_direction_and_message(tmp_path: Path) -> None:
    lines = logged(tmp_path / "sessions/venue.log").splitlines()
    assert [line.split(" ")[1] for line in lines] == [">", ">", "<"]
    assert all(LINE.fullmatch(line) for line in lines)


def test_password_is_not_in_the_file(tmp_path: Path) -> None:
    assert "hunter2" not in logged(tmp_path / "venue.log")


def test_replay_reads_the_orders_of_a_log(tmp_path: Path) -> None:
    logged(tmp_path / "venue.log")
    with open_log(str(tmp_path / "venue.log")) as source:
        logon, order, fill = read_log(source)
    assert (logon.line, logon.fields[554], logon.garbled) == (1, "***", "")
    assert (order.line, order.fields[11], order.fields[58], order.garbled) == (2, "o1", "für", "")
    assert (fill.line, fill.fields[39], fill.garbled) == (3, "2", "")


def test_checksum_that_was_wrong_is_wrong_in_the_log() -> None:
    sent = message((35, "A"), (554, "hunter2"))
    spoiled = sent[:-4] + f"{(int(sent[-4:-1]) + 1) % 256:03d}".encode() + sent[-1:]
    (right,), (wrong,) = (read_log(io.BytesIO(masked(each.decode()).encode())) for each in (sent, spoiled))
    assert (right.garbled, wrong.garbled[:12]) == ("", "CheckSum (10")


def test_bytes_that_are_no_utf8_are_kept(tmp_path: Path) -> None:
    log = MessageLog(tmp_path / "venue.log")
    log.received(message((35, "0"), (58, b"f\xfcr")).decode("utf-8", "surrogateescape"))
    log.close()
    with open_log(str(log.path)) as source:
        (heartbeat,) = read_log(source)
    assert (heartbeat.fields[35], heartbeat.garbled) == ("0", "")


def test_log_is_appended_to_and_quiet_once_closed(tmp_path: Path) -> None:
    path = tmp_path / "venue.log"
    once = logged(path)
    log = MessageLog(path)
    log.close()
    log.received("8=FIX.4.4\x01")
    assert path.read_text() == once
    assert len(list(read_log(io.BytesIO(logged(path).encode())))) == 6
