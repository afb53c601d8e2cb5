"""An account as Flink keeps it: whole, and what events since have changed of it. An event is one write of some 100
bytes, where all that 300 pairs are is 80 kB."""

from pipelines.domain.account import TraderState
from pipelines.domain.account_bytes import VERSION, dump, dump_changes, load, load_changes
from pipelines.domain.trader_config import TraderConfig
from pipelines.operators.flink import RuntimeContext
from pipelines.operators.journal import Entry, Journal, Size

NO_NUMBERS = (0, 0)


class AccountJournal:
    """Of the key at hand: `load` it once, then `save` each state that comes after the last."""

    def __init__(self, context: RuntimeContext, config: TraderConfig) -> None:
        self._journal = Journal(context, "trading")
        self._config = config
        self._size: Size | None = None
        """None: changes of what is kept cannot be, as nothing is, or in an older format."""

    def load(self) -> TraderState:
        """ValueError where what is kept is no account's state."""
        base = self._journal.base()
        state = load(base, self._config)
        if base is None or base[:1] != VERSION:
            return state
        self._size = Size(len(base))
        for entry in self._journal.entries():
            state = load_changes(state, entry.record)
            self._size.take(len(entry.record))
        return state

    def save(self, then: TraderState, now: TraderState) -> None:
        """`then`: as it was loaded, or saved last. OverflowError, and nothing written, where a number is beyond all
        bounds."""
        if self._size is not None:
            changes = dump_changes(then, now)
            self._size.take(len(changes))
            if not self._size.due:
                self._journal.add(Entry(NO_NUMBERS, changes))
                return
        base = dump(now)
        self._journal.renew(base)
        self._size = Size(len(base))
