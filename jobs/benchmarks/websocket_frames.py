"""WebSocket frames to rows, messages a second by venue and type, beside the plainest Python that reads the same numbers
of the same frames in the same run: `json.loads` and `float` of the decimals that are kept. Rates are of processor time
of one thread."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipelines.domain.decoding import OpenDecoder

BATCH = 500
"""Frames decoded at once: what a record of the raw topic holds at most."""

REPEATS = 3
"""Of which the best counts: a shared machine is never faster than it is."""

E_MS = 1_767_623_400_000
MOST_FRAMES = 50_000
"""Of each type of a capture."""

Frames = Sequence[bytes]


def measure(captures: Sequence[Path] = (), frames: int = 20_000, seed: int = 7) -> list[dict[str, object]]:
    """One result by venue and type of message: `messages_per_second`, `json_per_second` (the plain loop), their
    `ratio`, `rows`, the `source` (a seed, or a file). Generated frames, and those of captures that have any."""
    from pipelines.feeds.files.captures import open_file
    from pipelines.feeds.protocols.catalogue import protocol

    results = [
        _result(venue, kind, made, protocol(venue), f"seed {seed}")
        for (venue, kind), made in generated(frames, seed).items()
    ]
    for path in captures:
        opened = open_file(path)
        taken = [frame for piece in opened.pieces() for frame in piece.frames][:MOST_FRAMES]
        if not taken:
            continue  # of a venue's REST answers alone
        results.append(_result(opened.venue, "all", taken, opened.protocol, path.name))
    return results


def generated(frames: int, seed: int) -> dict[tuple[str, str], list[bytes]]:
    """Frames of a seeded walk of one instrument, by venue and type; a book's begin with its snapshot."""
    rng = np.random.default_rng(seed)
    bids = (6_180_000 + np.cumsum(rng.integers(-2, 3, frames))).tolist()
    sizes = rng.integers(1, 5000, (frames, 8)).tolist()
    steps = rng.integers(0, 60, (frames, 8)).tolist()
    walk = list(zip(range(1, frames + 1), bids, sizes, steps, strict=True))
    book = [f'["{(6_180_000 - place) / 100:.2f}","1.5"]' for place in range(500)]
    asks = [f'["{(6_180_001 + place) / 100:.2f}","1.5"]' for place in range(500)]
    both = f'"bids":[{",".join(book)}],"asks":[{",".join(asks)}]'
    made = {
        ("binance", "bookTicker"): [_binance_quote(*step) for step in walk],
        ("binance", "trade"): [_binance_trade(*step) for step in walk],
        ("binance", "depthUpdate"): [
            f'{{"stream":"btcusdt@snapshot","data":{{"lastUpdateId":0,{both}}}}}',
            *(_binance_depth(*step) for step in walk),
        ],
        ("coinbase", "l2update"): [
            f'{{"type":"snapshot","product_id":"BTC-USD",{both}}}',
            *(_coinbase_update(*step) for step in walk),
        ],
        ("bitstamp", "data"): [
            f'{{"data":{{"microtimestamp":"1",{both}}},"channel":"snapshot_btcusd","event":"snapshot"}}',
            *(_bitstamp_update(*step) for step in walk),
        ],
        ("kraken", "trade"): [_kraken_trade(*step) for step in walk],
    }
    return {key: [frame.encode() for frame in texts] for key, texts in made.items()}


def _result(venue: str, kind: str, frames: Frames, opened: "OpenDecoder", source: str) -> dict[str, object]:
    _decoded(opened, frames[:BATCH])  # compiles, and is not counted
    rows = 0

    def decode() -> None:
        nonlocal rows
        rows = _decoded(opened, frames)

    ours, plain = _rates(len(frames), (decode, lambda: _read_plainly(frames)))
    return {
        "venue": venue,
        "type": kind,
        "source": source,
        "messages": len(frames),
        "rows": rows,
        "bytes_per_message": round(sum(map(len, frames)) / len(frames)),
        "messages_per_second": round(ours),
        "json_per_second": round(plain),
        "ratio": round(ours / plain, 2),
    }


def _rates(count: int, tasks: Sequence[Callable[[], None]]) -> list[float]:
    """Messages a second of processor time of each task, done in turn."""
    best = [float("inf")] * len(tasks)
    for _ in range(REPEATS):
        for place, task in enumerate(tasks):
            began = time.thread_time()
            task()
            best[place] = min(best[place], time.thread_time() - began)
    return [count / seconds for seconds in best]


