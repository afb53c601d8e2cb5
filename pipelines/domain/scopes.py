"""What part of an account a word is about: `all` or the account itself, `strategy:NAME`, `pair:NAME`, `venue:NAME`."""

from collections.abc import Collection

from pipelines.domain.trader_config import TraderConfig

ALL = "all"


def scope_of(config: TraderConfig, scope: str, held: Collection[str] = ()) -> str:
    """A scope as stops are kept by it; empty where it is none. `held`: pairs that are, besides the strategy's."""
    kind, _, name = scope.partition(":")
    known = {
        "strategy": {config.own, *config.strategies.values()},
        "pair": config.pairs.keys() | set(held),
        "venue": {instrument.venue for instrument in config.instruments.values()},
    }
    if scope in (config.account, ALL):
        return config.account
    return scope if name in known.get(kind, ()) else ""


def scopes(config: TraderConfig, pair: str, strategy: str) -> tuple[str, ...]:
    """The scopes that an order of a pair is in: a venue of either leg's is."""
    traded = config.pairs.get(pair)
    venues = {leg.venue for leg in traded.legs} if traded else set()
    return (
        config.account,
        f"strategy:{strategy}",
        f"pair:{pair}",
        *(f"venue:{venue}" for venue in sorted(venues)),
    )
