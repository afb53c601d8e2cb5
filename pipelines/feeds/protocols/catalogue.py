"""The protocols that a venue of a strategy may speak, and files may be of. A further one: a module and a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.domain.decoding import OpenDecoder
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.protocols.bitstamp import Bitstamp
from pipelines.feeds.protocols.coinbase import Coinbase
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.moldudp64 import MoldUDP64
from pipelines.feeds.protocols.kraken import Kraken
from pipelines.feeds.protocols.lean.decoder import Lean
from pipelines.feeds.protocols.table import Table

PROTOCOLS: Mapping[str, OpenDecoder] = MappingProxyType(
    {
        "binance": Binance,
        "coinbase": Coinbase,
        "kraken": Kraken,
        "bitstamp": Bitstamp,
        "itch50": Itch50,
        "itch50-moldudp64": MoldUDP64,
        "lean": Lean,
        "table": Table,
    }
)


class UnknownProtocol(ValueError):
    """A protocol that is not known: names those that are."""


def protocol(name: str) -> OpenDecoder:
    """The protocol of a name."""
    if name not in PROTOCOLS:
        raise UnknownProtocol(f"protocol {name!r} is not known: take of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
