"""A simulated venue's process: `python -m jobs.venue`. Ends on SIGTERM; killed, it goes on from its journal."""

import argparse
import logging
import sys

from kafka.errors import KafkaError

from infra.settings import SettingsError
from infra.topics import TopicsError
from jobs.session_programs import SessionPlace, log_to_stdout, stop_on_signals, strategy_of_venue, venue_options
from pipelines.contracts.registry import RegistryError
from pipelines.contracts.strategy_file import StrategyError
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.matching import MatchConfig
from pipelines.domain.universe import Strategy
from pipelines.execution.market import Market
from pipelines.execution.venue import Venue
from pipelines.execution.venue_journal import Journal, JournalTaken
from pipelines.execution.venue_server import VenueServer

EXAMPLE = """example:
  python -m jobs.venue --strategy strategy.yaml --venue sim --port 17001 --data .local/venue-sim --seed 7
"""

log = logging.getLogger("helios.venue")


def main() -> int:
    log_to_stdout()
    flags = _parser().parse_args()
    try:
        server = _server(flags)
    except (SettingsError, StrategyError, TopicsError, RegistryError, ValueError) as error:
        print(f"venue: {error}", file=sys.stderr)
        return 2
    except (JournalTaken, KafkaError, OSError) as error:
        print(f"venue: {error}", file=sys.stderr)
        return 1
    stop_on_signals(server.stop)
    try:
        server.run()
    except Exception as error:
        log.error("state=failed error=%r", f"{type(error).__name__}: {error}")
        return 1
    log.info("state=stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    told = "A simulated venue: matches orders with market.ticks as of their event time plus a seeded latency."
    parser = venue_options("venue", told, EXAMPLE)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=17001, help="default %(default)s; 0: any, see the log")
    parser.add_argument("--seed", type=int, default=7, help="of the latencies (default %(default)s)")
    parser.add_argument("--min-latency-ms", type=float, default=1.0, help="of event time (default %(default)s)")
    parser.add_argument("--max-latency-ms", type=float, default=5.0, help="of event time (default %(default)s)")
    return parser


def _server(flags: argparse.Namespace) -> VenueServer:
    strategy = strategy_of_venue(flags)
    config = MatchConfig(
        seed=flags.seed,
        min_latency_ns=round(flags.min_latency_ms * NS_PER_MS),
        max_latency_ns=round(flags.max_latency_ms * NS_PER_MS),
    )
    place = SessionPlace.of(flags)
    folder = flags.data or place.settings.home / "venues"
    journal = Journal(folder / f"{flags.venue}-{place.session}.sqlite3")
    venue = Venue(flags.venue, place.session, strategy, config, journal)
    homes, window_ns = _instruments_by_home(strategy, flags.venue), round(flags.window_s * NS_PER_S)
    market = Market(place.bootstrap, place.topics.ticks, place.blocks(), homes, window_ns)
    server = VenueServer(venue, market, flags.host, flags.port)
    log.info(
        "venue=%s state=started session=%s listens=%s:%d journal=%s waiting=%d config=%s",
        flags.venue, place.session, flags.host, server.port, journal.path, venue.waiting(), config,
    )  # fmt: skip
    return server


def _instruments_by_home(strategy: Strategy, venue: str) -> dict[int, list[str]]:
    """For each shard, the instruments of a venue that are at home there: their books are read from that shard's log."""
    found: dict[int, list[str]] = {}
    for instrument in strategy.instruments:
        if instrument.venue == venue:
            found.setdefault(strategy.shards_by_instrument[instrument.id][0], []).append(instrument.id)
    return found


if __name__ == "__main__":
    sys.exit(main())
