"""Schedules: lots that add up, target curves that never fall, seeds, participation that knows nothing of what comes."""

import json
import zipfile
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs.cli.main import app
from jobs.cli.schedule import ScheduleCommandError
from jobs.volume_history import read_history
from pipelines.domain.almgren_chriss import Impact, cost
from pipelines.domain.participation import Participation, follow
from pipelines.domain.rollups import MINUTE_NS
from pipelines.domain.schedules import Jitter, Planned, Schedule, ScheduleError, apportion, gather, lots_of, plan, twap
from pipelines.domain.volume_curve import MINUTES, VolumeCurve, variance_a_minute, vwap

BARS = Path(__file__).parents[3] / "shared/data/equity_ticks/minute"
recorded = pytest.mark.skipif(not BARS.is_dir(), reason=f"{BARS} is not on this machine")

HOUR_NS = 60 * MINUTE_NS
OPEN_NS, SESSION_NS = 570 * MINUTE_NS, 390 * MINUTE_NS

LOTS = st.integers(1, 10**9)
WEIGHTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).filter(any)
JITTERS = st.none() | st.builds(Jitter, st.integers(), st.text(max_size=8), st.floats(0, 1), st.floats(0, 1))
VOLUMES = st.lists(st.integers(0, 50_000), min_size=1, max_size=80)


def tell(*words: object) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["schedule", "preview", *map(str, words), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    told: dict[str, Any] = json.loads(found.stdout)
    return told


@given(LOTS, WEIGHTS)
def test_lots_add_up_and_each_is_less_than_one_from_its_share(lots: int, weights: list[float]) -> None:
    sizes = apportion(lots, weights)
    assert sum(sizes) == lots
    for size, weight in zip(sizes, weights, strict=True):
        assert size >= 0
        assert abs(size - lots * weight / sum(weights)) < 1 + 1e-6 * lots / 1e6


def test_the_largest_remainders_have_what_is_left() -> None:
    assert apportion(10, [1.0, 2.0, 3.5]) == (2, 3, 5)  # shares 1.54, 3.08, 5.38
    assert apportion(7, [0.0, 1.0, 0.0]) == (0, 7, 0)


def test_of_equal_remainders_those_far_from_each_other_are_taken() -> None:
    assert apportion(2, [1.0] * 4) == (0, 1, 0, 1)
    assert apportion(1, [1.0] * 5) == (0, 0, 1, 0, 0)
    assert apportion(8, [1.0] * 6) == (1, 2, 1, 1, 2, 1)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 200))
def test_small_slices_wait_for_those_after_them(sizes: list[int], least: int) -> None:
    gathered = gather(sizes, least)
    assert sum(gathered) == sum(sizes)
    if sum(sizes) >= least:
        assert all(size == 0 or size >= least for size in gathered)
        first = next(number for number, size in enumerate(gathered) if size)
        assert sum(sizes[: first + 1]) >= least  # none is sent before its time, but what is left at the end


@given(LOTS, WEIGHTS, st.integers(60, 10**15), st.integers(1, 10**6), JITTERS)
def test_a_target_curve_never_falls_and_ends_at_the_parent(
    lots: int, weights: list[float], duration_ns: int, least: int, jitter: Jitter | None
) -> None:
    schedule: Planned = plan(lots, duration_ns, weights, least, jitter)
    assert schedule.lots == lots
    assert schedule.slices[0].start_ns == 0
    assert schedule.slices[-1].end_ns == duration_ns
    for one, other in pairwise(schedule.slices):
        assert one.end_ns == other.start_ns
    for each in schedule.slices:
        assert each.start_ns <= each.at_ns < each.end_ns
        assert each.lots >= 0
    times = sorted({0, duration_ns, *(each.at_ns for each in schedule.slices)})
    due = [schedule.due(at) for at in times]
    assert due == sorted(due)
    assert due[-1] == lots
    assert schedule.due(-1) == 0


def test_what_is_due_changes_when_slices_are_sent() -> None:
    #  minute  0    10    20    30
    #  lots    4     3     3
    schedule = twap(10, 30 * MINUTE_NS, 3)
    assert [each.lots for each in schedule.slices] == [3, 4, 3]
    assert [schedule.due(minute * MINUTE_NS) for minute in (0, 9, 10, 19, 20, 60)] == [3, 3, 7, 7, 10, 10]


