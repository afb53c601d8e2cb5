"""What `helios feed live` is told on its command line, as what the handlers need."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from pipelines.domain.universe import Strategy
from pipelines.feeds.live.reader import LiveConfig
from pipelines.feeds.live.venues import VENUES, Addresses


def live_configs(
    venues: Sequence[str],
    instruments: str,
    strategy: Strategy | None,
    record_in: Path | None,
    at: Sequence[str],
    quiet_s: float = 60.0,
    silent_s: float = 0.0,
) -> list[LiveConfig]:
    """One a venue. ValueError: a venue not known, one without symbols, an address that is none."""
    elsewhere = dict(_address(each) for each in at)
    if instruments and len(venues) > 1:
        raise ValueError("--instruments goes with one venue: write VENUE:SYMBOL,SYMBOL for each")
    found = []
    for given in venues:
        name, _, symbols = given.partition(":")
        if name not in VENUES:
            near = difflib.get_close_matches(name, VENUES, 1)
            meant = f" did you mean {near[0]}?" if near else ""
            raise ValueError(f"venue {name!r} is not known:{meant} there are {', '.join(VENUES)}")
        wanted = _symbols(symbols or instruments) or _listed(name, strategy)
        if not wanted:
            raise ValueError(f"venue {name}: no symbols: write {name}:SYMBOL,SYMBOL, or give --strategy FILE")
        addresses = elsewhere.pop(name, VENUES[name].addresses)
        found.append(LiveConfig(name, VENUES[name], wanted, addresses, record_in, quiet_s, silent_s))
    if elsewhere:
        raise ValueError(f"--at {next(iter(elsewhere))}=...: not among the venues asked for: {', '.join(venues)}")
    return found


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbol.strip() for symbol in text.split(",") if symbol.strip()))


def _listed(venue: str, strategy: Strategy | None) -> tuple[str, ...]:
    listed = strategy.instruments if strategy is not None else ()
    return tuple(instrument.symbol for instrument in listed if instrument.venue == venue)


def _address(text: str) -> tuple[str, Addresses]:
    venue, _, urls = text.partition("=")
    stream, _, rest = urls.partition(",")
    if not stream.startswith(("ws://", "wss://")) or (rest and not rest.startswith(("http://", "https://"))):
        raise ValueError(f"--at {text!r}: write VENUE=ws://HOST:PORT, and for REST a comma and http://HOST:PORT")
    return venue, Addresses(stream, rest)
