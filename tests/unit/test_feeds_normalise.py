"""A feed session's order: what is taken, what is set aside, and that nothing is lost on the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Flag, Kind
from pipelines.domain.normalise import Listing, Normalised, by_shard, heartbeat, hello, normalise
from pipelines.domain.sequencing import SessionState, dump, load, new_session
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, Sizing, Strategy, Venue
from pipelines.feeds.protocols.binance import Binance
from tests.support.binance_frames import E_MS, RECEIVE_NS, quote, spot_quote, trade

SKEW_NS = 1_270_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def strategy() -> Strategy:
    """Three instruments, two shards: BTC in both, its home in 0."""
    return Strategy(
        name="test",
        account="desk",
        shards=2,
        venues=(Venue("binance", "binance", SKEW_NS),),
        instruments=tuple(Instrument(f"{symbol}.B", "binance", symbol, 0.01, 0.001) for symbol in SYMBOLS),
        pairs=(Pair("be", "BTCUSDT.B", "ETHUSDT.B", 20.0, 0), Pair("bs", "BTCUSDT.B", "SOLUSDT.B", 300.0, 1)),
        moments=Moments(),
        signals=(),
        sizing=Sizing(1e5),
        limits=Limits(100, 1000),
    )


LISTING = Listing.of(strategy(), "binance")


def read(frames: list[bytes], state: SessionState | None = None, first: int | None = None) -> Normalised:
    state = state or new_session(len(SYMBOLS))
    first = state.next_frame if first is None else first
    return normalise(state, LISTING, Binance(LISTING.index), first, [RECEIVE_NS] * len(frames), frames)


def reasons(made: Normalised) -> list[tuple[int, str, int]]:
    return [(reject.frame, reject.reason, reject.frames) for reject in made.rejects]


def test_a_gap_in_trade_ids_is_told_once_and_the_trade_is_kept() -> None:
    #  trade id   1  2  .  .  5  6
    #                   └gap┘
    made = read([trade(t=1), trade(t=2), trade(t=5), trade(t=6)])
    assert reasons(made) == [(2, Reason.GAP, 0)]
    assert made.rejects[0].detail == "BTCUSDT trade 5: 2 missing before it, 3 was expected"
    assert (made.ticks["flags"] & Flag.AFTER_GAP != 0).tolist() == [False, False, True, False]


def test_the_first_trade_of_an_instrument_is_no_gap_and_instruments_are_counted_apart() -> None:
    assert reasons(read([trade(t=900), trade("ETHUSDT", t=5), trade(t=901), trade("ETHUSDT", t=6)])) == []


def test_holes_in_update_ids_of_quotes_mean_nothing() -> None:
    assert reasons(read([quote(u=1), quote(u=500)])) == []


def test_a_frame_sent_twice_is_a_duplicate_and_one_that_comes_late_is_out_of_order() -> None:
    made = read([quote(u=5), quote(u=5), quote(u=4), trade(t=7), trade(t=7), trade(t=6)])
    assert reasons(made) == [(1, "duplicate", 1), (2, "out_of_order", 1), (4, "duplicate", 1), (5, "out_of_order", 1)]


@pytest.mark.parametrize(
    ("frame", "reason", "detail"),
    [
        (quote(b="61800.40"), "crossed", "BTCUSDT quote 1: bid 61800.4 above ask 61800.3"),
        (quote(b="0"), "non_positive", "BTCUSDT quote 1: bid 0.0 x 2.507, ask 61800.3 x 2.51: prices must be above 0"),
        (
            quote(A="-1"),
            "non_positive",
            "BTCUSDT quote 1: bid 61800.2 x 2.507, ask 61800.3 x -1.0: prices must be above 0",
        ),
        (trade(p="-3"), "non_positive", "BTCUSDT trade 1: price -3.0, quantity 0.006: both must be above 0"),
        (trade(q="0"), "non_positive", "BTCUSDT trade 1: price 61800.3, quantity 0.0: both must be above 0"),
        (quote(E=E_MS + 5_001), "future", "BTCUSDT quote 1: event time 5001 ms ahead of its receipt, 5000 allowed"),
    ],
)
def test_a_frame_with_impossible_values_is_set_aside(frame: bytes, reason: str, detail: str) -> None:
    made = read([frame])
    assert [(reject.reason, reject.detail, reject.payload) for reject in made.rejects] == [(reason, detail, frame)]
    assert len(made.ticks) == 0


def test_five_seconds_ahead_of_receipt_and_known_skew_is_still_allowed() -> None:
    assert len(read([quote(E=E_MS + 5_000)]).ticks) == 1


def test_a_bad_stamp_does_not_move_the_sessions_time() -> None:
    made = read([quote(u=1), quote(u=2, E=E_MS + 60_000), quote(u=3)])
    assert made.state.time_ns == E_MS * 1_000_000
    assert (made.ticks["flags"] & Flag.LATE).tolist() == [0, 0]


def test_a_trade_set_aside_in_its_turn_leaves_no_gap_behind_it() -> None:
    assert reasons(read([trade(t=1), trade(t=2, p="0"), trade(t=3)])) == [(1, Reason.NON_POSITIVE, 1)]


def test_a_quote_set_aside_does_not_take_its_update_id() -> None:
    assert reasons(read([quote(u=900, b="70000"), quote(u=5)])) == [(0, Reason.CROSSED, 1)]


def test_bid_equal_to_ask_is_flagged_and_kept() -> None:
    assert read([quote(b="61800.30")]).ticks["flags"].tolist() == [Flag.LOCKED]


def test_an_event_time_behind_the_sessions_is_flagged_and_kept() -> None:
    made = read([quote(u=1), quote(u=2, E=E_MS - 5), quote(u=3)])
    assert (made.ticks["flags"] & Flag.LATE != 0).tolist() == [False, True, False]
    assert made.state.time_ns == E_MS * 1_000_000


def test_a_frame_without_a_time_has_its_receipts_plus_the_known_skew() -> None:
    assert read([spot_quote()]).ticks["event_ns"].tolist() == [RECEIVE_NS + SKEW_NS]


def test_frames_read_before_are_dropped_without_a_word() -> None:
    frames = [trade(t=number) for number in range(1, 7)]
    once = read(frames[:4])
    again = read(frames[1:6], once.state, first=1)
    assert (again.ticks["frame"].tolist(), again.ticks["sequence"].tolist(), again.rejects) == ([4, 5], [5, 6], ())
    assert len(read(frames[:2], again.state, first=0).ticks) == 0


def test_frames_that_are_not_in_the_topic_are_told_with_their_number() -> None:
    made = read([quote(u=9)], read([quote(u=1)]).state, first=11)
    assert reasons(made) == [(1, Reason.GAP, 10)]
    assert made.rejects[0].detail == "frames 1 to 10 of the session are not in the topic"


def test_a_heartbeat_is_one_row_and_a_clock_that_stands_still_gives_none() -> None:
    state = read([quote()]).state
    beat = heartbeat(state, state.time_ns + 10)
    assert (beat.ticks["kind"].tolist(), beat.ticks["instrument"].tolist()) == ([Kind.HEARTBEAT], [-1])
    assert (beat.ticks["sequence"].tolist(), beat.ticks["frame"].tolist()) == ([2], [1])
    assert len(heartbeat(beat.state, state.time_ns + 10).ticks) == 0


def test_a_session_ends_once() -> None:
    ended = heartbeat(read([quote()]).state, 2 * E_MS * 1_000_000, end=True)
    assert ended.ticks["kind"].tolist() == [Kind.END]
    assert len(heartbeat(ended.state, 3 * E_MS * 1_000_000, end=True).ticks) == 0


def test_a_tick_goes_to_every_shard_of_its_pairs_and_is_at_home_in_one() -> None:
    state = hello(new_session(3), LISTING, SYMBOLS)
    made = read([trade("ETHUSDT"), trade("SOLUSDT"), trade("BTCUSDT")], state)
    shards = {shard: (names, part) for shard, names, part in by_shard(made.state, LISTING, made.ticks)}
    assert shards[0][0] == ("BTCUSDT.B", "ETHUSDT.B")
    assert shards[1][0] == ("BTCUSDT.B", "SOLUSDT.B")
    assert [shards[0][0][index] for index in shards[0][1]["instrument"]] == ["ETHUSDT.B", "BTCUSDT.B"]
    assert (shards[0][1]["sequence"].tolist(), shards[1][1]["sequence"].tolist()) == ([1, 3], [2, 3])
    assert [(part["flags"] & Flag.HOME).tolist() for _, part in shards.values()] == [[1, 1], [1, 0]]


def test_heartbeats_go_to_the_shards_of_the_sessions_symbols_alone() -> None:
    state = hello(new_session(3), LISTING, ("SOLUSDT", "UNKNOWN"))
    beat = heartbeat(state, 10)
    assert [(shard, names, len(part)) for shard, names, part in by_shard(beat.state, LISTING, beat.ticks)] == [
        (1, (), 1)
    ]


def test_state_survives_its_bytes_and_a_listing_that_has_changed() -> None:
    state = hello(read([trade(t=5), quote("SOLUSDT", u=7)]).state, LISTING, ("SOLUSDT",))
    again = load(dump(state, SYMBOLS), ("SOLUSDT", "XRPUSDT", "BTCUSDT"))
    assert (again.seen["trade"].tolist(), again.seen["quote"].tolist()) == ([-1, -1, 5], [7, -1, -1])
    assert (again.next_frame, again.time_ns, again.shards) == (2, state.time_ns, (1,))
    assert dump(load(dump(state, SYMBOLS), SYMBOLS), SYMBOLS) == dump(state, SYMBOLS)


@pytest.mark.parametrize("data", [b"", b"\x09", b"\x01\x00", dump(new_session(3), SYMBOLS)[:-1]])
def test_state_that_is_not_this_codes_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="market session state"):
        load(data, SYMBOLS)


def test_a_venue_that_the_strategy_lacks_is_named() -> None:
    with pytest.raises(KeyError, match="venue 'kraken' is not in strategy test: it has binance"):
        Listing.of(strategy(), "kraken")


prices = st.sampled_from(["61800.10", "61800.20", "61800.30", "0", "nan"])
frames = st.one_of(
    st.builds(lambda s, u, b, e: quote(s, u=u, b=b, E=E_MS + e), st.sampled_from([*SYMBOLS, "DOGE"]),
              st.integers(0, 20), prices, st.integers(-9, 9000)),
    st.builds(lambda s, t, p: trade(s, t=t, p=p), st.sampled_from(SYMBOLS), st.integers(0, 20), prices),
    st.binary(max_size=5),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(frames, max_size=30), st.data())
def test_every_frame_is_a_tick_or_one_reject_however_the_records_are_cut_and_repeated(
    sent: list[bytes], data: st.DataObject
) -> None:
    whole = read(sent)
    assert len(sent) == len(whole.ticks) + sum(reject.frames for reject in whole.rejects)
    state, ticks, rejects = new_session(len(SYMBOLS)), [whole.ticks[:0]], []
    while state.next_frame < len(sent):
        first = data.draw(st.integers(0, state.next_frame))
        upto = data.draw(st.integers(first, len(sent)))
        part = read(sent[first:upto], load(dump(state, SYMBOLS), SYMBOLS), first=first)
        state = part.state
        ticks.append(part.ticks)
        rejects.extend(part.rejects)
    assert np.concatenate(ticks).tobytes() == whole.ticks.tobytes()
    assert [(one.frame, one.reason, one.detail) for one in rejects] == [
        (one.frame, one.reason, one.detail) for one in whole.rejects
    ]
