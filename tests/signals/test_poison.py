"""Which records stop a SQL job, and the tables that leave them out."""

import pytest

from pipelines.signals.poison import poison_record, segments

NOWHERE = {"bootstrap": "127.0.0.1:1", "registry_url": "http://127.0.0.1:1", "topic": "t", "record": "r", "group": "g"}


def read(options: list[dict[str, str]], ends: list[int]) -> list[list[int]]:
    """The offsets that tables of these options read, by partition, the topic ending at `ends`."""
    found: list[list[int]] = [[] for _ in ends]
    for table in options:
        starts = places(table.get("scan.startup.specific-offsets", ""), [0] * len(ends))
        stops = places(table.get("scan.bounded.specific-offsets", ""), ends)
        for partition, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            found[partition] += range(start, stop)
    return found


def places(text: str, default: list[int]) -> list[int]:
    found = list(default)
    for each in filter(None, text.split(";")):
        partition, offset = (int(part.partition(":")[2]) for part in each.split(","))
        found[partition] = offset
    return found


@pytest.mark.parametrize(
    "skip",
    [
        [],
        [(0, 3)],
        [(0, 0), (0, 9)],
        [(1, 4), (0, 2), (1, 5), (1, 4)],
        [(0, 9), (1, 0), (1, 1), (1, 9)],
    ],
)
def test_all_but_the_records_to_skip_are_read_once(skip: list[tuple[int, int]]) -> None:
    wanted = [[offset for offset in range(10) if (partition, offset) not in skip] for partition in (0, 1)]
    assert read([dict(each) for each in segments(skip, 2)], [10, 10]) == wanted


def test_only_the_last_table_goes_on() -> None:
    *bounded, last = segments([(0, 1), (0, 5), (1, 2)], 2)
    assert [table["scan.bounded.mode"] for table in bounded] == ["specific-offsets"] * 2
    assert "scan.bounded.mode" not in last


def test_a_partition_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="partition 2 to skip in: the topic has 0 to 1"):
        segments([(2, 0)], 2)


def test_a_job_that_fails_at_something_else_has_no_such_record() -> None:
    assert poison_record("java.net.ConnectException: refused", **NOWHERE) is None


def test_a_record_that_flink_names_is_taken_at_its_word() -> None:
    said = "IOException: Failed to deserialize consumer record topic=a.b, partition=1, offset=7"
    found = poison_record(said, **NOWHERE)
    assert found is not None
    assert (found.topic, found.partition, found.offset) == ("a.b", 1, 7)
