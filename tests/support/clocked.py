"""A desk with a clock: marks, signals and fills at milliseconds of its session, without numbers to keep in mind."""

from collections.abc import Iterable
from typing import Any

from pipelines.domain.identity import marks_id
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Action, Decision, Marks, OrderRequest, TradingEvent
from tests.support.accounts import ACCOUNT, MS, NAMES, T0, Desk, command, config, filled, rejected, risk, signal

LONG, SHORT, EXIT = Action.ENTER_LONG, Action.ENTER_SHORT, Action.EXIT


class Clocked(Desk):
    """`now_ms` since `T0`; prices stay as they were last told."""

    def __init__(self, of: TraderConfig | None = None) -> None:
        super().__init__(of)
        self.now_ms = 0
        self.mids = dict.fromkeys(NAMES, 100.0)
        self.number = 0
        self.at(0)

    def at(self, ms: int, **mids: float) -> tuple[OrderRequest, ...]:
        """Marks of all instruments at a time."""
        self.now_ms = ms
        self.mids |= mids
        return self.give(*self.marks())

    def marks(self, state: tuple[int, ...] = ()) -> Iterable[TradingEvent]:
        self.number += 1
        time_ns, mids = T0 + self.now_ms * MS, self.mids.values()
        bid, ask = tuple(mid - 0.01 for mid in mids), tuple(mid + 0.01 for mid in mids)
        for shard in (0, 1):
            body = Marks(shard, self.number, tuple(self.mids), bid, ask, (time_ns,) * len(bid), state)
            yield TradingEvent(marks_id(shard, self.number), ACCOUNT, time_ns, body)

    def sign(self, pair: str, action: Action, name: str = "reversion") -> tuple[OrderRequest, ...]:
        self.number += 1
        return self.give(signal(pair, action, self.number, T0 + self.now_ms * MS, name=name))

    def hold(self, *pairs: str, name: str = "reversion") -> "Clocked":
        """Long each."""
        for pair in pairs:
            self.fill(self.sign(pair, LONG, name))
        return self

    def fill(self, orders: Iterable[OrderRequest], price: float = 0.0) -> tuple[OrderRequest, ...]:
        """Whole, at the marks."""
        return self.give(*(filled(each, price=price or self.mids[each.instrument]) for each in new(orders)))

    def reject(self, orders: Iterable[OrderRequest]) -> tuple[OrderRequest, ...]:
        return self.give(*(rejected(each) for each in new(orders)))

    def say(self, word: str, scope: str = ACCOUNT) -> tuple[OrderRequest, ...]:
        self.number += 1
        return self.give(command(word, f"{word}-{self.number}", scope))

    def measure(self, es: float = 0.0, var: float = 0.0, **more: Any) -> tuple[OrderRequest, ...]:
        return self.give(risk(T0 + self.now_ms * MS, es, var, **more))

    def stage(self, ms: int) -> tuple[OrderRequest, ...]:
        """What marks at a time make, filled."""
        outputs = self.at(ms)
        self.fill(outputs)
        return outputs

    def lots_of(self, pair: str) -> tuple[int, int]:
        held = self.state.pairs.get(pair)
        return held.lots if held else (0, 0)


def clocked(position_lots: int = 1000, of: dict[str, Any] | None = None, **limits: Any) -> Clocked:
    return Clocked(config(position_lots, 10**9, of, **limits))


def new(outputs: Iterable[OrderRequest]) -> list[OrderRequest]:
    return [each for each in outputs if each.action is Decision.NEW]


def cancels(outputs: Iterable[OrderRequest]) -> list[OrderRequest]:
    return [each for each in outputs if each.action is Decision.CANCEL]


def words(outputs: Iterable[OrderRequest]) -> list[str]:
    """Of notices and refusals."""
    return [each.reason for each in outputs if each.action in (Decision.NOTICE, Decision.REFUSED)]


def moves(outputs: Iterable[OrderRequest]) -> list[tuple[str, str, int]]:
    """Of new orders: pair, instrument, signed lots."""
    return [(each.pair, each.instrument, each.quantity * (1 if each.side == "buy" else -1)) for each in new(outputs)]