def _decoded(opened: "OpenDecoder", frames: Frames) -> int:
    from pipelines.domain.decoding import Discovered

    decoder, rows = opened(Discovered()), 0
    for first in range(0, len(frames), BATCH):
        batch = frames[first : first + BATCH]
        rows += len(decoder.decode(batch, [0] * len(batch)).rows)
    return rows


_DECIMALS = ("b", "B", "a", "A", "p", "q", "price", "size", "best_bid", "best_ask", "price_str", "amount_str")
_LISTS = ("b", "a", "bids", "asks", "changes", "as", "bs")


def _read_plainly(frames: Frames) -> None:
    """What a script would do: the decimals that are kept, made into floats, and nothing else."""
    for frame in frames:
        document = json.loads(frame)
        if isinstance(document, list):
            parts = [part for part in document[1:-2] if isinstance(part, dict)]
            lists = [part] if isinstance(part := document[1], list) else []
        else:
            parts, lists = [document.get("data", document)], []
        for part in parts:
            for name in _DECIMALS:
                if isinstance(value := part.get(name), str):
                    float(value)
            lists += [value for name in _LISTS if isinstance(value := part.get(name), list)]
        for levels in lists:
            for level in levels:
                if isinstance(level, list):
                    for text in level[-2:] if level[0] in ("buy", "sell") else level[:2]:
                        float(text)


def _binance_quote(u: int, bid: int, sizes: list[int], _: list[int]) -> str:
    return (
        f'{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{u},"s":"BTCUSDT","b":"{bid / 100:.2f}",'
        f'"B":"{sizes[0] / 1000:.3f}","a":"{(bid + 1) / 100:.2f}","A":"{sizes[1] / 1000:.3f}","T":{E_MS + u},'
        f'"E":{E_MS + u}}}}}'
    )


def _binance_trade(t: int, bid: int, sizes: list[int], _: list[int]) -> str:
    return (
        f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{E_MS + t},"T":{E_MS + t},"s":"BTCUSDT","t":{t},'
        f'"p":"{bid / 100:.2f}","q":"{sizes[0] / 1000:.3f}","X":"MARKET","m":{"true" if sizes[1] % 2 else "false"}}}}}'
    )


def _levels(bid: int, sizes: list[int], steps: list[int]) -> tuple[str, str]:
    """Four levels a side near the best; one in ten goes."""
    texts = [
        f'["{(bid - step if place < 4 else bid + 1 + step) / 100:.2f}","{0 if size % 10 == 0 else size / 1000:.3f}"]'
        for place, (size, step) in enumerate(zip(sizes, steps, strict=True))
    ]
    return f"[{','.join(texts[:4])}]", f"[{','.join(texts[4:])}]"


def _binance_depth(u: int, bid: int, sizes: list[int], steps: list[int]) -> str:
    bids, asks = _levels(bid, sizes, steps)
    return (
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{E_MS + u},"s":"BTCUSDT","U":{u},"u":{u},'
        f'"b":{bids},"a":{asks}}}}}'
    )


def _coinbase_update(_: int, bid: int, sizes: list[int], steps: list[int]) -> str:
    side, price = ("buy", bid - steps[0]) if sizes[1] % 2 else ("sell", bid + 1 + steps[0])
    change = f'["{side}","{price / 100:.2f}","{sizes[0] / 1000:.3f}"]'
    moment = f"2026-01-05T14:30:{sizes[2] % 60:02d}.{sizes[3]:06d}Z"
    return f'{{"type":"l2update","product_id":"BTC-USD","changes":[{change}],"time":"{moment}"}}'


def _bitstamp_update(place: int, bid: int, sizes: list[int], steps: list[int]) -> str:
    bids, asks = _levels(bid, sizes, steps)
    micros = E_MS * 1000 + place
    return (
        f'{{"data":{{"timestamp":"{micros // 1_000_000}","microtimestamp":"{micros}","bids":{bids},"asks":{asks}}},'
        '"channel":"diff_order_book_btcusd","event":"data"}'
    )


def _kraken_trade(place: int, bid: int, sizes: list[int], _: list[int]) -> str:
    side = "s" if sizes[1] % 2 else "b"
    return (
        f'[337,[["{bid / 100:.5f}","{sizes[0] / 1000:.8f}","{(E_MS + place) / 1000:.6f}","{side}","l",""]],'
        '"trade","XBT/USD"]'
    )