@given(st.integers(1, 10**6), st.integers(1, 50), st.integers(), st.text(max_size=8))
def test_a_seed_gives_the_same_again_whatever_else_was_made(lots: int, slices: int, seed: int, parent: str) -> None:
    one = twap(lots, SESSION_NS, slices, jitter=Jitter(seed, parent))
    np.random.default_rng(1).random(9)
    twap(lots, SESSION_NS, slices, jitter=Jitter(seed + 1, parent))
    assert twap(lots, SESSION_NS, slices, jitter=Jitter(seed, parent)) == one


def test_a_seed_and_a_parent_of_their_own_vary_otherwise() -> None:
    plain = twap(100_000, SESSION_NS, 20)
    varied = [twap(100_000, SESSION_NS, 20, jitter=Jitter(*of)) for of in ((1, "a"), (1, "b"), (2, "a"))]
    assert len({plain, *varied}) == 4
    for each in varied[0].slices:
        assert 0.75 * 5000 < each.lots < 1.25 * 5000
        assert each.at_ns - each.start_ns < (each.end_ns - each.start_ns) / 2
    assert varied[0].slices[3].lots == 4871  # a hash: the same on any machine
    assert twap(100_000, SESSION_NS, 20, jitter=Jitter(1, "a", 0.0, 0.0)) == plain


def test_a_vwap_follows_the_curve() -> None:
    volumes = np.zeros(MINUTES)
    volumes[600:630], volumes[630:660] = 10, 30
    schedule = vwap(1000, 600 * MINUTE_NS, HOUR_NS, 4, VolumeCurve(volumes))
    assert [each.lots for each in schedule.slices] == [125, 125, 375, 375]
    half_in = vwap(1000, 615 * MINUTE_NS, HOUR_NS, 2, VolumeCurve(volumes))
    assert [each.lots for each in half_in.slices] == [571, 429]  # 150 + 450, then 450


def test_a_flat_curve_makes_a_twap() -> None:
    flat = VolumeCurve(np.full(MINUTES, 7.0))
    assert vwap(1001, OPEN_NS, SESSION_NS, 10, flat) == twap(1001, SESSION_NS, 10)


def test_a_curve_goes_on_after_midnight() -> None:
    volumes = np.zeros(MINUTES)
    volumes[-10:], volumes[:10] = 1, 3
    curve = VolumeCurve(volumes)
    found = curve.between((MINUTES - 20) * MINUTE_NS, [0, 20 * MINUTE_NS, 40 * MINUTE_NS])
    assert found.tolist() == [10, 30]


def test_days_are_averaged_and_a_minute_without_a_bar_had_no_volume() -> None:
    curve = VolumeCurve.of([570, 571, 570], [100.0, 50.0, 300.0], days=2)
    assert (curve.volumes[570], curve.volumes[571], curve.daily) == (200, 25, 225)


@given(
    VOLUMES,
    st.integers(1, 20_000),
    st.floats(0.001, 0.5),
    st.floats(1, 2),
    st.sampled_from([1.0, 100.0, 0.5]),
    st.integers(1, 40),
)
def test_participation_never_is_above_its_cap_and_completes(
    volumes: list[int], lots: int, rate: float, over: float, lot: float, least: int
) -> None:
    rule = Participation(lots, rate, min(1.0, rate * over), lot, least)
    done, seen, before = 0, 0.0, 0.0
    for volume in volumes:
        seen += volume
        sent = rule.next_lots(done, seen, before)
        assert 0 <= sent <= lots - done
        assert sent * lot <= rule.cap * (seen - before)
        assert sent == 0 or sent >= min(least, lots - done)
        done, before = done + sent, seen if sent else before
        assert done <= rule.due(0, seen)
    seen += (lots + 1) * lot / rate  # enough comes: all is done, however slowly before
    while done < lots:
        sent = rule.next_lots(done, seen, before)
        assert sent * lot <= rule.cap * (seen - before)
        done, before = done + sent, seen if sent else before
        seen += (least + 1) * lot / rule.rate
    assert rule.next_lots(done, seen, before) == 0


@given(VOLUMES, VOLUMES, st.integers(1, 5000), st.floats(0.01, 0.5))
def test_participation_knows_nothing_of_what_comes(
    volumes: list[int], others: list[int], lots: int, rate: float
) -> None:
    rule = Participation(lots, rate)
    one, other = follow(rule, [*volumes, 1, *others]), follow(rule, [*volumes, 10**6, *reversed(others)])
    known = len(volumes) + 1
    assert one[:known] == other[:known]
    own, tape = list(accumulate(one)), 0.0
    for sent, done, volume in zip(one, own, [*volumes, 1, *others], strict=True):
        assert done <= rate * tape  # of what had been seen when it was sent, own trades in it
        tape += sent + volume


