"""What a FIX venue says of orders and requests, message by message."""

from pathlib import Path

import pytest

from tests.support.fix_floor import FixFloor, at

ORDER = (35, 150, 39, 38, 14, 151)


@pytest.fixture
def venue(tmp_path: Path) -> FixFloor:
    venue = FixFloor(tmp_path, copies={"DESK": ["RISK"]})
    venue.quote(0)
    return venue


def test_a_market_order_is_acknowledged_and_filled_in_units_of_whole_lots(venue: FixFloor) -> None:
    venue.order("o1", "1.5", ms=10, _1="book 7", _54="5")
    venue.quote(20)
    new, fill = venue.said["DESK"]
    assert [new[tag] for tag in ORDER] == ["8", "0", "0", "1.5", "0", "1.5"]
    assert [fill[tag] for tag in ORDER] == ["8", "F", "2", "1.5", "1.5", "0"]
    assert (fill[32], fill[31], fill[6], fill[851]) == ("1.5", "100", "100", "2")
    assert (fill[1], fill[54], fill[55], fill[30], fill[40]) == ("book 7", "5", "AUSDT", "sim", "1")
    assert new[37] == fill[37]
    assert new[17] != fill[17]
    assert new[60] == fill[60] == "20231114-22:13:20.011000000"


def test_time_in_and_out_has_nine_digits(venue: FixFloor) -> None:
    venue.order("o1", _60="20231114-22:13:20.000000007")
    assert venue.words(60) == [("20231114-22:13:20.001000007",)]


def test_a_drop_copy_hears_every_report_with_the_same_exec_id_and_no_cancel_reject(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, ms=1)
    venue.cancel("c1", "o1", ms=2)
    venue.quote(5)
    venue.cancel("c2", "o1", ms=6)
    venue.quote(9)
    mine = [each[17] for each in venue.said["DESK"] if each[35] == "8"]
    assert [each[17] for each in venue.said["RISK"]] == mine
    assert {each[797] for each in venue.said["RISK"]} == {"Y"}
    assert venue.said["DESK"][-1][35] == "9"


def test_a_cancel_is_answered_by_its_own_id_with_the_orders_beside_it(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, ms=1)
    venue.cancel("c1", "o1", ms=2)
    venue.quote(5)
    assert venue.words(150, 39, 11, 41, 151) == [("0", "0", "o1", "", "1"), ("4", "4", "c1", "o1", "0")]


def test_a_replaced_order_goes_by_the_new_id_quantity_and_price(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, units=2, ms=1)
    venue.replace("r1", "o1", 4, 99.5, ms=2)
    venue.quote(5)
    venue.cancel("c1", "r1", ms=6)
    venue.quote(9)
    assert venue.words(150, 39, 11, 41, 38, 44, 151)[1:] == [
        ("5", "0", "r1", "o1", "4", "99.5", "4"),
        ("4", "4", "c1", "r1", "4", "99.5", "0"),
    ]
    assert len({each[37] for each in venue.said["DESK"]}) == 1


def test_a_cancel_of_what_is_not_known_or_over_is_refused(venue: FixFloor) -> None:
    venue.cancel("c1", "nothing")
    venue.order("o1", ms=1)
    venue.quote(5)
    venue.cancel("c2", "o1", ms=6)
    venue.quote(9)
    refusals = [each for each in venue.said["DESK"] if each[35] == "9"]
    assert [(each[37] == "NONE", each[39], each[102], each[434], each[11], each[41]) for each in refusals] == [
        (True, "8", "1", "1", "c1", "nothing"),
        (False, "2", "0", "1", "c2", "o1"),
    ]


def test_an_id_that_is_taken_is_no_request(venue: FixFloor) -> None:
    venue.limit("o1", 99.0)
    venue.limit("o2", 99.0)
    venue.cancel("o2", "o1")
    assert venue.words(35, 102)[-1] == ("9", "6")


def test_a_request_that_comes_again_is_answered_again_and_done_once(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, ms=1)
    venue.cancel("c1", "o1", ms=2)
    venue.quote(5)
    venue.cancel("c1", "o1", ms=2)
    assert venue.said["DESK"][-1] == venue.said["DESK"][-2]


def test_an_order_that_comes_again_is_counted_and_answered_with_its_status(venue: FixFloor) -> None:
    venue.order("o1", ms=1)
    venue.order("o1", ms=1, _97="Y")
    venue.quote(5)
    venue.order("o1", 7, ms=3)
    assert venue.words(150, 39, 14) == [("0", "0", "0"), ("I", "0", "0"), ("F", "2", "1"), ("I", "2", "1")]
    assert "known already" in venue.said["DESK"][-1][58]
    assert venue.record.orders_received() == {("DESK", "o1"): 3}


def test_what_a_session_resends_is_no_second_order_of_its_sender(venue: FixFloor) -> None:
    venue.order("o1", ms=1)
    venue.order("o1", ms=1, _43="Y")
    assert venue.record.orders_received() == {("DESK", "o1"): 1}
    assert venue.journal.rows("SELECT resent FROM orders") == [(1,)]


