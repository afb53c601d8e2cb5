"""Limits held against what is held already: which is broken, by how much, and whether closing something mends it."""

from typing import NamedTuple

from pipelines.domain.account import TraderState
from pipelines.domain.exposure import made, worth


class Breach(NamedTuple):
    """`value` of what `limit` names is beyond `most`. `mends`: it falls as pairs are closed; a loss does not."""

    limit: str
    value: float
    most: float
    mends: bool

    def __str__(self) -> str:
        return f"{self.limit} {self.value:.2f}, limit {self.most:.2f}"

    @property
    def measured(self) -> bool:
        """Whether it is known by risk updates alone."""
        return self.limit in ("es", "var")


def watches(state: TraderState) -> bool:
    """Whether there is a limit that what is held may break."""
    limits = state.limits
    of_losses = limits.daily_loss is not None or limits.drawdown is not None
    return limits.of_money or of_losses or limits.es is not None or limits.var is not None


def breaches(state: TraderState) -> list[Breach]:
    """The limits that are broken, losses first: they take everything down. What is beyond a limit of money by the drift
    of prices is borne as far as the unwinding says."""
    return [each for each in measures(state) if each.value > each.most * (1 + _borne(each, state))]


def inside(state: TraderState) -> bool:
    """Whether all is below its limit by the hysteresis; losses just not beyond theirs."""
    below = 1 - state.config.unwinding.hysteresis
    return all(each.value <= each.most * (below if each.mends else 1) for each in measures(state))


def measures(state: TraderState) -> list[Breach]:
    """Every limit of what is held, broken or not."""
    limits = state.limits
    found: list[Breach] = []
    if limits.daily_loss is not None or limits.drawdown is not None:
        total = made(state)
        if limits.daily_loss is not None:
            found.append(Breach("daily_loss", state.day.made - total, limits.daily_loss, False))
        if limits.drawdown is not None:
            found.append(Breach("drawdown", max(0.0, (state.peak or 0.0) - total), limits.drawdown, False))
    if state.measured.as_of_ns >= 0:
        if limits.es is not None:
            found.append(Breach("es", state.measured.es, limits.es, True))
        if limits.var is not None:
            found.append(Breach("var", state.measured.var, limits.var, True))
    if limits.of_money:
        now = worth(state)
        if limits.gross_notional is not None:
            found.append(Breach("gross_notional", now.gross, limits.gross_notional, True))
        if limits.net_notional is not None:
            found.append(Breach("net_notional", max(now.high, -now.low), limits.net_notional, True))
    return found


def _borne(each: Breach, state: TraderState) -> float:
    return state.config.unwinding.drift if each.limit in ("gross_notional", "net_notional") else 0.0