def test_a_backlog_is_caught_up_at_the_cap() -> None:
    #  seen   1000 (nothing sent: a halt)   1100   1200   1300
    #  due     100                           110    120    130
    rule = Participation(500, rate=0.1, cap=0.2)
    done, before, sent = 0, 1000.0, []
    for seen in (1100.0, 1200.0, 1300.0):
        sent.append(rule.next_lots(done, seen, before))
        done, before = done + sent[-1], seen
    assert sent == [20, 20, 20]


def test_a_schedule_is_what_a_gateway_asks() -> None:
    schedules: list[Schedule] = [twap(10, HOUR_NS, 2), Participation(10, 0.1)]
    assert [each.due(HOUR_NS, 50.0) for each in schedules] == [10, 5]
    assert [each.lots for each in schedules] == [10, 10]


def test_lots_of_a_quantity() -> None:
    assert lots_of(1e6, 100) == 10_000
    assert lots_of(0.3, 0.1) == 3
    with pytest.raises(ScheduleError, match=r"X: 150: no whole number of lots of 100: give one, or another lot"):
        lots_of(150, 100)


def test_variance_is_of_changes_within_days() -> None:
    #  day       1            2
    #  minute    0  1  3      0  2
    #  price    10 11 10     50 52      nights do not count: (1 + 1 + 4) / (1 + 2 + 2)
    minutes, prices = np.array([0.0, 1, 3, 0, 2]), np.array([10.0, 11, 10, 50, 52])
    assert variance_a_minute(minutes, prices, np.array([1, 1, 1, 2, 2])) == pytest.approx(6 / 5)
    assert variance_a_minute(minutes[:1], prices[:1], np.array([1])) == 0


@recorded
def test_a_curve_of_recorded_days() -> None:
    """AIG, 7 to 9 October 2013: busy at the open and, most of all, at the close; lots follow it to the share."""
    history = read_history([BARS / "aig"])
    assert (history.curve.days, history.zone) == (3, "America/New_York")
    volumes = history.curve.volumes
    summed = 0
    for file in (BARS / "aig").glob("*_trade.zip"):
        with zipfile.ZipFile(file) as archive, archive.open(archive.namelist()[0]) as lines:
            summed += sum(int(line.split(b",")[5]) for line in lines)
    assert history.curve.daily == pytest.approx(summed / 3)
    assert volumes[:240].sum() == volumes[1200:].sum() == 0  # New York's clock
    told = tell(
        "--algo", "vwap", "-X", 200_000, "--slices", 13, "--from", "09:30", "--until", "16:00", "--curve", BARS / "aig"
    )
    lots = [each["lots"] for each in told["slices"]]
    assert sum(lots) == 200_000
    assert max(lots) == lots[-1]
    assert lots[0] > lots[6]
    inside = volumes[570:960].reshape(13, 30).sum(axis=1)
    assert lots == pytest.approx(200_000 * inside / inside.sum(), abs=1)


@recorded
def test_bars_say_what_a_cost_needs() -> None:
    """Of three days of AIG: some 0.6 $ a day, a spread of a cent, and the paper's rule of thumb for impact."""
    words = ("-X", 200_000, "--slices", 13, "--from", "09:30", "--until", "16:00", "--curve", BARS / "aig")
    told = tell("--algo", "twap", *words)
    estimated = told["estimated"]
    assert 0.3 < told["sigma"] < 1.2
    assert 0.01 <= estimated["spread"] < 0.02
    assert told["eta"] == pytest.approx(estimated["spread"] / (0.01 * estimated["adv"]))
    assert told["S0"] == pytest.approx(47.7, abs=1)
    assert told["E"] > told["epsilon"] * 200_000
    given_sigma = tell("--algo", "twap", *words, "--sigma", 1)
    assert (given_sigma["sigma"], "sigma" in given_sigma["estimated"]) == (1, False)
    faster = tell("--algo", "pov", *words, "--participation", 0.05)
    assert faster["E"] > told["E"]
    assert faster["V"] < told["V"]


@recorded
def test_participation_on_recorded_days() -> None:
    words = ("--from", "09:30", "--until", "16:00", "--curve", BARS / "aig", "--slices", 13, "--participation", 0.05)
    told = tell("--algo", "pov", "-X", 200_000, *words)
    assert told["unfilled"] == 0
    done, others = 0, 0.0
    for each in told["slices"]:
        done, others = done + each["lots"], others + each["volume"]
        assert done <= 0.05 * (done + others)
    short = tell("--algo", "pov", "-X", 2_000_000, *words)
    assert 0 < short["unfilled"] == 2_000_000 - short["scheduled"]