def test_two_participants_may_use_one_id(venue: FixFloor) -> None:
    venue.order("o1", ms=1)
    venue.order("o1", ms=1, participant="SECOND")
    venue.quote(5)
    ids = {each[37] for other in ("DESK", "SECOND") for each in venue.said[other]}
    exec_ids = [each[17] for other in ("DESK", "SECOND") for each in venue.said[other]]
    assert len(ids) == 2
    assert len(set(exec_ids)) == len(exec_ids) == 4


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"_38": "1.3"}, "13", "OrderQty (38) 1.3 is not a whole number of lots of 0.5"),
        ({"_38": "-1"}, "13", "not a whole number of lots"),
        ({"_38": None}, "99", "OrderQty (38) '' is not a number"),
        ({"_55": "XYZ"}, "1", "Symbol (55) 'XYZ' is not traded here"),
        ({"_40": "2"}, "99", "Price (44) is missing"),
        ({"_40": "3"}, "11", "OrdType (40) '3'"),
        ({"_40": "P"}, "11", "OrdType (40) 'P'"),
        ({"_40": "2", "_44": "nan"}, "99", "Price (44) 'nan' is not a number"),
        ({"_18": "6 G"}, "11", "ExecInst (18) 'G'"),
        ({"_59": "1"}, "11", "TimeInForce (59) '1'"),
        ({"_54": "7"}, "99", "Side (54) '7'"),
        ({"_60": "99991231-00:00:00"}, "99", "TransactTime (60)"),
        ({"_60": "today"}, "99", "TransactTime (60) 'today'"),
        ({"_40": "2", "_44": "100.005"}, "99", "not a multiple of the tick"),
    ],
)
def test_an_order_that_cannot_be_taken_is_rejected_in_words(
    venue: FixFloor, fields: dict[str, object], code: str, words: str
) -> None:
    venue.order("o1", **fields)
    if venue.said["DESK"][-1].get(150) != "8":
        venue.quote(9)
    report = venue.said["DESK"][-1]
    assert [report[tag] for tag in (35, 150, 39, 103, 14, 151)] == ["8", "8", "8", code, "0", "0"]
    assert words in report[58]
    assert report[37] not in ("", "NONE")
    venue.order("o1", **fields)
    again = venue.said["DESK"][-1]
    assert (again[150], again[39], again[11], again[37]) == ("I", "8", "o1", report[37])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"_38": "0.7"}, "not a whole number of lots"),
        ({"_54": "2"}, "not the order's"),
        ({"_40": "1"}, "not the order's"),
        ({"_60": "now"}, "TransactTime (60)"),
    ],
)
def test_a_replacement_that_cannot_be_taken_is_refused_in_words(
    venue: FixFloor, fields: dict[str, object], words: str
) -> None:
    venue.limit("o1", 99.0)
    venue.replace("r1", "o1", 2, 99.0, **fields)
    refusal = venue.said["DESK"][-1]
    assert (refusal[35], refusal[434], refusal[39], refusal[11], refusal[41]) == ("9", "2", "0", "r1", "o1")
    assert words in refusal[58]


def test_a_status_request_tells_the_last_word(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, units=2, ms=1)
    venue.replace("r1", "o1", 4, 99.5, ms=2)
    venue.quote(5)
    venue.hear("H", _11="o1", _55="AUSDT", _54="1", _790="q1")
    status, last = venue.said["DESK"][-1], venue.said["DESK"][-2]
    assert (status[150], status[39], status[790], status[11], status[41]) == ("I", "0", "q1", "r1", "o1")
    assert [status[tag] for tag in (14, 151, 6, 60, 37, 38, 44)] == [last[tag] for tag in (14, 151, 6, 60, 37, 38, 44)]


def test_the_status_of_an_order_that_never_came(venue: FixFloor) -> None:
    venue.hear("H", _11="x", _55="AUSDT", _54="1", _790="q1")
    told = venue.said["DESK"][-1]
    assert [told[tag] for tag in (150, 39, 103, 37, 790, 11)] == ["I", "8", "5", "NONE", "q1", "x"]


def test_a_mass_status_request_tells_of_open_orders_of_that_participant(venue: FixFloor) -> None:
    venue.hear("AF", _584="m0", _585="7")
    for name in ("o1", "o2", "o3"):
        venue.limit(name, 99.0, ms=1)
    venue.limit("other", 99.0, ms=1, participant="SECOND")
    venue.cancel("c", "o2", ms=2)
    venue.quote(5)
    venue.hear("AF", _584="m1", _585="7")
    told = [each for each in venue.said["DESK"] if each.get(584)]
    assert [(each[584], each.get(11, ""), each[911], each[912]) for each in told] == [
        ("m0", "", "0", "Y"),
        ("m1", "o1", "2", "N"),
        ("m1", "o3", "2", "Y"),
    ]
    venue.hear("AF", _584="m2", _585="1")
    assert venue.words(35, 372, 379)[-1] == ("j", "AF", "m2")


def test_orders_of_a_participant_that_wished_so_are_canceled_when_it_goes(venue: FixFloor) -> None:
    venue.come(cancels=True)
    venue.come("SECOND")
    venue.limit("o1", 99.0, ms=1)
    venue.limit("o2", 99.0, ms=1, participant="SECOND")
    venue.quote(5)
    venue.go()
    venue.go("SECOND")
    venue.quote(9)
    canceled = venue.said["DESK"][-1]
    assert (canceled[150], canceled[11], canceled.get(41), canceled[60]) == ("4", "o1", None, at(6))
    assert venue.words(150, other="SECOND") == [("0",)]


def test_the_end_of_the_day_expires_what_is_open(venue: FixFloor) -> None:
    venue.limit("o1", 99.0, ms=1)
    venue.end_of_day(50)
    assert venue.words(150, 39, 151)[-1] == ("C", "C", "0")
