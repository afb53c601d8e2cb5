"""The signals of a strategy with their parameters."""

from pipelines.contracts.strategy_file import signal_path
from pipelines.domain.universe import Strategy
from pipelines.signals.signal_file import BoundSignal, SignalError, load_signal
from pipelines.signals.sources import SNAPSHOTS


def bound_signals(strategy: Strategy) -> list[BoundSignal]:
    """SignalError names file, line and thing; also where there are none, or one reads levels or snapshots that are left
    out."""
    if not strategy.signals:
        raise SignalError(f"strategy {strategy.name} has no signals: list one under `signals:`")
    found = []
    for use in strategy.signals:
        signal = load_signal(signal_path(use)).bound(use.parameters, f"strategy {strategy.name}")
        check_told(strategy, signal)
        found.append(signal)
    return found


def check_told(strategy: Strategy, signal: BoundSignal) -> None:
    """SignalError where a signal reads what the spreads job of a strategy does not tell of: levels, snapshots."""
    if not strategy.levels >= signal.levels:
        raise SignalError(
            f"strategy {strategy.name}: signal {signal.name} reads crossings of z at {signal.levels} ({signal.path}), "
            f"and the strategy's levels are {strategy.levels}: add them to `levels:`, or leave that out for all"
        )
    snapshots = ", ".join(name for name in SNAPSHOTS if name in signal.tables)
    if snapshots and not strategy.snapshots_ns:
        raise SignalError(
            f"strategy {strategy.name}: signal {signal.name} reads {snapshots} ({signal.path}), and the strategy has "
            "no snapshots: add a line `snapshots: 100ms`"
        )
