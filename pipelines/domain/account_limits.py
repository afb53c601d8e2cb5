"""How far an account's limits are used. Money is the account's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.domain.account import TraderState
from pipelines.domain.breaches import measures
from pipelines.domain.exposure import one_lot, worth_of_sector
from pipelines.domain.limits import NUMBERS
from pipelines.domain.orders import reach


@dataclass(frozen=True, slots=True)
class Used:
    """A limit: how much of it is used (None: that is known only when an order is checked), of how much, of what."""

    limit: str
    value: float | None
    most: float
    of: str = ""


def limits_used(state: TraderState) -> list[Used]:
    """In the order of `Limits`; of those of one instrument, pair or sector, the one that is used most."""
    known: dict[str, tuple[float | None, str]] = {each.limit: (each.value, "") for each in measures(state)}
    for name, largest in _MOST.items():
        known[name] = largest(state) or (0.0, "")
    found = []
    for name in NUMBERS:
        most = getattr(state.limits, name)
        value, of = known.get(name, (None, ""))
        if most is not None:
            found.append(Used(name, value, most, of if value else ""))
    return found


def _position_lots(state: TraderState) -> tuple[float, str] | None:
    return max(
        ((float(max(each.long, each.short)), name) for name in state.positions if (each := state.exposure(name))),
        default=None,
    )


def _pair_notional(state: TraderState) -> tuple[float, str] | None:
    found = []
    for name, pair in state.pairs.items():
        traded = state.config.pairs.get(name)
        worth = 0.0
        for leg, instrument in enumerate(traded.legs if traded else ()):
            least, most = reach(pair.lots[leg], state.orders.get(pair.working[leg]))
            worth += one_lot(state, instrument) * max(most, -least)
        found.append((worth, name))
    return max(found, default=None)


def _sector_notional(state: TraderState) -> tuple[float, str] | None:
    sectors = {each.sector for each in state.config.instruments.values() if each.sector}
    return max(((worth_of_sector(state, name), name) for name in sectors), default=None)


def _credit(state: TraderState) -> tuple[float, str] | None:
    known = state.config.instruments
    working = sum(
        order.leaves * one_lot(state, known[order.instrument])
        for order in state.orders.values()
        if order.instrument in known
    )
    return state.day.turnover + working, ""


_MOST: Mapping[str, Callable[[TraderState], tuple[float, str] | None]] = {
    "position_lots": _position_lots,
    "pair_notional": _pair_notional,
    "sector_notional": _sector_notional,
    "credit": _credit,
}