def curve_file(folder: Path, text: str) -> Path:
    file = folder / "curve.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize("text", ["minute,volume\n600,10\n601,30\n", "10:00,10\n10:01,30\n", "600,10\n\n601,30"])
def test_a_curve_is_read_from_a_file(text: str, tmp_path: Path) -> None:
    curve = curve_file(tmp_path, text)
    told = tell("--algo", "vwap", "-X", 40, "--slices", 2, "--from", "10:00", "--until", "10:02", "--curve", curve)
    assert [(each["from"], each["until"], each["lots"]) for each in told["slices"]] == [
        ("10:00:00", "10:01:00", 10),
        ("10:01:00", "10:02:00", 30),
    ]
    assert told["missing"] == ["sigma", "epsilon", "gamma", "eta"]
    assert "E" not in told


def test_a_pov_tells_what_it_leaves(tmp_path: Path) -> None:
    curve = curve_file(tmp_path, "".join(f"{minute},1000\n" for minute in range(600, 660)))
    words = ("--algo", "pov", "--slices", 6, "--from", "10:00", "--until", "11:00", "--curve", curve)
    told = tell(*words, "-X", 100_000, "--participation", 0.1)
    assert told["slices"][0]["lots"] == pytest.approx(9 * 111, abs=20)  # the first minute is not seen before its end
    assert told["scheduled"] + told["unfilled"] == 100_000
    small = tell(*words, "-X", 500, "--participation", 0.1, "--lot", 100)
    assert (small["scheduled"], small["unfilled"], small["slices"][0]["quantity"]) == (5, 0, 500)


def test_costs_of_slices_are_the_models() -> None:
    words = ("-X", 1000, "--T", 1, "--slices", 4, "--sigma", 1, "--epsilon", 0.01, "--gamma", 1e-5, "--eta", 1e-4)
    told = tell("--algo", "twap", *words, "--S0", 20, "--lambda", 1e-3, "--alpha", 0.1)
    expected = cost(Impact(1, 0.01, 1e-5, 1e-4), 1000, [250.0] * 4, [0.25] * 4)
    assert (told["E"], told["V"]) == tuple(expected)
    assert told["U"] == told["E"] + 1e-3 * told["V"]
    assert told["cost_bps"] == pytest.approx(told["E"] / 20_000 * 1e4)
    assert told["drift"]["E"] == pytest.approx(told["E"] - 0.1 * 0.25 * (750 + 500 + 250))


def test_spread_and_volume_make_the_impact() -> None:
    """The paper's own: 1/8 and 5 million a day."""
    words = ("--X", 1e6, "--T", 5, "--N", 5, "--sigma", 0.95)
    told = tell("--algo", "is", *words, "--spread", 0.125, "--adv", 5e6, "--lambda", 1e-9)
    assert (told["epsilon"], told["gamma"], told["eta"]) == pytest.approx((0.0625, 2.5e-7, 2.5e-6))
    assert told["E"] / 1e6 == pytest.approx(0.6625, abs=5e-5)
    assert set(told["estimated"]) == {"epsilon", "gamma", "eta"}


def test_the_seed_is_in_the_answer_and_gives_it_again() -> None:
    words = ("--algo", "twap", "-X", 10_000, "--slices", 8, "--from", "09:30", "--until", "16:00")
    one, again, plain = tell(*words, "--seed", 7), tell(*words, "--seed", 7), tell(*words)
    assert one == again
    assert (one["seed"], one["vary_sizes"], one["vary_times"]) == (7, 0.2, 0.5)
    assert one["slices"] != plain["slices"]
    assert "seed" not in plain
    assert sum(each["lots"] for each in one["slices"]) == 10_000


def test_the_table_shows_times_lots_and_cost() -> None:
    words = "--algo twap -X 1000 --slices 4 --from 23:00 --until 01:00 --day-hours 24 --seed 3"
    found = CliRunner().invoke(app, ["schedule", "preview", *words.split()], catch_exceptions=False)
    assert "23:30:00" in found.stdout
    assert "100.0%" in found.stdout
    assert "give --sigma --epsilon --gamma --eta" in found.output


