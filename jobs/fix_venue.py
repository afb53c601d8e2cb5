"""A simulated venue that speaks FIX 4.4: `python -m jobs.fix_venue`. Killed, it goes on from its journal."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from kafka.errors import KafkaError

from infra.settings import SettingsError, load_settings
from infra.topics import TopicsError, session_id
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.fix_venue_file import load_fix_venue
from pipelines.contracts.registry import RegistryError, SchemaRegistry
from pipelines.contracts.secret import NoSecret
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.domain.market import NS_PER_S
from pipelines.execution.fix.engine import NoEngine
from pipelines.execution.fix.venue_process import VenuePlace, VenueProcess
from pipelines.execution.journal_file import JournalTaken
from pipelines.execution.tick_log import TickLog

EXAMPLE = """example:
  export DESK_PASSWORD=secret RISK_PASSWORD=secret
  python -m jobs.fix_venue --strategy strategy.yaml --venue sim --file examples/venues/xsim.yaml
"""

log = logging.getLogger("helios.venue")


def main() -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    flags = _parser().parse_args()
    try:
        venue = _venue(flags)
    except (SettingsError, StrategyError, TopicsError, RegistryError, NoEngine, NoSecret, ValueError) as error:
        print(f"fix venue: {error}", file=sys.stderr)
        return 2
    except (JournalTaken, KafkaError, OSError) as error:
        print(f"fix venue: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: venue.stop())
    try:
        waiting = venue.start()
        log.info("venue=%s state=started waiting=%d config=%s", flags.venue, waiting, venue.config)
        venue.run()
    except Exception as error:
        log.error("state=failed error=%r", f"{type(error).__name__}: {error}")
        venue.end(1)
    log.info("state=stopped")
    venue.end(0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jobs.fix_venue",
        description="A simulated venue that speaks FIX 4.4: a book of orders, driven by market.ticks in event time.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--strategy", type=Path, required=True, help="its instruments, venues and shards are used")
    parser.add_argument("--venue", required=True, help="which of the strategy's venues this is")
    parser.add_argument("--file", type=Path, required=True, help="who may log on, how it matches: examples/venues")
    parser.add_argument("--bootstrap", help="Kafka; default: the settings'")
    parser.add_argument("--registry", help="schema registry; default: the settings'")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    parser.add_argument("--data", type=Path, help="folder of its journals; default: venues/ in the home folder")
    parser.add_argument(
        "--window-s", type=float, default=60.0, help="of the market kept in memory (default %(default)s)"
    )
    return parser


def _venue(flags: argparse.Namespace) -> VenueProcess:
    settings = load_settings()
    bootstrap = flags.bootstrap or settings.kafka.bootstrap
    strategy = load_strategy(flags.strategy)
    if flags.venue not in strategy.venue_by_name:
        raise ValueError(f"--venue {flags.venue}: {flags.strategy} has {', '.join(strategy.venue_by_name)}")
    file = load_fix_venue(flags.file)
    topics = Topics(flags.prefix)
    session = session_id(bootstrap, topics)
    registry = SchemaRegistry(flags.registry or settings.registry.url)
    codec = BlockCodec(registry.ids()[RECORDS["market.ticks"]], registry.schema)
    folder: Path = flags.data or settings.home / "venues"
    name = f"fix-{flags.venue}-{session}"
    instruments = {each.id: each for each in strategy.instruments if each.venue == flags.venue}
    place = VenuePlace(
        name=flags.venue,
        instruments=instruments,
        shard_of={each: strategy.shards_by_instrument[each][0] for each in instruments},
        ticks=TickLog(bootstrap, topics.ticks, codec),
        journal=folder / f"{name}.sqlite3",
        store=folder / f"{name}-store",
        messages=folder / f"{name}-messages.log",
    )
    venue = VenueProcess(file, place, round(flags.window_s * NS_PER_S))
    log.info(
        "venue=%s state=opened session=%s comp_id=%s port=%d journal=%s messages=%s faults=%s",
        flags.venue, session, file.comp_id, file.port, place.journal, place.messages, file.faults,
    )  # fmt: skip
    return venue


if __name__ == "__main__":
    sys.exit(main())
