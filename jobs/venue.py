"""A simulated venue's process: `python -m jobs.venue`. Ends on SIGTERM; killed, it goes on from its journal."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from kafka.errors import KafkaError

from infra.settings import SettingsError, load_settings
from infra.topics import TopicsError, session_id
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.registry import RegistryError, SchemaRegistry
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.contracts.topics import RECORDS, Topics
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
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    flags = _parser().parse_args()
    try:
        server = _server(flags)
    except (SettingsError, StrategyError, TopicsError, RegistryError, ValueError) as error:
        print(f"venue: {error}", file=sys.stderr)
        return 2
    except (JournalTaken, KafkaError, OSError) as error:
        print(f"venue: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    try:
        server.run()
    except Exception as error:
        log.error("state=failed error=%r", f"{type(error).__name__}: {error}")
        return 1
    log.info("state=stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jobs.venue",
        description="A simulated venue: matches orders with market.ticks as of their event time plus a seeded latency.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--strategy", type=Path, required=True, help="its instruments, venues and shards are used")
    parser.add_argument("--venue", required=True, help="which of the strategy's venues this is")
    parser.add_argument("--bootstrap", help="Kafka; default: the settings'")
    parser.add_argument("--registry", help="schema registry; default: the settings'")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=17001, help="default %(default)s; 0: any, see the log")
    parser.add_argument("--data", type=Path, help="folder of its journals; default: venues/ in the home folder")
    parser.add_argument("--seed", type=int, default=7, help="of the latencies (default %(default)s)")
    parser.add_argument("--min-latency-ms", type=float, default=1.0, help="of event time (default %(default)s)")
    parser.add_argument("--max-latency-ms", type=float, default=5.0, help="of event time (default %(default)s)")
    parser.add_argument("--window-s", type=float, default=60.0, help="of quotes kept in memory (default %(default)s)")
    return parser


def _server(flags: argparse.Namespace) -> VenueServer:
    settings = load_settings()
    bootstrap = flags.bootstrap or settings.kafka.bootstrap
    strategy = load_strategy(flags.strategy)
    if flags.venue not in strategy.venue_by_name:
        raise ValueError(f"--venue {flags.venue}: {flags.strategy} has {', '.join(strategy.venue_by_name)}")
    config = MatchConfig(
        seed=flags.seed,
        min_latency_ns=round(flags.min_latency_ms * NS_PER_MS),
        max_latency_ns=round(flags.max_latency_ms * NS_PER_MS),
    )
    topics = Topics(flags.prefix)
    session = session_id(bootstrap, topics)
    registry = SchemaRegistry(flags.registry or settings.registry.url)
    codec = BlockCodec(registry.ids()[RECORDS["market.ticks"]], registry.schema)
    folder = flags.data or settings.home / "venues"
    journal = Journal(folder / f"{flags.venue}-{session}.sqlite3")
    venue = Venue(flags.venue, session, strategy, config, journal)
    market = Market(
        bootstrap, topics.ticks, codec, _instruments_by_home(strategy, flags.venue), round(flags.window_s * NS_PER_S)
    )
    server = VenueServer(venue, market, flags.host, flags.port)
    log.info(
        "venue=%s state=started session=%s listens=%s:%d journal=%s waiting=%d config=%s",
        flags.venue, session, flags.host, server.port, journal.path, venue.waiting(), config,
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