WINDOW = ("--from", "10:00", "--until", "11:00")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--algo", "magic", *WINDOW), "algo: magic: take of twap, vwap, pov, is"),
        (("--algo", "twap"), "T: how long? Give --from and --until, or --T in days"),
        (("--algo", "twap", "--T", "1", *WINDOW), "T: --from and --until say how long: leave one of them out"),
        (("--algo", "twap", "--from", "10:00"), "until: '': give a time of the day such as 09:30"),
        (("--algo", "twap", "--from", "25:00", "--until", "26:00"), "from: '25:00': give a time of the day"),
        (("--algo", "twap", "--from", "10:00", "--until", "10:00"), "until: 10:00: it ends when it begins"),
        (("--algo", "twap", *WINDOW, "--least", "0"), "least: 0: give a number 1 or more"),
        (("--algo", "twap", *WINDOW, "--lot", "3"), "X: 1000: no whole number of lots of 3"),
        (("--algo", "twap", *WINDOW, "--day-hours", "25"), "day_hours: 25: give a number 0.01 or more and 24 at most"),
        (("--algo", "twap", *WINDOW, "--seed", "1", "--vary-sizes", "2"), "sizes: 2: give a number 0 or more and 1 at"),
        (("--algo", "twap", *WINDOW, "--S0", "0"), "S0: 0: give a number 1e-12 or more"),
        (("--algo", "twap", *WINDOW, "--spread", "1", "--adv", "0"), "adv: 0: give a number above 0"),
        (("--algo", "vwap", *WINDOW), "curve: vwap follows volume: give --curve FILE"),
        (("--algo", "vwap", "--T", "1", "--curve", "C"), "from: vwap follows the volume of the day: give --from and"),
        (("--algo", "vwap", "--from", "12:00", "--until", "13:00", "--curve", "C"), "no volume between these times"),
        (("--algo", "vwap", *WINDOW, "--curve", "E"), "empty.csv: an empty curve: give lines minute,volume such as"),
        (("--algo", "vwap", *WINDOW, "--curve", "Z"), "volume curve: no minute has any volume"),
        (("--algo", "vwap", *WINDOW, "--curve", "B"), "bad.csv:2: '601,many': give minute,volume such as 09:30,12500"),
        (("--algo", "vwap", *WINDOW, "--curve", "D"), "twice.csv:3: minute 600 is there twice: give each once"),
        (("--algo", "vwap", *WINDOW, "--curve", "C", "--curve", "Z"), "zero.csv: one CSV is a curve: give it alone"),
        (("--algo", "vwap", *WINDOW, "--curve", "F"), "no zip files in it"),
        (("--algo", "pov", *WINDOW, "--curve", "C"), "participation: pov takes a share of the volume: give"),
        (
            ("--algo", "pov", *WINDOW, "--curve", "C", "--participation", "1.5"),
            "participation: 1.5: give a number above",
        ),
        (("--algo", "pov", *WINDOW, "--curve", "C", "--participation", "0.2", "--cap", "0.1"), "cap: 0.1: give the"),
        (("--algo", "pov", *WINDOW, "--curve", "C", "--participation", "0.2", "--seed", "1"), "seed: pov sends when"),
    ],
)
def test_what_is_amiss_is_told_in_a_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    files = {
        "C": ("curve.csv", "600,10\n601,20\n"),
        "E": ("empty.csv", "minute,volume\n"),
        "Z": ("zero.csv", "600,0\n"),
        "B": ("bad.csv", "600,10\n601,many\n"),
        "D": ("twice.csv", "600,10\n601,20\n600,30\n"),
    }
    for name, text in files.values():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    given_words = [str(tmp_path / files[word][0]) if word in files else word for word in words]
    given_words = [str(tmp_path / "folder") if word == "F" else word for word in given_words]
    with pytest.raises(ScheduleCommandError) as told:
        tell("-X", 1000, "--slices", 4, *given_words)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def archive_of(folder: Path, symbol: str, *lines: str) -> Path:
    path = folder / f"equity/usa/minute/{symbol}/20131007_trade.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"20131007_{symbol}_minute_trade.csv", "\n".join(lines))
    return path


def test_bars_of_two_instruments_make_no_curve(tmp_path: Path) -> None:
    one, other = (archive_of(tmp_path, symbol, "36000000,1,1,1,1,5", "oops") for symbol in ("a", "b"))
    words = ("-X", 5, "--slices", 1, "--algo", "vwap", *WINDOW, "--curve", one)
    with pytest.raises(ScheduleCommandError, match="here is equity usa A, equity usa B: --symbol names one"):
        tell(*words, "--curve", other)
    told = tell(*words, "--curve", other, "--symbol", "b")
    assert told["curve"]["name"] == "equity usa B"
    assert told["curve"]["faults"][0].startswith("equity usa minute trade 20131007 B line 2: ")
